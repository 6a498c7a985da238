"""Facts in files, names and sidecars, and which of them wins."""

from __future__ import annotations

import io
import os
import struct
import time
import zipfile
from pathlib import Path

import pytest
import reportlab.pdfgen.canvas as reportlab
from PIL import Image, PngImagePlugin
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from havenfs.entities import DateSource, Kind, Metadata
from havenfs.extract import exif, metadata, xmp
from havenfs.extract.identify import identify

MTIME = 1_600_000_000 * 10**9

PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" {attributes}>
 <dc:subject><rdf:Bag><rdf:li>Rome</rdf:li><rdf:li> ice cream </rdf:li><rdf:li>Rome</rdf:li></rdf:Bag></dc:subject>
 <dc:description><rdf:Alt><rdf:li xml:lang="x-default">At the Colosseum</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def packet(attributes: str = 'xmp:Rating="4"') -> bytes:
    return PACKET.format(attributes=attributes).encode()


def camera_tags(**more: object) -> Image.Exif:
    tags = Image.Exif()
    tags[0x010F] = "Canon"
    tags[0x0110] = "Canon EOS 80D"
    detail = tags.get_ifd(0x8769)
    detail[0x9003] = "2019:07:14 10:15:00"
    detail[0x8827] = 200
    detail[0x829D] = IFDRational(28, 10)
    detail[0x829A] = IFDRational(1, 250)
    detail[0x920A] = IFDRational(50, 1)
    detail[0xA434] = "EF50mm f/1.8 STM"
    for name, value in more.items():
        detail[int(name[1:], 16)] = value
    return tags


def at(
    tags: Image.Exif,
    latitude: tuple[float, float, float],
    north: str,
    longitude: tuple[float, float, float],
    east: str,
) -> Image.Exif:
    gps = tags.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = north, latitude, east, longitude
    return tags


ROME = ((41.0, 53.0, 24.7), "N", (12.0, 29.0, 31.9), "E")


def read(path: Path, relative: str | None = None) -> Metadata:
    name = os.fsencode(path)
    found = identify(name)
    return metadata.read(
        name,
        os.fsencode(relative or path.name),
        kind=found.kind or Kind.DOCUMENT,
        mime=found.mime,
        mtime_ns=MTIME,
    )


def picture(path: Path, **options: object) -> Path:
    Image.new("RGB", (64, 48), (200, 90, 30)).save(path, **options)  # type: ignore[arg-type]
    return path


def shown(found: Metadata) -> tuple[str, int | None, DateSource]:
    assert found.taken is not None
    return (
        time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(found.taken.local)),
        found.taken.offset,
        found.taken.source,
    )


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.heic", "a.avif"])
def test_what_the_camera_wrote_is_read_from_every_format(tmp_path: Path, name: str) -> None:
    tags = at(camera_tags(_9011="+02:00"), *ROME)
    options: dict[str, object] = {"exif": tags}
    if name == "a.tif":  # whose directories Pillow writes only when they are spelt out
        info = ImageFileDirectory_v2()
        info.update(dict(tags))
        info[0x8769], info[0x8825] = dict(tags.get_ifd(0x8769)), dict(tags.get_ifd(0x8825))
        options = {"tiffinfo": info}
    found = read(picture(tmp_path / name, **options))
    assert shown(found) == ("2019-07-14 10:15:00", 120, DateSource.EXIF)
    assert (found.camera, found.lens, found.iso) == ("Canon EOS 80D", "EF50mm f/1.8 STM", 200)
    assert (found.aperture, found.focal_mm, found.exposure_s) == (2.8, 50.0, 0.004)
    assert (found.width, found.height) == (64, 48)
    assert found.latitude == pytest.approx(41.89019, abs=1e-4)
    assert found.longitude == pytest.approx(12.49219, abs=1e-4)
    assert found.locality is not None
    assert (found.locality.country, found.locality.city) == ("Italy", "Rome")


def test_the_size_is_that_of_the_upright_picture(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[0x0112] = 6
    found = read(picture(tmp_path / "a.jpg", exif=tags))
    assert (found.width, found.height) == (48, 64)


def test_the_time_zone_follows_from_the_position_when_the_camera_does_not_say(
    tmp_path: Path,
) -> None:
    found = read(picture(tmp_path / "a.jpg", exif=at(camera_tags(), *ROME)))
    assert shown(found)[1] == 120
    assert shown(read(picture(tmp_path / "b.jpg", exif=camera_tags())))[1] is None


def test_south_and_west_are_negative(tmp_path: Path) -> None:
    found = read(
        picture(
            tmp_path / "a.jpg",
            exif=at(camera_tags(), (22.0, 54.0, 0.0), "S", (43.0, 12.0, 0.0), "W"),
        )
    )
    assert (found.latitude, found.longitude) == (-22.9, -43.2)
    assert found.locality is not None
    assert found.locality.city == "Rio de Janeiro"


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), ((95.0, 0.0, 0.0), (12.0, 0.0, 0.0))],
)
def test_a_position_that_cannot_be_is_none(
    tmp_path: Path, latitude: tuple[float, float, float], longitude: tuple[float, float, float]
) -> None:
    found = read(picture(tmp_path / "a.jpg", exif=at(camera_tags(), latitude, "N", longitude, "E")))
    assert (found.latitude, found.longitude, found.locality) == (None, None, None)


@pytest.mark.parametrize(
    "text", ["0000:00:00 00:00:00", "1970:01:01 00:00:00", "2999:01:01 00:00:00", "", "????"]
)
def test_a_clock_that_was_never_set_gives_way_to_the_name(tmp_path: Path, text: str) -> None:
    found = read(picture(tmp_path / "IMG_20190714_101500.jpg", exif=camera_tags(_9003=text)))
    assert shown(found) == ("2019-07-14 10:15:00", None, DateSource.NAME)


def test_dates_win_in_the_order_of_their_provenance(tmp_path: Path) -> None:
    name, where = "IMG_20170101_101500.jpg", "2016-03-04 Oslo/IMG_20170101_101500.jpg"
    path = tmp_path / name
    picture(path, exif=camera_tags(), xmp=packet('exif:DateTimeOriginal="2018-02-03T04:05:06"'))
    assert shown(read(path, where))[2] is DateSource.EXIF
    picture(path, xmp=packet('exif:DateTimeOriginal="2018-02-03T04:05:06+01:00"'))
    assert shown(read(path, where)) == ("2018-02-03 04:05:06", 60, DateSource.XMP)
    picture(path)
    assert shown(read(path, where)) == ("2017-01-01 10:15:00", None, DateSource.NAME)
    picture(tmp_path / "a.jpg")
    assert shown(read(tmp_path / "a.jpg", "2016-03-04 Oslo/a.jpg")) == (
        "2016-03-04 12:00:00",
        None,
        DateSource.FOLDER,
    )
    found = read(tmp_path / "a.jpg", "Oslo/a.jpg")
    assert found.taken is not None
    assert found.taken.source is DateSource.MTIME
    assert found.taken.local - (found.taken.offset or 0) * 60 == MTIME // 10**9


def test_a_picture_saved_anew_keeps_its_date_in_the_folder_of_its_month(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[0x0132] = "2019:07:20 10:15:00"  # and no camera
    path = picture(tmp_path / "IMG_5000.jpg", exif=tags)
    for where in ("2019/07", "2019-07-10 to 2019-07-20 Italy", "2019-07-14 Rome"):
        found = read(path, f"{where}/IMG_5000.jpg")
        assert shown(found) == ("2019-07-20 10:15:00", None, DateSource.EXIF)


def test_new_year_of_a_camera_that_knows_where_it_is_stands_against_a_folder(
    tmp_path: Path,
) -> None:
    path = picture(tmp_path / "a.jpg", exif=at(camera_tags(_9003="2019:01:01 15:30:00"), *ROME))
    assert shown(read(path, "2019-06 Ski/a.jpg"))[2] is DateSource.EXIF
    assert shown(read(path, "2018-12 Ski/a.jpg"))[2] is DateSource.EXIF
    path = picture(tmp_path / "b.jpg", exif=camera_tags(_9003="2008:01:01 00:12:00"))
    assert shown(read(path, "2013-05-04 Lake/b.jpg"))[2] is DateSource.FOLDER


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.heic"])
def test_the_packet_inside_a_picture_is_read(tmp_path: Path, name: str) -> None:
    options: dict[str, object] = {"xmp": packet()}
    if name == "a.png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet().decode())
        options = {"pnginfo": info}
    if name == "a.tif":
        options = {"tiffinfo": {700: packet()}}
    found = read(picture(tmp_path / name, **options))
    assert (found.rating, found.caption) == (4, "At the Colosseum")
    assert found.keywords == ("Rome", "ice cream")


@pytest.mark.parametrize("sidecar", ["a.jpg.xmp", "a.xmp"])
def test_a_sidecar_has_the_last_word_about_words(tmp_path: Path, sidecar: str) -> None:
    picture(tmp_path / "a.jpg", exif=camera_tags(), xmp=packet('xmp:Rating="1"'))
    position = 'xmp:Rating="5" exif:GPSLatitude="41,53.412N" exif:GPSLongitude="12,29,32E" photoshop:DateCreated="2001-01-01"'
    (tmp_path / sidecar).write_bytes(packet(position))
    found = read(tmp_path / "a.jpg")
    assert found.rating == 5
    assert shown(found)[2] is DateSource.EXIF
    assert found.locality is not None
    assert found.locality.city == "Rome"


def test_a_hostile_or_broken_packet_is_ignored(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    for body in (
        b"",
        b"<x",
        bomb,
        b"\xff\xfe\0",
        packet()[:300],
        packet('xmp:Rating="-1" exif:GPSLatitude="x"'),
    ):
        picture(tmp_path / "a.jpg")
        (tmp_path / "a.xmp").write_bytes(body)
        assert read(tmp_path / "a.jpg").rating is None
        assert xmp.parse(body).rating is None


def test_text_of_cameras_and_windows_is_understood(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[0x010E] = "OLYMPUS DIGITAL CAMERA"
    tags[0x9C9C] = "Großmutter am See\0".encode("utf-16-le")
    tags[0x9C9E] = "family;lake".encode("utf-16-le")
    tags[0x4746] = 3
    found = read(picture(tmp_path / "a.jpg", exif=tags))
    assert (found.caption, found.keywords, found.rating) == (
        "Großmutter am See",
        ("family", "lake"),
        3,
    )


def test_one_name_for_a_camera() -> None:
    assert exif.camera("NIKON CORPORATION", "NIKON D80") == "NIKON D80"
    assert exif.camera("Apple", "iPhone 12") == "Apple iPhone 12"
    assert exif.camera("", "X100") == "X100"
    assert exif.camera("Leica", "") == "Leica"
    assert exif.camera("", "") is None


def test_screenshots_are_recognised(tmp_path: Path) -> None:
    assert read(picture(tmp_path / "Screenshot_2019-07-14.jpg")).screenshot
    assert read(picture(tmp_path / "Bildschirmfoto 2019-07-14.png")).screenshot
    Image.new("RGB", (1170, 2532)).save(tmp_path / "IMG_0001.png")
    assert read(tmp_path / "IMG_0001.png").screenshot
    Image.new("RGB", (1170, 2532)).save(tmp_path / "IMG_0002.jpg")
    assert not read(tmp_path / "IMG_0002.jpg").screenshot
    Image.new("RGB", (1170, 2532)).save(tmp_path / "IMG_0003.png", exif=camera_tags())
    assert not read(tmp_path / "IMG_0003.png").screenshot


def test_documents_tell_when_they_were_made(tmp_path: Path) -> None:
    canvas = reportlab.Canvas(str(tmp_path / "a.pdf"), invariant=1)
    canvas.drawString(50, 50, "x")
    canvas.save()
    body = (
        (tmp_path / "a.pdf")
        .read_bytes()
        .replace(b"D:20000101000000+00'00'", b"D:20190714101500+02'00'")
    )
    (tmp_path / "a.pdf").write_bytes(body)
    assert shown(read(tmp_path / "a.pdf")) == ("2019-07-14 10:15:00", 120, DateSource.CONTAINER)

    core = '<c xmlns:dcterms="http://purl.org/dc/terms/"><dcterms:created>2019-07-14T10:15:00Z</dcterms:created></c>'
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
        archive.writestr("docProps/core.xml", core)
    assert shown(read(tmp_path / "a.docx")) == ("2019-07-14 10:15:00", 0, DateSource.CONTAINER)

    (tmp_path / "a.eml").write_bytes(
        b"From: a@b.c\nTo: d@e.f\nSubject: x\nDate: Sun, 14 Jul 2019 10:15:00 +0200\n\nbody"
    )
    assert shown(read(tmp_path / "a.eml")) == ("2019-07-14 10:15:00", 120, DateSource.CONTAINER)
    (tmp_path / "2019-07-14 notes.txt").write_text("hello")
    assert shown(read(tmp_path / "2019-07-14 notes.txt")) == (
        "2019-07-14 12:00:00",
        None,
        DateSource.NAME,
    )


def test_a_damaged_file_still_has_the_facts_of_its_name(tmp_path: Path) -> None:
    for name, head in {
        "a.jpg": b"\xff\xd8\xff\xe1\xff\xff",
        "a.pdf": b"%PDF-1.4\n",
        "a.mp4": b"\0\0\0\x10ftypisom\0\0\0\0",
    }.items():
        path = tmp_path / f"2019-07-14 {name}"
        path.write_bytes(head + bytes(20))
        assert shown(read(path)) == ("2019-07-14 12:00:00", None, DateSource.NAME)


def test_names_that_are_not_utf8_are_read(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/IMG_20190714_101500 \xff\xfe.jpg"
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG")
    Path(os.fsdecode(path)).write_bytes(out.getvalue())
    found = metadata.read(
        path,
        b"\xff/IMG_20190714_101500 \xff\xfe.jpg",
        kind=Kind.PHOTO,
        mime="image/jpeg",
        mtime_ns=0,
    )
    assert shown(found)[0] == "2019-07-14 10:15:00"


def canon_cr3() -> bytes:
    def tiff(tag: int, text: bytes) -> bytes:
        body = struct.pack("<HHHII", 1, tag, 2, len(text), 26) + struct.pack("<I", 0)
        return b"II*\0\x08\0\0\0" + body + text

    def box(name: bytes, body: bytes) -> bytes:
        return (len(body) + 8).to_bytes(4) + name + body

    return (
        box(b"ftyp", b"crx \0\0\0\x01isom")
        + box(b"moov", box(b"uuid", bytes(16) + box(b"CMT1", tiff(0x0110, b"Canon EOS R5\0")) + box(b"CMT2", tiff(0x9003, b"2019:07:14 10:15:00\0"))))
    )  # fmt: skip


def test_raw_files_have_their_camera_and_date(tmp_path: Path) -> None:
    (tmp_path / "a.cr3").write_bytes(canon_cr3())
    found = read(tmp_path / "a.cr3")
    assert (found.camera, found.raw) == ("Canon EOS R5", True)
    assert shown(found) == ("2019-07-14 10:15:00", None, DateSource.EXIF)
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=camera_tags())
    (tmp_path / "a.raf").write_bytes(
        b"FUJIFILMCCD-RAW 0201".ljust(84, b"\0")
        + struct.pack(">II", 92, len(out.getvalue()))
        + out.getvalue()
    )
    assert read(tmp_path / "a.raf").camera == "Canon EOS 80D"
    Image.new("RGB", (8, 8)).save(tmp_path / "t.tif", exif=camera_tags())
    tiff = (tmp_path / "t.tif").read_bytes()
    (tmp_path / "a.orf").write_bytes(b"IIRO" + tiff[4:8] + tiff[8:])
    (tmp_path / "a.dng").write_bytes(tiff)
    assert read(tmp_path / "a.dng").camera == "Canon EOS 80D"
