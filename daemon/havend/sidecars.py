"""The writer of sidecars: brings what was decided into the XMP beside each original, a moment after it was decided.

What is behind stands in the catalog (`havenfs.catalog.unsaid`), so a kill loses nothing: it is written again, and a file
that says everything already is not touched. What others have changed in a sidecar since is newer, and decided here.
Trio; catalog and disk in threads.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import trio

from havenfs.catalog import decided as log_of_decisions, sources, unsaid
from havenfs.decisions import Keeper
from havenfs.errors import ConfigError, HavenError, NotJournaled, NotPermitted, ReadOnly, Unreadable
from havenfs.extract import own
from havenfs.leaving import decided
from havenfs.leaving.hearing import Hearing
from havenfs.sidecars import beside
from havenfs.sidecars.given import Given
from havenfs.sidecars.merge import Reading, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.catalog import Catalog
    from havenfs.catalog.unsaid import Behind
    from havenfs.config import State
    from havenfs.entities import Source, SourceId
    from havenfs.settings import Sidecars

log = logging.getLogger(__name__)

BATCH = 50
PAUSE_S = 1.0
CALM_S = 2
"""So long after the last decision about it: who tags a picture with five words has its sidecar written once."""
LATER_S = 70
"""A disk that is away or full is tried again then; and what a killed writer left half done, which is taken away after 60."""
AT_IT_S = 120.0
"""For so long after a decision quiet hours and a busy disk do not put off writing it down."""
OTHERS = "sidecar"
"""Who has decided what another program wrote."""


class Writing:
    """Writes what is behind; *wanted* says whether the owner wants sidecars, *waits* whether this is no time for work."""

    def __init__(
        self,
        catalog: Catalog,
        state: State,
        wanted: Callable[[], Sidecars],
        waits: Callable[[], bool] = lambda: False,
    ) -> None:
        self._catalog = catalog
        self._state = state
        self._wanted = wanted
        self._waits = waits
        self._keeper = Keeper(catalog, state.journal)
        self._write_them = False

    async def follow(self) -> None:
        """Write what comes, until cancelled."""
        while True:
            await self.catch_up(calm_s=CALM_S)
            await trio.sleep(PAUSE_S)

    async def catch_up(self, *, calm_s: int = 0) -> None:
        """Write everything about which nothing was decided for *calm_s* seconds."""
        while await trio.to_thread.run_sync(self._step, calm_s, self._waits()):
            pass

    def _step(self, calm_s: int, waits: bool) -> bool:  # noqa: FBT001 -- trio passes by position
        """Write one batch; whether there was one."""
        if waits and not self._owner_is_at_it():
            return False
        if self._catalog.read(unsaid.named):
            self._catalog.write(unsaid.expand)
        waiting = self._catalog.read(unsaid.behind, int(time.time()) - calm_s, BATCH)
        if not waiting or not self._asked_for():
            return False
        known = {source.id: source for source in self._catalog.read(sources.present)}
        hearing = Hearing()
        late = {file.content for file in waiting if not self._written(file, known, hearing)}
        try:
            again = self._take_up(hearing)
        except HavenError as error:  # somebody has just decided otherwise
            log.info("what sidecars say is heard later: %s", error)
            again, late = set[bytes](), late | hearing.contents
        for content, since in {(file.content, file.since) for file in waiting}:
            if content in late:
                at = int(time.time()) + LATER_S
                self._catalog.write(unsaid.later, content, since, at)
            elif content not in again:
                self._catalog.write(unsaid.said, content, since)
        return bool(waiting)

    def _owner_is_at_it(self) -> bool:
        """The disks turn anyway, and people look."""
        latest = self._catalog.read(log_of_decisions.latest_ms, OTHERS)
        return time.time() - latest / 1000 < AT_IT_S

    def _asked_for(self) -> bool:
        with suppress(ConfigError):  # said by who follows the settings
            self._write_them = self._wanted().write
        return self._write_them

    def _written(self, file: Behind, known: dict[SourceId, Source], hearing: Hearing) -> bool:
        """Write one sidecar, and hear what others say in it; False: not now."""
        source = known.get(file.source_id)
        if source is None:
            return False
        try:
            self._write(file, source, hearing)
        except (Unreadable, NotPermitted, ReadOnly) as error:
            # Somebody's that we must not touch, or a disk that takes nothing: until something else is decided.
            log.warning("the sidecar of asset %d is left alone: %s", file.asset_id, error)
        except (HavenError, OSError) as error:
            log.info("the sidecar of asset %d waits: %s", file.asset_id, error)
            return False
        return True

    def _write(self, file: Behind, source: Source, hearing: Hearing) -> None:
        there = beside.there(source, file.path, file.content, state=self._state)
        frame = self._catalog.read(decided.frame, file.content)
        reading = read(there, frame) if there is not None else Reading(given=Given(), written=None)
        ours = self._catalog.read(decided.of_content, file.content)
        heard = self._catalog.read(unsaid.heard, file.file_id, file.content)
        agreed = self._catalog.read(
            decided.agreed, file.asset_id, file.content, reading, own.written(heard)
        )
        outcome = beside.write(
            source, file.path, file.content, ours, state=self._state, frame=frame, agreed=agreed
        )
        merged = outcome.merged
        self._catalog.read(
            partial(
                hearing.hear,
                asset_id=file.asset_id,
                content=file.content,
                ours=ours,
                merged=merged,
                regions=frame is not None,
            )
        )
        note = "" if merged.noted or not any(merged.agreed.values()) else own.note(merged.agreed)
        if note != heard:
            self._catalog.write(unsaid.hear, file.file_id, file.content, note)
        if outcome.status is not None:
            log.info("the sidecar of asset %d is written", file.asset_id)

    def _take_up(self, hearing: Hearing) -> set[bytes]:
        """Decide what others have said; the contents of which something else holds now, and is to be written. Raises what
        `Keeper.decide` raises."""
        decision = hearing.decision()
        if decision is None:
            return set()
        try:
            done = self._keeper.decide(decision, by=OTHERS)
        except NotJournaled as error:
            log.warning("%s; the next decision tries again", error)
        else:
            if done is None:
                return set()
        return hearing.contents
