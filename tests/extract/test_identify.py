"""Types and hashes from bytes."""

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING

import pillow_heif
import pytest
from blake3 import blake3
from hypothesis import given, strategies as st
from PIL import Image

from havenfs.entities import Kind
from havenfs.errors import SourceGone, Unreadable
from havenfs.extract import magic
from havenfs.extract.identify import CHUNK, identify

if TYPE_CHECKING:
    from pathlib import Path

pillow_heif.register_heif_opener()  # to write samples


def put(directory: Path, name: str, body: bytes) -> bytes:
    path = directory / name
    path.write_bytes(body)
    return os.fsencode(path)


def picture(form: str) -> bytes:
    out = io.BytesIO()
    Image.effect_mandelbrot((64, 48), (-2, -1, 1, 1), 40).convert("RGB").save(out, form)
    return out.getvalue()


def office(member: str, mimetype: str | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        archive.writestr(member, "<x/>")
    return out.getvalue()


def box(brand: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + brand + b"\0\0\0\0" + b"".join(compatible)
    return (len(body) + 4).to_bytes(4) + body + b"\0\0\0\x08mdat"


MAIL = (
    b"Received: from a.example\r\nFrom: a@b.example\r\nTo: c@d.example\r\nSubject: hello\r\n"
    b"Date: Sun, 14 Jul 2019 10:15:00 +0200\r\n\r\nhi\r\n"
)
RUSSIAN = "Договор аренды квартиры заключён в Москве.\r\n"
WORD = "application/vnd.openxmlformats-officedocument."


@pytest.mark.parametrize(
    ("name", "body", "mime", "kind"),
    [
        ("a.jpg", picture("JPEG"), "image/jpeg", Kind.PHOTO),
        ("a.png", picture("PNG"), "image/png", Kind.PHOTO),
        ("a.webp", picture("WEBP"), "image/webp", Kind.PHOTO),
        ("a.gif", picture("GIF"), "image/gif", Kind.PHOTO),
        ("a.bmp", picture("BMP"), "image/bmp", Kind.PHOTO),
        ("a.tif", picture("TIFF"), "image/tiff", Kind.PHOTO),
        ("a.heic", picture("HEIF"), "image/heic", Kind.PHOTO),
        ("a.avif", picture("AVIF"), "image/avif", Kind.PHOTO),
        ("a.jxl", b"\xff\x0a" + bytes(50), "image/jxl", Kind.PHOTO),
        ("wrong.mp4", picture("PNG"), "image/png", Kind.PHOTO),
        ("wrong.txt", picture("JPEG"), "image/jpeg", Kind.PHOTO),
        ("a.dng", picture("TIFF"), "image/x-adobe-dng", Kind.PHOTO),
        ("a.cr2", b"II*\0\x10\0\0\0CR\x02\0" + bytes(40), "image/x-canon-cr2", Kind.PHOTO),
        ("a.raf", b"FUJIFILMCCD-RAW 0201" + bytes(90), "image/x-fuji-raf", Kind.PHOTO),
        ("a.rw2", b"IIU\0\x18\0\0\0" + bytes(40), "image/x-panasonic-rw2", Kind.PHOTO),
        ("a.orf", b"IIRO\x08\0\0\0" + bytes(40), "image/x-olympus-orf", Kind.PHOTO),
        ("a.cr3", box(b"crx ", b"isom"), "image/x-canon-cr3", Kind.PHOTO),
        ("a.mp4", box(b"isom", b"avc1"), "video/mp4", Kind.VIDEO),
        ("a.mov", box(b"qt  "), "video/quicktime", Kind.VIDEO),
        ("a.3gp", box(b"3gp5"), "video/3gpp", Kind.VIDEO),
        ("a.m4a", box(b"M4A "), "audio/mp4", None),
        ("a.heic", box(b"mif1", b"heic"), "image/heic", Kind.PHOTO),
        ("a.mkv", b"\x1a\x45\xdf\xa3matroska", "video/x-matroska", Kind.VIDEO),
        ("a.webm", b"\x1a\x45\xdf\xa3\x42\x82webm", "video/webm", Kind.VIDEO),
        ("a.avi", b"RIFF\x10\0\0\0AVI LIST", "video/x-msvideo", Kind.VIDEO),
        ("a.wav", b"RIFF\x10\0\0\0WAVEfmt ", magic.UNKNOWN, None),
        ("a.pdf", b"%PDF-1.7\n%\xe2\xe3\n", "application/pdf", Kind.DOCUMENT),
        ("a.docx", office("word/document.xml"), WORD + "wordprocessingml.document", Kind.DOCUMENT),
        ("a.zip", office("word/document.xml"), WORD + "wordprocessingml.document", Kind.DOCUMENT),
        ("a.xlsx", office("xl/workbook.xml"), WORD + "spreadsheetml.sheet", Kind.DOCUMENT),
        (
            "a.pptx",
            office("ppt/presentation.xml"),
            WORD + "presentationml.presentation",
            Kind.DOCUMENT,
        ),
        (
            "a.odt",
            office("content.xml", "application/vnd.oasis.opendocument.text"),
            "application/vnd.oasis.opendocument.text",
            Kind.DOCUMENT,
        ),
        ("a.docx", office("word/document2.xml"), WORD + "wordprocessingml.document", Kind.DOCUMENT),
        ("a.xlsx", office("xl/workbook2.xml"), WORD + "spreadsheetml.sheet", Kind.DOCUMENT),
        ("a.zip", office("holiday/photo.jpg"), "application/zip", None),
        ("cut.zip", office("word/document.xml")[:40], "application/zip", None),
        ("a.html", b"<!DOCTYPE html><html><p>hi", "text/html", Kind.DOCUMENT),
        ("div.html", b"<div>hi<script>alert(1)</script></div>", "text/html", Kind.DOCUMENT),
        ("meta.htm", b'<meta charset="utf-8"><title>T</title>hi', "text/html", Kind.DOCUMENT),
        ("big5", "<html><p>親愛的奶奶,我們在台北度假".encode("big5"), "text/html", Kind.DOCUMENT),
        ("div.txt", b"<div>hi</div>", "text/plain", Kind.DOCUMENT),
        ("a.eml", MAIL, "message/rfc822", Kind.DOCUMENT),
        ("a.txt", "Grüße aus Rom\n".encode(), "text/plain", Kind.DOCUMENT),
        ("latin.txt", "Grüße aus Rom\n".encode("latin-1"), "text/plain", Kind.DOCUMENT),
        ("utf16.txt", "Grüße 🙂".encode("utf-16"), "text/plain", Kind.DOCUMENT),
        ("cp1251.txt", RUSSIAN.encode("cp1251"), "text/plain", Kind.DOCUMENT),
        ("koi8.md", RUSSIAN.encode("koi8-r"), "text/markdown", Kind.DOCUMENT),
        ("sjis.txt", "請求書の番号です。".encode("shift-jis"), "text/plain", Kind.DOCUMENT),
        ("greek.csv", "Αγαπητή,γιαγιά\n".encode("iso8859-7"), "text/csv", Kind.DOCUMENT),
        ("le.txt", RUSSIAN.encode("utf-16-le"), "text/plain", Kind.DOCUMENT),
        ("be.txt", "Grüße aus Rom".encode("utf-16-be"), "text/plain", Kind.DOCUMENT),
        ("a.bin", RUSSIAN.encode("cp1251"), magic.UNKNOWN, None),
        ("le.bin", RUSSIAN.encode("utf-16-le"), magic.UNKNOWN, None),
        ("dos", b"A letter of 1991\r\n\x1a", "text/plain", Kind.DOCUMENT),
        ("cpm.txt", b"A letter of 1981\r\n" + b"\x1a" * 100, "text/plain", Kind.DOCUMENT),
        ("log.txt", b"line one word\0\0 more text\n" * 5, "text/plain", Kind.DOCUMENT),
        ("zeros.txt", bytes(5000), magic.UNKNOWN, None),
        ("database", b"SQLite format 3" + bytes(100), magic.UNKNOWN, None),
        ("few.txt", bytes(50), magic.UNKNOWN, None),
        ("noise.txt", bytes(range(256)) * 9, magic.UNKNOWN, None),
        ("a.eml", MAIL + RUSSIAN.encode("cp1251") * 9, "message/rfc822", Kind.DOCUMENT),
        ("mail", MAIL + RUSSIAN.encode("cp1251") * 9, "message/rfc822", Kind.DOCUMENT),
        ("mbox.eml", b"From - Mon Jul 15 10:15\r\n" + MAIL, "message/rfc822", Kind.DOCUMENT),
        ("few.eml", b"X-Mozilla-Status: 1\nSubject: hi\n\nho", "message/rfc822", Kind.DOCUMENT),
        ("no.eml", b"Dear all,\n", "text/plain", Kind.DOCUMENT),
        ("notes.md", b"# Notes\n", "text/markdown", Kind.DOCUMENT),
        ("list.csv", b"a,b\n1,2\n", "text/csv", Kind.DOCUMENT),
        ("notes.jpg", b"no picture", "text/plain", Kind.DOCUMENT),
        ("IMG.xmp", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", "application/xml", None),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", None),
        ("takeout.json", b'{"title": "x"}', "application/json", None),
        ("a.bin", bytes(range(256)), magic.UNKNOWN, None),
        ("nul", b"abc\0def", magic.UNKNOWN, None),
        ("broken.xmp", b"<broken", "application/xml", None),
    ],
)
def test_the_bytes_say_what_a_file_is(
    tmp_path: Path, name: str, body: bytes, mime: str, kind: Kind | None
) -> None:
    found = identify(put(tmp_path, name, body))
    assert (found.mime, found.kind, found.size) == (mime, kind, len(body))
    assert found.hash == blake3(body).digest()


NOISE = bytes(range(255, -1, -1)) * 40


def flipped(archive: bytes, at: int) -> bytes:
    """The archive with one byte changed, counted from the packed content of its first part."""
    at += 30 + int.from_bytes(archive[26:28], "little") + int.from_bytes(archive[28:30], "little")
    return archive[:at] + bytes([archive[at] ^ 0xFF]) + archive[at + 1 :]


def packed(name: str, content: str, method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr(name, content)
        archive.writestr("content.xml", "<x/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("a.jpg", bytes(4096) + picture("JPEG")[4096:] + NOISE, "called .jpg,.* is no picture"),
        ("zeros.JPG", bytes(5000), "called .jpg,.* is no picture"),
        ("noise.heic", NOISE, "called .heic,.* is no picture"),
        ("a.nef", bytes(5000), "called .nef,.* is no picture"),
        ("a.mp4", bytes(5000), "called .mp4,.* is no video"),
        ("a.pdf", NOISE, "called .pdf,.* is no document"),
        ("cut.docx", office("word/document.xml")[:40], "damaged or cut off"),
        ("a.docx", office("holiday/photo.jpg"), "is no such document"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + NOISE, "protected by a password"),
    ],
)
def test_a_file_that_is_nothing_of_what_it_is_called_is_damaged(
    tmp_path: Path, name: str, body: bytes, reason: str
) -> None:
    with pytest.raises(Unreadable, match=reason):
        identify(put(tmp_path, name, body))


@pytest.mark.parametrize(
    "name",
    ["a.dat", "a.ts", "a.sr2", "a.raw", "a.txt", "a.zip", "jpg", "~$letter.docx", "a.jpg.tmp"],
)
def test_a_name_that_promises_nothing_is_no_damage(tmp_path: Path, name: str) -> None:
    assert identify(put(tmp_path, name, NOISE)).kind is None


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
@pytest.mark.parametrize("at", [4, 9, 12])
def test_an_office_file_that_cannot_say_its_type_is_damaged_in_words(
    tmp_path: Path, method: int, at: int
) -> None:
    body = flipped(packed("mimetype", "application/vnd.oasis.opendocument.text", method), at)
    with pytest.raises(Unreadable, match="damaged"):
        identify(put(tmp_path, "a.odt", body))
    assert identify(put(tmp_path, "a.zip", body)).mime == magic.ZIP


def test_a_file_longer_than_the_buffer_is_hashed_whole(tmp_path: Path) -> None:
    body = os.urandom(1000) * (3 * CHUNK // 1000)
    assert identify(put(tmp_path, "a", body)).hash == blake3(body).digest()


def test_a_cut_in_the_middle_of_a_character_does_not_make_text_unknown(tmp_path: Path) -> None:
    body = b"a" + "ü".encode() * magic.HEAD
    assert identify(put(tmp_path, "a.txt", body)).mime == "text/plain"


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="the file is empty"):
        identify(put(tmp_path, "a.jpg", b""))


def test_a_missing_file_is_gone_and_not_bad(tmp_path: Path) -> None:
    with pytest.raises(SourceGone):
        identify(os.fsencode(tmp_path / "nothing"))


def test_what_is_no_regular_file_is_never_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("elsewhere")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("pipe", "link", "loop", "."):
        with pytest.raises(Unreadable):
            identify(os.fsencode(tmp_path / name))


def test_a_file_that_grows_while_it_is_read_is_left_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, "a.jpg", picture("JPEG"))
    readv = os.readv

    def growing(descriptor: int, buffers: list[bytearray]) -> int:
        with open(path, "ab") as file:
            file.write(b"more")
        monkeypatch.setattr(os, "readv", readv)
        return readv(descriptor, buffers)

    monkeypatch.setattr(os, "readv", growing)
    with pytest.raises(Unreadable, match="changed while it was read"):
        identify(path)


@given(st.binary(max_size=400), st.sampled_from([b"", b".jpg", b".dng", b".md", b".json"]))
def test_any_bytes_have_a_type(body: bytes, extension: bytes) -> None:
    mime = magic.sniff(body, io.BytesIO(body), extension)
    assert "/" in mime
    assert magic.kind(mime) in (*Kind, None)
