"""The first page of a PDF as a picture. Text of documents is `documents`; this is only for eyes.

pdfium is not thread-safe: one worker process, one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pypdfium2

from havenfs.errors import Unreadable
from havenfs.extract.decode import LARGE, Picture, finish
from havenfs.extract.failures import reason
from havenfs.extract.original import opened

if TYPE_CHECKING:
    from PIL import Image


def first(path: bytes) -> Picture:
    """The first page, longer side LARGE pixels. Raises Unreadable and SourceGone."""
    with opened(path) as file:
        try:
            document = pypdfium2.PdfDocument(file)
            try:
                image = _render(document)
            finally:
                document.close()
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower():
                raise Unreadable("the PDF is protected by a password") from error
            raise reason(error, "PDF") from error
        except (OSError, ValueError, MemoryError) as error:
            raise reason(error, "PDF") from error
    return finish(image, *image.size)


def _render(document: pypdfium2.PdfDocument) -> Image.Image:
    if len(document) == 0:
        raise Unreadable("the PDF has no pages")
    page = document[0]
    width, height = page.get_size()
    if not (width >= 1 and height >= 1):
        raise Unreadable("the first page of the PDF has no size")
    untyped = cast(Any, page)
    bitmap = untyped.render(scale=LARGE / max(width, height), may_draw_forms=False)
    return cast("Image.Image", bitmap.to_pil()).convert("RGB")
