"""What folders draw from, and what a computed one is about: the Library, and a Scope in it.

A Scope is conditions added up from left to right, so that facets can narrow any folder.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from havenfs.bounded import Bounded
from havenfs.catalog import browse
from havenfs.decisions.bin import Bin
from havenfs.errors import TooDeep
from havenfs.views.removing.bursts import Bursts
from havenfs.views.removing.guard import Guard
from havenfs.views.uploads.loose import Looseness

from .awaited import Awaited
from .readme import Stirred

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from havenfs.catalog import Catalog
    from havenfs.catalog.browse import Condition
    from havenfs.catalog.catalog import Connection
    from havenfs.decisions import Keeper
    from havenfs.entities import AssetId, Identity, Source
    from havenfs.retrieval.search import Answer

    from .nodes import Directory

    Relocated = Callable[[Source, bytes, Source, bytes], None]
    """Told of each original after a view has moved it: source and path before and after."""

MAX_FACETS = (
    8  # deeper than any question a person asks, shallow enough to end a program that recurses
)
MANY = 5000  # hits that a search contributes to an intersection, where its listing shows 200
REMEMBERED = 16  # answers kept, for the lookups that follow a listing


class Searching(Protocol):
    """What answers queries: havenfs.retrieval.search.Searcher, or something that loads it late."""

    def search(self, text: str, /, *, limit: int, path: bool = False) -> Answer:
        """The answer. *path*: the text is the name of a folder. Raises InvalidQuery."""
        ...


class Recorder(Protocol):
    """What makes an asset of a new original (`havenfs.ingest`, which views do not know)."""

    def record(
        self, db: Connection, source: Source, path: bytes, identity: Identity
    ) -> AssetId | None:
        """Within the caller's transaction, of what was just put at *path*. None: it is something else by now."""
        ...

    def recorded(self) -> None:
        """That transaction has committed."""
        ...

    def written(self, source: Source, path: bytes) -> None:
        """A file that is no asset has got this name."""
        ...

    def removed(self, source: Source, path: bytes, *, directory: bool) -> None:
        """A name is gone."""
        ...


class Library:
    """What the folders draw from: the catalog, the searcher and a few remembered answers."""

    def __init__(
        self,
        catalog: Catalog,
        searcher: Searching,
        facets: Mapping[str, Callable[[Scope], Directory]],
        *,
        hidden: tuple[bytes, ...] = (),
        keeper: Keeper | None = None,
    ) -> None:
        self.catalog = catalog
        self.searcher = searcher
        self.keeper = keeper
        """Through which folders decide; None: nothing can be decided."""
        self.loose = Looseness()
        """Names that stand for no asset yet, or never will."""
        self.bursts = Bursts()
        """What is being taken out of folders."""
        self.recorder: Recorder | None = None
        """Who records new originals; None: nothing new can be put into folders."""
        self.bin = Bin(catalog, keeper) if keeper is not None else None
        """Where removed originals go; None: they are gone."""
        self.guard = Guard(catalog)
        self.work_trees: dict[tuple[int, bytes], float] = {}
        """Source and top of each work tree whose repository was lately removed from, and when; see `removal`."""
        self.facets = facets
        """Facet, with its @, in lower case -> the folder that it opens on a scope."""
        self.hidden = hidden
        """Real paths that `files/` never enters: our own mount point."""
        self.refusals: deque[str] = deque(maxlen=50)
        """Queries that could not be understood, newest last; shown in .haven/errors."""
        self.awaited = Awaited()
        """Folders of dates and places that somebody has made, and that nothing is in yet."""
        self.stirred = Stirred()
        """Folders that are being changed, which say nothing of themselves meanwhile."""
        self.relocated: Relocated = _nobody
        """To be told of each original that a view moved, before whoever asked is."""
        self.copied: int | None = None
        """Bytes of an original that a view may copy to another source while somebody waits; None: any."""
        self._answers: Bounded[tuple[str, int], tuple[float, Answer]] = Bounded(REMEMBERED)

    def answer(self, text: str, limit: int, *, settle_s: float = 0.0) -> Answer:
        """The answer to a query. One that is younger than *settle_s* will do, though the library has changed since.

        Raises InvalidQuery.
        """
        now = time.monotonic()
        asked, known = self._answers.get((text, limit), (-settle_s, None))
        if known is not None and now - asked < settle_s:
            return known
        found = self.searcher.search(text, limit=limit, path=True)
        self._answers[text, limit] = now, found
        return found


def _nobody(source: Source, path: bytes, to: Source, new_path: bytes) -> None:
    """Nobody remembers where originals lie."""


class Scope(Struct, frozen=True, kw_only=True):
    """What a folder is about: conditions that are settled, and the one that it refines."""

    library: Library
    key: str
    settled: tuple[Condition, ...] = ()
    """Of the facets to the left."""
    choice: Condition | None = None
    """Of this view, so far: a year, then a month."""
    searches: tuple[tuple[str, bool], ...] = ()
    """(query, negated) of the searches to the left: run when the folder is listed, not before."""
    negated: bool = False
    """Whether the view stands behind @not."""
    facets: int = 0

    def choose(self, key: str, choice: Condition | None = None) -> Scope:
        """One level further down in the same view."""
        return replace(self, key=f"{self.key}/{key}", choice=choice or self.choice)

    def narrow(self, facet: str) -> Scope:
        """The start of another view within this one. Raises TooDeep."""
        if self.facets >= MAX_FACETS:
            raise TooDeep(f"{self.key}/{facet}: more than {MAX_FACETS} facets")
        return replace(
            self,
            key=f"{self.key}/{facet}",
            settled=self._with_choice(),
            choice=None,
            negated=False,
            facets=self.facets + 1,
        )

    def outer(self) -> tuple[Condition, ...]:
        """The conditions around this view; runs the searches among them."""
        return (*self._found(), *self.settled)

    def conditions(self) -> tuple[Condition, ...]:
        """All conditions of the folder; runs the searches among them."""
        return (*self._found(), *self._with_choice())

    def within(self) -> tuple[Condition, ...]:
        """The conditions under which subfolders are offered: behind @not, what one may still exclude."""
        return (*self.outer(), self.choice) if self.choice else self.outer()

    def _with_choice(self) -> tuple[Condition, ...]:
        if self.choice is None:
            return self.settled
        if self.choice.negated == self.negated:
            return (*self.settled, self.choice)
        return (*self.settled, replace(self.choice, negated=self.negated))

    def _found(self) -> tuple[Condition, ...]:
        return tuple(
            replace(
                browse.among([hit.asset_id for hit in self.library.answer(text, MANY).hits]),
                negated=negated,
            )
            for text, negated in self.searches
        )
