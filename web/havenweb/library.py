"""What every request works on: the catalog, the thumbnails, the searcher and where the mount is.

Made once when the program starts and handed to each handler. Handlers run in worker threads; Catalog and Thumbnails
give each thread a connection of its own, so nothing here needs a lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from havenfs.catalog import Catalog
from havenfs.catalog.thumbnails import Thumbnails
from havenfs.retrieval.encoder import SocketEncoder
from havenfs.retrieval.search import Searcher

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from havenfs.config import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One household's library as the web program sees it."""

    state: State
    catalog: Catalog
    thumbnails: Thumbnails
    searcher: Searcher
    mount: Path | None
    """Where the tree is mounted on this machine; None when it is not."""

    @classmethod
    def open(cls, state: State, *, mount: Path | None = None) -> Self:
        """Open the state directory. Raises NewerState."""
        catalog = Catalog(state.catalog)
        return cls(
            state=state,
            catalog=catalog,
            thumbnails=Thumbnails(state.thumbnails),
            searcher=Searcher(catalog, SocketEncoder(state.encoder)),
            mount=mount,
        )

    def close(self) -> None:
        """Close the files. No request may be under way."""
        self.thumbnails.close()
        self.catalog.close()
