"""The mount's side of arrivals: what was done in `files/` is in the catalog before whoever did it is answered.

Hears from Operations, asks `havenfs.ingest.arrival`, rings for the indexer. Never raises and never waits long: the file
is written, renamed, gone, and no trouble of ours may make that look failed. What could not be recorded is found by the
indexer's watch, or by its next scan. Any thread.
"""

from __future__ import annotations

import logging
import time
from functools import cached_property
from typing import TYPE_CHECKING, Final

from havenfs.catalog.catalog import TROUBLE
from havenfs.errors import SourceGone

from .bell import Bell

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.catalog import Catalog
    from havenfs.catalog.catalog import Connection
    from havenfs.config import State
    from havenfs.entities import AssetId, Identity, Source
    from havenfs.ingest import arrival

log = logging.getLogger(__name__)

PATIENCE_MS: Final = 1000  # for who writes the catalog now: a batch of the indexer takes 20 to 40
SULK_S: Final = 5.0  # after the catalog was in trouble: it is tried without waiting


class Arrivals:
    """The observer of Operations."""

    def __init__(self, catalog: Catalog, state: State) -> None:
        self._catalog = catalog
        self._bell = Bell(state.bell)
        self.told: Callable[[], None] = _nobody
        """Called after each commit, before whoever did it is answered: for what we ourselves remember."""
        self._sulking = 0.0  # until when, by the monotonic clock
        self._complained = False

    def close(self) -> None:
        """No call may be under way."""
        self._bell.close()

    @cached_property
    def _arrivals(self) -> arrival.Arrivals:
        """Loaded by the first change: 30 ms by which every mount would start later."""
        from havenfs.ingest import arrival

        return arrival.Arrivals(self._catalog)

    def written(self, source: Source, path: bytes) -> None:
        """A file was made, closed after its content changed, or given one more name."""
        self._record(lambda: self._arrivals.written(source, path))

    def record(
        self, db: Connection, source: Source, path: bytes, identity: Identity
    ) -> AssetId | None:
        """A file that was put into a folder of the views has this name; see `havenfs.views.library.Recorder`."""
        return self._arrivals.placed(db, source, path, identity)

    def recorded(self) -> None:
        """Its transaction has committed."""
        self.told()
        self._bell.ring()

    def renamed(
        self, source: Source, path: bytes, to: Source, new_path: bytes, *, directory: bool
    ) -> None:
        """A name moved, and what was there under the new one is gone."""
        self._record(
            lambda: self._arrivals.renamed(source, path, to, new_path, directory=directory)
        )

    def exchanged(self, source: Source, path: bytes, to: Source, new_path: bytes) -> None:
        """Two names changed places."""
        self._record(lambda: self._arrivals.exchanged(source, path, to, new_path))

    def removed(self, source: Source, path: bytes, *, directory: bool) -> None:
        """A name is gone."""
        self._record(lambda: self._arrivals.removed(source, path, directory=directory))

    def _record(self, work: Callable[[], bool]) -> None:
        wait = PATIENCE_MS if time.monotonic() >= self._sulking else 0
        try:
            with self._catalog.waiting(wait):
                changed = work()
        except SourceGone as error:
            log.debug("the disk did not say what has arrived: %s", error)
            return
        except TROUBLE as error:
            self._sulking = time.monotonic() + SULK_S
            if not self._complained:
                self._complained = True
                log.warning(
                    "the catalog cannot be written (%s): what changes in files/ is shown when it is scanned",
                    error,
                )
            return
        if changed:
            if self._complained:
                self._complained = False
                log.info("the catalog can be written again")
            self.told()
            self._bell.ring()


def _nobody() -> None:
    pass
