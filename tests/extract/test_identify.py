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
        ("a.docx", office("holiday/photo.jpg"), "application/zip", None),
        ("cut.docx", office("word/document.xml")[:40], "application/zip", None),
        ("a.html", b"<!DOCTYPE html><html><p>hi", "text/html", Kind.DOCUMENT),
        ("a.eml", MAIL, "message/rfc822", Kind.DOCUMENT),
        ("a.txt", "Grüße aus Rom\n".encode(), "text/plain", Kind.DOCUMENT),
        ("latin.txt", "Grüße aus Rom\n".encode("latin-1"), "text/plain", Kind.DOCUMENT),
        ("utf16.txt", "Grüße 🙂".encode("utf-16"), "text/plain", Kind.DOCUMENT),
        ("notes.md", b"# Notes\n", "text/markdown", Kind.DOCUMENT),
        ("list.csv", b"a,b\n1,2\n", "text/csv", Kind.DOCUMENT),
        ("notes.jpg", b"no picture", "text/plain", Kind.DOCUMENT),
        ("IMG.xmp", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", "application/xml", None),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", None),
        ("takeout.json", b'{"title": "x"}', "application/json", None),
        ("a.bin", bytes(range(256)), magic.UNKNOWN, None),
        ("nul.txt", b"abc\0def", magic.UNKNOWN, None),
    ],
)
def test_the_bytes_say_what_a_file_is(
    tmp_path: Path, name: str, body: bytes, mime: str, kind: Kind | None
) -> None:
    found = identify(put(tmp_path, name, body))
    assert (found.mime, found.kind, found.size) == (mime, kind, len(body))
    assert found.hash == blake3(body).digest()


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
