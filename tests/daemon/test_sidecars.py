"""The writer of sidecars: what was decided stands beside the original, and is no fact that comes back from there."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from havend.sidecars import Writing
from havenfs.catalog import browse, collections
from havenfs.decisions import Keeper, new_uid, values
from havenfs.entities import Region
from havenfs.extract import xmp
from havenfs.settings import Sidecars
from tests.conftest import Shelf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ME = "me"
MAY = int(datetime(1987, 5, 2, 12, tzinfo=UTC).timestamp())


class Desk:
    """One picture in a library, whose decisions are written beside it."""

    def __init__(self, directory: Path, *, writable: bool) -> None:
        self.shelf = Shelf(directory, writable=writable)
        self.asset_id = self.shelf.add(
            "rome/IMG_1.jpg", taken="2019-07-14T10:00:00", caption="found"
        )
        asset = self.shelf.catalog.read(browse.asset, (), "IMG_1.jpg")
        self.content = asset.hash
        self.taken = asset.taken_local or 0
        self.original = self.shelf.root / "rome/IMG_1.jpg"
        self.beside = self.shelf.root / "rome/IMG_1.jpg.xmp"
        self.keeper = Keeper(self.shelf.catalog, self.shelf.state.journal)

    def decide(self, *decisions: values.Decision) -> None:
        for decision in decisions:
            self.keeper.decide(decision, by=ME)

    async def write(self, *, wanted: bool = True, waits: bool = False) -> None:
        catalog, state = self.shelf.catalog, self.shelf.state
        await Writing(catalog, state, lambda: Sidecars(write=wanted), lambda: waits).catch_up()

    def behind(self) -> int:
        def count(db: Any) -> int:
            return db.execute("SELECT count(*) FROM unsaid").fetchone()[0]

        return self.shelf.catalog.read(count)

    def say_everything(self) -> None:
        every = (self.content,)
        tag, above, album, person = (new_uid() for _ in range(4))
        self.decide(
            values.MakeFolder(uid=above, folder=values.Folder.TAG, name="animals"),
            values.MakeFolder(uid=tag, folder=values.Folder.TAG, name="dog", parent=above),
            values.Fill(uid=tag, contents=every, inside=True),
            values.MakeFolder(uid=album, folder=values.Folder.ALBUM, name="Rome"),
            values.Fill(uid=album, contents=every, inside=True),
            values.MakePerson(uid=person, name="Alice"),
            values.SayFaces(
                (values.FaceAt(self.content, Region(0, 0.1, 0.1, 0.3, 0.4)),), person, is_it=True
            ),
            values.SetFavorite(contents=every, favorite=True),
            values.SetRating(contents=every, stars=5),
            values.SetCaption(contents=every, body="Nelly"),
            values.SetDate(contents=every, local=MAY, offset=120),
            values.SetPosition(contents=every, position=(50.73, 7.1)),
        )


def again(db: Any, content: bytes) -> None:
    db.execute("INSERT OR REPLACE INTO unsaid VALUES (?, 0)", (content,))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, writable=True)
    yield made
    made.shelf.catalog.close()


def exiftool(path: Path) -> dict[str, Any]:
    command = ["exiftool", "-j", "-n", str(path)]
    found = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
    return json.loads(found)[0]


async def test_what_was_decided_is_read_by_other_programs(desk: Desk) -> None:
    before = desk.original.read_bytes()
    desk.say_everything()
    await desk.write()
    said = exiftool(desk.beside)
    assert said["Rating"] == 5
    assert said["Description"] == "Nelly"
    assert said["DateTimeOriginal"] == "1987:05:02 12:00:00+02:00"
    assert said["GPSLatitude"] == pytest.approx(50.73)
    assert said["GPSLongitude"] == pytest.approx(7.1)
    assert said["HierarchicalSubject"] == "animals|dog"
    assert said["TagsList"] == "animals/dog"
    assert said["Subject"] == "dog"
    assert said["PersonInImage"] == "Alice"
    assert said["CollectionName"] == "Rome"
    assert desk.original.read_bytes() == before
    assert desk.behind() == 0


async def test_a_region_counts_in_the_picture_as_it_is_stored(desk: Desk) -> None:
    desk.say_everything()
    await desk.write()
    assert "RegionList" not in exiftool(desk.beside).get("RegionInfo", {})
    desk.shelf.put(desk.asset_id, width=600, height=800, orientation=6)  # on its side, seen by now
    assert desk.behind() == 1
    await desk.write()
    command = ["exiftool", "-j", "-struct", "-RegionInfo", str(desk.beside)]
    found = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
    info = json.loads(found)[0]["RegionInfo"]
    assert (info["AppliedToDimensions"]["W"], info["AppliedToDimensions"]["H"]) == (800, 600)
    (region,) = info["RegionList"]
    area = region["Area"]
    assert (region["Name"], region["Type"]) == ("Alice", "Face")
    assert [float(area[name]) for name in "XYWH"] == pytest.approx([0.25, 0.8, 0.3, 0.2])
    command = ["exiftool", "-q", "-overwrite_original", "-XMP-dc:Creator=Eve", str(desk.beside)]
    subprocess.run(command, check=True, timeout=30)
    desk.shelf.catalog.write(again, desk.content)
    await desk.write()
    assert exiftool(desk.beside)["PersonInImage"] == "Alice"


async def test_our_own_writing_is_no_fact_of_the_file(desk: Desk) -> None:
    desk.say_everything()
    await desk.write()
    found = xmp.sidecars(bytes(desk.original))
    assert (found.rating, found.caption, found.taken, found.latitude, found.keywords) == (
        None,
        None,
        None,
        None,
        (),
    )


async def test_what_is_taken_back_goes_from_the_sidecar_and_others_words_stay(desk: Desk) -> None:
    every = (desk.content,)
    subprocess.run(
        ["exiftool", "-q", "-XMP-dc:Subject=theirs", "-XMP-dc:Creator=Eve", str(desk.beside)],
        check=True,
        timeout=30,
    )
    desk.decide(values.SetRating(contents=every, stars=3))
    rated = desk.keeper.last(1)[0].operation.id
    await desk.write()
    assert exiftool(desk.beside)["Rating"] == 3
    desk.keeper.revert(rated, by=ME)
    await desk.write()
    said = exiftool(desk.beside)
    assert "Rating" not in said
    assert (said["Subject"], said["Creator"]) == ("theirs", "Eve")
    found = desk.shelf.catalog.read(collections.of_content, "tag", desk.content)
    assert list(found.values()) == [("theirs",)]


async def test_what_another_program_changes_later_is_newer_and_is_decided(desk: Desk) -> None:
    desk.say_everything()
    await desk.write()
    subprocess.run(
        [
            "exiftool", "-q", "-overwrite_original", "-XMP-dc:Description=Eve's words",
            "-XMP-xmp:Rating=1", "-XMP-digiKam:TagsList=", "-XMP-lr:HierarchicalSubject=",
            "-XMP-dc:Subject=", str(desk.beside),
        ],
        check=True,
        timeout=30,
    )  # fmt: skip
    desk.shelf.catalog.write(again, desk.content)  # as when its metadata were read again
    await desk.write()
    asset = desk.shelf.catalog.read(browse.asset, (), "IMG_1.jpg")
    known = desk.shelf.catalog.read(browse.details, asset.id)
    assert (known.caption, known.rating) == ("Eve's words", 1)
    assert desk.shelf.catalog.read(collections.of_content, "tag", desk.content) == {}
    assert desk.keeper.last(1)[0].operation.by == "sidecar"
    await desk.write()
    assert exiftool(desk.beside)["Description"] == "Eve's words"
    assert desk.behind() == 0


async def test_a_folder_that_is_renamed_is_renamed_in_every_sidecar(desk: Desk) -> None:
    desk.say_everything()
    await desk.write()
    above = desk.shelf.catalog.read(collections.named, "tag", None, "animals").uid
    desk.decide(values.MoveFolder(uid=above, name="beasts"))
    await desk.write()
    assert exiftool(desk.beside)["TagsList"] == "beasts/dog"


async def test_it_is_not_written_twice_nor_against_the_owners_will(desk: Desk) -> None:
    desk.decide(values.SetRating(contents=(desk.content,), stars=3))
    await desk.write(wanted=False)
    assert not desk.beside.exists()
    assert desk.behind() == 1
    await desk.write()
    inode = desk.beside.stat().st_ino
    desk.shelf.catalog.write(again, desk.content)
    await desk.write()
    assert desk.beside.stat().st_ino == inode


async def test_what_is_damaged_stays_and_is_not_tried_for_ever(desk: Desk) -> None:
    desk.beside.write_bytes(b"<x:xmpmeta")
    desk.decide(values.SetRating(contents=(desk.content,), stars=3))
    await desk.write()
    assert desk.beside.read_bytes() == b"<x:xmpmeta"
    assert desk.behind() == 0


async def test_an_original_that_is_away_is_tried_again_later(desk: Desk) -> None:
    desk.original.rename(desk.original.with_name("elsewhere"))
    desk.decide(values.SetRating(contents=(desk.content,), stars=3))
    await desk.write()
    assert desk.behind() == 1
    assert not desk.beside.exists()


async def test_for_a_source_that_is_read_only_it_lies_in_the_state_directory(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, writable=False)
    desk.decide(values.SetRating(contents=(desk.content,), stars=3))
    await desk.write()
    digest = desk.content.hex()
    assert not desk.beside.exists()
    assert (
        exiftool(desk.shelf.state.root / "sidecars" / digest[:2] / f"{digest}.xmp")["Rating"] == 3
    )
    desk.keeper.revert(desk.keeper.last(1)[0].operation.id, by=ME)
    await desk.write()
    assert "Rating" not in exiftool(
        desk.shelf.state.root / "sidecars" / digest[:2] / f"{digest}.xmp"
    )
    desk.shelf.catalog.close()
