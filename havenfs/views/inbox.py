"""inbox/: where new files are dropped. A real directory of the source for new files, with two folders more: `_suggested/`, where its
files may belong, and `_accept/`, which takes a suggestion at its word."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from havenfs.catalog import inbox, sorting
from havenfs.catalog.names import legal, text
from havenfs.decisions import values
from havenfs.errors import NotFound, NotPermitted, ReadOnly, SourceGone
from havenfs.originals import disk, roots

from . import filing, readme
from .deciding import decide
from .files import DiskDirectory
from .folders import Folder
from .nodes import Leaf

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from havenfs.catalog.sorting import Folder as Place, Proposed
    from havenfs.entities import Source
    from havenfs.originals.disk import Rights

    from .library import Scope
    from .nodes import Directory, DiskFile, Entries, Entry, Node

SUGGESTED, ACCEPT = "_suggested", "_accept"


class Inbox(Folder):
    """The directory `Inbox`, made when something is first put here. Without a source to write to it is empty: ReadOnly."""

    __slots__ = ()
    costly = True  # a disk is asked
    announced = False  # nobody announces what happens on a disk
    changeable = True  # also where it is not: the kernel must ask, for the reason to be told

    def on_disk(self) -> DiskDirectory | None:
        """The real directory, where there is one."""
        source = self._source()
        if source is None:
            return None
        try:
            roots.status(source)  # does not wait long
            status = disk.status(source, inbox.NAME)
        except NotFound:
            return None
        if not stat.S_ISDIR(status.st_mode):
            raise ReadOnly(f"{text(inbox.NAME)} in {source.name} is no folder: rename it")
        library = self.scope.library
        return DiskDirectory(source, inbox.NAME, status, library.hidden, library)

    @property
    def guide(self) -> str:
        """While it is empty, and there is somewhere to put things."""
        return readme.INBOX if self._source() is not None else ""

    def status(self) -> os.stat_result | None:
        """Whose it is and who may write here: as the directory says, else as that says in which it will be made. None where no
        disk answers."""
        try:
            real, source = self.on_disk(), self._source()
            if real is not None:
                return real.status
            return roots.status(source) if source is not None else None
        except (SourceGone, PermissionError, ReadOnly):
            return None

    def entries(self) -> _Listing:
        """What lies in the directory, and the two folders, unless something real has their names."""
        real = self.on_disk()
        ours: list[Entry] = [
            (name.encode(), self._ours(name))
            for name in (SUGGESTED, ACCEPT)
            if real is None or not _has(real, name.encode())
        ]
        return _Listing(ours, self.guided(real.entries() if real is not None else ()))

    def child(self, name: str) -> Node:
        """What is real, else one of the two folders."""
        return self.lookup(name.encode())

    def lookup(self, name: bytes) -> Node:
        """Real names are bytes, and outrank ours."""
        real = self.on_disk()
        if real is not None:
            try:
                return real.lookup(name)
            except NotFound:
                pass
        if name in (SUGGESTED.encode(), ACCEPT.encode()):
            return self._ours(name.decode())
        if name == readme.NAME.encode() and (found := self.readme()) is not None:
            return found
        raise NotFound(name)

    def real_name(self, name: bytes) -> bytes:
        """Ours, or as the directory spells it."""
        if name.lower() in (SUGGESTED.encode(), ACCEPT.encode()):
            return name.lower()
        if name.lower() == readme.NAME.lower().encode() and self.readme() is not None:
            return readme.NAME.encode()
        real = self.on_disk()
        if real is None:
            raise NotFound(name)
        return real.real_name(name)

    # --- changes: those of the directory --------------------------------------------------------------------------

    def create(self, name: bytes, flags: int, mode: int, rights: Rights) -> tuple[DiskFile, int]:
        """A new file."""
        return self._made(name).create(name, flags, mode, rights)

    def create_unnamed(self, flags: int, mode: int, rights: Rights) -> tuple[DiskFile, int]:
        """A file without a name."""
        return self._made().create_unnamed(flags, mode, rights)

    def mkdir(self, name: bytes, mode: int, rights: Rights) -> Node:
        """A folder, of a card or a day, say."""
        return self._made(name).mkdir(name, mode, rights)

    def mknod(self, name: bytes, mode: int, rdev: int, rights: Rights) -> Node:
        """As in `files/`."""
        return self._made(name).mknod(name, mode, rdev, rights)

    def symlink(self, name: bytes, target: bytes, rights: Rights) -> Node:
        """As in `files/`."""
        return self._made(name).symlink(name, target, rights)

    def link(self, name: bytes, node: Node, rights: Rights) -> Node:
        """As in `files/`."""
        return self._made(name).link(name, node, rights)

    def unlink(self, name: bytes, rights: Rights) -> None:
        """As in `files/`."""
        self._made(name).unlink(name, rights)

    def rmdir(self, name: bytes, rights: Rights) -> None:
        """As in `files/`."""
        self._made(name).rmdir(name, rights)

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """As in `files/`."""
        self._made(name).rename(name, to, new_name, flags, rights)

    def ready(self) -> None:
        """See to it that the directory is there, before something is moved in. Raises ReadOnly."""
        self._made()

    def _made(self, name: bytes = b"") -> DiskDirectory:
        if self.scope.facets or (
            name in (SUGGESTED.encode(), ACCEPT.encode())
            and not isinstance(self.lookup(name), DiskDirectory)
        ):
            self._refuse()
        real = self.on_disk()
        source = self._source()
        if real is None and source is not None:
            # With the rights of the source's root, whoever comes first: it is everybody's.
            above = disk.status(source, b"")
            disk.make(source, inbox.NAME, above)
            real = self.on_disk()
        if real is None:
            raise ReadOnly("there is no folder to put new files into: give one with --writable")
        return real

    def _source(self) -> Source | None:
        return self.scope.library.catalog.read(inbox.place)

    def _ours(self, name: str) -> Folder:
        below = self.scope.choose(name)
        return Accept(below) if name == ACCEPT else Suggested(below, ())


def _has(real: DiskDirectory, name: bytes) -> bool:
    try:
        real.lookup(name)
    except NotFound:
        return False
    return True


class _Listing:
    """Our folders, then those of the directory, whose indices are theirs for the life of the listing."""

    def __init__(self, ours: Sequence[Entry], real: Entries) -> None:
        self._ours = ours
        self._real = real

    def __len__(self) -> int:
        return len(self._ours) + len(self._real)

    def __getitem__(self, index: int, /) -> Entry | None:
        return self._ours[index] if index < len(self._ours) else self._real[index - len(self._ours)]

    def __iter__(self) -> Iterator[Entry]:
        for index in range(len(self)):
            entry = self[index]
            if entry is not None:
                yield entry


class Accept(Folder):
    """Always empty: what is moved in from `_suggested/` is filed."""

    __slots__ = ()
    changeable = True  # suggestions may be moved here
    announced = False  # the kernel believes for a moment that something is here

    @property
    def guide(self) -> str:
        """Always."""
        return readme.ACCEPT

    def entries(self) -> Entries:
        """Nothing."""
        return self.guided([])

    def child(self, name: str) -> Node:
        """Nothing is here."""
        raise NotFound(name)


class Suggested(Folder):
    """A folder of the tree of destinations: those below it, and what may belong right into it."""

    __slots__ = ("_parts",)
    announced = False  # the log of changes does not say what is proposed
    changeable = True  # only in that things can be taken out

    def __init__(self, scope: Scope, parts: tuple[str, ...]) -> None:
        super().__init__(scope)
        self._parts = parts
        """Source, then folders, as they are shown."""

    def entries(self) -> list[Entry]:
        """Folders by name, then the files of this one."""
        here, below = self._read()
        folders: list[Entry] = [(name.encode(), self._open(name)) for name in below]
        names = set(below)
        return [
            *folders,
            *(
                (each.asset.name.encode(), Leaf(each.asset))
                for each in here
                if each.asset.name not in names
            ),
        ]

    def child(self, name: str) -> Node:
        """A folder, else a file."""
        here, below = self._read()
        if name in below:
            return self._open(name)
        return Leaf(self._named(here, name).asset)

    def unlink(self, name: bytes, rights: Rights) -> None:
        """Say no to this proposal. The file stays."""
        if self.scope.facets:
            self._refuse()
        each = self._proposed(name)
        refusal = values.RefuseFiling(
            content=each.asset.hash, source=each.source, path=each.proposal.folder.path
        )
        decide(self.scope.library, refusal, rights)

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """Into `_accept/`: file it. Into `files/`: move it there. Into an album or a tag: add it, as from any view."""
        node = self.lookup(name)
        if not isinstance(node, Leaf) or self.scope.facets:
            self._refuse()
        library = self.scope.library
        if isinstance(to, Accept):
            each = self._proposed(name)
            file_name = each.asset.path.rpartition(b"/")[2]
            filing.accept(library, each.asset, each.proposal.folder, file_name, rights)
        elif isinstance(to, DiskDirectory):
            filing.plain(library, node.asset, to.source, to.path_of(new_name), flags, rights)
        elif isinstance(to, Inbox | Suggested):
            self._refuse()
        else:
            super().rename(name, to, new_name, flags, rights)

    def _proposed(self, name: bytes) -> Proposed:
        node = self.lookup(name)
        if not isinstance(node, Leaf):
            raise NotPermitted("a folder of suggestions goes when nothing is suggested for it")
        return self._named(self._read()[0], node.asset.name)

    def _named(self, here: Sequence[Proposed], name: str) -> Proposed:
        for each in here:
            if each.asset.name == name:
                return each
        raise NotFound(name)

    def _open(self, name: str) -> Suggested:
        return Suggested(self.scope.choose(name), (*self._parts, name))

    def _read(self) -> tuple[list[Proposed], list[str]]:
        """What is proposed for this folder, by name, and the folders below it."""
        here: dict[int, Proposed] = {}
        below: set[str] = set()
        depth = len(self._parts)
        for each in self.scope.library.catalog.read(sorting.proposed):
            parts = shown(each.source, each.proposal.folder)
            if parts == self._parts:
                here.setdefault(each.asset.id, each)
            elif parts[:depth] == self._parts:
                below.add(parts[depth])
        if self._parts and not here and not below:
            raise NotFound("/".join(self._parts))
        return sorted(here.values(), key=lambda each: each.asset.name), sorted(below)


def shown(source: str, folder: Place) -> tuple[str, ...]:
    """How the path of a destination is written: its source and its folders, each a name that every system takes."""
    return (legal(source), *(legal(text(part)) for part in folder.path.split(b"/") if part))
