"""Inode numbers, and which node each stands for while the kernel remembers it.

Numbers need no storage. An original's comes from its source and its st_ino; an asset's in the views is the same with one
bit more, so that opening it for writing can be told apart and refused; a computed directory's is a hash of its key.

What can be found again from its number is not remembered: assets, which the catalog knows by inode, cost nothing however
many the kernel has seen. Files of `files/` are remembered for a while, those that were only listed as little more than
their names. Directories are remembered until the kernel forgets
them, and their addresses (directory above, name) are written to a Ledger that may outlive this process.

Any thread: changes are made under a lock, reading needs none.
"""

from __future__ import annotations

import threading
from _blake2 import blake2b  # hashlib's own; hashlib itself loads OpenSSL, 2 ms of every start
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from havenfs.views import DiskFile, Leaf, Original

from .sightings import Sightings

if TYPE_CHECKING:
    from havenfs.entities import Source, SourceId
    from havenfs.views.nodes import Directory, Node

ROOT = 1
COMPUTED = 1 << 62  # bit 63 stays clear: some programs keep st_ino in a signed integer
HASHED = (
    1 << 61
)  # an original whose own number does not fit, or of a second disk below the source's root
ASSET = 1 << 60
_SOURCES = 1 << 12
_INODE_BITS = 48  # XFS and btrfs number up to 64 bits, but only beyond 256 TB or in snapshots
DEEPEST = 256  # directories in a path; more is a circle, made by a rename that raced with us
FILES = 65_536  # files of files/ remembered: about 20 MiB; an older one is found again by the catalog or by its path


_Filed = Original | Leaf  # made once, see Original


class Ledger(Protocol):
    """Addresses of directories, and of the latest files, kept where they outlive the process."""

    def admit(self, nodeid: int, parent: int, name: bytes, lookups: int) -> None:
        """The kernel was told of a node, last under this name, so many times by now."""
        ...

    def sight(self, nodeid: int, parent: int, name: bytes) -> None:
        """The kernel was told of a file under this name. A successor needs to know of the latest only."""
        ...

    def forget(self, nodeid: int) -> None:
        """The kernel has forgotten it."""
        ...

    def address(self, nodeid: int) -> tuple[int, bytes] | None:
        """Directory and name under which the kernel was told of a node, perhaps by a predecessor."""
        ...

    def lookups(self, nodeid: int) -> int:
        """How many times the kernel was told of it, and has not forgotten; 0 when it is not known."""
        ...


class NoLedger:
    """A ledger of nothing: where the mount dies with its process."""

    def admit(self, nodeid: int, parent: int, name: bytes, lookups: int) -> None:
        """Not kept."""

    def sight(self, nodeid: int, parent: int, name: bytes) -> None:
        """Not kept."""

    def forget(self, nodeid: int) -> None:
        """Not kept."""

    def address(self, nodeid: int) -> tuple[int, bytes] | None:
        """Nothing is known."""
        return None

    def lookups(self, nodeid: int) -> int:
        """Nothing is known."""
        return 0


class Record(Struct):
    """One inode that is remembered."""

    nodeid: int
    node: Node
    """As it was last looked up."""
    parent: int
    name: bytes
    """Where it was last looked up."""
    lookups: int = 0
    """What FORGET counts down."""
    touched_ns: int = 0
    """Of a computed directory: when its names last changed."""


class InodeTable:
    """The inodes that are remembered, the root always among them."""

    def __init__(self, root: Node, *, now_ns: int, ledger: Ledger | None = None) -> None:
        self.start_ns = now_ns
        self._ledger = ledger or NoLedger()
        self._lock = threading.Lock()
        self._records: dict[int, Record] = {
            ROOT: Record(ROOT, root, ROOT, b"", lookups=1, touched_ns=now_ns)
        }
        # In the order of their coming. Not a dict: finding the first key of one that lost thousands takes 30 us.
        self._files: OrderedDict[int, None] = OrderedDict()
        self._sightings = Sightings()
        self._folders: dict[str, int] = {"": ROOT}
        self._devices: dict[SourceId, int] = {}
        """The disk of each source: the first one seen below it, which is the root's but for odd orders."""

    def __len__(self) -> int:
        return len(self._records)

    def find(self, nodeid: int) -> Record | None:
        """The record, if it is remembered."""
        return self._records.get(nodeid)

    def folder(self, key: str) -> Record | None:
        """The computed directory of this key, if the kernel remembers it."""
        nodeid = self._folders.get(key)
        return self._records.get(nodeid) if nodeid is not None else None

    def folders(self) -> list[Record]:
        """Every computed directory that the kernel remembers."""
        with self._lock:
            return [self._records[nodeid] for nodeid in self._folders.values()]

    def path(self, nodeid: int) -> bytes | None:
        """Where a directory is below the root of the mount, as far as the kernel was told; None: not known."""
        parts: list[bytes] = []
        while nodeid != ROOT:
            record = self._records.get(nodeid)
            if record is None or len(parts) > DEEPEST:
                return None
            parts.append(record.name)
            nodeid = record.parent
        return b"/".join(reversed(parts))

    def address(self, nodeid: int) -> tuple[int, bytes] | None:
        """Directory and name under which the kernel was told of a node that is not remembered itself."""
        return self._sightings.find(nodeid) or self._ledger.address(nodeid)

    def number(self, node: Node) -> int:
        """The number of *node*."""
        if isinstance(node, Leaf):
            asset = node.asset
            return ASSET | self.original(asset.source_id, asset.device, asset.inode)
        if isinstance(node, Original):
            status = node.status
            return self.original(node.source.id, status.st_dev, status.st_ino)
        if not node.key:
            return ROOT
        return COMPUTED | _hash(node.key, ASSET)  # and none of the other bits that say what it is

    def original(self, source_id: SourceId, device: int, inode: int) -> int:
        """The number of an original; its asset's has one bit more."""
        if (
            0 < inode < 1 << _INODE_BITS
            and 0 < source_id < _SOURCES
            and self._devices.setdefault(source_id, device) == device
        ):
            return source_id << _INODE_BITS | inode
        return HASHED | _hash(f"{source_id}/{device}/{inode}", ASSET)

    def admit(
        self, node: Node, parent: int, name: bytes, nodeid: int = 0, *, listed: bool = False
    ) -> int:
        """Count one more lookup of *node*, as the kernel does when it is told of it; its number, if not given.

        *listed*: it is told in a listing, which must not push out of the ledger what somebody has just looked up.
        """
        nodeid = nodeid or self.number(node)
        if isinstance(node, Leaf) and not nodeid & HASHED:
            return nodeid
        with self._lock:
            record = self._records.get(nodeid)
            if record is None:
                record = self._add(Record(nodeid, node, parent, name, touched_ns=self.start_ns))
            elif isinstance(record.node, DiskFile) != isinstance(node, DiskFile):
                # The disk has given the number of a removed file to a directory, or the other way round.
                lookups = record.lookups
                self._drop(record)
                record = self._add(Record(nodeid, node, parent, name, touched_ns=self.start_ns))
                record.lookups = lookups  # of the removed one: their FORGET is still to come
            else:
                record.parent, record.name, record.node = parent, name, node
                if (key := _key(node)) is not None:
                    self._folders[key] = nodeid  # it may have stood for another one meanwhile
            record.lookups += 1
            if not (listed and nodeid in self._files):
                self._write_down(record)
        return nodeid

    def become(self, key: str, node: Directory, parent: int, name: bytes) -> None:
        """The kernel has moved the computed directory of this key to a name that means *node*, and goes on with its number
        there until it has asked again."""
        with self._lock:
            record = self.folder(key)
            if record is None:
                return
            self._leave(record)
            record.node, record.parent, record.name = node, parent, name
            self._folders[node.key] = record.nodeid
            self._write_down(record)

    def listed(self, nodeid: int, parent: int, name: bytes) -> bool:
        """The kernel is told of a file in a listing. False where that is not enough, because there is a record of the number."""
        if nodeid in self._records:
            return False
        self._sightings.note(nodeid, parent, name)
        return True

    def restore(self, nodeid: int, node: Node, parent: int, name: bytes) -> Record:
        """Remember a node that the kernel was told of in a listing, or before this process began."""
        with self._lock:
            record = self._records.get(nodeid)
            if record is None:
                record = Record(nodeid, node, parent, name, touched_ns=self.start_ns)
                self._add(record)
            return record

    def _add(self, record: Record) -> Record:
        self._records[record.nodeid] = record
        if isinstance(record.node, DiskFile):
            self._files[record.nodeid] = None
            if len(self._files) > FILES:
                oldest, _ = self._files.popitem(last=False)
                del self._records[oldest]
            return record
        if (key := _key(record.node)) is not None:
            self._folders[key] = record.nodeid
        # What a predecessor told the kernel counts too: FORGET sums up over all of us.
        record.lookups = self._ledger.lookups(record.nodeid)
        return record

    def _write_down(self, record: Record) -> None:
        nodeid = record.nodeid
        if nodeid in self._files:
            self._ledger.sight(nodeid, record.parent, record.name)
        elif nodeid != ROOT:
            self._ledger.admit(nodeid, record.parent, record.name, record.lookups)

    def forget(self, nodeid: int, lookups: int) -> None:
        """The kernel dropped so many lookups; with the last one the inode goes. The root never goes."""
        with self._lock:
            if nodeid == ROOT:
                return
            record = self._records.get(nodeid)
            if record is None and self._sightings.forget(nodeid):
                return
            if record is None:  # a predecessor told of it; nobody has asked for it since
                told = self._ledger.lookups(nodeid)
                if told > lookups and (address := self._ledger.address(nodeid)) is not None:
                    self._ledger.admit(nodeid, *address, told - lookups)
                elif told:
                    self._ledger.forget(nodeid)
                return  # what is known of a file goes with its age: its number may be another's, who is being written
            record.lookups -= lookups
            if record.lookups > 0:
                self._write_down(record)
                return
            self._drop(record)

    def _correct(self, nodeid: int, parent: int, name: bytes) -> None:
        """A predecessor may have told the kernel of it, under another name."""
        told = self._ledger.lookups(nodeid)
        if told:
            self._ledger.admit(nodeid, parent, name, told)
        elif self._ledger.address(nodeid) is not None:
            self._ledger.sight(nodeid, parent, name)

    def _drop(self, record: Record) -> None:
        nodeid = record.nodeid
        del self._records[nodeid]
        if nodeid in self._files:
            del self._files[nodeid]
            return
        self._ledger.forget(nodeid)
        self._leave(record)

    def _leave(self, record: Record) -> None:
        key = _key(record.node)
        if key is not None and self._folders.get(key) == record.nodeid:
            del self._folders[key]

    def moved(self, nodes: dict[int, tuple[int, bytes]], paths: Paths, *, deep: bool) -> None:
        """Names changed on disk: *nodes* have a new directory and name, and *paths* say what became of paths, if *deep*
        also of those below."""
        with self._lock:
            for nodeid, (parent, name) in nodes.items():
                record = self._records.get(nodeid)
                if record is not None:
                    record.parent, record.name = parent, name
                    self._write_down(record)
                elif self._sightings.forget(nodeid):
                    self._sightings.note(nodeid, parent, name)
                else:
                    self._correct(nodeid, parent, name)
            # All of them only where it must be: 65,536 take 30 ms.
            found_here = (self._records.get(nodeid) for nodeid in nodes)
            for record in list(self._records.values() if deep else found_here):
                node = record.node if record is not None else None
                if record is not None and isinstance(node, Original):
                    found = paths(node.source, node.path)
                    if found is not None:
                        record.node = replace(node, source=found[0], path=found[1])


class Paths(Protocol):
    """Where things of `files/` are after a rename."""

    def __call__(self, source: Source, path: bytes) -> tuple[Source, bytes] | None:
        """The new place of a path; None if it stays."""
        ...


def _key(node: Node) -> str | None:
    """The key of what is computed: a folder, a text."""
    return None if isinstance(node, _Filed) else node.key


def _hash(text: str, limit: int) -> int:
    digest = blake2b(text.encode(errors="surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") & limit - 1
