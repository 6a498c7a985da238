"""Files in SQL: the paths of each source as last seen, and which asset each belongs to.

A row is written only where something changed, so that the rescan of a quiet library writes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from havenfs.entities import AssetId, File, FileId, FileState, SourceId

from . import stacks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import apsw

LINK = "a symbolic link"
"""Why a file of state SKIPPED is no original, where it is one."""
COLUMNS = "id, source_id, path, size, mtime_ns, device, inode, state, hash, asset_id, reason"


class Seen(Struct, frozen=True, kw_only=True):
    """One entry on disk, before it has a row."""

    path: bytes
    """Relative to the source's root."""
    size: int
    mtime_ns: int
    device: int
    inode: int
    state: FileState = FileState.NEW
    reason: str | None = None


class Children(Struct, frozen=True, kw_only=True):
    """What is known directly below one directory."""

    files: dict[bytes, File]
    """By path relative to the source's root."""
    directories: frozenset[bytes]
    """Those with a known file somewhere below, by path."""


def get(db: apsw.Connection, file_id: FileId) -> File | None:
    """The file, or None if it is gone by now."""
    row = db.execute(
        "SELECT id, source_id, path, size, mtime_ns, device, inode, state, hash, asset_id, reason"
        " FROM file WHERE id = ?",
        (file_id,),
    ).fetchone()
    return from_row(row) if row else None


def by_path(db: apsw.Connection, source_id: SourceId, path: bytes) -> File | None:
    """The file at this path, or None."""
    row = db.execute(
        "SELECT id, source_id, path, size, mtime_ns, device, inode, state, hash, asset_id, reason"
        " FROM file WHERE source_id = ? AND path = ?",
        (source_id, path),
    ).fetchone()
    return from_row(row) if row else None


def some(db: apsw.Connection, source_id: SourceId, most: int) -> list[tuple[bytes, int]]:
    """Path and size of a few files of the source, from both ends of the alphabet."""
    return [
        row
        for order in ("ASC", "DESC")
        for row in db.execute(
            f"SELECT path, size FROM file WHERE source_id = ? ORDER BY path {order} LIMIT ?",  # noqa: S608
            (source_id, most // 2),
        )
    ]


def by_inode(db: apsw.Connection, source_id: SourceId, inode: int) -> list[bytes]:
    """The paths at which this inode of the source was last seen: several for hard links."""
    rows = db.execute("SELECT path FROM file WHERE inode = ? AND source_id = ?", (inode, source_id))
    return [row[0] for row in rows]


def of_asset(db: apsw.Connection, asset_id: AssetId) -> list[File]:
    """The files of an asset, by id."""
    rows = db.execute(f"SELECT {COLUMNS} FROM file WHERE asset_id = ? ORDER BY id", (asset_id,))  # noqa: S608
    return [from_row(row) for row in rows]


def children(db: apsw.Connection, source_id: SourceId, directory: bytes) -> Children:
    """What is known directly below *directory* (b"" is the root).

    Jumps over whole subdirectories in the index on (source_id, path), so the cost is that of the listing, not of the
    subtree: about 4 us an entry.
    """
    prefix = directory + b"/" if directory else b""
    end = directory + b"0" if directory else None  # "0" follows "/"; None: to the end of the source
    files: dict[bytes, File] = {}
    directories: set[bytes] = set()
    cursor = prefix
    while True:
        row = db.execute(
            """
            SELECT id, source_id, path, size, mtime_ns, device, inode, state, hash, asset_id, reason
              FROM file WHERE source_id = ?1 AND path >= ?2 AND (?3 IS NULL OR path < ?3)
             ORDER BY path LIMIT 1
            """,
            (source_id, cursor, end),
        ).fetchone()
        if row is None:
            return Children(files=files, directories=frozenset(directories))
        path: bytes = row[2]
        slash = path.find(b"/", len(prefix))
        if slash < 0:
            files[path] = from_row(row)
            cursor = path + b"\0"
        else:
            directories.add(path[:slash])
            cursor = path[:slash] + b"0"


def below(db: apsw.Connection, source_id: SourceId, directory: bytes) -> list[tuple[FileId, bytes]]:
    """Id and path of every known file below *directory* (b"" is the root)."""
    return [
        (FileId(row[0]), row[1])
        for row in db.execute(
            "SELECT id, path FROM file WHERE source_id = ?1 AND path >= ?2 AND (?3 IS NULL OR path < ?3)",
            (
                source_id,
                directory + b"/" if directory else b"",
                directory + b"0" if directory else None,
            ),
        )
    ]


def first(db: apsw.Connection, source_id: SourceId, path: bytes) -> File | None:
    """A file that is known at *path*, or below it."""
    file = by_path(db, source_id, path)
    if file is not None:
        return file
    row = db.execute(
        f"SELECT {COLUMNS} FROM file WHERE source_id = ? AND path >= ? AND path < ? ORDER BY path LIMIT 1",  # noqa: S608
        (source_id, path + b"/", path + b"0"),
    ).fetchone()
    return from_row(row) if row else None


def anything(db: apsw.Connection, source_id: SourceId, path: bytes) -> bool:
    """Whether something is known at *path*, or below it."""
    return bool(
        db.execute(
            "SELECT EXISTS (SELECT 1 FROM file WHERE source_id = ?1 AND path = ?2)"
            " OR EXISTS (SELECT 1 FROM file WHERE source_id = ?1 AND path >= ?3 AND path < ?4)",
            (source_id, path, path + b"/", path + b"0"),
        ).get
    )


def twins(db: apsw.Connection, seen: Seen) -> list[File]:
    """Known files with this entry's device, inode, size and mtime: where it may have been moved from."""
    rows = db.execute(
        """
        SELECT id, source_id, path, size, mtime_ns, device, inode, state, hash, asset_id, reason
          FROM file WHERE inode = ? AND device = ? AND size = ? AND mtime_ns = ? AND state <> 'skipped'
        """,
        (seen.inode, seen.device, seen.size, seen.mtime_ns),
    )
    return [from_row(row) for row in rows]


def add(db: apsw.Connection, source_id: SourceId, seen: Iterable[Seen]) -> None:
    """Rows for entries that had none. A path that got one meanwhile is left alone."""
    db.executemany(
        """
        INSERT OR IGNORE INTO file (source_id, path, size, mtime_ns, device, inode, state, reason)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            (source_id, s.path, s.size, s.mtime_ns, s.device, s.inode, s.state, s.reason)
            for s in seen
        ),
    )


def change(db: apsw.Connection, file_id: FileId, seen: Seen) -> None:
    """The entry at this file's path is another one, or was written to: it is to be hashed again, or passed over.

    A file to be hashed again keeps its asset meanwhile, so that views go on showing it.
    """
    db.execute(
        """
        UPDATE file SET size = ?, mtime_ns = ?, device = ?, inode = ?, state = ?, reason = ?
         WHERE id = ?
        """,
        (seen.size, seen.mtime_ns, seen.device, seen.inode, seen.state, seen.reason, file_id),
    )
    if seen.state is not FileState.NEW:
        assert seen.reason is not None, "entries that are not hashed say why"
        refuse(db, file_id, seen.state, seen.reason)


def touch(db: apsw.Connection, file_id: FileId, seen: Seen) -> None:
    """Only device or inode numbers moved (a remount, a restored backup): the content is taken to be the same."""
    db.execute(
        "UPDATE file SET device = ?, inode = ? WHERE id = ?", (seen.device, seen.inode, file_id)
    )


def move(db: apsw.Connection, file_id: FileId, source_id: SourceId, path: bytes) -> None:
    """The file is now at *path*, which must have no row: same row, same asset."""
    db.execute("UPDATE file SET source_id = ?, path = ? WHERE id = ?", (source_id, path, file_id))


def move_below(
    db: apsw.Connection,
    source_id: SourceId,
    directory: bytes,
    new_source_id: SourceId,
    new_directory: bytes,
) -> int:
    """Everything below *directory* is now below *new_directory*, below which there must be no rows: same rows, same
    assets. Returns how many."""
    stacks.settle(db)
    db.execute(
        """
        UPDATE file SET source_id = ?4, path = CAST(?5 || substr(path, ?6) AS BLOB)
         WHERE source_id = ?1 AND path >= ?2 AND path < ?3
        """,
        (
            source_id,
            directory + b"/",
            directory + b"0",
            new_source_id,
            new_directory,
            len(directory) + 1,
        ),
    )
    moved = db.changes()
    if source_id == new_source_id:
        db.execute("DELETE FROM loose")  # mates lie in one folder: all of them moved
    return moved


def known(db: apsw.Connection, file_id: FileId, content: bytes, asset_id: AssetId) -> None:
    """The file is hashed and belongs to this asset."""
    db.execute(
        "UPDATE file SET state = 'known', reason = NULL, hash = ?, asset_id = ? WHERE id = ?",
        (content, asset_id, file_id),
    )


def refuse(db: apsw.Connection, file_id: FileId, state: FileState, reason: str) -> None:
    """The file is SKIPPED or FAILED, for a reason in words.

    A skipped file leaves its asset. A failed one stays with it, as long as no good copy can stand in: programs empty
    a file before they write it, and what was said about the photo must not hang on that moment.
    """
    if state is FileState.SKIPPED:
        part(db, file_id)
    else:
        _step_back(db, file_id, only_for_another=True)
    db.execute(
        "UPDATE file SET state = ?, reason = ?, hash = NULL WHERE id = ?", (state, reason, file_id)
    )


def remove(db: apsw.Connection, gone: Iterable[tuple[FileId, bytes]]) -> int:
    """Delete the rows of files that are no longer at these paths; one that was moved meanwhile stays. Returns how
    many went."""
    count = 0
    for file_id, path in gone:
        row = db.execute("SELECT 1 FROM file WHERE id = ? AND path = ?", (file_id, path)).fetchone()
        if row is not None:
            part(db, file_id)
            db.execute("DELETE FROM file WHERE id = ?", (file_id,))
            count += 1
    return count


def part(db: apsw.Connection, file_id: FileId) -> None:
    """The file leaves its asset. If it was the primary file, another one becomes that; without any the asset keeps
    its row, hidden, so that its name and id come back with the content."""
    _step_back(db, file_id, only_for_another=False)
    db.execute("UPDATE file SET asset_id = NULL WHERE id = ?", (file_id,))


def _step_back(db: apsw.Connection, file_id: FileId, *, only_for_another: bool) -> None:
    """If this is the primary file of an asset, another one of its files is from now on; NULL if there is none, unless
    *only_for_another*."""
    db.execute(
        """
        WITH next (id, asset_id) AS (
            SELECT f.id, f.asset_id FROM file me JOIN file f ON f.asset_id = me.asset_id
              JOIN source s ON s.id = f.source_id
             WHERE me.id = ?1 AND f.id <> ?1 AND f.state = 'known' ORDER BY s.present DESC, f.id LIMIT 1)
        UPDATE asset SET file_id = (SELECT id FROM next)
         WHERE file_id = ?1 AND (NOT ?2 OR EXISTS (SELECT 1 FROM next))
        """,
        (file_id, only_for_another),
    )


def new(db: apsw.Connection, limit: int) -> list[tuple[File, bytes]]:
    """Files to be hashed in sources that are there, newest first, each with its source's root."""
    rows = db.execute(
        """
        SELECT f.id, f.source_id, f.path, f.size, f.mtime_ns, f.device, f.inode, f.state, f.hash, f.asset_id,
               f.reason, s.root
          FROM file f JOIN source s ON s.id = f.source_id
         WHERE f.state = 'new' AND s.present ORDER BY f.mtime_ns DESC LIMIT ?
        """,
        (limit,),
    )
    return [(from_row(row), row[11]) for row in rows]


def further_copies(db: apsw.Connection) -> int:
    """Files in present sources with the bytes of an asset whose primary file is another one."""
    row = db.execute(
        """
        SELECT count(*) FROM file f JOIN asset a ON a.id = f.asset_id JOIN source s ON s.id = f.source_id
         WHERE s.present AND f.state = 'known' AND a.file_id <> f.id
        """
    ).fetchone()
    return int(row[0]) if row else 0


def from_row(row: Sequence[Any]) -> File:
    """The File in a row of COLUMNS."""
    return File(
        id=FileId(row[0]),
        source_id=SourceId(row[1]),
        path=row[2],
        size=row[3],
        mtime_ns=row[4],
        device=row[5],
        inode=row[6],
        state=FileState(row[7]),
        hash=row[8],
        asset_id=AssetId(row[9]) if row[9] is not None else None,
        reason=row[10],
    )
