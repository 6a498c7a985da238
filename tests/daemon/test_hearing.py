"""What the real exiftool puts into a sidecar, changes in it and takes out of it is decided here: for every field."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import browse, collections, corrections, given, persons
from havenfs.decisions import new_uid, values
from havenfs.entities import Region
from havenfs.extract import xmp
from tests.daemon.test_sidecars import Desk, again

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGIONS = (
    "-XMP-mwg-rs:RegionInfo={AppliedToDimensions={W=4000,H=3000,Unit=pixel},RegionList=["
    "{Area={X=0.2,Y=0.35,W=0.2,H=0.3,Unit=normalized},Name=Alice,Type=Face}]}"
)
WORDS = (
    "-XMP-dc:Subject=dog", "-XMP-dc:Subject=beach", "-XMP-lr:HierarchicalSubject=animals|dog",
    "-XMP-lr:HierarchicalSubject=beach", "-XMP-lr:HierarchicalSubject=darktable|format|jpg",
)  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, writable=True)
    made.shelf.put(made.asset_id, width=4000, height=3000, orientation=1)
    yield made
    made.shelf.catalog.close()


def exiftool(path: Path, *arguments: str) -> None:
    options = ["-overwrite_original"] if path.exists() else []
    subprocess.run(["exiftool", "-q", *options, *arguments, str(path)], check=True, timeout=30)


def said(path: Path) -> dict[str, Any]:
    command = ["exiftool", "-j", "-n", "-struct", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)[
        0
    ]


async def hear(desk: Desk) -> None:
    """As when its metadata were read again; and once more, because what was decided is to be written."""
    desk.shelf.catalog.write(again, desk.content)
    await desk.write()
    await desk.write()


def tags(desk: Desk, kind: str = "tag") -> set[tuple[str, ...]]:
    return set(desk.shelf.catalog.read(collections.of_content, kind, desk.content).values())


def people(desk: Desk) -> list[str | None]:
    return [one.name for one in desk.shelf.catalog.read(persons.of_asset, desk.asset_id)]


def undo(desk: Desk) -> list[str]:
    return [operation.words for operation, _ in desk.keeper.last(20) if operation.by == "sidecar"]


async def test_tags_and_albums_that_another_program_adds_are_given_here(desk: Desk) -> None:
    exiftool(
        desk.beside, *WORDS, "-XMP-mwg-coll:Collections={CollectionName=Rome,CollectionURI=urn:x}"
    )
    before = desk.beside.read_bytes()
    await hear(desk)
    assert tags(desk) == {("animals", "dog"), ("beach",)}
    assert tags(desk, "album") == {("Rome",)}
    assert len(undo(desk)) == 1
    assert desk.beside.read_bytes() == before  # it says all that already
    desk.keeper.revert(desk.keeper.last(1)[0].operation.id, by="me")
    assert tags(desk) == tags(desk, "album") == set()
    await desk.write()
    assert tags(desk) == set()
    assert "CollectionName" not in str(said(desk.beside).get("Collections", ""))
    assert said(desk.beside)["HierarchicalSubject"] == ["darktable|format|jpg"]


async def test_what_another_program_takes_out_goes_here_too(desk: Desk) -> None:
    desk.say_everything()
    await desk.write()
    exiftool(
        desk.beside, "-XMP-mwg-coll:Collections=", "-XMP-xmp:Rating=", "-XMP-dc:Description=",
        "-XMP-exif:GPSLatitude=", "-XMP-exif:GPSLongitude=", "-XMP-exif:DateTimeOriginal=",
        "-XMP-photoshop:DateCreated=", "-XMP-mwg-rs:RegionInfo=", "-XMP-iptcExt:PersonInImage=",
    )  # fmt: skip
    await hear(desk)
    assert tags(desk) == {("animals", "dog")}
    assert tags(desk, "album") == set()
    assert people(desk) == []
    for table in ("given_rating", "given_caption", "given_date", "given_position"):
        assert desk.shelf.catalog.read(given.rows, table) == [], table
    assert len(undo(desk)) == 1
    desk.keeper.revert(desk.keeper.last(1)[0].operation.id, by="me")
    await desk.write()
    assert said(desk.beside)["Rating"] == 5
    assert people(desk) == ["Alice"]


async def test_what_was_heard_and_then_taken_off_here_does_not_come_back(desk: Desk) -> None:
    exiftool(desk.beside, *WORDS)
    await hear(desk)
    uid = desk.shelf.catalog.read(collections.named, "tag", None, "beach").uid
    desk.decide(values.Fill(uid=uid, contents=(desk.content,), inside=False))
    await hear(desk)
    assert tags(desk) == {("animals", "dog")}
    assert "beach" not in said(desk.beside)["Subject"]


async def test_a_tag_that_was_heard_and_is_renamed_here_is_renamed_there(desk: Desk) -> None:
    exiftool(desk.beside, *WORDS)
    await hear(desk)
    above = desk.shelf.catalog.read(collections.named, "tag", None, "animals").uid
    desk.decide(values.MoveFolder(uid=above, name="beasts"))
    await hear(desk)
    assert tags(desk) == {("beasts", "dog"), ("beach",)}
    assert "beasts|dog" in said(desk.beside)["HierarchicalSubject"]
    assert "animals|dog" not in said(desk.beside)["HierarchicalSubject"]


async def test_tags_go_into_those_that_are_there_whatever_their_capitals(desk: Desk) -> None:
    desk.decide(values.MakeFolder(uid=new_uid(), folder=values.Folder.TAG, name="Animals"))
    exiftool(desk.beside, *WORDS)
    await hear(desk)
    assert tags(desk) == {("Animals", "dog"), ("beach",)}


async def test_persons_with_and_without_a_region_are_known_here(desk: Desk) -> None:
    exiftool(
        desk.beside, REGIONS, "-XMP-iptcExt:PersonInImage=Alice", "-XMP-iptcExt:PersonInImage=Dora"
    )
    await hear(desk)
    assert people(desk) == ["Alice", "Dora"]
    (face,) = desk.shelf.catalog.read(given.rows, "face_said")
    assert Region(*face[1:6]) == pytest.approx(Region(0, 0.1, 0.2, 0.3, 0.5), abs=1e-5)  # type: ignore[arg-type]
    exiftool(desk.beside, "-XMP-mwg-rs:RegionInfo=", "-XMP-iptcExt:PersonInImage=Dora")
    await hear(desk)
    assert people(desk) == ["Dora"]
    desk.keeper.revert(desk.keeper.last(1)[0].operation.id, by="me")
    await desk.write()
    assert people(desk) == ["Alice", "Dora"]
    assert said(desk.beside)["RegionInfo"]["RegionList"][0]["Name"] == "Alice"


async def test_regions_are_heard_when_it_is_known_how_the_picture_is_turned(desk: Desk) -> None:
    desk.shelf.put(desk.asset_id, orientation=None)
    exiftool(desk.beside, REGIONS)
    await hear(desk)
    assert people(desk) == []
    desk.shelf.put(desk.asset_id, width=3000, height=4000, orientation=6)
    await hear(desk)
    assert people(desk) == ["Alice"]
    (face,) = desk.shelf.catalog.read(given.rows, "face_said")
    assert Region(*face[1:6]) == pytest.approx(Region(0, 0.5, 0.1, 0.8, 0.3), abs=1e-5)  # type: ignore[arg-type]


async def test_who_is_hidden_here_is_not_shown_because_a_sidecar_names_them(desk: Desk) -> None:
    uid = new_uid()
    desk.decide(
        values.MakePerson(uid=uid, name="Alice"), values.IgnorePerson(uid=uid, ignored=True)
    )
    exiftool(desk.beside, "-XMP-iptcExt:PersonInImage=Alice")
    await hear(desk)
    assert people(desk) == []
    assert said(desk.beside)["PersonInImage"] == ["Alice"]


async def test_a_date_and_a_position_other_than_the_originals_are_corrections(desk: Desk) -> None:
    desk.shelf.put(desk.asset_id, latitude=41.9, longitude=12.5)
    exiftool(
        desk.beside, "-XMP-exif:DateTimeOriginal=2018:07:14 10:00:00", "-XMP-exif:GPSLatitude=50.73",
        "-XMP-exif:GPSLongitude=7.1",
    )  # fmt: skip
    await hear(desk)
    asset = desk.shelf.catalog.read(browse.asset, (), "IMG_1.jpg")
    known = desk.shelf.catalog.read(browse.details, asset.id)
    assert asset.taken_local == desk.taken - 365 * 86_400
    assert (known.latitude, known.longitude) == pytest.approx((50.73, 7.1))
    desk.keeper.revert(desk.keeper.last(1)[0].operation.id, by="me")
    await desk.write()
    asset = desk.shelf.catalog.read(browse.asset, (), "IMG_1.jpg")
    assert asset.taken_local == desk.taken
    assert "DateTimeOriginal" not in said(desk.beside)


async def test_what_says_the_same_as_the_original_is_no_decision(desk: Desk) -> None:
    exiftool(desk.beside, "-XMP-exif:DateTimeOriginal=2019:07:14 10:00:00", "-XMP-xmp:Rating=3")
    before = desk.beside.read_bytes()
    await hear(desk)
    assert undo(desk) == []
    assert desk.beside.read_bytes() == before


@pytest.mark.parametrize(
    ("field", "correction", "value"),
    [
        ("-XMP-dc:Description=Eve's words", values.SetCaption(contents=(), body="mine"), "Description"),
        ("-XMP-xmp:Rating=2", values.SetRating(contents=(), stars=5), "Rating"),
        ("-XMP-exif:DateTimeOriginal=2018:07:14 10:00:00+02:00", values.SetDate(contents=(), local=546_955_200), "DateTimeOriginal"),
        ("-XMP-exif:GPSLatitude=50.5", values.SetPosition(contents=(), position=(1.0, 2.0)), "GPSLatitude"),
    ],
)  # fmt: skip
async def test_a_correction_that_is_taken_back_restores_what_another_program_had_written(
    desk: Desk, field: str, correction: Any, value: str
) -> None:
    exiftool(desk.beside, field, *(["-XMP-exif:GPSLongitude=7.5"] if "GPS" in field else []))
    theirs = said(desk.beside)[value]
    found = xmp.sidecars(bytes(desk.original))
    desk.shelf.put(desk.asset_id, rating=found.rating, caption=found.caption)  # as it is read
    made = type(correction)(
        **{
            name: getattr(correction, name)
            for name in correction.__struct_fields__
            if name != "contents"
        },
        contents=(desk.content,),
    )
    desk.decide(made)
    await desk.write()
    assert said(desk.beside)[value] != theirs
    read = xmp.sidecars(bytes(desk.original))  # what it says besides ours: theirs, all the time
    assert (read.rating, read.caption, read.taken, read.latitude) == (
        found.rating, found.caption, found.taken, found.latitude,
    )  # fmt: skip
    desk.keeper.revert(desk.keeper.last(1)[0].operation.id, by="me")
    await desk.write()
    assert said(desk.beside)[value] == theirs
    assert "Replaced" not in desk.beside.read_text()


async def test_a_sidecar_that_comes_later_is_heard_by_itself(desk: Desk) -> None:
    assert desk.behind() == 0
    desk.shelf.catalog.write(corrections.renewed, desk.asset_id)
    assert desk.behind() == 0
    exiftool(desk.beside, *WORDS)
    desk.shelf.catalog.write(_seen, b"rome/IMG_1.jpg.xmp")
    desk.shelf.catalog.write(corrections.renewed, desk.asset_id)
    assert desk.behind() == 1


def _seen(db: Any, path: bytes) -> None:
    db.execute(
        "INSERT INTO file (source_id, path, size, mtime_ns, device, inode, state)"
        " VALUES (1, ?, 1, 1, 1, 1, 'ignored')",
        (path,),
    )


async def test_a_source_that_is_read_only_is_heard_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path, writable=False)
    exiftool(desk.beside, *WORDS)
    await hear(desk)
    assert tags(desk) == {("animals", "dog"), ("beach",)}
    uid = desk.shelf.catalog.read(collections.named, "tag", None, "beach").uid
    desk.decide(values.Fill(uid=uid, contents=(desk.content,), inside=False))
    await hear(desk)
    assert tags(desk) == {("animals", "dog")}
    desk.shelf.catalog.close()


async def test_in_quiet_hours_nothing_is_written_unless_the_owner_is_at_it(desk: Desk) -> None:
    desk.shelf.catalog.write(again, desk.content)
    exiftool(desk.beside, *WORDS)
    await desk.write(waits=True)
    assert tags(desk) == set()
    assert desk.behind() == 1
    desk.decide(values.SetRating(contents=(desk.content,), stars=3))
    await desk.write(waits=True)
    assert said(desk.beside)["Rating"] == 3
    assert tags(desk) == {("animals", "dog"), ("beach",)}
