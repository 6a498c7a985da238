"""Assets as the page shows them: addresses of their images, their date and place in words.

One catalog read for a whole wall. Worker threads only.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final

import msgspec

from havenfs.catalog import assets, browse, gallery
from havenfs.entities import AssetId, Kind, Place, PlaceId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from havenfs.catalog.catalog import Connection
    from havenfs.entities import Asset

SMALL: Final = 256
LARGE: Final = 1440
"""Longer sides of the stored thumbnails, in pixels."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """One asset on a wall of pictures."""

    id: int
    name: str
    kind: Kind
    taken: str | None
    """ISO 8601 wall-clock time at the place; with an offset where it is known."""
    place: str | None
    """City and country."""
    width: int | None
    height: int | None
    duration_ms: int | None
    thumbhash: str | None
    """Base64; a blurred placeholder of about 25 bytes."""
    thumbnail: str | None
    """Address of a WebP whose longer side is 256 px; None while there is none."""
    preview: str | None
    """Address of a WebP whose longer side is 1440 px."""
    strip: str | None
    """Of a video, the address of a WebP of 12 frames of one size side by side, spread evenly over its duration."""
    original: str
    """Address of the bytes themselves."""


def by_id(db: Connection, ids: Sequence[AssetId]) -> dict[AssetId, Picture]:
    """The visible ones of these assets."""
    return {AssetId(p.id): p for p in describe(db, assets.many(db, ids))}


def describe(db: Connection, found: Sequence[Asset]) -> list[Picture]:
    """These assets, in the same order."""
    hashes = gallery.placeholders(db, [asset.id for asset in found])
    places = browse.gazetteer(db)
    return [_picture(asset, hashes.get(asset.id), places) for asset in found]


def _picture(asset: Asset, thumbhash: bytes | None, places: Mapping[PlaceId, Place]) -> Picture:
    content = asset.hash.hex()
    return Picture(
        id=asset.id,
        name=asset.name,
        kind=asset.kind,
        taken=asset.taken.isoformat() if asset.taken else None,
        place=", ".join(name for name in locality(asset, places) if name) or None,
        width=asset.width,
        height=asset.height,
        duration_ms=asset.duration_ms,
        thumbhash=b64encode(thumbhash).decode() if thumbhash else None,
        thumbnail=f"/t/{content}-{SMALL}.webp" if thumbhash else None,
        preview=f"/t/{content}-{LARGE}.webp" if thumbhash else None,
        strip=f"/t/{content}-strip.webp" if thumbhash and asset.kind is Kind.VIDEO else None,
        original=f"/o/{asset.id}",
    )


def locality(asset: Asset, places: Mapping[PlaceId, Place]) -> tuple[str | None, str | None]:
    """(city or the finest place known, country); the country alone stands second."""
    if asset.place_id is None or asset.place_id not in places:
        return None, None
    finest = top = places[asset.place_id]
    while top.parent_id is not None and top.parent_id in places:
        top = places[top.parent_id]
    return (None if finest is top else finest.name), top.name
