"""What a file is, from its bytes alone: hash, size, type. Reads the whole file once; decodes nothing.

Runs in a worker process; holds one buffer of 1 MiB.
"""

from __future__ import annotations

import os

from blake3 import blake3

from havenfs.entities import Identity
from havenfs.errors import Unreadable
from havenfs.extract import magic
from havenfs.extract.original import opened

CHUNK = 1 << 20


def identify(path: bytes) -> Identity:
    """The identity of the file at *path* (absolute). Raises Unreadable and SourceGone.

    A file that is written to while it is read has no hash: that is noticed by size and times before and after, and
    the caller comes back when it rests.
    """
    with opened(path) as file:
        before = os.fstat(file.fileno())
        if before.st_size == 0:
            raise Unreadable("the file is empty")
        hasher = blake3()
        buffer = bytearray(CHUNK)
        view = memoryview(buffer)
        head = b""
        size = 0
        while count := os.readv(file.fileno(), [buffer]):
            if size < magic.HEAD:
                head += view[: min(count, magic.HEAD - size)]
            hasher.update(view[:count])
            size += count
        after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (
            after.st_size,
            after.st_mtime_ns,
        ) or size != after.st_size:
            raise Unreadable("changed while it was read")
        mime = magic.sniff(head, file, os.path.splitext(path)[1].lower())  # noqa: PTH122 -- paths are bytes
    return Identity(hash=hasher.digest(), size=size, mime=mime, kind=magic.kind(mime))
