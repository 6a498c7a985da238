"""Places in SQL: country > region > city, made as assets are found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from havenfs.entities import Place, PlaceId, PlaceKind
from havenfs.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from havenfs.entities import Locality


def ensure(db: apsw.Connection, locality: Locality) -> PlaceId | None:
    """The finest place of *locality*, made with its parents if new. None when it names no country."""
    place: PlaceId | None = None
    for kind, name in (
        (PlaceKind.COUNTRY, locality.country),
        (PlaceKind.REGION, locality.region),
        (PlaceKind.CITY, locality.city),
    ):
        if not name:
            if kind is PlaceKind.COUNTRY:
                return None
            continue
        row = db.execute(
            "SELECT id FROM place WHERE kind = ? AND name = ? AND parent_id IS ?",
            (kind, name, place),
        ).fetchone()
        if row is None:
            db.execute(
                "INSERT INTO place (kind, name, parent_id) VALUES (?, ?, ?)", (kind, name, place)
            )
            place = PlaceId(db.last_insert_rowid())
        else:
            place = PlaceId(row[0])
    return place


def get(db: apsw.Connection, place_id: PlaceId) -> Place:
    """The place. Raises NotFound."""
    row = db.execute(
        "SELECT id, kind, name, parent_id FROM place WHERE id = ?", (place_id,)
    ).fetchone()
    if row is None:
        raise NotFound(f"place {place_id}")
    return from_row(row)


def lineage(db: apsw.Connection, place_id: PlaceId) -> list[Place]:
    """The place and what it lies in, country first. Empty for an unknown id."""
    rows = db.execute(
        """
        WITH RECURSIVE up (id, kind, name, parent_id, height) AS (
            SELECT id, kind, name, parent_id, 0 FROM place WHERE id = ?
            UNION ALL
            SELECT p.id, p.kind, p.name, p.parent_id, height + 1 FROM place p JOIN up ON p.id = up.parent_id)
        SELECT id, kind, name, parent_id FROM up ORDER BY height DESC
        """,
        (place_id,),
    )
    return [from_row(row) for row in rows]


def from_row(row: Sequence[Any]) -> Place:
    """The Place in a row of id, kind, name, parent_id."""
    return Place(
        id=PlaceId(row[0]),
        kind=PlaceKind(row[1]),
        name=row[2],
        parent_id=PlaceId(row[3]) if row[3] is not None else None,
    )
