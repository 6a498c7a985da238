"""Who is where in the picture: regions of the Metadata Working Group, Microsoft's people tags, IPTC's list of names.

All three count in the picture as it is stored, before EXIF turns it; ours count upright, so what goes in and out is
turned here. Sources: MWG "Guidelines for handling image metadata" 2.0, 5.9; Microsoft "People tagging"; IPTC Extension.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.etree.ElementTree import SubElement

from havenfs.entities import Region

from .given import Person
from .rdf import BAG, LI, Properties, field, inner, lines, resource, simple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

_RS = "{http://www.metadataworkinggroup.com/schemas/regions/}"
_AREA = "{http://ns.adobe.com/xmp/sType/Area#}"
_DIM = "{http://ns.adobe.com/xap/1.0/sType/Dimensions#}"
_MP = "{http://ns.microsoft.com/photo/1.2/}"
_MPRI = "{http://ns.microsoft.com/photo/1.2/t/RegionInfo#}"
_MPREG = "{http://ns.microsoft.com/photo/1.2/t/Region#}"
REGIONS, PEOPLE = f"{_RS}Regions", f"{_MP}RegionInfo"
NAMES = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}PersonInImage"
_FACES = ("face", "")  # Pet, Focus and BarCode are nobody


class Frame(NamedTuple):
    """The picture as it is stored."""

    width: int
    height: int
    """Pixels, before it is turned."""
    orientation: int = 1
    """1-8, as EXIF's tag 0x0112."""


class _Found(NamedTuple):
    """A person and the nodes that say so."""

    person: Person
    within: Element
    node: Element


def read(properties: Properties, frame: Frame | None) -> list[Person]:
    """Everybody who is named, each region once."""
    found = [one.person for one in _mwg(properties, frame)]
    known = {person.name for person in found}
    found += [p for _, p in _microsoft(properties, frame) if p.name not in known]
    known = {person.name for person in found}
    found += [Person(name) for name in properties.texts(NAMES) if name and name not in known]
    return list(dict.fromkeys(found))


def change(
    properties: Properties,
    frame: Frame | None,
    removed: Iterable[Person],
    added: Iterable[Person],
) -> None:
    """Take out and put in; regions of others, and what others say in these lists, stay as they are."""
    gone = set(removed)
    for one in _mwg(properties, frame):
        if one.person in gone:
            one.within.remove(one.node)
    names = {person.name for person in gone}
    for element, person in list(_microsoft(properties, frame)):
        if person.name in names:
            element[0].remove(element[1])
    fresh = list(added)
    for person in fresh:
        if person.region is not None and person.region.frame_ms == 0:
            _add(properties, frame, person.name, person.region)
    left = {one.person.name for one in _mwg(properties, frame)}
    _names(properties, drop=names - left, add=[person.name for person in fresh])


def _names(properties: Properties, *, drop: set[str], add: list[str]) -> None:
    if not add and not properties.has(NAMES):
        return
    bag = properties.container(NAMES, BAG)
    for li in bag.findall(LI):
        if (li.text or "").strip() in drop:
            bag.remove(li)
    there = {(li.text or "").strip() for li in bag.findall(LI)}
    for name in dict.fromkeys(add):
        if name not in there:
            simple(bag, LI, name)
    if not len(bag):
        properties.remove(NAMES)


# --- MWG ------------------------------------------------------------------------------------------------------


def _mwg(properties: Properties, frame: Frame | None) -> list[_Found]:
    regions = properties.element(REGIONS)
    listed = None if regions is None else inner(regions, f"{_RS}RegionList")
    if regions is None or listed is None:
        return []
    orientation = _orientation(regions, frame)
    found: list[_Found] = []
    for node in lines(listed):
        name = field(node, f"{_RS}Name")
        area = inner(node, f"{_RS}Area")
        if not name or area is None or field(node, f"{_RS}Type").lower() not in _FACES:
            continue
        box = _box(area, _dimensions(regions))
        if box is not None:
            person = Person(name, turned(box, orientation))
            found.append(_Found(person, next(c for c in listed if node in list(c)), node))
    return found


def _box(area: Element, dimensions: tuple[float, float] | None) -> Region | None:
    """The rectangle of an area, from its centre; of a circle, the square around it."""
    x, y, w, h, d = (_number(field(area, f"{_AREA}{key}")) for key in "xywhd")
    if x is None or y is None:
        return None
    unit = field(area, f"{_AREA}unit")
    wide, high = dimensions or (1.0, 1.0)
    if unit == "pixel":
        if dimensions is None:
            return None
        x, y = x / wide, y / high
        w, h = w and w / wide, h and h / high
        d = d and d / min(wide, high)
    if d and not (w and h):  # a diameter in shares of the shorter side
        w, h = d * min(wide, high) / wide, d * min(wide, high) / high
    return _region(x - (w or 0) / 2, y - (h or 0) / 2, x + (w or 0) / 2, y + (h or 0) / 2)


def _dimensions(regions: Element) -> tuple[float, float] | None:
    """What the regions were drawn on, in pixels."""
    said = inner(regions, f"{_RS}AppliedToDimensions")
    wide = _number(field(said, f"{_DIM}w")) if said is not None else None
    high = _number(field(said, f"{_DIM}h")) if said is not None else None
    return (wide, high) if wide and high and wide > 0 and high > 0 else None


def _orientation(regions: Element | None, frame: Frame | None) -> int:
    """How regions here are turned: as the picture is, unless they were drawn on the upright one (then the sides of what
    they were drawn on are swapped)."""
    if frame is None:
        return 1
    dimensions = None if regions is None else _dimensions(regions)
    if dimensions is not None and frame.orientation >= 5 and frame.width != frame.height:
        wide, high = dimensions
        if wide != high and (wide > high) != (frame.width > frame.height):
            return 1
    return frame.orientation


def _add(properties: Properties, frame: Frame | None, name: str, region: Region) -> None:
    regions = properties.structure(REGIONS)
    if frame is not None and inner(regions, f"{_RS}AppliedToDimensions") is None:
        sides = (str(frame.width), str(frame.height))
        resource(
            regions,
            f"{_RS}AppliedToDimensions",
            [(f"{_DIM}w", sides[0]), (f"{_DIM}h", sides[1]), (f"{_DIM}unit", "pixel")],
        )
    listed = inner(regions, f"{_RS}RegionList")
    if listed is None:
        listed = SubElement(regions, f"{_RS}RegionList")
    bag = next(iter(listed), None)
    if bag is None:
        bag = SubElement(listed, BAG)
    _, left, top, right, bottom = turned(region, _BACK.get(o := _orientation(regions, frame), o))
    made = resource(bag, LI)
    area = resource(made, f"{_RS}Area")
    shares = {
        "x": (left + right) / 2,
        "y": (top + bottom) / 2,
        "w": right - left,
        "h": bottom - top,
    }
    for key, share in shares.items():
        simple(area, f"{_AREA}{key}", f"{share:.6f}")
    simple(area, f"{_AREA}unit", "normalized")
    simple(made, f"{_RS}Name", name)
    simple(made, f"{_RS}Type", "Face")


# --- Microsoft ------------------------------------------------------------------------------------------------


def _microsoft(
    properties: Properties, frame: Frame | None
) -> list[tuple[tuple[Element, Element], Person]]:
    info = properties.element(PEOPLE)
    listed = None if info is None else inner(info, f"{_MPRI}Regions")
    found: list[tuple[tuple[Element, Element], Person]] = []
    for node in lines(listed) if listed is not None else ():
        name = field(node, f"{_MPREG}PersonDisplayName")
        if not name or listed is None:
            continue
        numbers = [_number(part) for part in field(node, f"{_MPREG}Rectangle").split(",")]
        region = None
        if len(numbers) == 4 and None not in numbers:
            left, top, width, height = (number or 0.0 for number in numbers)
            region = _region(left, top, left + width, top + height)
        if region is not None and frame is not None:
            region = turned(region, frame.orientation)
        within = next(c for c in listed if node in list(c))
        found.append(((within, node), Person(name, region)))
    return found


# --- geometry -------------------------------------------------------------------------------------------------

_BACK = {6: 8, 8: 6}  # the other turns undo themselves


def turned(region: Region, orientation: int) -> Region:
    """*region* of a stored picture, in the picture that EXIF's *orientation* turns upright."""
    frame_ms, left, top, right, bottom = region
    if orientation in (2, 3):
        left, right = 1 - right, 1 - left
    if orientation in (3, 4):
        top, bottom = 1 - bottom, 1 - top
    match orientation:
        case 5:
            left, top, right, bottom = top, left, bottom, right
        case 6:
            left, top, right, bottom = 1 - bottom, left, 1 - top, right
        case 7:
            left, top, right, bottom = 1 - bottom, 1 - right, 1 - top, 1 - left
        case 8:
            left, top, right, bottom = top, 1 - right, bottom, 1 - left
        case _:
            pass
    return Region(frame_ms, left, top, right, bottom)


def _region(left: float, top: float, right: float, bottom: float) -> Region | None:
    """Within the picture; None where nothing is left of it."""
    left, top, right, bottom = (
        round(min(1.0, max(0.0, share)), 6) for share in (left, top, right, bottom)
    )
    return Region(0, left, top, right, bottom) if left < right and top < bottom else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None  # also false for NaN
