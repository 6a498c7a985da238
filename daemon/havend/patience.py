"""Which disks have kept people waiting for too long: what asks them is answered EIO at once until they answer again.

A disk that hangs takes its requests with it: each of them a thread that nobody can end. A disk that only spins up is
given its time: only waits of about PATIENCE_S count. One of them is enough for its own inode, so that a kernel that asks
twice (it does, for a name that it knew) makes nobody wait twice; MOST of them are enough for the whole source. What is
honestly long (bringing gigabytes to the disk) says nothing of it, and is no sign. A transport tells which requests wait;
any thread may ask.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from .inodes import ASSET

if TYPE_CHECKING:
    from collections.abc import Iterable

PATIENCE_S: Final = 10.0
"""After which a request is answered EIO: a large disk that was asleep takes up to that."""
LONG_PATIENCE_S: Final = 120.0
"""The same of what is honestly long."""
MOST: Final = 4
"""Requests of one source that have waited for so long and wait on: more than one bad sector."""


class Patience:
    """What is given up, and since when people wait."""

    def __init__(self, patience_s: float = PATIENCE_S, most: int = MOST) -> None:
        self._long = patience_s * 0.9  # whoever gave up a moment ago counts
        self._most = most
        self._since: dict[object, tuple[int, float]] = {}
        self._sources: frozenset[int] = frozenset()
        self._inodes: frozenset[int] = frozenset()

    def begun(self, token: object, nodeid: int) -> None:
        """A request about this inode waits from now on."""
        self._since[token] = nodeid, time.monotonic()

    def ended(self, token: object) -> None:
        """It waits no more."""
        self._since.pop(token, None)

    def hopeless(self, nodeid: int) -> bool:
        """Whether a request about this inode need not even be tried, by what was begun and has not ended."""
        if not self._since:
            return False
        now = time.monotonic()
        self.judge([(other, now - since) for other, since in list(self._since.values())])
        return self.given_up(nodeid)

    def given_up(self, nodeid: int) -> bool:
        """Whether the last judgement says so."""
        return nodeid in self._inodes or source_of(nodeid) in self._sources

    def judge(self, waits: Iterable[tuple[int, float]]) -> bool:
        """Decide anew, from the inode and the seconds of each request that waits. Whether anything is given up."""
        stuck = [nodeid for nodeid, seconds in waits if seconds > self._long and source_of(nodeid)]
        counts = Counter(map(source_of, stuck))
        self._inodes = frozenset(stuck)
        self._sources = frozenset(
            source_id for source_id, count in counts.items() if count >= self._most
        )
        return bool(stuck)


def source_of(nodeid: int) -> int:
    """The source that an inode lies in, whichever of its two faces it is; 0 for what is computed, and for the
    few whose number on disk is too large to say."""
    return (nodeid & ~ASSET) >> 48 if nodeid < ASSET << 1 else 0
