"""Puts models into the state directory, whole and checked or not at all, and takes them out again.

Everything is gathered in a hidden folder beside the models (the registry passes those over), checked, tried out in a process
that may die of it, synced, and renamed into place. Killed at any moment, it leaves what was there before; a download goes on
where it was when it is asked for again. Only a command of the owner calls this, and one at a time per state directory.
Blocking; any thread.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from havenfs.errors import InstallError, LicenceNotAccepted, ModelError

from . import catalogue, manifest as manifests, packs, registry, unpack
from .hub import Commit, Hub, RemoteFile, full
from .manifest import Manifest, ModelKind

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from havenfs.config import State

    from .catalogue import Choice
    from .registry import Model

log = logging.getLogger(__name__)

UNPACKING, REMOVED, REPLACED = ".unpack-", ".removed-", ".replaced-"
PLAN = ".plan.json"  # in the folder of a download: which commits it is of
RESERVE = 256 << 20
"""Bytes that stay free on the disk: the catalog lives there too."""
ELSEWHERE = (
    ".armnn",
    ".rknn",
)  # published beside the ONNX files, for hardware that we do not speak to


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a download is."""

    file: str
    done: int
    """Bytes of all files."""
    total: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    commit: Commit
    file: RemoteFile
    to: str


def fetch(
    state: State,
    choice: Choice,
    *,
    accepted: bool,
    try_out: Callable[[Path], None],
    progress: Callable[[Progress], None],
    hub: Hub | None = None,
) -> Model:
    """Install *choice* of the catalogue from the hub; a model of that name that is there already is replaced.

    *accepted*: the owner has said yes to the licence. *try_out* loads and runs the model in *directory* and raises
    ModelError if that fails. Raises LicenceNotAccepted, InstallError, ModelError.
    """
    _licence(choice, accepted=accepted)
    with _alone(state), hub or Hub() as hub:
        staging = state.models / f"{registry.DOWNLOAD}{choice.name}"
        wanted = _plan(hub, choice)
        with _writing(staging):
            _resume(staging, wanted)
            sources = _download(hub, choice, wanted, staging, progress)
            description = _description(choice, staging, sources)
            (staging / PLAN).unlink()
            manifests.write(staging, description)
            return _put(state, staging, choice.name, try_out)


def bring(
    state: State,
    source: Path,
    *,
    name: str | None,
    accepted: bool,
    try_out: Callable[[Path], None],
) -> Model:
    """Install the model in the folder or archive *source*, under *name* if given, else under its own.

    Checked against its manifest when it has one. Raises as `fetch`.
    """
    if not source.exists():
        raise InstallError(f"there is no {source}")
    with _alone(state):
        staging = state.models / f"{UNPACKING}{os.getpid()}"
        try:
            with _writing(staging):
                (unpack.folder if source.is_dir() else unpack.archive)(source, staging)
                name = _named(staging, source, name)
                choice = next((c for c in catalogue.choices() if c.name == name), None)
                if choice is not None:
                    _licence(choice, accepted=accepted)
                _describe(staging, source, name, choice)
                return _put(state, staging, name, try_out)
        except ModelError as error:  # about the copy, which nobody has heard of
            raise InstallError(str(error).replace(str(staging), str(source))) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def remove(state: State, name: str) -> str:
    """Delete the installed model of that name, or what has arrived of it; returns the name. Raises ModelError for the one
    that is in use or built in, InstallError."""
    with _alone(state):
        half = state.models / f"{registry.DOWNLOAD}{name}"
        if manifests.NAME.fullmatch(name) and half.is_dir():
            shutil.rmtree(half)
            if not (state.models / name).is_dir():
                return name
        model = registry.named(state, name)
        if model.directory in registry.BUILTIN.values():
            raise ModelError(f"{model.name} is part of the program and stays")
        if model.id in registry.in_use(state):
            raise ModelError(
                f"{model.name} is in use. Choose another one first: havenfs models use NAME"
            )
        gone = state.models / f"{REMOVED}{model.directory.name}"
        model.directory.rename(gone)
        _sync(state.models)
        shutil.rmtree(gone)
        return model.name


def _licence(choice: Choice, *, accepted: bool) -> None:
    if not choice.free and not accepted:
        raise LicenceNotAccepted(
            f"{choice.name} comes under the licence {choice.licence}. If that suits you, say so with --accept-licence; "
            "'havenfs models list --catalogue' shows free ones first"
        )


# --- fetching -----------------------------------------------------------------------------------------------------------


def _plan(hub: Hub, choice: Choice) -> list[_Wanted]:
    """Every file to download, by the hub's listing of this moment. Raises InstallError."""
    wanted: list[_Wanted] = []
    for part in choice.parts:
        commit = hub.commit(part.repository, part.revision)
        names = dict(part.files)
        for path in commit.files:
            folder, _, name = path.rpartition("/")
            if (
                folder in part.folders
                and name.isprintable()
                and not name.startswith(".")
                and not name.endswith(ELSEWHERE)
            ):
                names[path] = path
        for path, to in names.items():
            file = commit.files.get(path)
            if file is None:
                raise InstallError(f"{part.repository} has no {path} any more")
            pin = choice.pins.get(to)
            if pin is not None and file.sha256 not in (pin, None):
                raise InstallError(
                    f"{path} of {part.repository} is no longer the file that is known here"
                )
            wanted.append(_Wanted(commit, file, to))
    if sum(one.file.size for one in wanted) > unpack.LARGEST:
        raise InstallError(f"{choice.name} has become larger than a model can be here")
    return wanted


def _resume(staging: Path, wanted: list[_Wanted]) -> None:
    """Keep what is there of the same commits, throw away what is of others."""
    plan = msgspec.json.encode({one.to: [one.commit.id, one.file.path] for one in wanted})
    path = staging / PLAN
    if not path.exists() or path.read_bytes() != plan:
        shutil.rmtree(staging)
        staging.mkdir()
        path.write_bytes(plan)
    for name in (manifests.MANIFEST,):  # killed between writing it and moving into place
        (staging / name).unlink(missing_ok=True)


def _download(
    hub: Hub,
    choice: Choice,
    wanted: list[_Wanted],
    staging: Path,
    progress: Callable[[Progress], None],
) -> list[str]:
    """Fetch every file; returns where they came from."""
    total = sum(one.file.size for one in wanted)
    missing = [one for one in wanted if not (staging / one.to).exists()]
    there = sum(_size(staging / f"{one.to}.part") for one in missing)
    needed = sum(one.file.size for one in missing) - there
    free = shutil.disk_usage(staging).free
    if needed + RESERVE > free:
        raise InstallError(
            f"{choice.name} needs {_mb(needed + RESERVE)} MB on the disk of {staging.parent}, and {_mb(free)} MB are free"
        )
    done = total - sum(one.file.size for one in missing)
    for one in missing:
        target = staging / one.to
        target.parent.mkdir(exist_ok=True)

        def tell(have: int, before: int = done, name: str = one.to) -> None:
            progress(Progress(file=name, done=before + have, total=total))

        sha256 = hub.fetch(one.commit, one.file, target, tell)
        pin = choice.pins.get(one.to)
        if pin is not None and sha256 != pin:
            target.unlink()
            raise InstallError(
                f"{one.file.path} of {one.commit.repository} is not the file that is known here"
            )
        done += one.file.size
    return sorted({f"{hub.endpoint}/{one.commit.repository}@{one.commit.id}" for one in wanted})


def _description(choice: Choice, staging: Path, sources: list[str]) -> Manifest:
    dimension = choice.dimension
    if choice.kind == "clip":
        dimension = manifests.decode(staging / manifests.CONFIG, manifests.CONFIGS).embed_dim
    return Manifest(
        name=choice.name,
        kind=choice.kind,
        dimension=dimension,
        files={},
        licence=choice.licence,
        source=" ".join(sources),
        description=choice.description,
    )


# --- bringing -----------------------------------------------------------------------------------------------------------


def _named(staging: Path, source: Path, name: str | None) -> str:
    manifest = manifests.read(staging)
    if name is None:
        stem = source.resolve().name
        for ending in (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".tar"):
            stem = stem.removesuffix(ending)
        name = manifest.name if manifest is not None else stem
    if manifests.NAME.fullmatch(name) is None:
        raise InstallError(
            f"{name!r} is no name for a model; give one with --name (letters, digits, '.', '_', '-')"
        )
    return name


def _describe(staging: Path, source: Path, name: str, choice: Choice | None) -> None:
    """Check *staging* against its manifest, or give it one."""
    manifest = manifests.read(staging)
    if manifest is not None:
        unnamed = sorted(
            path.relative_to(staging).as_posix()
            for path in staging.rglob("*")
            if path.is_file() and (path.parent != staging or path.suffix == ".onnx")
        )
        for path in unnamed:
            if path not in manifest.files:
                raise InstallError(f"{source} holds {path}, which its manifest does not name")
        problems = registry.verify(registry.load(staging))
        if problems:
            raise InstallError(f"{source} is damaged: {problems[0]}")
        if manifest.name != name:
            manifests.write(staging, msgspec.structs.replace(manifest, name=name))
        return
    pack = packs.find(staging)
    if pack is not None:
        kind, dimension = ModelKind.FACES, packs.DIMENSIONS[pack.recogniser]
    elif (staging / manifests.CONFIG).exists():
        kind = ModelKind.CLIP
        dimension = manifests.decode(staging / manifests.CONFIG, manifests.CONFIGS).embed_dim
    else:
        raise InstallError(
            f"{source} is no model that is known here: it has no config.json and no manifest.json"
        )
    manifests.write(
        staging,
        Manifest(
            name=name,
            kind=kind,
            dimension=dimension,
            files={},
            licence=choice.licence if choice is not None else "unknown",
            source=f"brought from {source.name}",
            description=choice.description if choice is not None else "brought by hand",
        ),
    )


# --- both ---------------------------------------------------------------------------------------------------------------


def _put(state: State, staging: Path, name: str, try_out: Callable[[Path], None]) -> Model:
    """Try the finished model in *staging* and move it to its place. Raises ModelError."""
    if name in {path.name for path in registry.BUILTIN.values()}:
        raise InstallError(
            f"{name} is the name of the built-in model; give another one with --name"
        )
    registry.load(staging)
    try_out(staging)
    for path in (*staging.rglob("*"), staging):
        if path.is_dir():
            _sync(path)
    target = state.models / name
    old = state.models / f"{REPLACED}{name}"
    if target.exists():
        target.rename(old)
    staging.rename(target)
    _sync(state.models)
    shutil.rmtree(old, ignore_errors=True)
    return registry.load(target)


@contextlib.contextmanager
def _alone(state: State) -> Generator[None]:
    """Be the only one that installs here, in order. Raises InstallError. The kernel lets go when the process ends."""
    try:
        state.models.mkdir(parents=True, exist_ok=True)
        handle = os.open(state.models / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InstallError(f"{state.models} cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InstallError(f"another installation runs in {state.models}") from None
        _tidy(state)
        yield
    finally:
        os.close(handle)


def _tidy(state: State) -> None:
    """Finish what a killed predecessor left, except downloads, which go on when they are asked for."""
    for path in state.models.iterdir():
        if path.name.startswith((REMOVED, UNPACKING)):
            shutil.rmtree(path, ignore_errors=True)
        elif path.name.startswith(REPLACED):
            target = state.models / path.name.removeprefix(REPLACED)
            if target.exists():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.rename(target)


@contextlib.contextmanager
def _writing(staging: Path) -> Generator[None]:
    """*staging* exists; when the disk is full it is given back, and an error says so."""
    try:
        staging.mkdir(exist_ok=True)
        yield
    except OSError as error:
        if full(error):
            shutil.rmtree(staging, ignore_errors=True)
            raise InstallError(
                f"the disk of {staging.parent} is full; what was written has been removed"
            ) from error
        raise InstallError(
            f"{error.filename or staging} cannot be written: {error.strerror}"
        ) from error


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _mb(size: int) -> int:
    return -(-size // 1_000_000)
