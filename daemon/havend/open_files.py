"""Open files: their bytes, and what becomes known of them when they are closed.

Plain and synchronous. Any thread.
"""

from __future__ import annotations

import errno
import logging
import os
from typing import TYPE_CHECKING, Protocol

from havenfs import mounts
from havenfs.bounded import Bounded
from havenfs.entities import Caller
from havenfs.errors import HavenError, IsADirectory, NotFound, NotPermitted, Stale
from havenfs.originals import disk, staging
from havenfs.originals.at_once import may_wait
from havenfs.views import DiskFile, Folder, Leaf, Text, readme
from havenfs.views.fillable import Fillable, closed
from havenfs.views.uploads.loose import MEMORY

from .credentials import Acting, Spending
from .handles import Handles, Opened, signature_of
from .inodes import ASSET, InodeTable
from .nodes import REMEMBERED, ByName, Nodes
from .nudge import Nudges

if TYPE_CHECKING:
    from typing import NoReturn

    from havenfs.entities import Source
    from havenfs.views.uploads.loose import Loose

    from .handles import Signature

log = logging.getLogger(__name__)


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


class OpenFiles(Nodes):
    """The tree as inodes, with open files."""

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
        super().__init__(root, table, uid=uid, gid=gid)
        self.handles = Handles()
        self.observer = observer
        self.nudges = nudges or Nudges()
        self.library.loose.told = self._filed
        self._seen: Bounded[int, Signature] = Bounded(REMEMBERED)
        """What the page cache may hold of an inode."""

    def open(self, nodeid: int, flags: int, caller: Caller) -> Opened:
        """Open a file. Raises NotPermitted for writing to what is an answer, ReadOnly in a read-only source, and Stale where
        another file has taken its place on disk."""
        opened = self._open(nodeid, flags, caller)
        if opened.nodeid != nodeid:
            self.release(opened.handle)
            raise Stale(f"another file is at the path of inode {nodeid:#x}")
        opened.uid = caller.uid
        return opened

    def _open(self, nodeid: int, flags: int, caller: Caller) -> Opened:
        writing = flags & os.O_ACCMODE != os.O_RDONLY or flags & os.O_TRUNC
        if not nodeid & ASSET and self.handles.has(nodeid):
            with self.handles.lend(nodeid) as lent:
                if lent is not None and lent.source is not None and lent.nameless:
                    return self._opened_again(lent, lent.source, flags, caller)
        node = self.node(nodeid)
        if isinstance(node, DiskFile):
            if writing:
                self._still_there(node)
            with ByName(node):
                if writing:
                    descriptor, found = _opened_for_writing(node, flags, caller)
                else:
                    # The kernel has checked modes and access lists: reading needs no change of person.
                    descriptor, found = disk.open_file(node.source, node.path)
            opened = self.opened(node.source, node.path, descriptor, found, flags)
            opened.fresh = bool(flags & os.O_TRUNC)  # emptied, whether or not anything is written
            return opened
        if writing:
            if isinstance(node, Text) and node.fleeting:
                self._make_way(nodeid)
            raise NotPermitted("this file is an answer: the original is in files/")
        if isinstance(node, Leaf):
            source = self.source(node.asset.source_id)
            descriptor, found = disk.open_file(source, node.asset.path)
            return self.opened(source, node.asset.path, descriptor, found, flags, asset=node)
        if isinstance(node, Text):
            return self._written_out(nodeid, node, flags)
        raise IsADirectory(f"inode {nodeid:#x}")

    def _make_way(self, nodeid: int) -> NoReturn:
        """Somebody writes where a text stands in for what is not there: raises Stale, so that the kernel looks the name up
        anew, and finds it free."""
        record = self.table.find(nodeid)
        if record is not None:
            self.stirring(record.parent, record.name)
        raise Stale(f"inode {nodeid:#x} has made way")

    def stirring(self, parent: int, name: bytes) -> bool:
        """Something is about to be changed in a directory, by this name. Whether the name means README.txt alone, which has
        made way then."""
        directory = self.directory(parent)
        if not isinstance(directory, Folder) or not directory.guide:
            return False
        meant = directory.stir(name)
        if self.table.folder(f"{directory.key}/{readme.NAME}") is not None:
            self.doubtful.append((parent, readme.NAME.encode()))
        return meant

    def _opened_again(self, nameless: Opened, source: Source, flags: int, caller: Caller) -> Opened:
        """Open a file once more that has lost its last name, through a descriptor that has it open."""
        may_wait()
        with Acting(caller):
            descriptor = os.open(
                f"/proc/self/fd/{nameless.handle}",
                flags & (os.O_ACCMODE | os.O_TRUNC) | os.O_CLOEXEC,
            )
        return self.opened(source, None, descriptor, os.fstat(descriptor), flags)

    def opened(
        self,
        source: Source,
        path: bytes | None,
        descriptor: int,
        found: os.stat_result,
        flags: int,
        *,
        asset: Leaf | None = None,
    ) -> Opened:
        if asset is not None:
            nodeid, believed = self.table.number(asset), asset.asset.size
        else:
            nodeid = self.table.original(source.id, found.st_dev, found.st_ino)
            believed = found.st_size
        signature = signature_of(found)
        opened = Opened(
            descriptor,
            nodeid,
            flags,
            signature,
            source=source,
            path=path,
            keep=self._seen.get(nodeid) == signature,
            uncached=found.st_size != believed,
            local=mounts.local(found.st_dev),
        )
        self._seen[nodeid] = signature
        if path is not None and asset is None:
            self._count(opened, self.library.loose.at(source, path))
        self.handles.add(opened)
        return opened

    def _still_there(self, node: DiskFile) -> None:
        """Raises Stale for a fresh upload that somebody took out of the folder in which it was made, so that the kernel looks
        the name up anew: it is free for another one."""
        loose = self.library.loose.at(node.source, node.path)
        folder = self.table.folder(loose.folder) if loose is not None else None
        if loose is None or folder is None or not isinstance(folder.node, Fillable):
            return
        try:
            folder.node.lookup(loose.name)
        except NotFound:
            raise Stale(f"{loose.name!r} was taken out") from None

    def _count(self, opened: Opened, loose: Loose | None) -> None:
        if loose is not None:
            opened.loose = loose
            self.library.loose.opened(loose)
            if opened.flags & os.O_TRUNC:
                loose.failed = 0

    def _filed(self, loose: Loose, before: bytes) -> None:
        """A loose file is an original: whoever has it open, and whoever was told of it, has that."""

        def paths(source: Source, path: bytes) -> tuple[Source, bytes] | None:
            return (source, loose.path) if (source.id, path) == (loose.source.id, before) else None

        found = os.fstat(loose.descriptor)
        nodeid = self.table.original(loose.source.id, found.st_dev, found.st_ino)
        record = self.table.find(nodeid)
        if record is not None:
            self.table.moved({nodeid: (record.parent, record.name)}, paths, deep=False)
        self.handles.moved(paths)

    def adopt(self, opened: Opened) -> None:
        """Take up an open file of a predecessor that waits to be filed. Raises Stale if nobody knows any more where."""
        if opened.source is None or opened.path is None or not staging.waits(opened.path):
            return
        loose = self.library.loose.at(opened.source, opened.path)
        if loose is None:
            address = self.table.address(opened.nodeid)
            folder = self.directory(address[0]) if address is not None else None
            if address is None or not isinstance(folder, Fillable):
                raise Stale(f"inode {opened.nodeid:#x}")
            found = os.fstat(opened.handle)
            rights = Acting(Caller(found.st_uid, found.st_gid, 0))
            descriptor = os.dup(opened.handle)
            folder.adopt(address[1], opened.source, opened.path, descriptor, rights)
            loose = self.library.loose.at(opened.source, opened.path)
        self._count(opened, loose)

    def _written_out(self, nodeid: int, node: Text, flags: int) -> Opened:
        """The bytes of this moment, in memory: whoever reads on sees one version, whatever changes meanwhile."""
        descriptor = os.memfd_create("havenfs", os.MFD_CLOEXEC)
        text = memoryview(node.render())
        while text:
            text = text[os.write(descriptor, text) :]
        found = os.fstat(descriptor)
        signature = signature_of(found)
        opened = Opened(descriptor, nodeid, flags, signature, uncached=True)
        self.handles.add(opened)
        return opened

    def read(self, handle: int, offset: int, size: int) -> bytes:
        """Bytes of an open file; fewer only at its end."""
        return os.pread(self.handles.get(handle).handle, size, offset)

    def write(self, handle: int, offset: int, data: bytes | memoryview) -> int:
        """Write to an open file; how many bytes were taken."""
        opened = self.handles.get(handle)
        self._grow(opened, offset + len(data))
        opened.fresh = True  # two writes of one size within a tick of the disk's clock look alike
        done = 0
        view = memoryview(data)
        with Spending(opened.uid):
            while done < len(view):
                try:
                    done += os.pwrite(opened.handle, view[done:], offset + done)
                except OSError as error:
                    if done:
                        break  # what is written is written; the next call meets the full disk
                    if opened.loose is not None:
                        opened.loose.failed = error.errno or errno.EIO
                    raise
        return done

    def _grow(self, opened: Opened, end: int) -> None:
        if opened.source is not None and opened.source.id == MEMORY:
            self.library.loose.grow(opened.source, opened.path, end)

    def flush(self, handle: int) -> None:
        """A descriptor of the file was closed: what was written becomes known now, before close returns.

        What was put into a folder that people fill is filed; raises InvalidName if it is none of ours.
        """
        opened = self.handles.get(handle)
        if opened.loose is not None and opened.writable:
            closed(self.library, opened.loose)
        self._announce(opened)

    def release(self, handle: int) -> None:
        """Close an open file."""
        opened = self.handles.remove(handle)
        try:
            if opened.loose is not None:
                self._let_loose(opened.loose, written=opened.writable)
            self._announce(opened)
        finally:
            self.handles.close(opened)

    def _let_loose(self, loose: Loose, *, written: bool) -> None:
        """The last flush may have been before the last page of a mapping was written; nobody hears of errors now."""
        try:
            if written:
                closed(self.library, loose)
        except (HavenError, OSError) as error:
            log.info("something that was put into a folder is not kept: %s", error)
            loose.refused = True
        self.library.loose.released(loose)

    def _announce(self, opened: Opened) -> None:
        """Tell the observer of a file whose content changed since it was opened, or last announced."""
        if not opened.writable or opened.source is None:
            return
        self.nudges.own_file(opened.nodeid)
        found = os.fstat(opened.handle)
        signature = signature_of(found)
        if signature == opened.signature and not opened.fresh:
            return
        opened.signature, opened.fresh = signature, False
        # The kernel's pages went through its own writes: they are as new as the file.
        self._seen[opened.nodeid] = signature
        if opened.path is not None:
            self.tell_written(opened.source, opened.path)

    def fsync(self, handle: int, *, data_only: bool) -> None:
        """Bring an open file to the disk."""
        descriptor = self.handles.get(handle).handle
        (os.fdatasync if data_only else os.fsync)(descriptor)

    def fallocate(self, handle: int, mode: int, offset: int, length: int) -> None:
        """fallocate(2), in every mode that the disk knows."""
        opened = self.handles.get(handle)
        self._grow(opened, offset + length)
        opened.fresh = True
        with Spending(opened.uid):
            disk.fallocate(opened.handle, mode, offset, length)

    def lseek(self, handle: int, offset: int, whence: int) -> int:
        """Where the next data or hole begins (SEEK_DATA, SEEK_HOLE)."""
        return os.lseek(self.handles.get(handle).handle, offset, whence)

    def copy_file_range(
        self, handle: int, offset: int, to: int, new_offset: int, length: int
    ) -> int:
        """Copy within the disk, sharing blocks where it can; how many bytes."""
        target = self.handles.get(to)
        self._grow(target, new_offset + length)
        target.fresh = True
        with Spending(target.uid):
            return os.copy_file_range(
                self.handles.get(handle).handle,
                target.handle,
                length,
                offset_src=offset,
                offset_dst=new_offset,
            )

    def tell_written(self, source: Source, path: bytes) -> None:
        if self.observer is not None:
            self.observer.written(source, path)


def _opened_for_writing(node: DiskFile, flags: int, caller: Caller) -> tuple[int, os.stat_result]:
    ours = flags & (os.O_ACCMODE | os.O_TRUNC)
    try:
        return disk.open_for_writing(node.source, node.path, ours, Acting(caller))
    except PermissionError as error:
        if error.errno != errno.EPERM or not flags & os.O_APPEND:
            raise
    # A file that may only be appended to (chattr +a): of others the kernel says where to write, better than the disk would.
    return disk.open_for_writing(node.source, node.path, ours | os.O_APPEND, Acting(caller))
