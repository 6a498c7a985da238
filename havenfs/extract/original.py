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
    return Unreadable(os.strerror(error.errno) if error.errno else str(error))


@contextmanager
def opened(path: bytes) -> Generator[BinaryIO]:
    """The regular file at *path*, open for reading.

    Raises SourceGone and Unreadable, also for system errors in the body. An OSError without a number (which is how
    decoders complain about data) passes through.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise explain(error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable("it is not a regular file")
    with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor, not a path
        try:
            yield file
        except OSError as error:
            if error.errno is None:
                raise
            raise explain(error) from error
