"""The first page of documents that are no PDF: drawn from their words, or the thumbnail that lies in them."""

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from havenfs.extract import ocr, sheet
from havenfs.extract.identify import identify

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.extract.decode import Picture

WORDS = "Packing list for the journey\nPassports, umbrellas, the blue suitcase"
WORD = "<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'><w:body>{}</w:body></w:document>"
SLIDE = (
    "<p:sld xmlns:p='p' xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main'>{}</p:sld>"
)
ODT = "<office:document-content xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0'><office:body><office:text>{}</office:text></office:body></office:document-content>"


def archive(path: Path, parts: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, body in parts.items():
            file.writestr(name, body)
    return path


def paragraphs(pattern: str) -> str:
    return "".join(pattern.format(line) for line in WORDS.split("\n"))


def write(path: Path) -> Path:
    match path.suffix:
        case ".docx":
            body = WORD.format(paragraphs("<w:p><w:r><w:t>{}</w:t></w:r></w:p>"))
            return archive(path, {"word/document.xml": body})
        case ".pptx":
            body = SLIDE.format(paragraphs("<a:p><a:r><a:t>{}</a:t></a:r></a:p>"))
            return archive(path, {"ppt/presentation.xml": "<x/>", "ppt/slides/slide1.xml": body})
        case ".xlsx":
            body = f"<sst xmlns='x'>{paragraphs('<si><t>{}</t></si>')}</sst>"
            cells = "<worksheet xmlns='x'><sheetData><row><c t='s'><v>0</v></c></row><row><c t='s'><v>1</v></c></row></sheetData></worksheet>"
            return archive(
                path,
                {
                    "xl/workbook.xml": "<x/>",
                    "xl/sharedStrings.xml": body,
                    "xl/worksheets/sheet1.xml": cells,
                },
            )
        case ".odt":
            kind = "application/vnd.oasis.opendocument.text"
            body = ODT.format(paragraphs("<text:p>{}</text:p>"))
            return archive(path, {"mimetype": kind, "content.xml": body})
        case ".html":
            path.write_text(f"<!doctype html><html><body>{paragraphs('<p>{}</p>')}</body></html>")
        case ".eml":
            path.write_text(
                f"From: a@b.c\nTo: d@e.f\nSubject: Journey\nDate: Sun, 14 Jul 2019 10:15:00 +0200\n\n{WORDS}"
            )
        case _:
            path.write_text(WORDS)
    return path


def look(path: Path) -> Picture:
    name = os.fsencode(path)
    found = sheet.first(name, identify(name).mime)
    assert found is not None
    return found


@pytest.mark.parametrize("extension", ["docx", "odt", "xlsx", "pptx", "txt", "md", "html", "eml"])
def test_the_first_page_can_be_read(tmp_path: Path, extension: str):
    image = look(write(tmp_path / f"a.{extension}")).image
    assert image.size == (sheet.WIDTH, sheet.HEIGHT)
    found = ocr.read(image)
    assert found is not None
    assert "suitcase" in found.body
    assert "Passports" in found.body


@pytest.mark.parametrize(
    "line", ["x" * 5000, "word " * 3000, "\u6f22\u5b57" * 2000, "a\n" * 500, "\t\t\tindented"]
)
def test_no_text_runs_out_of_the_page(line: str):
    pixels = np.asarray(sheet.drawn(line).convert("L"))
    assert pixels.min() < 100
    assert (pixels[:, -40:] == 255).all()
    assert (pixels[-40:] == 255).all()


def test_a_page_is_full_at_the_first_look_and_no_book_is_set():
    assert np.array_equal(
        np.asarray(sheet.drawn("line\n" * 100)), np.asarray(sheet.drawn("line\n" * 100_000))
    )


def test_the_thumbnail_that_a_program_left_is_taken(tmp_path: Path):
    out = io.BytesIO()
    Image.new("RGB", (256, 181), "teal").save(out, "PNG")
    path = write(tmp_path / "a.odt")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("Thumbnails/thumbnail.png", out.getvalue())
    assert look(path).image.getpixel((5, 5)) == (0, 128, 128)


@pytest.mark.parametrize("body", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_a_damaged_thumbnail_is_as_good_as_none(tmp_path: Path, body: bytes):
    path = write(tmp_path / "a.odt")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("Thumbnails/thumbnail.png", body)
    assert look(path).image.size == (sheet.WIDTH, sheet.HEIGHT)
