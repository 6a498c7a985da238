"""Assets in SQL: reading them. What the views and searches select is always the view `visible`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from havenfs.entities import Asset, AssetId, DateSource, Kind, PlaceId, SourceId
from havenfs.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

COLUMNS = (
    "id, hash, name, kind, mime, source_id, path, size, mtime_ns, device, inode, "
    "taken_local, taken_offset, taken_source, place_id, width, height, duration_ms"
)
"""The columns of `visible` that make an Asset, in the order that `from_row` expects."""


# Calling an Enum costs 0.6 us, and a listing calls two of them an asset.
_KINDS = {kind.value: kind for kind in Kind}
_DATE_SOURCES = {source.value: source for source in DateSource}


def from_row(row: Sequence[Any]) -> Asset:
    """The Asset in a row of COLUMNS."""
    return Asset(
        id=AssetId(row[0]),
        hash=row[1],
        name=row[2],
        kind=_KINDS[row[3]],
        mime=row[4],
        source_id=SourceId(row[5]),
        path=row[6],
        size=row[7],
        mtime_ns=row[8],
        device=row[9],
        inode=row[10],
        taken_local=row[11],
        taken_offset=row[12],
        taken_source=_DATE_SOURCES[row[13]] if row[13] else None,
        place_id=PlaceId(row[14]) if row[14] is not None else None,
        width=row[15],
        height=row[16],
        duration_ms=row[17],
    )


def get(db: apsw.Connection, asset_id: AssetId) -> Asset:
    """The asset. Raises NotFound."""
    row = db.execute(f"SELECT {COLUMNS} FROM visible WHERE id = ?", (asset_id,)).fetchone()  # noqa: S608
    if row is None:
        raise NotFound(f"asset {asset_id}")
    return from_row(row)


def by_hash(db: apsw.Connection, content: bytes) -> Asset:
    """The asset with this content. Raises NotFound."""
    row = db.execute(f"SELECT {COLUMNS} FROM visible WHERE hash = ?", (content,)).fetchone()  # noqa: S608
    if row is None:
        raise NotFound(content.hex())
    return from_row(row)


def by_inode(db: apsw.Connection, source_id: SourceId, inode: int) -> Asset:
    """The asset whose primary file has this inode in the source. Raises NotFound."""
    row = db.execute(
        f"SELECT {COLUMNS} FROM visible WHERE inode = ? AND source_id = ?",  # noqa: S608
        (inode, source_id),
    ).fetchone()
    if row is None:
        raise NotFound(f"inode {inode} of source {source_id}")
    return from_row(row)


def many(db: apsw.Connection, ids: Sequence[AssetId]) -> list[Asset]:
    """The visible ones of these assets, in the order given."""
    found = {
        row[0]: from_row(row)
        for row in db.execute(
            f"SELECT {COLUMNS} FROM visible WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608
            ("[" + ",".join(map(str, ids)) + "]",),
        )
    }
    return [found[i] for i in ids if i in found]
