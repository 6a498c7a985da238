"""XMP: the packet inside a picture and `.xmp` sidecars beside it, as partial Metadata.

Format: ISO 16684-1 and Adobe's "XMP specification part 2". Parsed by extract.packet.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from havenfs import mates
from havenfs.entities import DateSource, Metadata, Taken
from havenfs.errors import SourceGone, Unreadable
from havenfs.extract import dates, own, packet as packets
from havenfs.extract.exif import camera, valid_position
from havenfs.extract.original import explain, opened

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_TIFF = "{http://ns.adobe.com/tiff/1.0/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
_HIERARCHY = "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject"
_TAGS = "{http://www.digikam.org/ns/1.0/}TagsList"
_GCAMERA = "{http://ns.google.com/photos/1.0/camera/}"


def sidecars(path: bytes) -> Metadata:
    """What the sidecars `IMG.jpg.xmp` and `IMG.xmp` of *path* say; empty without one. A broken one is as good as none."""
    folder, name = os.path.split(path)
    stem = os.path.splitext(name)[0]  # noqa: PTH122 -- bytes
    for beside in (name + b".xmp", name + b".XMP", stem + b".xmp", stem + b".XMP"):
        try:
            with opened(os.path.join(folder, beside)) as file:  # noqa: PTH118 -- bytes
                data = file.read(packets.MAX_BYTES + 1)
        except (SourceGone, Unreadable):
            continue
        if beside.startswith(name) or beside in mates.sidecars(name, _listing(folder)):
            return parse(data, beside=True)
    return Metadata()


def _listing(folder: bytes) -> list[bytes]:
    """The names in *folder*; only asked for where a sidecar may be that of several files."""
    try:
        return os.listdir(folder or b".")  # noqa: PTH208 -- bytes
    except OSError as error:
        raise explain(error) from error


def parse(packet: bytes, *, beside: bool = False) -> Metadata:
    """The facts in an XMP *packet*; empty when it is not well-formed or too long. *beside*: in a sidecar, of which what
    we wrote ourselves is none."""
    try:
        root = packets.parse(packet).root
    except Unreadable:
        return Metadata()
    nodes = list(root.iter(f"{_RDF}Description"))
    position = _position(nodes)
    found = Metadata(
        taken=_taken(nodes),
        latitude=position[0] if position else None,
        longitude=position[1] if position else None,
        camera=camera(_value(nodes, f"{_TIFF}Make"), _value(nodes, f"{_TIFF}Model")),
        lens=_value(nodes, "{http://ns.adobe.com/exif/1.0/aux/}Lens") or None,
        rating=_rating(_value(nodes, f"{_XMP}Rating")),
        caption=(_value(nodes, f"{_DC}description") or _value(nodes, f"{_DC}title"))[:4000] or None,
        keywords=tuple(dict.fromkeys(_items(nodes, f"{_DC}subject"))),
        screenshot=_value(nodes, f"{_EXIF}UserComment").lower() == "screenshot",
        burst_id=_value(nodes, f"{_GCAMERA}BurstID")[:200] or None,
    )
    note = _value(nodes, own.WRITTEN) if beside else ""
    if not note:
        return found
    before = own.replaced(_value(nodes, own.REPLACED))
    return own.without(found, own.written(note), _paths(nodes), before)


def _paths(nodes: list[Element]) -> list[tuple[str, ...]]:
    """Keywords with those above them, as Lightroom and digiKam keep them."""
    listed = ((_items(nodes, _HIERARCHY), "|"), (_items(nodes, _TAGS), "/"))
    return [
        tuple(part.strip() for part in text.split(separator) if part.strip())
        for texts, separator in listed
        for text in texts
    ]


def _items(nodes: list[Element], name: str) -> list[str]:
    """The values of a property: an attribute, plain text, or the items of a Bag, Seq or Alt."""
    found: list[str] = []
    for node in nodes:
        attribute = node.get(name)
        if attribute and attribute.strip():
            found.append(attribute.strip())
        for child in node.findall(name):
            texts = [item.text or "" for item in child.iter(f"{_RDF}li")] or [child.text or ""]
            found.extend(text.strip() for text in texts if text.strip())
    return found


def _value(nodes: list[Element], name: str) -> str:
    items = _items(nodes, name)
    return items[0] if items else ""


def _taken(nodes: list[Element]) -> Taken | None:
    for name in (f"{_EXIF}DateTimeOriginal", f"{_PHOTOSHOP}DateCreated", f"{_XMP}CreateDate"):
        found = dates.stamp(_value(nodes, name))
        if found is not None:
            return Taken(local=found[0], offset=found[1], source=DateSource.XMP)
    return None


def _rating(text: str) -> int | None:
    """0-5; -1 is Adobe's "rejected", which is no rating."""
    try:
        number = round(float(text))
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= 5 else None


_COORDINATE = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?\s*([NSEW])$")


def _position(nodes: list[Element]) -> tuple[float, float] | None:
    latitude = degrees(_value(nodes, f"{_EXIF}GPSLatitude"))
    longitude = degrees(_value(nodes, f"{_EXIF}GPSLongitude"))
    if latitude is None or longitude is None or not valid_position(latitude, longitude):
        return None
    return round(latitude, 7), round(longitude, 7)


def degrees(text: str) -> float | None:
    """ "41,53.412N" or "41,53,24N" (XMP part 2, GPSCoordinate); also a plain signed number."""
    match = _COORDINATE.match(text.strip().upper())
    if match:
        value = int(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
        return -value if match[4] in "SW" else value
    try:
        return float(text)
    except ValueError:
        return None
