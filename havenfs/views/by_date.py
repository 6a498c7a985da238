"""by-date/YYYY/MM and by-date/_undated, by the wall clock of the place where a picture was taken.

A date that is only a file's mtime is an estimate: such assets are undated.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from havenfs.catalog import browse
from havenfs.catalog.browse import Condition
from havenfs.errors import NotFound

from .folders import Assets, Folder

if TYPE_CHECKING:
    from .nodes import Directory, Entry

UNDATED = "_undated"
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)
_MONTH = re.compile(r"0[1-9]|1[0-2]", re.ASCII)


class Years(Folder):
    """A folder a year in which something was taken, then what has no date."""

    __slots__ = ()

    def entries(self) -> list[Entry]:
        """The years, oldest first."""
        catalog, within = self.scope.library.catalog, self.scope.within()
        years = sorted({month // 100 for month in catalog.read(browse.months, within)})
        found: list[Entry] = [(b"%04d" % year, self._year(year)) for year in years]
        if catalog.read(browse.exists, (*within, Condition("undated"))):
            found.append((UNDATED.encode(), self._undated()))
        return found

    def child(self, name: str) -> Directory:
        """A year that is not empty."""
        if name == UNDATED:
            test = Condition("undated")
        elif _YEAR.fullmatch(name):
            test = Condition("year", int(name))
        else:
            raise NotFound(name)
        if not self.scope.library.catalog.read(browse.exists, (*self.scope.within(), test)):
            raise NotFound(name)
        return self._undated() if name == UNDATED else self._year(int(name))

    def _undated(self) -> Assets:
        return Assets(self.scope.choose(UNDATED, Condition("undated")))

    def _year(self, year: int) -> Months:
        return Months(self.scope.choose(f"{year:04d}", Condition("year", year)), year)


class Months(Folder):
    """A folder a month of one year in which something was taken."""

    __slots__ = ("_first",)

    def __init__(self, scope: Scope, year: int) -> None:
        super().__init__(scope)
        self._first = year * 100

    def entries(self) -> list[Entry]:
        """The months, in order."""
        found = self.scope.library.catalog.read(browse.months, self.scope.within())
        return [(b"%02d" % (month % 100), self._month(month)) for month in found]

    def child(self, name: str) -> Assets:
        """A month that is not empty."""
        if not _MONTH.fullmatch(name):
            raise NotFound(name)
        month = self._first + int(name)
        test = Condition("month", month)
        if not self.scope.library.catalog.read(browse.exists, (*self.scope.within(), test)):
            raise NotFound(name)
        return self._month(month)

    def _month(self, month: int) -> Assets:
        return Assets(self.scope.choose(f"{month % 100:02d}", Condition("month", month)))


if TYPE_CHECKING:
    from .library import Scope
