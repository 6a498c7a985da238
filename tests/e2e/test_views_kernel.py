"""What the kernel is told to remember of the views, and when it is told to forget."""

from __future__ import annotations

import ctypes
import mmap
import os
import statistics
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from havend.invalidate import PERIOD_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import apsw

pytestmark = pytest.mark.fuse

MONTH = "by-date/2019/07"
PAGES = 1 << 20
_libc = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def mounted(household: Any, tmp_path: Path, serve: Any) -> Iterator[Path]:
    with serve(household.state.root, tmp_path / "mnt") as mount:
        yield mount.point


def resident(path: Path) -> int:
    """How many pages of a file the page cache holds, under this inode."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        with mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) as mapped:
            view = np.frombuffer(mapped, np.uint8)
            flags = np.zeros((size + 4095) // 4096, np.uint8)
            done = _libc.mincore(
                ctypes.c_void_p(view.ctypes.data),
                ctypes.c_size_t(size),
                ctypes.c_void_p(flags.ctypes.data),
            )
            del view  # it holds the mapping
            assert done == 0
            return int(np.count_nonzero(flags & 1))


def many(shelf: Any, count: int, folder: str = "many") -> None:
    """Assets without originals of their own, in one month: for listings."""

    def insert(db: apsw.Connection) -> None:
        db.execute(
            "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
            " INSERT INTO file (id, source_id, path, size, mtime_ns, device, inode, state, hash)"
            " SELECT 100000 + i, 1, CAST(?2 || i AS BLOB), 10, 1, 1, 5000000 + i, 'known', randomblob(32) FROM n",
            (count, f"{folder}/"),
        )
        db.execute(
            "INSERT INTO asset (hash, name, name_key, kind, mime, file_id, taken_local, taken_source, added)"
            " SELECT hash, printf('DSC_%05d.jpg', id - 100000), printf('dsc_%05d.jpg', id - 100000), 'photo',"
            " 'image/jpeg', id, unixepoch('2019-07-14') + id, 'exif', 0 FROM file WHERE id > 100000"
        )

    shelf.catalog.write(insert)


# --- pages ----------------------------------------------------------------------------------------------------


def test_what_was_read_once_is_read_from_memory_by_every_open_and_every_view(
    mounted: Path, household: Any
):
    data = os.urandom(PAGES)
    household.add("big.bin", data, taken="2019-07-20T00:00:00", camera="Pixel 3")
    leaf = mounted / MONTH / "big.bin"
    time.sleep(20 * PERIOD_S)  # the news of it drops what was read before them
    assert leaf.read_bytes() == data
    for path in (leaf, mounted / "places/_nowhere/big.bin", mounted / "types/photos/big.bin"):
        assert resident(path) == PAGES // 4096
        assert path.read_bytes() == data


def test_an_edited_original_is_read_anew_in_every_view(
    mounted: Path, household: Any, until: Callable[..., float]
):
    asset = household.add("note.txt", b"first version", taken="2019-07-20T00:00:00")
    views = [mounted / MONTH / "note.txt", mounted / "types/photos/note.txt"]
    assert [view.read_bytes() for view in views] == [b"first version"] * 2
    household.edit(asset, b"the second version, which is longer")
    for view in views:
        until(lambda view=view: view.stat().st_size == 35)
        assert view.read_bytes() == b"the second version, which is longer"


# --- names ----------------------------------------------------------------------------------------------------


def test_a_name_that_was_missing_a_moment_ago_is_found_on_the_disk_within_a_second(
    mounted: Path, household: Any, until: Callable[..., float]
):
    path = mounted / "files/photos/late.txt"
    assert not path.exists()
    (household.root / "late.txt").write_text("here")
    assert until(path.exists, 3) < 1.5


def test_a_name_that_is_missing_is_asked_for_once(mounted: Path):
    path = str(mounted / MONTH / "missing.jpg")
    times: list[float] = []
    for _ in range(2000):
        start = time.perf_counter()
        os.path.lexists(path)
        times.append(time.perf_counter() - start)
    # The kernel answers by itself in two or three microseconds; a round trip takes at least eight.
    assert statistics.median(times) < 8e-6


def test_a_change_of_another_process_is_visible_at_once(shelf: Any, tmp_path: Path, serve: Any):
    asset = shelf.add("moving.jpg", taken="2019-07-14T10:00:00")
    shelf.add("summer.jpg", taken="2019-07-15T10:00:00")
    shelf.add("winter.jpg", taken="2020-01-02T10:00:00")
    with serve(shelf.state.root, tmp_path / "mnt") as mount:
        summer, winter = (mount.point / f"by-date/{month}" for month in ("2019/07", "2020/01"))
        times: list[float] = []
        for turn in range(20):
            here, there = (summer, winter) if turn % 2 == 0 else (winter, summer)
            # The kernel knows all of it well, names that are not there included.
            assert os.listdir(here).count("moving.jpg") == 1
            assert os.listdir(there).count("moving.jpg") == 0
            assert (here / "moving.jpg").exists()
            assert not (there / "moving.jpg").exists()
            shelf.put(asset, taken_local=1_577_959_200 if there is winter else 1_563_098_400)
            start = time.perf_counter()
            while not (
                (there / "moving.jpg").exists()
                and not (here / "moving.jpg").exists()
                and "moving.jpg" in os.listdir(there)
                and "moving.jpg" not in os.listdir(here)
            ):
                assert time.perf_counter() - start < 2
                time.sleep(0.001)
            times.append(time.perf_counter() - start)
        assert statistics.median(times) <= 0.05, f"{sorted(times)}"


def test_listings_follow_the_library_while_somebody_reads_them(
    shelf: Any, tmp_path: Path, serve: Any, until: Callable[..., float]
):
    shelf.add("anchor.jpg", taken="1999-05-05T00:00:00")
    asset = shelf.add("a.jpg", taken="2019-07-14T10:00:00", place=("Italy", "Lazio", "Rome"))
    with serve(shelf.state.root, tmp_path / "mnt") as mount:
        folders = ["by-date", "places", "places/Italy", "types/photos"]
        stop = threading.Event()

        def read() -> None:
            while not stop.is_set():
                for folder in folders:
                    try:
                        os.listdir(mount.point / folder)
                    except FileNotFoundError:
                        continue

        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(read)
            try:
                for _ in range(40):
                    shelf.put(asset, taken_local=None, taken_source=None, place_id=None)
                    until(lambda: "Italy" not in os.listdir(mount.point / "places"), 2)
                    until(lambda: "2019" not in os.listdir(mount.point / "by-date"), 2)
                    shelf.put(asset, taken_local=1_563_098_400, taken_source="exif", place_id=3)
                    until(lambda: "Italy" in os.listdir(mount.point / "places"), 2)
                    until(lambda: "2019" in os.listdir(mount.point / "by-date"), 2)
            finally:
                stop.set()
            reading.result(10)


# --- bulk -----------------------------------------------------------------------------------------------------


def test_after_a_flood_of_changes_everything_is_asked_again_and_a_shell_keeps_its_folder(
    shelf: Any, tmp_path: Path, serve: Any, until: Callable[..., float]
):
    shelf.add("first.jpg", taken="2019-07-14T10:00:00")
    shelf.add("second.jpg", taken="2019-08-14T10:00:00")
    with serve(shelf.state.root, tmp_path / "mnt") as mount:
        shell = subprocess.Popen(
            ["sh"],
            cwd=mount.point / "by-date/2019",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

        def say(command: str) -> list[str]:
            assert shell.stdin is not None
            assert shell.stdout is not None
            shell.stdin.write(f"{command}; echo end\n")
            return list(iter(shell.stdout.readline, "end\n"))

        try:
            assert say("ls") == ["07\n", "08\n"]
            assert not (mount.point / "by-date/2019/09").exists()

            def flood(db: apsw.Connection) -> None:
                db.execute("UPDATE asset SET taken_local = taken_local + 2678400")
                for _ in range(3000):
                    db.execute("UPDATE asset SET live = 1 - live")

            shelf.catalog.write(flood)
            until(lambda: say("ls") == ["08\n", "09\n"], 2)
            assert say("ls 09") == ["second.jpg\n"]
            assert say("pwd; cd ../2019 && ls 08") == [
                f"{mount.point}/by-date/2019\n",
                "first.jpg\n",
            ]
            assert os.listdir(f"/proc/{shell.pid}/cwd") == ["08", "09"]
        finally:
            shell.kill()
            shell.wait(10)
            for pipe in (shell.stdin, shell.stdout):
                if pipe is not None:
                    pipe.close()


# --- listings -------------------------------------------------------------------------------------------------


def test_a_listing_goes_on_where_it_was_left_whatever_changes(
    shelf: Any, tmp_path: Path, serve: Any
):
    many(shelf, 10_000)
    with serve(shelf.state.root, tmp_path / "mnt") as mount:
        folder = mount.point / MONTH
        listing = Directory(folder)
        seen = [listing.read() for _ in range(3000)]
        place = listing.tell()
        after = [listing.read() for _ in range(10)]
        # A third of what was read and a third of what is to come goes away, and something arrives.
        gone = {f"DSC_{number:05}.jpg" for number in range(1, 10_001, 3)}

        def remove(db: apsw.Connection) -> None:
            db.execute(
                "UPDATE asset SET file_id = NULL WHERE file_id > 100000 AND (file_id - 100001) % 3 = 0"
            )

        shelf.catalog.write(remove)
        time.sleep(0.3)
        rest = list(iter(listing.read, None))
        everything = [*seen, *after, *rest]
        assert len(everything) == len(set(everything)), "nothing twice"
        kept = {f"DSC_{number:05}.jpg" for number in range(1, 10_001)} - gone
        assert kept <= set(everything), "nothing that stayed is left out"
        listing.seek(place)
        again = [listing.read() for _ in range(3)]
        assert [name for name in again if name not in gone] == [
            name for name in after if name in again and name not in gone
        ]
        listing.rewind()
        assert set(iter(listing.read, None)) - {".", ".."} == kept
        listing.close()


def test_numbers_are_the_same_after_a_restart(household: Any, tmp_path: Path, serve: Any):
    def numbers(point: Path) -> dict[str, int]:
        found = {
            os.path.join(top, name): os.lstat(os.path.join(top, name)).st_ino
            for top, folders, files in os.walk(point)
            for name in (*folders, *files)
        }
        return {path.removeprefix(str(point)): number for path, number in found.items()}

    seen: list[dict[str, int]] = []
    for _ in range(2):
        with serve(household.state.root, tmp_path / "mnt") as mount:
            seen.append(numbers(mount.point))
    assert seen[0] == seen[1]
    assert len(seen[0]) > 50


def test_dot_and_dot_dot_are_where_they_should_be(mounted: Path):
    for folder in ("by-date/2019/07", "places/Italy", "files/photos/2019", "search"):
        with os.scandir(mounted / folder) as listing:
            assert all(entry.name not in (".", "..") for entry in listing)
        for dots, path in ((".", folder), ("..", os.path.dirname(folder))):
            assert os.stat(mounted / folder / dots).st_ino == os.stat(mounted / path).st_ino, folder
        shown = subprocess.run(
            ["ls", "-ai", mounted / folder], capture_output=True, text=True, check=True, timeout=30
        ).stdout.split("\n")
        numbers = {line.split()[1]: int(line.split()[0]) for line in shown if line.endswith(".")}
        assert numbers["."] == os.stat(mounted / folder).st_ino


class Directory:
    """opendir(3) with telldir and seekdir, which Python does not offer."""

    def __init__(self, path: Path) -> None:
        _libc.opendir.restype = ctypes.c_void_p
        _libc.readdir64.restype = ctypes.c_void_p
        _libc.telldir.restype = ctypes.c_long
        self._stream = ctypes.c_void_p(_libc.opendir(os.fsencode(path)))
        assert self._stream.value, "it cannot be opened"

    def read(self) -> str | None:
        entry = _libc.readdir64(self._stream)
        # struct dirent64: d_ino and d_off, 8 bytes each; d_reclen, 2; d_type, 1; the name.
        return os.fsdecode(ctypes.string_at(entry + 19)) if entry else None

    def tell(self) -> int:
        return _libc.telldir(self._stream)

    def seek(self, place: int) -> None:
        _libc.seekdir(self._stream, ctypes.c_long(place))

    def rewind(self) -> None:
        _libc.rewinddir(self._stream)

    def close(self) -> None:
        _libc.closedir(self._stream)
