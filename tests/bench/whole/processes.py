"""What a process and everything below it costs: private memory while it runs, processor time when it has ended."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOK_S = 0.5  # a look at half a gigabyte of mappings takes 20 ms of processor itself


@dataclass
class Cost:
    """Of one command."""

    seconds: float = 0.0
    cpu: float = 0.0
    """Seconds of cores, children included."""
    memory: float = 0.0
    """Peak of the proportional memory (PSS) of all processes together, MiB."""
    largest: float = 0.0
    """Peak of one of them."""


def run(command: Sequence[str | Path], *, timeout_s: float) -> Cost:
    """Run it to its end, which must be a good one."""
    cost = Cost()
    before = os.times()
    began = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            if time.perf_counter() - began > timeout_s:
                raise TimeoutError(f"{command} takes longer than {timeout_s} s")
            sizes = [_pss(pid) for pid in tree(process.pid)]
            cost.memory = max(cost.memory, sum(sizes))
            cost.largest = max(cost.largest, max(sizes, default=0.0))
            threading.Event().wait(LOOK_S)
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise RuntimeError(f"{command} ended with status {process.returncode}")
    after = os.times()
    cost.seconds = time.perf_counter() - began
    cost.cpu = (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )
    return cost


def tree(pid: int) -> list[int]:
    """*pid* and all that it started, and those."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _pss(pid: int) -> float:
    with contextlib.suppress(OSError):
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
        return int(found[1]) / 1024 if found else 0.0
    return 0.0
