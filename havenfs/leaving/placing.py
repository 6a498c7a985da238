"""One original into another folder: as a hard link, a reflink or a copy, whole or not at all, never over anything.

A copy is read back and its hash compared. Blocks on the disk; any thread.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING

from blake3 import blake3

from havenfs.errors import Exists, Unreadable
from havenfs.extract.original import explain, opened

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from havenfs.entities import Asset

FICLONE = 0x40049409  # linux/fs.h
PART = ".havenfs-part"
"""End of the name of a file that is still being written."""
_CHUNK = 4 << 20
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES)


class How(StrEnum):
    """What an export may do, and what it did."""

    BEST = "best"
    """A hard link where one is possible, else a copy."""
    LINK = "link"
    COPY = "copy"
    THERE = "there"
    """It was there already."""


def place(original: bytes, target: Path, asset: Asset, how: How) -> How:
    """Put the bytes of *asset*, which lie at *original*, at *target*; returns LINK, COPY or THERE.

    Raises Exists (something else stands there), SourceGone, and Unreadable: its bytes are others than were indexed, or
    it cannot be linked and that was asked for.
    """
    if _there(original, target, asset):
        return How.THERE
    if how is not How.COPY:
        try:
            return _link(original, target)
        except OSError as error:
            if error.errno == errno.EEXIST:
                raise Exists(f"something else is called {target.name} there") from error
            if error.errno not in _NO_LINK:
                raise explain(error) from error
            if how is How.LINK:
                raise Unreadable(f"it cannot be linked: {os.strerror(error.errno)}") from error
    _copy(original, target, asset)
    return How.COPY


def _there(original: bytes, target: Path, asset: Asset) -> bool:
    """Whether *target* is this very file, or its bytes. Raises Exists when it is something else."""
    try:
        status = target.lstat()
    except FileNotFoundError:
        return False
    if stat.S_ISREG(status.st_mode):
        with suppress(OSError):
            now = os.lstat(original)
            if (now.st_dev, now.st_ino) == (status.st_dev, status.st_ino):
                return True
        if status.st_size == asset.size:
            with target.open("rb") as file:
                if _hash(file) == asset.hash:
                    return True
    raise Exists(f"something else is called {target.name} there")


def _link(original: bytes, target: Path) -> How:
    os.link(original, target, follow_symlinks=False)
    if not stat.S_ISREG(target.lstat().st_mode):  # replaced by a symlink since it was indexed
        target.unlink()
        raise Unreadable("it is not a regular file")
    return How.LINK


def _copy(original: bytes, target: Path, asset: Asset) -> None:
    part = target.with_name(target.name[:60] + PART)
    part.unlink(missing_ok=True)  # of an export that was broken off
    try:
        with opened(original) as source, part.open("xb") as copy:
            status = os.fstat(source.fileno())
            try:
                fcntl.ioctl(copy.fileno(), FICLONE, source.fileno())
            except OSError:  # another disk, or one that does not share blocks
                shutil.copyfileobj(source, copy, _CHUNK)
            copy.flush()
            os.fsync(copy.fileno())
        with part.open("rb") as copy:
            os.posix_fadvise(
                copy.fileno(), 0, 0, os.POSIX_FADV_DONTNEED
            )  # from the disk, not from memory
            if _hash(copy) != asset.hash:
                raise Unreadable(
                    "its bytes are not those that were indexed: changed since, or damaged"
                )
        part.chmod(stat.S_IMODE(status.st_mode) & 0o666 | 0o600)
        os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))
        settle(part, target)
    finally:
        part.unlink(missing_ok=True)


def settle(part: Path, target: Path) -> None:
    """Give a finished file its name. Raises Exists."""
    try:
        os.link(part, target)
    except FileExistsError as error:
        raise Exists(f"something else is called {target.name} there") from error
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        if target.exists():
            raise Exists(f"something else is called {target.name} there") from error
        part.rename(target)  # exFAT knows no links


def _hash(file: BinaryIO) -> bytes:
    hasher = blake3()
    while chunk := file.read(_CHUNK):
        hasher.update(chunk)
    return hasher.digest()
