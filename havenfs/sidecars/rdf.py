"""Properties in an RDF tree, in each form that XMP allows, read and changed in place.

A property is an attribute or an element of a top-level rdf:Description; a structure is attributes and elements of the
node itself, of an rdf:Description in it, or of one with rdf:parseType. Knows forms; not what properties mean.
Source: ISO 16684-1, 7.4 to 7.9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from xml.etree.ElementTree import Element, SubElement

from havenfs.errors import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
XML = "{http://www.w3.org/XML/1998/namespace}"
_META = "{adobe:ns:meta/}xmpmeta"
LI, LANG = f"{RDF}li", f"{XML}lang"
BAG, SEQ, ALT = f"{RDF}Bag", f"{RDF}Seq", f"{RDF}Alt"
_DESCRIPTION, _ABOUT, _RESOURCE = f"{RDF}Description", f"{RDF}about", f"{RDF}resource"


def empty() -> Element:
    """A document that says nothing."""
    root = Element(_META)
    SubElement(SubElement(root, f"{RDF}RDF"), _DESCRIPTION, {_ABOUT: ""})
    return root


class Properties:
    """The properties of a document, over its tree. Raises Unreadable for a document that is no XMP."""

    def __init__(self, root: Element) -> None:
        found = root if root.tag == f"{RDF}RDF" else root.find(f"{RDF}RDF")
        if found is None:
            raise Unreadable("it is no XMP")
        self._rdf = found

    def _nodes(self) -> list[Element]:
        return self._rdf.findall(_DESCRIPTION)

    def element(self, name: str) -> Element | None:
        """The property where it is an element."""
        return next((e for n in self._nodes() if (e := n.find(name)) is not None), None)

    def attribute(self, name: str) -> str | None:
        """The property where it is an attribute."""
        return next((v for n in self._nodes() if (v := n.get(name)) is not None), None)

    def has(self, name: str) -> bool:
        """Whether anything is said."""
        return self.element(name) is not None or self.attribute(name) is not None

    def text(self, name: str) -> str:
        """A simple value, or the first of several; empty without one."""
        return next((text for text in self.texts(name) if text), "")

    def texts(self, name: str) -> list[str]:
        """The values of a list, or the one value; stripped."""
        attribute = self.attribute(name)
        if attribute is not None:
            return [attribute.strip()]
        element = self.element(name)
        if element is None:
            return []
        listed = lines(element)
        return [value(one) for one in listed] if listed else [value(element)]

    def remove(self, name: str) -> None:
        """Say nothing of it any more."""
        for node in self._nodes():
            node.attrib.pop(name, None)
            for element in node.findall(name):
                node.remove(element)

    def put(self, name: str, text: str) -> None:
        """Make it one simple value, in the form in which it stands there already."""
        for node in self._nodes():
            if name in node.attrib:
                node.set(name, text)
                return
        self.remove(name)
        SubElement(self._home(), name).text = text

    def container(self, name: str, kind: str) -> Element:
        """The list (BAG, SEQ or ALT) that holds it; made from a single value, or empty, if it is none yet."""
        element = self.element(name)
        if element is not None:
            for child in element:
                if child.tag in (BAG, SEQ, ALT):
                    return child
        before = [text for text in self.texts(name) if text]
        self.remove(name)
        made = SubElement(SubElement(self._home(), name), kind)
        for text in before:
            SubElement(made, LI).text = text
        return made

    def structure(self, name: str) -> Element:
        """The node whose attributes and elements are the fields of it; made if missing."""
        element = self.element(name)
        if element is None:
            self.remove(name)
            element = SubElement(self._home(), name, {f"{RDF}parseType": "Resource"})
        return body(element)

    def _home(self) -> Element:
        """Where something new goes: the first description."""
        nodes = self._nodes()
        return nodes[0] if nodes else SubElement(self._rdf, _DESCRIPTION, {_ABOUT: ""})


def lines(element: Element) -> list[Element]:
    """The items of the list in a property."""
    for child in element:
        if child.tag in (BAG, SEQ, ALT):
            return child.findall(LI)
    return []


def value(element: Element) -> str:
    """The text of a simple node, with or without qualifiers."""
    inner = element.find(f"{RDF}value")
    inner = body(element).find(f"{RDF}value") if inner is None else inner
    text = (element if inner is None else inner).text
    return (text or element.get(_RESOURCE) or "").strip()


def body(element: Element) -> Element:
    """The node that carries the fields of a structure: the element, or the one description in it."""
    inner = element.find(_DESCRIPTION)
    return element if inner is None else inner


def field(element: Element, name: str) -> str:
    """A simple field of a structure; empty without one."""
    node = body(element)
    attribute = node.get(name, element.get(name))
    if attribute is not None:
        return attribute.strip()
    child = node.find(name)
    return "" if child is None else value(child)


def inner(element: Element, name: str) -> Element | None:
    """A field of a structure that is a structure or list itself."""
    return body(element).find(name)


def resource(parent: Element, name: str, values: Iterable[tuple[str, str]] = ()) -> Element:
    """Add a structure of simple fields."""
    made = SubElement(parent, name, {f"{RDF}parseType": "Resource"})
    for key, text in values:
        simple(made, key, text)
    return made


def simple(parent: Element, name: str, text: str) -> Element:
    """Add a simple value."""
    made = SubElement(parent, name)
    made.text = text
    return made


def tag(element: Element) -> str:
    """The name of a node; empty for comments and processing instructions, whose tag is a function."""
    name = cast("object", element.tag)
    return name if isinstance(name, str) else ""
