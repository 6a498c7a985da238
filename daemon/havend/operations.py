"""What each operation of a file system means on inode numbers: the tree of `havenfs.views` with attributes.

Plain synchronous functions; no FUSE, no event loop. Threading: what is marked "any thread" only reads the table and may
wait for a disk or a search; the rest changes the table and belongs to the one thread that serves the kernel. `slow` says
which inodes deserve a thread.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from havenfs.catalog import sources
from havenfs.errors import Exists, IsADirectory, NotADirectory, NotPermitted, ReadOnly
from havenfs.views import DiskDirectory, DiskFile, Leaf, Text, attributes, files
from havenfs.views.files import Sources
from havenfs.views.search import Searches

if TYPE_CHECKING:
    from havenfs.views.tree import Directory, Entry, Folder, Node

    from .inodes import InodeTable, Record

LONG_S = 300.0  # names and attributes whose changes are announced to the kernel
SHORT_S = 1.0  # everything else: long enough for `ls -l`, short enough for people
LINKS = 5  # an asset stands in files/, by-date/, places/, types/ and .haven/by-id/; du and rsync -H count it once
WRITING = os.O_WRONLY | os.O_RDWR | os.O_TRUNC | os.O_APPEND


@dataclass(slots=True)
class Attributes:
    """What stat shows, and how long the kernel may believe it."""

    number: int
    mode: int
    nlink: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    atime_ns: int
    ctime_ns: int
    rdev: int = 0
    blocks: int = 0
    """Of 512 bytes."""
    entry_s: float = SHORT_S
    attributes_s: float = SHORT_S


@dataclass(slots=True)
class Listing:
    """A directory as it was when it was opened. An entry's place in it is its cookie, good for the handle's life."""

    number: int
    directory: Directory
    entries: list[Entry]
    begun: bool = False


@dataclass(slots=True)
class Opened:
    """An open file: a descriptor of the original, or the bytes of a Text."""

    number: int
    descriptor: int | None = None
    text: bytes = b""
    size: int = 0
    signature: tuple[int, int, int] | None = None
    """(size, mtime_ns, st_ino) of the original when it was opened."""
    uncached: bool = False
    """The kernel believes another size: it must ask for every read instead of trusting that size."""
    nowait: bool = field(default=True)
    """Whether this file's disk can say "not in memory" instead of making us wait."""


class Operations:
    """The tree as inodes."""

    def __init__(self, root: Folder, table: InodeTable, *, uid: int, gid: int) -> None:
        self.table = table
        self.library = root.scope.library
        self._uid = uid
        self._gid = gid

    def slow(self, number: int) -> bool:
        """Whether an operation on this inode may wait for a disk, a search or a count (any thread)."""
        record = self.table.find(number)
        if record is None:
            return False
        node = record.node
        if isinstance(node, Leaf):
            return False
        return isinstance(node, DiskFile | Text) or node.slow

    # --- names ----------------------------------------------------------------------------------------------

    def find(self, parent: int, name: bytes) -> Node:
        """The node of a name in a directory (any thread). Raises NotFound and what the view raises."""
        return self._directory(parent).lookup(name)

    def admit(self, node: Node, parent: int, name: bytes) -> Attributes:
        """Attributes of a node that the kernel is now told of, counting that lookup."""
        record = self.table.admit(node, parent, name)
        return self.attributes(record.node, record.number, self._directory(parent))

    def lookup(self, parent: int, name: bytes) -> Attributes:
        """Find a name and count the lookup."""
        return self.admit(self.find(parent, name), parent, name)

    def listing(self, number: int) -> Listing:
        """A snapshot of a directory (any thread). A search in it runs here."""
        directory = self._directory(number)
        return Listing(number, directory, directory.entries())

    # --- attributes -----------------------------------------------------------------------------------------

    def fresh(self, number: int) -> Node:
        """The node of an inode as it is now (any thread): what is on disk is asked again."""
        record = self.table.get(number)
        node = record.leaf or record.node
        if isinstance(node, DiskFile):
            return DiskFile(node.source, node.path, files.status(node.source, node.path))
        if isinstance(node, DiskDirectory):
            status = files.status(node.source, node.path)
            return DiskDirectory(node.source, node.path, status, node.hidden)
        if isinstance(node, Text):
            return Text.of(node.key, node.render)
        return node

    def getattr(self, number: int) -> Attributes:
        """Attributes of an inode. What both a view and `files/` show is answered as the view does: the kernel asks
        this before it refuses access, and the view is the more permissive of the two."""
        return self.attributes(self.fresh(number), number, None)

    def attributes(self, node: Node, number: int, parent: Directory | None) -> Attributes:
        """Attributes of a node under its number, as an entry of *parent*."""
        entry_s = LONG_S if parent is None or parent.lasting else SHORT_S
        if isinstance(node, Leaf):
            mtime = node.asset.mtime_ns
            return Attributes(
                number=number,
                mode=stat.S_IFREG | 0o444,
                nlink=LINKS,
                uid=self._uid,
                gid=self._gid,
                size=node.asset.size,
                mtime_ns=mtime,
                atime_ns=mtime,
                ctime_ns=mtime,
                blocks=(node.asset.size + 511) // 512,
                entry_s=entry_s,
                attributes_s=LONG_S,
            )
        if isinstance(node, DiskFile | DiskDirectory):
            found = node.status
            return Attributes(
                number=number,
                mode=found.st_mode,
                nlink=max(found.st_nlink, 2 if stat.S_ISDIR(found.st_mode) else 1),
                uid=found.st_uid,
                gid=found.st_gid,
                size=found.st_size,
                mtime_ns=found.st_mtime_ns,
                atime_ns=found.st_atime_ns,
                ctime_ns=found.st_ctime_ns,
                rdev=found.st_rdev,
                blocks=found.st_blocks,
            )
        record = self.table.find(number)
        touched = record.touched_ns if record is not None else self.table.start_ns
        if isinstance(node, Text):
            return self._computed(
                number, stat.S_IFREG | 0o444, 1, node.size, touched, SHORT_S, SHORT_S
            )
        kept = LONG_S if node.lasting else SHORT_S
        return self._computed(number, stat.S_IFDIR | 0o555, 2, 0, touched, entry_s, kept)

    def _computed(
        self,
        number: int,
        mode: int,
        nlink: int,
        size: int,
        when: int,
        entry_s: float,
        kept_s: float,
    ) -> Attributes:
        return Attributes(
            number=number,
            mode=mode,
            nlink=nlink,
            uid=self._uid,
            gid=self._gid,
            size=size,
            mtime_ns=when,
            atime_ns=when,
            ctime_ns=when,
            entry_s=entry_s,
            attributes_s=kept_s,
        )

    # --- bytes ----------------------------------------------------------------------------------------------

    def open(self, number: int, flags: int) -> Opened:
        """Open a file for reading (any thread). Raises ReadOnly or NotPermitted for writing."""
        record = self.table.get(number)
        if flags & WRITING:
            self._refuse(record)
        node = record.leaf or record.node
        if isinstance(node, Text):
            text = node.render()
            return Opened(number, text=text, size=len(text), uncached=True)
        if isinstance(node, Leaf):
            source = self.library.catalog.read(sources.get, node.asset.source_id)
            path, believed = node.asset.path, node.asset.size
        elif isinstance(node, DiskFile):
            source, path, believed = node.source, node.path, node.status.st_size
        else:
            raise IsADirectory(f"inode {number}")
        descriptor = files.open_file(source, path)
        found = os.fstat(descriptor)
        return Opened(
            number,
            descriptor,
            size=found.st_size,
            signature=(found.st_size, found.st_mtime_ns, found.st_ino),
            uncached=found.st_size != believed,
        )

    def opened(self, file: Opened) -> bool:
        """Note an open; True if the pages that the kernel holds of the file are still good."""
        record = self.table.find(file.number)
        if record is None or file.signature is None:
            return False
        same = record.opened == file.signature
        record.opened = file.signature
        return same

    def readlink(self, number: int) -> bytes:
        """The target of a symlink in `files/` (any thread)."""
        node = self.table.get(number).node
        if not isinstance(node, DiskFile):
            raise NotPermitted(f"inode {number} is no symlink")
        return files.readlink(node.source, node.path)

    # --- extended attributes --------------------------------------------------------------------------------

    def getxattr(self, number: int, name: bytes) -> bytes:
        """The value of an extended attribute (any thread). Raises NoAttribute, Unsupported."""
        record = self.table.get(number)
        return attributes.value(self.library, self._described(record, name), name)

    def listxattr(self, number: int) -> list[bytes]:
        """The names of the extended attributes that have a value (any thread)."""
        record = self.table.get(number)
        found = attributes.names(self.library, record.leaf or record.node)
        if record.leaf is not None and isinstance(record.disk, DiskFile):
            found += [
                name for name in attributes.names(self.library, record.disk) if name not in found
            ]
        return found

    def setxattr(self, number: int, name: bytes) -> NoReturn:
        """Refuse. Raises ReadOnly in `files/`, Unsupported for names without meaning, else NotPermitted."""
        record = self.table.get(number)
        if not isinstance(record.node, DiskFile | DiskDirectory | Sources):
            attributes.refuse(name)
        self._refuse(record)

    # --- the rest -------------------------------------------------------------------------------------------

    def statfs(self) -> os.statvfs_result:
        """The disk of the first source (any thread); of the catalog while there is none."""
        for source in self.library.catalog.read(sources.present):
            try:
                return os.statvfs(source.root)
            except OSError:
                continue  # that disk is away: the next is as good an answer
        return os.statvfs(self.library.catalog.path.parent)

    def refuse(self, number: int, *, mkdir: bool = False) -> NoReturn:
        """Refuse a change of an inode, or of a name in it. Raises ReadOnly in `files/`, Exists, NotPermitted."""
        record = self.table.get(number)
        if mkdir and isinstance(record.node, Searches):
            raise Exists("every search is there already")
        self._refuse(record)

    def _refuse(self, record: Record) -> NoReturn:
        if isinstance(record.node, DiskFile | DiskDirectory | Sources):
            raise ReadOnly("originals are not changed by this version")
        raise NotPermitted("this folder is an answer, not a place to keep things")

    def _directory(self, number: int) -> Directory:
        node = self.table.get(number).node
        if isinstance(node, Leaf | Text | DiskFile):
            raise NotADirectory(f"inode {number}")
        return node

    def _described(self, record: Record, name: bytes) -> Node:
        """Of a file with two faces, the one that knows the attribute."""
        if record.leaf is None:
            return record.node
        if record.disk is not None and name.decode(errors="replace") not in attributes.KNOWN:
            return record.disk
        return record.leaf
