"""Tags and albums: lists of paths, as the programs of this field keep them.

Tags stand in three lists: dc:subject (words), lr:hierarchicalSubject ("Places|Italy") and digiKam:TagsList ("Places/Italy").
Programs may write one and not the others, so the most exact that is there is believed, and words that none of its paths
contains are tags of their own. Albums stand in the MWG's collections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from .rdf import BAG, LI, SEQ, Properties, field, lines, resource, simple, value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .given import TagPath

SUBJECT = "{http://purl.org/dc/elements/1.1/}subject"
HIERARCHY = "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject"
TAGS = "{http://www.digikam.org/ns/1.0/}TagsList"
_COLL = "{http://www.metadataworkinggroup.com/schemas/collections/}"
COLLECTIONS = f"{_COLL}Collections"
_ALBUM = "urn:havenfs:album:"
_TWINS = {"|": "\uff5c", "/": "\uff0f"}
"""Separators have no escape: within a part, the full-width character stands for its twin."""


def tags(properties: Properties) -> list[TagPath]:
    """Every tag, each once."""
    paths = _paths(properties, HIERARCHY, "|") or _paths(properties, TAGS, "/")
    known = {part for path in paths for part in path}
    words = (_twin(word, "|") for word in properties.texts(SUBJECT) if word)
    paths += [(word,) for word in words if word not in known]
    return list(dict.fromkeys(paths))


def _paths(properties: Properties, name: str, separator: str) -> list[TagPath]:
    parted = (text.split(separator) for text in properties.texts(name))
    paths = (tuple(part.strip() for part in parts if part.strip()) for parts in parted)
    return [path for path in paths if path]


def change_tags(
    properties: Properties,
    before: Iterable[TagPath],
    removed: Iterable[TagPath],
    added: Iterable[TagPath],
) -> None:
    """Take out and put in, in all three lists. *before*: what `tags` says now."""
    gone, fresh = set(removed), list(added)
    if not gone and not fresh:
        return
    staying = [path for path in before if path not in gone]
    now = staying + [path for path in fresh if path not in staying]
    for name, separator, kind in ((HIERARCHY, "|", BAG), (TAGS, "/", SEQ)):
        # A list that was not there says all from now on: half of it would be believed to be all.
        spelt = [separator.join(_twin(part, separator) for part in path) for path in now]
        _rewrite(properties, name, kind, keep=set(spelt), add=spelt, parts=separator)
    words = {part for path in now for part in path}
    _rewrite(properties, SUBJECT, BAG, keep=words, add=[path[-1] for path in now], parts="")


def _rewrite(
    properties: Properties, name: str, kind: str, *, keep: set[str], add: list[str], parts: str
) -> None:
    """Drop the items that are not to be kept, add those that are missing; the others stay where they are."""
    bag = properties.container(name, kind)
    there: set[str] = set()
    for li in bag.findall(LI):
        text = value(li)
        if parts:
            text = parts.join(p.strip() for p in text.split(parts) if p.strip())
        else:
            text = _twin(text, "|")
        if text in keep:
            there.add(text)
        else:
            bag.remove(li)
    for text in dict.fromkeys(add):
        if text not in there:
            simple(bag, LI, text)
    if bag.find(LI) is None:
        properties.remove(name)


def _twin(part: str, separator: str) -> str:
    return part.replace(separator, _TWINS[separator])


def albums(properties: Properties) -> list[TagPath]:
    """Every album, each once; collections of other programs are albums without any around them."""
    element = properties.element(COLLECTIONS)
    found = [
        _album(field(li, f"{_COLL}CollectionURI"), field(li, f"{_COLL}CollectionName"))
        for li in (lines(element) if element is not None else ())
    ]
    return list(dict.fromkeys(path for path in found if path))


def _album(uri: str, name: str) -> TagPath:
    if uri.startswith(_ALBUM):
        return tuple(unquote(part) for part in uri[len(_ALBUM) :].split("/"))
    return (name,) if name else ()


def change_albums(
    properties: Properties, removed: Iterable[TagPath], added: Iterable[TagPath]
) -> None:
    """Take out and put in."""
    gone, fresh = set(removed), list(added)
    if not gone and not fresh:
        return
    bag = properties.container(COLLECTIONS, BAG)
    for li in bag.findall(LI):
        path = _album(field(li, f"{_COLL}CollectionURI"), field(li, f"{_COLL}CollectionName"))
        if path in gone:
            bag.remove(li)
    for path in fresh:
        uri = _ALBUM + "/".join(quote(part, safe="") for part in path)
        name = "/".join(_twin(part, "/") for part in path)
        resource(bag, LI, [(f"{_COLL}CollectionName", name), (f"{_COLL}CollectionURI", uri)])
    if bag.find(LI) is None:
        properties.remove(COLLECTIONS)
