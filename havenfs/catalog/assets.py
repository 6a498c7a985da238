"""Assets in SQL: reading them. Views and searches select from the view `visible`; who has an asset already finds it in
`present`, where the mates of its stack are too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from havenfs.entities import Asset, AssetId, DateSource, Kind, SourceId
from havenfs.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

COLUMNS = (
    "id, hash, name, kind, mime, source_id, path, size, mtime_ns, device, inode, "
    "taken_local, taken_offset, taken_source, place_id, width, height, duration_ms"
)
"""The columns of `visible` that make an Asset, in the order of its fields."""
MAY_RETURN = """(
    {hash} IN (SELECT hash FROM file) OR {hash} IN (SELECT hash FROM trashed)
    OR ({hash} NOT IN (SELECT hash FROM asset)
        AND (EXISTS (SELECT 1 FROM source WHERE NOT scan) OR EXISTS (SELECT 1 FROM file WHERE state = 'new'))))"""
"""Whether a content that is not here may come back: its disk is away, it is in the trash, or not everything was looked at yet."""


# Calling an Enum costs 0.6 us, and a listing would call two of them an asset.
_KINDS = {kind.value: kind for kind in Kind}
_DATE_SOURCES: dict[str | None, DateSource | None] = {None: None}
_DATE_SOURCES.update({source.value: source for source in DateSource})


def from_row(row: Sequence[Any]) -> Asset:
    """The Asset in a row of COLUMNS."""
    return Asset._make((*row[:3], _KINDS[row[3]], *row[4:13], _DATE_SOURCES[row[13]], *row[14:]))


def get(db: apsw.Connection, asset_id: AssetId) -> Asset:
    """The asset. Raises NotFound."""
    row = db.execute(f"SELECT {COLUMNS} FROM present WHERE id = ?", (asset_id,)).fetchone()  # noqa: S608
    if row is None:
        raise NotFound(f"asset {asset_id}")
    return from_row(row)


def stored(db: apsw.Connection, content: bytes) -> tuple[int, int, int] | None:
    """Width and height in pixels of the picture with this content before it is turned, and how it is turned (1-8, as EXIF
    says it); None: no picture, or not known."""
    row: Any = db.execute(
        "SELECT width, height, orientation FROM asset WHERE hash = ? AND kind = 'photo'", (content,)
    ).fetchone()
    if row is None or None in row:
        return None
    width, height, turn = row
    return (height, width, turn) if turn >= 5 else (width, height, turn)  # 5 to 8 lie on their side


def by_hash(db: apsw.Connection, content: bytes) -> Asset:
    """The asset with this content. Raises NotFound."""
    row = db.execute(f"SELECT {COLUMNS} FROM present WHERE hash = ?", (content,)).fetchone()  # noqa: S608
    if row is None:
        raise NotFound(content.hex())
    return from_row(row)


def by_inode(db: apsw.Connection, source_id: SourceId, inode: int) -> Asset:
    """The asset whose primary file has this inode in the source. Raises NotFound."""
    row = db.execute(
        f"SELECT {COLUMNS} FROM present WHERE inode = ? AND source_id = ?",  # noqa: S608
        (inode, source_id),
    ).fetchone()
    if row is None:
        raise NotFound(f"inode {inode} of source {source_id}")
    return from_row(row)


def shown(db: apsw.Connection, source_id: SourceId, inode: int) -> Asset:
    """The visible asset for the file with this inode: its own, or the one that stands for its stack. Raises NotFound."""
    row = db.execute(
        f"SELECT {COLUMNS} FROM visible WHERE id = (SELECT ifnull(a.primary_id, a.id)"  # noqa: S608
        " FROM file f JOIN asset a ON a.id = f.asset_id WHERE f.inode = ? AND f.source_id = ? AND f.state = 'known' LIMIT 1)",
        (inode, source_id),
    ).fetchone()
    if row is None:
        raise NotFound(f"inode {inode} of source {source_id}")
    return from_row(row)


def shown_for(db: apsw.Connection, ids: Sequence[AssetId]) -> dict[AssetId, Asset]:
    """By the id of each of these assets the visible one that shows it: itself, or the one that stands for its stack."""
    rows = db.execute(
        f"SELECT wanted, {COLUMNS} FROM (SELECT id AS wanted, ifnull(primary_id, id) AS top FROM asset"  # noqa: S608
        " WHERE id IN (SELECT value FROM json_each(?))) JOIN visible ON visible.id = top",
        ("[" + ",".join(map(str, ids)) + "]",),
    )
    return {AssetId(row[0]): from_row(row[1:]) for row in rows}


def many(db: apsw.Connection, ids: Sequence[AssetId], *, mates: bool = False) -> list[Asset]:
    """The visible ones of these assets, in the order given; with *mates* also those whom another one stands for."""
    view = "present" if mates else "visible"
    found = {
        row[0]: from_row(row)
        for row in db.execute(
            f"SELECT {COLUMNS} FROM {view} WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608
            ("[" + ",".join(map(str, ids)) + "]",),
        )
    }
    return [found[i] for i in ids if i in found]
