"""Dates and places corrected through the real mount, with the programs that people use."""

from __future__ import annotations

import errno
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.decisions import Keeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.fuse

PICTURE = "by-date/2019/07/IMG_0001.jpg"


@pytest.fixture
def mounted(household: Any, tmp_path: Path, serve: Any) -> Iterator[Path]:
    with serve(household.state.root, tmp_path / "mnt") as mount:
        yield mount.point


def run(*command: str | Path) -> str:
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=20)
    assert result.returncode == 0, result.stderr
    return result.stdout


def refused(number: int, operation: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(OSError, match=r"Errno") as caught:
        operation(*arguments)
    assert caught.value.errno == number, caught.value


def test_a_scan_is_dated_by_moving_it_into_a_month_that_is_made_for_it(
    mounted: Path, household: Any, until: Callable[..., float]
) -> None:
    dates = mounted / "by-date"
    (dates / "1987").mkdir()
    (dates / "1987/05").mkdir()
    assert os.listdir(dates / "1987/05") == []
    run("mv", dates / "_undated/scan.jpg", dates / "1987/05")
    assert os.listdir(dates / "1987/05") == ["scan.jpg"]
    assert not (dates / "_undated/scan.jpg").exists()
    assert os.getxattr(dates / "1987/05/scan.jpg", "user.haven.date") == b"1987-05-01T12:00:00"
    assert os.listdir(mounted / "search/date=1987-05") == ["scan.jpg"]
    keeper = Keeper(household.catalog, household.state.journal)
    keeper.revert(keeper.last(1)[0].operation.id, by="me")
    until(lambda: not (dates / "1987/05").exists(), 5)
    until(lambda: (dates / "_undated/scan.jpg").exists(), 5)


def test_a_scan_is_placed_by_linking_it_into_a_city(mounted: Path) -> None:
    places = mounted / "places"
    (places / "Italy/Siena").mkdir()
    run("cp", "-l", places / "_nowhere/scan.jpg", places / "Italy/Siena")
    assert os.listdir(places / "Italy/Siena") == ["scan.jpg"]
    assert "scan.jpg" not in os.listdir(places / "_nowhere")
    assert os.listdir(mounted / "search/city=Siena") == ["scan.jpg"]
    assert os.listdir(mounted / "search/near=43.32;11.33;5") == ["scan.jpg"]


def test_what_is_known_is_not_corrected_by_moving_it(mounted: Path) -> None:
    december, munich = mounted / "by-date/2019/12", mounted / "places/Germany/Munich"
    refused(errno.EPERM, os.rename, mounted / PICTURE, december / "IMG_0001.jpg")
    refused(errno.EPERM, os.link, mounted / PICTURE, munich / "x.jpg")
    refused(errno.EPERM, os.unlink, mounted / PICTURE)
    refused(errno.EINVAL, os.mkdir, mounted / "by-date/May")
    refused(errno.EINVAL, os.mkdir, mounted / "by-date/2019/13")
    refused(errno.EINVAL, os.mkdir, mounted / "places/Italy/Atlantis")
    refused(errno.EPERM, os.mkdir, mounted / "by-date/2019/07/14")
    refused(errno.EPERM, os.rmdir, mounted / "by-date/2019/07")
    refused(errno.EPERM, os.rename, mounted / "by-date/2019", mounted / "by-date/2018")
