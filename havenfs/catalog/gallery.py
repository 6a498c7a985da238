"""What a wall of pictures shows: newest assets, placeholders, and how a picture was taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from havenfs.entities import Asset, AssetId
from havenfs.errors import NotFound

from .assets import COLUMNS, from_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

RECENT_IDS = 2_000
"""How far back `newest` looks: sorting the whole table by day would cost a second at a million assets."""


def newest(db: apsw.Connection, limit: int) -> list[Asset]:
    """The visible assets that came in last: by day of indexing, and within a day by the date of the picture.

    Photos and videos appear with their thumbnails, which the unreadable ones never have."""
    return [
        from_row(row)
        for row in db.execute(
            f"SELECT {COLUMNS} FROM visible WHERE id > (SELECT max(id) FROM asset) - ?"  # noqa: S608
            " AND (thumbhash IS NOT NULL OR kind = 'document')"
            " ORDER BY added / 86400 DESC, taken_local DESC, id LIMIT ?",
            (RECENT_IDS, limit),
        )
    ]


def placeholders(db: apsw.Connection, ids: Sequence[AssetId]) -> dict[AssetId, bytes]:
    """The thumbhash of those of these assets that have thumbnails."""
    return {
        AssetId(row[0]): row[1]
        for row in db.execute(
            "SELECT id, thumbhash FROM asset"
            " WHERE thumbhash IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
            ("[" + ",".join(map(str, ids)) + "]",),
        )
    }


def confidence(db: apsw.Connection, asset_id: AssetId) -> float | None:
    """How likely the date of an asset is right, 0..1; None where it has none."""
    row = db.execute("SELECT taken_confidence FROM asset WHERE id = ?", (asset_id,)).fetchone()
    return row[0] if row else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """How a picture was taken, as far as its file says."""

    lens: str | None
    iso: int | None
    aperture: float | None
    """f-number."""
    focal_mm: float | None
    exposure_s: float | None


def exposure(db: apsw.Connection, asset_id: AssetId) -> Exposure:
    """How it was taken. Raises NotFound."""
    row = db.execute(
        "SELECT lens, iso, aperture, focal_mm, exposure_s FROM asset WHERE id = ?", (asset_id,)
    ).fetchone()
    if row is None:
        raise NotFound(f"asset {asset_id}")
    return Exposure(lens=row[0], iso=row[1], aperture=row[2], focal_mm=row[3], exposure_s=row[4])
