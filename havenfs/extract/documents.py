"""The words of documents: PDF, office files, e-books, mail, web pages and plain text, with bounds on everything.

Looks at what a document says, never at how it looks (see pages). A hostile document ends in Unreadable. One thread of
a process at a time, because of pdfium.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from havenfs.entities import Text, TextOrigin

from . import mail, office, pdf, plaintext
from .original import opened

if TYPE_CHECKING:
    from typing import BinaryIO

CHARACTERS = 1_000_000
"""Of one document; the rest is left out. A thick novel has as many."""
MOST_READ = 4 << 20
"""Bytes of a text, page or mail that are looked at: CHARACTERS of any script, with mark-up."""
MOST_MAIL = 32 << 20
"""Bytes of a mail: what is attached often stands before the text."""

CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")
SPACES = re.compile(r"[ \t\xa0]+")
AROUND = re.compile(r" ?(?:\r\n|\n|\r|\x85|\u2028|\u2029) ?")
BLANKS = re.compile(r"\n{3,}")


def read(path: bytes, mime: str) -> Text | None:
    """Return the words of the document at *path*; None when it has none, or is of a type that nothing here reads.

    Scanned PDFs are read page by page: their origin is OCR, and ModelError may come as from ocr.read. Raises Unreadable
    and SourceGone.
    """
    with opened(path) as file:
        if mime == "application/pdf":
            found = pdf.text(file)
            return None if found is None else _tidied(found.body, found.origin, found.boxes)
        body = _body(file, mime)
    return None if body is None else _tidied(body, TextOrigin.DOCUMENT)


def _body(file: BinaryIO, mime: str) -> str | None:
    match mime:
        case "text/html":
            return plaintext.from_html(_head(file, MOST_READ))
        case "message/rfc822":
            return mail.text(_head(file, MOST_MAIL))
        case "application/rtf":
            return plaintext.from_rtf(_head(file, MOST_READ))
        case _ if mime.startswith("text/"):
            return plaintext.decode(_head(file, MOST_READ))
        case _:
            return office.text(file, mime)


def _head(file: BinaryIO, size: int) -> bytes:
    """The first *size* bytes: an unbuffered file may give fewer at a time."""
    pieces: list[bytes] = []
    while size > 0 and (piece := file.read(min(size, 1 << 20))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _tidied(body: str, origin: TextOrigin, boxes: bytes = b"") -> Text | None:
    """Control characters and runs of blanks out, at most CHARACTERS; None when nothing is left."""
    body = SPACES.sub(" ", CONTROLS.sub("", body[: 2 * CHARACTERS]))
    body = BLANKS.sub("\n\n", AROUND.sub("\n", body)).strip()[:CHARACTERS]
    return Text(origin=origin, body=body, boxes=boxes) if body else None
