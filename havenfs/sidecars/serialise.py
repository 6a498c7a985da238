"""A packet as bytes: UTF-8, each namespace declared once under its author's own prefix. Pure; any thread.

Not ElementTree's writer: that one renames prefixes, by a table which all threads share.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Comment, Element

from .rdf import tag

if TYPE_CHECKING:
    from havenfs.extract.packet import Packet

PREFIXES = {
    "http://www.w3.org/XML/1998/namespace": "xml",
    "adobe:ns:meta/": "x",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://www.digikam.org/ns/1.0/": "digiKam",
    "http://www.metadataworkinggroup.com/schemas/regions/": "mwg-rs",
    "http://www.metadataworkinggroup.com/schemas/collections/": "mwg-coll",
    "http://ns.adobe.com/xap/1.0/sType/Dimensions#": "stDim",
    "http://ns.adobe.com/xmp/sType/Area#": "stArea",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "urn:havenfs:1.0/": "haven",
}
"""The usual prefix of each namespace that we write."""
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECLARED_AT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"


def legal(text: str) -> str:
    """*text* without the characters that XML 1.0 cannot hold."""
    return _ILLEGAL.sub("", text)


def serialise(packet: Packet) -> bytes:
    """The document, with what stood around it."""
    writer = _Writer(packet.prefixes)
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    for node in packet.before:
        parts += [writer.aside(node), "\n"]
    writer.element(packet.root, {}, parts)
    parts.append("\n")
    for node in packet.after:
        parts += [writer.aside(node), "\n"]
    return "".join(parts).encode()


class _Writer:
    """One document under way."""

    def __init__(self, prefixes: dict[str, str]) -> None:
        self._prefixes = {**prefixes, "http://www.w3.org/XML/1998/namespace": "xml"}

    def _prefix(self, uri: str) -> str:
        known = self._prefixes.get(uri)
        if known is None:
            wanted = PREFIXES.get(uri, "ns")
            taken = set(self._prefixes.values())
            known = next(
                p for n in range(len(taken) + 1) if (p := f"{wanted}{n or ''}") not in taken
            )
            self._prefixes[uri] = known
        return known

    def _name(self, name: str) -> str:
        uri, _, local = name[1:].rpartition("}") if name.startswith("{") else ("", "", name)
        return f"{self._prefix(uri)}:{local}" if uri else local

    def aside(self, node: Element) -> str:
        """A comment or a processing instruction."""
        return f"<!--{node.text}-->" if node.tag is Comment else f"<?{node.text}?>"

    def element(self, node: Element, scope: dict[str, str], parts: list[str]) -> None:
        """*node* and all below it; *scope*: namespaces that are declared around it."""
        # Whole descriptions declare for all that is in them, as every program writes them.
        used = _namespaces(node, deep=node.tag == _DECLARED_AT and _DECLARED_AT not in scope)
        fresh = {uri: self._prefix(uri) for uri in used if uri not in scope}
        fresh.pop("http://www.w3.org/XML/1998/namespace", None)
        inside = {**scope, **fresh}
        if node.tag == _DECLARED_AT:
            inside[_DECLARED_AT] = ""
        name = self._name(node.tag)
        attributes = [f' xmlns:{prefix}="{_quoted(uri)}"' for uri, prefix in fresh.items()]
        attributes += [f' {self._name(key)}="{_quoted(text)}"' for key, text in node.attrib.items()]
        parts.append(f"<{name}{''.join(attributes)}")
        if not len(node) and not node.text:
            parts.append("/>")
            return
        parts += [">", _escaped(node.text or "")]
        for child in node:
            if tag(child):
                self.element(child, inside, parts)
            else:
                parts.append(self.aside(child))
            parts.append(_escaped(child.tail or ""))
        parts.append(f"</{name}>")


def _namespaces(node: Element, *, deep: bool) -> list[str]:
    """The namespaces of the names in *node*, in the order in which they occur."""
    names: dict[str, None] = {}
    for each in node.iter() if deep else (node,):
        for name in (tag(each), *each.attrib):
            if name.startswith("{"):
                names[name[1:].rpartition("}")[0]] = None
    return list(names)


def _escaped(text: str) -> str:
    text = legal(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")  # a bare one would be read as a line feed


def _quoted(text: str) -> str:
    text = _escaped(text).replace('"', "&quot;")
    return text.replace("\t", "&#9;").replace("\n", "&#10;")
