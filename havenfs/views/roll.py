"""A long listing that is not held: the ids of the assets, and the page of entries that was asked for last.

A library's largest folder may hold every asset; as nodes a million of them would take 0.6 GB, as ids they take 8 MB.
A Roll is a snapshot: an entry's index is its own for the life of the Roll, whatever comes or goes meanwhile. What has
left the folder since is None, so that no reader is told of a name that a lookup would deny.

Threading: any thread; two that read one Roll at once may fetch a page twice.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from havenfs.catalog import browse

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterator, Sequence

    from havenfs.catalog import Catalog
    from havenfs.catalog.browse import Condition, Outline
    from havenfs.entities import Asset

    from .nodes import Entry

PAGE = 256  # 1.4 ms of SQL: nobody else waits long, and the statement's own cost is spread thin
FIRST = 16_384
"""Outlines that come with the ids, for half the price: 5 MB, until they are read or old."""
FRESH_S = 1.0  # for which they are true: as long as the kernel believes what may change


class Roll:
    """The assets that pass some conditions, by date, each as the entry that *entry* makes of it."""

    __slots__ = (
        "_catalog",
        "_conditions",
        "_entry",
        "_first",
        "_ids",
        "_outlined",
        "_page",
        "_until",
        "plain",
    )

    def __init__(
        self,
        catalog: Catalog,
        conditions: Sequence[Condition],
        entry: Callable[[Asset], Entry],
        *,
        plain: bool = False,
    ) -> None:
        """*plain*: *entry* makes of an asset its own name and a bare Leaf, so that an outline says as much."""
        self.plain = plain
        self._catalog = catalog
        self._conditions = conditions
        self._entry = entry
        self._ids: array[int]
        self._first: Sequence[Outline] = ()
        self._until = time.monotonic() + FRESH_S
        if plain:
            self._ids, self._first = catalog.glance(browse.roll, conditions, FIRST)
        else:
            self._ids = catalog.glance(browse.ids, conditions)
        self._page: tuple[int, Sequence[Entry | None]] = (-1, ())
        self._outlined: tuple[int, Sequence[Outline | None]] = (-1, ())

    def __len__(self) -> int:
        """How many there were; no more are left."""
        return len(self._ids)

    def __getitem__(self, index: int, /) -> Entry | None:
        """The entry at *index*, from 0; None when it has left since. Raises IndexError."""
        start = index - index % PAGE
        return self._fetched(start)[index - start]

    def __iter__(self) -> Iterator[Entry]:
        """The entries that are still here."""
        for start in range(0, len(self._ids), PAGE):
            yield from filter(None, self._fetched(start))

    def outlines(self, index: int) -> Sequence[Outline | None]:
        """The rest of a page from *index* on, without making assets; None for those that have left since."""
        if index < len(self._first) and time.monotonic() < self._until:
            return self._first[index : index + PAGE]
        self._first = ()
        start = index - index % PAGE
        begun, page = self._outlined
        if begun != start:
            ids = self._ids[start : start + PAGE]
            page = self._catalog.glance(browse.outlines, self._conditions, ids)
            self._outlined = start, page
        return page[index - start :]

    def _fetched(self, start: int) -> Sequence[Entry | None]:
        begun, page = self._page
        if begun != start:
            ids = self._ids[start : start + PAGE]
            found = self._catalog.glance(browse.those, self._conditions, ids)
            page = [self._entry(found[id_]) if id_ in found else None for id_ in ids]
            self._page = start, page
        return page
