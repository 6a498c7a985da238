"""XML of strangers into a tree: the one parser of XMP, for reading facts and for whoever writes sidecars.

Knows XML and how large XMP may be; not what its properties mean. Keeps what a rewrite must not lose: the prefixes of
namespaces, comments, processing instructions, white space. Entities, document types, depth and size are refused:
expat alone would follow them to gigabytes. Pure; any thread.
"""

from __future__ import annotations

from codecs import BOM_UTF16_LE
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import PI, Comment, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from havenfs.errors import Unreadable

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES = 4 << 20
MAX_DEPTH = 64
"""Levels of elements. A face region of the MWG is nine deep, edits of Lightroom with masks are about twenty."""
MAX_ELEMENTS = 200_000
"""A darktable history with drawn masks has some thousands."""
_PADDING = b"\0 \t\r\n"  # packets inside pictures are padded, some with zeros


@dataclass(slots=True)
class Packet:
    """A parsed XMP document. The tree is the caller's to change."""

    root: Element
    prefixes: dict[str, str]
    """Namespace -> the prefix that its author used; each prefix stands for one namespace only."""
    before: list[Element[Any]] = field(default_factory=list["Element[Any]"])
    """Comments and processing instructions before the root: `<?xpacket begin=...?>`."""
    after: list[Element[Any]] = field(default_factory=list["Element[Any]"])


class _Builder:
    """What expat reports into a tree, within limits."""

    def __init__(self) -> None:
        self._tree = TreeBuilder(insert_comments=True, insert_pis=True)
        self._depth = self._count = 0
        self._root: Element | None = None
        self.prefixes: dict[str, str] = {}
        self.before: list[Element[Any]] = []
        self.after: list[Element[Any]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        self._depth += 1
        self._count += 1 + len(attributes)
        if self._depth > MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise ValueError("it is nested too deeply or too long")
        element = self._tree.start(tag, attributes)
        if self._root is None:
            self._root = element
        return element

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return self._tree.end(tag)

    def data(self, text: str) -> None:
        if self._depth:
            self._tree.data(text)

    def comment(self, text: str) -> None:
        if self._depth:
            self._tree.comment(text)
        else:
            self._outside().append(Comment(text))

    def pi(self, target: str, text: str | None = None) -> None:
        if self._depth:
            self._tree.pi(target, text)
        else:
            self._outside().append(PI(target, text))

    def start_ns(self, prefix: str, uri: str) -> None:
        if prefix and uri not in self.prefixes and prefix not in self.prefixes.values():
            self.prefixes[uri] = prefix

    def close(self) -> Element:
        return self._tree.close()

    def _outside(self) -> list[Element[Any]]:
        return self.before if self._root is None else self.after


def parse(data: bytes) -> Packet:
    """The document in *data*. Raises Unreadable: not well-formed, too long, too deep, or with a document type."""
    if len(data) > MAX_BYTES:
        raise Unreadable("its XMP is too long")
    builder = _Builder()
    parser = XMLParser(target=builder, forbid_dtd=True)
    try:
        # In little-endian UTF-16 the last zero belongs to the last character.
        parser.feed(data if data[:2] == BOM_UTF16_LE else data.strip(_PADDING))
        root: Element = parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        # LookupError: an unknown encoding
        raise Unreadable(f"its XMP cannot be read: {error}") from error
    return Packet(root, builder.prefixes, builder.before, builder.after)
