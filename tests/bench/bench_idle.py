"""What HavenFS costs when nothing happens: writes, reads, processor time and memory of all its programs (bar M8).

    python tests/bench/bench_idle.py [--minutes 20] [--photos 60] [--settle 90]

Runs `havenfs up` (mount, indexer, web page) over a drawn library, waits until all of it is indexed and as long again as
--settle says, then leaves it alone. Counts what the kernel charges each process (/proc/PID/io, stat, smaps_rollup) and
the files of the state directory that have changed. Ends with status 1 when anything was written. Needs /dev/fuse.

What was written where no file has changed says the tracepoint writeback:writeback_dirty_folio, with set_event_pid and event-fork
in an instance of tracefs: an ino that is the number of the block device is a block of inodes, so somebody moved a ctime or an atime.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from havenfs.sample import library

INDEXED_S = 3600.0  # of a machine that others use too
SETTLE_S = 90.0  # more than idle workers are kept: what they wrote in their lives counts as the indexer's when they end


def main() -> int:
    """Run and print; the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--settle", type=float, default=SETTLE_S)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="havenfs-idle-") as scratch:
        root = Path(scratch) / "library"
        library.write(root, photos=options.photos, seed=7)
        with running(root, Path(scratch)) as parent:
            until_indexed(Path(scratch) / "state")
            time.sleep(options.settle)
            written = measure(parent, Path(scratch) / "state", options.minutes * 60)
    return int(written > 0)


@contextlib.contextmanager
def running(root: Path, scratch: Path):
    """`havenfs up`, its pid."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "havend", "up", "--source", str(root)]
    command += ["--mount", str(scratch / "mnt"), "--state", str(scratch / "state")]
    command += ["--http", f"127.0.0.1:{port}"]
    with (scratch / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def until_indexed(state: Path) -> None:
    """Return when `havenfs status` has said three times that nothing is left: between two scans it says so too early."""
    until = time.monotonic() + INDEXED_S
    said = 0
    while time.monotonic() < until:
        time.sleep(1)
        asked = [sys.executable, "-m", "havend", "status", "--json", "--state", str(state)]
        done = subprocess.run(asked, capture_output=True, check=False, timeout=60)
        said = said + 1 if done.returncode == 0 and json.loads(done.stdout)["finished"] else 0
        if said == 3:
            return
    raise TimeoutError("the library is not indexed")


def measure(parent: int, state: Path, seconds: float) -> int:
    """Print what *seconds* of nothing cost; returns bytes written."""
    files = stamps(state)
    before = charged(parent)
    began = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    after = charged(parent)
    total = Counter[str]()
    print(f"{took / 60:.1f} minutes of nothing, {len(after)} processes")
    print(
        f"{'process':<24} {'MiB (PSS)':>10} {'written':>8} {'read':>8} {'ms of CPU a minute':>19}"
    )
    for pid, now in sorted(after.items()):
        then = before.get(pid, (now[0], Counter[str]()))[1]
        spent = {key: now[1][key] - then[key] for key in ("written", "read", "ms")}
        total.update(spent, memory=now[1]["memory"])
        a_minute = spent["ms"] / took * 60
        print(
            f"{now[0]:<24} {now[1]['memory'] / 1024:10.1f} {spent['written']:8} {spent['read']:8} {a_minute:19.0f}"
        )
    changed = sorted(name for name, stamp in stamps(state).items() if files.get(name) != stamp)
    print(
        f"{'all':<24} {total['memory'] / 1024:10.1f} {total['written']:8} {total['read']:8} {total['ms'] / took * 60:19.0f}"
        f"\nfiles of the state directory that changed: {', '.join(changed) or 'none'}"
        f"\nbar M8: 0 bytes written, memory <= 300 MiB"
    )
    return total["written"] + len(changed)


def stamps(state: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file; SQLite's shared memory is none that reaches a disk by itself."""
    return {
        path.name: (path.stat().st_size, path.stat().st_mtime_ns)
        for path in state.iterdir()
        if path.is_file() and not path.name.endswith("-shm")
    }


def charged(parent: int) -> dict[int, tuple[str, Counter[str]]]:
    """For each process of *parent*'s tree below it: its name, and what it has cost so far."""
    found: dict[int, tuple[str, Counter[str]]] = {}
    waiting = children(parent)
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError):
            waiting += children(pid)
            here = Path(f"/proc/{pid}")
            io = dict(re.findall(r"(\w+): (\d+)", (here / "io").read_text()))
            ticks = (here / "stat").read_text().rpartition(")")[2].split()[11:13]
            pss = re.search(r"^Pss:\s+(\d+)", (here / "smaps_rollup").read_text(), re.M)
            words = (here / "cmdline").read_bytes().decode().split("\0")
            found[pid] = (
                " ".join(w for w in words[1:6] if not w.startswith(("-", "/")))[:24],
                Counter(
                    written=int(io["write_bytes"]),
                    read=int(io["read_bytes"]),
                    ms=sum(map(int, ticks)) * 1000 // os.sysconf("SC_CLK_TCK"),
                    memory=int(pss[1]) if pss else 0,
                ),
            )
    return found


def children(pid: int) -> list[int]:
    """Of all threads of *pid*."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


if __name__ == "__main__":
    sys.exit(main())
