"""F10: what clients notice when the server of the direct transport is killed again and again.

    python tests/bench/bench_survival.py [--seconds 30] [--busy 0]

Five clients (tests/e2e/restless.py) write, read, rename, list and keep files open, while the server is killed with SIGKILL
every half second; first for a tenth of the time without a death. For each death, the longest that any client's operation took
around it. Beside it, at the same moments, how long this machine takes to start a bare Python (fork, exec, `pass`): the ratio
says what a load of the machine does not. *--busy* processes compute besides. Everything lies in memory: a disk's fsync may take
seconds by itself. Needs root and Linux 6.9.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from mount import data, peers

from havenfs.catalog import Catalog

CLIENT = Path(__file__).parents[1] / "e2e/restless.py"
KINDS = ("writes", "reads", "names", "lists", "keeps")
PERIOD_S = 0.5
SIZES = data.Sizes(many=20, mb=1, big_mib=1, folders=10, per_folder=2)


def main() -> int:
    """Run and print; 1 when a client met an error."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="processes that compute")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="haven-", dir="/dev/shm") as directory:
        ground = _ground(Path(directory))
        busy = [
            subprocess.Popen([sys.executable, "-c", "while True: pass"])
            for _ in range(options.busy)
        ]
        try:
            (direct,) = (s for s in peers.ours("direct") if s.name.endswith("files/"))
            with peers.mounted(direct, ground) as supervisor:
                return _killed(supervisor, ground.point, options.seconds)
        finally:
            for process in busy:
                process.kill()
                process.wait()


def _killed(supervisor: int, point: Path, seconds: float) -> int:
    clients: list[subprocess.Popen[str]] = []
    for kind in KINDS:
        (point / "files/desk" / kind).mkdir()
        clients.append(
            subprocess.Popen(
                [sys.executable, CLIENT, point / "files/desk" / kind, str(seconds), kind],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    for client in clients:
        assert client.stdout is not None
        assert client.stdout.readline() == "ready\n"
    for client in clients:
        assert client.stdin is not None
        client.stdin.write("go\n")
        client.stdin.flush()
    began = time.monotonic()
    time.sleep(seconds / 10)
    deaths: list[float] = []
    starts: list[float] = []
    while time.monotonic() < began + seconds - 2 * PERIOD_S:
        time.sleep(PERIOD_S / 2)
        starts.append(_bare_start())
        time.sleep(PERIOD_S / 2)
        deaths.append(time.monotonic())
        os.kill(_server(supervisor), signal.SIGKILL)
    results = [json.loads(client.communicate(timeout=60)[0]) for client in clients]
    errors = Counter(error for result in results for error in result["errors"])
    slow = [tuple(each) for result in results for each in result["slow"]]
    calm = max((took for begun, took in slow if begun < deaths[0] - 0.1), default=0.0)
    waits = [
        max((took for begun, took in slow if begun - 0.1 < death < begun + took), default=0.0)
        for death in deaths
    ]
    operations = sum(result["operations"] for result in results)
    print(f"{operations} operations, {len(deaths)} deaths, {errors.total()} errors")
    for error, number in errors.most_common(5):
        print(f"  {number} x {error}")
    print(f"{'':<28}{'median':>8}{'worst':>8} ms")
    for name, times in (("longest wait at a death", waits), ("start of a bare Python", starts)):
        print(f"{name:<28}{statistics.median(times) * 1e3:8.1f}{max(times) * 1e3:8.1f}")
    print(f"{'longest wait without':<28}{'':8}{calm * 1e3:8.1f}")
    print(f"wait / bare start: {statistics.median(waits) / statistics.median(starts):.2f}")
    return 1 if errors else 0


def _server(supervisor: int) -> int:
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children")
    return int(children.read_text().split()[0])


def _bare_start() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-IS", "-c", "pass"], check=True)
    return time.perf_counter() - start


def _ground(base: Path) -> peers.Ground:
    base.chmod(0o755)
    root, state, point, desk = (base / name for name in ("originals", "state", "mnt", "desk"))
    for directory in (root, state, point, desk):
        directory.mkdir()
    data.write(root, SIZES)
    data.index(state, root)
    with Catalog(state / "catalog.db") as catalog:
        catalog.write(
            lambda db: db.execute(
                "INSERT INTO source (name, root, writable) VALUES ('desk', ?, 1)", (bytes(desk),)
            )
        )
    return peers.Ground(root=root, state=state, point=point, sizes=SIZES)


if __name__ == "__main__":
    sys.exit(main())
