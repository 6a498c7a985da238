"""A library and folders that are far larger than anybody's patience: what they cost must grow with what is looked at."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.bench import million

pytestmark = pytest.mark.fuse

LONG = settings.get_current_profile_name() == "long"
ASSETS = 1_000_000 if LONG else 130_000  # types/photos then holds more than 100,000
CROWD = 100_000
MIB = 1 << 20


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with a catalog of many assets; the disk has none of them."""
    directory = tmp_path_factory.mktemp("library")
    million.write(directory / "state", directory / "root", ASSETS)
    return directory / "state"


def memory(mount: Any) -> int:
    """Bytes of the mount's processes, what they share counted once (PSS)."""
    waiting, total = [mount.process.pid], 0
    while waiting:
        pid = waiting.pop()
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
        for task in Path(f"/proc/{pid}/task").iterdir():
            waiting += map(int, (task / "children").read_text().split())
    return total


def entries(point: Path, *views: str, seconds: int = 100) -> int:
    """How many things `find` meets, each with its size."""
    done = subprocess.run(
        ["find", *views, "-size", "+1", "-printf", "."],
        cwd=point,
        capture_output=True,
        timeout=seconds,
        check=True,
    )
    return len(done.stdout)


@pytest.mark.timeout(1800 if LONG else 180)
def test_a_walk_over_every_view_leaves_the_memory_small(library: Path, tmp_path: Path, serve: Any):
    with serve(library, tmp_path / "mnt") as mount:
        start = memory(mount)
        seconds = 900 if LONG else 100
        found = entries(mount.point, "by-date", "places", "types", ".haven/by-id", seconds=seconds)
        assert found > 4 * ASSETS
        end = memory(mount)
        assert end <= 150 * MIB, f"F9: from {start / MIB:.0f} to {end / MIB:.0f} MiB"


def test_the_first_listing_does_not_wait_for_the_library(library: Path, tmp_path: Path, serve: Any):
    with serve(library, tmp_path / "mnt") as mount:
        for view, most in (("", 0.1), ("by-date", 0.5), ("places", 0.5), ("types", 0.1)):
            start = time.monotonic()
            assert os.listdir(mount.point / view)
            assert time.monotonic() - start < most, view


def test_a_view_of_a_hundred_thousand_lists_and_stats(library: Path, tmp_path: Path, serve: Any):
    with serve(library, tmp_path / "mnt") as mount:
        folder = mount.point / "types/photos"
        with os.scandir(folder) as listing:
            seen = [(entry.name, entry.inode()) for entry in listing]
        assert len(seen) >= CROWD
        assert len({name for name, _ in seen}) == len({number for _, number in seen}) == len(seen)
        for name, number in seen[:: len(seen) // 500]:
            status = (folder / name).stat()
            assert status.st_ino == number
            assert status.st_size == 1000 + int(name[4:11]) % 5_000_000
        start = time.monotonic()
        for number in range(2000):
            assert not (folder / f"DSC_{number:05}.jpg").exists()
        assert time.monotonic() - start < 5, "a name that is not there is no listing"


@pytest.mark.timeout(240)
def test_a_folder_of_a_hundred_thousand_originals_lists_stats_and_empties(
    workshop: Any, tmp_path: Path, serve: Any
):
    real = workshop.root / "crowd"
    real.mkdir()
    for number in range(CROWD):
        os.close(os.open(real / f"{number:06}", os.O_CREAT | os.O_WRONLY, 0o644))
    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        folder = mount.point / "files/photos/crowd"
        start = time.monotonic()
        assert len(os.listdir(folder)) == CROWD
        with os.scandir(folder) as listing:
            assert sum(entry.stat(follow_symlinks=False).st_size == 0 for entry in listing) == CROWD
        listed = time.monotonic() - start
        start = time.monotonic()
        doomed = CROWD if LONG else CROWD // 5
        for number in range(doomed):
            os.unlink(folder / f"{number:06}")
        removed = time.monotonic() - start
        assert len(os.listdir(folder)) == CROWD - doomed == len(os.listdir(real))
        # Generous: 0.3 ms each on a quiet machine, five times that on a busy one.
        assert listed < 30
        assert removed < 0.003 * doomed
        # An open listing of originals holds the lstat of each, about 1 KiB: 174 MiB measured after two of them.
        assert memory(mount) <= 220 * MIB
