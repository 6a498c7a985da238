"""The text layer of a PDF, and the words on scanned pages. One thread of a process at a time: pdfium is not thread-safe."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pypdfium2
from pypdfium2 import raw as pdfium

from havenfs.entities import Text, TextOrigin
from havenfs.errors import Unreadable

from . import ocr

if TYPE_CHECKING:
    from PIL import Image

MOST_PAGES = 2000
MOST_CHARACTERS = 1_000_000
SECONDS = 20.0
"""For the text layer. A book of 600 pages takes about two."""
FEWEST = 16
"""Letters below which a text layer says nothing and the pages are taken for scans."""
SCANNED_PAGES = 4
"""Pages that are rendered and read: letters say who writes about what on the first ones, and each costs a second or two."""
SCAN_SECONDS = 60.0
DPI = 150
LONGEST_SIDE = 2400
"""Pixels of a rendered page; A4 at 150 dpi has 1754. A page may claim to be a mile long."""

raw = cast(Any, pdfium)  # generated bindings without types


def text(file: BinaryIO) -> Text | None:
    """Return the words of the PDF *file*, None when there are none. Raises Unreadable, and ModelError as ocr.read."""
    try:
        document = cast(Any, pypdfium2.PdfDocument(file))
    except pypdfium2.PdfiumError as error:
        raise _unreadable(error) from error
    try:
        count = len(document)
        if not count:
            reason = "the PDF has no pages"
            raise Unreadable(reason)
        body = _layer(document, min(count, MOST_PAGES))
        if sum(map(str.isalnum, body)) >= FEWEST:
            return Text(origin=TextOrigin.DOCUMENT, body=body)
        scanned = _scanned(document, min(count, SCANNED_PAGES))
        if scanned is not None:
            return scanned
        return Text(origin=TextOrigin.DOCUMENT, body=body) if body.strip() else None
    finally:
        document.close()


def _layer(document: Any, count: int) -> str:
    deadline = time.monotonic() + SECONDS
    pages: list[str] = []
    length = 0
    for index in range(count):
        try:
            page = document[index]
        except pypdfium2.PdfiumError:  # one page is damaged: the others may still say something
            continue
        try:
            layer = page.get_textpage()
            try:
                words = cast(str, layer.get_text_range())
            finally:
                layer.close()
        except pypdfium2.PdfiumError:
            words = ""
        finally:
            page.close()
        pages.append(
            words.replace("\r\n", "\n").replace("\ufffe", "")
        )  # U+FFFE: pdfium's mark for a hyphen at a break
        length += len(words)
        if length > MOST_CHARACTERS or time.monotonic() > deadline:
            break
    return "\n\n".join(pages)


def _scanned(document: Any, count: int) -> Text | None:
    """The words on the first pages; boxes of those on the first one only, which is the picture of the document."""
    deadline = time.monotonic() + SCAN_SECONDS
    pages: list[str] = []
    boxes = b""
    for index in range(count):
        if time.monotonic() > deadline:
            break
        try:
            picture = _rendered(document[index])
        except pypdfium2.PdfiumError:
            continue
        if ocr.likeness(picture) < ocr.GATE:
            continue
        found = ocr.read(picture)
        if found is not None:
            pages.append(found.body)
            boxes = boxes if index else found.boxes
    return Text(origin=TextOrigin.OCR, body="\n\n".join(pages), boxes=boxes) if pages else None


def _rendered(page: Any) -> Image.Image:
    try:
        width, height = page.get_size()
        scale = min(DPI / 72, LONGEST_SIDE / max(width, height, 1))
        bitmap = page.render(scale=scale, grayscale=True)
        try:
            return cast("Image.Image", bitmap.to_pil()).copy()  # the bitmap's memory goes with it
        finally:
            bitmap.close()
    finally:
        page.close()


def _unreadable(error: pypdfium2.PdfiumError) -> Unreadable:
    if getattr(error, "err_code", None) in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
        return Unreadable("the PDF is protected by a password")
    return Unreadable("the PDF is damaged")
