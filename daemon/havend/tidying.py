"""The trash, kept in order: it agrees with its rows, and what has lain there for long enough is deleted for good.

Trio; the work is done on a thread. When the indexer starts, and then once a day when nothing else is to do, so that a sleeping
disk is woken at most once. Nothing is deleted early, however full a disk is: what is there is what undo and a mistaken
`rm -r` rely on. Who needs the room empties trash/ himself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import trio

from havenfs.catalog import guarded, sources, trashed
from havenfs.decisions.bin import DAY_S, Bin
from havenfs.errors import HavenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.catalog import Catalog
    from havenfs.decisions import Keeper
    from havenfs.settings import Guard, Trash

log = logging.getLogger(__name__)

FIRST_S: Final = 20.0  # after the start: the sources have been looked at by then
PAUSE_S: Final = 60.0  # between looks whether there is nothing else to do
EVERYTHING: Final = 1 << 62


class Tidying:
    """Keeps the trash of every source. *idle* says whether nothing else is to do."""

    def __init__(
        self,
        catalog: Catalog,
        keeper: Keeper,
        *,
        trash: Callable[[], Trash],
        guard: Callable[[], Guard],
        idle: Callable[[], bool],
    ) -> None:
        self._catalog = catalog
        self._bin = Bin(catalog, keeper)
        self._trash = trash
        self._guard = guard
        self._idle = idle

    async def follow(self) -> None:
        """Do it, until cancelled."""
        await trio.to_thread.run_sync(self.tell_limits)
        await trio.sleep(FIRST_S)
        while True:
            await trio.to_thread.run_sync(self.tidy, abandon_on_cancel=True)
            until = trio.current_time() + DAY_S
            while trio.current_time() < until or not self._idle():
                await trio.sleep(PAUSE_S)
                await trio.to_thread.run_sync(self.tell_limits)

    def tell_limits(self) -> None:
        """Let the mount know what the settings say. It reads none."""
        try:
            found, days = self._guard(), self._trash().keep_days
        except HavenError:
            return  # said by who follows the settings
        wanted = guarded.Limits(removals=found.removals, percent=found.percent)
        if self._catalog.read(guarded.limits) != wanted:
            self._catalog.attempt(guarded.set_limits, wanted)
        if self._catalog.read(trashed.keep_days) != days:
            self._catalog.attempt(trashed.set_keep_days, days)

    def tidy(self) -> int:
        """Once; returns how many files were deleted for good."""
        for source in self._catalog.read(sources.present):
            if not source.writable:
                continue
            try:
                self._bin.reconcile(source, largest=EVERYTHING)
            except (HavenError, OSError) as error:
                log.warning("the trash of %s was not looked through: %s", source.name, error)
        try:
            return self._bin.expire()
        except (HavenError, OSError) as error:
            log.warning("the trash was not emptied of what is old: %s", error)
            return 0
