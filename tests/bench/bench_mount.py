"""The mount beside the disk below it and its peers: the table of ratios for F1-F9 and F14-F16.

    python tests/bench/bench_mount.py [--rounds 5] [--only MEASURE ...] [--data DIR] [--json FILE]
    python tests/bench/bench_mount.py --short [--against FILE]

Ours over both transports, through `files/` (live: each entry is an lstat of the disk) and through a view (`by-date/`:
answered from the catalog), against the disk, libfuse's passthrough_hp and passthrough_ll, mergerfs, bindfs, rclone and
the plainest passthrough in Python on the same files, in turn, in each round. Every measurement mounts afresh, so that
"cold" means nothing in the kernel's FUSE caches; bytes and inodes of the disk are in memory, which is the hardest case for
a file system in user space. Server and client share one CPU unless it says otherwise.

A full run needs root, the packages of packaging/setup/debian-bench.txt, 2 GB of disk and about 15 minutes. The short one
needs root, gcc and a minute. Where our code is asked, it is held against the passthrough in Python, because a ratio to a
program in C is another one on another machine; bytes that are passed through are held against the disk. With --against it
fails when one is less than half as good as the one recorded in FILE.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mount import build, data, lag, measures, million, peers, shares, table

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

SHORT_SIZES = data.Sizes(many=2000, mb=32, big_mib=128, folders=10, per_folder=20)
LIBRARY_PHOTOS = 400  # enough for a minute of indexing on two cores


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", metavar="MEASURE", help="these measures alone")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the files here, or use them")
    parser.add_argument("--json", type=Path, metavar="FILE", default=build.CACHE / "mount.json")
    parser.add_argument("--assets", type=int, default=1_000_000, help="for F8 and F9")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--against", type=Path, metavar="FILE", help="recorded ratios")
    options = parser.parse_args()
    with _scratch(options.data) as base:
        if options.short:
            return short(base, options.against)
        return full(base, options)


def full(base: Path, options: argparse.Namespace) -> int:
    """Everything, printed as two tables and written as JSON."""
    if lacking := peers.missing():
        sys.exit(f"missing: {', '.join(lacking)}. See packaging/setup/debian-bench.txt")
    build.examples()
    ground = _ground(base, data.Sizes())
    mine = [subject for transport in peers.transports() for subject in peers.ours(transport)]
    wanted = set(options.only or [])
    values = _new()
    chosen = [m for m in measures.FULL if not wanted or m.name in wanted]
    load = [os.getloadavg()[0]]
    for number in range(options.rounds):
        _round(chosen, [peers.NATIVE, *mine, *peers.PEERS], ground, values, f"round {number + 1}")
        load.append(os.getloadavg()[0])
        _report(options, values, mine, load)
    first_of_each = [subject for subject in mine if subject.name.endswith("files/")]
    if not wanted or "smb" in wanted:
        for subject in first_of_each:
            for mount, disk in shares.megabytes_per_second(subject, ground, options.rounds):
                values["smb"][subject.name]["mb"].append(mount)
                values["smb"][subject.name]["disk_mb"].append(disk)
                values["smb"][subject.name]["of_disk"].append(mount / disk)
    if not wanted or wanted & {"first listing", "memory"}:
        _million(base, ground, first_of_each, options, wanted, values)
    if not wanted or "lag" in wanted:
        _lag(base, ground, first_of_each, values)
    report = _report(options, values, mine, load)
    print(
        f"\n{report['machine']}, {report['date']}, {options.rounds} rounds, load {report['load']}"
    )
    print(", ".join(f"{name} {number}" for name, number in peers.releases().items()), "\n")
    print(table.markdown(values, [subject.name for subject in mine]), "\n")
    print(table.absolute(values))
    return 0


def _report(
    options: argparse.Namespace,
    values: table.Values,
    mine: Sequence[peers.Subject],
    load: Sequence[float],
) -> dict[str, Any]:
    """Write down what is known so far."""
    report = {
        "machine": machine(),
        "date": datetime.now(UTC).date().isoformat(),
        "rounds": options.rounds,
        "load": [round(each, 2) for each in load],
        "releases": peers.releases(),
        "ratios": table.ratios(values, [subject.name for subject in mine]),
        "values": values,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1))
    return report


def short(base: Path, recorded: Path | None) -> int:
    """A minute's worth; 1 when a ratio is still less than half as good as the recorded one after three times as long."""
    ground = _ground(base, SHORT_SIZES)
    mine = [subject for transport in peers.transports() for subject in peers.ours(transport)]
    names = [subject.name for subject in mine]
    expected: dict[str, dict[str, float]] = json.loads(recorded.read_text()) if recorded else {}
    values = _new()
    fell: list[str] = []
    for number in range(9):
        for subject in [peers.NATIVE, peers.PLAIN, *mine]:
            for measure, numbers in measures.take_all(measures.SHORT, subject, ground).items():
                for name, value in numbers.items():
                    values[measure][subject.name][name].append(value)
        print(f"round {number + 1} done", file=sys.stderr)
        fell = table.fallen(table.best(values, names), expected, names)
        if number >= 2 and not fell:
            break
    print(json.dumps(table.best(values, names), indent=1))
    for line in fell:
        print(line, file=sys.stderr)
    return 1 if fell else 0


def machine() -> str:
    """Processor, cores, kernel, Python."""
    said = Path("/proc/cpuinfo").read_text()
    name = next(
        (line.partition(":")[2].strip() for line in said.splitlines() if "model name" in line), "?"
    )
    return f"{os.cpu_count()} cores of {name}, Linux {platform.release()}, Python {platform.python_version()}"


def _round(
    chosen: Sequence[measures.Measure],
    subjects: Sequence[peers.Subject],
    ground: peers.Ground,
    values: Any,
    title: str,
) -> None:
    for measure in chosen:
        start = time.monotonic()
        for subject in subjects:
            if subject.server not in measure.leave_out:
                for name, value in measures.take(measure, subject, ground).items():
                    values[measure.name][subject.name][name].append(value)
        print(f"{title}: {measure.name}, {time.monotonic() - start:.0f} s", file=sys.stderr)


def _million(
    base: Path,
    ground: peers.Ground,
    subjects: Sequence[peers.Subject],
    options: argparse.Namespace,
    wanted: set[str],
    values: Any,
) -> None:
    state = base / "million"
    state.mkdir(exist_ok=True)
    million.make(state, base / "nothing", options.assets)
    there = million.over(ground, state)
    for _ in range(options.rounds):
        for subject in subjects:
            for name, value in million.first_listing(subject, there).items():
                values["first listing"][subject.name][name].append(value)
    if wanted and "memory" not in wanted:
        return
    for subject in subjects:
        tops = [there.point / view for view in million.VIEWS]
        for name, value in million.held(subject, there, tops).items():
            values["memory"][subject.name][name].append(value)
    # rclone shows the real files, so it is given the 200,000 of tree/, once; a million would be five times the growth.
    tops = list(peers.RCLONE.places(ground).trees)
    found = million.held(peers.RCLONE, ground, tops)
    times = options.assets / found["found"]
    found["pss_mib"] = found["idle_pss_mib"] + found["grown_mib"] * times
    for name, value in found.items():
        values["memory"]["rclone"][name].append(value)


def _lag(base: Path, ground: peers.Ground, subjects: Sequence[peers.Subject], values: Any) -> None:
    library = base / "library"
    lag.make(library, LIBRARY_PHOTOS)
    for subject in subjects:
        with tempfile.TemporaryDirectory(prefix="haven-bench-") as state:
            for name, value in lag.while_indexing(subject, ground, library, Path(state)).items():
                values["lag"][subject.name][name].append(value)


def _ground(base: Path, sizes: data.Sizes) -> peers.Ground:
    root, state, point = base / "originals", base / "state", base / "mnt"
    for directory in (root, state, point):
        directory.mkdir(parents=True, exist_ok=True)
    data.write(root, sizes)
    if not (state / "catalog.db").exists():
        data.index(state, root)
    data.warm(root)
    return peers.Ground(root=root, state=state, point=point, sizes=sizes)


def _new() -> Any:
    def numbers() -> defaultdict[str, list[float]]:
        return defaultdict(list)

    def subjects() -> defaultdict[str, defaultdict[str, list[float]]]:
        return defaultdict(numbers)

    return defaultdict(subjects)


@contextlib.contextmanager
def _scratch(kept: Path | None) -> Generator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="haven-bench-") as directory:
        Path(directory).chmod(0o755)  # smbd and the views' readers are others
        yield Path(directory)


if __name__ == "__main__":
    sys.exit(main())
