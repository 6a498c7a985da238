"""Which models there are: those that are built in and those in the state directory, and which of each kind is in use.

Knows directories and what they say about themselves; loads and runs nothing. Safe in any thread; each call looks at the
disk again.
"""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from havenfs.errors import ModelError

from . import manifest as manifests, packs
from .calibration import Calibration
from .manifest import ModelKind

if TYPE_CHECKING:
    from havenfs.config import State
    from havenfs.entities import ModelId

log = logging.getLogger(__name__)

BUILTIN = {
    ModelKind.CLIP: Path(__file__).parent / "mini-clip",
    ModelKind.FACES: Path(__file__).parent / "mini-faces",
}
ACTIVE = {ModelKind.CLIP: "active", ModelKind.FACES: "active.faces"}
"""The file in the directory of models that names the one in use."""
ANSWERING = "answering"
"""The file that names the CLIP model which answers searches until the one in use has looked at everything."""


DOWNLOAD = ".install-"
"""How the folder of a download begins, before the name of the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model directory that is complete enough to be loaded."""

    id: ModelId
    name: str
    directory: Path
    kind: ModelKind
    dimension: int
    """Length of its vectors."""
    miniature: bool
    """Trained on drawings only; the owner is told, and how to get a full one."""
    licence: str
    description: str
    calibration: Calibration


def load(directory: Path) -> Model:
    """Return the model in *directory*: with our manifest, or as it is published by others. Raises ModelError."""
    if not directory.is_dir():
        reason = f"there is no model directory {directory}"
        raise ModelError(reason)
    manifest = manifests.read(directory)
    if manifest is None:
        return _published(directory)
    kinds = tuple(ModelKind)
    if manifest.kind not in kinds:
        reason = f"{directory}: this version runs models of the kinds {' and '.join(kinds)}, not {manifest.kind!r}"
        raise ModelError(reason)
    kind = ModelKind(manifest.kind)
    dimension = _dimension(directory, kind)
    if kind is ModelKind.CLIP and manifest.dimension != dimension:
        reason = f"{directory}: manifest.json says dimension {manifest.dimension}, config.json {dimension}"
        raise ModelError(reason)
    given = {
        key: value
        for key, value in msgspec.structs.asdict(manifest.calibration).items()
        if value is not None
    }
    return Model(
        id=manifests.identify(directory, manifest.name),
        name=manifest.name,
        directory=directory,
        kind=kind,
        dimension=manifest.dimension,
        miniature=manifest.miniature,
        licence=manifest.licence,
        description=manifest.description,
        calibration=Calibration(**given),
    )


def _published(directory: Path) -> Model:
    """A model without a manifest of ours: a pack of faces if it looks like one, else CLIP. Raises ModelError."""
    pack = packs.find(directory)
    kind = ModelKind.CLIP if pack is None else ModelKind.FACES
    dimension = _dimension(directory, kind)
    name = directory.name
    if manifests.NAME.fullmatch(name) is None:
        reason = (
            f"the directory name {name!r} is no name for a model (letters, digits, '.', '_', '-')"
        )
        raise ModelError(reason)
    parts = ("visual", "textual")
    if pack is not None:
        parts = sorted(
            {str(path.parent.relative_to(directory)) for path in (pack.detection, pack.recognition)}
        )
    return Model(
        id=manifests.identify(directory, name, parts=parts),
        name=name,
        directory=directory,
        kind=kind,
        dimension=dimension,
        miniature=False,
        licence="unknown",
        description="installed by hand",
        calibration=Calibration(),
    )


def _dimension(directory: Path, kind: ModelKind) -> int:
    """What the files say, once all that are needed are there. Raises ModelError."""
    if kind is ModelKind.FACES:
        pack = packs.find(directory)
        if pack is None:
            reason = f"{directory} is not a complete model: a detector or a recogniser of faces is missing"
            raise ModelError(reason)
        return packs.DIMENSIONS[pack.recogniser]
    missing = [name for name in manifests.NEEDED if not (directory / name).is_file()]
    if missing:
        reason = f"{directory} is not a complete model: {', '.join(missing)} missing"
        raise ModelError(reason)
    return manifests.decode(directory / manifests.CONFIG, manifests.CONFIGS).embed_dim


def builtin(kind: ModelKind = ModelKind.CLIP) -> Model:
    """Return the miniature model of that kind that is part of the program. Raises ModelError when there is none, or the
    installation is damaged."""
    if kind not in BUILTIN:
        reason = f"no model of kind {kind} is built in"
        raise ModelError(reason)
    return load(BUILTIN[kind])


def installed(state: State, kind: ModelKind | None = None) -> list[Model]:
    """Return the built-in models, then those in the state directory by name; only those of *kind*, if given.
    Directories that are no model are passed over with a warning: one broken download must not take the others away."""
    models = [builtin(each) for each in BUILTIN if kind in (None, each)]
    if not state.models.is_dir():
        return models
    for directory in sorted(state.models.iterdir()):
        if not directory.is_dir() or directory.name.startswith("."):  # a dot: a download under way
            continue
        try:
            model = load(directory)
        except ModelError as error:
            log.warning("a model is passed over: %s", error)
            continue
        if kind in (None, model.kind):
            models.append(model)
    return models


def named(state: State, name: str, kind: ModelKind | None = None) -> Model:
    """Return the installed model (of *kind*, if given) of that name, or whose directory has that name. Raises
    ModelError."""
    models = installed(state, kind)
    for model in models:
        if name in (model.name, model.directory.name, model.id):
            return model
    reason = (
        f"no model {name!r} is installed; there are {', '.join(model.name for model in models)}"
    )
    raise ModelError(reason)


def active(state: State, kind: ModelKind = ModelKind.CLIP) -> Model:
    """Return the model of *kind* in use: the one that `<state>/models/active` (`active.faces`) names, the built-in one
    when there is no such file.

    Raises ModelError when the named one is missing. It does not fall back: that would look like a decision to compute
    every vector of the library anew.
    """
    path = state.models / ACTIVE[kind]
    try:
        name = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return builtin(kind)
    except (OSError, UnicodeDecodeError) as error:
        reason = f"{path} cannot be read: {error}"
        raise ModelError(reason) from error
    if not name:
        return builtin(kind)
    try:
        return named(state, name, kind)
    except ModelError as error:
        reason = f"{error}. It was chosen in {path}; install it again, or remove that file"
        raise ModelError(reason) from error


def answering(state: State) -> Model:
    """Return the CLIP model whose vectors answer searches: the one in use, or its predecessor while that one has not yet
    looked at the whole library. Raises ModelError as `active`."""
    try:
        name = (state.models / ANSWERING).read_text(encoding="utf-8").strip()
        return named(state, name, ModelKind.CLIP)
    except (OSError, UnicodeDecodeError, ModelError):  # not there, or its model has gone meanwhile
        return active(state)


def in_use(state: State) -> set[ModelId]:
    """Return every model that is in use or answers searches."""
    found: set[ModelId] = set()
    for look in (*(partial(active, kind=kind) for kind in ModelKind), answering):
        with contextlib.suppress(ModelError):  # none is built in, or the chosen one has gone
            found.add(look(state).id)
    return found


def waiting(state: State) -> list[str]:
    """Return the names of models of which a part has been downloaded."""
    found = state.models.glob(f"{DOWNLOAD}*")
    return sorted(path.name.removeprefix(DOWNLOAD) for path in found)


def use(state: State, name: str) -> Model:
    """Make the named model the one of its kind in use, durably and at once or not at all. A CLIP model's predecessor goes on
    answering until `settle`. Raises ModelError."""
    model = named(state, name)
    state.models.mkdir(parents=True, exist_ok=True)
    if model.kind is ModelKind.CLIP:
        try:
            predecessor = answering(state)
        except ModelError:
            predecessor = model  # it has gone: nobody can answer meanwhile
        if predecessor.id == model.id:
            settle(state)
        else:
            _write(state.models / ANSWERING, predecessor.name)
    _write(state.models / ACTIVE[model.kind], model.name)
    return model


def settle(state: State) -> None:
    """The CLIP model in use answers from now on."""
    (state.models / ANSWERING).unlink(missing_ok=True)


def _write(path: Path, name: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(f"{name}\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def weight(model: Model, part: str) -> int:
    """Return how many bytes the files of one tower ("visual", "textual", ...) have, none where there is no such part."""
    directory = model.directory / part
    if not directory.is_dir():
        return 0
    return sum(path.stat().st_size for path in directory.iterdir() if path.suffix != ".json")


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
