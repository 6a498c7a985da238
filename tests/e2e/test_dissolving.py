"""Albums that are deleted with all that is in them, and files taken out of folders in one go: through the real mount."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import Catalog, collections, given
from havenfs.decisions import Keeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.fuse


@pytest.fixture
def mounted(household: Any, tmp_path: Path, serve: Any) -> Iterator[Path]:
    for n in range(40):
        household.add(f"many/{n:03}.jpg", taken="2018-05-05T00:00:00")
    with serve(household.state.root, tmp_path / "mnt") as mount:
        (mount.point / "albums/Rome/Day 1/Morning").mkdir(parents=True)
        for name in os.listdir(mount.point / "by-date/2018/05"):
            os.link(
                mount.point / "by-date/2018/05" / name, mount.point / "albums/Rome/Day 1" / name
            )
        for folder in ("Rome", "Rome/Day 1/Morning"):
            for name in ("IMG_0001.jpg", "IMG_0002.jpg"):
                os.link(
                    mount.point / "by-date/2019/07" / name, mount.point / "albums" / folder / name
                )
        yield mount.point


def rows(household: Any) -> tuple[list[Any], list[Any]]:
    return (
        household.catalog.read(given.rows, "collection"),
        household.catalog.read(given.rows, "member"),
    )


def undo_lines(mounted: Path) -> list[str]:
    return (mounted / ".haven/undo").read_text().splitlines()


def test_rm_r_dissolves_an_album_and_undo_brings_all_of_it_back_in_one_step(
    mounted: Path, household: Any, until: Callable[..., float]
) -> None:
    before = rows(household)
    (mounted / "albums/Rome/.DS_Store").write_bytes(b"order")
    operations = len(undo_lines(mounted))
    subprocess.run(["rm", "-r", mounted / "albums/Rome"], check=True, timeout=30)
    assert os.listdir(mounted / "albums") == []
    assert rows(household) == ([], [])
    lines = undo_lines(mounted)
    assert "dissolved the album “Rome”, with 42 files and 2 folders in it" in lines[0]
    assert len(lines) == operations + 1
    keeper = Keeper(household.catalog, household.state.journal)
    keeper.revert(lines[0].split()[0], by="me")
    assert rows(household) == before
    until(lambda: len(os.listdir(mounted / "albums/Rome/Day 1")) == 41, 5)
    keeper.revert(keeper.last(1)[0].operation.id, by="me")
    assert rows(household) == ([], [])


def test_what_the_journal_says_of_it_is_the_same(
    mounted: Path, household: Any, tmp_path: Path
) -> None:
    shutil.rmtree(mounted / "albums/Rome/Day 1")
    after = rows(household)
    assert len(after[1]) == 2
    with Catalog(tmp_path / "again.db") as catalog:
        Keeper(catalog, household.state.journal).recover()
        assert catalog.read(given.rows, "member") == after[1]
        found = Keeper(catalog, household.state.journal)
        newest = found.last(1)[0].operation
        assert newest.words.startswith("dissolved the album “Day 1”, with 42 files")
        found.revert(newest.id, by="me")
        assert len(catalog.read(given.rows, "member")) == 44


def test_files_taken_out_in_one_go_are_one_operation_a_second_later(
    mounted: Path, household: Any, until: Callable[..., float]
) -> None:
    day = mounted / "albums/Rome/Day 1"
    before = rows(household)
    operations = len(undo_lines(mounted))
    for n in range(30):
        os.remove(day / f"{n:03}.jpg")
        assert not (day / f"{n:03}.jpg").exists()
    assert len(os.listdir(day)) == 11
    until(lambda: "30 files taken out of the album “Day 1”" in undo_lines(mounted)[0], 5)
    assert len(undo_lines(mounted)) == operations + 1
    with pytest.raises(OSError, match=r"Errno") as caught:
        os.rmdir(day)
    assert caught.value.errno == errno.ENOTEMPTY
    Keeper(household.catalog, household.state.journal).revert(
        undo_lines(mounted)[0].split()[0], by="me"
    )
    assert rows(household) == before


def test_a_kill_amid_a_burst_forgets_nothing_that_was_answered_for(
    household: Any, tmp_path: Path, serve: Any
) -> None:
    with serve(household.state.root, tmp_path / "mnt") as mount:
        (mount.point / "favorites").exists()
        for view in ("by-date/2019/07", "by-date/2019/12"):
            for name in os.listdir(mount.point / view):
                os.link(mount.point / view / name, mount.point / "favorites" / name)
        names = sorted(os.listdir(mount.point / "favorites"))
        for name in names[:2]:
            os.remove(mount.point / "favorites" / name)
        os.killpg(mount.process.pid, signal.SIGKILL)
        mount.process.wait(10)
        subprocess.run(["umount", "-l", mount.point], check=False, timeout=10, capture_output=True)
    with serve(household.state.root, tmp_path / "again") as mount:
        assert sorted(os.listdir(mount.point / "favorites")) == names[2:]
    with Catalog(tmp_path / "again.db") as catalog:
        Keeper(catalog, household.state.journal).recover()
        assert len(catalog.read(given.rows, "favorite")) == 1
        assert catalog.read(collections.below, "album", None) == []
