"""Assets: the newest ones, and everything that is known of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from havenfs.catalog import assets, browse, gallery
from havenfs.entities import AssetId, DateSource
from havenfs.errors import NotFound
from havenweb import folders, pictures
from havenweb.binder import Operation

if TYPE_CHECKING:
    from havenfs.catalog.catalog import Connection
    from havenweb.library import Library

TEXT_SHOWN = 600
"""Characters of a document, or of the words on a picture, that the page shows."""


class NewestParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which ones."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 60


class Newest(msgspec.Struct, frozen=True, kw_only=True):
    """What came in last, newest first."""

    pictures: list[pictures.Picture]


class AssetParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which one."""

    id: Annotated[int, Meta(ge=1, le=2**53 - 1)]


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """One asset, whole."""

    picture: pictures.Picture
    mime: str
    size: int
    """Bytes."""
    hash: str
    """BLAKE3 of the content, in hexadecimal."""
    taken_source: DateSource | None
    """Where the date comes from; `mtime` is an estimate."""
    place: str | None
    """City, region, country."""
    latitude: float | None
    longitude: float | None
    camera: str | None
    lens: str | None
    iso: int | None
    aperture: float | None
    """f-number."""
    focal_mm: float | None
    exposure_s: float | None
    rating: int | None
    caption: str | None
    keywords: list[str]
    text: str | None
    """Words of the document or on the picture: their beginning."""
    folders: list[folders.Folder]
    """Where it stands in the tree, the most telling folder first."""


def _newest(library: Library, parameters: NewestParameters) -> Newest:
    def query(db: Connection) -> list[pictures.Picture]:
        return pictures.describe(db, gallery.newest(db, parameters.limit))

    return Newest(pictures=library.catalog.read(query))


def _asset(library: Library, parameters: AssetParameters) -> Details:
    return library.catalog.read(_details, AssetId(parameters.id), folders.base(library.mount))


def _details(db: Connection, asset_id: AssetId, base: str) -> Details:
    asset = assets.get(db, asset_id)
    known = browse.details(db, asset_id)
    exposure = gallery.exposure(db, asset_id)
    (picture,) = pictures.describe(db, [asset])
    return Details(
        picture=picture,
        mime=asset.mime,
        size=asset.size,
        hash=asset.hash.hex(),
        taken_source=asset.taken_source,
        place=known.place,
        latitude=known.latitude,
        longitude=known.longitude,
        camera=known.camera,
        lens=exposure.lens,
        iso=exposure.iso,
        aperture=exposure.aperture,
        focal_mm=exposure.focal_mm,
        exposure_s=exposure.exposure_s,
        rating=known.rating,
        caption=known.caption,
        keywords=list(known.keywords),
        text=known.text[:TEXT_SHOWN] if known.text else None,
        folders=folders.of_asset(db, asset, base),
    )


NEWEST = Operation(
    path="/api/assets",
    name="newest",
    summary="What came in last",
    parameters=NewestParameters,
    response=Newest,
    handle=_newest,
)
ASSET = Operation(
    path="/api/assets/{id}",
    name="asset",
    summary="Everything known of one asset",
    parameters=AssetParameters,
    response=Details,
    handle=_asset,
    raises=(NotFound,),
)
