"""Which models there are: the one that is built in and those in the state directory, and which of them is in use.

Knows directories and what they say about themselves; loads and runs nothing. Safe in any thread; each call looks at the
disk again.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from havenfs.errors import ModelError

from . import manifest as manifests
from .calibration import Calibration

if TYPE_CHECKING:
    from havenfs.config import State
    from havenfs.entities import ModelId

log = logging.getLogger(__name__)

BUILTIN = Path(__file__).parent / "mini-clip"
ACTIVE = "active"  # the file in the directory of models that names the one in use


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model directory that is complete enough to be loaded."""

    id: ModelId
    name: str
    directory: Path
    kind: str
    """"clip": pictures and texts in one space."""
    dimension: int
    """Length of its vectors."""
    miniature: bool
    """Trained on drawings only; the owner is told, and how to get a full one."""
    licence: str
    description: str
    calibration: Calibration


def load(directory: Path) -> Model:
    """Return the model in *directory*: with our manifest, or a plain export of the same layout. Raises ModelError."""
    if not directory.is_dir():
        reason = f"there is no model directory {directory}"
        raise ModelError(reason)
    missing = [name for name in manifests.NEEDED if not (directory / name).is_file()]
    if missing:
        reason = f"{directory} is not a complete model: {', '.join(missing)} missing"
        raise ModelError(reason)
    config = manifests.decode(directory / manifests.CONFIG, manifests.Config)
    manifest = manifests.read(directory)
    if manifest is None:
        name = directory.name
        if manifests.NAME.fullmatch(name) is None:
            reason = f"the directory name {name!r} is no name for a model (letters, digits, '.', '_', '-')"
            raise ModelError(reason)
        return Model(
            id=manifests.identify(directory, name),
            name=name,
            directory=directory,
            kind="clip",
            dimension=config.embed_dim,
            miniature=False,
            licence="unknown",
            description="installed by hand",
            calibration=Calibration(),
        )
    if manifest.kind != "clip":
        reason = f"{directory}: this version runs models of kind 'clip', not {manifest.kind!r}"
        raise ModelError(reason)
    if manifest.dimension != config.embed_dim:
        reason = f"{directory}: manifest.json says dimension {manifest.dimension}, config.json {config.embed_dim}"
        raise ModelError(reason)
    entry = manifest.calibration
    given = {
        key: value for key, value in msgspec.structs.asdict(entry).items() if value is not None
    }
    return Model(
        id=manifests.identify(directory, manifest.name),
        name=manifest.name,
        directory=directory,
        kind=manifest.kind,
        dimension=manifest.dimension,
        miniature=manifest.miniature,
        licence=manifest.licence,
        description=manifest.description,
        calibration=Calibration(**given),
    )


def builtin() -> Model:
    """Return the miniature model that is part of the program. Raises ModelError when the installation is damaged."""
    return load(BUILTIN)


def installed(state: State) -> list[Model]:
    """Return the built-in model, then those in the state directory by name. Directories that are no model are
    passed over with a warning: one broken download must not take the others away."""
    models = [builtin()]
    if not state.models.is_dir():
        return models
    for directory in sorted(state.models.iterdir()):
        if not directory.is_dir() or directory.name.startswith("."):  # a dot: a download under way
            continue
        try:
            models.append(load(directory))
        except ModelError as error:
            log.warning("a model is passed over: %s", error)
    return models


def named(state: State, name: str) -> Model:
    """Return the installed model of that name, or whose directory has that name. Raises ModelError."""
    models = installed(state)
    for model in models:
        if name in (model.name, model.directory.name, model.id):
            return model
    reason = (
        f"no model {name!r} is installed; there are {', '.join(model.name for model in models)}"
    )
    raise ModelError(reason)


def active(state: State) -> Model:
    """Return the model in use: the one that `<state>/models/active` names, the built-in one when there is no such file.

    Raises ModelError when the named one is missing. It does not fall back: that would look like a decision to compute
    every vector of the library anew.
    """
    path = state.models / ACTIVE
    try:
        name = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return builtin()
    except (OSError, UnicodeDecodeError) as error:
        reason = f"{path} cannot be read: {error}"
        raise ModelError(reason) from error
    if not name:
        return builtin()
    try:
        return named(state, name)
    except ModelError as error:
        reason = f"{error}. It was chosen in {path}; install it again, or remove that file"
        raise ModelError(reason) from error


def use(state: State, name: str) -> Model:
    """Make the named model the one in use, durably and at once or not at all. Raises ModelError."""
    model = named(state, name)
    state.models.mkdir(parents=True, exist_ok=True)
    temporary = state.models / f".{ACTIVE}.{os.getpid()}"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(f"{model.name}\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(state.models / ACTIVE)
    return model


def verify(model: Model) -> list[str]:
    """Return one sentence for each file that is missing or differs from the manifest's SHA-256, in order of path.

    Empty when all is well, and for a model without a manifest, which says nothing that could be checked.
    """
    manifest = manifests.read(model.directory)
    if manifest is None:
        return []
    problems: list[str] = []
    for name, expected in sorted(manifest.files.items()):
        try:
            actual = manifests.hash_file(model.directory / name)
        except OSError as error:
            problems.append(f"{name} cannot be read: {error.strerror}")
            continue
        if actual != expected:
            problems.append(f"{name} differs from the manifest")
    return problems
