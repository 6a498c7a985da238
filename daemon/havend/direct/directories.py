"""Open directories: snapshots, taken at the first read, that are packed into answers as far as they are read.

A handle is a number of ours, begun where no predecessor's numbers lie: one that is not known was given by a server that
died, and its listing is made anew. An entry's cookie is its place in the snapshot, good for the life of the handle.
Any thread; the kernel reads one handle once at a time.
"""

from __future__ import annotations

import stat
import struct
import time
from bisect import bisect_right
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Protocol

from havend.inodes import ASSET, COMPUTED, HASHED
from havend.stats import SHORT_S
from havenfs.bounded import Bounded
from havenfs.entities import SourceId
from havenfs.errors import HavenError, NotADirectory
from havenfs.views import DiskFile, Inventory, Leaf, Roll, Text

from . import replies, wire

if TYPE_CHECKING:
    from havend.listing import Listing
    from havend.operations import Operations
    from havenfs.views.nodes import Node

    from .replies import Folder, Replies

Item = tuple[bytes, "Node"]


class Items(Protocol):
    """Entries of a snapshot; None for one that has left since."""

    def __len__(self) -> int:
        """How many there were."""
        ...

    def __getitem__(self, index: int, /) -> Item | None:
        """The one at a place."""
        ...


_DOTS: Final = (b".", b"..")
_DIRECTORY: Final = 0o040000
_SIZE: Final = wire.ENTRY.size + wire.DIRENT.size
_MOMENT: Final = struct.pack("<QQII", int(SHORT_S), int(SHORT_S), 0, 0)
LOOKUPS: Final = 8  # of single names in a directory, before its size is asked for
WORTH: Final = 40  # a directory of n names is listed for lookups' sake after n / WORTH of them: each costs a query


class Snapshot:
    """One open directory."""

    __slots__ = ("age", "folder", "listing", "nodeid", "whole")

    def __init__(
        self, nodeid: int, age: int, whole: Folder | None, listing: Listing | None
    ) -> None:
        self.nodeid = nodeid
        self.age = age
        self.whole = whole
        """The listing as it was kept."""
        self.listing = listing
        """What was asked for, where none was kept."""
        self.folder: Folder | None = None
        """What grows to be kept."""


class Directories:
    """Every open directory, and the lookups that listings spare."""

    def __init__(self, operations: Operations, kept: Replies) -> None:
        self._operations = operations
        self._kept = kept
        self._snapshots: dict[int, Snapshot | None] = {}
        self._next = time.time_ns()
        self._misses: Bounded[int, tuple[int, int]] = Bounded(1024)

    def open(self, nodeid: int) -> tuple[int, bool]:
        """A handle to list a directory by, and whether the kernel may keep the listing.

        The snapshot is taken when it is first read: the kernel asks for the directory's times in between, and would
        keep an older listing under newer times for good.
        """
        node = self._operations.node(nodeid)
        if isinstance(node, Leaf | Text | DiskFile):
            raise NotADirectory(f"inode {nodeid:#x}")
        self._next += 1
        self._snapshots[self._next] = None
        return self._next, node.lasting

    def _snapshot(self, nodeid: int) -> Snapshot:
        age, whole = self._kept.age, self._kept.folder(nodeid)
        if whole is None:
            return Snapshot(nodeid, age, None, self._operations.listing(nodeid))
        self._operations.nudges.opened(nodeid)
        return Snapshot(nodeid, age, whole, None)

    def close(self, handle: int) -> None:
        """Let go of a snapshot."""
        snapshot = self._snapshots.pop(handle, None)
        if snapshot is not None:
            self._operations.nudges.closed(snapshot.nodeid)

    def read(self, nodeid: int, handle: int, position: int, size: int, *, plus: bool) -> bytes:
        """Entries from *position* on, as many as fit; with full attributes, each counted as a lookup, if *plus*."""
        snapshot = self._snapshots.get(handle)
        if snapshot is None or position == 0:
            # Read for the first time, or again (POSIX wants rewinddir to show what is there now); or a handle that a
            # predecessor gave.
            self.close(handle)
            snapshot = self._snapshots[handle] = self._snapshot(nodeid)
        if not plus:
            return self._names(snapshot, position, size)
        if snapshot.whole is not None:
            return self._again(snapshot, snapshot.whole, position, size)
        return self._pack(snapshot, position, size)

    def _again(self, snapshot: Snapshot, folder: Folder, position: int, size: int) -> bytes:
        """What was packed before."""
        ends = folder.ends
        if position > len(ends):  # seekdir(3) to where nothing is
            return b""
        start = ends[position - 1] if position else 0
        stop = bisect_right(ends, start + size)
        if stop <= position:
            return b""
        table, counted = self._operations.table, folder.counted
        if counted:
            for place in [place for place in counted if position <= place < stop]:
                name, node = counted[place]
                table.admit(node, snapshot.nodeid, name, listed=True)
        if self._kept.age == snapshot.age or self._kept.folder(snapshot.nodeid) is folder:
            return folder.whole[start : ends[stop - 1]]
        # Something in it is old by now: to be believed as briefly as anything else.
        marks = [start, *ends[position:stop]]
        return b"".join(_briefly(folder.whole[here:there]) for here, there in pairwise(marks))

    def _pack(self, snapshot: Snapshot, position: int, size: int) -> bytes:
        """What is asked for the first time."""
        operations, listing = self._operations, snapshot.listing
        assert listing is not None
        items: Items = listing.entries
        folder = self._growing(snapshot, listing, position)
        pack = _Packer(operations, listing, counting=True)
        out: list[bytes] = []
        last = len(items) + 2
        roll = items if isinstance(items, Roll) and items.plain else None
        inventory = items if isinstance(items, Inventory) else None
        while position < last:
            if position > 1 and (roll or inventory):
                place = position
                if roll is not None:
                    position, size = pack.roll(roll, position, size, out, folder)
                elif inventory is not None:
                    position, size = pack.inventory(inventory, position, size, out)
                if place == position:
                    break
                continue
            item = items[position - 2] if position > 1 else None
            name = item[0] if item is not None else b".."
            if item is not None or position < 2:
                size -= _SIZE + (len(name) + 7 & ~7)
                if size < 0:
                    break
            packed = pack.dot(position) if position < 2 else pack.entry(position, item)
            out.append(packed)
            if folder is not None:
                _grow(folder, packed, position, item)
            position += 1
        if operations.generation != listing.generation and inventory is None:
            snapshot.folder = None
            return b"".join(map(_briefly, out))
        if folder is not None and position == last:
            self._kept.keep(snapshot.nodeid, folder, snapshot.age)
            snapshot.folder = None
        return b"".join(out)

    def _growing(self, snapshot: Snapshot, listing: Listing, position: int) -> Folder | None:
        """What is to be kept of a listing that is read from its beginning on, if its changes are announced."""
        if position == 0:
            snapshot.folder = replies.Folder() if self._keeps(listing) else None
        elif snapshot.folder is not None and len(snapshot.folder.ends) != position:
            snapshot.folder = None  # read in another order: not worth the trouble
        return snapshot.folder

    def _keeps(self, listing: Listing) -> bool:
        return listing.keep and len(listing.entries) * replies.TYPICAL < self._kept.limit

    def _names(self, snapshot: Snapshot, position: int, size: int) -> bytes:
        """Names and types only, for a kernel that does not want more."""
        listing = snapshot.listing or self._operations.snapshot(snapshot.nodeid)
        items: Items = listing.entries
        pack = _Packer(self._operations, listing, counting=False)
        out: list[bytes] = []
        for place in range(position, len(items) + 2):
            item = items[place - 2] if place > 1 else None
            packed = pack.dot(place) if place < 2 else pack.entry(place, item)
            packed = packed[wire.ENTRY.size :]
            size -= len(packed)
            if size < 0:
                break
            out.append(packed)
        return b"".join(out)

    # --- lookups ----------------------------------------------------------------------------------------------

    def missed(self, parent: int) -> None:
        """A name of a lasting directory had to be looked up by a query: after some of them, list it instead."""
        misses, enough = self._misses.get(parent, (0, LOOKUPS))
        misses += 1
        self._misses[parent] = misses, enough
        if misses < enough:
            return
        age = self._kept.age
        with suppress(HavenError, OSError):
            listing = self._operations.snapshot(parent)
            count = len(listing.entries)
            if misses < count // WORTH:
                self._misses[parent] = misses, count // WORTH
                return
            self._misses.pop(parent, None)
            if self._keeps(listing):
                self._pack_whole(listing, age)

    def _pack_whole(self, listing: Listing, age: int) -> None:
        """Pack a directory for the sake of lookups. The kernel is told of nothing, so nothing is counted."""
        folder, items = replies.Folder(), listing.entries
        pack = _Packer(self._operations, listing, counting=False)
        for position in range(len(items) + 2):
            item = items[position - 2] if position > 1 else None
            packed = pack.dot(position) if position < 2 else pack.entry(position, item)
            _grow(folder, packed, position, item)
        if self._operations.generation == listing.generation:
            self._kept.keep(listing.nodeid, folder, age)


class _Packer:
    """Packs entries of one listing. The assets in it differ in a few fields only: the others are asked for once."""

    __slots__ = ("_counting", "_listing", "_operations", "_pattern")

    def __init__(self, operations: Operations, listing: Listing, *, counting: bool) -> None:
        self._operations = operations
        self._listing = listing
        self._counting = counting
        """Whether the kernel is told of what is packed."""
        self._pattern: replies.Pattern | None = None

    def dot(self, position: int) -> bytes:
        """`.` or `..`: number and type only, and no lookup is counted."""
        nodeid = self._listing.nodeid
        if position:
            record = self._operations.table.find(nodeid)
            nodeid = record.parent if record is not None else nodeid
        return replies.UNKNOWN + wire.dirent(nodeid, position + 1, _DIRECTORY, _DOTS[position])

    def entry(self, position: int, item: Item | None) -> bytes:
        """The entry at a position; nothing for one that has left the folder since the snapshot."""
        if item is None:
            return b""
        name, node = item
        operations, listing = self._operations, self._listing
        nodeid = operations.table.number(node)
        if isinstance(node, Leaf) and node.hit is None and uncounted(nodeid):
            pattern = self._pattern
            if pattern is None:
                found = operations.attributes(node, nodeid, listing.directory)
                pattern = self._pattern = replies.Pattern(found)
            asset = node.asset
            return pattern.entry(asset.size, asset.mtime_ns, nodeid, position + 1, name)
        if isinstance(node, DiskFile) and not operations.loose(node):
            if self._counting:
                operations.table.admit(node, listing.nodeid, name, nodeid, listed=True)
            return replies.original(node.status, nodeid, position + 1, name)
        try:
            if not self._counting:
                found = operations.attributes(node, nodeid, listing.directory)
            elif uncounted(nodeid):
                found = operations.admit(node, listing.nodeid, name)
            else:
                operations.table.admit(node, listing.nodeid, name, listed=True)
                found = operations.attributes(node, nodeid, listing.directory)
        except (HavenError, OSError):  # gone, or its disk is: whoever needs it will hear so
            return replies.UNKNOWN + wire.dirent(nodeid & ~ASSET, position + 1, 0, name)
        return replies.entry(found) + wire.dirent(
            found.number, position + 1, found.mode & 0o170000, name
        )

    def inventory(
        self, inventory: Inventory, position: int, size: int, out: list[bytes]
    ) -> tuple[int, int]:
        """Pack a page of a directory on disk from *position* on, as far as there is room: position and room afterwards.

        The same as `entry` for each, without a node and a record of what is no directory.
        """
        parent, table = self._listing.nodeid, self._operations.table
        number, listed, pack = table.original, table.listed, replies.original
        source_id = inventory.source.id
        for name, status in inventory.statuses(position - 2):
            packed = b""
            if status is not None:
                size -= _SIZE + (len(name) + 7 & ~7)
                if size < 0:
                    break
                nodeid = number(source_id, status.st_dev, status.st_ino)
                if not stat.S_ISDIR(status.st_mode) and listed(nodeid, parent, name):
                    packed = pack(status, nodeid, position + 1, name)
                else:
                    packed = self.entry(position, inventory[position - 2])
            out.append(packed)
            position += 1
        return position, size

    def roll(
        self, roll: Roll, position: int, size: int, out: list[bytes], folder: Folder | None
    ) -> tuple[int, int]:
        """Pack a page of bare assets from *position* on, as far as there is room: position and room afterwards.

        The same as `entry` for each, from what the catalog says and without a node: 3 us instead of 7, and the whole of
        what a cold `find` waits for.
        """
        pattern = self._pattern
        if pattern is None:
            common = self._operations.common(self._listing.directory)
            pattern = self._pattern = replies.Pattern(common)
        number, pack = self._operations.table.original, pattern.entry
        for outline in roll.outlines(position - 2):
            packed = b""
            if outline is not None:
                text, length, mtime_ns, source_id, device, inode = outline
                name = text.encode()
                size -= _SIZE + (len(name) + 7 & ~7)
                if size < 0:
                    break
                nodeid = ASSET | number(SourceId(source_id), device, inode)
                if nodeid & HASHED:  # to be counted
                    item = roll[position - 2]
                    packed = self.entry(position, item)
                    if folder is not None:
                        _grow(folder, packed, position, item)
                else:
                    packed = pack(length, mtime_ns, nodeid, position + 1, name)
                    if folder is not None:
                        folder.places[name] = len(folder.packed)
                        folder.packed += packed
                        folder.ends.append(len(folder.packed))
            elif folder is not None:
                folder.ends.append(len(folder.packed))
            out.append(packed)
            position += 1
        return position, size


def _briefly(packed: bytes) -> bytes:
    """An entry that is to be believed for a moment only."""
    return packed[:16] + _MOMENT + packed[40:] if packed else packed


def _grow(folder: Folder, packed: bytes, position: int, item: Item | None) -> None:
    start = len(folder.packed)
    folder.packed += packed
    folder.ends.append(len(folder.packed))
    if item is None:
        return
    nodeid = int.from_bytes(packed[:8], "little")
    if uncounted(nodeid):
        folder.places[item[0]] = start
    elif nodeid:
        folder.counted[position] = item


def uncounted(nodeid: int) -> bool:
    """Whether an inode is one that is found again from its number, so that its lookups need no count."""
    return bool(nodeid & ASSET) and not nodeid & (COMPUTED | HASHED)
