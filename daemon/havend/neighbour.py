"""A good neighbour: when the indexer may work, how hard, and why not.

Whether the disk is busy because of us or because of others the kernel does not say. So the way to know is to stop: while
nothing of ours is under way, what is left of the pressure is that of others. If there is enough of it, the pause goes on
until they are done; if not, work goes on, and the next such trial waits twice as long. Trio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import trio

from havenfs.config import Budget

from . import pressure

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.settings import Indexing

    from .pressure import Level

SETTLE_S = 5.0
"""Most that a pause waits for the pieces under way before it measures."""
MEASURE_S = 2.0
TRIAL_S = 5.0
"""Between trials that found nobody, at first; the pause of one costs two seconds."""
TRIALS_S = 80.0
"""Between them at most: one quarter of a percent of the time."""
SEARCH_S = 4.0
"""How long after a search nothing new is begun: people ask again."""
MINUTE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """What a budget means."""

    io: float | None
    memory: float | None
    cpu: float | None
    """Shares of others at which it pauses; None: never."""
    searches: bool
    """Whether it pauses while somebody searches."""
    breath: float
    """Rest after each piece of work, as a share of the time that it took."""
    cores: int
    """Workers, less than there are cores."""
    most: int
    """Workers at most."""
    load: float | None
    """Load a core at which it pauses where the kernel counts no pressure."""


MANNERS: Final = {
    Budget.BACKGROUND: Manners(
        io=0.15, memory=0.05, cpu=0.5, searches=True, breath=0.25, cores=99, most=1, load=1.2
    ),
    Budget.BALANCED: Manners(
        io=0.7, memory=0.1, cpu=None, searches=False, breath=0.0, cores=1, most=4, load=4.0
    ),
    Budget.FULL: Manners(
        io=None, memory=None, cpu=None, searches=False, breath=0.0, cores=0, most=16, load=None
    ),
}


class Neighbour:
    """Says in `waits` why nothing new may be begun now; calls *changed* on the loop when that changes.

    *busy* says whether something of ours is under way, *wanted* whether there is work at all.
    """

    def __init__(
        self,
        indexing: Indexing,
        *,
        busy: Callable[[], bool],
        wanted: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self._indexing = indexing
        self._busy = busy
        self._wanted = wanted
        self._changed = changed
        self._news = trio.Event()
        self._searched = -math.inf
        self._watch = trio.CancelScope()
        self._clock: str | None = None
        self._pressed: str | None = None

    @property
    def waits(self) -> str | None:
        """Why nothing new may be begun, in words for people; None: nothing is in the way."""
        return self._clock or self._pressed

    @property
    def manners(self) -> Manners:
        """Those of the budget in force."""
        return MANNERS[self._indexing.budget]

    def use(self, indexing: Indexing) -> None:
        """Go by these settings from now on."""
        self._indexing = indexing
        self._news.set()
        self._watch.cancel()

    def searching(self) -> None:
        """Somebody has just searched."""
        if self.manners.searches:
            self._searched = trio.current_time()
            self._news.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow_clock)
            while True:
                with trio.CancelScope() as self._watch:
                    await self._follow_pressure()
                self._tell(self._clock, None)

    async def _follow_clock(self) -> None:
        """Quiet hours, to the minute, and searches."""
        while True:
            self._news = trio.Event()
            searching = self._searched + SEARCH_S - trio.current_time()
            end = self._indexing.quiet.until(datetime.now())  # noqa: DTZ005 -- the owner's clock
            if end is not None:
                self._tell(f"quiet hours until {end:%H:%M}", self._pressed)
            else:
                self._tell("somebody is searching" if searching > 0 else None, self._pressed)
            with trio.move_on_after(searching if searching > 0 else MINUTE_S):
                await self._news.wait()

    async def _follow_pressure(self) -> None:
        """Each time the alarm goes off, find out by a pause whether it is others."""
        manners = self.manners
        shares = {"io": manners.io, "memory": manners.memory, "cpu": manners.cpu}
        apart = TRIAL_S
        with pressure.Alarm({k: v for k, v in shares.items() if v is not None}) as alarm:
            while True:
                await alarm.wait()
                if self._clock or not self._wanted():
                    await trio.sleep(TRIAL_S)
                elif not pressure.counted():
                    self._tell(self._clock, self._loaded())
                elif await self._trial():
                    apart = TRIAL_S
                else:
                    await trio.sleep(apart)
                    apart = min(apart * 2, TRIALS_S)

    async def _trial(self) -> bool:
        """Pause as long as others press; False when nobody did."""
        pressed = False
        self._tell(self._clock, "looking whether others need the disk")
        with trio.move_on_after(SETTLE_S):
            while self._busy():  # noqa: ASYNC110 -- several workers, each with its own end
                await trio.sleep(0.1)
        while True:
            before = pressure.reading()
            await trio.sleep(MEASURE_S)
            why = reason(pressure.reading().since(before), self.manners)
            self._tell(self._clock, why)
            if why is None:
                return pressed
            pressed = True

    def _loaded(self) -> str | None:
        load, most = pressure.load(), self.manners.load
        mine = 0.5 if self._busy() else 0.0
        if most is None or load - mine < most:
            return None
        return f"the machine is busy (load {load:.1f} a core)"

    def _tell(self, clock: str | None, pressed: str | None) -> None:
        before = self.waits
        self._clock, self._pressed = clock, pressed
        if self.waits != before:
            self._changed()


def reason(level: Level, manners: Manners) -> str | None:
    """Why *level*, which is that of others, is too much; None when it is not."""
    if manners.memory is not None and level.memory >= manners.memory:
        return f"memory is short (pressure {level.memory:.0%})"
    if manners.io is not None and level.io >= manners.io:
        return f"the disk is busy (I/O pressure {level.io:.0%})"
    if manners.cpu is not None and level.cpu >= manners.cpu:
        return f"the processor is busy ({level.cpu:.0%})"
    return None
