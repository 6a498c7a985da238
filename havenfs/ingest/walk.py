"""What is on disk below the root of a source: one directory at a time, in bytes, following nothing.

Never writes, never opens a file. Blocks on the disk: not for the loop of a service.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from havenfs import mounts
from havenfs.catalog.files import LINK, Seen
from havenfs.catalog.integers import signed
from havenfs.entities import FileState
from havenfs.errors import SourceGone
from havenfs.extract import original

if TYPE_CHECKING:
    from collections.abc import Generator

IGNORED = frozenset([b"@eaDir", b"#recycle", b"lost+found"])
"""Folders of NAS systems and of ext4 that hold nothing of the owner's, besides everything with a leading dot."""

PSEUDO = frozenset(["proc", "sysfs", "devtmpfs", "devpts", "cgroup2", "debugfs", "tracefs"])
"""File systems that hold no originals, as does above all our own mount, whose folders lead back here."""

LATEST_NS = (1 << 63) - 1
"""2262, where SQLite's integers end. ext4 and XFS know times up to 2446 and 2486, and damaged cameras write them."""
PATH_MAX = 4096  # bytes: what the kernel takes in one call, less the root


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One directory as it is."""

    entries: tuple[Seen, ...]
    """Everything but directories, sorted by path."""
    directories: tuple[bytes, ...]
    """Relative to the source's root, sorted."""


def ignored(name: bytes) -> bool:
    """Whether an entry of this name is never indexed."""
    return name.startswith(b".") or name in IGNORED


def passed_over(path: bytes) -> bool:
    """Whether this path, or something above it, is never indexed."""
    return any(ignored(name) for name in path.split(b"/"))


def joined(root: bytes, relative: bytes) -> bytes:
    """Absolute path of *relative*; b"" is the root."""
    return root + b"/" + relative if relative else root


def listing(root: bytes, directory: bytes) -> Listing:
    """The entries of *directory* (relative to *root*). Raises OSError when it cannot be listed.

    Symlinks, pipes and the like come back SKIPPED with the reason, empty files FAILED; a mount of a pseudo file
    system or of HavenFS is passed over.
    """
    entries: list[Seen] = []
    directories: list[bytes] = []
    prefix = directory + b"/" if directory else b""
    # O_NOFOLLOW: a directory that is swapped for a link between two looks must not lead out of the source.
    handle = os.open(
        joined(root, directory),
        os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (os.O_NOFOLLOW if directory else 0),
    )
    try:
        device = os.fstat(handle).st_dev
        with os.scandir(handle) as found:
            for entry in found:
                name = os.fsencode(entry.name)
                if ignored(name):
                    continue
                try:
                    info = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # gone between the listing and the look
                path = prefix + name
                if not stat.S_ISDIR(info.st_mode):
                    entries.append(_seen(path, info))
                elif info.st_dev == device or not foreign(info.st_dev):
                    if len(root) + len(path) < PATH_MAX - 256:
                        directories.append(path)
                    else:
                        entries.append(_unlisted(path, "the path is too long"))
    finally:
        os.close(handle)
    entries.sort(key=lambda seen: seen.path)
    return Listing(entries=tuple(entries), directories=tuple(sorted(directories)))


def look(root: bytes, path: bytes) -> Seen | None:
    """The entry at *path* as it is now; None when there is none or it is a directory."""
    try:
        info = os.lstat(joined(root, path))
    except OSError:
        return None
    return None if stat.S_ISDIR(info.st_mode) else _seen(path, info)


def see(root: bytes, path: bytes) -> Seen | None:
    """Like `look`, but None only when there really is none (or a directory). Raises SourceGone when the disk does not
    say."""
    try:
        info = os.lstat(joined(root, path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SourceGone(os.strerror(error.errno or 0)) from error
    return None if stat.S_ISDIR(info.st_mode) else _seen(path, info)


@contextmanager
def opened(root: bytes, path: bytes) -> Generator[tuple[int, Seen]]:
    """A descriptor for reading the file at *path*, and what it is. No component below the root may be a symlink,
    whatever is swapped meanwhile. Raises SourceGone when there is no such file, or no disk."""
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    *folders, name = path.split(b"/")
    handles: list[int] = []
    try:
        here = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        handles.append(here)
        for folder in folders:
            here = os.open(folder, os.O_PATH | os.O_DIRECTORY | flags, dir_fd=here)
            handles.append(here)
        file = original.descriptor(name, dir_fd=here)
        handles.append(file)
        yield file, _seen(path, os.fstat(file))
    except OSError as error:
        raise SourceGone(os.strerror(error.errno or 0)) from error
    finally:
        for handle in handles:
            os.close(handle)


def unlisted(path: bytes, error: OSError) -> Seen:
    """What to remember of a directory that cannot be listed."""
    return _unlisted(path, f"the folder cannot be read ({os.strerror(error.errno or 0)})")


def _unlisted(path: bytes, reason: str) -> Seen:
    return Seen(
        path=path, size=0, mtime_ns=0, device=0, inode=0, state=FileState.FAILED, reason=reason
    )


def _seen(path: bytes, info: os.stat_result) -> Seen:
    state, reason = FileState.NEW, None
    if stat.S_ISLNK(info.st_mode):
        state, reason = FileState.SKIPPED, LINK
    elif not stat.S_ISREG(info.st_mode):
        state, reason = FileState.SKIPPED, "not a regular file"
    elif info.st_size == 0:
        state, reason = FileState.FAILED, "the file is empty"
    return Seen(
        path=path,
        size=info.st_size,
        mtime_ns=min(info.st_mtime_ns, LATEST_NS),
        device=signed(info.st_dev),
        inode=signed(info.st_ino),
        state=state,
        reason=reason,
    )


def foreign(device: int) -> bool:
    """Whether what is mounted there holds no originals: a pseudo file system, a HavenFS."""
    mount = mounts.kind_of(device)
    return mount is not None and (mount.kind in PSEUDO or mount.ours)
