"""What the real exiftool and exiv2 read from our sidecars, and what we read from those that they write.

Two independent readers: exiftool has tables of its own; exiv2 is Adobe's toolkit, by which digiKam and darktable read and
write. Debian 12 ships 12.57 and 0.27.6.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.entities import Region
from havenfs.sidecars.given import Given, Moment, Person, Position, marks
from havenfs.sidecars.merge import merge, read
from havenfs.sidecars.regions import Frame

if TYPE_CHECKING:
    from pathlib import Path

EXIFTOOL = shutil.which("exiftool") or "exiftool"  # missing: the tests fail and say so

FRAME = Frame(4000, 3000)
GIVEN = Given(
    persons=(Person("Alice", Region(0, 0.1, 0.2, 0.3, 0.5)), Person("Dora")),
    tags=(("Places", "Italy", "Rome"), ("beach",)),
    albums=(("Summer", "Rome"),),
    rating=4,
    caption="At the Colosseum\nwith everybody",
    taken=Moment(1563099300, 120),
    position=Position(41.8902, -12.4922),
    favourite=True,
)


def exiftool(*arguments: str | Path) -> str:
    done = subprocess.run(
        [EXIFTOOL, *map(str, arguments)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def tags(path: Path, *options: str) -> dict[str, Any]:
    return json.loads(exiftool("-json", "-G1", "-struct", *options, path))[0]


def sidecar(path: Path, given: Given = GIVEN, frame: Frame | None = FRAME) -> Path:
    before = path.read_bytes() if path.exists() else None
    data = merge(before, given, frame=frame).data
    assert data is not None
    path.write_bytes(data)
    return path


def test_exiftool_reads_everything_that_we_write(tmp_path: Path):
    found = tags(sidecar(tmp_path / "IMG_1.jpg.xmp"), "-n")
    assert "ExifTool:Warning" not in found
    assert found["XMP-mwg-rs:RegionInfo"] == {
        "AppliedToDimensions": {"W": 4000, "H": 3000, "Unit": "pixel"},
        "RegionList": [
            {
                "Area": {"X": 0.2, "Y": 0.35, "W": 0.2, "H": 0.3, "Unit": "normalized"},
                "Name": "Alice",
                "Type": "Face",
            }
        ],
    }
    assert set(found["XMP-iptcExt:PersonInImage"]) == {"Alice", "Dora"}
    assert found["XMP-dc:Subject"] == ["Rome", "beach"]
    assert found["XMP-lr:HierarchicalSubject"] == ["Places|Italy|Rome", "beach"]
    assert found["XMP-digiKam:TagsList"] == ["Places/Italy/Rome", "beach"]
    assert found["XMP-xmp:Rating"] == 4
    assert found["XMP-dc:Description"] == "At the Colosseum\nwith everybody"
    assert found["XMP-exif:DateTimeOriginal"] == "2019:07:14 10:15:00+02:00"
    assert found["XMP-photoshop:DateCreated"] == "2019:07:14 10:15:00+02:00"
    assert found["XMP-exif:GPSLatitude"] == pytest.approx(41.8902, abs=1e-8)
    assert found["XMP-exif:GPSLongitude"] == pytest.approx(-12.4922, abs=1e-8)
    collection = found["XMP-mwg-coll:Collections"][0]
    assert collection["CollectionName"] == "Summer/Rome"


@pytest.mark.parametrize("rating", [-1, 0, 5])
def test_exiftool_reads_every_rating(tmp_path: Path, rating: int):
    path = sidecar(tmp_path / "a.xmp", Given(rating=rating))
    assert tags(path, "-n")["XMP-xmp:Rating"] == rating


def test_we_read_everything_that_exiftool_writes(tmp_path: Path):
    path = tmp_path / "IMG_1.xmp"
    exiftool(
        "-XMP-mwg-rs:RegionInfo={AppliedToDimensions={W=4000,H=3000,Unit=pixel},RegionList=["
        "{Area={X=0.2,Y=0.35,W=0.2,H=0.3,Unit=normalized},Name=Alice,Type=Face},"
        "{Area={X=0.5,Y=0.5,W=0.1,H=0.1,Unit=normalized},Name=Rex,Type=Pet}]}",
        "-XMP-MP:RegionInfoMP={Regions=[{PersonDisplayName=Bob,Rectangle=0.5\\, 0.1\\, 0.2\\, 0.3}]}".replace("\\,", "|,"),
        "-XMP-dc:Subject=Rome", "-XMP-dc:Subject=beach",
        "-XMP-lr:HierarchicalSubject=Places||Italy||Rome".replace("||", "|"),
        "-XMP-xmp:Rating=3", "-XMP-dc:Description=Hello", "-XMP-dc:Description-de-DE=Hallo",
        "-XMP-exif:DateTimeOriginal=2019:07:14 10:15:00+02:00",
        "-XMP-exif:GPSLatitude=41.8902", "-XMP-exif:GPSLongitude=-12.4922", path,
    )  # fmt: skip
    found = read(path.read_bytes(), FRAME).given
    assert {person.name for person in found.persons} == {"Alice", "Bob"}
    boxes = {person.name: person.region for person in found.persons}
    assert boxes["Alice"] == pytest.approx(Region(0, 0.1, 0.2, 0.3, 0.5), abs=1e-6)
    assert boxes["Bob"] == pytest.approx(Region(0, 0.5, 0.1, 0.7, 0.4), abs=1e-6)
    assert found.tags == (("Places", "Italy", "Rome"), ("beach",))
    assert (found.rating, found.caption) == (3, "Hello")
    assert found.taken == Moment(1563099300, 120)
    assert found.position == pytest.approx(Position(41.8902, -12.4922), abs=1e-6)


def test_what_exiftool_wrote_survives_ours_and_the_other_way_round(tmp_path: Path):
    path = tmp_path / "IMG_1.xmp"
    exiftool("-XMP-dc:Creator=Eve", "-XMP-xmp:Label=Red", "-XMP-photoshop:City=Rome", "-XMP-dc:Title=T", "-XMP-crs:Exposure2012=0.35",
             "-XMP-dc:Title-de-DE=Titel", "-XMP-tiff:Orientation#=6", "-XMP-xmpMM:HistoryAction=saved", path)  # fmt: skip
    before = tags(path, "-n", "-a")
    after = tags(sidecar(path), "-n", "-a")
    kept = {
        key: text
        for key, text in before.items()
        if key.startswith("XMP") and "XMPToolkit" not in key
    }
    assert kept.items() <= after.items()
    assert after["XMP-dc:Title-de-DE"] == "Titel"
    exiftool("-overwrite_original", "-XMP-xmp:Rating=1", "-XMP-dc:Subject+=added", path)
    reading = read(path.read_bytes(), FRAME)
    assert reading.changed == {"rating", "tags"}
    merged = merge(path.read_bytes(), GIVEN, frame=FRAME)
    assert merged.theirs == {"rating", "tags"}
    assert merged.given.rating == 1
    assert set(merged.given.tags) == {*GIVEN.tags, ("added",)}
    assert marks(merged.given)["persons"] == marks(GIVEN)["persons"]


def test_exiftool_writing_over_ours_loses_nothing_of_ours(tmp_path: Path):
    path = sidecar(tmp_path / "IMG_1.jpg.xmp")
    exiftool("-overwrite_original", "-XMP-dc:Creator=Eve", path)
    reading = read(path.read_bytes(), FRAME)
    assert reading.changed == frozenset()
    assert (reading.given.favourite, reading.given.albums) == (True, (("Summer", "Rome"),))


def test_exiftool_finds_our_xml_well_formed(tmp_path: Path):
    for number, caption in enumerate(("<&>\"' ]]>", "\u00e9\U0001f600", "a\tb\nc")):
        path = sidecar(tmp_path / f"{number}.xmp", Given(caption=caption))
        assert "Warning" not in exiftool("-validate", "-warning", path)
        assert tags(path)["XMP-dc:Description"] == caption


def exiv2(*arguments: str | Path) -> str:
    done = subprocess.run(
        [shutil.which("exiv2") or "exiv2", *map(str, arguments)], capture_output=True, text=True, timeout=60
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_library_of_digikam_and_darktable_reads_what_we_write(tmp_path: Path):
    path = sidecar(tmp_path / "IMG_1.jpg.xmp")
    rows = (
        line.split(None, 1) for line in exiv2("-PXkt", path).splitlines() if line.startswith("Xmp.")
    )
    found = {row[0]: row[1].strip() if len(row) > 1 else "" for row in rows}
    area = "Xmp.mwg-rs.Regions/mwg-rs:RegionList[1]"
    assert (found[f"{area}/mwg-rs:Name"], found[f"{area}/mwg-rs:Area/stArea:x"]) == (
        "Alice",
        "0.200000",
    )
    assert found["Xmp.lr.hierarchicalSubject"] == "Places|Italy|Rome, beach"
    assert found["Xmp.digiKam.TagsList"] == "Places/Italy/Rome, beach"
    assert found["Xmp.xmp.Rating"] == "4"
    assert found["Xmp.exif.DateTimeOriginal"] == "2019-07-14T10:15:00+02:00"
    assert found["Xmp.exif.GPSLongitude"] == "12,29.5320000W"


def test_what_it_writes_over_ours_is_told_and_nothing_of_ours_is_lost(tmp_path: Path):
    path = sidecar(tmp_path / "IMG_1.xmp")
    exiv2("-Mset Xmp.xmp.Rating 2", "-Mset Xmp.xmp.Label Red", path)
    reading = read(path.read_bytes(), FRAME)
    assert reading.changed == {"rating"}
    assert marks(reading.given) == marks(GIVEN) | {"rating": marks(Given(rating=2))["rating"]}
    merged = merge(path.read_bytes(), GIVEN, frame=FRAME)
    assert (merged.theirs, merged.given.rating) == ({"rating"}, 2)
