"""Which disks have kept too many people waiting: their files answer EIO at once until a disk answers somebody again.

A disk that hangs takes its requests with it: each of them a thread that nobody can end. A disk that only spins up is
given its time: only waits beyond PATIENCE_S count. A transport tells which requests wait; any thread may look.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from .inodes import ASSET

if TYPE_CHECKING:
    from collections.abc import Iterable

PATIENCE_S: Final = 10.0
"""After which a request is answered EIO: a large disk that was asleep takes up to that."""
MOST: Final = 4
"""Requests of one source that have waited for so long and wait on."""


class Patience:
    """What is given up, and since when people wait."""

    def __init__(self, patience_s: float = PATIENCE_S, most: int = MOST) -> None:
        self.patience_s = patience_s
        self._most = most
        self._since: dict[object, tuple[int, float]] = {}
        self.given_up: frozenset[int] = frozenset()
        """Ids of sources. Replaced, never changed."""

    def begun(self, token: object, source_id: int) -> None:
        """A request of this source waits from now on."""
        self._since[token] = source_id, time.monotonic()

    def ended(self, token: object) -> None:
        """It waits no more."""
        self._since.pop(token, None)
        if self.given_up:
            self.judge()

    def hopeless(self, source_id: int) -> bool:
        """Whether a request of this source need not even be tried."""
        if len(self._since) >= self._most or self.given_up:
            self.judge()
        return source_id in self.given_up

    def judge(self, waits: Iterable[tuple[int, float]] | None = None) -> None:
        """Decide anew, from the source and the seconds of each wait; by default of those that were told of."""
        if waits is None:
            now = time.monotonic()
            waits = [(source_id, now - since) for source_id, since in list(self._since.values())]
        counts: dict[int, int] = {}
        for source_id, seconds in waits:
            if source_id and seconds > self.patience_s:
                counts[source_id] = counts.get(source_id, 0) + 1
        self.given_up = frozenset(
            source_id for source_id, count in counts.items() if count >= self._most
        )


def source_of(nodeid: int) -> int:
    """The source that an inode lies in, whichever of its two faces it is; 0 for what is computed, and for the
    few whose number on disk is too large to say."""
    return (nodeid & ~ASSET) >> 48 if nodeid < ASSET << 1 else 0
