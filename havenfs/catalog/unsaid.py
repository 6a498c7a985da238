"""Sidecars that are behind, in SQL: which contents, and where their files are. Triggers fill it as people decide.

Plain functions of a connection; a call holds the caller's transaction only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from havenfs.entities import AssetId, FileId, SourceId

if TYPE_CHECKING:
    import apsw


class Behind(NamedTuple):
    """A file whose sidecar does not say yet what was decided about its content."""

    file_id: FileId
    content: bytes
    since: int
    """Unix seconds of the last decision."""
    asset_id: AssetId
    source_id: SourceId
    path: bytes
    """Relative to the source's root."""


def named(db: apsw.Connection) -> bool:
    """Whether a person or folder has another name, which `expand` has not seen."""
    return db.execute("SELECT 1 FROM unsaid_name LIMIT 1").fetchone() is not None


def expand(db: apsw.Connection) -> None:
    """Whatever is in a person or folder that has another name, and in folders below it, is behind."""
    db.execute(
        """
        WITH RECURSIVE below (uid) AS (
            SELECT uid FROM unsaid_name UNION SELECT c.uid FROM collection c JOIN below b ON c.parent = b.uid)
        INSERT OR REPLACE INTO unsaid (hash, since)
        SELECT hash, unixepoch() FROM member WHERE collection IN (SELECT uid FROM below) UNION
        SELECT hash, unixepoch() FROM face_said WHERE person IN (SELECT uid FROM below) UNION
        SELECT hash, unixepoch() FROM person_tag WHERE person IN (SELECT uid FROM below)
        """
    )
    db.execute("DELETE FROM unsaid_name")


def behind(db: apsw.Connection, until: int, limit: int) -> list[Behind]:
    """The files of at most *limit* contents about which nothing was decided after *until* (Unix seconds), longest first.
    Content without a file that is there waits for one. What is said to lie an hour ahead lies behind: a clock was set back."""
    rows: list[Any] = db.execute(
        """
        SELECT f.id, u.hash, u.since, a.id, f.source_id, f.path
          FROM (SELECT hash, since FROM unsaid u WHERE (since <= ?1 OR since > ?1 + 3600) AND EXISTS (
                    SELECT 1 FROM asset a JOIN file f ON f.asset_id = a.id JOIN source s ON s.id = f.source_id
                     WHERE a.hash = u.hash AND f.hash = u.hash AND s.present)
                 ORDER BY since LIMIT ?2) u
          JOIN asset a ON a.hash = u.hash
          JOIN file f ON f.asset_id = a.id AND f.hash = u.hash JOIN source s ON s.id = f.source_id
         WHERE s.present AND f.state = 'known' ORDER BY u.since, u.hash, f.id
        """,
        (until, limit),
    ).fetchall()
    return [
        Behind(FileId(file_id), content, since, AssetId(asset), SourceId(source), path)
        for file_id, content, since, asset, source, path in rows
    ]


def said(db: apsw.Connection, content: bytes, since: int) -> None:
    """Its sidecars say everything that was decided up to then."""
    db.execute("DELETE FROM unsaid WHERE hash = ? AND since = ?", (content, since))


def later(db: apsw.Connection, content: bytes, since: int, at: int) -> None:
    """It cannot be written now: not to be tried before *at* (Unix seconds)."""
    db.execute("UPDATE unsaid SET since = ? WHERE hash = ? AND since = ?", (at, content, since))


def heard(db: apsw.Connection, file_id: FileId, content: bytes) -> str:
    """What the sidecar of a file and the decisions agreed on last, as `hear` was told; "" when nothing is known."""
    row: Any = db.execute(
        "SELECT marks FROM heard WHERE file_id = ? AND hash = ?", (file_id, content)
    ).fetchone()
    return row[0] if row is not None else ""


def hear(db: apsw.Connection, file_id: FileId, content: bytes, marks: str) -> None:
    """They agree on this, and the sidecar has no note of it. "": it has, or there is nothing."""
    if marks:
        db.execute(
            "INSERT OR REPLACE INTO heard (file_id, hash, marks)"
            " SELECT id, ?, ? FROM file WHERE id = ?",
            (content, marks, file_id),
        )
    else:
        db.execute("DELETE FROM heard WHERE file_id = ?", (file_id,))
