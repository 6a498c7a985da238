"""What indexing takes from somebody who reads over SMB meanwhile, budget by budget (bar M7).

    python tests/bench/bench_neighbour.py [--size 512] [--rounds 5] [--pictures 3000] [--budgets background,full]

One smbd with a share on the disk; smbclient reads one large file from it, again and again, not from the page cache. In
turn the indexer is at work on pictures of the same disk and stopped (SIGSTOP for all of its processes). Prints medians of
the speeds, the median of the rounds' losses, and how many steps (a stage of a picture) were done meanwhile. Needs root.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_samba import _conftest
from whole import pictures, processes

from havenfs import standing
from havenfs.catalog import Catalog, progress
from havenfs.config import State

BEGIN_S = 8.0  # until workers have come up


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=512, help="MiB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=3000)
    parser.add_argument("--budgets", default="background,balanced,full")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="haven-") as directory:
        scratch = Path(directory)
        scratch.chmod(0o755)
        (scratch / "disk").mkdir()
        block = os.urandom(1 << 20)
        with (scratch / "disk/big.bin").open("wb") as file:
            for _ in range(options.size):
                file.write(block)
            os.fsync(file.fileno())
        pictures.write(scratch / "pictures", options.pictures)
        with _conftest().serving(scratch / "smb", {"disk": scratch / "disk"}) as served:
            print(
                f"{'budget':<12} {'MB/s alone':>11} {'MB/s beside':>12} {'loss':>6} {'pictures':>9}"
            )
            for budget in options.budgets.split(","):
                alone, beside, loss, done, waits = measured(
                    scratch, budget, options.rounds, served["disk"]
                )
                print(
                    f"{budget:<12} {alone:11.0f} {beside:12.0f} {loss:6.1%} {done:9}  {waits}",
                    flush=True,
                )
    print("bar M7: background loses <= 10 %")


def measured(
    scratch: Path, budget: str, rounds: int, share: object
) -> tuple[float, float, float, int, str]:
    """Speed alone and beside the indexer in MB/s, the median loss, pictures done, and what it waited for at the end."""
    state = State(root=scratch / f"state-{budget}")
    command = [sys.executable, "-m", "havend", "index", "run", "--budget", budget]
    command += ["--source", str(scratch / "pictures"), "--state", str(state.root)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    speeds: dict[bool, list[float]] = {True: [], False: []}
    said: set[str] = set()
    try:
        time.sleep(BEGIN_S)
        before = done(state)
        for number in range(2 * rounds):
            at_work = bool((number + number // 2) % 2)  # off, on, on, off, ...
            signalled(process.pid, signal.SIGCONT if at_work else signal.SIGSTOP)
            time.sleep(1.0)
            speeds[at_work].append(read(scratch / "disk/big.bin", share))
            if at_work and (found := standing.ask(state.standing)) and found.waits:
                said.add(found.waits)
        after = done(state)
    finally:
        signalled(process.pid, signal.SIGCONT)
        process.terminate()
        process.wait(30)
    losses = [1 - b / a for a, b in zip(speeds[False], speeds[True], strict=True)]
    return (
        statistics.median(speeds[False]),
        statistics.median(speeds[True]),
        statistics.median(losses),
        after - before,
        "; ".join(sorted(said)),
    )


def signalled(pid: int, number: int) -> None:
    """Send *number* to *pid* and everything below it."""
    for one in processes.tree(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, number)


def done(state: State) -> int:
    """Steps that are behind the indexer: files hashed, and stages of pictures."""
    with Catalog(state.catalog) as catalog:
        now = catalog.read(progress.progress)
    stages = (s.done + s.skipped + s.failed for s in now.stages.values())
    return now.files - now.identifying + sum(stages)


def read(path: Path, share: object) -> float:
    """MB/s of one reading of the file over the share, from the disk."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    began = time.perf_counter()
    said: str = share.ask(f"get {path.name} /dev/null")  # type: ignore[attr-defined]
    took = time.perf_counter() - began
    if "getting file" not in said:
        raise RuntimeError(said)
    return path.stat().st_size / took / 1e6


if __name__ == "__main__":
    main()
