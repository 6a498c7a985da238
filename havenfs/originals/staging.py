"""Where new bytes wait, and how they get a name among the originals: a hidden folder on the disk of the source that takes
uploads, so that getting a name is one link, whole or not at all.

    <source>/.havenfs-uploads/<random>.<YYYY>-<MM>    while it is written
    <source>/Uploads/<YYYY>/<MM>/<name>               from then on

Scans pass over the hidden folder. In it everybody may open what is theirs, and nobody lists: names are random. What a kill
left there is removed by `clean` at the next start; while a mount is there it holds a lock on the folder, so that another one
over the same source leaves its files alone.

Like `originals.disk`: may wait for the disk, raises what the disk says. Any thread.
"""

# Paths of originals are bytes and go with dir_fd: pathlib knows neither.
from __future__ import annotations

import errno
import fcntl
import itertools
import os
import stat
from contextlib import nullcontext, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from havenfs.catalog import names
from havenfs.errors import NotFound, SourceGone

from . import disk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from havenfs.entities import Source

    from .disk import Rights

FOLDER = b".havenfs-uploads"
UPLOADS = b"Uploads"
_NO_LINKS = frozenset(
    {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EINVAL, errno.ENOSYS, errno.EXDEV}
)
"""What FAT, exFAT and some networks say of a second name. EPERM too where one may not, which the claim then finds out."""


@runtime_checkable
class Owner(Protocol):
    """Rights that know whom new files belong to."""

    @property
    def owner(self) -> tuple[int, int]:
        """User and group."""
        ...


def make(source: Source, mode: int, rights: Rights) -> tuple[bytes, int]:
    """A new empty file that waits in *source*: its path, and a descriptor that reads and writes it.

    It belongs to whoever asks; whether they may put it among the originals is seen when it is to go there.
    """
    with suppress(FileExistsError):
        disk.mkdir(source, FOLDER, 0o711, nullcontext())
    path = FOLDER + b"/" + f"{os.urandom(8).hex()}.{datetime.now().astimezone():%Y-%m}".encode()
    return path, _made(source, path, mode, rights)


def _made(source: Source, path: bytes, mode: int, rights: Rights) -> int:
    descriptor = disk.create(source, path, os.O_RDWR | os.O_EXCL, mode, nullcontext())
    if isinstance(rights, Owner) and os.geteuid() == 0:
        found = os.fstat(descriptor)
        if (found.st_uid, found.st_gid) != rights.owner:
            with suppress(PermissionError):  # FAT and exFAT know no owners: there it is everybody's
                os.fchown(descriptor, *rights.owner)
        with suppress(PermissionError):
            os.fchmod(descriptor, mode)  # chown takes set-group-ID away
    return descriptor


def check_room(source: Source, rights: Rights) -> None:
    """Raises OSError ENOSPC or EDQUOT where not even a block more could be written in that name.

    The kernel writes to the disk without us where it may (passthrough), so that nobody tells us of a write which failed: a
    file that ends where the disk is full, to the last block, may be half of one.
    """
    path = FOLDER + b"/" + f"{os.urandom(8).hex()}.room".encode()
    descriptor = _made(source, path, 0o600, rights)
    try:
        with rights:  # who may not use what the disk reserves for root is not asked about that
            os.posix_fallocate(descriptor, 0, 4096)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
    finally:
        os.close(descriptor)
        drop(source, path)


def waits(path: bytes) -> bool:
    """Whether a path in a source is that of a file which waits."""
    return path.startswith(FOLDER + b"/")


def place(source: Source, path: bytes, descriptor: int, name: bytes, rights: Rights) -> bytes:
    """Give the waiting file at *path*, open as *descriptor*, its name among the originals; returns its path there.

    In the name of whoever brought it. The name is another one if it is taken. Names are on the disk on return, the bytes only
    if the caller has seen to it. The file waits as well until `drop`.
    """
    year, month = path.rpartition(b".")[2].split(b"-")
    folder = b"/".join((UPLOADS, year, month))
    _folders(source, folder, rights)
    for candidate in _candidates(name):
        target = folder + b"/" + candidate
        if place_at(source, path, descriptor, target, rights):
            return target
    raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))


def place_at(source: Source, path: bytes, descriptor: int, target: bytes, rights: Rights) -> bool:
    """The same under exactly this path, in a folder that is there. Whether it has that name now: another file may."""
    try:
        disk.link_open(descriptor, source, target, rights)
    except FileExistsError:
        if not _is(source, target, descriptor):
            return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if not _claimed(source, path, target, rights):
            return False
    disk.fsync_directory(source, target.rpartition(b"/")[0])
    return True


def _is(source: Source, path: bytes, descriptor: int) -> bool:
    """Whether *path* is a name of the open file already: whoever gave it that was killed before the library knew."""
    with suppress(NotFound):
        return os.path.samestat(disk.status(source, path), os.fstat(descriptor))
    return False


def unplace(source: Source, path: bytes) -> None:
    """Take back what `place` did."""
    with suppress(NotFound, OSError):
        disk.unlink(source, path, nullcontext())


def drop(source: Source, path: bytes) -> None:
    """It does not wait any more: it has its name, or nobody wants it."""
    with suppress(NotFound, SourceGone, OSError):
        disk.unlink(source, path, nullcontext())


def _folders(source: Source, folder: bytes, rights: Rights) -> None:
    parts = folder.split(b"/")
    for depth in range(1, len(parts) + 1):
        try:
            disk.mkdir(source, b"/".join(parts[:depth]), 0o755, rights)
        except FileExistsError:
            continue
        disk.fsync_directory(source, b"/".join(parts[: depth - 1]))


def _claimed(source: Source, path: bytes, target: bytes, rights: Rights) -> bool:
    """Where the disk knows no second names: take the name by an empty file, and rename over that. Whether it is done.

    A kill between the two leaves an empty file; nothing else can be done there without risking somebody else's file.
    """
    try:
        flags = os.O_WRONLY | os.O_EXCL
        os.close(disk.create(source, target, flags, 0o600, rights))
    except FileExistsError:
        return False
    disk.rename(source, path, source, target, 0, nullcontext())
    return True


def _candidates(name: bytes) -> itertools.chain[bytes]:
    """The name, then others that tell people as much."""
    stem, extension = names.split(name.decode(errors="surrogateescape"))

    def other(number: int) -> bytes:
        suffix = f" ({number}){extension}"
        room = names.LIMIT - len(suffix.encode(errors="surrogateescape"))
        return stem.encode(errors="surrogateescape")[:room] + suffix.encode(
            errors="surrogateescape"
        )

    return itertools.chain([name], map(other, range(2, 10_000)))


# --- what kills leave -----------------------------------------------------------------------------------------


def lock(source: Source, *, alone: bool) -> int | None:
    """A descriptor by whose being open others know that files wait here; *alone*: None if somebody else has one."""
    directory = disk.path(source, FOLDER)
    try:
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def clean(
    source: Source,
    used: Collection[tuple[int, int]],
    kept: Callable[[Source, bytes], bool],
    unplaced: Callable[[Source, bytes], object],
) -> int:
    """Remove what waits in *source* and is not *used* (st_dev, st_ino) any more; returns how many files that were.

    One that had got its name when the kill came loses it too, unless *kept* says of that path that the library has it;
    *unplaced* is told.
    """
    alone = lock(source, alone=True)
    if alone is None:
        return 0
    gone = 0
    try:
        for name in disk.names(source, FOLDER):
            path = FOLDER + b"/" + name
            with suppress(NotFound):
                status = disk.status(source, path)
                if (status.st_dev, status.st_ino) in used or not stat.S_ISREG(status.st_mode):
                    continue
                placed = _placed(source, name, status) if status.st_nlink > 1 else None
                if placed is not None and not kept(source, placed):
                    unplace(source, placed)
                    unplaced(source, placed)
                drop(source, path)
                gone += 1
    finally:
        os.close(alone)
    with suppress(NotFound, OSError):
        disk.rmdir(source, FOLDER, nullcontext())
    return gone


def _placed(source: Source, name: bytes, status: os.stat_result) -> bytes | None:
    year, _, month = name.rpartition(b".")[2].partition(b"-")
    folder = b"/".join((UPLOADS, year, month))
    with suppress(NotFound):
        for other in disk.names(source, folder):
            with suppress(NotFound):
                if disk.child(source, folder, other).st_ino == status.st_ino:
                    return folder + b"/" + other
    return None
