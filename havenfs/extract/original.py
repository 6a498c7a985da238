"""Opening one original for reading, and telling a bad file from a disk that went away.

Originals are hostile data at paths that change under us: nothing here follows a symlink in the last component, waits
on a FIFO or opens a device. No thread of its own; the file object belongs to the caller's thread.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from havenfs.errors import SourceGone, Unreadable

if TYPE_CHECKING:
    from collections.abc import Generator

GONE = frozenset(
    {
        errno.EIO,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.ENODEV,
        errno.ENOTCONN,
        errno.ECONNABORTED,
        errno.ESTALE,
        errno.ETIMEDOUT,
        errno.EHOSTDOWN,
    }
)
"""What the kernel says when the disk, the share or the file is not there any more: try again later, blame nobody."""


def explain(error: OSError) -> SourceGone | Unreadable:
    """The error of ours for a failed system call on an original."""
    if error.errno in GONE:
        return SourceGone(os.strerror(error.errno or errno.EIO))
    if error.errno in (errno.EACCES, errno.EPERM):
        return Unreadable("no permission to read it")
    if error.errno == errno.ELOOP:
        return Unreadable("it is a symbolic link")
    if error.errno == errno.ENXIO:  # a socket, or a FIFO without a writer
        return Unreadable("it is not a regular file")
    if error.errno in (
        errno.EINVAL,
        errno.EOVERFLOW,
    ):  # a place before the start, or none at all: the file named it
        return Unreadable("it is damaged: it points outside of itself")
    return Unreadable(os.strerror(error.errno) if error.errno else str(error))


def descriptor(path: bytes, *, dir_fd: int | None = None) -> int:
    """A descriptor for reading, of whatever is at *path*; nothing waits for it, and its access time stays. The caller
    closes it. Raises OSError."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(path, flags | os.O_NOATIME, dir_fd=dir_fd)
    except PermissionError:  # only its owner may read it without that being noted
        return os.open(path, flags, dir_fd=dir_fd)


@contextmanager
def opened(path: bytes) -> Generator[BinaryIO]:
    """The regular file at *path*, open for reading.

    Raises SourceGone and Unreadable, also for system errors in the body. An OSError without a number (which is how
    decoders complain about data) passes through.
    """
    try:
        original = descriptor(path)
    except OSError as error:
        raise explain(error) from error
    if not stat.S_ISREG(os.fstat(original).st_mode):
        os.close(original)
        raise Unreadable("it is not a regular file")
    with open(original, "rb") as file:  # noqa: PTH123 -- a descriptor, not a path
        try:
            yield file
        except OSError as error:
            if error.errno is None:
                raise
            raise explain(error) from error
