"""How long processes have waited for a processor: time in which they could do nothing, and which no limit counts.

Our workers stand behind everybody else. On a busy machine a second of work takes a minute, and a picture that takes "longer
than two minutes" there is none that a decoder cannot come to terms with. The scheduler counts the waiting (kernel documentation,
scheduler/sched-stats), but only when it is over. Where the kernel does not count, nobody waits. Plain functions; any thread.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

LEAST_S = 0.05
"""Of new waiting, to be worth more time."""
QUEUED_S = 1.0
"""Given to who waits at this moment, for how long nobody knows yet."""


class Turns(NamedTuple):
    """Of the first threads of some processes together."""

    ran_s: float = 0.0
    waited_s: float = 0.0
    runnable: bool = False
    """Whether one of them runs or waits to."""


def turns(pid: int) -> Turns:
    """Those of *pid* and of all below it that are still there."""
    ran = waited = 0
    runnable = False
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError, ValueError):
            here = Path(f"/proc/{one}")
            had, lacked, _ = map(int, (here / "schedstat").read_bytes().split())
            ran, waited = ran + had, waited + lacked
            runnable |= (here / "stat").read_bytes().rpartition(b") ")[2][:1] == b"R"
            for task in (here / "task").iterdir():
                found += map(int, (task / "children").read_bytes().split())
    return Turns(ran / 1e9, waited / 1e9, runnable)


def credit(began: Turns, now: Turns, given_s: float, most_s: float) -> float:
    """Seconds by which to put off the end of a limit of *most_s* that began at *began*; it was put off by *given_s* already,
    and those too are over. Equal to *given_s*: it is the end.

    Who sleeps or hangs has had the time that it did not wait for a processor; who wants to run may have that much of one.
    """
    waited = now.waited_s - began.waited_s
    if waited >= given_s + LEAST_S:
        return waited
    return given_s + QUEUED_S if now.runnable and now.ran_s - began.ran_s < most_s else given_s
