"""Whether the disk of a source is there, and is the one that was known. A mount point whose disk is away is a directory like
any other: what is written to it is lost under the disk that comes back, and all that was known would count as deleted.

A disk is known again by its root (device and inode), by the identity of its file system, else by the files on it: devices
are numbered anew by a remount, and file systems in user space have no identity. Any thread; may wait for the disk.
"""

# Paths of originals are bytes: pathlib does not know them.
# ruff: noqa: PTH116
from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from havenfs.catalog import files, sources
from havenfs.entities import Mark

if TYPE_CHECKING:
    from havenfs.catalog import Catalog
    from havenfs.entities import Source

SOME: Final = 64
"""Known files that are looked for on a disk that nothing else tells us of: one of them is enough."""


def look(root: bytes) -> tuple[int, int] | None:
    """Device and inode of the root; None when it is not there."""
    try:
        found = os.stat(root)  # the root itself may be a link
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


def empty(root: bytes) -> bool:
    """Whether the root has no entry at all, not even ignored ones: a mount point without its disk."""
    try:
        with os.scandir(root) as found:
            return next(found, None) is None
    except OSError:
        return True


def recognise(catalog: Catalog, source: Source) -> Mark | None:
    """By what the disk of *source* is known from now on; None: it is away. Only what was known can be missed: an empty
    folder is a source as well."""
    found = _mark(source.root)
    if found is None:
        return None
    bare = empty(source.root)
    if not bare and _is_same(catalog.read(sources.mark, source.id), found):
        return found  # at each event in a folder: no known file is asked for
    known = catalog.read(files.some, source.id, SOME)
    there = not bare and any(_has(source, path, size) for path, size in known)
    return found if there or not known else None


def _mark(root: bytes) -> Mark | None:
    there = look(root)
    try:
        return None if there is None else Mark(*there, os.statvfs(root).f_fsid)
    except OSError:
        return None


def _is_same(before: Mark | None, found: Mark) -> bool:
    if before is None:
        return False
    return found[:2] == before[:2] or (bool(found.filesystem) and found[1:] == before[1:])


def _has(source: Source, path: bytes, size: int) -> bool:
    try:
        return os.lstat(source.root + b"/" + path).st_size == size
    except OSError:
        return False
