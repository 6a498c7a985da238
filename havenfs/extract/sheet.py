"""The first page of a document that is no PDF, as a picture: the thumbnail that its program put in, else its first words.

A plain rendering of our own, so that a wall of documents can be told apart by eye; not what the program would print.
Pillow draws; the type is its own, or what the system has for scripts that it lacks.
"""

from __future__ import annotations

import functools
import io
import textwrap
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PIL import Image, ImageDraw, ImageFont

from havenfs.errors import Unreadable
from havenfs.extract import archives, documents
from havenfs.extract.decode import Picture, decode_file, finish
from havenfs.extract.original import opened

if TYPE_CHECKING:
    from typing import BinaryIO

WIDTH, HEIGHT = 1018, 1440
"""Pixels: A4."""
MARGIN = 96
SIZE = 22  # pixels of type: 60 lines a page
LEADING = 1.35
HEADING = 34
INK, PAPER, RULE = (32, 33, 36), (255, 255, 255), (218, 220, 224)
_HEADED = 80  # characters of a first line that may be a heading
_THUMBNAILS = (
    "Thumbnails/thumbnail.png",
    "docProps/thumbnail.jpeg",
    "docProps/thumbnail.jpg",
    "docProps/thumbnail.png",
)
_SMALLEST = 200  # pixels; LibreOffice writes 256, PowerPoint 256 x 144
_THUMBNAIL_BYTES = 4 << 20
_FONTS = (
    "dejavu/DejaVuSans.ttf",
    "noto/NotoSans-Regular.ttf",
    "liberation/LiberationSans-Regular.ttf",
)


def first(path: bytes, mime: str) -> Picture | None:
    """The first page of the document at *path*; None for one without words. Raises Unreadable and SourceGone."""
    with opened(path) as file:
        picture = _embedded(file)
    if picture is not None:
        return picture
    text = documents.read(path, mime)
    return None if text is None else finish(drawn(text.body), WIDTH, HEIGHT)


def drawn(text: str) -> Image.Image:
    """A page with the beginning of *text*, set ragged right; a short first line is its heading."""
    page = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(page)
    x, y = MARGIN, MARGIN
    lines = text.strip().split("\n")
    if len(lines) > 1 and len(lines[0]) <= _HEADED:
        for line in _set(lines.pop(0), HEADING):
            draw.text((x, y), line, INK, font=_font(HEADING))
            y += round(HEADING * LEADING)
        draw.line((x, y + 6, WIDTH - MARGIN, y + 6), RULE, 2)
        y += 30
    for paragraph in lines:
        for line in _set(paragraph, SIZE) or [""]:
            if y > HEIGHT - MARGIN:
                return page
            draw.text((x, y), line, INK, font=_font(SIZE))
            y += round(SIZE * (LEADING if line else LEADING / 2))
    return page


def _set(paragraph: str, size: int) -> list[str]:
    """The lines of a paragraph. Broken by characters first, then by what they measure: names of files have no blanks."""
    font, room = _font(size), WIDTH - 2 * MARGIN
    lines: list[str] = []
    for line in textwrap.wrap(paragraph[:8000].replace("\t", "    "), round(room / size * 2.4)):
        while font.getlength(line) > room:
            cut = max(1, int(len(line) * room / font.getlength(line)))
            at = line.rfind(" ", 1, cut) if " " in line[1:cut] else cut
            lines.append(line[:at])
            line = line[at:].lstrip()
        lines.append(line)
    return lines


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """One of the system's, which has more scripts than Pillow's own."""
    for name in _FONTS:
        path = Path("/usr/share/fonts/truetype", name)
        if path.exists():
            return ImageFont.truetype(str(path), size)
    return cast("ImageFont.FreeTypeFont", ImageFont.load_default(size))


def _embedded(file: BinaryIO) -> Picture | None:
    """The thumbnail in an office file; None without one that is worth a look."""
    if file.read(2) != b"PK":
        return None
    try:
        with archives.reading(), zipfile.ZipFile(file) as archive:
            for name in _THUMBNAILS:
                try:
                    info = archive.getinfo(name)
                except KeyError:
                    continue
                if info.file_size > _THUMBNAIL_BYTES:
                    continue
                with archive.open(info) as part:
                    body = part.read(_THUMBNAIL_BYTES)
                picture = decode_file(io.BytesIO(body), len(body))
                if max(picture.image.size) >= _SMALLEST:
                    return picture
    except Unreadable:
        return None
    return None
