"""F8 and F9: how soon a mount of a million assets answers, and what its processes hold after everything was looked at."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import measures, peers

if TYPE_CHECKING:
    from collections.abc import Sequence

VIEWS = ("by-date", "places", "types", ".haven/by-id", "places/@by-date")
"""Five ways through the same assets; the last one a view within a view."""


def make(state: Path, root: Path, assets: int) -> None:
    """A catalog of so many assets, unless it is there. The files need not exist: views answer from the catalog."""
    done = state / ".done"
    if done.exists() and done.read_text() == str(assets):
        return
    subprocess.run(
        [
            *(sys.executable, Path(__file__).parents[1] / "million.py", state, root),
            *("--assets", str(assets)),
        ],
        check=True,
    )
    done.write_text(str(assets))


def first_listing(subject: peers.Subject, ground: peers.Ground) -> dict[str, float]:
    """Milliseconds from starting the command, and from the mount's appearing, until `ls` of the mount has its answer."""
    assert subject.command is not None
    start = time.perf_counter()
    with peers.mounted(subject, ground, listed=False):
        appeared = time.perf_counter()
        names = os.listdir(ground.point)
        listed = time.perf_counter()
        years = os.listdir(ground.point / "by-date")
        view = time.perf_counter()
        assert "by-date" in names
        assert years
        return {
            "start_ms": (listed - start) * 1e3,
            "appear_ms": (appeared - start) * 1e3,
            "list_ms": (listed - appeared) * 1e3,
            "view_ms": (view - listed) * 1e3,
        }


def held(subject: peers.Subject, ground: peers.Ground, tops: Sequence[Path]) -> dict[str, float]:
    """MiB of all processes of the mount, before and after `find` went through *tops*; entries a second on the way."""
    with peers.mounted(subject, ground) as pid:
        before = memory(pid)
        start = time.perf_counter()
        seen = 0
        for top in tops:
            done = subprocess.run(
                ["find", top, "-type", "f", "-printf", "x", "-size", "+1"],
                stdout=subprocess.PIPE,
                check=True,
                timeout=measures.PATIENCE_S,
            )
            seen += len(done.stdout)
        elapsed = time.perf_counter() - start
        after = memory(pid)
    return {
        "pss_mib": after["pss"],
        "rss_mib": after["rss"],
        "idle_pss_mib": before["pss"],
        "grown_mib": after["pss"] - before["pss"],
        "found": float(seen),
        "entries_k": seen / elapsed / 1e3,
    }


def memory(pid: int) -> dict[str, float]:
    """PSS and RSS, in MiB, of a process and all below it."""
    total = {"pss": 0.0, "rss": 0.0}
    for each in family(pid):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        for line in lines:
            key = line.partition(":")[0].lower()
            if key in total:
                total[key] += int(line.split()[1]) / 1024
    return total


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for each in found:
        for tasks in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in tasks.read_text().split()]
    return found


def over(ground: peers.Ground, state: Path) -> peers.Ground:
    """The same mount point, over another catalog."""
    return replace(ground, state=state)
