"""by-date/YYYY/MM and by-date/_undated, by the wall clock of the place where a picture was taken.

A date that is only a file's mtime is an estimate: such assets are undated. Putting a file into a month dates it, where
nobody wrote a date down: neither a camera nor a program, into the file or beside it, nor somebody into its name.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from havenfs.catalog import browse
from havenfs.catalog.browse import Condition
from havenfs.decisions import values
from havenfs.errors import InvalidName, NotFound, NotPermitted

from . import readme
from .awaiting import Awaiting, Correcting
from .fillable import as_found
from .folders import Yielding
from .labels import decoded

if TYPE_CHECKING:
    from havenfs.entities import Asset
    from havenfs.originals.disk import Rights

    from .library import Scope
    from .nodes import Directory, Entries, Entry, Node

UNDATED = "_undated"
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)
_MONTH = re.compile(r"0[1-9]|1[0-2]", re.ASCII)
NOON = 12


class Years(Awaiting):
    """A folder a year in which something was taken, then what has no date."""

    __slots__ = ()

    @property
    def guide(self) -> str:
        """While it is empty."""
        return readme.DATES

    def entries(self) -> Entries:
        """The years, oldest first."""
        catalog, within = self.scope.library.catalog, self.scope.within()
        years = {month // 100 for month in catalog.read(browse.months, within)}
        years.update(map(int, self.awaited))
        found: list[Entry] = [(b"%04d" % year, self._year(year)) for year in sorted(years)]
        if catalog.read(browse.exists, (*within, Condition("undated"))):
            found.append((UNDATED.encode(), self._undated()))
        return self.guided(found)

    def child(self, name: str) -> Directory:
        """A year that is not empty, or that somebody has made."""
        if name == UNDATED:
            test = Condition("undated")
        elif _YEAR.fullmatch(name):
            test = Condition("year", int(name))
        else:
            raise NotFound(name)
        if name not in self.awaited and not self.scope.library.catalog.read(
            browse.exists, (*self.scope.within(), test)
        ):
            raise NotFound(name)
        return self._undated() if name == UNDATED else self._year(int(name))

    def mkdir(self, name: bytes, mode: int, rights: Rights) -> Node:
        """A year to come. Raises InvalidName for what is none, Exists."""
        if not self.fillable:
            self._refuse()
        text = decoded(name)
        if not _YEAR.fullmatch(text) or text == "0000":
            raise InvalidName("a year has four digits: 2019")
        return self.child(self.make(name, f"{self.key}/{decoded(name)}"))

    def _undated(self) -> Undated:
        return Undated(self.scope.choose(UNDATED, Condition("undated")))

    def _year(self, year: int) -> Months:
        return Months(self.scope.choose(f"{year:04d}", Condition("year", year)), year)


class Months(Awaiting):
    """A folder a month of one year in which something was taken."""

    __slots__ = ("_first",)

    def __init__(self, scope: Scope, year: int) -> None:
        super().__init__(scope)
        self._first = year * 100

    @property
    def guide(self) -> str:
        """While it is empty."""
        return readme.YEAR

    def entries(self) -> Entries:
        """The months, in order."""
        found = self.scope.library.catalog.read(browse.months, self.scope.within())
        months = {month % 100 for month in found} | set(map(int, self.awaited))
        return self.guided(
            [(b"%02d" % month, self._month(self._first + month)) for month in sorted(months)]
        )

    def child(self, name: str) -> Month:
        """A month that is not empty, or that somebody has made."""
        if not _MONTH.fullmatch(name):
            raise NotFound(name)
        month = self._first + int(name)
        test = Condition("month", month)
        if name not in self.awaited and not self.scope.library.catalog.read(
            browse.exists, (*self.scope.within(), test)
        ):
            raise NotFound(name)
        return self._month(month)

    def mkdir(self, name: bytes, mode: int, rights: Rights) -> Node:
        """A month to come. Raises InvalidName for what is none, Exists."""
        if not self.fillable:
            self._refuse()
        if not _MONTH.fullmatch(decoded(name)):
            raise InvalidName("a month has two digits: 01 to 12")
        return self.child(self.make(name, f"{self.key}/{decoded(name)}"))

    def _month(self, month: int) -> Month:
        scope = self.scope.choose(f"{month % 100:02d}", Condition("month", month))
        return Month(scope, *divmod(month, 100))


class Month(Correcting):
    """What was taken in one month. What is put here is dated, if nobody wrote down when it was taken."""

    __slots__ = ("_month", "_year")

    def __init__(self, scope: Scope, year: int, month: int) -> None:
        super().__init__(scope)
        self._year, self._month = year, month

    @property
    def guide(self) -> str:
        """While it is empty."""
        return readme.MONTH

    def filling(self, asset: Asset, *, inside: bool) -> values.SetDate:
        """Its date. Raises NotPermitted where one is written down, and for taking out."""
        if not inside:
            raise NotPermitted("when it was taken cannot be removed: move it to another month")
        known = as_found(self.scope.library, asset)
        if not known.estimated:
            raise NotPermitted(f"its date is known: {known.taken_source}")
        local, offset = known.taken_local, known.taken_offset
        if local is None or not self._holds(local):
            local, offset = self._first(), None
        return values.SetDate(contents=(asset.hash,), local=local, offset=offset)

    def _holds(self, local: int) -> bool:
        wall = datetime.fromtimestamp(local, UTC)
        return (wall.year, wall.month) == (self._year, self._month)

    def _first(self) -> int:
        """Noon of the first: where a day is asked for, that is the one that nobody takes for known."""
        return int(datetime(self._year, self._month, 1, NOON, tzinfo=UTC).timestamp())


class Undated(Yielding):
    """What has no date. To be moved out of: to a month."""

    __slots__ = ()
