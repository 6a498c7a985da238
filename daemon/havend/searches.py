"""The mount's searches, loaded by the first one.

What a search needs (numpy, the models' registry, the ranking) takes 0.1 s and 20 MiB; a mount in which nobody searches
starts without. Any thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from havenfs.catalog import Catalog
    from havenfs.config import State
    from havenfs.retrieval.search import Answer, Searcher


class LateSearcher:
    """A Searcher that is made when it is first asked."""

    def __init__(self, catalog: Catalog, state: State) -> None:
        self._catalog = catalog
        self._state = state
        self._searcher: Searcher | None = None

    def search(self, text: str, *, limit: int, path: bool = False) -> Answer:
        """As Searcher.search. Raises InvalidQuery."""
        if self._searcher is None:
            from havenfs.retrieval.encoder import SocketEncoder
            from havenfs.retrieval.search import Searcher

            self._searcher = Searcher(self._catalog, SocketEncoder(self._state.encoder))
        return self._searcher.search(text, limit=limit, path=path)
