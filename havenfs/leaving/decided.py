"""What people decided about one content, as its sidecar says it. What others have said in that since: `hearing`.

Not what its file says by itself: that stays where it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.catalog import assets, collections, corrections, given
from havenfs.decisions import values
from havenfs.entities import Region
from havenfs.sidecars.given import FIELDS, Given, Moment, Person, Position, marks
from havenfs.sidecars.merge import NONE
from havenfs.sidecars.regions import Frame

if TYPE_CHECKING:
    from havenfs.catalog.catalog import Connection
    from havenfs.entities import AssetId
    from havenfs.sidecars.given import Marks
    from havenfs.sidecars.merge import Reading

CORRECTED = {
    "rating": "given_rating",
    "caption": "given_caption",
    "taken": "given_date",
    "position": "given_position",
}
"""Field of a sidecar -> the table that says whether somebody corrected it."""


def of_content(db: Connection, content: bytes) -> Given:
    """Everything that was decided about it. Persons with regions, where it is known how its pixels are turned (`frame`)."""
    key = content.hex()
    rating, caption, date, position = (given.get(db, table, (key,)) for table in CORRECTED.values())
    names = {
        str(uid): str(name)
        for uid, name, _, ignored in given.rows(db, "person")
        if name is not None and not ignored
    }
    turned = frame(db, content) is not None
    there: dict[str, Region | None] = {}
    for _, *place, uid, is_it in given.rows(db, "face_said", hash=key):
        if is_it:
            region = Region(*place)  # type: ignore[arg-type] -- as the table has them
            there.setdefault(str(uid), region if turned and not region.frame_ms else None)
    for _, uid, is_in in given.rows(db, "person_tag", hash=key):
        if is_in:
            there.setdefault(str(uid), None)
    return Given(
        persons=tuple(Person(names[uid], region) for uid, region in there.items() if uid in names),
        tags=tuple(collections.of_content(db, values.Folder.TAG, content).values()),
        albums=tuple(collections.of_content(db, values.Folder.ALBUM, content).values()),
        rating=int(rating[0] or 0) if rating else None,
        caption=str(caption[0]) or None if caption else None,
        taken=Moment(int(date[0] or 0), _number(date[1])) if date else None,
        position=Position(float(position[0] or 0), float(position[1] or 0)) if position else None,
        favourite=given.get(db, "favorite", (key,)) is not None,
    )


def frame(db: Connection, content: bytes) -> Frame | None:
    """The picture with this content as it is stored; None: not known, or no picture."""
    found = assets.stored(db, content)
    return None if found is None else Frame(*found)


def corrected(db: Connection, content: bytes) -> frozenset[str]:
    """The fields that somebody corrected."""
    key = (content.hex(),)
    return frozenset(name for name, table in CORRECTED.items() if given.get(db, table, key))


def agreed(
    db: Connection, asset_id: AssetId, content: bytes, reading: Reading, heard: Marks
) -> Marks:
    """What sidecar and decisions agreed on last: what was written, or else *heard*; and where somebody has corrected what was
    read in the sidecar itself, that, so that the correction replaces it. What the sidecar says by now and was not read is newer."""
    written = reading.written or {}
    said = {name: written.get(name, NONE) | heard.get(name, NONE) for name in FIELDS}
    found = corrections.found(db, asset_id)
    read = marks(Given(rating=found.rating, caption=found.caption))
    now = marks(reading.given)
    for name in corrected(db, content):
        # Date and position are read where the original has none, so what was read does not tell.
        if not said[name] and (name in ("taken", "position") or now[name] == read[name]):
            said[name] = now[name]
    return said


def _number(cell: object) -> int | None:
    return cell if isinstance(cell, int) else None
