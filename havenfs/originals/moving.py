"""Moving an original for good: on return it is on the disk under its new name, and at no moment was it under none.

Within a source by a rename; between sources, which may be two disks, by a copy that is brought to the disk before the old name goes.
"""

# Paths of originals are bytes and go with dir_fd: pathlib knows neither.
from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from havenfs.errors import Exists, NotPermitted

from . import disk
from .walks import split, walks

if TYPE_CHECKING:
    from havenfs.entities import Source

    from .disk import Rights

NOREPLACE = 1  # of renameat2(2)
PIECE = 8 << 20


def move(
    source: Source,
    path: bytes,
    to: Source,
    new_path: bytes,
    rights: Rights,
    *,
    most: int | None = None,
) -> None:
    """Move a regular file with the *rights* of whoever asks. Raises Exists when the name is taken, NotPermitted for a copy of
    more than *most* bytes, and what the disk says; then the file is where it was."""
    try:
        if source.id == to.id:
            disk.rename(source, path, to, new_path, NOREPLACE, rights)
        else:
            _copy(source, path, to, new_path, rights, most)
    except FileExistsError:
        raise Exists(os.fsdecode(new_path)) from None
    disk.fsync_directory(to, split(new_path)[0])
    disk.fsync_directory(source, split(path)[0])


def _copy(
    source: Source, path: bytes, to: Source, new_path: bytes, rights: Rights, most: int | None
) -> None:
    disk.writable(source)
    reading, status = disk.open_file(source, path)
    above, name = split(new_path)
    young = (above + b"/" if above else b"") + b"." + name[:200] + b".haven-new"
    try:
        if most is not None and status.st_size > most:
            raise NotPermitted(
                f"{os.fsdecode(path)} is too large to be copied to another disk while you wait: havenfs sort --accept"
            )
        writing = disk.create(
            to, young, os.O_WRONLY | os.O_EXCL | os.O_NOFOLLOW, stat.S_IMODE(status.st_mode), rights
        )
        try:
            _write(reading, writing)
            os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
            os.fsync(writing)
        except BaseException:
            with suppress(OSError):
                disk.unlink(to, young, rights)
            raise
        finally:
            os.close(writing)
    finally:
        os.close(reading)
    try:
        disk.rename(to, young, to, new_path, NOREPLACE, rights)
    except BaseException:
        disk.unlink(to, young, rights)
        raise
    disk.fsync_directory(to, above)
    try:
        disk.unlink(source, path, rights)
    except BaseException:  # two names of the bytes would be two files
        disk.unlink(to, new_path, rights)
        raise
    walks.moved(to, new_path)


def _write(reading: int, writing: int) -> None:
    while piece := os.read(reading, PIECE):
        left = memoryview(piece)
        while left:
            left = left[os.write(writing, left) :]
    for name in os.listxattr(reading):
        if name.startswith("user."):
            with suppress(OSError):  # a disk that knows no attributes keeps the bytes all the same
                os.setxattr(writing, name, os.getxattr(reading, name))
