"""README.txt in empty folders that people fill, through the real mount, with the programs that people use."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.decisions import Keeper, new_uid, values
from havenfs.views import readme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.fuse

README = "README.txt"
REFUSED = (errno.EPERM, errno.EEXIST, errno.EINVAL, errno.ENOENT)  # the last once it has made way


@pytest.fixture
def mounted(workshop: Any, tmp_path: Path, serve: Any) -> Iterator[Path]:
    """A mount of a library in which albums, a tag and a person were made before, and nothing was put in."""
    keeper = Keeper(workshop.catalog, workshop.state.journal)
    album = values.Folder.ALBUM
    for name in ("Rome", "Siena"):
        keeper.decide(values.MakeFolder(uid=new_uid(), folder=album, name=name), by="me")
    keeper.decide(values.MakeFolder(uid=new_uid(), folder=values.Folder.TAG, name="dogs"), by="me")
    keeper.decide(values.MakePerson(uid=new_uid(), name="Alice"), by="me")
    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        yield mount.point


def run(*command: str | Path) -> str:
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=20)
    assert result.returncode == 0, result.stderr
    return result.stdout


def says(folder: Path) -> str:
    """What README.txt says, which is all that people see there."""
    assert [name for name in os.listdir(folder) if not name.startswith("_")] == [README]
    text = (folder / README).read_text()
    assert len(text.encode()) == (folder / README).stat().st_size
    return text


def test_every_empty_folder_that_people_fill_says_how(mounted: Path) -> None:
    for folder, words in {
        "albums/Rome": "Copy photos",
        "tags/dogs": "Nothing has this tag",
        "favorites": "favorites",
        "saved": "searches",
        "people/Alice": "this person",
        "people/_ignored": "not to be shown",
        "inbox": "Drop new photos",
        "inbox/_accept": "Move files from _suggested",
        "trash": "restored",
    }.items():
        assert words in says(mounted / folder), folder


def test_a_folder_in_which_something_is_has_none(mounted: Path) -> None:
    for folder in ("albums", "tags", "people", "by-date", "by-date/2019/07", "places"):
        assert README not in os.listdir(mounted / folder), folder
        assert not (mounted / folder / README).exists()
    assert README not in os.listdir(mounted / "albums/Rome/@types")
    assert README not in os.listdir(mounted / "by-date/2019/@tags/dogs")


def test_it_is_the_same_file_for_as_long_as_it_is_there(mounted: Path) -> None:
    first = (mounted / "albums/Rome" / README).stat()
    time.sleep(1.2)
    again = (mounted / "albums/Rome" / README).stat()
    assert (first.st_ino, first.st_mtime_ns) == (again.st_ino, again.st_mtime_ns)
    assert first.st_ino != (mounted / "albums/Siena" / README).stat().st_ino


def test_it_goes_when_something_is_there_and_is_back_a_while_after_that_was_taken_out(
    mounted: Path, until: Any
) -> None:
    album = mounted / "albums/Rome"
    says(album)
    os.link(mounted / "by-date/2019/07/IMG_0001.jpg", album / "IMG_0001.jpg")
    assert os.listdir(album) == ["IMG_0001.jpg"]
    until(lambda: not (album / README).exists(), 5)
    (album / "IMG_0001.jpg").unlink()
    assert os.listdir(album) == []  # whoever removes the folder next does not meet it
    waited = until(lambda: os.listdir(album) == [README], readme.CALM_S + 5)
    assert waited > readme.CALM_S - 2


@pytest.mark.parametrize("how", ["rmdir", "rm -r", "rm -rf", "unlink"])
def test_a_folder_in_which_it_stands_alone_is_empty_for_who_removes_it(
    mounted: Path, how: str
) -> None:
    album = mounted / "albums/Rome"
    says(album)
    if how == "unlink":
        (album / README).unlink()
        assert os.listdir(album) == []
        album.rmdir()
    else:
        run(*how.split(), album)
    assert os.listdir(mounted / "albums") == ["Siena"]
    run(*how.split()[:1] if how == "rmdir" else ("rm", "-r"), mounted / "albums/Siena")
    assert "README" not in (mounted / ".haven/undo").read_text()


def test_a_persons_folder_is_removed_with_it_and_a_month_that_was_made_says_how(
    mounted: Path, until: Any
) -> None:
    run("rmdir", mounted / "people/Alice")
    for folder in ("by-date/1987", "by-date/1987/05", "places/Spain", "places/Spain/Madrid"):
        (mounted / folder).mkdir()
        assert os.listdir(mounted / folder) == []
    until(lambda: README in os.listdir(mounted / "by-date/1987/05"), readme.CALM_S + 5)
    until(lambda: README in os.listdir(mounted / "places/Spain/Madrid"), 5)
    run("mv", mounted / "by-date/_undated/scan.jpg", mounted / "by-date/1987/05")
    assert os.listdir(mounted / "by-date/1987/05") == ["scan.jpg"]


def test_in_an_empty_library_dates_and_places_say_how_until_something_is_there(
    shelf: Any, tmp_path: Path, serve: Any, until: Any
) -> None:
    with serve(shelf.state.root, tmp_path / "mnt") as mount:
        point: Path = mount.point
        assert "when they were taken" in says(point / "by-date")
        assert "where pictures were taken" in says(point / "places")
        shelf.add("a.jpg", taken="2019-07-14T10:00:00", place=("Italy", "Lazio", "Rome"))
        until(lambda: os.listdir(point / "by-date") == ["2019"])
        until(lambda: os.listdir(point / "places") == ["Italy"])
        until(lambda: not (point / "by-date" / README).exists())


def test_it_is_never_an_upload_however_it_is_copied(mounted: Path, workshop: Any) -> None:
    albums = mounted / "albums"
    run("cp", "-r", albums / "Rome", mounted / "tags")
    run("cp", "-r", albums / "Rome", albums / "Siena")
    run("rsync", "-r", f"{mounted}/tags/dogs/", f"{albums}/Siena/")
    assert sorted(os.listdir(mounted / "tags")) == ["Rome", "_suggested", "_untagged", "dogs"]
    assert os.listdir(albums / "Siena") == ["Rome"]
    outside = workshop.root.parent / "backup"
    run("cp", "-r", albums, outside)
    assert README in os.listdir(outside / "Rome")
    run("cp", "-r", outside / "Rome", albums / "Back")
    assert os.listdir(albums / "Back") == os.listdir(albums / "Siena/Rome") == []
    desk = workshop.root.parent / "desk"
    assert list(desk.rglob("README*")) == []
    assert not (desk / ".havenfs-uploads").exists() or not os.listdir(desk / ".havenfs-uploads")
    assert "file put" not in (mounted / ".haven/undo").read_text()


def test_a_document_of_ones_own_may_be_called_so(mounted: Path, workshop: Any) -> None:
    own = workshop.root.parent / "own" / README
    own.parent.mkdir()
    own.write_text("How to water the plants while we are away.\n")
    (mounted / "albums/Rome" / README).write_bytes(own.read_bytes())
    assert (mounted / "albums/Rome" / README).read_text().startswith("How to water")
    run("cp", own, mounted / "inbox")
    assert (workshop.root.parent / "desk/Inbox" / README).read_text().startswith("How to water")
    run("rm", mounted / "inbox" / README)
    assert (mounted / "albums/Rome" / README).exists()


def test_it_can_be_read_and_nothing_else(mounted: Path) -> None:
    text = mounted / "albums/Rome" / README
    for operation in (
        lambda: text.rename(mounted / "albums/Siena/other.txt"),
        lambda: os.utime(text),
        lambda: os.link(text, mounted / "favorites" / README),
    ):
        with pytest.raises(OSError, match=r"Errno") as caught:
            operation()
        assert caught.value.errno in REFUSED, caught.value


def test_who_may_fill_the_folder_may_remove_it_without_being_asked(mounted: Path) -> None:
    status = (mounted / "albums/Rome" / README).stat()
    above = (mounted / "albums/Rome").stat()
    assert (status.st_uid, status.st_mode & 0o777) == (above.st_uid, 0o444 | above.st_mode & 0o222)
