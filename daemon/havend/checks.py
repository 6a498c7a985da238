"""What must be true before a program starts. Each check answers with one line that says what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from havenfs import mounts
from havenfs.catalog import Catalog, sources as catalog_sources
from havenfs.config import SourceConfig, State
from havenfs.errors import ConfigError

from . import mountpoint as mountpoints, transport

if TYPE_CHECKING:
    from collections.abc import Sequence


def state(given: Path | None) -> State:
    """The state directory, made if missing. Raises ConfigError."""
    chosen = State(root=given.expanduser().resolve()) if given else State.default()
    try:
        chosen.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"the state directory {chosen.root} cannot be made: {error.strerror}. Choose another --state."
        ) from error
    if not os.access(chosen.root, os.W_OK | os.X_OK):
        raise ConfigError(
            f"the state directory {chosen.root} is not writable. Choose another --state."
        )
    return chosen


def sources(
    given: Sequence[Path], state: State, *, writable: Sequence[Path] = ()
) -> tuple[SourceConfig, ...]:
    """The sources with unique names for their folders below `files/`, the writable ones last. Raises ConfigError."""
    if not given and not writable:
        raise ConfigError(
            "no folder is named. Name the folder of your files with --source DIR, or in the settings: "
            "havenfs config show says how."
        )
    roots: list[Path] = []
    for path in (*given, *writable):
        root = path.expanduser().resolve()
        if not _reached(root):
            raise ConfigError(
                f"the source {path} does not exist. Check the path, or plug its disk in."
            )
        held = mounts.holding(bytes(root))
        if held is not None and held.ours:
            raise ConfigError(
                f"the source {path} lies in the tree that a HavenFS shows at {os.fsdecode(held.point)}. "
                f"Name the folder on the disk instead."
            )
        if not root.is_dir():
            raise ConfigError(
                f"the source {path} is not a folder. Name the folder that holds your files."
            )
        if not os.access(root, os.R_OK | os.X_OK):
            raise ConfigError(
                f"the source {path} may not be read by this user. Change its permissions, or the user."
            )
        for other in roots:
            if root == other:
                raise ConfigError(f"the source {path} was given twice. Name it once.")
            if _overlap(root, other):
                raise ConfigError(
                    f"the sources {root} and {other} overlap. Name only the outer one."
                )
        if state.root.is_relative_to(root) and not _hidden(state.root.relative_to(root)):
            raise ConfigError(
                f"the state directory {state.root} lies inside the source {root}. Choose another --state."
            )
        roots.append(root)
    return tuple(
        SourceConfig(name=name, root=root, writable=i >= len(given))
        for i, (name, root) in enumerate(zip(_names(roots), roots, strict=True))
    )


def mountpoint(given: Path, sources: Sequence[SourceConfig], state: State) -> Path:
    """The folder to mount at; made if only its last part is missing. Raises ConfigError."""
    if not Path("/dev/fuse").exists():
        raise ConfigError(
            "/dev/fuse is missing. Load it with 'modprobe fuse'; in a container, start it with --device /dev/fuse."
        )
    if not os.access("/dev/fuse", os.R_OK | os.W_OK) and not _fusermount():
        raise ConfigError(
            "/dev/fuse may not be opened by this user. Install fuse3 ('apt install fuse3'), or run as root."
        )
    transport.bury_killed(state)
    path = absolute(given)
    real = _real(path)
    for source in sources:
        if _overlap(path, source.root) or _same_ground(real, source.root):
            raise ConfigError(
                f"the mount point {path} and the source {source.root} overlap. Mount somewhere else."
            )
    held = mounts.holding(bytes(real.parent))
    if held is not None and held.ours:
        raise ConfigError(
            f"the mount point {path} lies in the tree that a HavenFS shows at {os.fsdecode(held.point)}. "
            f"Mount somewhere else."
        )
    if _overlap(path, state.root):
        raise ConfigError(
            f"the mount point {path} and the state directory {state.root} overlap. Mount somewhere else."
        )
    if mountpoints.mounted(path):
        if mountpoints.dead(path):
            return path  # what a killed predecessor left: the mount detaches it first
        raise ConfigError(
            f"something is mounted at {path} already. Unmount it with 'umount {path}', or mount somewhere else."
        )
    if not path.exists():
        if not path.parent.is_dir():
            raise ConfigError(
                f"the mount point {path} does not exist. Make it with 'mkdir -p {path}'."
            )
        path.mkdir()
    if not path.is_dir():
        raise ConfigError(f"the mount point {path} is not a folder. Name an empty folder.")
    if any(path.iterdir()):
        raise ConfigError(f"the mount point {path} is not empty. Name an empty folder.")
    return path


def absolute(path: Path) -> Path:
    """The path from the root, found without touching it: resolve() would hang in a mount that nobody serves."""
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100


def configured(state: State) -> list[SourceConfig]:
    """The sources that the library was last indexed from, for a program that is not told of them."""
    if not state.catalog.exists():
        return []
    with Catalog(state.catalog) as catalog:
        return [
            SourceConfig(name=source.name, root=Path(os.fsdecode(source.root)))
            for source in catalog.read(catalog_sources.configured)
        ]


def _fusermount() -> bool:
    import shutil  # seldom asked: 2 ms of every start

    return shutil.which("fusermount3") is not None


def _reached(root: Path) -> bool:
    """Whether it exists; said so also of what a dead server has left. Raises ConfigError."""
    try:
        return root.exists()
    except OSError as error:
        raise ConfigError(
            f"the source {root} cannot be reached: {error.strerror}. Check its disk."
        ) from error


def _real(path: Path) -> Path:
    """Without links, and without touching what is at *path* itself: it may be a dead mount."""
    real = path.parent.resolve() / path.name
    try:
        os.readlink(real)  # noqa: PTH115 -- Path.is_symlink trips over a dead mount
    except OSError:
        return real
    return real.resolve()


def _same_ground(point: Path, root: Path) -> bool:
    """Whether one lies in the other on the disk, though their paths do not say so: links and bind mounts."""
    device, there = mounts.located(bytes(point))
    other, here = mounts.located(bytes(root))
    return device == other and (mounts.below(here, there) or mounts.below(there, here))


def _overlap(a: Path, b: Path) -> bool:
    return a.is_relative_to(b) or b.is_relative_to(a)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _names(roots: Sequence[Path]) -> list[str]:
    """A folder name for each root: its own last part, with a number where two are alike."""
    names: list[str] = []
    for root in roots:
        base = root.name or "root"
        name, number = base, 2
        while name.casefold() in (n.casefold() for n in names):
            name, number = f"{base} ({number})", number + 1
        names.append(name)
    return names


def listed(path: Path) -> bool:
    """Whether *path* exists, found without touching it: it may be a dead mount."""
    path = absolute(path)
    return path.parent.is_dir() and path.name in os.listdir(path.parent)  # noqa: PTH208
