"""trash/<YYYY-MM-DD>/<name>: what was removed from `files/`, by the day on which it was, with its own attributes and bytes.

Moved out into `files/` it is restored, moved in it is removed, removed here it is gone for good. Restoring and purging are
for who removed it, and for root. Of two files of one name the later one has some digits of its uid before the extension; by
that name it is found also when the first has gone, so that `rm -r` meets what it was told of.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from havenfs.catalog import names, sources, trashed
from havenfs.errors import NotFound, NotPermitted, SourceGone
from havenfs.originals import disk
from havenfs.trash import folder
from havenfs.views import deciding, readme
from havenfs.views.files import DiskDirectory
from havenfs.views.folders import EXCHANGE, Folder
from havenfs.views.nodes import DiskFile

from . import removal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from havenfs.catalog.trashed import Trashed
    from havenfs.decisions.bin import Bin
    from havenfs.entities import Source
    from havenfs.originals.disk import Rights
    from havenfs.views.library import Scope
    from havenfs.views.nodes import Directory, Entries, Entry, Node

ROOT = "root"


class Swallowing(Folder):
    """A folder into which originals are moved to be removed."""

    __slots__ = ()
    costly = True  # disks are asked
    announced = False  # nobody announces what is purged

    @property
    def common(self) -> bool:
        """Whoever may remove an original may do it here."""
        return True

    @property
    def swallows(self) -> bool:
        """What is moved in leaves its place."""
        return True

    def facet(self, name: str) -> Directory | None:
        """None: what is in the trash stands in no view."""
        return None

    def receive(self, node: Node, rights: Rights) -> Node:
        """Remove an original. Raises InvalidName for what is no asset, NotPermitted for a folder."""
        if not isinstance(node, DiskFile) or folder.within(node.path):
            self._refuse()
        removal.discard(self.scope.library, node.source, node.path, rights)
        return node

    def _bin(self) -> Bin:
        if self.scope.library.bin is None:
            self._refuse()
        return self.scope.library.bin


class Trash(Swallowing):
    """A folder a day, the latest first."""

    __slots__ = ()

    @property
    def guide(self) -> str:
        """While it is empty."""
        return readme.TRASH

    def entries(self) -> Entries:
        """The days of which something is still here."""
        rows = self.scope.library.catalog.read(trashed.everything)
        days = sorted({_day(row) for row in rows}, reverse=True)
        return self.guided([(str(day).encode(), self._open(day)) for day in days])

    def child(self, name: str) -> Day:
        """A day."""
        day = self._open(_date(name))
        if not day.rows():
            raise NotFound(name)
        return day

    def rmdir(self, name: bytes, rights: Rights) -> None:
        """Purge all of a day: one decision. Of a day that is empty by now nothing is left to do."""
        rows = self._open(_date(name.decode(errors="replace"))).rows()
        who = deciding.who(rights)
        self.scope.library.guard.check(who)
        _own(rows, who)
        self._bin().purge(rows, by=who)

    def _open(self, day: date) -> Day:
        return Day(self.scope.choose(str(day)), day)


class Day(Swallowing):
    """What was removed on one day, in that order."""

    __slots__ = ("_day",)

    def __init__(self, scope: Scope, day: date) -> None:
        super().__init__(scope)
        self._day = day

    def rows(self) -> list[Trashed]:
        """What the catalog says of it, whether or not its disk is there."""
        start, end = (
            int(datetime(day.year, day.month, day.day).astimezone().timestamp() * 1000)
            for day in (self._day, self._day + timedelta(days=1))
        )
        return self.scope.library.catalog.read(trashed.between, start, end)

    def entries(self) -> list[Entry]:
        """The files whose disks are there."""
        found = ((named.name, self._node(named.row)) for named in _named(self.rows()))
        return [(name.encode(), node) for name, node in found if node is not None]

    def child(self, name: str) -> DiskFile:
        """A file, by the name that it is listed under, or by its long one."""
        node = self._node(self._row(name))
        if node is None:
            raise NotFound(name)
        return node

    def unlink(self, name: bytes, rights: Rights) -> None:
        """Delete it for good."""
        row, who = self._row(name.decode(errors="replace")), deciding.who(rights)
        self.scope.library.guard.check(who)
        _own([row], who)
        if not self._bin().purge([row], by=who):
            raise SourceGone(f"the disk of {row.source} is not there")

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """Out into a folder of `files/`: restored, under that name. Into another source EXDEV, upon which `mv` copies it."""
        if flags & EXCHANGE or not isinstance(to, DiskDirectory):
            self._refuse()
        row, who = self._row(name.decode(errors="replace")), deciding.who(rights)
        _own([row], who)
        source, path = self._source(row), to.path_of(new_name)
        if source is None:
            raise SourceGone(f"the disk of {row.source} is not there")

        def move(lies: bytes) -> None:
            disk.move(source, lies, to.source, path, flags, rights)

        self._bin().restore(source, row.uid, move, by=who)

    def _row(self, name: str) -> Trashed:
        rows = self.rows()
        for named in _named(rows):
            if named.name == name:
                return named.row
        for row in rows:
            if _long(row) == name:
                return row
        raise NotFound(name)

    def _source(self, row: Trashed) -> Source | None:
        try:
            return self.scope.library.catalog.read(sources.by_name, row.source)
        except NotFound:
            return None

    def _node(self, row: Trashed) -> DiskFile | None:
        source = self._source(row)
        lies = folder.find(source, row.uid, row.path) if source is not None else None
        if source is None or lies is None:
            return None
        try:
            return DiskFile(source, lies, disk.status(source, lies))
        except (NotFound, SourceGone):
            return None


class _Named(Struct, frozen=True):
    name: str
    row: Trashed


def _named(rows: Iterable[Trashed]) -> list[_Named]:
    found: list[_Named] = []
    taken: set[str] = set()
    for row in rows:
        name = _short(row)
        if names.key(name) in taken:
            name = _long(row)
        taken.add(names.key(name))
        found.append(_Named(name, row))
    return found


def _short(row: Trashed) -> str:
    return names.legal(names.text(row.path.rpartition(b"/")[2]))


def _long(row: Trashed) -> str:
    stem, extension = names.split(_short(row))
    suffix = f"~{row.uid[:8]}{extension}"
    return names.shorten(stem, names.LIMIT - len(suffix.encode())) + suffix


def _day(row: Trashed) -> date:
    return datetime.fromtimestamp(row.at_ms / 1000).astimezone().date()


def _date(name: str) -> date:
    try:
        found = date.fromisoformat(name)
    except ValueError:
        raise NotFound(name) from None
    if str(found) != name:
        raise NotFound(name)
    return found


def _own(rows: Iterable[Trashed], who: str) -> None:
    if any(who not in (row.owner, ROOT) for row in rows):
        raise NotPermitted("somebody else has removed this; he, or root, can restore or purge it")
