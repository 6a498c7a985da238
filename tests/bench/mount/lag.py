"""F15: how long a small request waits while the indexer works as fast as it can."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from havenfs.sample import library as sample

from . import measures, peers

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

SECONDS = "8"


def make(library: Path, photos: int) -> None:
    """Draw photos to index, unless they are there."""
    done = library.with_name(f"{library.name}.done")
    if not done.exists():
        sample.write(library, photos=photos, seed=7)
        done.touch()


def while_indexing(
    subject: peers.Subject, ground: peers.Ground, library: Path, state: Path
) -> dict[str, float]:
    """p50 and p99 (ms) of a lookup of a missing name each millisecond: idle, then with an indexer at full speed."""
    here = replace(ground, root=library, state=state)
    with _indexing(here):  # so that the source is known to the mount
        time.sleep(1)
    with peers.mounted(subject, here):
        top = here.point / "files" / library.name
        idle = measures.ask((), "probe", top, "2")
        with _indexing(here) as process:
            time.sleep(2)  # the scan, the workers' start
            busy = measures.ask((), "probe", top, SECONDS)
            ended = process.poll() is not None
    if ended:
        raise RuntimeError("the indexer was done before the measurement was: give it more photos")
    return {
        "idle_p99_ms": idle["probe_p99_us"] / 1e3,
        "p50_ms": busy["probe_us"] / 1e3,
        "p99_ms": busy["probe_p99_us"] / 1e3,
    }


@contextlib.contextmanager
def _indexing(ground: peers.Ground) -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "havend", "index", "run", "--once"),
            *("--state", ground.state, "--source", ground.root),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
