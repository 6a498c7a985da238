"""What is measured on one mounted subject: a command, timed by the C client or from outside.

A measure returns named numbers. Names end in their unit: us, ms, s, k (thousands a second), mb (MB/s), mib.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import build, data, peers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

PATIENCE_S = 300
LAST_CPU = (os.cpu_count() or 1) - 1


def ask(before: Sequence[str | Path], *words: str | Path | int) -> dict[str, float]:
    """What the C client says."""
    done = subprocess.run(
        [*before, build.client(), *map(str, words)],
        stdout=subprocess.PIPE,
        check=True,
        timeout=PATIENCE_S,
    )
    return json.loads(done.stdout)


def seconds(before: Sequence[str | Path], *words: str | Path) -> float:
    """How long a command takes whose output nobody wants."""
    start = time.perf_counter()
    subprocess.run(
        [*before, *words],
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=PATIENCE_S,
        env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
    )
    return time.perf_counter() - start


def _list(places: data.Places, sizes: data.Sizes) -> object:
    return ask((), "list", places.many)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing to time on every subject in turn."""

    name: str
    take: Callable[[data.Places, data.Sizes, Sequence[str | Path]], dict[str, float]]
    """Given where the files are, and what to put before a command so that it runs on the chosen CPU."""
    pinned: bool = True
    """Server and client on one CPU: without, the scheduler's choice of CPU is most of a small request's time."""
    warm: Callable[[data.Places, data.Sizes], object] = _list
    """Run on the disk just before, so that each subject finds bytes and inodes in memory, whatever came between."""
    leave_out: frozenset[str] = field(default_factory=frozenset[str])
    """Servers that cannot, or would hold everybody up."""
    fills: bool = False
    """It fills memory, up to a second copy of all that it reads, and so is taken twice: the second time counts.

    A virtual machine gives back what has been free for two seconds, and pays 8 us a page to have it again: who followed
    one that had just let 1 GiB go seemed four times as fast as who did not.
    """


def _find(places: data.Places, sizes: data.Sizes, before: Sequence[str | Path]) -> dict[str, float]:
    return {"cold_s": seconds(before, "find", *places.trees, "-type", "f", "-size", "+1")}


def _long_list(
    places: data.Places, sizes: data.Sizes, before: Sequence[str | Path]
) -> dict[str, float]:
    return {"cold_k": sizes.many / seconds(before, "ls", "-l", places.many) / 1e3}


# passthrough_hp and _ll keep a descriptor for each inode, more than a process may have.
_MANY_INODES = frozenset({"passthrough_hp", "passthrough_ll"})
# Ten times slower than everybody else: a round would wait for nothing but it.
_SLOW = frozenset({"rclone"})

FULL = [
    Measure(name="stat", take=lambda p, s, b: ask(b, "stat", p.many, data.MANY, min(s.many, 5000))),
    Measure(
        name="stat unpinned",
        take=lambda p, s, b: ask(b, "stat", p.many, data.MANY, min(s.many, 5000)),
        pinned=False,
    ),
    Measure(name="missing", take=lambda p, s, b: ask(b, "missing", p.many, "NO_%06d.jpg", 3000)),
    Measure(name="open", take=lambda p, s, b: ask(b, "open", p.many, data.MANY, min(s.many, 2000))),
    Measure(name="list", take=lambda p, s, b: ask(b, "list", p.many)),
    Measure(name="ls -l", take=_long_list),
    Measure(name="names", take=lambda p, s, b: ask(b, "names", p.many)),
    Measure(
        name="read",
        fills=True,
        take=lambda p, s, b: ask(b, "read", p.mb, data.MB, s.mb),
        warm=lambda p, s: ask((), "read", p.mb, data.MB, s.mb),
    ),
    Measure(
        name="sequential",
        leave_out=_SLOW,
        fills=True,
        take=lambda p, s, b: ask(b, "sequential", p.big),
        warm=lambda p, s: ask((), "sequential", p.big),
    ),
    Measure(
        name="random",
        leave_out=_SLOW,
        fills=True,
        take=lambda p, s, b: ask(b, "random", p.big),
        warm=lambda p, s: ask((), "sequential", p.big),
    ),
    Measure(
        name="find", take=_find, leave_out=_MANY_INODES | _SLOW, warm=lambda p, s: _find(p, s, ())
    ),
]

# One mount for all: each asks about names or bytes that the one before has not touched.
SHORT = [
    measure
    for name in ("list", "open", "missing", "read", "random")
    for measure in FULL
    if measure.name == name
]


def take_all(
    chosen: Sequence[Measure], subject: peers.Subject, ground: peers.Ground
) -> dict[str, dict[str, float]]:
    """Mount *subject* once and measure it in each way, in that order."""
    before = ["taskset", "-c", str(LAST_CPU)]
    for measure in chosen:
        measure.warm(data.on_disk(ground.root), ground.sizes)
    with peers.mounted(subject, ground, cpu=LAST_CPU):
        places = subject.places(ground)
        return {each.name: each.take(places, ground.sizes, before) for each in chosen}


def take(measure: Measure, subject: peers.Subject, ground: peers.Ground) -> dict[str, float]:
    """Mount *subject* afresh and measure it."""
    if measure.fills:
        _take(measure, subject, ground)
    return _take(measure, subject, ground)


def _take(measure: Measure, subject: peers.Subject, ground: peers.Ground) -> dict[str, float]:
    cpu = LAST_CPU if measure.pinned else None
    before = ["taskset", "-c", str(cpu)] if cpu is not None else []
    measure.warm(data.on_disk(ground.root), ground.sizes)
    with peers.mounted(subject, ground, cpu=cpu):
        return measure.take(subject.places(ground), ground.sizes, before)
