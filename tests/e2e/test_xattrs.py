"""What is said of files by setting extended attributes, with setfattr and getfattr on the real mount."""

from __future__ import annotations

import errno
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import browse
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


def say(path: Path, name: str, value: str) -> None:
    command = ["setfattr", "-n", name, "-v", value, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert result.returncode == 0, result.stderr


def said(path: Path, name: str) -> str:
    command = ["getfattr", "--only-values", "--absolute-names", "-n", name, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout


def take_back(path: Path, name: str) -> None:
    subprocess.run(["setfattr", "-x", name, str(path)], timeout=20, check=True)


def refused(number: int, operation: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(OSError, match=r"Errno") as caught:
        operation(*arguments)
    assert caught.value.errno == number, caught.value


@pytest.mark.parametrize(
    ("name", "value", "shown", "before"),
    [
        ("user.xdg.comment", "Nelly, 3", "Nelly, 3", "a dog at the fountain"),
        ("user.haven.caption", "Nelly, 3", "Nelly, 3", "a dog at the fountain"),
        ("user.baloo.rating", "9", "10", "8"),
        ("user.haven.date", "1987-05-02", "1987-05-02T12:00:00", "2019-07-14T10:00:00+02:00"),
        ("user.haven.gps", "50.73, 7.1", "50.730000,7.100000", "41.900000,12.500000"),
    ],
)
def test_what_is_said_holds_until_it_is_removed(
    mounted: Path, name: str, value: str, shown: str, before: str
) -> None:
    for path in (mounted / PICTURE, mounted / "files/photos/2019/rome/IMG_0001.jpg"):
        asset = mounted / "search/name=IMG_0001.jpg" / "IMG_0001.jpg"
        assert said(path, name) == before
        say(path, name, value)
        assert said(asset, name) == shown
        take_back(asset, name)
        assert said(asset, name) == before
        refused(errno.EPERM, os.removexattr, asset, name)  # the file says so


def test_tags_are_made_given_and_taken(mounted: Path, household: Any) -> None:
    path = mounted / PICTURE
    say(path, "user.xdg.tags", "beach, animals/horse,dog")
    assert said(path, "user.xdg.tags") == "animals/horse,beach,dog,summer"
    assert os.listdir(mounted / "tags/animals/horse") == ["IMG_0001.jpg"]
    assert os.listdir(mounted / "tags/beach") == ["IMG_0001.jpg"]
    assert not (mounted / "tags/dog").exists()  # the file itself says that
    say(path, "user.xdg.tags", "Beach")
    assert said(path, "user.xdg.tags") == "beach,dog,summer"
    assert os.listdir(mounted / "tags/animals/horse") == ["README.txt"]
    take_back(path, "user.xdg.tags")
    assert os.listdir(mounted / "tags/beach") == ["README.txt"]
    keeper = Keeper(household.catalog, household.state.journal)
    keeper.revert(keeper.last(1)[0].operation.id, by="me")
    assert said(path, "user.xdg.tags") == "beach,dog,summer"


def test_people_are_named_in_an_attribute(mounted: Path) -> None:
    path, people = mounted / PICTURE, mounted / "people"
    say(path, "user.haven.people", "Alice, Bob")
    assert sorted(os.listdir(people)) == ["Alice", "Bob", "_ignored", "_review", "_unnamed"]
    assert os.listdir(people / "Bob") == [path.name]
    say(path, "user.haven.people", "alice")
    assert said(path, "user.haven.people") == "Alice"
    assert os.listdir(people / "Bob") == ["README.txt"]
    refused(errno.EINVAL, os.setxattr, path, "user.haven.people", b"_mine")
    os.removexattr(path, "user.haven.people")
    assert os.listdir(people / "Alice") == ["README.txt"]
    refused(errno.ENODATA, os.getxattr, path, "user.haven.people")


def test_a_saved_search_is_given_another_query(mounted: Path, until: Callable[..., float]) -> None:
    saved = mounted / "saved/dog"
    saved.mkdir()
    say(saved, "user.haven.query", "type=document")
    until(lambda: os.listdir(saved) == ["invoice.pdf"], 5)
    assert said(saved, "user.haven.query") == "type=document"
    refused(errno.EINVAL, os.setxattr, saved, "user.haven.query", b"colour=red")
    refused(errno.EPERM, os.setxattr, mounted / "search/dog", "user.haven.query", b"cat")


def test_what_cannot_be_said_has_the_errno_of_the_table(mounted: Path, household: Any) -> None:
    path, scan = mounted / PICTURE, mounted / "by-date/_undated/scan.jpg"
    for name, value in (
        ("user.baloo.rating", b"11"), ("user.baloo.rating", b"good"), ("user.haven.date", b"May"),
        ("user.haven.gps", b"Rome"), ("user.haven.gps", b"91,0"), ("user.haven.caption", b"\xff"),
        ("user.xdg.tags", b"a//b"),
    ):  # fmt: skip
        refused(errno.EINVAL, os.setxattr, path, name, value)
    for name in ("user.haven.hash", "user.haven.place", "user.haven.faces", "user.other"):
        refused(errno.EPERM, os.setxattr, path, name, b"x")
    refused(errno.ENOTSUP, os.setxattr, path, "user.haven.colour", b"x")
    refused(errno.ENODATA, os.getxattr, scan, "user.haven.caption")
    refused(errno.ENODATA, os.removexattr, scan, "user.haven.caption")
    refused(errno.E2BIG, os.setxattr, path, "user.haven.caption", b"x" * 65_537)
    refused(errno.EEXIST, os.setxattr, path, "user.haven.caption", b"x", os.XATTR_CREATE)
    refused(errno.ENODATA, os.setxattr, scan, "user.haven.caption", b"x", os.XATTR_REPLACE)
    refused(errno.EPERM, os.setxattr, mounted / "albums", "user.xdg.comment", b"x")
    asset = household.catalog.read(browse.asset, (), "IMG_0001.jpg")
    assert household.catalog.read(browse.details, asset.id).rating == 4
