"""How the mount compares with the disk below it, in the same run: cold stat, ls -l, sequential and random reads.

    python tests/bench/bench_mount.py [--entries 2000] [--megabytes 256] [--rounds 5]

Prints one JSON object: for each measure the median over the rounds through the mount and on the disk, and their ratio
(mount / disk; above 1 is slower for times, below 1 is slower for rates). The page cache is warm, which is the hardest
case for a file system in user space. A round mounts afresh, so that "cold" means nothing in the kernel's FUSE caches.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from havenfs.catalog import Catalog, names

if TYPE_CHECKING:
    from collections.abc import Callable

    import apsw

PROGRAM = """
import pathlib, sys, trio
from havend import mount
from havenfs.config import State
trio.run(mount.run, State(root=pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2]))
"""
BLOCK = 128 * 1024


def fill(db: apsw.Connection, root: Path) -> None:
    db.execute("INSERT INTO source (name, root) VALUES ('photos', ?)", (bytes(root),))
    for path in sorted(root.iterdir()):
        status = path.stat()
        digest = blake2b(path.name.encode(), digest_size=32).digest()
        db.execute(
            "INSERT INTO file (source_id, path, size, mtime_ns, device, inode, state, hash)"
            " VALUES (1, ?, ?, ?, ?, ?, 'known', ?)",
            (
                path.name.encode(),
                status.st_size,
                status.st_mtime_ns,
                status.st_dev,
                status.st_ino,
                digest,
            ),
        )
        db.execute(
            "INSERT INTO asset (hash, name, name_key, kind, mime, file_id, taken_local, taken_source, added)"
            " VALUES (?, ?, ?, 'photo', 'image/jpeg', ?, 1563100000, 'exif', 0)",
            (digest, path.name, names.key(path.name), db.last_insert_rowid()),
        )


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def stat_each(directory: Path, chosen: list[str]) -> float:
    """Microseconds a stat, median."""
    paths = [str(directory / name) for name in chosen]
    return statistics.median(seconds(partial(os.stat, path)) for path in paths) * 1e6


def list_long(directory: Path) -> float:
    """Seconds of `ls -l`."""
    return seconds(
        lambda: subprocess.run(["ls", "-l", directory], stdout=subprocess.DEVNULL, check=True)
    )


def sequential(file: Path) -> float:
    """MB/s of one reader."""
    with file.open("rb", buffering=0) as opened:
        buffer = bytearray(BLOCK)
        elapsed = seconds(lambda: [None for _ in iter(lambda: opened.readinto(buffer), 0)])
    return file.stat().st_size / elapsed / 1e6


def at_random(file: Path, count: int = 2000) -> float:
    """Thousands of 4 KiB reads a second, no page of them in the cache of this file system yet."""
    places = random.Random(7).sample(range(file.stat().st_size // 4096), count)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
        elapsed = seconds(lambda: [os.pread(descriptor, 4096, place * 4096) for place in places])
    finally:
        os.close(descriptor)
    return count / elapsed / 1e3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=2000)
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    measured: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="haven-bench-") as directory:
        base = Path(directory)
        root, point = base / "originals", base / "mnt"
        root.mkdir()
        point.mkdir()
        for number in range(options.entries):
            (root / f"IMG_{number:06}.jpg").write_bytes(b"x" * 4096)
        for name in ("big.bin", "large.bin"):
            (root / name).write_bytes(os.urandom(1 << 20) * options.megabytes)
        with Catalog(base / "state/catalog.db") as catalog:
            catalog.write(fill, root)
        view = point / "by-date/2019/07"
        chosen = random.Random(3).sample([f"IMG_{n:06}.jpg" for n in range(options.entries)], 500)
        for _ in range(options.rounds):
            start = time.perf_counter()
            process = subprocess.Popen([sys.executable, "-c", PROGRAM, base / "state", point])
            try:
                while not point.is_mount():
                    time.sleep(0.005)
                os.listdir(point)
                measured["mount_to_first_ls_s"].append((time.perf_counter() - start, 0.0))
                os.stat(view)
                measured["cold_stat_us"].append((stat_each(view, chosen), stat_each(root, chosen)))
                measured["ls_l_s"].append((list_long(view), list_long(root)))
                measured["sequential_mb_s"].append(
                    (sequential(view / "big.bin"), sequential(root / "big.bin"))
                )
                measured["sequential_again_mb_s"].append(
                    (sequential(view / "big.bin"), sequential(root / "big.bin"))
                )
                measured["random_4k_kiops"].append(
                    (at_random(view / "large.bin"), at_random(root / "large.bin"))
                )
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(10)
    report: dict[str, object] = {
        "entries": options.entries,
        "rounds": options.rounds,
        "load": os.getloadavg(),
    }
    for measure, pairs in measured.items():
        mount = statistics.median(pair[0] for pair in pairs)
        disk = statistics.median(pair[1] for pair in pairs)
        report[measure] = {
            "mount": round(mount, 3),
            "disk": round(disk, 3),
            "ratio": round(mount / disk, 3) if disk else None,
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
