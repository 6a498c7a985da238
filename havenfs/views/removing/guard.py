"""The guard against mass deletion: a program gone wild, or a child at a file manager, is stopped while little has gone.

What it counts are originals that `files/` moves to the trash, by user, within WINDOW_S. Not what is no asset: a build that is
cleaned away is nobody's loss. The limit is the smaller one of two, because either alone lets something pass: 200 files are
the whole of a small library, 5 % of a large one is more than a disk can delete in a minute. The share never stops anybody below FEW, or the holidays of
one weekend could not be removed from a small library. All of it is in the trash by then; so a false alarm costs one command, and that gives the user GRACE_S in which nothing is counted, to finish what was meant.

Any thread. Whom it stopped stands in the catalog, which is asked again at each refusal: another program may have lifted it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from havenfs.catalog import guarded
from havenfs.catalog.guarded import Alarm
from havenfs.errors import ReadOnly

if TYPE_CHECKING:
    from havenfs.catalog import Catalog

log = logging.getLogger(__name__)

WINDOW_S: Final = 60.0
FEW: Final = 50
"""Files that anybody may remove in a minute, however small the library, unless the owner says less."""
GRACE_S: Final = 3600.0


class Guard:
    """Counts removals."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._removals: dict[str, deque[float]] = {}
        """When, by the clock, of each user; the last WINDOW_S."""
        self._alarms: dict[str, Alarm] | None = None
        """As last read; None: not yet."""
        self._limit = 0, 0.0
        """The limit, and until when it was asked."""

    @property
    def quiet(self) -> bool:
        """Whether nobody is stopped, as far as is known here: then nobody need be told apart."""
        return self._alarms is not None and all(a.lifted_ms for a in self._alarms.values())

    def check(self, who: str) -> None:
        """Raises ReadOnly for a user who was stopped."""
        if self._alarms is None or who in self._alarms:
            self._alarms = {alarm.who: alarm for alarm in self._catalog.read(guarded.alarms)}
        alarm = self._alarms.get(who)
        if alarm is not None and alarm.lifted_ms is None:
            raise ReadOnly(sentence(alarm))

    def count(self, who: str, at_s: float) -> None:
        """One more original has gone to the trash, by *who*; the removal began at *at_s*. May stop him from now on."""
        with self._lock:
            times = self._removals.setdefault(who, deque())
            times.append(at_s)
            while times[0] < at_s - WINDOW_S:
                times.popleft()
            if len(times) <= self._most(len(times)) or self._graced(who):
                return
            alarm = Alarm(
                who=who,
                since_ms=int(times[0] * 1000),
                at_ms=time.time_ns() // 1_000_000,
                removed=len(times),
            )
            times.clear()
            self._alarms = {**(self._alarms or {}), who: alarm}
        self._catalog.attempt(guarded.put, alarm)
        log.error("%s", sentence(alarm))

    def _most(self, gone: int) -> int:
        """How many may go in a minute; asked of the catalog once a minute."""
        limit, until = self._limit
        if time.monotonic() > until:
            limit = allowed(
                self._catalog.read(guarded.limits), self._catalog.read(guarded.library) + gone
            )
            self._limit = limit, time.monotonic() + WINDOW_S
        return limit

    def _graced(self, who: str) -> bool:
        alarm = (self._alarms or {}).get(who)
        return (
            alarm is not None
            and alarm.lifted_ms is not None
            and time.time() < alarm.lifted_ms / 1000 + GRACE_S
        )


def allowed(limits: guarded.Limits, library: int) -> int:
    """How many originals a user may remove in a minute, of a library of so many."""
    if not limits.removals:
        return library + FEW  # the owner wants no guard
    share = int(library * limits.percent / 100) if limits.percent else limits.removals
    return min(limits.removals, max(FEW, share))


def sentence(alarm: Alarm) -> str:
    """An alarm in words, with what can be done."""
    seconds = max(1, (alarm.at_ms - alarm.since_ms) // 1000)
    return (
        f"{alarm.who} removed {alarm.removed} originals within {seconds} s, and can remove nothing more. All of them are in"
        f" the trash. To bring them back: havenfs undo --burst {alarm.who}. If it was meant: havenfs guard lift {alarm.who}"
    )
