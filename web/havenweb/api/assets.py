"""Assets: the newest ones, and everything that is known of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from havenfs.catalog import (
    assets,
    browse,
    collections,
    duplicates,
    gallery,
    given,
    neighbours,
    places,
    readings,
    tags,
)
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
    q: Annotated[str, Meta(max_length=1000)] = ""
    """Words whose places on the picture are wanted: those that were searched for."""


class SuggestedTag(msgspec.Struct, frozen=True, kw_only=True):
    """What a model takes the picture for. Nobody has said so."""

    tag: str
    score: float
    """0..1."""


class SuggestedPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was probably taken, by what was taken minutes before and after. Nobody has said so."""

    latitude: float
    longitude: float
    place: str | None
    confidence: float
    """0..1."""
    reason: str


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Where a word that was searched for stands on the picture, as shares of its sides, 0..1."""

    left: float
    top: float
    width: float
    height: float


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """Another copy of the same picture."""

    id: int
    name: str
    reason: str
    """Why it is the best one, or what it has lost."""


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
    taken_confidence: float | None
    """How likely the date is right, 0..1."""
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
    favorite: bool
    rating: int | None
    """Stars, 0 to 5: what people say, else what the file says. So is the caption."""
    caption: str | None
    tags: list[str]
    """Those that people gave, `animals/dog`."""
    keywords: list[str]
    """Those that stand in the file."""
    text: str | None
    """Words of the document or on the picture: their beginning."""
    language: str | None
    """Of that text; ISO 639-1."""
    text_keywords: list[str]
    """What that text is about."""
    marks: list[Mark]
    suggested_tags: list[SuggestedTag]
    suggested_position: SuggestedPosition | None
    copies: list[Copy]
    """All copies, this one too, the best first; empty where there are no others."""
    folders: list[folders.Folder]
    """Where it stands in the tree, the most telling folder first."""


def _newest(library: Library, parameters: NewestParameters) -> Newest:
    def query(db: Connection) -> list[pictures.Picture]:
        return pictures.describe(db, gallery.newest(db, parameters.limit))

    return Newest(pictures=library.catalog.read(query))


def _asset(library: Library, parameters: AssetParameters) -> Details:
    return library.catalog.read(
        _details, AssetId(parameters.id), folders.base(library.mount), parameters.q
    )


def _details(db: Connection, asset_id: AssetId, base: str, sought: str) -> Details:
    asset = assets.get(db, asset_id)
    known = browse.details(db, asset_id)
    exposure = gallery.exposure(db, asset_id)
    reading = readings.of_asset(db, asset_id)
    group = duplicates.group_of(db, asset_id)
    (picture,) = pictures.describe(db, [asset])
    return Details(
        picture=picture,
        mime=asset.mime,
        size=asset.size,
        hash=asset.hash.hex(),
        taken_source=asset.taken_source,
        taken_confidence=gallery.confidence(db, asset_id),
        place=known.place,
        latitude=known.latitude,
        longitude=known.longitude,
        camera=known.camera,
        lens=exposure.lens,
        iso=exposure.iso,
        aperture=exposure.aperture,
        focal_mm=exposure.focal_mm,
        exposure_s=exposure.exposure_s,
        favorite=given.get(db, "favorite", (asset.hash.hex(),)) is not None,
        rating=known.rating,
        caption=known.caption,
        tags=["/".join(path) for path in collections.of_content(db, "tag", asset.hash).values()],
        keywords=list(known.keywords),
        text=known.text[:TEXT_SHOWN] if known.text else None,
        language=reading.language if reading else None,
        text_keywords=list(reading.keywords) if reading else [],
        marks=[
            Mark(left=mark.left, top=mark.top, width=mark.width, height=mark.height)
            for mark in readings.marks(db, asset_id, sought.split())
        ],
        suggested_tags=[
            SuggestedTag(tag=tag, score=score) for tag, score in tags.of_asset(db, asset_id)
        ],
        suggested_position=_position(db, asset_id),
        copies=[
            Copy(id=copy.asset_id, name=copy.name, reason=copy.reason)
            for copy in duplicates.ranked(db, group)
        ]
        if len(group) > 1
        else [],
        folders=folders.of_asset(db, asset, base),
    )


def _position(db: Connection, asset_id: AssetId) -> SuggestedPosition | None:
    found = neighbours.suggestion(db, asset_id)
    if found is None:
        return None
    lineage = places.lineage(db, found.place_id) if found.place_id is not None else []
    return SuggestedPosition(
        latitude=found.latitude,
        longitude=found.longitude,
        place=", ".join(place.name for place in reversed(lineage)) or None,
        confidence=found.confidence,
        reason=found.reason,
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
