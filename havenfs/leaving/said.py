"""What an export says of an asset beside it: what its file says, and what people decided; nothing that was guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.catalog import browse
from havenfs.entities import DateSource
from havenfs.sidecars.given import Given, Moment, Position

from . import decided

if TYPE_CHECKING:
    from havenfs.catalog.catalog import Connection
    from havenfs.entities import Asset

_SURE = (DateSource.GIVEN, DateSource.XMP, DateSource.TAKEOUT, DateSource.NAME)
"""Dates worth writing down: a camera's own is in the file, a folder's or a copy's is a guess."""


def of_asset(db: Connection, asset: Asset) -> Given:
    """What is known of it. Raises NotFound."""
    known = browse.details(db, asset.id)
    position = None
    if known.latitude is not None and known.longitude is not None:
        position = Position(known.latitude, known.longitude)
    taken = None
    if asset.taken_local is not None and asset.taken_source in _SURE:
        taken = Moment(asset.taken_local, asset.taken_offset)
    people = decided.of_content(db, asset.hash)
    return Given(
        persons=people.persons,
        tags=tuple(dict.fromkeys([*people.tags, *((word,) for word in known.keywords)])),
        albums=people.albums,
        favourite=people.favourite,
        rating=known.rating,
        caption=known.caption,
        taken=taken,
        position=position,
    )
