"""`havenfs index rebuild`: lets go of the database, so that indexing makes it anew. Synchronous.

What people decided is brought to the journal before; the indexer, when it starts, brings it back from there.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from havenfs.catalog import Catalog, removal
from havenfs.decisions import Keeper

from . import indexer

if TYPE_CHECKING:
    from havenfs.config import State

log = logging.getLogger(__name__)


def clear(state: State) -> None:
    """Delete the database of *state*. Nothing is deleted when another program uses it (ConfigError), or when what was
    decided cannot be journaled (NotJournaled)."""
    with indexer.locked(state):
        if not state.catalog.exists():
            return
        try:
            with Catalog(state.catalog) as catalog:
                Keeper(catalog, state.journal).recover()
        except removal.DAMAGE as error:
            log.warning(
                "%s is damaged (%s); decisions come from %s alone",
                state.catalog,
                error,
                state.journal,
            )
        removal.remove(state.catalog)
