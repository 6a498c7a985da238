"""What makes, moves and removes names, on inode numbers: one layer of `operations`."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from havenfs.catalog.names import LIMIT
from havenfs.errors import (
    NameTooLong,
    NotFound,
    NotPermitted,
    Stale,
)
from havenfs.originals import disk
from havenfs.views import DiskDirectory, DiskFile, Folder
from havenfs.views.inbox import Inbox

from . import stats
from .credentials import Acting
from .nodes import ByName
from .open_files import OpenFiles

if TYPE_CHECKING:
    from collections.abc import Generator

    from havenfs.entities import Caller, Source
    from havenfs.views.nodes import Directory, Node

    from .handles import Opened
    from .stats import Attributes


NOREPLACE, EXCHANGE = 1, 2  # of renameat2(2)
_OURS = os.O_ACCMODE | os.O_TRUNC | os.O_CREAT | os.O_EXCL
"""What our own descriptor is opened with: the kernel appends and bypasses caches by itself."""


class Naming(OpenFiles):
    """The tree as inodes whose names can be changed."""

    def _changing(self, parent: int, name: bytes) -> bool:
        """A name is about to change through the mount. Whether that is README.txt, which stands for nothing. Raises NameTooLong."""
        if len(name) > LIMIT:
            self.too_long(self.directory(parent))
        self.nudges.own(parent, name)
        return self.stirring(parent, name)

    def too_long(self, directory: Directory) -> None:
        """Somebody asks for a name that no computed folder has. Of a directory on a disk that one says itself: exFAT and NTFS
        count characters. Raises NameTooLong."""
        if backing(directory) is None:
            raise NameTooLong(f"a name of more than {LIMIT} bytes")

    def mknod(self, parent: int, name: bytes, mode: int, rdev: int, caller: Caller) -> Attributes:
        """Make a file, a FIFO, a socket or a device node."""
        directory = self.directory(parent)
        if self.nudges.is_helper(*caller):
            return self.admit(self.nudges.appears(parent, name, directory), parent, name)
        self._changing(parent, name)
        node = directory.mknod(name, mode, rdev, Acting(caller))
        if stat.S_ISREG(mode):
            self._written(node)
        return self.admit(node, parent, name)

    def mkdir(self, parent: int, name: bytes, mode: int, caller: Caller) -> Attributes:
        """Make a directory."""
        directory = self.directory(parent)
        if self.nudges.is_helper(*caller):
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
        if self.nudges.is_helper(*caller):
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
        if self.nudges.is_helper(*caller):
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
        self._placed_before({self.table.number(there): (new_parent, new_name)})
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

    def standing(
        self, parent: int, name: bytes, new_parent: int, new_name: bytes
    ) -> tuple[int, int] | None:
        """The numbers of what stands at two names on disk; None where that cannot be said."""
        directory, target = backing(self.directory(parent)), backing(self.directory(new_parent))
        if directory is None or target is None:
            return None
        with suppress(NotFound):
            here, there = directory.lookup(name), target.lookup(new_name)
            return self.table.number(here), self.table.number(there)
        return None

    def exchanged_before(self, parent: int, name: bytes, new_parent: int, new_name: bytes) -> None:
        """A predecessor has exchanged two names, and may have been killed before it told of that."""
        directory, target = backing(self.directory(parent)), backing(self.directory(new_parent))
        if directory is None or target is None:
            return
        with suppress(NotFound):
            here, there = directory.lookup(name), target.lookup(new_name)
            number = self.table.number
            self._placed_before(
                {number(here): (parent, name), number(there): (new_parent, new_name)}
            )
        if self.observer is not None:
            path, new_path = directory.path_of(name), target.path_of(new_name)
            self.observer.exchanged(directory.source, path, target.source, new_path)

    def _placed_before(self, nodes: dict[int, tuple[int, bytes]]) -> None:
        """A predecessor told the kernel of these under other names. What we have found ourselves, we have found where it is."""
        self.table.moved(nodes, lambda source, path: None, deep=False)

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
        opened.uid = caller.uid
        return self.admit(node, parent, name), opened

    def tmpfile(
        self, parent: int, mode: int, flags: int, caller: Caller
    ) -> tuple[Attributes, Opened]:
        """Make a file without a name (O_TMPFILE) and open it."""
        node, descriptor = self.directory(parent).create_unnamed(
            flags & (os.O_ACCMODE | os.O_EXCL), mode, Acting(caller)
        )
        opened = self.opened(node.source, None, descriptor, node.status, flags)
        opened.uid = caller.uid
        nodeid = self.table.admit(node, parent, b"")
        return stats.of_original(node.status, nodeid), opened


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
