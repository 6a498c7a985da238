"""Answers as bytes: how attributes are packed, and the packed answers of directories whose changes are all announced.

A lasting directory that was listed once is kept as the very bytes of its listing (about 180 a name), so that listing it
again, and looking its names up, costs no query. Kept bytes are bounded, and dropped as soon as the invalidation says that
something in them is old. Any thread: a folder is made by one thread and never changed after it was put.
"""

from __future__ import annotations

import functools
import struct
import threading
from array import array
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from havend.inodes import ASSET
from havend.stats import SHORT_S

from . import wire

if TYPE_CHECKING:
    import os

    from havend.stats import Attributes
    from havenfs.views.nodes import Node

LIMIT: Final = 64 << 20  # bytes: some 115,000 names
PER_NAME: Final = (
    390  # bytes that a name costs in the index, beside those in the listing (measured as PSS)
)
TYPICAL: Final = 570  # bytes that a name costs in all
_BILLION: Final = 1_000_000_000
_BLOCK: Final = 4096
_ENTRY: Final = wire.ENTRY.size
_PADDING: Final = [bytes(-length & 7) for length in range(8)]

ABSENT: Final = wire.ENTRY.pack(0, 0, int(SHORT_S), *[0] * 19)
"""No such name, and that for a moment."""
UNKNOWN: Final = bytes(wire.ENTRY.size)
"""In a listing: ask for its attributes if you need them."""


def entry(found: Attributes) -> bytes:
    """An fuse_entry_out."""
    mtime, mtime_ns = divmod(found.mtime_ns, _BILLION)
    atime, atime_ns = divmod(found.atime_ns, _BILLION)
    ctime, ctime_ns = divmod(found.ctime_ns, _BILLION)
    return wire.ENTRY.pack(
        found.nodeid,
        found.generation,
        *_timeouts(found.entry_s, found.attributes_s),
        found.number,
        found.size,
        found.blocks,
        atime,
        mtime,
        ctime,
        atime_ns,
        mtime_ns,
        ctime_ns,
        found.mode,
        found.nlink,
        found.uid,
        found.gid,
        found.rdev & 0xFFFFFFFF,
        _BLOCK,
        0,
    )


@functools.lru_cache(maxsize=64)
def _timeouts(entry_s: float, attributes_s: float) -> tuple[int, int, int, int]:
    """Seconds of both, then the nanoseconds."""
    whole, part = divmod(entry_s, 1.0)
    kept, more = divmod(attributes_s, 1.0)
    return int(whole), int(kept), int(part * _BILLION), int(more * _BILLION)


def attributes(found: Attributes) -> bytes:
    """An fuse_attr_out: the same, less the name's part."""
    packed = entry(found)
    return packed[24:32] + packed[36:40] + b"\0\0\0\0" + packed[40:]


class Pattern:
    """What all assets of one listing have in common: packing one by this costs a third."""

    __slots__ = ("_back", "_front", "_kind")

    # nodeid, common, ino size blocks times (nanoseconds), common, then the fuse_dirent
    _WHOLE = struct.Struct("<Q32sQQQqqqIII28sQQII")

    def __init__(self, found: Attributes) -> None:
        packed = entry(found)
        self._front = packed[8:40]
        self._back = packed[100:]
        self._kind = found.mode >> 12 & 15

    def entry(self, size: int, mtime_ns: int, nodeid: int, cookie: int, name: bytes) -> bytes:
        """An fuse_direntplus."""
        mtime, part = divmod(mtime_ns, _BILLION)
        length, number = len(name), nodeid & ~ASSET
        return (
            self._WHOLE.pack(
                nodeid,
                self._front,
                number,
                size,
                (size + 511) // 512,
                mtime,
                mtime,
                mtime,
                part,
                part,
                part,
                self._back,
                number,
                cookie,
                length,
                self._kind,
            )
            + name
            + _PADDING[length & 7]
        )


_ORIGINAL = struct.Struct(wire.ENTRY.format + wire.DIRENT.format[1:])
_WHOLE_S, _REST = divmod(SHORT_S, 1.0)
_MOMENT = (int(_WHOLE_S), int(_WHOLE_S), int(_REST * _BILLION), int(_REST * _BILLION))


def original(found: os.stat_result, nodeid: int, cookie: int, name: bytes) -> bytes:
    """An fuse_direntplus of what is no directory in `files/`: what `stats.of_original` says, in one step of four."""
    mode, _, _, nlink, uid, gid, size, atime, mtime, ctime = found[:10]
    length = len(name)
    return (
        _ORIGINAL.pack(
            nodeid,
            0,
            *_MOMENT,
            nodeid,
            size,
            found.st_blocks,
            atime,
            mtime,
            ctime,
            found.st_atime_ns - atime * _BILLION,
            found.st_mtime_ns - mtime * _BILLION,
            found.st_ctime_ns - ctime * _BILLION,
            mode,
            nlink,
            uid,
            gid,
            found.st_rdev & 0xFFFFFFFF,
            _BLOCK,
            0,
            nodeid,
            cookie,
            length,
            mode >> 12 & 15,
        )
        + name
        + _PADDING[length & 7]
    )


class Folder(Struct):
    """A directory as the kernel reads it, or the part of it that was packed so far."""

    packed: bytearray = field(default_factory=bytearray)
    """READDIRPLUS entries, one behind the other, as long as they become more."""
    whole: bytes = b""
    """The same once it is kept."""
    ends: array[int] = field(default_factory=lambda: array("I"))
    """Of each, where it ends."""
    places: dict[bytes, int] = field(default_factory=dict[bytes, int])
    """Where the entry begins of each name that may be looked up here: the kernel's lookups of others are counted."""
    counted: dict[int, tuple[bytes, Node]] = field(default_factory=dict[int, "tuple[bytes, Node]"])
    """Position -> name and node, of those that are to be counted each time the kernel is told of them."""

    def cost(self) -> int:
        """Bytes in memory, roughly."""
        return len(self.packed) + len(self.whole) + PER_NAME * len(self.ends)


class Replies:
    """What is kept of directories, the one asked for last kept longest."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.age = 0
        """Rises with everything that is forgotten: a folder that was begun before is not to be kept."""
        self._lock = threading.Lock()
        self._folders: OrderedDict[int, Folder] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        """Bytes kept, roughly."""
        return self._bytes

    def folder(self, nodeid: int) -> Folder | None:
        """The whole directory, if it is kept."""
        found = self._folders.get(nodeid)
        if found is not None:
            with self._lock:
                if nodeid in self._folders:
                    self._folders.move_to_end(nodeid)
        return found

    def lookup(self, parent: int, name: bytes) -> bytes | None:
        """The answer to a lookup, if it is kept."""
        folder = self._folders.get(parent)
        if folder is None:
            return None
        start = folder.places.get(name)
        if start is None:
            return None
        return folder.whole[start : start + _ENTRY]

    def keep(self, nodeid: int, folder: Folder, age: int) -> None:
        """Keep a directory that was packed since *age*, if nothing was forgotten meanwhile."""
        cost = folder.cost()
        with self._lock:
            if age != self.age or cost > self.limit:
                return
            self._drop(nodeid)
            folder.whole = bytes(folder.packed)
            folder.packed.clear()
            self._folders[nodeid] = folder
            self._bytes += cost
            while self._bytes > self.limit:
                self._drop(next(iter(self._folders)))

    def forget_directory(self, nodeid: int) -> None:
        """Names in this directory changed."""
        with self._lock:
            self.age += 1
            self._drop(nodeid)

    def forget_inode(self, nodeid: int) -> None:
        """Attributes of this inode changed, wherever it stands. Searches all that is kept: 10 ms at worst."""
        wanted = nodeid.to_bytes(8, "little")
        with self._lock:
            self.age += 1
            self._drop(nodeid)
            for parent, folder in list(self._folders.items()):
                if wanted in folder.whole:
                    self._drop(parent)

    def forget_all(self) -> None:
        """Everything may have changed."""
        with self._lock:
            self.age += 1
            self._folders.clear()
            self._bytes = 0

    def _drop(self, nodeid: int) -> None:
        folder = self._folders.pop(nodeid, None)
        if folder is not None:
            self._bytes -= folder.cost()
