"""The change log that triggers keep: what moved in the library, for whoever caches parts of it.

A reader remembers the generation it has seen, asks for what came after, and starts over when rows that it has not seen
are gone (`Gap`). Nothing here decides what a change means for a folder: that is `havenfs.views.affected`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from havenfs.entities import AssetId, FileId, Kind, PlaceId

if TYPE_CHECKING:
    import apsw


class Standing(Struct, frozen=True, kw_only=True):
    """What decides where an asset stands in the tree."""

    name: str
    kind: Kind
    month: int | None
    """YYYYMM; None: undated."""
    place_id: PlaceId | None
    file_id: FileId
    raw: bool
    live: bool
    screenshot: bool


class Change(Struct, frozen=True, kw_only=True):
    """One asset moved. Neither before nor after: only what searches answer has changed."""

    seq: int
    asset_id: AssetId | None
    before: Standing | None
    """None: it was not visible."""
    after: Standing | None
    """None: it is not visible any more."""


def generation(db: apsw.Connection) -> int:
    """The number of the newest change; 0 in a new library. It never goes back, also when old rows are trimmed."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'change'").fetchone()
    return int(row[0]) if row else 0


def since(db: apsw.Connection, seq: int, *, limit: int = -1) -> list[Change] | None:
    """The changes after *seq*, oldest first, at most *limit*; None when some of them are gone already."""
    rows: list[tuple[Any, ...]] = db.execute(
        "SELECT seq, asset_id, before, after FROM change WHERE seq > ? ORDER BY seq LIMIT ?",
        (seq, limit),
    ).fetchall()
    if rows:
        if rows[0][0] != seq + 1:
            return None
    elif generation(db) != seq:
        return None
    return [
        Change(
            seq=row[0],
            asset_id=AssetId(row[1]) if row[1] is not None else None,
            before=_standing(row[2]),
            after=_standing(row[3]),
        )
        for row in rows
    ]


def trim(db: apsw.Connection, keep: int) -> None:
    """Drop all but the newest *keep* changes. A reader that is further behind starts over."""
    db.execute("DELETE FROM change WHERE seq <= ?", (generation(db) - keep,))


def _standing(text: str | None) -> Standing | None:
    if text is None:
        return None
    value: dict[str, Any] = json.loads(text)
    return Standing(
        name=value["name"],
        kind=Kind(value["kind"]),
        month=value["month"],
        place_id=PlaceId(value["place"]) if value["place"] is not None else None,
        file_id=FileId(value["file"]),
        raw=bool(value["raw"]),
        live=bool(value["live"]),
        screenshot=bool(value["screenshot"]),
    )
