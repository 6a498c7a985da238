"""What each operation of a file system means on inode numbers: the tree of `havenfs.views` with attributes.

Plain synchronous functions; no FUSE, no event loop. Any thread: tables guard themselves. Everything may wait for a disk
or a search; `slow` says for which inodes that is likely. What is not found again from its number alone raises Stale, and
the kernel then looks the path up anew.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections import OrderedDict
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

from havenfs.catalog import assets, files as catalog_files, sources
from havenfs.entities import SourceId
from havenfs.errors import (
    HavenError,
    IsADirectory,
    NotADirectory,
    NotFound,
    NotPermitted,
    Stale,
)
from havenfs.views import DiskDirectory, DiskFile, Leaf, Text, attributes, disk

from . import stats
from .credentials import Acting
from .handles import Handles, Opened
from .inodes import ASSET, HASHED, InodeTable
from .listing import Listing
from .nudge import Nudges
from .stats import LONG_S, SHORT_S, Attributes

if TYPE_CHECKING:
    from collections.abc import Generator

    from havenfs.entities import Caller, Source
    from havenfs.views.disk import Changes
    from havenfs.views.folders import Folder
    from havenfs.views.nodes import Directory, Node

    from .handles import Signature

T = TypeVar("T")

REMEMBERED = 8192  # assets lately looked up, and contents that the page cache may hold
# What our own descriptor is opened with: the kernel appends and bypasses caches by itself.
_OURS = os.O_ACCMODE | os.O_TRUNC | os.O_CREAT | os.O_EXCL
GRAVES = 1024  # removed directories that somebody still stands in
NOREPLACE, EXCHANGE = 1, 2  # of renameat2(2)


class Observer(Protocol):
    """Hears of every change of an original that was made through the mount, before its caller does."""

    def written(self, source: Source, path: bytes) -> None:
        """A file was made, or closed after its content changed."""
        ...

    def renamed(
        self,
        source: Source,
        path: bytes,
        to: Source,
        new_path: bytes,
        *,
        directory: bool,
    ) -> None:
        """A name moved, and what was there under the new one is gone."""
        ...

    def exchanged(self, source: Source, path: bytes, to: Source, new_path: bytes) -> None:
        """Two names changed places."""
        ...

    def removed(self, source: Source, path: bytes, *, directory: bool) -> None:
        """A name is gone."""
        ...


class Operations:
    """The tree as inodes."""

    def __init__(
        self,
        root: Folder,
        table: InodeTable,
        *,
        uid: int,
        gid: int,
        observer: Observer | None = None,
        nudges: Nudges | None = None,
    ) -> None:
        self.table = table
        self.library = root.scope.library
        self.handles = Handles()
        self._uid = uid
        self._gid = gid
        self._observer = observer
        self.nudges = nudges or Nudges()
        self._sources: dict[SourceId, tuple[Source, float]] = {}
        self.generation = 0
        """How often the library has changed: what was read before a change and is told after it must not be kept."""
        self._graves: dict[int, disk.Held] = {}
        self._leaves: OrderedDict[int, Leaf] = OrderedDict()
        self._seen: OrderedDict[int, Signature] = OrderedDict()
        """What the page cache may hold of an inode."""

    def slow(self, nodeid: int) -> bool:
        """Whether an operation on this inode may wait for a disk, a search or a count."""
        record = self.table.find(nodeid)
        if record is None:
            return not nodeid & ASSET
        node = record.node
        return isinstance(node, DiskFile | Text) or (not isinstance(node, Leaf) and node.slow)

    # --- nodes ----------------------------------------------------------------------------------------------

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
            self._remember(self._leaves, nodeid, leaf)
        return leaf

    def _again(self, nodeid: int) -> Node:
        """Find a node again that a predecessor told the kernel of, or that was too long ago."""
        address = self.table.address(nodeid)
        if address is not None:
            parent, name = address
            try:
                node = self._directory(parent).lookup(name)
            except NotFound:
                raise Stale(f"inode {nodeid:#x}") from None
            if self.table.number(node) == nodeid:
                return self.table.restore(node, parent, name).node
        elif not nodeid & (HASHED | ASSET) and nodeid < ASSET:
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
        if isinstance(node, DiskFile | DiskDirectory):
            try:
                status = disk.status(node.source, node.path)
            except NotFound:
                raise Stale(f"inode {nodeid:#x}") from None
            if isinstance(node, DiskFile):
                found = DiskFile(node.source, node.path, status)
            else:
                found = DiskDirectory(node.source, node.path, status, node.hidden)
            if self.table.number(found) != nodeid:
                raise Stale(f"another file is at the path of inode {nodeid:#x}")
            return found
        if isinstance(node, Text):
            return Text.of(node.key, node.render)
        return node

    def _directory(self, nodeid: int) -> Directory:
        node = self.node(nodeid)
        if isinstance(node, Leaf | Text | DiskFile):
            raise NotADirectory(f"inode {nodeid:#x}")
        return node

    # --- names ----------------------------------------------------------------------------------------------

    def lookup(self, parent: int, name: bytes, caller: Caller | None = None) -> Attributes:
        """Find a name in a directory and count the lookup. Raises NotFound and what the view raises."""
        if caller is not None and self.nudges.is_helper(caller):
            phantom = self.nudges.phantom(parent, name)
            if phantom is not None:
                return stats.of_phantom(*phantom)
        if name in (b".", b".."):  # NFS, of a handle that it kept
            return self._dots(parent, above=name == b"..")
        generation = self.generation
        found = self.admit(self._directory(parent).lookup(name), parent, name)
        return found if self.generation == generation else _briefly(found)

    def admit(self, node: Node, parent: int, name: bytes) -> Attributes:
        """Attributes of a node that the kernel is now told of, counting that lookup."""
        nodeid = self.table.admit(node, parent, name)
        if isinstance(node, Leaf):
            known = self._leaves.get(nodeid)
            if known is not None and node.hit is None and known.asset.id == node.asset.id:
                node = Leaf(node.asset, known.hit)  # its score stays known in other views
            self._remember(self._leaves, nodeid, node)
        return self.attributes(node, nodeid, self._directory(parent))

    def _dots(self, nodeid: int, *, above: bool) -> Attributes:
        node = self.node(nodeid)
        record = self.table.find(nodeid)
        if above:
            if record is None:
                raise Stale(f"inode {nodeid:#x}")  # a file: any of its names may be meant
            nodeid = record.parent
            node, record = self.node(nodeid), self.table.find(nodeid)
        if record is not None:
            self.table.admit(node, record.parent, record.name)
        return self.attributes(node, nodeid, None)

    def forget(self, nodeid: int, lookups: int) -> None:
        """The kernel dropped so many lookups."""
        self.table.forget(nodeid, lookups)
        if nodeid in self._graves and self.table.find(nodeid) is None:
            self._graves.pop(nodeid, None)

    def listing(self, nodeid: int) -> Listing:
        """A snapshot of a directory. A search in it runs here."""
        directory = self._directory(nodeid)
        generation = self.generation
        if isinstance(directory, DiskDirectory):
            self.nudges.opened(nodeid, directory.source.root + b"/" + directory.path)
        else:
            self.nudges.opened(nodeid)
        return Listing(nodeid, directory, directory.entries(), generation)

    def listed(self, listing: Listing, node: Node) -> Attributes:
        """Attributes of an entry of a listing, not counted: whoever tells the kernel of it admits it."""
        found = self.attributes(node, self.table.number(node), listing.directory)
        return found if self.generation == listing.generation else _briefly(found)

    # --- attributes -----------------------------------------------------------------------------------------

    def getattr(self, nodeid: int, handle: int | None = None) -> Attributes:
        """Attributes of an inode; of an open file also when it has no name any more."""
        opened = self.handles.get(handle) if handle is not None else self.handles.of(nodeid)
        if opened is not None and opened.source is not None and not nodeid & ASSET:
            return stats.of_original(os.fstat(opened.handle), nodeid)
        return self.attributes(self.fresh(nodeid), nodeid, None)

    def attributes(self, node: Node, nodeid: int, parent: Directory | None) -> Attributes:
        """Attributes of a node under its number, as an entry of *parent*."""
        if isinstance(node, Leaf):
            asset = node.asset
            return self._asset(asset.size, asset.mtime_ns, nodeid, parent)
        if isinstance(node, DiskFile | DiskDirectory):
            return stats.of_original(node.status, nodeid)
        record = self.table.find(nodeid)
        touched = record.touched_ns if record is not None else self.table.start_ns
        if isinstance(node, Text):
            return stats.of_text(nodeid, self._uid, self._gid, touched, node.size)
        lasting = parent is None or parent.lasting
        return stats.of_folder(
            nodeid,
            self._uid,
            self._gid,
            touched,
            entry_s=LONG_S if lasting else SHORT_S,
            attributes_s=LONG_S if node.lasting else SHORT_S,
        )

    def common(self, directory: Directory) -> Attributes:
        """What the assets listed in a directory have in common: one of no bytes, of no time, without a number."""
        return self._asset(0, 0, ASSET, directory)

    def _asset(self, size: int, mtime: int, nodeid: int, parent: Directory | None) -> Attributes:
        lasting = parent is None or parent.lasting
        return stats.of_asset(
            size, mtime, nodeid, nodeid & ~ASSET, self._uid, self._gid, lasting=lasting
        )

    def setattr(
        self, nodeid: int, changes: Changes, caller: Caller, handle: int | None = None
    ) -> Attributes:
        """Change attributes of an original. Raises NotPermitted for everything else."""
        if self.nudges.is_helper(caller):
            return self.getattr(nodeid)
        self.nudges.own_file(nodeid)
        opened = self.handles.get(handle) if handle is not None else self.handles.of(nodeid)
        if nodeid & ASSET or (opened is not None and opened.source is None):
            raise NotPermitted("this file is an answer: the original is in files/")
        if opened is not None and opened.source is not None:
            # Through its descriptor: what stands at its path now may be another file.
            writing = handle is not None and opened.writable
            disk.change_open(opened.source, opened.handle, changes, Acting(caller), writing=writing)
            found = self.getattr(nodeid, opened.handle)
            source, path = opened.source, opened.path
        else:
            node = self.node(nodeid)
            if not isinstance(node, DiskFile | DiskDirectory):
                raise NotPermitted("this folder is an answer, not a place to keep things")
            source, path = node.source, node.path
            try:
                disk.change(source, path, node.status.st_ino, changes, Acting(caller))
            except NotFound:
                raise Stale(f"inode {nodeid:#x}") from None
            found = self.getattr(nodeid)
        other = changes.size is not None or changes.mtime_ns is not None
        if other and handle is None and path is not None and stat.S_ISREG(found.mode):
            self._tell_written(source, path)
        return found

    # --- changes of names -----------------------------------------------------------------------------------

    def mknod(self, parent: int, name: bytes, mode: int, rdev: int, caller: Caller) -> Attributes:
        """Make a file, a FIFO, a socket or a device node."""
        directory = self._directory(parent)
        if self.nudges.is_helper(caller):
            return self.admit(self.nudges.appears(parent, name, directory), parent, name)
        self.nudges.own(parent, name)
        node = directory.mknod(name, mode, rdev, Acting(caller))
        if stat.S_ISREG(mode):
            self._written(node)
        return self.admit(node, parent, name)

    def mkdir(self, parent: int, name: bytes, mode: int, caller: Caller) -> Attributes:
        """Make a directory."""
        directory = self._directory(parent)
        if self.nudges.is_helper(caller):
            return self.admit(self.nudges.appears(parent, name, directory), parent, name)
        self.nudges.own(parent, name)
        return self.admit(directory.mkdir(name, mode, Acting(caller)), parent, name)

    def symlink(self, parent: int, name: bytes, target: bytes, caller: Caller) -> Attributes:
        """Make a symlink."""
        self.nudges.own(parent, name)
        return self.admit(
            self._directory(parent).symlink(name, target, Acting(caller)), parent, name
        )

    def link(self, nodeid: int, parent: int, name: bytes, caller: Caller) -> Attributes:
        """Give a file one more name."""
        self.nudges.own(parent, name)
        node = self.node(nodeid)
        directory = self._directory(parent)
        opened = self.handles.of(nodeid)
        if opened is not None and opened.path is None and isinstance(directory, DiskDirectory):
            disk.link_open(opened.handle, directory.source, directory.path_of(name), Acting(caller))
            made = directory.lookup(name)
            opened.path = directory.path_of(name)
        else:
            with _by_some_name(node):
                made = directory.link(name, node, Acting(caller))
        self._written(made)
        return self.admit(made, parent, name)

    def unlink(self, parent: int, name: bytes, caller: Caller) -> None:
        """Remove a name that is no directory's."""
        directory = self._directory(parent)
        if self.nudges.is_helper(caller):
            self.nudges.vanishes(parent, name, directory)
            return
        self.nudges.own(parent, name)
        directory.unlink(name, Acting(caller))
        self._gone(directory, name, is_directory=False)

    def rmdir(self, parent: int, name: bytes, caller: Caller) -> None:
        """Remove an empty directory."""
        directory = self._directory(parent)
        if self.nudges.is_helper(caller):
            self.nudges.vanishes(parent, name, directory)
            return
        self.nudges.own(parent, name)
        held = self._held(directory, name)
        directory.rmdir(name, Acting(caller))
        self._bury(directory, held)
        self._gone(directory, name, is_directory=True)

    def rename(
        self,
        parent: int,
        name: bytes,
        new_parent: int,
        new_name: bytes,
        flags: int,
        caller: Caller,
    ) -> None:
        """Move a name, or exchange two; renameat2(2)."""
        if flags & ~(NOREPLACE | EXCHANGE):  # RENAME_WHITEOUT is for layers of overlayfs
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        directory, target = self._directory(parent), self._directory(new_parent)
        self.nudges.own(parent, name)
        self.nudges.own(new_parent, new_name)
        held = None if flags else self._held(target, new_name)
        directory.rename(name, target, new_name, flags, Acting(caller))
        self._bury(target, held)
        if not (isinstance(directory, DiskDirectory) and isinstance(target, DiskDirectory)):
            return
        old, new = directory.path_of(name), target.path_of(new_name)
        try:
            there = target.lookup(new_name)
            here = directory.lookup(name) if flags & EXCHANGE else None
        except NotFound:
            return  # moved on by somebody else on the disk: it will be found where it is looked up
        number = self.table.number(there)
        moved = {number: (new_parent, new_name)}
        if here is not None:
            moved[self.table.number(here)] = (parent, name)
        else:
            self.handles.removed(target.source, new, other_than=number)
        paths = _Rename(directory.source, old, target.source, new, exchange=here is not None)
        deep = isinstance(there, DiskDirectory) or isinstance(here, DiskDirectory)
        self.table.moved(moved, paths, deep=deep)
        self.handles.moved(paths)
        if self._observer is None:
            return
        if here is not None:
            self._observer.exchanged(directory.source, old, target.source, new)
        else:
            self._observer.renamed(
                directory.source,
                old,
                target.source,
                new,
                directory=isinstance(there, DiskDirectory),
            )

    def _held(self, directory: Directory, name: bytes) -> disk.Held | None:
        if not isinstance(directory, DiskDirectory):
            return None
        return disk.held(directory.source, directory.path_of(name))

    def _bury(self, directory: Directory, held: disk.Held | None) -> None:
        """Keep the number of a removed directory from being given to another before the kernel has forgotten it: it
        would take the new one for the dead one, in which nothing can be made."""
        if held is None or not isinstance(directory, DiskDirectory):
            return
        status = os.fstat(held.fd)
        nodeid = self.table.original(directory.source.id, status.st_dev, status.st_ino)
        self._graves[nodeid] = held
        if self.table.find(nodeid) is None:
            self._graves.pop(nodeid, None)
        while len(self._graves) > GRAVES:
            self._graves.pop(next(iter(self._graves)), None)

    def _gone(self, directory: Directory, name: bytes, *, is_directory: bool) -> None:
        if not isinstance(directory, DiskDirectory):
            return
        path = directory.path_of(name)
        self.handles.removed(directory.source, path)
        if self._observer is not None:
            self._observer.removed(directory.source, path, directory=is_directory)

    def _written(self, node: Node) -> None:
        if isinstance(node, DiskFile):
            self._tell_written(node.source, node.path)

    def _tell_written(self, source: Source, path: bytes) -> None:
        if self._observer is not None:
            self._observer.written(source, path)

    # --- bytes ----------------------------------------------------------------------------------------------

    def create(
        self, parent: int, name: bytes, mode: int, flags: int, caller: Caller
    ) -> tuple[Attributes, Opened]:
        """Make a regular file, or open the one that is there, and open it."""
        self.nudges.own(parent, name)
        directory = self._directory(parent)
        node, descriptor = directory.create(name, flags & _OURS, mode, Acting(caller))
        opened = self._opened(node, descriptor, flags)
        opened.fresh = node.status.st_size == 0
        return self.admit(node, parent, name), opened

    def tmpfile(
        self, parent: int, mode: int, flags: int, caller: Caller
    ) -> tuple[Attributes, Opened]:
        """Make a file without a name (O_TMPFILE) and open it."""
        node, descriptor = self._directory(parent).create_unnamed(
            flags & (os.O_ACCMODE | os.O_EXCL), mode, Acting(caller)
        )
        opened = self._opened(node, descriptor, flags)
        opened.path = None
        nodeid = self.table.admit(node, parent, b"")
        return stats.of_original(node.status, nodeid), opened

    def open(self, nodeid: int, flags: int, caller: Caller) -> Opened:
        """Open a file. Raises NotPermitted for writing to what is an answer, ReadOnly in a read-only source."""
        writing = flags & os.O_ACCMODE != os.O_RDONLY or flags & os.O_TRUNC
        flags_of_ours = flags & (os.O_ACCMODE | os.O_TRUNC)
        nameless = None if nodeid & ASSET else self._nameless(nodeid)
        if nameless is not None and nameless.source is not None:
            return self._opened_again(nameless, nameless.source, flags, caller)
        node = self.node(nodeid)
        if isinstance(node, DiskFile):
            with _by_some_name(node):
                if writing:
                    descriptor = disk.open_for_writing(
                        node.source, node.path, flags_of_ours, Acting(caller)
                    )
                else:
                    # The kernel has checked modes and access lists: reading needs no change of person.
                    descriptor = disk.open_file(node.source, node.path)
            opened = self._opened(node, descriptor, flags)
            opened.fresh = bool(flags & os.O_TRUNC)  # emptied, whether or not anything is written
            if opened.nodeid != nodeid:
                self.handles.remove(opened.handle)
                os.close(opened.handle)
                raise Stale(f"another file is at the path of inode {nodeid:#x}")
            return opened
        if writing:
            raise NotPermitted("this file is an answer: the original is in files/")
        if isinstance(node, Leaf):
            source = self._source(node.asset.source_id)
            descriptor = disk.open_file(source, node.asset.path)
            return self._opened(node, descriptor, flags, source=source)
        if isinstance(node, Text):
            return self._written_out(nodeid, node, flags)
        raise IsADirectory(f"inode {nodeid:#x}")

    def _opened_again(self, nameless: Opened, source: Source, flags: int, caller: Caller) -> Opened:
        """Open a file once more that has lost its last name, through a descriptor that has it open."""
        with Acting(caller):
            descriptor = os.open(
                f"/proc/self/fd/{nameless.handle}",
                flags & (os.O_ACCMODE | os.O_TRUNC) | os.O_CLOEXEC,
            )
        opened = self._opened(DiskFile(source, b"", os.fstat(descriptor)), descriptor, flags)
        opened.path = None
        return opened

    def _opened(
        self,
        node: DiskFile | Leaf,
        descriptor: int,
        flags: int,
        *,
        source: Source | None = None,
    ) -> Opened:
        found = os.fstat(descriptor)
        if isinstance(node, Leaf):
            path, believed = node.asset.path, node.asset.size
            nodeid = self.table.number(node)
        else:
            source, path, believed = node.source, node.path, found.st_size
            nodeid = self.table.number(DiskFile(node.source, node.path, found))
        signature = (found.st_size, found.st_mtime_ns, found.st_ino)
        opened = Opened(
            descriptor,
            nodeid,
            flags,
            signature,
            source=source,
            path=path,
            keep=self._seen.get(nodeid) == signature,
            uncached=found.st_size != believed,
        )
        self._remember(self._seen, nodeid, signature)
        self.handles.add(opened)
        return opened

    def _written_out(self, nodeid: int, node: Text, flags: int) -> Opened:
        """The bytes of this moment, in memory: whoever reads on sees one version, whatever changes meanwhile."""
        descriptor = os.memfd_create("havenfs", os.MFD_CLOEXEC)
        text = memoryview(node.render())
        while text:
            text = text[os.write(descriptor, text) :]
        found = os.fstat(descriptor)
        signature = (found.st_size, found.st_mtime_ns, found.st_ino)
        opened = Opened(descriptor, nodeid, flags, signature, uncached=True)
        self.handles.add(opened)
        return opened

    def read(self, handle: int, offset: int, size: int) -> bytes:
        """Bytes of an open file; fewer only at its end."""
        return os.pread(self.handles.get(handle).handle, size, offset)

    def write(self, handle: int, offset: int, data: bytes | memoryview) -> int:
        """Write to an open file; how many bytes were taken."""
        opened = self.handles.get(handle)
        opened.fresh = True  # two writes of one size within a tick of the disk's clock look alike
        done = 0
        view = memoryview(data)
        while done < len(view):
            try:
                done += os.pwrite(opened.handle, view[done:], offset + done)
            except OSError:
                if done:
                    break  # what is written is written; the next call meets the full disk
                raise
        return done

    def flush(self, handle: int) -> None:
        """A descriptor of the file was closed: what was written becomes known now, before close returns."""
        self._announce(self.handles.get(handle))

    def release(self, handle: int) -> None:
        """Close an open file."""
        opened = self.handles.remove(handle)
        try:
            self._announce(opened)
        finally:
            os.close(opened.handle)

    def _announce(self, opened: Opened) -> None:
        """Tell the observer of a file whose content changed since it was opened, or last announced."""
        if not opened.writable or opened.source is None:
            return
        self.nudges.own_file(opened.nodeid)
        found = os.fstat(opened.handle)
        signature = (found.st_size, found.st_mtime_ns, found.st_ino)
        if signature == opened.signature and not opened.fresh:
            return
        opened.signature, opened.fresh = signature, False
        # The kernel's pages went through its own writes: they are as new as the file.
        self._remember(self._seen, opened.nodeid, signature)
        if self._observer is not None and opened.path is not None:
            self._observer.written(opened.source, opened.path)

    def fsync(self, handle: int, *, data_only: bool) -> None:
        """Bring an open file to the disk."""
        descriptor = self.handles.get(handle).handle
        (os.fdatasync if data_only else os.fsync)(descriptor)

    def fsyncdir(self, nodeid: int) -> None:
        """Bring a directory to the disk."""
        node = self._directory(nodeid)
        if isinstance(node, DiskDirectory):
            disk.fsync_directory(node.source, node.path)

    def fallocate(self, handle: int, mode: int, offset: int, length: int) -> None:
        """fallocate(2), in every mode that the disk knows."""
        opened = self.handles.get(handle)
        opened.fresh = True
        disk.fallocate(opened.handle, mode, offset, length)

    def lseek(self, handle: int, offset: int, whence: int) -> int:
        """Where the next data or hole begins (SEEK_DATA, SEEK_HOLE)."""
        return os.lseek(self.handles.get(handle).handle, offset, whence)

    def copy_file_range(
        self, handle: int, offset: int, to: int, new_offset: int, length: int
    ) -> int:
        """Copy within the disk, sharing blocks where it can; how many bytes."""
        target = self.handles.get(to)
        target.fresh = True
        return os.copy_file_range(
            self.handles.get(handle).handle,
            target.handle,
            length,
            offset_src=offset,
            offset_dst=new_offset,
        )

    def readlink(self, nodeid: int) -> bytes:
        """The target of a symlink in `files/`."""
        node = self.node(nodeid)
        if not isinstance(node, DiskFile):
            raise NotPermitted(f"inode {nodeid:#x} is no symlink")
        with _by_some_name(node):
            return disk.readlink(node.source, node.path)

    # --- extended attributes --------------------------------------------------------------------------------

    def getxattr(self, nodeid: int, name: bytes) -> bytes:
        """The value of an extended attribute. Raises NoAttribute, Unsupported."""
        opened = self._nameless(nodeid)
        if opened is not None:
            return os.getxattr(opened.handle, attributes.plain(name))
        with _by_some_name(node := self.node(nodeid)):
            return attributes.value(self.library, node, name)

    def listxattr(self, nodeid: int) -> list[bytes]:
        """The names of the extended attributes that have a value."""
        opened = self._nameless(nodeid)
        if opened is not None:
            return [os.fsencode(name) for name in os.listxattr(opened.handle)]
        with _by_some_name(node := self.node(nodeid)):
            return attributes.names(self.library, node)

    def setxattr(self, nodeid: int, name: bytes, value: bytes, flags: int, caller: Caller) -> None:
        """Set an extended attribute of an original. Raises Unsupported, NotPermitted."""
        self.nudges.own_file(nodeid)
        opened = self._nameless(nodeid)
        if opened is not None:
            with Acting(caller):
                os.setxattr(opened.handle, attributes.plain(name), value, flags)
            return
        with _by_some_name(node := self.node(nodeid)):
            attributes.set_value(node, name, value, flags, Acting(caller))

    def removexattr(self, nodeid: int, name: bytes, caller: Caller) -> None:
        """Remove an extended attribute of an original. Raises Unsupported, NotPermitted."""
        self.nudges.own_file(nodeid)
        opened = self._nameless(nodeid)
        if opened is not None:
            with Acting(caller):
                os.removexattr(opened.handle, attributes.plain(name))
            return
        with _by_some_name(node := self.node(nodeid)):
            attributes.remove(node, name, Acting(caller))

    def _nameless(self, nodeid: int) -> Opened | None:
        """The open file of an original that has lost its name, or never had one."""
        opened = self.handles.of(nodeid)
        lost = opened is not None and opened.source is not None and opened.path is None
        return opened if lost else None

    # --- the rest -------------------------------------------------------------------------------------------

    def statfs(self, nodeid: int) -> os.statvfs_result:
        """The disk that an inode lies on; for an answer that of the first source, or of the catalog."""
        node = self.node(nodeid)
        if isinstance(node, DiskFile | DiskDirectory):
            return disk.statvfs(node.source)
        for source in self.library.catalog.read(sources.present):
            try:
                return disk.statvfs(source)
            except (HavenError, OSError):
                continue  # that disk is away: the next is as good an answer
        return os.statvfs(self.library.catalog.path.parent)

    def _source(self, source_id: SourceId) -> Source:
        """The source, remembered for a moment."""
        source, until = self._sources.get(source_id, (None, 0.0))
        now = time.monotonic()
        if source is None or now > until:
            source = self.library.catalog.glance(sources.get, source_id)
            self._sources[source_id] = source, now + SHORT_S
        return source

    def news(self) -> None:
        """The library changed, and the kernel is about to be told."""
        self.generation += 1
        self._leaves.clear()

    def _remember(self, where: OrderedDict[int, T], nodeid: int, what: T) -> None:
        where[nodeid] = what
        while len(where) > REMEMBERED:
            with suppress(KeyError):  # two threads, and nothing left
                where.popitem(last=False)


@contextmanager
def _by_some_name(node: Node) -> Generator[None]:
    """A file that has lost the name by which it was last found may have others: told so, the kernel looks one up."""
    try:
        yield
    except NotFound:
        if isinstance(node, DiskFile):
            raise Stale(f"nothing is at {os.fsdecode(node.path)}") from None
        raise


class _Rename:
    """Where paths are after a rename."""

    def __init__(
        self, source: Source, old: bytes, to: Source, new: bytes, *, exchange: bool
    ) -> None:
        self._ways = [(source, old, to, new)]
        if exchange:
            self._ways.append((to, new, source, old))

    def __call__(self, source: Source, path: bytes) -> tuple[Source, bytes] | None:
        """The new place of a path; None if it stays."""
        for here, old, there, new in self._ways:
            if source.id == here.id and (path == old or path.startswith(old + b"/")):
                return there, new + path[len(old) :]
        return None


def _briefly(found: Attributes) -> Attributes:
    """Read before the library changed, told after the kernel was told of that: right for `ls`, not for long."""
    found.entry_s = min(found.entry_s, SHORT_S)
    found.attributes_s = min(found.attributes_s, SHORT_S)
    return found


def _parts(nodeid: int) -> tuple[SourceId, int]:
    number = nodeid & ~ASSET
    return SourceId(number >> 48), number & (1 << 48) - 1
