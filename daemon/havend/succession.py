"""One model takes over from another: lets it answer searches once it has looked at everything, then forgets the old vectors.

Which model answers stands in the state directory (`havenfs.models.registry`), so that a killed indexer goes on where it was.
Trio; the catalog is read and written in threads.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import trio

from havenfs.catalog import jobs, vectors
from havenfs.models import registry

if TYPE_CHECKING:
    from havenfs.catalog import Catalog
    from havenfs.config import State
    from havenfs.models.registry import Model

log = logging.getLogger(__name__)

STALE_S = 1200.0
"""How long a predecessor's vectors outlive its last answer: who keeps the vectors of queries does so for ten minutes."""


class Succession:
    """The indexer's; one task at a time."""

    def __init__(self, state: State, catalog: Catalog) -> None:
        self._state = state
        self._catalog = catalog
        self._forget_at = math.inf

    async def settle(self, model: Model | None) -> None:
        """Look once whether *model*, the one in use, has seen everything. None: none works, so nothing changes."""
        now = trio.current_time()
        if model is None or not await trio.to_thread.run_sync(self._answers, model):
            self._forget_at = math.inf
            return
        self._forget_at = min(self._forget_at, now + STALE_S)
        if now >= self._forget_at:
            while await trio.to_thread.run_sync(self._forget, model):
                pass

    def _answers(self, model: Model) -> bool:
        """Whether *model* answers; from now on if its predecessor has nothing more to say than it."""
        predecessor = registry.answering(self._state)
        if predecessor.id == model.id:
            return True
        if registry.active(self._state).id != model.id:
            return False  # chosen this moment: the indexer has not heard of it
        behind = self._catalog.read(jobs.embedding_left)
        if behind and self._catalog.read(vectors.count, predecessor.id):
            return False
        registry.settle(self._state)
        log.info("%s answers searches now", model.id)
        return True

    def _forget(self, model: Model) -> bool:
        return self._catalog.write(vectors.forget, {model.id})
