"""What is in the trash, in SQL, and what is known of a file that is about to go there. Changing it is `havenfs.decisions`'.

Plain functions of a connection; a call holds the caller's transaction only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from havenfs.errors import NotFound

from . import given

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from havenfs.entities import SourceId


KEEP_DAYS = 30


class Trashed(Struct, frozen=True):
    """A file in the trash."""

    uid: str
    content: bytes
    """BLAKE3."""
    source: str
    """Name of the source."""
    path: bytes
    """Where it was, relative to the source's root."""
    at_ms: int
    """Unix milliseconds."""
    owner: str
    """Who moved it there."""


class Original(Struct, frozen=True):
    """A file of an asset, as it was last seen."""

    content: bytes
    """BLAKE3 of the asset."""
    mime: str
    size: int
    mtime_ns: int
    settled: bool
    """Whether the file was hashed since it last changed."""


_COLUMNS = "uid, hash, source, path, at_ms, owner"


def everything(db: apsw.Connection) -> list[Trashed]:
    """All of it, in the order in which it was moved there."""
    return _rows(db, "ORDER BY at_ms, uid")


def between(db: apsw.Connection, start_ms: int, end_ms: int) -> list[Trashed]:
    """What was moved there from *start_ms* on, before *end_ms*, in that order."""
    return _rows(db, "WHERE at_ms >= ? AND at_ms < ? ORDER BY at_ms, uid", (start_ms, end_ms))


def of_source(db: apsw.Connection, source: str) -> list[Trashed]:
    """What was in the source of this name."""
    return _rows(db, "WHERE source = ? ORDER BY at_ms, uid", (source,))


def get(db: apsw.Connection, uid: str) -> Trashed:
    """The one of this uid. Raises NotFound."""
    found = _rows(db, "WHERE uid = ?", (uid,))
    if not found:
        raise NotFound(uid)
    return found[0]


def count(db: apsw.Connection) -> int:
    """How many files are in the trash."""
    row = db.execute("SELECT count(*) FROM trashed").fetchone()
    return int(row[0]) if row else 0


def keep_days(db: apsw.Connection) -> int:
    """For how many days things are kept, as the indexer has read it in the settings; 0: for ever."""
    row = db.execute("SELECT value FROM meta WHERE key = 'trash'").fetchone()
    return int(row[0]) if row else KEEP_DAYS


def set_keep_days(db: apsw.Connection, days: int) -> None:
    """Let this hold for every program."""
    db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('trash', ?)", (str(days),))


def original(db: apsw.Connection, source_id: SourceId, path: bytes) -> Original | None:
    """What is known of the file at *path*, if it is an asset's. One statement, 4 us: it is asked at each removal."""
    row = db.execute(
        """
        SELECT a.hash, a.mime, f.size, f.mtime_ns, f.state = 'known' FROM file f JOIN asset a ON a.id = f.asset_id
         WHERE f.source_id = ? AND f.path = ?
        """,
        (source_id, path),
    ).fetchone()
    return Original(row[0], row[1], row[2], row[3], bool(row[4])) if row else None


def holding(db: apsw.Connection, source_id: SourceId, content: str) -> list[bytes]:
    """The paths in a source that hold a content (hexadecimal), as last seen."""
    rows = db.execute(
        "SELECT path FROM file WHERE hash = ? AND source_id = ? AND state = 'known' ORDER BY path",
        (bytes.fromhex(content), source_id),
    )
    return [row[0] for row in rows]


def decided(db: apsw.Connection, content: bytes) -> bool:
    """Whether people have decided anything about a content."""
    return any(
        given.rows(db, table.name, **{column: content.hex()})
        for table in given.TABLES.values()
        if table.name != "trashed"
        for column in given.HASHES.intersection(table.key)
    )


def _rows(db: apsw.Connection, rest: str, bindings: Sequence[Any] = ()) -> list[Trashed]:
    found = db.execute(f"SELECT {_COLUMNS} FROM trashed {rest}", bindings)  # noqa: S608
    return [Trashed(*row) for row in found]
