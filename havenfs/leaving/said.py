"""What the catalog knows of an asset that its sidecar should say: nothing that was guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.catalog import browse
from havenfs.entities import DateSource
from havenfs.sidecars.given import Given, Moment, Position

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
    return Given(
        tags=tuple((word,) for word in known.keywords),
        rating=known.rating,
        caption=known.caption,
        taken=taken,
        position=position,
    )
