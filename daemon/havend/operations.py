"""What each operation of a file system means on inode numbers: the tree of `havenfs.views` with attributes.

Plain synchronous functions; no FUSE, no event loop. Any thread: tables guard themselves. Everything may wait for a disk
or a search; `slow` says for which inodes that is likely. What is not found again from its number alone raises Stale, and
the kernel then looks the path up anew.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import nullcontext
from typing import TYPE_CHECKING

from havenfs.catalog import sources
from havenfs.catalog.names import LIMIT
from havenfs.errors import (
    HavenError,
    NotFound,
    NotPermitted,
    Stale,
)
from havenfs.originals import disk, metadata, roots
from havenfs.originals.at_once import may_wait
from havenfs.views import DiskFile, Folder, Original, attributes
from havenfs.views.uploads.loose import MEMORY

from . import stats
from .credentials import Acting
from .inodes import ASSET, COMPUTED
from .listing import Listing
from .naming import Naming, backing
from .nodes import ByName, briefly

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from havenfs.entities import Caller, Source
    from havenfs.originals.metadata import Changes
    from havenfs.originals.walks import Held
    from havenfs.views.nodes import Entries

    from .handles import Loan, Opened
    from .stats import Attributes


class Operations(Naming):
    """The tree as inodes, and every operation on it."""

    # --- names ------------------------------------------------------------------------------------------

    def lookup(self, parent: int, name: bytes, caller: Caller | None = None) -> Attributes:
        """Find a name in a directory and count the lookup. Raises NotFound, NameTooLong and what the view raises."""
        if caller is not None and self.nudges.is_helper(*caller):
            phantom = self.nudges.phantom(parent, name)
            if phantom is not None:
                return stats.of_phantom(*phantom)
        if name in (b".", b".."):  # NFS, of a handle that it kept
            return self._dots(parent, above=name == b"..")
        generation = self.generation
        directory = self.directory(parent)
        if len(name) > LIMIT:
            self.too_long(directory)
        try:
            node = directory.lookup(name)
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
        """A snapshot for who has a directory open: `nudges.closed` is to follow."""
        if (real := backing(self.directory(nodeid))) is not None:
            self.nudges.opened(nodeid, disk.path(real.source, real.path))
        else:
            self.nudges.opened(nodeid)
        try:
            return self.snapshot(nodeid)
        except BaseException:
            self.nudges.closed(nodeid)
            raise

    def snapshot(self, nodeid: int) -> Listing:
        """A snapshot of a directory. A search in it runs here."""
        generation = self.generation
        directory = self.directory(nodeid)
        removed = self.graves.standing(nodeid) is not None
        entries: Entries = [] if removed else directory.entries()
        return Listing(nodeid, directory, entries, generation)

    # --- attributes -------------------------------------------------------------------------------------

    def getattr(self, nodeid: int, handle: int | None = None) -> Attributes:
        """Attributes of an inode; of an open file also when it has no name any more."""
        with self._opened(nodeid, handle) as opened:
            if opened is not None and opened.source is not None and not nodeid & ASSET:
                if not opened.local:
                    may_wait()
                return stats.of_original(os.fstat(opened.handle), nodeid)
        try:
            return self.attributes(self.fresh(nodeid), nodeid, None)
        except Stale:
            removed = self.graves.standing(nodeid)
            if removed is None:
                raise
            return _removed(removed, nodeid)

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
        if self.nudges.is_helper(*caller):
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
        removed = self.graves.standing(nodeid)
        if removed is not None and isinstance(node, Original):
            metadata.change_open(node.source, removed.fd, changes, Acting(caller), writing=False)
            return _removed(removed, nodeid), None, None
        if isinstance(node, Folder):
            found = self.attributes(node, nodeid, None)
            if node.fillable and (real := node.on_disk()) is not None:
                node = real
            # Times, which nobody looks for there; and what is so already.
            elif node.fillable and not changes.differ(found.mode, found.uid, found.gid):
                return found, None, None
        if not isinstance(node, Original):
            raise NotPermitted("this folder is an answer, not a place to keep things")
        if node.source.id == MEMORY:
            self.library.loose.grow(node.source, node.path, changes.size or 0)
        try:
            metadata.change(node.source, node.path, node.status.st_ino, changes, Acting(caller))
        except NotFound:
            raise Stale(f"inode {nodeid:#x}") from None
        return self.getattr(nodeid), node.source, node.path

    def fsyncdir(self, nodeid: int) -> None:
        """Bring a directory to the disk."""
        node = backing(self.directory(nodeid))
        if node is not None and self.graves.standing(nodeid) is None:
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
        removed = self.graves.standing(nodeid)
        if removed is not None:
            return metadata.access_list_open(b"/proc/self/fd/%d" % removed.fd, name)
        node = self.node(nodeid)
        if not isinstance(node, Original):
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
        if isinstance(node, Original):
            return roots.room(node.source)
        for source in self.library.catalog.read(sources.present):
            try:
                return roots.room(source)
            except (HavenError, OSError):
                continue  # that disk is away: the next is as good an answer
        return os.statvfs(self.library.catalog.path.parent)


def _removed(held: Held, nodeid: int) -> Attributes:
    """Attributes of a directory that was removed."""
    may_wait()
    found = stats.of_original(os.fstat(held.fd), nodeid)
    found.nlink = 0
    return found
