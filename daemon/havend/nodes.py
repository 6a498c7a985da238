"""What inode numbers stand for, and what stat shows of it: numbers to nodes of `havenfs.views` and back.

Plain and synchronous. Any thread: tables guard themselves. What is not found again from its number alone raises Stale, and
the kernel then looks the path up anew.
"""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from havenfs.bounded import Bounded
from havenfs.catalog import assets, files as catalog_files, sources
from havenfs.entities import SourceId
from havenfs.errors import (
    NotADirectory,
    NotFound,
    Stale,
)
from havenfs.originals import disk
from havenfs.originals.walks import walks
from havenfs.views import DiskDirectory, DiskFile, Folder, Leaf, Original, Text
from havenfs.views.inbox import Inbox

from . import stats
from .graves import Graves
from .inodes import ASSET, HASHED, InodeTable
from .stats import LONG_S, SHORT_S, Attributes

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from havenfs.entities import AssetId, Hit, Source
    from havenfs.views.nodes import Directory, Node

    from .listing import Listing


REMEMBERED = 8192  # assets lately looked up, and contents that the page cache may hold


class Deciders(NamedTuple):
    """Who may put things into folders that people fill: as of a directory of that owner, group and these bits."""

    uid: int
    gid: int
    writers: int = stat.S_IWUSR


class Nodes:
    """The tree as inodes, to be looked at."""

    def __init__(self, root: Folder, table: InodeTable, *, uid: int, gid: int) -> None:
        self.table = table
        self.library = root.scope.library
        self.graves = Graves()
        self.generation = 0
        """How often the library has changed: what was read before a change and is told after it must not be kept."""
        self.doubtful: deque[tuple[int, bytes]] = deque()
        """Directory and name of what the kernel has to ask again, as soon as it has its answer."""
        self._uid = uid
        self._gid = gid
        self.deciders = Deciders(uid, gid)
        self.asked: Callable[[], Deciders | None] = _nobody
        """Says who decides at this moment; None: as before."""
        self._sources: dict[SourceId, tuple[Source, float]] = {}
        self._leaves: Bounded[int, Leaf] = Bounded(REMEMBERED)
        self._hits: Bounded[AssetId, Hit] = Bounded(REMEMBERED)
        """Of assets in the search that found them last: their score stays known in other views."""

    def slow(self, nodeid: int) -> bool:
        """Whether an operation on this inode may wait for a disk, a search or a count."""
        record = self.table.find(nodeid)
        if record is None:
            return not nodeid & ASSET
        node = record.node
        return isinstance(node, DiskFile | Text) or (not isinstance(node, Leaf) and node.slow)

    def on_disk(self, nodeid: int) -> bool:
        """Whether an operation on this inode asks a disk and nothing else that may wait."""
        record = self.table.find(nodeid)
        return record is None or isinstance(record.node, DiskFile | DiskDirectory | Leaf)

    def node(self, nodeid: int) -> Node:
        """What an inode stands for. Raises Stale."""
        record = self.table.find(nodeid)
        if record is not None:
            return record.node
        if nodeid & ASSET and not nodeid & HASHED:
            return self._leaf(nodeid)
        return self._again(nodeid)

    def _leaf(self, nodeid: int) -> Leaf:
        leaf = self._leaves.get(nodeid)
        if leaf is None:
            source_id, inode = _parts(nodeid)
            try:
                leaf = Leaf(self.library.catalog.glance(assets.by_inode, source_id, inode))
            except NotFound:
                raise Stale(f"asset {nodeid:#x}") from None
            self._leaves[nodeid] = leaf
        hit = self._hits.get(leaf.asset.id)
        return leaf if hit is None or leaf.hit is hit else Leaf(leaf.asset, hit)

    def _again(self, nodeid: int) -> Node:
        """Find a node again that was only listed, that a predecessor told the kernel of, or that was too long ago."""
        address = self.table.address(nodeid)
        if address is not None:
            parent, name = address
            with suppress(NotFound):
                node = self.directory(parent).lookup(name)
                if self.table.number(node) == nodeid:
                    return self.table.restore(nodeid, node, parent, name).node
        if not nodeid & (HASHED | ASSET) and nodeid < ASSET:
            source_id, inode = _parts(nodeid)
            for path in self.library.catalog.read(catalog_files.by_inode, source_id, inode):
                source = self.library.catalog.read(sources.get, source_id)
                try:
                    status = disk.status(source, path)
                except NotFound:
                    continue
                node = DiskFile(source, path, status)
                if self.table.number(node) == nodeid and not stat.S_ISDIR(status.st_mode):
                    return node
        raise Stale(f"inode {nodeid:#x}")

    def fresh(self, nodeid: int) -> Node:
        """The node of an inode as it is now: what is on disk is asked again. Raises Stale."""
        node = self.node(nodeid)
        if isinstance(node, Original):
            try:
                status = disk.status(node.source, node.path)
            except NotFound:
                raise Stale(f"inode {nodeid:#x}") from None
            if isinstance(node, DiskFile):
                found = DiskFile(node.source, node.path, status)
            else:
                found = replace(node, status=status)
            if self.table.number(found) != nodeid:
                raise Stale(f"another file is at the path of inode {nodeid:#x}")
            return found
        if isinstance(node, Text):
            return replace(node, size=len(node.render()))
        return node

    def directory(self, nodeid: int) -> Directory:
        node = self.node(nodeid)
        if isinstance(node, Leaf | Text | DiskFile):
            raise NotADirectory(f"inode {nodeid:#x}")
        return node

    def admit(self, node: Node, parent: int, name: bytes) -> Attributes:
        """Attributes of a node that the kernel is now told of, counting that lookup."""
        nodeid = self.table.admit(node, parent, name)
        if isinstance(node, Original):
            return self._original(node, nodeid)
        if isinstance(node, Leaf):
            self._leaves[nodeid] = node
        return self.attributes(node, nodeid, self.directory(parent))

    def listed(self, listing: Listing, node: Node) -> Attributes:
        """Attributes of an entry of a listing, not counted: whoever tells the kernel of it admits it."""
        found = self.attributes(node, self.table.number(node), listing.directory)
        return found if self.generation == listing.generation else briefly(found)

    def attributes(self, node: Node, nodeid: int, parent: Directory | None) -> Attributes:
        """Attributes of a node under its number, as an entry of *parent*."""
        if isinstance(node, Leaf):
            asset = node.asset
            if node.hit is not None:
                self._hits[asset.id] = node.hit
            return self._asset(asset.size, asset.mtime_ns, nodeid, parent)
        if isinstance(node, Original):
            return self._original(node, nodeid)
        record = self.table.find(nodeid)
        touched = record.touched_ns if record is not None else self.table.start_ns
        if isinstance(node, Inbox) and (status := node.status()) is not None:
            return stats.of_original(status, nodeid)
        if isinstance(node, Text):
            if not node.fleeting:
                moment = touched if node.mtime_ns is None else node.mtime_ns
                return stats.of_text(nodeid, self._uid, self._gid, moment, node.size)
            # As the folder: whoever may fill that may remove it, or write over it.
            uid, gid, writers = self.deciders
            return stats.of_text(nodeid, uid, gid, touched, node.size, writers=writers)
        lasting = parent is None or parent.lasting
        # Also where nothing can be put: things can be taken from there to elsewhere, and why not is told by us.
        uid, gid, writers = self.deciders
        if isinstance(node, Folder) and node.common:
            writers = 0o222
        return stats.of_folder(
            nodeid,
            uid,
            gid,
            touched,
            entry_s=LONG_S if lasting else SHORT_S,
            attributes_s=LONG_S if node.lasting else SHORT_S,
            writers=writers,
        )

    def _original(self, node: DiskFile | DiskDirectory, nodeid: int) -> Attributes:
        found = stats.of_original(node.status, nodeid)
        if self.loose(node):  # it may be refused when it is closed, or what put it there be undone
            found.entry_s = 0.0
        return found

    def loose(self, node: Node) -> bool:
        """Whether a file stands in a folder that people fill, and is no asset yet or was none a moment ago."""
        return (
            isinstance(node, DiskFile) and self.library.loose.at(node.source, node.path) is not None
        )

    def is_loose(self, nodeid: int) -> bool:
        """The same of an inode that is remembered."""
        record = self.table.find(nodeid)
        return record is not None and self.loose(record.node)

    def common(self, directory: Directory) -> Attributes:
        """What the assets listed in a directory have in common: one of no bytes, of no time, without a number."""
        return self._asset(0, 0, ASSET, directory)

    def _asset(self, size: int, mtime: int, nodeid: int, parent: Directory | None) -> Attributes:
        lasting = parent is None or parent.lasting
        # Theirs who decide: nobody may make a link to a file that is somebody else's and not to be written to.
        uid, gid, _ = self.deciders
        return stats.of_asset(size, mtime, nodeid, nodeid & ~ASSET, uid, gid, lasting=lasting)

    def source(self, source_id: SourceId) -> Source:
        """The source, remembered for a moment."""
        source, until = self._sources.get(source_id, (None, 0.0))
        now = time.monotonic()
        if source is None or now > until:
            source = self.library.catalog.glance(sources.get, source_id)
            self._sources[source_id] = source, now + SHORT_S
        return source

    def let_go(self) -> None:
        """Close the descriptors that were kept long enough. To be called every moment."""
        walks.let_go()
        self.library.loose.let_go()
        self.graves.let_go()

    def settle(self, *, all_of_them: bool = False) -> None:
        """Make one operation of removals that followed one another. To be called every moment, where it may wait."""
        self.library.bursts.settle(self.library.keeper, all_of_them=all_of_them)

    def reconsider(self) -> bool:
        """See whether others decide by now, and so may do in every folder what nobody else may."""
        now = self.asked()
        if now is None or now == self.deciders:
            return False
        self.deciders = now
        return True

    def news(self) -> None:
        """The library changed, and the kernel is about to be told."""
        self.generation += 1
        self._leaves.clear()


def _nobody() -> None:
    return None


def briefly(found: Attributes) -> Attributes:
    """Read before the library changed, told after the kernel was told of that: right for `ls`, not for long."""
    found.entry_s = min(found.entry_s, SHORT_S)
    found.attributes_s = min(found.attributes_s, SHORT_S)
    return found


def _parts(nodeid: int) -> tuple[SourceId, int]:
    number = nodeid & ~ASSET
    return SourceId(number >> 48), number & (1 << 48) - 1


class ByName:
    """A file that has lost the name by which it was last found may have others: told so, the kernel looks one up."""

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        self._node = node

    def __enter__(self) -> None:
        """Do inside what goes by that name."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        node = self._node
        if isinstance(error, NotFound) and isinstance(node, DiskFile):
            raise Stale(f"nothing is at {os.fsdecode(node.path)}") from None
