"""The words of office files and e-books: archives of XML, taken apart with bounds. Nothing is executed or looked up.

A zip can promise kilobytes and unpack to terabytes, and XML can do the same with entities: sizes are counted while
unpacking, and any document type declaration ends the reading. Pure; any thread.
"""

from __future__ import annotations

import re
import time
import zipfile
from typing import IO, TYPE_CHECKING, BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from havenfs.errors import Unreadable

from . import archives, plaintext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from xml.etree.ElementTree import Element

MOST_UNPACKED = 64 << 20
"""Bytes of one document, all parts together. A novel in .docx has 5 MB of XML."""
MOST_RATIO = 250
"""Unpacked to packed, per part larger than RATIO_FROM. XML of real spreadsheets reaches 60; zip bombs 1000."""
RATIO_FROM = 1 << 20
MOST_MEMBERS = 20_000
SECONDS = 20.0
CHARACTERS = 1_000_000

PROTECTED = "the document is protected by a password"

DEEPEST = 500
"""Tags within tags. Word writes some thirty."""
MOST_TAGS = 500_000
"""Tags of one paragraph."""

XML_FAULTS = (ParseError, DefusedXmlException)
"""What the XML parser raises about bad data."""

OPEN_XML = "application/vnd.openxmlformats-officedocument."
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
NUMBER = re.compile(r"(\d+)")

PIECES = {"tab": "\t", "br": "\n", "cr": "\n", "s": " ", "line-break": "\n", "noBreakHyphen": "-"}
"""Empty tags that stand for a character."""
UNSEEN = frozenset({"instrText", "delText", "Fallback", "rPh", "f", "tracked-changes"})
"""Tags whose text a reader does not see: field codes, deleted words, second forms of the same, pronunciation, formulas."""


def text(file: BinaryIO, mime: str) -> str | None:
    """Return the words of the office document or e-book *file*, None for a type that is none of these.

    Raises Unreadable.
    """
    read = READERS.get(mime)
    if read is None:
        return None
    parts: list[str] = []
    length = 0
    try:
        with archives.reading():
            for part in read(_Archive(file)):
                parts.append(part)
                length += len(part)
                if length > CHARACTERS:
                    break
    except XML_FAULTS as error:
        raise Unreadable(archives.DAMAGED) from error
    return "".join(parts)


class _Archive:
    """The parts of one zip file, counted and timed."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file)
        self._left = MOST_UNPACKED
        self._deadline = time.monotonic() + SECONDS
        infos = self._zip.infolist()
        if len(infos) > MOST_MEMBERS:
            reason = f"the document has {len(infos)} parts"
            raise Unreadable(reason)
        self._infos = {info.filename: info for info in infos}

    def names(self, pattern: str) -> list[str]:
        """Parts whose whole name matches, numbers in their natural order."""
        found = [name for name in self._infos if re.fullmatch(pattern, name)]
        return sorted(found, key=_natural)

    def read(self, name: str) -> bytes:
        """The whole part; b"" when there is none."""
        info = self._infos.get(name)
        if info is None:
            return b""
        with self._opened(info) as part:
            counted = _Counted(part, self._take)
            return b"".join(iter(lambda: counted.read(1 << 16), b""))

    def ends(self, name: str, tags: frozenset[str]) -> Iterator[tuple[str, dict[str, str], str]]:
        """(local name, attributes, text) of every element of *tags* in a part, at its end; nothing without the part.

        The text is without that of elements of *tags* inside it, which came before. What was passed is let go.
        """
        info = self._infos.get(name)
        if info is None:
            return
        with self._opened(info) as part:
            stack: list[Element] = []
            wanted = held = hidden = 0
            for event, element in iterparse(
                _Counted(part, self._take), events=("start", "end"), forbid_dtd=True
            ):
                tag = _local(element.tag)
                if event == "start":
                    stack.append(element)
                    wanted += tag in tags
                    hidden += tag in UNSEEN
                    held = held + 1 if wanted else 0
                    if len(stack) > DEEPEST or held > MOST_TAGS:
                        raise Unreadable(archives.DAMAGED)
                    continue
                stack.pop()
                if tag in PIECES:
                    element.text = PIECES[tag]
                elif tag in UNSEEN:
                    hidden -= 1
                    element.clear()
                if tag in tags:
                    wanted -= 1
                    if not hidden:
                        yield tag, dict(element.attrib), "".join(element.itertext())
                    element.clear()
                if not wanted and stack:
                    del stack[-1][:]

    def _opened(self, info: zipfile.ZipInfo) -> IO[bytes]:
        if info.flag_bits & 1:
            raise Unreadable(PROTECTED)
        if info.file_size > RATIO_FROM and info.file_size > MOST_RATIO * max(info.compress_size, 1):
            reason = "the document unpacks to more than it can hold (a zip bomb)"
            raise Unreadable(reason)
        return self._zip.open(info)

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            reason = f"the document unpacks to more than {MOST_UNPACKED >> 20} MB"
            raise Unreadable(reason)
        if time.monotonic() > self._deadline:
            reason = f"the document took longer than {SECONDS:.0f} s to take apart"
            raise Unreadable(reason)


class _Counted:
    """A part being unpacked; every byte is counted, whatever the archive says about its size."""

    def __init__(self, file: IO[bytes], take: Callable[[int], None]) -> None:
        self._file = file
        self._take = take

    def read(self, size: int = -1, /) -> bytes:
        piece = self._file.read(size if size > 0 else 1 << 16)
        self._take(len(piece))
        return piece


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in NUMBER.split(name)]


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _paragraphs(archive: _Archive, names: Iterable[str], tags: frozenset[str]) -> Iterator[str]:
    for name in names:
        for _, _, words in archive.ends(name, tags):
            yield words + "\n"


def _word(archive: _Archive) -> Iterator[str]:
    names = archive.names(r"word/(document|footnotes|endnotes|header|footer|comments)\d*\.xml")
    names.sort(key=lambda name: "document" not in name)
    return _paragraphs(archive, names, frozenset({"p"}))


def _slides(archive: _Archive) -> Iterator[str]:
    names = archive.names(r"ppt/slides/slide\d+\.xml") + archive.names(
        r"ppt/notesSlides/notesSlide\d+\.xml"
    )
    return _paragraphs(archive, names, frozenset({"p"}))


def _sheets(archive: _Archive) -> Iterator[str]:
    """Row by row; strings are kept once for the whole workbook and cells name them by number."""
    for name in archive.names(r"xl/workbook\d*\.xml"):
        for _, attributes, _ in archive.ends(name, frozenset({"sheet"})):
            yield attributes.get("name", "") + "\n"
    shared = [
        words
        for name in archive.names(r"xl/sharedStrings\d*\.xml")
        for _, _, words in archive.ends(name, frozenset({"si"}))
    ]
    for name in archive.names(r"xl/worksheets/sheet\d+\.xml"):
        for tag, attributes, words in archive.ends(name, frozenset({"row", "c"})):
            if tag == "row":
                yield "\n"
            elif attributes.get("t") != "s":
                yield words + "\t"
            elif words.isdecimal() and int(words) < len(shared):
                yield shared[int(words)] + "\t"


def _open_document(archive: _Archive) -> Iterator[str]:
    if b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise Unreadable(PROTECTED)
    return _paragraphs(archive, ["content.xml"], frozenset({"p", "h"}))


def _book(archive: _Archive) -> Iterator[str]:
    for name in archive.names(r"(?!META-INF/).*\.x?html?"):
        yield plaintext.from_html(archive.read(name)) + "\n"


READERS: dict[str, Callable[[_Archive], Iterator[str]]] = {
    OPEN_XML + "wordprocessingml.document": _word,
    OPEN_XML + "presentationml.presentation": _slides,
    OPEN_XML + "spreadsheetml.sheet": _sheets,
    OPEN_DOCUMENT + "text": _open_document,
    OPEN_DOCUMENT + "spreadsheet": _open_document,
    OPEN_DOCUMENT + "presentation": _open_document,
    "application/epub+zip": _book,
}
