"""Inode numbers, and which node each stands for while the kernel remembers it.

Numbers need no storage. A file's comes from its source and its st_ino, so that `files/` and every view name one inode
and share one page cache; a computed directory's is a hash of its key. Two nodes that meet in one number are told
apart by salting the second, for as long as the first is remembered.

Not thread-safe: only the event loop adds and forgets. Reading from other threads is fine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from havenfs.errors import NotFound
from havenfs.views import DiskDirectory, DiskFile, Leaf

if TYPE_CHECKING:
    from havenfs.entities import AssetId
    from havenfs.views.tree import Node

ROOT = 1
_COMPUTED = 1 << 62  # bit 63 stays clear: some programs keep st_ino in a signed integer
_ON_DISK_HASHED = 1 << 61
_SOURCE_BITS = 13
_INODE_BITS = 48  # XFS and btrfs number up to 64 bits, but only beyond 256 TB or in snapshots

Identity = tuple[str, str] | tuple[str, int, int, int]


@dataclass(slots=True)
class Record:
    """One inode that the kernel remembers."""

    number: int
    identity: Identity
    node: Node
    """As it was last looked up."""
    leaf: Leaf | None = None
    """The asset, if a view has shown it: its attributes are the more permissive, and both names are one inode."""
    disk: DiskFile | DiskDirectory | None = None
    """The file, if `files/` has shown it."""
    lookups: int = 0
    """What FORGET counts down."""
    parent: int = ROOT
    name: bytes = b""
    """Of a directory: where it was last looked up."""
    opened: tuple[int, int, int] | None = None
    """(size, mtime_ns, st_ino) of the bytes that the page cache holds; None: never opened."""
    touched_ns: int = field(default=0)
    """Of a computed directory: when its names last changed."""


class InodeTable:
    """The inodes that the kernel remembers, the root always among them."""

    def __init__(self, root: Node, *, now_ns: int) -> None:
        self.start_ns = now_ns
        self._records: dict[int, Record] = {}
        self._assets: dict[AssetId, int] = {}
        self._folders: dict[str, int] = {}
        self._records[ROOT] = Record(ROOT, _identity(root), root, lookups=1, touched_ns=now_ns)
        self._folders[""] = ROOT

    def __len__(self) -> int:
        return len(self._records)

    def get(self, number: int) -> Record:
        """The record. Raises NotFound for a number that was forgotten."""
        try:
            return self._records[number]
        except KeyError:
            raise NotFound(f"inode {number}") from None

    def find(self, number: int) -> Record | None:
        """The record, if the kernel remembers it."""
        return self._records.get(number)

    def folder(self, key: str) -> Record | None:
        """The computed directory of this key, if the kernel remembers it."""
        number = self._folders.get(key)
        return self._records[number] if number is not None else None

    def asset(self, asset_id: AssetId) -> Record | None:
        """The inode of this asset, if the kernel remembers it."""
        number = self._assets.get(asset_id)
        return self._records.get(number) if number is not None else None

    def assets(self) -> list[AssetId]:
        """Every asset that the kernel remembers."""
        return list(self._assets)

    def views(self) -> list[str]:
        """The names of the folders at the top that the kernel remembers."""
        return [
            key
            for key, number in self._folders.items()
            if key and "/" not in key and self._records[number].parent == ROOT
        ]

    def number(self, node: Node) -> int:
        """The number that *node* has, or would have now."""
        identity = _identity(node)
        salt = 0
        while True:
            number = _number(identity, salt)
            record = self._records.get(number)
            if record is None or record.identity == identity:
                return number
            salt += 1

    def admit(self, node: Node, parent: int, name: bytes) -> Record:
        """Count one more lookup of *node*, as the kernel does when it is told of it."""
        number = self.number(node)
        record = self._records.get(number)
        if record is None:
            record = Record(number, _identity(node), node, touched_ns=self.start_ns)
            self._records[number] = record
        record.lookups += 1
        record.parent, record.name = parent, name
        self.refresh(record, node)
        return record

    def refresh(self, record: Record, node: Node) -> None:
        """Let *node* be what the inode now stands for."""
        record.node = node
        if isinstance(node, Leaf):
            if (
                node.hit is None
                and record.leaf is not None
                and record.leaf.asset.id == node.asset.id
            ):
                node = Leaf(
                    node.asset, record.leaf.hit
                )  # its score stays known after another view showed it
                record.node = node
            record.leaf = node
            self._assets[node.asset.id] = record.number
        elif isinstance(node, DiskFile | DiskDirectory):
            record.disk = node
        else:
            self._folders[node.key] = record.number

    def forget(self, number: int, lookups: int) -> None:
        """The kernel dropped so many lookups; with the last one the inode goes. The root never goes."""
        record = self._records.get(number)
        if record is None or number == ROOT:
            return
        record.lookups -= lookups
        if record.lookups > 0:
            return
        del self._records[number]
        if record.leaf is not None and self._assets.get(record.leaf.asset.id) == number:
            del self._assets[record.leaf.asset.id]
        if not isinstance(record.node, Leaf | DiskFile | DiskDirectory):
            self._folders.pop(record.node.key, None)


def _identity(node: Node) -> Identity:
    if isinstance(node, Leaf):
        asset = node.asset
        return ("disk", asset.source_id, asset.device, asset.inode)
    if isinstance(node, DiskFile | DiskDirectory):
        return ("disk", node.source.id, node.status.st_dev, node.status.st_ino)
    return ("computed", node.key)


def _number(identity: Identity, salt: int) -> int:
    if len(identity) == 4 and not salt:
        _, source, _, inode = identity
        if 0 < source < 1 << _SOURCE_BITS and inode < 1 << _INODE_BITS:
            return source << _INODE_BITS | inode
    digest = blake2b(repr((identity, salt)).encode(), digest_size=8).digest()
    bit = _COMPUTED if len(identity) == 2 else _ON_DISK_HASHED
    return bit | int.from_bytes(digest, "big") & bit - 1
