"""What this kernel and we agree on, in FUSE_INIT. A value and pure functions; what is missing is said, not assumed."""

from __future__ import annotations

import os
import struct
from typing import Final

from msgspec import Struct

from . import wire

MAX_PAGES: Final = (
    256  # 1 MiB a request: fewer would be more round trips, the kernel grants no more by default
)
MAX_WRITE: Final = MAX_PAGES * 4096
READAHEAD: Final = 1 << 20
BACKGROUND: Final = 64  # requests that readahead and releases may have under way
STACKED: Final = 1  # deep: sources on overlayfs cannot be passed through then, but we can be exported by overlayfs

WANTED: Final = (
    wire.ASYNC_READ
    | wire.POSIX_LOCKS
    | wire.FLOCK_LOCKS
    | wire.ATOMIC_O_TRUNC
    | wire.EXPORT_SUPPORT  # NFS: "." and ".." of a handle that it kept
    | wire.BIG_WRITES
    # Originals change behind our back, and what the kernel holds of them must go when their mtime moves. That it also
    # drops pages of what was written through the mount costs nothing where reads pass through.
    | wire.AUTO_INVAL_DATA
    | wire.DO_READDIRPLUS  # always: `find` and Samba stat everything (11.2 s against 1.25 s for 200,000 files)
    | wire.ASYNC_DIO
    | wire.PARALLEL_DIROPS
    # Not CACHE_SYMLINKS: where a symlink is removed on the disk itself and another gets its number, the kernel would go on
    # to follow the old one.
    | wire.MAX_PAGES
    # Access lists are the disk's, and the kernel checks them; the umask is then ours to apply, because where a directory
    # has a default list there is none.
    | wire.POSIX_ACL
    | wire.DONT_MASK
    | wire.SETXATTR_EXT
    # Otherwise each write asks for security.capability first.
    | wire.HANDLE_KILLPRIV_V2
    | wire.INIT_EXT
    | wire.HAS_EXPIRE_ONLY
    | wire.DIRECT_IO_ALLOW_MMAP
    | wire.PASSTHROUGH
    | wire.HAS_RESEND
)
_NOTE = struct.Struct("<IQ")


class Capabilities(Struct, frozen=True):
    """What was agreed on."""

    minor: int
    flags: int
    """Those of the INIT answer, both words."""

    @property
    def passthrough(self) -> bool:
        """Whether the kernel may read and write originals without asking us."""
        return bool(self.flags & wire.PASSTHROUGH)

    @property
    def expire_only(self) -> bool:
        """Whether a name can be told to be asked for again, without being torn from who stands in it."""
        return bool(self.flags & wire.HAS_EXPIRE_ONLY)

    @property
    def epoch(self) -> bool:
        """Whether every name can be told to be asked for again at once."""
        return self.minor >= wire.EPOCH_MINOR

    @property
    def acl(self) -> bool:
        """Whether the kernel checks access lists, and leaves the umask to us."""
        return bool(self.flags & wire.POSIX_ACL)

    @property
    def extended_setxattr(self) -> bool:
        """Whether SETXATTR has the longer form."""
        return bool(self.flags & wire.SETXATTR_EXT)

    def missing(self) -> str:
        """Why reads are copied, in words for the owner; empty when they are not."""
        if self.passthrough:
            return ""
        return (
            f"Linux {os.uname().release} does not offer FUSE passthrough (6.9 and later do, "
            "if built with CONFIG_FUSE_PASSTHROUGH): every read is copied"
        )

    def pack(self) -> bytes:
        """As a note for the next server, which sees no INIT."""
        return _NOTE.pack(self.minor, self.flags)

    @classmethod
    def unpack(cls, note: bytes) -> Capabilities:
        """Of a predecessor's note."""
        return cls(*_NOTE.unpack(note))


def agree(minor: int, offered: int) -> Capabilities:
    """What we take of what the kernel offers."""
    flags = offered & WANTED
    if not flags & wire.INIT_EXT:
        flags &= (1 << 32) - 1
    if not flags & wire.POSIX_ACL:
        flags &= ~wire.DONT_MASK
    return Capabilities(min(minor, wire.NEWEST), flags)


def answer(agreed: Capabilities, readahead: int) -> bytes:
    """The body of the INIT answer."""
    return wire.INIT_OUT.pack(
        wire.MAJOR,
        agreed.minor,
        min(readahead, READAHEAD) if readahead else READAHEAD,
        agreed.flags & 0xFFFFFFFF,
        BACKGROUND,
        BACKGROUND * 3 // 4,
        MAX_WRITE,
        1,  # nanoseconds
        MAX_PAGES,
        0,
        agreed.flags >> 32,
        STACKED if agreed.passthrough else 0,
        0,  # no timeout: the watchman of the server is ours
    )
