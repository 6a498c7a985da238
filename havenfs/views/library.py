"""What the folders draw from: the catalog, a searcher, and the answers that were asked for last."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from havenfs.catalog import Catalog
    from havenfs.retrieval.search import Answer

    from .nodes import Directory
    from .scope import Scope

REMEMBERED = 16  # answers kept, for the lookups that follow a listing


class Searching(Protocol):
    """What answers queries: havenfs.retrieval.search.Searcher, or something that loads it late."""

    def search(self, text: str, /, *, limit: int, path: bool = False) -> Answer:
        """The answer. *path*: the text is the name of a folder. Raises InvalidQuery."""
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
    ) -> None:
        self.catalog = catalog
        self.searcher = searcher
        self.facets = facets
        """Facet, with its @, in lower case -> the folder that it opens on a scope."""
        self.hidden = hidden
        """Real paths that `files/` never enters: our own mount point."""
        self.refusals: deque[str] = deque(maxlen=50)
        """Queries that could not be understood, newest last; shown in .haven/errors."""
        self._answers: dict[tuple[str, int], tuple[float, Answer]] = {}

    def answer(self, text: str, limit: int, *, settle_s: float = 0.0) -> Answer:
        """The answer to a query. One that is younger than *settle_s* will do, though the library has changed since.

        Raises InvalidQuery.
        """
        now = time.monotonic()
        asked, known = self._answers.get((text, limit), (-settle_s, None))
        if known is not None and now - asked < settle_s:
            return known
        found = self.searcher.search(text, limit=limit, path=True)
        self._answers.pop((text, limit), None)
        self._answers[text, limit] = now, found
        for oldest in list(self._answers)[:-REMEMBERED]:
            self._answers.pop(oldest, None)
        return found
