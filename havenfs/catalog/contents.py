"""Assets in SQL: making them, giving them new content, finding them again. Reading them is `assets`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from havenfs.entities import AssetId, DateSource, Identity, Kind, Stage

from . import decided, duplicates, faces, files, jobs, names, words

if TYPE_CHECKING:
    import apsw

    from havenfs.entities import File, SourceId

FRESH_S = 60
"""How old the asset of a temporary file may be when it is renamed over the file that it is the new version of."""


def find(db: apsw.Connection, content: bytes) -> AssetId | None:
    """The asset with this content, visible or not."""
    row = db.execute("SELECT id FROM asset WHERE hash = ?", (content,)).fetchone()
    return AssetId(row[0]) if row else None


def add(db: apsw.Connection, file: File, identity: Identity, kind: Kind) -> AssetId:
    """A new asset whose only file is *file*, named after it, with every stage queued."""
    name = names.assign(db, names.text(file.path.rpartition(b"/")[2]), identity.hash)
    db.execute(
        """
        INSERT INTO asset (hash, name, name_key, kind, mime, file_id, added) VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        (
            identity.hash,
            name,
            names.key(name),
            kind,
            identity.mime,
            file.id,
            int(time.time()),
        ),
    )
    asset_id = AssetId(db.last_insert_rowid())
    files.known(db, file.id, identity.hash, asset_id)
    words.put(db, asset_id, name=path_words(file.path))
    jobs.enqueue(db, asset_id, Stage, priority=file.mtime_ns // 10**9)
    return asset_id


def attach(db: apsw.Connection, asset_id: AssetId, file: File, content: bytes) -> None:
    """*file* holds the content of a known asset: a copy, or the return of one whose files were all gone."""
    files.known(db, file.id, content, asset_id)
    db.execute(
        """
        UPDATE asset SET file_id = ?1 WHERE id = ?2 AND NOT EXISTS (
            SELECT 1 FROM file f JOIN source s ON s.id = f.source_id
             WHERE f.id = asset.file_id AND s.present)
        """,
        (file.id, asset_id),
    )


def renew(
    db: apsw.Connection, asset_id: AssetId, file: File, identity: Identity, kind: Kind
) -> None:
    """The asset has new content: the file was edited in place. Same id, same name, same decisions, every stage again."""
    before = db.execute("SELECT hash FROM asset WHERE id = ?", (asset_id,)).fetchone()
    if before is not None:
        decided.follow(db, before[0], identity.hash)
    db.execute(
        "UPDATE asset SET hash = ?, kind = ?, mime = ? WHERE id = ?",
        (identity.hash, kind, identity.mime, asset_id),
    )
    db.execute("DELETE FROM embedding WHERE asset_id = ?", (asset_id,))  # of the old content
    faces.forget(db, asset_id)
    db.execute("DELETE FROM suggested_tag WHERE asset_id = ?", (asset_id,))
    db.execute("DELETE FROM reading WHERE asset_id = ?", (asset_id,))
    duplicates.forget(db, asset_id)
    words.put(db, asset_id, caption="", ocr="", document="")
    attach(db, asset_id, file, identity.hash)
    jobs.enqueue(db, asset_id, Stage, priority=file.mtime_ns // 10**9)


def supersede(db: apsw.Connection, old: File, new: File) -> bool:
    """*new* was renamed over *old*, which programs do to save: the asset of *old* goes on with the content of *new*.

    Only where the asset of *new* was born for that, less than FRESH_S ago, and neither has another file. The young
    asset is left with the old content, hidden, so that this comes back if its bytes do. The rows of the two files are
    the caller's. False: nothing was done.
    """
    row = db.execute(
        """
        SELECT a.hash, b.hash, b.kind, b.mime FROM asset a, asset b
         WHERE a.id = ?1 AND b.id = ?2 AND a.file_id = ?3 AND b.file_id = ?4 AND b.added > ?5
           AND NOT EXISTS (SELECT 1 FROM file WHERE asset_id IN (a.id, b.id) AND id NOT IN (?3, ?4))
        """,
        (old.asset_id, new.asset_id, old.id, new.id, int(time.time()) - FRESH_S),
    ).fetchone()
    if row is None or old.asset_id is None or new.asset_id is None:
        return False
    before, content, kind, mime = row
    db.execute(
        "UPDATE asset SET hash = randomblob(32), file_id = NULL WHERE id = ?", (new.asset_id,)
    )
    renew(
        db,
        old.asset_id,
        new,
        Identity(hash=content, size=new.size, mime=mime, kind=Kind(kind)),
        Kind(kind),
    )
    db.execute("UPDATE asset SET file_id = ? WHERE id = ?", (new.id, old.asset_id))
    db.execute("UPDATE asset SET hash = ? WHERE id = ?", (before, new.asset_id))
    db.execute("DELETE FROM embedding WHERE asset_id = ?", (new.asset_id,))  # of the other content
    faces.forget(db, new.asset_id)
    duplicates.forget(db, new.asset_id)
    return True


def copies(db: apsw.Connection, asset_id: AssetId, *, besides: File) -> int:
    """How many other files still hold the asset's content."""
    row = db.execute(
        """
        SELECT count(*) FROM file f JOIN asset a ON a.id = f.asset_id
         WHERE a.id = ? AND f.id <> ? AND f.state = 'known' AND f.hash = a.hash
        """,
        (asset_id, besides.id),
    ).fetchone()
    return int(row[0]) if row else 0


def reread_dates(db: apsw.Connection, file: File, *, moved: bool) -> None:
    """Queue METADATA again if what changed (the mtime, or the path if *moved*) may decide the date or the words."""
    row = db.execute(
        """
        SELECT a.id, iif(n.asset_id IS NULL, a.taken_source, n.taken_source)
          FROM asset a LEFT JOIN as_found n ON n.asset_id = a.id WHERE a.id = ? AND a.file_id = ?
        """,
        (file.asset_id, file.id),
    ).fetchone()
    if row and (moved or row[1] == DateSource.MTIME):
        jobs.enqueue(db, AssetId(row[0]), [Stage.METADATA], priority=file.mtime_ns // 10**9)


def reread_dates_below(db: apsw.Connection, source_id: SourceId, directory: bytes) -> None:
    """The same for all that was moved to *directory*, in one statement."""
    db.execute(
        """
        INSERT INTO job (asset_id, stage, priority)
        SELECT a.id, 'metadata', f.mtime_ns / 1000000000 FROM file f JOIN asset a ON a.file_id = f.id
         WHERE f.source_id = ? AND f.path >= ? AND f.path < ?
        ON CONFLICT (asset_id, stage) DO UPDATE
           SET state = 'queued', priority = excluded.priority, crashes = 0, reason = NULL, finished = NULL
        """,
        (source_id, directory + b"/", directory + b"0"),
    )


def path_words(path: bytes) -> str:
    """What people may search for in a path: its file's name, then its folders."""
    *folders, name = path.split(b"/")
    return " ".join(names.text(part) for part in [name, *folders])
