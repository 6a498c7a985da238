"""The text layer of a PDF, and the words on scanned pages. One thread of a process at a time: pdfium is not thread-safe."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pypdfium2
from pypdfium2 import raw as pdfium

from havenfs.entities import Text, TextOrigin
from havenfs.errors import ModelError, Unreadable

from . import ocr

if TYPE_CHECKING:
    from PIL import Image

MOST_PAGES = 2000
MOST_CHARACTERS = 1_000_000
SECONDS = 20.0
"""For the text layer. A book of 600 pages takes about two."""
FEWEST = 16
"""Letters below which a page's text layer says nothing and the page is taken for a scan."""
SCANNED_PAGES = 4
"""Scans that are read: letters say who writes about what on the first ones, and each costs a second or two."""
RENDERED_PAGES = 12
"""Pages that are looked at for print. A book of photographs has hundreds without."""
SCAN_SECONDS = 60.0
DPI = 150
LONGEST_SIDE = 2400
"""Pixels of a rendered page; A4 at 150 dpi has 1754. A page may claim to be a mile long."""

raw = cast(Any, pdfium)  # generated bindings without types


def text(file: BinaryIO) -> Text | None:
    """Return the words of the PDF *file*, None when there are none. Raises Unreadable, and ModelError as ocr.read.

    Each page for itself: a scan that somebody has put a typed cover on is still a scan.
    """
    try:
        document = cast(Any, pypdfium2.PdfDocument(file))
    except pypdfium2.PdfiumError as error:
        raise _unreadable(error) from error
    try:
        count = len(document)
        if not count:
            reason = "the PDF has no pages"
            raise Unreadable(reason)
        layers = _layers(document, min(count, MOST_PAGES))
        scans = _scans(document, layers)
    finally:
        document.close()
    pages = [scans[at].body if at in scans else layer for at, layer in enumerate(layers)]
    body = "\n\n".join(pages)
    if not body.strip():
        return None
    first = next(at for at, page in enumerate(pages) if page.strip())
    return Text(
        origin=TextOrigin.OCR if first in scans else TextOrigin.DOCUMENT,
        body=body,
        boxes=scans[0].boxes if 0 in scans else b"",  # that page is the document's picture
    )


def _layers(document: Any, count: int) -> list[str]:
    """The text layer of each page, as far as there is time for."""
    deadline = time.monotonic() + SECONDS
    pages: list[str] = []
    length = 0
    for index in range(count):
        words = _layer(document, index)
        pages.append(
            words.replace("\r\n", "\n").replace("\ufffe", "")
        )  # U+FFFE: pdfium's mark for a hyphen at a break
        length += len(words)
        if length > MOST_CHARACTERS or time.monotonic() > deadline:
            break
    return pages


def _layer(document: Any, index: int) -> str:
    try:
        page = document[index]
    except pypdfium2.PdfiumError:  # one page is damaged: the others may still say something
        return ""
    try:
        layer = page.get_textpage()
        try:
            return cast(str, layer.get_text_range())
        finally:
            layer.close()
    except pypdfium2.PdfiumError:
        return ""
    finally:
        page.close()


def _scans(document: Any, layers: list[str]) -> dict[int, Text]:
    """What is read on the first pages whose layers say nothing, where it is more than those say.

    Raises what ocr.read raises when nothing else is known of the document.
    """
    deadline = time.monotonic() + SCAN_SECONDS
    bare = [at for at, layer in enumerate(layers) if sum(map(str.isalnum, layer)) < FEWEST]
    found: dict[int, Text] = {}
    fault: Unreadable | ModelError | None = None
    tries = 0
    for index in bare[:RENDERED_PAGES]:
        if tries == SCANNED_PAGES or time.monotonic() > deadline:
            break
        try:
            picture = _rendered(document[index])
        except pypdfium2.PdfiumError:
            continue
        if ocr.likeness(picture) < ocr.GATE:
            continue
        tries += 1
        try:
            words = ocr.read(picture)
        except (Unreadable, ModelError) as error:
            fault = error
            continue
        if words is not None and len(words.body.split()) > len(layers[index].split()):
            found[index] = words
    if fault is not None and not found and len(bare) == len(layers):
        raise fault
    return found


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
