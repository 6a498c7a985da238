"""How hard others want the machine: the kernel's pressure stall information, or the load where the kernel has none.

Source: Documentation/accounting/psi.rst. Reads small files of /proc that cost microseconds; waits by triggers, not by
looking again and again. One task at a time.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

PRESSURE: Final = Path("/proc/pressure")
STAT: Final = Path("/proc/stat")
WINDOW_US = 2_000_000
"""Of a trigger. Without CAP_SYS_RESOURCE the kernel takes multiples of two seconds only (6.5 and later)."""
LOOK_S = 5.0
"""Between looks at the load, where there are no triggers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Shares of a stretch of time, 0..1."""

    io: float = 0.0
    """In which something waited for a disk."""
    memory: float = 0.0
    """In which something waited for memory."""
    cpu: float = 0.0
    """Of all cores together that were busy."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the kernel has counted up to a moment."""

    at: float
    io: float
    memory: float
    busy: float
    """Seconds of cores."""

    def since(self, before: Reading) -> Level:
        """The level between *before* and this."""
        time_s = max(self.at - before.at, 1e-6)
        cores = os.cpu_count() or 1
        return Level(
            io=min((self.io - before.io) / time_s, 1.0),
            memory=min((self.memory - before.memory) / time_s, 1.0),
            cpu=min((self.busy - before.busy) / time_s / cores, 1.0),
        )


def reading() -> Reading:
    """Now. What this kernel does not count is 0."""
    return Reading(time.monotonic(), _stalled("io"), _stalled("memory"), _busy())


def _stalled(what: str) -> float:
    """Seconds in which at least one task waited for it."""
    with contextlib.suppress(OSError, ValueError):
        line = (PRESSURE / what).read_text().split("\n", 1)[0]
        return int(line.rpartition("total=")[2]) / 1e6
    return 0.0


def _busy() -> float:
    with contextlib.suppress(OSError, ValueError):
        user, nice, system, _idle, _iowait, irq, softirq = map(
            int, STAT.read_text().split("\n", 1)[0].split()[1:8]
        )
        return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
    return 0.0


class Alarm:
    """Goes off when one of *shares* (what -> share of the time) may have been reached. A context manager."""

    def __init__(self, shares: dict[str, float]) -> None:
        self._shares = shares
        self._files: list[int] = []
        self._poll: select.epoll | None = None

    def __enter__(self) -> Self:
        try:
            self._poll = select.epoll()
            for what, share in self._shares.items():
                file = os.open(PRESSURE / what, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
                self._files.append(file)
                os.write(file, f"some {int(share * WINDOW_US)} {WINDOW_US}\0".encode())
                self._poll.register(file, select.EPOLLPRI)
        except OSError:  # no such kernel, or a container that may read only
            self._close()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        for file in self._files:
            os.close(file)
        self._files.clear()
        if self._poll is not None:
            self._poll.close()
            self._poll = None

    async def wait(self) -> None:
        """Return when it goes off; without triggers, after LOOK_S."""
        if self._poll is None:
            await trio.sleep(LOOK_S)
            return
        # An event of EPOLLPRI on the files makes the epoll descriptor itself readable, which is what trio can wait for.
        await trio.lowlevel.wait_readable(self._poll.fileno())
        self._poll.poll(0)


def load() -> float:
    """Processes that ran or waited over the last minute, for each core."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def counted() -> bool:
    """Whether this kernel counts pressure."""
    return bool(_stalled("io") or _stalled("memory") or (PRESSURE / "io").exists())
