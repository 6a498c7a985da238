"""What must outlive a server: which directories the kernel knows, which files it was told of last, which handles are
open, and small notes.

Kept in memory that the supervisor holds (memfds) and the server maps, so that a write costs no system call and a server
that is killed at any instruction leaves what it had written. Not a database and not on disk: it goes with the mount.
Threading: any thread of the one process that serves; each table orders its writers by a lock of its own.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from array import array
from itertools import chain
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD: Final = 8
EPOCH, COUNT, CAPACITY = 0, 1, 2  # words at the start of an area
HEAD: Final = 4  # words; then CAPACITY entries of two words, then the heap
LENGTH_BITS: Final = 24
LENGTH: Final = (1 << LENGTH_BITS) - 1
ENTRIES: Final = 1024  # the least room for entries, and for the bytes of as many values of AVERAGE
AVERAGE: Final = 64
SPARE: Final = 4  # a table that is written afresh gets this many times the room that it takes (untouched room is free)

LAYOUT: Final = 3
"""Of all that stands in a ledger, records and notes too. Whoever changes that raises this: a successor of another version is to
make the mount anew, and not to read what it cannot know."""
INIT: Final = 0
"""The note about what was agreed on with the kernel in FUSE_INIT."""
MOUNTPOINT: Final = 1
"""The note about where it is mounted."""
LOCK: Final = 1 << 32
"""The note about a file lock is under this and the descriptor that holds the lock."""
EXCHANGE: Final = 1 << 33
"""The note about two names that are being exchanged is under this and the lower half of the unique number of the request."""

RECENT: Final = 2048
"""Files, the latest lookups: 50 ms of the busiest client's. Who has just been told of one asks for it next, perhaps of the next
server, and is refused (ESTALE) if that does not know it: the kernel has tried twice by then."""
NAME_MAX: Final = 255

_ADDRESS = struct.Struct("=QQ")  # lookups, parent; then the name


class Table:
    """Numbers and a few bytes for each: a dict that survives the death of the process that writes it.

    Two areas, each a memfd, take turns. The current one is a log: an entry is (key, place), where the place says where
    in the heap the value is and how long, or is 0 for a key that was dropped; the last entry of a key counts. What has
    been written counts from the moment COUNT is raised over it, which is one store of an aligned word, so that a kill
    between any two instructions leaves the table as it was before or after. A full area is written afresh into the
    other one, which becomes the current one when its EPOCH, higher than the first one's, is stored as the last thing.
    Values begin on whole words: the first word of one can be changed in place, by one store as well.
    """

    def __init__(self, areas: tuple[int, int]) -> None:
        """Take up the table in these two memfds, empty for a new one; they stay the caller's."""
        self._areas = areas
        self._lock = threading.Lock()
        self._places: dict[int, int] = {}
        epochs = [_epoch(area) for area in areas]
        self._current, self._epoch = epochs.index(max(epochs)), max(epochs)
        if not self._epoch:
            self._epoch = 1
            _fill(areas[self._current], [], room=0, epoch=1)
        self._map_current()
        self._read()

    def put(self, key: int, value: bytes) -> None:
        """Remember *value* for *key*, in place of what was there. 0.7 us."""
        size = len(value)
        if size > LENGTH:
            raise ValueError(f"{size} bytes are no small value")
        with self._lock:
            tail, end = self._tail, self._tail + size
            if self._next == self._heap or end > self._size:
                self._compact(size)
                tail, end = self._tail, self._tail + size
            self._map[tail:end] = value
            self._tail = end + WORD - 1 & -WORD
            self._append(key, (tail << LENGTH_BITS) | size)

    def drop(self, key: int) -> None:
        """Forget *key*, if it is there."""
        with self._lock:
            if key in self._places:
                if self._next == self._heap:
                    self._compact(0)
                self._append(key, 0)
                del self._places[key]

    def count(self, key: int, number: int) -> None:
        """Change the first word of the value of *key*, which is there and has one. 0.3 us."""
        with self._lock:
            self._words[(self._places[key] >> LENGTH_BITS) // WORD] = number

    def get(self, key: int) -> bytes | None:
        """The value of *key*; None when there is none."""
        with self._lock:
            place = self._places.get(key)
            return None if place is None else self._value(place)

    def items(self) -> dict[int, bytes]:
        """Everything, as it is now."""
        with self._lock:
            return {key: self._value(place) for key, place in self._places.items()}

    def close(self) -> None:
        """Let go of the memory; what is in it stays."""
        self._words.release()
        self._map.close()

    def _append(self, key: int, place: int) -> None:
        words, at = self._words, self._next
        words[at] = key
        words[at + 1] = place
        self._next = at + 2
        words[COUNT] = (at - HEAD) // 2 + 1  # from here on it counts
        self._places[key] = place

    def _value(self, place: int) -> bytes:
        start = place >> LENGTH_BITS
        return self._map[start : start + (place & LENGTH)]

    def _map_current(self) -> None:
        self._map = mmap.mmap(self._areas[self._current], 0)
        self._words = memoryview(self._map).cast("Q")
        self._size = len(self._map)
        self._heap = HEAD + 2 * self._words[CAPACITY]  # in words
        self._next = HEAD + 2 * self._words[COUNT]

    def _read(self) -> None:
        keys = self._words[HEAD : self._next : 2].tolist()
        places = self._words[HEAD + 1 : self._next : 2].tolist()
        self._places = dict(zip(keys, places, strict=True))
        last = max(places, default=0)  # values are written one behind the other
        self._tail = (
            (last >> LENGTH_BITS) + (last & LENGTH) + WORD - 1 & -WORD
            if last
            else self._heap * WORD
        )
        if 0 in places:
            self._places = {key: place for key, place in self._places.items() if place}

    def _compact(self, room: int) -> None:
        """Write what counts into the other area and go on there, with *room* for this many bytes and more."""
        items = [(key, self._value(place)) for key, place in self._places.items()]
        other = 1 - self._current
        _fill(self._areas[other], items, room=room, epoch=self._epoch + 1)
        self.close()
        os.ftruncate(self._areas[self._current], 0)
        self._current, self._epoch = other, self._epoch + 1
        self._map_current()
        self._read()


def _epoch(area: int) -> int:
    head = os.pread(area, WORD, EPOCH * WORD)
    return int.from_bytes(head, "little" if array("H", [1]).tobytes()[0] else "big")


def _fill(area: int, items: Sequence[tuple[int, bytes]], *, room: int, epoch: int) -> None:
    """Make *area* hold exactly *items*, and have room for more. It is void until the epoch is stored."""
    heap = HEAD + 2 * max(ENTRIES, SPARE * len(items))
    starts = [heap * WORD]
    for _, value in items:
        starts.append(starts[-1] + len(value) + WORD - 1 & -WORD)
    places = [
        start << LENGTH_BITS | len(value)
        for start, (_, value) in zip(starts[:-1], items, strict=True)
    ]
    entries = array("Q", chain.from_iterable(zip((key for key, _ in items), places, strict=True)))
    size = starts[0] + SPARE * (starts[-1] - starts[0]) + room + ENTRIES * AVERAGE
    os.ftruncate(area, 0)
    os.ftruncate(area, -(-size // mmap.PAGESIZE) * mmap.PAGESIZE)
    memory = mmap.mmap(area, 0)
    words = memoryview(memory).cast("Q")
    words[CAPACITY] = (heap - HEAD) // 2
    words[COUNT] = len(items)
    words[HEAD : HEAD + len(entries)] = memoryview(entries)
    memory[starts[0] : starts[-1]] = b"".join(
        value.ljust(len(value) + WORD - 1 & -WORD, b"\0") for _, value in items
    )
    words[EPOCH] = epoch


class Latest:
    """Where the last RECENT files were that the kernel was told of: a ring of slots in a memfd, each of one size.

    A slot is void (number 0) while it is written, so that a kill leaves it void or whole. Orders nobody: its user has a lock.
    """

    _SLOT = struct.Struct(
        f"=QQ{NAME_MAX}s"
    )  # directory, length of the name, name; before it the number
    _WORDS = 1 + -(-_SLOT.size // WORD)

    def __init__(self, area: int) -> None:
        """Take up what is in this memfd, which stays the caller's."""
        size = (1 + RECENT * self._WORDS) * WORD  # the first word: where the oldest slot begins
        os.ftruncate(area, -(-size // mmap.PAGESIZE) * mmap.PAGESIZE)
        self._map = mmap.mmap(area, 0)
        self._words = memoryview(self._map).cast("Q")
        self._at = self._words[0] or 1

    def note(self, nodeid: int, parent: int, name: bytes) -> None:
        """A file is under this name, in place of the oldest of all. 0.5 us."""
        if len(name) > NAME_MAX:
            return
        words, at = self._words, self._at
        words[at] = 0
        self._SLOT.pack_into(self._map, (at + 1) * WORD, parent, len(name), name)
        words[at] = nodeid
        self._at = words[0] = at + self._WORDS if at <= (RECENT - 1) * self._WORDS else 1

    def find(self, nodeid: int) -> tuple[int, bytes] | None:
        """Directory and name of a file, the last ones noted. 50 us."""
        if not nodeid:
            return None  # no file's: a void slot's
        end = 1 + RECENT * self._WORDS
        numbers = self._words[1 : end : self._WORDS].tolist()
        oldest = self._at // self._WORDS
        numbers = numbers[oldest:] + numbers[:oldest]
        numbers.reverse()
        try:
            place = (oldest - 1 - numbers.index(nodeid)) % RECENT
        except ValueError:
            return None
        start = (1 + place * self._WORDS + 1) * WORD
        parent, length, name = self._SLOT.unpack_from(self._map, start)
        return parent, name[:length]

    def close(self) -> None:
        """Let go of the memory; what is in it stays."""
        self._words.release()
        self._map.close()


class Ledger:
    """The three tables of a mount, and the files that were looked up last.

    A process that shares its descriptors with another one must close what it opens of these itself: a mapping has a
    descriptor of its own, and whoever closes that a second time closes somebody else's.
    """

    def __init__(self, descriptors: Sequence[int]) -> None:
        """Take up the ledger in these memfds (of :func:`create`); they stay the caller's."""
        *tables, latest = descriptors
        first, second, third = _pairs(tables)
        self._addresses, self._handles, self._notes = Table(first), Table(second), Table(third)
        self._latest = Latest(latest)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the address under which the kernel was told of each directory, and of the latest files -----------------------

    def admit(self, nodeid: int, parent: int, name: bytes, lookups: int) -> None:
        """The kernel was told of a node, last under this name, so many times by now."""
        known = self._addresses.get(nodeid)
        value = _ADDRESS.pack(lookups, parent) + name
        if known is not None and known[WORD:] == value[WORD:]:
            self._addresses.count(nodeid, lookups)
        else:
            self._addresses.put(nodeid, value)

    def sight(self, nodeid: int, parent: int, name: bytes) -> None:
        """The kernel was told of a file under this name. Under the caller's lock."""
        self._latest.note(nodeid, parent, name)

    def forget(self, nodeid: int) -> None:
        """The kernel has forgotten it."""
        self._addresses.drop(nodeid)

    def address(self, nodeid: int) -> tuple[int, bytes] | None:
        """Directory and name under which the kernel was told of a directory, or of one of the latest files."""
        value = self._addresses.get(nodeid)
        if value is None:
            return self._latest.find(nodeid)
        return _ADDRESS.unpack_from(value)[1], value[_ADDRESS.size :]

    def lookups(self, nodeid: int) -> int:
        """How many times the kernel was told of it, and has not forgotten; 0 when it is not known."""
        value = self._addresses.get(nodeid)
        return 0 if value is None else _ADDRESS.unpack_from(value)[0]

    # --- handles: each is a descriptor that outlives its server -----------------------------------------------------

    def hold(self, handle: int, record: bytes) -> None:
        """This descriptor is a handle that a client is going to have; *record* says the rest."""
        self._handles.put(handle, record)

    def handle(self, handle: int) -> bytes | None:
        """The record of a handle; None when there is none."""
        return self._handles.get(handle)

    def mark(self, handle: int, word: int) -> None:
        """Change the first word of the record of a handle, which is there."""
        self._handles.count(handle, word)

    def drop(self, handle: int) -> None:
        """The handle is about to be closed."""
        self._handles.drop(handle)

    def held(self) -> dict[int, bytes]:
        """Every open handle with its record."""
        return self._handles.items()

    # --- notes: whatever else is small --------------------------------------------------------------------------------

    def note(self, key: int, value: bytes) -> None:
        """Remember *value*, in place of what was noted under *key*."""
        self._notes.put(key, value)

    def erase(self, key: int) -> None:
        """Forget what was noted."""
        self._notes.drop(key)

    def noted(self, key: int) -> bytes | None:
        """What was noted; None when nothing was."""
        return self._notes.get(key)

    def notes(self) -> dict[int, bytes]:
        """Every note."""
        return self._notes.items()

    def close(self) -> None:
        """Let go of the memory; what is in it stays with the descriptors."""
        for each in (self._addresses, self._handles, self._notes, self._latest):
            each.close()


def in_use(descriptors: Sequence[int]) -> set[int]:
    """The descriptors that a successor needs, of the ledger in these memfds: the handles, and those that hold locks."""
    _, second, third = _pairs(descriptors[:-1])
    handles, notes = Table(second), Table(third)
    found = {key & (LOCK - 1) for key in notes.items() if key & LOCK}.union(handles.items())
    handles.close()
    notes.close()
    return found


def _pairs(descriptors: Sequence[int]) -> list[tuple[int, int]]:
    return list(zip(descriptors[::2], descriptors[1::2], strict=True))


NAMES: Final = (
    *(f"{table}-{area}" for table in ("directories", "handles", "notes") for area in "ab"),
    "files",
)
"""What the descriptors of a ledger are called, in the order in which Ledger takes them."""


def create() -> tuple[int, ...]:
    """Descriptors for a new ledger."""
    return tuple(os.memfd_create(f"havenfs-{name}") for name in NAMES)
