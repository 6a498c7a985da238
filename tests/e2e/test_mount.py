"""The mounted tree, driven by the programs that people use."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.fuse


def run(*command: Any, **options: Any) -> str:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=30, check=False, **options
    )
    assert done.returncode == 0, (command, done.returncode, done.stderr)
    return done.stdout


@pytest.fixture
def mounted(household: Any, tmp_path: Path, serve: Any) -> Iterator[Path]:
    with serve(household.state.root, tmp_path / "mnt") as mount:
        yield mount.point


@pytest.fixture(scope="module")
def shared(standing: Any, tmp_path_factory: pytest.TempPathFactory, serve: Any) -> Iterator[Path]:
    point = tmp_path_factory.mktemp("shared") / "mnt"
    with serve(standing.state.root, point) as mount:
        yield mount.point


def test_ls_and_find_show_the_tree(shared: Path):
    assert set(run("ls", "-A", shared).split()) == {
        "by-date",
        "duplicates",
        "trash",
        "files",
        "inbox",
        ".haven",
        "places",
        "search",
        "saved",
        "tags",
        "albums",
        "favorites",
        "people",
        "types",
    }
    assert run("ls", shared / "by-date").split() == ["2019", "2020", "_undated"]
    assert run("ls", shared / "places/United States").splitlines() == [
        "Springfield [Illinois]",
        "Springfield [Ohio]",
    ]
    found = run("find", shared / "by-date", "-type", "f", "-printf", "%P %s %n\n").splitlines()
    assert "2019/07/IMG_0001.jpg 2200 5" in found
    assert len(found) == 9
    assert run("ls", "-a", shared / "by-date").split()[:2] == [".", ".."]


def test_cat_and_cp_bring_the_bytes_of_the_original(mounted: Path, household: Any, tmp_path: Path):
    original = household.root / "2019/rome/IMG_0001.jpg"
    assert (mounted / "by-date/2019/07/IMG_0001.jpg").read_bytes() == original.read_bytes()
    run("cp", "-p", mounted / "places/Italy/Rome/IMG_0001.jpg", tmp_path / "copy.jpg")
    assert (tmp_path / "copy.jpg").read_bytes() == original.read_bytes()
    assert (tmp_path / "copy.jpg").stat().st_mtime_ns == original.stat().st_mtime_ns


def test_a_large_file_arrives_whole_and_at_random(mounted: Path, household: Any):
    data = os.urandom(5_000_001)
    household.add("big.bin", data)
    leaf = mounted / "by-date/_undated/big.bin"
    assert leaf.read_bytes() == data
    with leaf.open("rb", buffering=0) as file:
        for offset in (0, 4095, 4_999_000, 5_000_000, 5_000_001):
            file.seek(offset)
            assert file.read(4096) == data[offset : offset + 4096]


@pytest.mark.parametrize("transport", ["pyfuse3"], indirect=True)
def test_what_is_copied_through_us_is_read_far_ahead(mounted: Path):
    device = mounted.stat().st_dev
    told = Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
    until = time.monotonic() + 10
    while told.read_text() != "1024\n":
        assert time.monotonic() < until, told.read_text()
        time.sleep(0.05)


def test_one_asset_is_one_inode_in_every_view(shared: Path):
    numbers = {
        os.stat(shared / path).st_ino
        for path in (
            "by-date/2019/07/IMG_0001.jpg",
            "places/Italy/Rome/IMG_0001.jpg",
            "types/photos/IMG_0001.jpg",
            "search/fountain/IMG_0001.jpg",
        )
    }
    assert len(numbers) == 1


def test_a_search_is_a_folder_and_is_remembered(mounted: Path):
    assert set(run("ls", mounted / "search/dog").split()) == {"IMG_0001.jpg", "invoice.pdf"}
    assert "dog" in run("ls", mounted / "search").split()
    assert run("cat", mounted / "search/README.txt")
    assert run("ls", mounted / "search/dog/@types/documents").split() == ["invoice.pdf"]
    assert not (mounted / "search/desktop.ini").exists()


def test_extended_attributes_say_what_is_known(shared: Path):
    shown = run("getfattr", "-d", "--absolute-names", shared / "by-date/2019/07/IMG_0001.jpg")
    assert 'user.haven.date="2019-07-14T10:00:00+02:00"' in shown
    assert 'user.haven.place="Rome, Lazio, Italy"' in shown
    assert 'user.haven.camera="Pixel 3"' in shown
    assert 'user.xdg.tags="dog,summer"' in shown
    assert 'user.baloo.rating="8"' in shown
    assert "IMG_0001.jpg" in os.listdir(
        shared / "search/fountain"
    )  # whoever lists looks nothing up
    leaf = shared / "search/fountain/IMG_0001.jpg"
    assert float(os.getxattr(leaf, "user.haven.score")) > 0
    assert os.getxattr(leaf, "user.haven.why")
    assert os.getxattr(shared / "search/a dog", "user.haven.query") == b"a dog"


def test_rsync_copies_the_originals_and_every_view(mounted: Path, household: Any, tmp_path: Path):
    run("rsync", "-aH", f"{mounted}/files/photos/", tmp_path / "all")
    assert run("diff", "-r", household.root, tmp_path / "all") == ""
    run("rsync", "-aH", f"{mounted}/by-date", f"{mounted}/types", tmp_path / "views")
    twin = os.stat(tmp_path / "views/types/photos/IMG_0001.jpg")
    assert os.stat(tmp_path / "views/by-date/2019/07/IMG_0001.jpg").st_ino == twin.st_ino


def test_statfs_is_that_of_the_originals(mounted: Path, household: Any):
    assert os.statvfs(mounted).f_blocks == os.statvfs(household.root).f_blocks
    assert shutil.disk_usage(mounted).total > 0


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["touch", "by-date/new"], "Operation not permitted"),
        (["mkdir", "places/Nirvana"], "Invalid argument"),
        (["rm", "types/photos/IMG_0001.jpg"], "Operation not permitted"),
        (["mv", "by-date/2019", "by-date/2018"], "Operation not permitted"),
        (["truncate", "-s", "0", "by-date/2019/07/IMG_0001.jpg"], "Operation not permitted"),
        (["mkdir", "search/anything"], "File exists"),
        (["touch", "files/photos/new"], "Read-only file system"),
        (["rm", "files/photos/2019/IMG_0001.jpg"], "Read-only file system"),
        (["mkdir", "files/photos/new"], "Read-only file system"),
        (["cat", "by-date/1950/x"], "No such file"),
        (["cat", "search/(dog"], "No such file"),
        (["ls", "@not/@types/" * 5], "Too many levels"),
    ],
)
def test_what_cannot_be_done_says_why(shared: Path, command: list[str], reason: str):
    done = subprocess.run(
        [command[0], *command[1:]],
        cwd=shared,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert done.returncode != 0
    assert reason in done.stderr


def test_a_query_that_cannot_be_read_is_explained(mounted: Path):
    assert not (mounted / "search/(dog").exists()
    assert "(dog" in (mounted / ".haven/errors").read_text()


def test_the_mount_answers_while_the_library_fills(
    shelf: Any, tmp_path: Path, serve: Any, until: Callable[..., float]
):
    start = time.monotonic()
    with serve(shelf.state.root, tmp_path / "mnt"):
        assert "by-date" in os.listdir(tmp_path / "mnt")
        assert (
            time.monotonic() - start < 10
        )  # the interpreter starts in one or two on a busy machine
        leaf = tmp_path / "mnt/by-date/2022/05/new.jpg"
        assert not leaf.exists()
        asset = shelf.add("new.jpg", taken="2022-05-05T05:05:05")
        assert until(leaf.exists) < 3
        assert os.listdir(leaf.parent) == ["new.jpg"]

        shelf.put(asset, taken_local=1_600_000_000)
        assert until(lambda: not leaf.exists()) < 1
        assert (tmp_path / "mnt/by-date/2020/09/new.jpg").stat().st_size == 700

        shelf.remove(asset)
        assert until(lambda: not (tmp_path / "mnt/by-date/2020").exists()) < 1


def test_many_changes_at_once_arrive_too(
    shelf: Any, tmp_path: Path, serve: Any, until: Callable[..., float]
):
    first = shelf.add("first.jpg", taken="2022-05-05T05:05:05")
    with serve(shelf.state.root, tmp_path / "mnt"):
        leaf = tmp_path / "mnt/by-date/2022/05/first.jpg"
        assert leaf.exists()

        def flood(db: Any) -> None:
            db.execute("UPDATE asset SET taken_local = 1600000000 WHERE id = ?", (first,))
            for _ in range(6000):
                db.execute("UPDATE asset SET live = 1 - live WHERE id = ?", (first,))

        shelf.catalog.write(flood)
        assert until(lambda: not leaf.exists()) < 2
        assert (tmp_path / "mnt/by-date/2020/09/first.jpg").exists()


def test_an_edited_original_is_read_anew(mounted: Path, household: Any):
    leaf = mounted / "by-date/2019/07/IMG_0001.jpg"
    assert leaf.read_bytes() == b"2019/rome/IMG_0001.jpg" * 100 or leaf.read_bytes()
    original = household.root / "2019/rome/IMG_0001.jpg"
    original.write_bytes(b"longer than it was, " * 1000)
    assert leaf.read_bytes() == original.read_bytes()
    original.unlink()
    with pytest.raises(FileNotFoundError):
        leaf.read_bytes()


def test_a_source_that_goes_away_says_so_and_comes_back(mounted: Path, household: Any):
    household.root.rename(household.root.parent / "away")
    with pytest.raises(OSError, match="Input/output error"):
        (mounted / "by-date/2019/07/IMG_0002.jpg").read_bytes()
    (household.root.parent / "away").rename(household.root)
    assert (mounted / "by-date/2019/07/IMG_0002.jpg").read_bytes()


def test_symlinks_and_dot_files_show_in_files_as_they_are(mounted: Path, household: Any):
    (household.root / "link").symlink_to("/etc/passwd")
    (household.root / ".hidden").write_text("here")
    assert os.readlink(mounted / "files/photos/link") == "/etc/passwd"
    assert (mounted / "files/photos/.hidden").read_text() == "here"
    status, real = os.lstat(mounted / "files/photos/.hidden"), os.lstat(household.root / ".hidden")
    assert (status.st_mode, status.st_uid, status.st_mtime_ns) == (
        real.st_mode,
        real.st_uid,
        real.st_mtime_ns,
    )


def test_the_mount_never_looks_into_itself(shelf: Any, serve: Any, tmp_path: Path):
    point = tmp_path / "outer/mnt"  # in no source when it starts, which is refused
    (tmp_path / "outer/a.jpg").parent.mkdir()
    (tmp_path / "outer/a.jpg").touch()
    with serve(shelf.state.root, point):
        shelf.catalog.write(_move_source, bytes(tmp_path / "outer"))
        assert os.listdir(point / "files/photos") == ["a.jpg"]
        assert not (point / "files/photos/mnt").exists()


def _move_source(db: Any, root: bytes) -> None:
    db.execute("UPDATE source SET root = ?", (root,))


def test_a_killed_mount_is_replaced_by_the_next(household: Any, tmp_path: Path, serve: Any):
    with serve(household.state.root, tmp_path / "mnt") as mount:
        mount.end(signal.SIGKILL)
        with pytest.raises(OSError, match=r"not connected|connection abort"):
            os.listdir(tmp_path / "mnt")
        with serve(household.state.root, tmp_path / "mnt"):
            assert "by-date" in os.listdir(tmp_path / "mnt")


def test_ctrl_c_leaves_nothing_mounted(
    household: Any, tmp_path: Path, serve: Any, mounts: Callable[[Path], int]
):
    with serve(household.state.root, tmp_path / "mnt") as mount:
        held = os.open(tmp_path / "mnt/by-date/2019/07/IMG_0001.jpg", os.O_RDONLY)
        assert mount.end(signal.SIGINT) == 0
        with suppress(OSError):  # a transport that wants to hear of every close says that it cannot
            os.close(held)
        assert mounts(mount.point) == 0


def test_unmounting_from_outside_ends_the_service(household: Any, tmp_path: Path, serve: Any):
    with serve(household.state.root, tmp_path / "mnt") as mount:
        run("umount", tmp_path / "mnt")
        assert mount.process.wait(10) == 0


CANCELLED = """
import pathlib, sys, trio
from havend import mount
from havenfs.config import State

async def main():
    async with trio.open_nursery() as nursery:
        await nursery.start(mount.run, State(root=pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2]))
        await trio.to_thread.run_sync(sys.stdin.readline)
        nursery.cancel_scope.cancel()

trio.run(main)
"""


def test_cancelling_the_task_unmounts_while_people_read_and_the_library_changes(
    shelf: Any, tmp_path: Path, until: Callable[..., float], mounts: Callable[[Path], int]
):
    point = tmp_path / "mnt"
    point.mkdir()
    ids = [shelf.add(f"{n}.jpg", taken="2019-07-14T10:00:00") for n in range(50)]
    process = subprocess.Popen(
        [sys.executable, "-c", CANCELLED, str(shelf.state.root), str(point)], stdin=subprocess.PIPE
    )
    walker = None
    try:
        until(lambda: point.is_mount() and os.listdir(point), 30)
        walker = subprocess.Popen(
            ["sh", "-c", f"while find '{point}' -type f -exec cat {{}} + ; do :; done"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for turn in range(100):
            shelf.put(ids[turn % 50], taken_local=1_500_000_000 + turn * 86_400 * 20)
        assert process.poll() is None
        assert process.stdin is not None
        process.stdin.write(b"stop\n")
        process.stdin.close()
        assert process.wait(15) == 0
        assert not point.is_mount()
    finally:
        for started in filter(None, (walker, process)):
            started.kill()
            started.wait(10)
        while mounts(point):
            subprocess.run(["umount", "-l", str(point)], check=True, timeout=10)
