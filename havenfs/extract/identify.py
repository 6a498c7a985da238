"""What a file is, from its bytes alone: hash, size, type. Reads the whole file once; decodes nothing.

Runs in a worker process; holds one buffer of 1 MiB.
"""

from __future__ import annotations

import os

from blake3 import blake3

from havenfs.entities import Identity
from havenfs.errors import Unreadable
from havenfs.extract import magic, promised
from havenfs.extract.original import opened

CHUNK = 1 << 20


def identify(path: bytes) -> Identity:
    """The identity of the file at *path* (absolute). Raises SourceGone, and Unreadable also for a file that is nothing of
    what it is called.

    A file that is written to while it is read has no hash: that is noticed by size and times before and after, and
    the caller comes back when it rests.
    """
    with opened(path) as file:
        digest, size, head = digested(file.fileno())
        mime = magic.sniff(head, file, extension(path))
    if (reason := promised.broken(path, mime)) is not None:
        raise Unreadable(reason)
    return Identity(hash=digest, size=size, mime=mime, kind=magic.kind(mime))


def digested(descriptor: int) -> tuple[bytes, int, bytes]:
    """Hash, size and head of an open file that nothing was read of yet. Raises Unreadable, OSError.

    Safe for hostile files in any process: nothing is parsed. 4.6 GB/s of cached pages on one core with AVX-512.
    """
    before = os.fstat(descriptor)
    if before.st_size == 0:
        raise Unreadable("the file is empty")
    hasher = blake3()
    buffer = bytearray(min(CHUNK, before.st_size + 1))
    view = memoryview(buffer)
    head = b""
    size = 0
    while count := os.readv(descriptor, [buffer]):
        if size < magic.HEAD:
            head += view[: min(count, magic.HEAD - size)]
        hasher.update(view[:count])
        size += count
    after = os.fstat(descriptor)
    if (before.st_size, before.st_mtime_ns) != (
        after.st_size,
        after.st_mtime_ns,
    ) or size != after.st_size:
        raise Unreadable("changed while it was read")
    return hasher.digest(), size, head


def extension(path: bytes) -> bytes:
    """Lower case, with its dot; what `magic.sniff` refines a family by."""
    return os.path.splitext(path)[1].lower()  # noqa: PTH122 -- paths are bytes
