"""What each single value is called in XMP, read and changed: rating, caption, date, position, favourite.

Sources: ISO 16684-1, Adobe's XMP specification part 2 (Exif, Photoshop), MWG guidelines 2.0, 5.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from havenfs.extract import dates
from havenfs.extract.exif import valid_position
from havenfs.extract.xmp import degrees

from .given import Moment, Position
from .rdf import ALT, LANG, LI, Properties, lines, simple, value

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

RATING = "{http://ns.adobe.com/xap/1.0/}Rating"
DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"
ORIGINAL = "{http://ns.adobe.com/exif/1.0/}DateTimeOriginal"
CREATED = "{http://ns.adobe.com/photoshop/1.0/}DateCreated"
LATITUDE = "{http://ns.adobe.com/exif/1.0/}GPSLatitude"
LONGITUDE = "{http://ns.adobe.com/exif/1.0/}GPSLongitude"
FAVOURITE = "{urn:havenfs:1.0/}Favourite"
_DEFAULT = "x-default"


def rating(properties: Properties) -> int | None:
    """-1 to 5; None without one that is understood."""
    try:
        number = round(float(properties.text(RATING)))
    except (ValueError, OverflowError):
        return None
    return number if -1 <= number <= 5 else None


def _put_rating(properties: Properties, number: int | None) -> None:
    _put(properties, RATING, None if number is None else str(number))


def caption(properties: Properties) -> str | None:
    """In the default language, else in the first one."""
    chosen = _caption(properties)
    text = value(chosen) if chosen is not None else properties.text(DESCRIPTION)
    return text or None


def _caption(properties: Properties) -> Element | None:
    element = properties.element(DESCRIPTION)
    listed = lines(element) if element is not None else []
    default = [li for li in listed if li.get(LANG, _DEFAULT).lower() == _DEFAULT]
    return next(iter([*default, *listed]), None)


def _put_caption(properties: Properties, text: str | None) -> None:
    """Other languages stay."""
    chosen = _caption(properties)
    if text is None:
        if chosen is None or len(lines_of := properties.container(DESCRIPTION, ALT)) <= 1:
            properties.remove(DESCRIPTION)
        else:
            lines_of.remove(chosen)
        return
    alternatives = properties.container(DESCRIPTION, ALT)
    chosen = _caption(properties)
    if chosen is None or chosen.get(LANG, _DEFAULT).lower() != _DEFAULT:
        chosen = simple(alternatives, LI, text)
        alternatives.remove(chosen)
        alternatives.insert(0, chosen)  # the default stands first: ISO 16684-1, 8.2.2.4
    for child in list(chosen):
        chosen.remove(child)
    chosen.text = text
    chosen.set(LANG, _DEFAULT)


def taken(properties: Properties) -> Moment | None:
    """Of the original, else of what Photoshop and IPTC call created."""
    for name in (ORIGINAL, CREATED):
        found = dates.stamp(properties.text(name))
        if found is not None:
            return Moment(*found)
    return None


def _put_taken(properties: Properties, moment: Moment | None) -> None:
    text = None if moment is None else _stamp(moment)
    _put(properties, ORIGINAL, text)
    _put(properties, CREATED, text)


def _stamp(moment: Moment) -> str:
    wall = datetime.fromtimestamp(0, UTC) + timedelta(seconds=moment.local)
    if moment.offset is None:
        return wall.replace(tzinfo=None).isoformat()
    return wall.replace(tzinfo=timezone(timedelta(minutes=moment.offset))).isoformat()


def position(properties: Properties) -> Position | None:
    """Both coordinates, or none."""
    latitude = degrees(properties.text(LATITUDE))
    longitude = degrees(properties.text(LONGITUDE))
    if latitude is None or longitude is None or not valid_position(latitude, longitude):
        return None
    return Position(round(latitude, 7), round(longitude, 7))


def _put_position(properties: Properties, place: Position | None) -> None:
    _put(properties, LATITUDE, place and _coordinate(place.latitude, "NS"))
    _put(properties, LONGITUDE, place and _coordinate(place.longitude, "EW"))


def _coordinate(number: float, sides: str) -> str:
    """ "41,53.4120000N": degrees and minutes; 1e-7 of a minute is 0.2 mm."""
    units = round(abs(number) * 60 * 10**7)
    whole, rest = divmod(units, 60 * 10**7)
    return f"{whole},{rest // 10**7}.{rest % 10**7:07d}{sides[number < 0]}"


def favourite(properties: Properties) -> bool:
    """Ours alone: no other program has a word for it that means this."""
    return properties.text(FAVOURITE) == "True"


def _put_favourite(properties: Properties, chosen: bool | None) -> None:  # noqa: FBT001 -- the value itself
    _put(properties, FAVOURITE, "True" if chosen else None)


def _put(properties: Properties, name: str, text: str | None) -> None:
    if text is None:
        properties.remove(name)
    else:
        properties.put(name, text)


PUT: dict[str, Callable[[Properties, object], None]] = {
    "rating": _put_rating,
    "caption": _put_caption,
    "taken": _put_taken,
    "position": _put_position,
    "favourite": _put_favourite,
}  # pyright: ignore[reportAssignmentType] -- each takes its own field's value

_NAMES = {
    "rating": (RATING,),
    "caption": (DESCRIPTION,),
    "taken": (ORIGINAL, CREATED),
    "position": (LATITUDE, LONGITUDE),
}


def obscure(properties: Properties, name: str) -> bool:
    """Whether something is said that is not understood ("1953" as a date): somebody's all the same."""
    return any(properties.text(each) for each in _NAMES.get(name, ()))
