"""files/<source>/…: the originals as they lie on disk, live, and the only place of the tree where bytes are changed.

Translates names into calls of `originals.disk`. A directory's methods that change something take *rights*, a context in
which it is done as the person who asked.
"""

# Paths of originals are bytes: pathlib knows none.
# ruff: noqa: PTH118, PTH119
from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from msgspec import Struct

from havenfs import mounts
from havenfs.catalog import sources
from havenfs.errors import NotFound, NotPermitted, SourceGone
from havenfs.originals import disk, roots, staging
from havenfs.originals.spellings import spellings
from havenfs.trash import folder
from havenfs.views.removing import removal

from .folders import EXCHANGE, Folder
from .inventory import Inventory
from .nodes import DiskFile

if TYPE_CHECKING:
    from havenfs.entities import Source
    from havenfs.originals.disk import Rights

    from .library import Library
    from .nodes import Directory, Entry, Node

_KEPT = frozenset({folder.NAME, staging.FOLDER})
"""Ours, on each disk."""


class DiskDirectory(Struct, frozen=True):
    """A directory of originals."""

    source: Source
    path: bytes
    status: os.stat_result
    hidden: tuple[bytes, ...] = ()
    """Real paths that are not shown: the mount point, lest we ask ourselves."""
    library: Library | None = None
    """Whose trash takes what is removed here; None: it is gone."""

    @property
    def key(self) -> str:
        """The path; renamed directories are others."""
        return f"files/{self.source.id}/{os.fsdecode(self.path)}"

    @property
    def slow(self) -> bool:
        """A disk may have to spin up."""
        return True

    @property
    def lasting(self) -> bool:
        """Nobody announces what happens on a disk."""
        return False

    def entries(self) -> Inventory:
        """Everything, dot-files too, by name, each with its lstat."""
        hidden = {name for path in self.hidden if self._is_hidden(name := os.path.basename(path))}
        hidden |= _KEPT
        return Inventory(self.source, self.path, self._shown, hidden)

    def _shown(self, name: bytes, status: os.stat_result) -> DiskDirectory | DiskFile | None:
        return None if self._leads_back(status) else self._node(name, status)

    def lookup(self, name: bytes) -> DiskDirectory | DiskFile:
        """The entry of exactly this name."""
        if self._is_hidden(name):
            raise NotFound(name)
        status = disk.child(self.source, self.path, name)
        if self._leads_back(status):
            raise NotFound(name)
        return self._node(name, status)

    def real_name(self, name: bytes) -> bytes:
        """Found by listing the directory's names, without asking for their attributes."""
        return spellings.find(self.source, self.path, name)

    # --- changes ------------------------------------------------------------------------------------------

    def create(self, name: bytes, flags: int, mode: int, rights: Rights) -> tuple[DiskFile, int]:
        """Make or open a regular file; the node and a descriptor, which the caller closes."""
        path = self._at(name)
        descriptor = disk.create(self.source, path, flags, mode, rights)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):  # somebody else's FIFO or device has got the name
            os.close(descriptor)
            raise NotPermitted(f"{os.fsdecode(path)} is not a regular file")
        return DiskFile(self.source, path, status), descriptor

    def create_unnamed(self, flags: int, mode: int, rights: Rights) -> tuple[DiskFile, int]:
        """Make a file without a name."""
        descriptor = disk.create_unnamed(self.source, self.path, flags, mode, rights)
        return DiskFile(self.source, self._at(b""), os.fstat(descriptor)), descriptor

    def mkdir(self, name: bytes, mode: int, rights: Rights) -> Node:
        """Make a directory."""
        disk.mkdir(self.source, self._at(name), mode, rights)
        return self.lookup(name)

    def mknod(self, name: bytes, mode: int, rdev: int, rights: Rights) -> Node:
        """Make a file, a FIFO, a socket or a device node."""
        disk.mknod(self.source, self._at(name), mode, rdev, rights)
        return self.lookup(name)

    def symlink(self, name: bytes, target: bytes, rights: Rights) -> Node:
        """Make a symlink."""
        disk.symlink(self.source, self._at(name), target, rights)
        return self.lookup(name)

    def link(self, name: bytes, node: Node, rights: Rights) -> Node:
        """Give a file of `files/` one more name here."""
        if not isinstance(node, DiskFile):
            raise NotPermitted("only a file of files/ can have another name here: copy it instead")
        disk.link(node.source, node.path, self.source, self._at(name), rights)
        return self.lookup(name)

    def unlink(self, name: bytes, rights: Rights) -> None:
        """Remove a name; what somebody would miss moves to the trash."""
        path = self._at(name)
        if self.library is None:
            disk.unlink(self.source, path, rights)
        else:
            removal.remove(self.library, self.source, path, rights)

    def rmdir(self, name: bytes, rights: Rights) -> None:
        """Remove an empty directory."""
        disk.rmdir(self.source, self._at(name), rights)

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """Move an entry to another directory of originals."""
        if isinstance(to, Folder):
            to = to.on_disk() or to
        if isinstance(to, Folder) and not flags & EXCHANGE:
            to.receive(
                self.lookup(name), rights
            )  # the original stays where it is, unless `to` swallows it
            return
        if not isinstance(to, DiskDirectory):
            raise NotPermitted("originals stay in files/: copy it instead")
        disk.rename(self.source, self._at(name), to.source, to.path_of(new_name), flags, rights)

    def path_of(self, name: bytes) -> bytes:
        """The path, in the source, of a name in here. Raises NotPermitted for one that hides our own mount, or the trash."""
        return self._at(name)

    def _at(self, name: bytes) -> bytes:
        if name in _KEPT:
            raise NotPermitted("what was removed, or is being put in, lies there: see trash/")
        if self.hidden and self._is_hidden(name):
            raise NotPermitted(f"{os.fsdecode(name)} is where this tree is mounted")
        return self.path + b"/" + name if self.path else name

    def _node(self, name: bytes, status: os.stat_result) -> DiskDirectory | DiskFile:
        path = self.path + b"/" + name if self.path else name
        if stat.S_ISDIR(status.st_mode):
            return DiskDirectory(self.source, path, status, self.hidden, self.library)
        return DiskFile(self.source, path, status)

    def _leads_back(self, status: os.stat_result) -> bool:
        """Whether another HavenFS is mounted there, which may show what we show, and ask us for it."""
        return (
            status.st_dev != self.status.st_dev
            and stat.S_ISDIR(status.st_mode)
            and mounts.ours(status.st_dev)
        )

    def _is_hidden(self, name: bytes) -> bool:
        if name in _KEPT:
            return True
        for path in self.hidden:
            # The cheapest test first: this is asked for every name that is looked up.
            if path.endswith(name) and path == os.path.join(
                os.path.realpath(os.path.join(self.source.root, self.path)), name
            ):
                return True
        return False


Original = DiskFile | DiskDirectory
"""What stands on a disk. A value: made anew for each `isinstance`, the union costs as much as that."""


class Sources(Folder):
    """files/: one directory a source."""

    __slots__ = ()
    costly = True  # the root of each source is asked for its attributes
    announced = False  # disks come and go unannounced

    def entries(self) -> list[Entry]:
        """The sources whose disks answer."""
        found: list[Entry] = []
        for source in self._sources():
            try:
                found.append((os.fsencode(source.name), self._root(source)))
            except (SourceGone, PermissionError):
                continue  # one dead disk must not hide the others
        return found

    def child(self, name: str) -> DiskDirectory:
        """The root of the source of this name. Raises SourceGone when its disk does not answer."""
        for source in self._sources():
            if source.name == name:
                return self._root(source)
        raise NotFound(name)

    def _sources(self) -> list[Source]:
        library = self.scope.library
        return [
            source
            for source in library.catalog.read(sources.present)
            if not any((source.root + b"/").startswith(path + b"/") for path in library.hidden)
        ]

    def _root(self, source: Source) -> DiskDirectory:
        library = self.scope.library
        return DiskDirectory(source, b"", roots.status(source), library.hidden, library)
