"""What lies beside a picture, or behind it in the same file: Takeout's JSON, Apple's notes and edits, a phone's film."""

from __future__ import annotations

import json
import os
import plistlib
import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pillow_heif
import pytest
from PIL import Image

from havenfs import mates
from havenfs.entities import DateSource, Kind, Metadata
from havenfs.extract import apple, metadata, takeout, xmp
from havenfs.extract.identify import identify

if TYPE_CHECKING:
    from pathlib import Path

LONG = "a holiday on the coast of Amalfi with everybody and the dog"  # 59 characters


def read(path: Path) -> Metadata:
    name = os.fsencode(path)
    found = identify(name)
    return metadata.read(
        name,
        os.fsencode(path.name),
        kind=found.kind or Kind.DOCUMENT,
        mime=found.mime,
        mtime_ns=1_600_000_000 * 10**9,
    )


def picture(path: Path, **options: Any) -> Path:
    Image.new("RGB", (8, 8)).save(path, **options)
    return path


def export(path: Path, title: str = "IMG_1.jpg", **more: Any) -> None:
    path.write_text(
        json.dumps(
            {
                "title": title,
                "description": "At the Colosseum",
                "photoTakenTime": {"timestamp": "1563092100", "formatted": "14 Jul 2019"},
                "geoData": {"latitude": 0.0, "longitude": 0.0},
                "geoDataExif": {"latitude": 41.8902, "longitude": 12.4922},
                **more,
            }
        )
    )


@pytest.mark.parametrize(
    ("name", "sidecar"),
    [
        ("IMG_1.jpg", "IMG_1.jpg.json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1(1).jpg", "IMG_1.jpg(1).json"),
        ("IMG_1(1).jpg", "IMG_1.jpg.supplemental-metadata(1).json"),
        ("IMG_1(1).jpg", "IMG_1(1).jpg.json"),  # the brackets are its own
        ("IMG_1-edited.jpg", "IMG_1.jpg.json"),
        ("IMG_1-edited(2).jpg", "IMG_1.jpg(2).json"),
        ("IMG_1-bearbeitet.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        (f"{LONG[:47]}.jpg", f"{LONG[:46]}.json"),
        (f"{LONG[:40]}.jpg", f"{LONG[:40]}.jpg.s.json"),
        (f"{LONG[:30]}.jpg", f"{LONG[:30]}.jpg.supplementa.json"),
        (f"{LONG[:42]}.jpg", f"{LONG[:42]}.jpg.json"),
        (f"{LONG[:41]}.jpg", f"{LONG[:41]}.jpg..json"),
        (f"{LONG[:44]}.jpg", f"{LONG[:44]}.j.json"),
        ("IMG_1.MP4", "IMG_1.HEIC.json"),
        ("IMG_1.MP4", "IMG_1.JPG.supplemental-metadata.json"),
    ],
)
def test_takeouts_record_is_found_whatever_it_is_called(tmp_path: Path, name: str, sidecar: str):
    export(tmp_path / sidecar)
    found = takeout.beside(os.fsencode(tmp_path / name))
    assert found.caption == "At the Colosseum"
    assert found.taken is not None
    assert (found.taken.local, found.taken.source) == (1563092100, DateSource.TAKEOUT)


@pytest.mark.parametrize(
    ("name", "sidecar"),
    [("IMG_1.jpg", "IMG_1.jpg(1).json"), ("IMG_1(1).jpg", "IMG_1.jpg.json"), ("IMG_1.jpg", "IMG_12.jpg.json"), ("IMG_1.jpg", "metadata.json")],
)  # fmt: skip
def test_the_record_of_another_picture_is_left_alone(tmp_path: Path, name: str, sidecar: str):
    export(tmp_path / sidecar)
    assert takeout.beside(os.fsencode(tmp_path / name)) == Metadata()


def test_takeouts_date_is_put_on_the_clock_of_the_place(tmp_path: Path):
    picture(tmp_path / "IMG_1.jpg")
    export(tmp_path / "IMG_1.jpg.json")
    found = read(tmp_path / "IMG_1.jpg")
    assert found.taken is not None
    assert datetime.fromtimestamp(found.taken.local, UTC).isoformat() == "2019-07-14T10:15:00+00:00"
    assert (found.taken.offset, found.taken.source) == (120, DateSource.TAKEOUT)
    assert found.locality is not None
    assert found.locality.country == "Italy"


def test_the_film_of_a_pixels_motion_photo_has_the_photos_record():
    found = list(mates.exported(b"PXL_1.MP"))
    assert b"PXL_1.MP.jpg.json" in found
    assert b"PXL_1.MP.jpg.supplemental-metadata.json" in found


def test_what_the_camera_wrote_comes_before_takeout_and_names_after(tmp_path: Path):
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0x9003] = "2018:03:01 10:00:00"
    tags[0x110] = (
        "Pixel 3"  # a camera's own record: a scanner's or an editor's date would give way to the older name
    )
    picture(tmp_path / "20170101_120000.jpg", exif=tags)
    picture(tmp_path / "20170102_120000.jpg")
    for name in ("20170101_120000.jpg.json", "20170102_120000.jpg.json"):
        export(tmp_path / name)
    taken = [read(tmp_path / f"2017010{day}_120000.jpg").taken for day in (1, 2)]
    assert [each and each.source for each in taken] == [DateSource.EXIF, DateSource.TAKEOUT]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[1]", b"null", b'{"title": 1, "photoTakenTime": {"timestamp": "1"}}', b"[" * 100_000,
     b'{"title": "x", "photoTakenTime": 7}', b"\xff\xfe", b'{"name": "a package"}'],
)  # fmt: skip
def test_json_of_others_is_nothing(data: bytes):
    assert takeout.parse(data) is None


def test_odd_values_in_takeouts_record_are_passed_over():
    body = {
        "title": "x",
        "photoTakenTime": {"timestamp": "soon"},
        "geoData": {"latitude": "north", "longitude": []},
        "description": 7,
    }
    assert takeout.parse(json.dumps(body).encode()) == Metadata()


def maker_note(**tags: str) -> bytes:
    entries = {0x000B: tags.get("burst"), 0x0011: tags.get("content")}
    kept = [(tag, text.encode() + b"\0") for tag, text in entries.items() if text]
    at = 16 + 12 * len(kept) + 4
    directory, body = b"", b""
    for tag, text in kept:
        directory += struct.pack(">HHII", tag, 2, len(text), at + len(body))
        body += text
    return b"Apple iOS\0\0\x01MM" + struct.pack(">H", len(kept)) + directory + bytes(4) + body


def test_apples_maker_note_ties_pictures(tmp_path: Path):
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0x927C] = maker_note(content="3A0F-11", burst="B-77")
    found = read(picture(tmp_path / "a.jpg", exif=tags))
    assert (found.content_id, found.burst_id) == ("3A0F-11", "B-77")
    pillow_heif.from_pillow(Image.new("RGB", (64, 64))).save(
        tmp_path / "a.heic", exif=tags.tobytes()
    )
    assert read(tmp_path / "a.heic").content_id == "3A0F-11"


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_a_damaged_maker_note_says_nothing_wrong(cut: int):
    note = maker_note(content="3A0F-11", burst="B-77")
    assert apple.maker_note(note[:cut]).content_id in (None, "3A0F-11"[: max(0, cut)])
    assert apple.maker_note(b"Nikon" + note) == apple.MakerNote()


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_apples_edits_are_noticed(tmp_path: Path, form: plistlib.PlistFormat):
    picture(tmp_path / "IMG_1.jpg")
    assert read(tmp_path / "IMG_1.jpg").adjusted is None
    body = {
        "adjustmentFormatIdentifier": "com.apple.photo",
        "adjustmentEditorBundleID": "com.apple.mobileslideshow",
        "adjustmentData": b"x",
    }
    (tmp_path / "IMG_1.AAE").write_bytes(plistlib.dumps(body, fmt=form))
    assert read(tmp_path / "IMG_1.jpg").adjusted == "com.apple.mobileslideshow"
    (tmp_path / "IMG_1.AAE").write_bytes(b"bplist00 no plist")
    assert read(tmp_path / "IMG_1.jpg").adjusted is None


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" {old}'
    ' xmlns:Container="http://ns.google.com/photos/1.0/container/" xmlns:Item="http://ns.google.com/photos/1.0/container/item/">'
    "{new}</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def test_the_sidecar_of_the_raw_is_not_the_jpegs(tmp_path: Path):
    """Lightroom's IMG_1.xmp is about IMG_1.CR2; without one, it is about whatever has its stem."""
    (tmp_path / "IMG_1.xmp").write_text(
        XMP.format(old='xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="2"', new="")
    )
    jpeg, raw = os.fsencode(tmp_path / "IMG_1.JPG"), tmp_path / "IMG_1.CR2"
    picture(tmp_path / "IMG_1.JPG")
    assert xmp.sidecars(jpeg).rating == 2
    raw.write_bytes(b"raw")
    assert xmp.sidecars(jpeg).rating is None
    assert xmp.sidecars(bytes(raw)).rating == 2
    (tmp_path / "IMG_1.JPG.xmp").write_text(
        XMP.format(old='xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"', new="")
    )
    assert xmp.sidecars(jpeg).rating == 5


FILM = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + b"film" * 300


def items(length: int, *, after: int = 0) -> str:
    more = f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Length="{after}"/></rdf:li>'
    return (
        "<Container:Directory><rdf:Seq>"
        '<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" Item:Semantic="Primary" Item:Length="0"/></rdf:li>'
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="MotionPhoto" Item:Length="{length}"/></rdf:li>'
        f"{more if after else ''}</rdf:Seq></Container:Directory>"
    )


@pytest.mark.parametrize(
    ("packet", "behind"),
    [
        (XMP.format(old=f'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="{len(FILM)}"', new=""), b""),
        (XMP.format(old='GCamera:MotionPhoto="1"', new=items(len(FILM))), b""),
        (XMP.format(old='GCamera:MotionPhoto="1"', new=items(len(FILM), after=50)), bytes(50)),
    ],
)  # fmt: skip
def test_a_film_behind_the_picture_makes_it_live(tmp_path: Path, packet: str, behind: bytes):
    path = picture(tmp_path / "MVIMG_1.jpg", xmp=packet.encode())
    assert not read(path).live  # the flag alone is what editors leave behind
    with path.open("ab") as file:
        file.write(FILM + behind)
    assert read(path).live


def test_samsungs_older_films_are_found_by_their_marker(tmp_path: Path):
    path = picture(tmp_path / "20190714_101500.jpg")
    with path.open("ab") as file:
        file.write(
            b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data\0\0\0\x18ftypmp42"
            + FILM[12:]
            + b"SEFH.......SEFT"
        )
    assert read(path).live


def test_heic_keeps_its_film_in_a_box(tmp_path: Path):
    path = tmp_path / "PXL_1.heic"
    pillow_heif.from_pillow(Image.new("RGB", (64, 64))).save(path)
    assert not read(path).live
    with path.open("ab") as file:
        file.write((len(FILM) + 8).to_bytes(4) + b"mpvd" + FILM)
    assert read(path).live
