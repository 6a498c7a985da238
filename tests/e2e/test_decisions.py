"""albums/, tags/ and favorites/ through the real mount, with the programs that people use."""

from __future__ import annotations

import errno
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import browse, collections, tags
from havenfs.decisions import Keeper, values
from havenfs.entities import ModelId

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


def listed(path: Path) -> list[str]:
    """What people put there."""
    return sorted(name for name in os.listdir(path) if name != "README.txt")


def refused(number: int, operation: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(OSError, match=r"Errno") as caught:
        operation(*arguments)
    assert caught.value.errno == number, caught.value


def test_an_album_is_made_filled_moved_and_emptied(mounted: Path) -> None:
    albums = mounted / "albums"
    (albums / "Rome").mkdir()
    (albums / "Rome" / "Day 1").mkdir()
    run("cp", "-l", mounted / PICTURE, albums / "Rome")
    run("mv", mounted / "by-date/2019/07/IMG_0002.jpg", albums / "Rome")
    assert listed(albums / "Rome") == ["Day 1", "IMG_0001.jpg", "IMG_0002.jpg"]
    assert listed(mounted / "by-date/2019/07") == ["IMG_0001.jpg", "IMG_0002.jpg"]
    assert (albums / "Rome/IMG_0001.jpg").read_bytes() == (mounted / PICTURE).read_bytes()
    assert (albums / "Rome/IMG_0001.jpg").stat().st_ino == (mounted / PICTURE).stat().st_ino
    run("mv", albums / "Rome/IMG_0001.jpg", albums / "Rome/Day 1")
    assert listed(albums / "Rome") == ["Day 1", "IMG_0002.jpg"]
    run("mv", albums / "Rome", albums / "Roma")
    assert listed(albums) == ["Roma"]
    assert listed(albums / "Roma/Day 1") == ["IMG_0001.jpg"]
    run("mv", albums / "Roma/Day 1", albums)
    assert listed(albums) == ["Day 1", "Roma"]
    refused(errno.ENOTEMPTY, os.rmdir, albums / "Roma")
    run("rm", albums / "Roma/IMG_0002.jpg")
    run("rmdir", albums / "Roma")
    assert listed(albums) == ["Day 1"]
    assert (mounted / "by-date/2019/07/IMG_0002.jpg").exists()


@pytest.mark.parametrize("place", ["albums", "tags", "people", "saved"])
@pytest.mark.parametrize(("name", "shown"), [("Zoe\u0308", "Zo\xeb"), ("tag:b", "tag\uff1ab")])
def test_a_folder_is_found_as_it_is_listed_and_as_it_was_made(
    mounted: Path, place: str, name: str, shown: str
) -> None:
    folder = mounted / place
    ours = set(listed(folder))
    run("mkdir", folder / name)
    assert set(listed(folder)) - ours == {shown}
    number = (folder / name).stat().st_ino
    assert (folder / shown).stat().st_ino == number
    refused(errno.EEXIST, os.mkdir, folder / name)
    refused(errno.EEXIST, os.mkdir, folder / shown)
    run("mv", folder / shown, folder / "Other")
    run("mv", folder / "Other", folder / name)
    assert set(listed(folder)) - ours == {shown}
    assert (folder / shown).stat().st_ino == number
    run("rmdir", folder / shown)
    run("mkdir", folder / shown)
    run("rmdir", folder / name)
    assert set(listed(folder)) == ours


def test_no_name_has_more_than_255_bytes(mounted: Path) -> None:
    long = "y" * 256
    for place in ("", "albums", "tags", "people", "saved", "search", "by-date/2019", "files", "files/photos"):  # fmt: skip
        refused(errno.ENAMETOOLONG, os.stat, mounted / place / long)
    for place in ("albums", "tags", "people", "saved"):
        folder = mounted / place
        ours = listed(folder)
        refused(errno.ENAMETOOLONG, os.mkdir, folder / long)
        refused(errno.ENAMETOOLONG, os.mkdir, folder / ("q" * 253 + ":a"))
        (folder / ("y" * 255)).mkdir()
        refused(errno.ENAMETOOLONG, os.rename, folder / ("y" * 255), folder / long)
        refused(errno.ENAMETOOLONG, os.rename, folder / ("y" * 255), folder / ("q" * 254 + "."))
        (folder / ("y" * 255)).rmdir()
        assert listed(folder) == ours
    refused(errno.ENAMETOOLONG, os.open, mounted / "favorites" / long, os.O_CREAT | os.O_WRONLY)
    refused(errno.ENAMETOOLONG, os.rename, mounted / "search/type=photo", mounted / "saved" / long)


def test_what_an_album_does_not_take_has_the_errno_of_the_table(mounted: Path) -> None:
    albums = mounted / "albums"
    (albums / "A").mkdir()
    (albums / "B").mkdir()
    refused(errno.EEXIST, os.mkdir, albums / "a")
    refused(errno.EINVAL, os.mkdir, albums / "_mine")
    refused(errno.EEXIST, os.rename, albums / "A", albums / "B")
    refused(errno.EINVAL, os.rename, albums / "A", albums / "A" / "inside")
    refused(errno.EPERM, os.rename, albums / "A", mounted / "tags" / "A")
    refused(errno.EPERM, os.link, mounted / PICTURE, albums / "IMG_0001.jpg")
    refused(errno.EPERM, os.mkdir, mounted / "favorites" / "deeper")
    refused(errno.EPERM, os.unlink, mounted / PICTURE)
    refused(errno.EPERM, os.rename, mounted / PICTURE, mounted / "by-date/2020/IMG_0001.jpg")
    os.link(mounted / PICTURE, albums / "A" / "IMG_0001.jpg")
    with pytest.raises(PermissionError):
        (albums / "A" / "IMG_0001.jpg").write_bytes(b"over it")


def test_a_tag_renamed_onto_a_tag_is_merged(mounted: Path) -> None:
    top = mounted / "tags"
    for name in ("dog", "hound"):
        (top / name).mkdir()
    os.link(mounted / PICTURE, top / "dog/IMG_0001.jpg")
    os.link(mounted / "by-date/2019/07/IMG_0002.jpg", top / "hound/IMG_0002.jpg")
    run("mv", "-T", top / "hound", top / "dog")
    assert listed(top) == ["_suggested", "_untagged", "dog"]
    assert listed(top / "dog") == ["IMG_0001.jpg", "IMG_0002.jpg"]
    assert listed(mounted / "by-date/2019/@tags/dog") == ["IMG_0001.jpg", "IMG_0002.jpg"]
    refused(errno.EPERM, os.unlink, mounted / "by-date/2019/@tags/dog/IMG_0001.jpg")
    refused(errno.ENOTEMPTY, os.rmdir, top / "dog")


def test_favorites_come_from_originals_too_which_stay(mounted: Path) -> None:
    original = mounted / "files/photos/2019/rome/IMG_0001.jpg"
    run("cp", "-l", original, mounted / "favorites")
    assert listed(mounted / "favorites") == ["IMG_0001.jpg"]
    assert original.exists()
    run("rm", mounted / "favorites/IMG_0001.jpg")
    assert listed(mounted / "favorites") == []
    assert original.exists()


def test_what_is_decided_elsewhere_is_seen_within_seconds_and_undone_in_the_tree(
    mounted: Path, household: Any, until: Callable[..., float]
) -> None:
    (mounted / "albums/Rome").mkdir()
    os.link(mounted / PICTURE, mounted / "albums/Rome/IMG_0001.jpg")
    lines = (mounted / ".haven/undo").read_text().splitlines()
    assert "1 file put into the album “Rome”" in lines[0]
    assert "made the album “Rome”" in lines[1]
    keeper = Keeper(household.catalog, household.state.journal)
    keeper.revert(lines[0].split()[0], by="me")
    until(lambda: listed(mounted / "albums/Rome") == [], 5)
    until(lambda: not (mounted / "albums/Rome/IMG_0001.jpg").exists(), 5)
    rome = household.catalog.read(collections.named, "album", None, "Rome")
    keeper.decide(values.MoveFolder(uid=rome.uid, name="Roma"), by="me")
    until(lambda: listed(mounted / "albums") == ["Roma"], 5)
    assert "(taken back)" in (mounted / ".haven/undo").read_text()


def test_what_was_moved_in_goes_when_that_is_taken_back(
    mounted: Path, household: Any, until: Callable[..., float]
) -> None:
    (mounted / "albums/Rome").mkdir()
    run("mv", mounted / PICTURE, mounted / "albums/Rome")
    assert (mounted / "albums/Rome/IMG_0001.jpg").exists()
    assert (mounted / PICTURE).exists()
    keeper = Keeper(household.catalog, household.state.journal)
    keeper.revert(keeper.last(1)[0].operation.id, by="me")
    until(lambda: not (mounted / "albums/Rome/IMG_0001.jpg").exists(), 5)


def test_a_search_is_saved_by_mkdir_or_by_moving_it_renamed_and_forgotten(mounted: Path) -> None:
    saved = mounted / "saved"
    (saved / "type=photo 2019").mkdir()
    run("mv", "-T", mounted / "search/type=document", saved / "Papers")
    assert listed(saved) == ["Papers", "type=photo 2019"]
    assert listed(saved / "Papers") == listed(mounted / "search/type=document")
    assert listed(saved / "Papers") != []
    run("mv", saved / "type=photo 2019", saved / "That year")
    assert listed(saved) == ["Papers", "That year"]
    assert listed(saved / "That year") == listed(mounted / "search/type=photo 2019")
    refused(errno.EEXIST, os.mkdir, saved / "Papers")
    refused(errno.EEXIST, os.mkdir, saved / "papers")
    refused(errno.EEXIST, os.rename, mounted / "search/type=photo", saved / "PAPERS")
    refused(errno.EEXIST, os.rename, saved / "That year", saved / "papers")
    assert listed(saved) == ["Papers", "That year"]
    assert listed(saved / "Papers") == listed(mounted / "search/type=document")
    refused(errno.EINVAL, os.mkdir, saved / "colour=red")
    refused(errno.EPERM, os.link, mounted / PICTURE, saved / "Papers/IMG_0001.jpg")
    refused(errno.EPERM, os.rename, mounted / "search/dog", mounted / "albums/dog")
    run("rmdir", saved / "Papers")
    assert listed(saved) == ["That year"]
    assert "removed the saved search “Papers”" in (mounted / ".haven/undo").read_text()


def test_a_suggested_tag_is_refused_or_taken_on(mounted: Path, household: Any) -> None:
    pictures = ["IMG_0001.jpg", "IMG_0002.jpg"]
    found = [household.catalog.read(browse.asset, (), name).id for name in pictures]
    household.catalog.write(
        tags.put, ModelId("model@1+words"), {id_: [("dog", 0.9)] for id_ in found}
    )
    suggested = mounted / "tags/_suggested/dog"
    assert listed(suggested) == pictures
    (mounted / "tags/dog").mkdir()
    run("mv", suggested / "IMG_0001.jpg", mounted / "tags/dog")
    refused(
        errno.EPERM, os.link, mounted / "types/documents/invoice.pdf", suggested / "invoice.pdf"
    )
    assert listed(suggested) == ["IMG_0002.jpg"]
    assert "user.haven.tags.suggested" not in os.listxattr(mounted / "tags/dog/IMG_0001.jpg")
    run("rm", suggested / "IMG_0002.jpg")
    assert listed(mounted / "tags/_suggested") == []
    assert listed(mounted / "tags/dog") == ["IMG_0001.jpg"]
    assert listed(mounted / "search/tag=dog") == ["IMG_0001.jpg"]


def test_moving_on_from_one_album_to_another_is_one_thing_that_is_taken_back_as_one(
    mounted: Path, household: Any, until: Callable[..., float]
) -> None:
    for name in ("A", "B"):
        (mounted / "albums" / name).mkdir()
    run("mv", mounted / PICTURE, mounted / "albums/A")
    run("mv", mounted / "albums/A/IMG_0001.jpg", mounted / "albums/B")
    assert (listed(mounted / "albums/A"), listed(mounted / "albums/B")) == ([], ["IMG_0001.jpg"])
    keeper = Keeper(household.catalog, household.state.journal)
    keeper.revert(keeper.last(1)[0].operation.id, by="me")
    until(lambda: listed(mounted / "albums/A") == ["IMG_0001.jpg"], 5)
    until(lambda: listed(mounted / "albums/B") == [], 5)


def test_an_album_whose_pictures_are_gone_for_good_can_be_removed(
    workshop: Any, tmp_path: Path, serve: Any
) -> None:
    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        top = mount.point
        (top / "albums/A").mkdir()
        run("mv", top / PICTURE, top / "albums/A")
        (top / "people/Nelly").mkdir()
        os.link(top / PICTURE, top / "people/Nelly/IMG_0001.jpg")
        run("rm", top / "files/photos/2019/rome/IMG_0001.jpg")
        refused(errno.ENOTEMPTY, os.rmdir, top / "albums/A")  # it may come back
        refused(errno.ENOTEMPTY, os.rmdir, top / "people/Nelly")
        (day,) = (top / "trash").iterdir()
        run("rm", "-r", day)
        (top / "albums/A").rmdir()
        (top / "people/Nelly").rmdir()
        assert listed(top / "albums") == []
