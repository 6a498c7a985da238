"""What each operation of a file system means on inode numbers: the tree of `havenfs.views` with attributes.

Plain synchronous functions; no FUSE, no event loop. Any thread: tables guard themselves. Everything may wait for a disk
or a search; `slow` says for which inodes that is likely. What is not found again from its number alone raises Stale, and
the kernel then looks the path up anew.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from havenfs.catalog import sources
from havenfs.errors import (
    HavenError,
    NotFound,
    NotPermitted,
    Stale,
)
from havenfs.originals import disk, metadata
from havenfs.originals.at_once import may_wait
from havenfs.views import DiskDirectory, DiskFile, Folder, attributes
from havenfs.views.inbox import Inbox
from havenfs.views.uploads.loose import MEMORY

from . import stats
from .credentials import Acting
from .inodes import ASSET, COMPUTED
from .listing import Listing
from .nodes import ByName, briefly
from .open_files import OpenFiles

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

    from havenfs.entities import Caller, Source
    from havenfs.originals.metadata import Changes
    from havenfs.views.nodes import Directory, Node

    from .handles import Loan, Opened
    from .stats import Attributes


NOREPLACE, EXCHANGE = 1, 2  # of renameat2(2)
_OURS = os.O_ACCMODE | os.O_TRUNC | os.O_CREAT | os.O_EXCL
"""What our own descriptor is opened with: the kernel appends and bypasses caches by itself."""


class Operations(OpenFiles):
    """The tree as inodes, and every operation on it."""

    # --- names ------------------------------------------------------------------------------------------

    def lookup(self, parent: int, name: bytes, caller: Caller | None = None) -> Attributes:
        """Find a name in a directory and count the lookup. Raises NotFound and what the view raises."""
        if caller is not None and self.nudges.is_helper(caller):
            phantom = self.nudges.phantom(parent, name)
            if phantom is not None:
                return stats.of_phantom(*phantom)
        if name in (b".", b".."):  # NFS, of a handle that it kept
            return self._dots(parent, above=name == b"..")
        generation = self.generation
        try:
            node = self.directory(parent).lookup(name)
        except NotFound as error:
            if self.nudges.is_going(parent, name):  # not NotFound, which the kernel would remember
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
            raise
        found = self.admit(node, parent, name)
        return found if self.generation == generation else briefly(found)

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
        self.graves.forget(nodeid, last=self.table.find(nodeid) is None)

    def listing(self, nodeid: int) -> Listing:
        """A snapshot of a directory. A search in it runs here."""
        directory = self.directory(nodeid)
        generation = self.generation
        if (real := backing(directory)) is not None:
            self.nudges.opened(nodeid, disk.path(real.source, real.path))
        else:
            self.nudges.opened(nodeid)
        try:
            return Listing(nodeid, directory, directory.entries(), generation)
        except BaseException:
            self.nudges.closed(nodeid)
            raise

    # --- attributes -------------------------------------------------------------------------------------

    def getattr(self, nodeid: int, handle: int | None = None) -> Attributes:
        """Attributes of an inode; of an open file also when it has no name any more."""
        with self._opened(nodeid, handle) as opened:
            if opened is not None and opened.source is not None and not nodeid & ASSET:
                if not opened.local:
                    may_wait()
                return stats.of_original(os.fstat(opened.handle), nodeid)
        return self.attributes(self.fresh(nodeid), nodeid, None)

    def _opened(
        self, nodeid: int, handle: int | None
    ) -> Loan | AbstractContextManager[Opened | None]:
        """The open file of a request: the one that it names, or any of the inode."""
        if handle is not None:
            return nullcontext(self.handles.get(handle))
        return self.handles.lend(nodeid)

    def setattr(
        self, nodeid: int, changes: Changes, caller: Caller, handle: int | None = None
    ) -> Attributes:
        """Change attributes of an original; a folder that people fill keeps none, but takes what `cp -a` and rsync bring.
        Raises NotPermitted for everything else."""
        if self.nudges.is_helper(caller):
            return self.getattr(nodeid)
        self.nudges.own_file(nodeid)
        with self._opened(nodeid, handle) as opened:
            found, source, path = self._changed(
                nodeid, changes, caller, opened, named=handle is not None
            )
        if handle is not None or (changes.size is None and changes.mtime_ns is None):
            return found
        if source is not None and path is not None and stat.S_ISREG(found.mode):
            self.tell_written(source, path)
        return found

    def _changed(
        self, nodeid: int, changes: Changes, caller: Caller, opened: Opened | None, *, named: bool
    ) -> tuple[Attributes, Source | None, bytes | None]:
        record = self.table.find(nodeid)
        if record is not None and isinstance(record.node, DiskFile):
            disk.untouched(record.node.path)
        if nodeid & ASSET or (opened is not None and opened.source is None):
            raise NotPermitted("this file is an answer: the original is in files/")
        if opened is not None and opened.source is not None:
            self._grow(opened, changes.size or 0)
            if changes.size == 0 and opened.loose is not None:
                opened.loose.failed = 0  # begun anew
            # Through its descriptor: what stands at its path now may be another file.
            writing = named and opened.writable
            metadata.change_open(
                opened.source, opened.handle, changes, Acting(caller), writing=writing
            )
            found = stats.of_original(os.fstat(opened.handle), nodeid)
            return found, opened.source, opened.path
        node = self.node(nodeid)
        if isinstance(node, Folder):
            found = self.attributes(node, nodeid, None)
            if node.fillable and (real := node.on_disk()) is not None:
                node = real
            # Times, which nobody looks for there; and what is so already.
            elif node.fillable and not changes.differ(found.mode, found.uid, found.gid):
                return found, None, None
        if not isinstance(node, DiskFile | DiskDirectory):
            raise NotPermitted("this folder is an answer, not a place to keep things")
        if node.source.id == MEMORY:
            self.library.loose.grow(node.source, node.path, changes.size or 0)
        try:
            metadata.change(node.source, node.path, node.status.st_ino, changes, Acting(caller))
        except NotFound:
            raise Stale(f"inode {nodeid:#x}") from None
        return self.getattr(nodeid), node.source, node.path

    # --- changes of names -------------------------------------------------------------------------------

    def _changing(self, parent: int, name: bytes) -> bool:
        """A name is about to change through the mount. Whether that is README.txt, which stands for nothing."""
        self.nudges.own(parent, name)
        return self.stirring(parent, name)

    def mknod(self, parent: int, name: bytes, mode: int, rdev: int, caller: Caller) -> Attributes:
        """Make a file, a FIFO, a socket or a device node."""
        directory = self.directory(parent)
        if self.nudges.is_helper(caller):
            return self.admit(self.nudges.appears(parent, name, directory), parent, name)
        self._changing(parent, name)
        node = directory.mknod(name, mode, rdev, Acting(caller))
        if stat.S_ISREG(mode):
            self._written(node)
        return self.admit(node, parent, name)

    def mkdir(self, parent: int, name: bytes, mode: int, caller: Caller) -> Attributes:
        """Make a directory."""
        directory = self.directory(parent)
        if self.nudges.is_helper(caller):
            return self.admit(self.nudges.appears(parent, name, directory), parent, name)
        self._changing(parent, name)
        made = directory.mkdir(name, mode, Acting(caller))
        if isinstance(made, Folder):
            made.stir()  # whoever makes a folder is about to fill it
        return self.admit(made, parent, name)

    def symlink(self, parent: int, name: bytes, target: bytes, caller: Caller) -> Attributes:
        """Make a symlink."""
        self._changing(parent, name)
        return self.admit(
            self.directory(parent).symlink(name, target, Acting(caller)), parent, name
        )

    def link(self, nodeid: int, parent: int, name: bytes, caller: Caller) -> Attributes:
        """Give a file one more name."""
        self._changing(parent, name)
        node = self.node(nodeid)
        directory = self.directory(parent)
        real = backing(directory)
        made: Node | None = None
        with self.handles.lend(nodeid) as opened:
            if opened is not None and opened.path is None and real is not None:
                path = real.path_of(name)
                # It has no name left at all? Then by the one that was looked up.
                with suppress(NotFound):
                    disk.link_open(opened.handle, real.source, path, Acting(caller))
                    made = directory.lookup(name)
                    opened.path = path
        if made is None:
            with ByName(node):
                made = directory.link(name, node, Acting(caller))
        self._written(made)
        found = self.admit(made, parent, name)
        if real is None:
            self.doubtful.append((parent, name))
        return found

    def unlink(self, parent: int, name: bytes, caller: Caller) -> None:
        """Remove a name that is no directory's."""
        directory = self.directory(parent)
        if self.nudges.is_helper(caller):
            self.nudges.vanishes(parent, name, directory)
            return
        if self._changing(parent, name):
            return  # README.txt: it is not shown for a while
        with self._burying(directory, name):
            directory.unlink(name, Acting(caller))
        self._gone(directory, name, is_directory=False)

    def rmdir(self, parent: int, name: bytes, caller: Caller) -> None:
        """Remove an empty directory."""
        directory = self.directory(parent)
        if self.nudges.is_helper(caller):
            self.nudges.vanishes(parent, name, directory)
            return
        self._changing(parent, name)
        with self._burying(directory, name):
            directory.rmdir(name, Acting(caller))
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
        directory, target = self.directory(parent), self.directory(new_parent)
        if self._changing(parent, name):
            raise NotPermitted("README.txt stands here alone")
        self._changing(new_parent, new_name)
        if isinstance(target, Inbox):
            target.ready()
        real, real_target = backing(directory), backing(target)
        burying = nullcontext() if flags else self._burying(target, new_name)
        if real is None or real_target is None:
            node = directory.lookup(name)
            with burying:
                directory.rename(name, target, new_name, flags, Acting(caller))
            self._decided(node, target, new_parent, new_name)
            if isinstance(target, Folder) and target.swallows:
                self._gone(directory, name, is_directory=False)
            elif real_target is not None:
                self._came(real_target, new_parent, new_name)
            return
        with burying:
            directory.rename(name, target, new_name, flags, Acting(caller))
        directory, target = real, real_target
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
        if self.observer is None:
            return
        if here is not None:
            self.observer.exchanged(directory.source, old, target.source, new)
        else:
            self.observer.renamed(
                directory.source,
                old,
                target.source,
                new,
                directory=isinstance(there, DiskDirectory),
            )

    def _decided(self, moved: Node, target: Directory, parent: int, name: bytes) -> None:
        """The kernel moved a name within the views. What stands there may be another thing, or have another name; and what
        it knows of the old place may hold for longer than what it should know of the new one."""
        self.doubtful.append((parent, name))
        with suppress(NotFound):
            node = target.lookup(name)
            if isinstance(node, Folder) and isinstance(moved, Folder):
                self.table.become(moved.key, node, parent, name)

    def _came(self, target: DiskDirectory, parent: int, name: bytes) -> None:
        """An original was moved in from a view: the number is its own, its place another one."""
        path = target.path_of(name)
        with suppress(NotFound):
            there = target.lookup(name)
            number = self.table.number(there)
            self.handles.removed(target.source, path, other_than=number)

            def placed(source: Source, path: bytes) -> tuple[Source, bytes]:
                return there.source, there.path

            self.table.moved({number: (parent, name)}, placed, deep=False)
            self.tell_written(target.source, path)

    def renamed_before(self, parent: int, name: bytes, new_parent: int, new_name: bytes) -> None:
        """A predecessor has moved a name, and may have been killed before it told of that. Raises NotFound where it is not
        there. In a computed folder it need not be: it has its own name there, or was swallowed."""
        source, target = None, backing(self.directory(new_parent))
        with suppress(Stale):  # a folder of answers has gone with the last that was in it
            source = backing(self.directory(parent))
        if target is None:
            if source is not None:
                self.removed_before(parent, name, is_directory=False)
            return
        there = target.lookup(new_name)
        if source is None or self.observer is None:
            self._written(there)
            return
        self.observer.renamed(
            source.source,
            source.path_of(name),
            target.source,
            target.path_of(new_name),
            directory=isinstance(there, DiskDirectory),
        )

    def removed_before(self, parent: int, name: bytes, *, is_directory: bool) -> None:
        """The same of a name that a predecessor has removed."""
        with suppress(Stale):
            self._gone(self.directory(parent), name, is_directory=is_directory)

    def relocated(self, source: Source, path: bytes, to: Source, new_path: bytes) -> None:
        """A view has moved an original: what is known of it by its path is right again, here and in the catalog."""
        with suppress(NotFound):
            status = disk.status(to, new_path)
            number = self.table.original(to.id, status.st_dev, status.st_ino)
            record = self.table.find(number)
            paths = _Rename(source, path, to, new_path, exchange=False)
            if record is not None and source.id == to.id:
                self.doubtful.append((record.parent, record.name))
                self.table.moved({number: (record.parent, record.name)}, paths, deep=False)
            if source.id == to.id:
                self.handles.moved(paths)
            else:
                self.handles.removed(source, path)
        if self.observer is not None:
            self.observer.renamed(source, path, to, new_path, directory=False)

    @contextmanager
    def _burying(self, directory: Directory, name: bytes) -> Generator[None]:
        """Keep the number of what is removed from being given to another before the kernel has forgotten it."""
        real = backing(directory)
        held = None if real is None else disk.held(real.source, real.path_of(name))
        try:
            yield
        except BaseException:
            held = None  # else a traceback may keep it open, and its room on the disk taken
            raise
        if held is None or real is None:
            return
        status = os.fstat(held.fd)
        nodeid = self.table.original(real.source.id, status.st_dev, status.st_ino)
        if not stat.S_ISDIR(status.st_mode):
            if not status.st_nlink:
                self.graves.file(nodeid, held, status.st_blocks * 512)
        elif self.table.find(nodeid) is not None:
            self.graves.directory(nodeid, held)

    def _gone(self, directory: Directory, name: bytes, *, is_directory: bool) -> None:
        real = backing(directory)
        if real is None:
            return
        path = real.path_of(name)
        self.handles.removed(real.source, path)
        if self.observer is not None:
            self.observer.removed(real.source, path, directory=is_directory)

    def _written(self, node: Node) -> None:
        if isinstance(node, DiskFile):
            self.tell_written(node.source, node.path)

    def create(
        self, parent: int, name: bytes, mode: int, flags: int, caller: Caller
    ) -> tuple[Attributes, Opened]:
        """Make a regular file, or open the one that is there, and open it."""
        self._changing(parent, name)
        directory = self.directory(parent)
        node, descriptor = directory.create(name, flags & _OURS, mode, Acting(caller))
        opened = self.opened(node.source, node.path, descriptor, node.status, flags)
        opened.fresh = node.status.st_size == 0
        return self.admit(node, parent, name), opened

    def tmpfile(
        self, parent: int, mode: int, flags: int, caller: Caller
    ) -> tuple[Attributes, Opened]:
        """Make a file without a name (O_TMPFILE) and open it."""
        node, descriptor = self.directory(parent).create_unnamed(
            flags & (os.O_ACCMODE | os.O_EXCL), mode, Acting(caller)
        )
        opened = self.opened(node.source, None, descriptor, node.status, flags)
        nodeid = self.table.admit(node, parent, b"")
        return stats.of_original(node.status, nodeid), opened

    def fsyncdir(self, nodeid: int) -> None:
        """Bring a directory to the disk."""
        node = backing(self.directory(nodeid))
        if node is not None:
            disk.fsync_directory(node.source, node.path)

    def readlink(self, nodeid: int) -> bytes:
        """The target of a symlink in `files/`."""
        node = self.node(nodeid)
        if not isinstance(node, DiskFile):
            raise NotPermitted(f"inode {nodeid:#x} is no symlink")
        with ByName(node):
            return disk.readlink(node.source, node.path)

    # --- extended attributes ----------------------------------------------------------------------------

    def getxattr(self, nodeid: int, name: bytes) -> bytes:
        """The value of an extended attribute. Raises NoAttribute, Unsupported."""
        if self.handles.has(nodeid):
            with self.handles.lend(nodeid) as opened:
                if opened is not None and opened.nameless:
                    return os.getxattr(opened.handle, attributes.plain(name))
        with ByName(node := self.node(nodeid)):
            return attributes.value(self.library, node, name)

    def access_list(self, nodeid: int, name: bytes) -> bytes | None:
        """The access list of this attribute's *name*; None where there is none. The kernel asks before it checks access, and
        takes every error for a refusal."""
        if nodeid & (COMPUTED | ASSET):
            return None  # an answer has modes only
        if self.handles.has(nodeid):
            with self.handles.lend(nodeid) as opened:
                if opened is not None and opened.nameless:
                    return metadata.access_list_open(opened.handle, name)
        node = self.node(nodeid)
        if not isinstance(node, DiskFile | DiskDirectory):
            return None
        with ByName(node):
            return metadata.access_list(node.source, node.path, name)

    def listxattr(self, nodeid: int) -> list[bytes]:
        """The names of the extended attributes that have a value."""
        with self.handles.lend(nodeid) as opened:
            if opened is not None and opened.nameless:
                return [os.fsencode(name) for name in os.listxattr(opened.handle)]
        with ByName(node := self.node(nodeid)):
            return attributes.names(self.library, node)

    def setxattr(self, nodeid: int, name: bytes, value: bytes, flags: int, caller: Caller) -> None:
        """Set an extended attribute: on disk, or what it says of an asset. Raises Unsupported, NotPermitted, InvalidName."""
        self.nudges.own_file(nodeid)
        with self.handles.lend(nodeid) as opened:
            if opened is not None and opened.nameless:
                with Acting(caller):
                    os.setxattr(opened.handle, attributes.plain(name), value, flags)
                return
        with ByName(node := self.node(nodeid)):
            attributes.set_value(self.library, node, name, value, flags, Acting(caller))
        record = self.table.find(nodeid)
        if isinstance(node, Folder) and record is not None:
            self.doubtful.append((record.parent, record.name))  # another query is another folder

    def removexattr(self, nodeid: int, name: bytes, caller: Caller) -> None:
        """Remove an extended attribute: from disk, or what was said. Raises Unsupported, NotPermitted, NoAttribute."""
        self.nudges.own_file(nodeid)
        with self.handles.lend(nodeid) as opened:
            if opened is not None and opened.nameless:
                with Acting(caller):
                    os.removexattr(opened.handle, attributes.plain(name))
                return
        with ByName(node := self.node(nodeid)):
            attributes.remove(self.library, node, name, Acting(caller))

    # --- the rest ---------------------------------------------------------------------------------------

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


def backing(directory: Directory) -> DiskDirectory | None:
    """The directory on disk that a directory of the tree shows; None: it is computed."""
    shown = directory.on_disk() if isinstance(directory, Folder) else directory
    return shown if isinstance(shown, DiskDirectory) else None


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
