"""Damaged files of every type through the real indexer: it never dies, stays below its cap, and says what was wrong.

    python tests/fuzz/fuzz.py [--minutes 10 | --files 300] [--seed 1] [--batch 250] [--types jpg,pdf] [--keep DIR]

Each batch is a folder of mutated files and one `havenfs index run --once` over it, with its own pool of workers. What
is looked for: an exit status other than 0, work that stays undone, a worker that dies or hangs over a file (it is kept
in DIR, to be had again), an answer without sense, a file that is neither indexed nor has a reason, and memory above the
cap of a worker. Prints one JSON line at the end; ends with status 1 when something was found.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mutations import mutated
from seeds import corpus

from havend import confine
from havenfs.catalog import Catalog, progress
from havenfs.config import State

CRASH = re.compile(r"crashed the decoder twice|^reading it .* twice$|makes no sense")
LIMIT_S = 1500.0  # for one batch: a file that hangs takes two minutes, twice
LOOK_S = 0.05


@dataclass
class Result:
    """What came of all batches."""

    files: int = 0
    batches: int = 0
    seconds: float = 0.0
    deaths: int = 0
    """Of the indexer."""
    undone: int = 0
    crashes: int = 0
    """Of workers, as the indexer's log tells them."""
    worker_mib: float = 0.0
    """Most private memory of one worker or a child of it."""
    total_mib: float = 0.0
    """Most private memory of all processes of the indexer together."""
    outcomes: Counter[str] = field(default_factory=Counter[str])
    findings: list[str] = field(default_factory=list[str])

    def bad(self) -> bool:
        """Whether something was found."""
        return bool(
            self.deaths
            or self.undone
            or self.findings
            or self.crashes
            or self.worker_mib * 2**20 > confine.MEMORY
        )


def main() -> int:
    """Run; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--types", type=lambda text: text.split(","))
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    began = time.monotonic()
    result = Result()
    with tempfile.TemporaryDirectory(prefix="havenfs-fuzz-") as scratch:
        library = corpus(Path(scratch) / "library")
        if options.types:
            library = {name: library[name] for name in options.types}
        number = 0
        while (
            time.monotonic() - began < options.minutes * 60
            if options.minutes
            else result.files < options.files
        ):
            room = options.batch if options.minutes else options.files - result.files
            batch(
                Path(scratch) / "batch",
                library,
                np.random.default_rng([options.seed, number]),
                min(options.batch, room),
                result,
                f"{options.seed}-{number}",
                options.keep,
            )
            number += 1
            print(
                f"batch {number}: {result.files} files, {result.crashes} crashes, {len(result.findings)} findings,"
                f" worker {result.worker_mib:.0f} MiB, {time.monotonic() - began:.0f} s",
                file=sys.stderr,
                flush=True,
            )
    result.seconds = round(time.monotonic() - began, 1)
    told: dict[str, Any] = {**vars(result), "outcomes": dict(result.outcomes.most_common(25))}
    print(json.dumps(told))
    return int(result.bad())


def batch(
    directory: Path,
    library: dict[str, list[bytes]],
    rng: np.random.Generator,
    count: int,
    result: Result,
    name: str,
    keep: Path | None,
) -> None:
    """Make, index and judge *count* files."""
    shutil.rmtree(directory, ignore_errors=True)
    root = directory / "files"
    root.mkdir(parents=True)
    types = list(library)
    for number in range(count):
        extension = types[int(rng.integers(len(types)))]
        bodies = library[extension]
        body = bodies[int(rng.integers(len(bodies)))]
        (root / f"{number:05}.{extension}").write_bytes(mutated(body, bodies, rng))
    log = directory / "log"
    command = [sys.executable, "-m", "havend", "--verbose", "index", "run", "--once"]
    command += ["--source", str(root), "--state", str(directory / "state")]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stderr=stderr, stdin=subprocess.DEVNULL)
    until = time.monotonic() + LIMIT_S
    while process.poll() is None and time.monotonic() < until:
        watch(process.pid, result)
        time.sleep(LOOK_S)
    if process.poll() is None:
        process.kill()
        result.findings.append(f"{name}: the indexer did not come to an end")
    result.deaths += process.wait() != 0
    result.files += count
    result.batches += 1
    text = log.read_text(errors="replace")
    crashed = re.findall(
        r"a worker .* (?:while it read file|at .* of asset|before it was ready).*", text
    )
    result.crashes += len(crashed)
    if process.returncode:
        result.findings.append(f"{name}: status {process.returncode}: {text[-1500:]}")
    judge(State(root=directory / "state"), root, result, name, keep)
    if crashed:
        result.findings += [f"{name}: {line}" for line in crashed]
        if keep:
            shutil.copy(log, keep / f"{name}.log")


def judge(state: State, root: Path, result: Result, name: str, keep: Path | None) -> None:
    """Count what became of the files; keep those that crashed a worker."""
    with Catalog(state.catalog) as catalog:
        trouble = catalog.read(progress.trouble, 100_000)
        now = catalog.read(progress.progress)
    result.undone += now.identifying + sum(stage.queued for stage in now.stages.values())
    for one in trouble:
        result.outcomes[re.sub(r"\d+", "N", one.reason)] += 1
        if CRASH.search(one.reason) or not one.reason:
            result.findings.append(f"{name}: {os.fsdecode(one.path)}: {one.stage}: {one.reason}")
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                shutil.copy(root / os.fsdecode(one.path), keep / f"{name}-{os.fsdecode(one.path)}")
    result.outcomes["indexed or nothing of ours"] += now.files + now.skipped - now.failed


def watch(parent: int, result: Result) -> None:
    """Note the private memory of the indexer's processes."""
    total = 0.0
    found = [parent]
    for pid in found:
        with contextlib.suppress(OSError, ValueError):
            found += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
            status = Path(f"/proc/{pid}/status").read_text()
            anonymous = re.search(r"RssAnon:\s+(\d+)", status)
            size = int(anonymous[1]) / 1024 if anonymous else 0.0
            total += size
            if pid != parent:
                result.worker_mib = max(result.worker_mib, size)
    result.total_mib = max(result.total_mib, total)


if __name__ == "__main__":
    sys.exit(main())
