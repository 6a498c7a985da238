"""Sources in SQL: which directories of originals are configured, and whether their disks are there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from havenfs.entities import Mark, Source, SourceId
from havenfs.errors import NotFound

from .integers import signed, unsigned

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from havenfs.config import SourceConfig

COLUMNS = "id, name, root, writable, device, inode"


def configure(db: apsw.Connection, sources: Sequence[SourceConfig]) -> list[Source]:
    """Make the table say what the owner configured; returns those sources, in the order given.

    A source is known by its root, else by its name: renaming a source or moving its directory keeps its files. One
    that is no longer configured keeps its rows and is absent. Whether a configured root is really there is for the
    scan to say (`set_present`).
    """
    roots = [os.fsencode(s.root.absolute()) for s in sources]
    ids: list[int | None] = [
        _id(db, "SELECT id FROM source WHERE root = ?", (root,)) for root in roots
    ]
    for i, config in enumerate(sources):
        if ids[i] is None:
            same = _id(db, "SELECT id FROM source WHERE name = ?", (config.name,))
            ids[i] = same if same not in ids else None
    # Names are unique and two sources may have swapped theirs, so everybody steps aside first.
    db.execute("UPDATE source SET name = '/' || id || '/' || name WHERE name NOT LIKE '/%'")
    for i, (config, root) in enumerate(zip(sources, roots, strict=True)):
        if ids[i] is None:
            db.execute(
                "INSERT INTO source (name, root, writable) VALUES (?, ?, ?)",
                (config.name, root, config.writable),
            )
            ids[i] = db.last_insert_rowid()
        else:
            db.execute(
                "UPDATE source SET name = ?, root = ?, writable = ? WHERE id = ?",
                (config.name, root, config.writable, ids[i]),
            )
    # What is left with a slash is configured no more; its plain name is free for a new source.
    db.execute("UPDATE source SET present = 0 WHERE name LIKE '/%' AND present")
    return [get(db, SourceId(i)) for i in ids if i is not None]


def configured(db: apsw.Connection) -> list[Source]:
    """Every configured source, present or not, by name."""
    rows = db.execute(f"SELECT {COLUMNS} FROM source WHERE name NOT LIKE '/%' ORDER BY name")  # noqa: S608
    return [from_row(row) for row in rows]


def present(db: apsw.Connection) -> list[Source]:
    """The configured sources whose disks are there, by name."""
    rows = db.execute(f"SELECT {COLUMNS} FROM source WHERE present ORDER BY name")  # noqa: S608
    return [from_row(row) for row in rows]


def away(db: apsw.Connection) -> list[Source]:
    """The configured sources whose disks are not there, by name: what is known of them is hidden."""
    there = {source.id for source in present(db)}
    return [source for source in configured(db) if source.id not in there]


def uploads(db: apsw.Connection, name: str | None = None) -> Source | None:
    """Where new files go that are dropped elsewhere than into `files/`: the writable source of this name, else the first
    that is writable, of those whose disks are there. None: nowhere."""
    writable = [source for source in present(db) if source.writable]
    named = [source for source in writable if source.name == name]
    return next(iter(named or writable), None)


def get(db: apsw.Connection, source_id: SourceId) -> Source:
    """The source. Raises NotFound."""
    row = db.execute(f"SELECT {COLUMNS} FROM source WHERE id = ?", (source_id,)).fetchone()  # noqa: S608
    if row is None:
        raise NotFound(f"source {source_id}")
    return from_row(row)


def by_name(db: apsw.Connection, name: str) -> Source:
    """The present source of this name. Raises NotFound."""
    row = db.execute(
        f"SELECT {COLUMNS} FROM source WHERE name = ? AND present",  # noqa: S608
        (name,),
    ).fetchone()
    if row is None:
        raise NotFound(name)
    return from_row(row)


def is_present(db: apsw.Connection, source_id: SourceId) -> bool:
    """Whether the source is configured and its disk was there when last looked at."""
    row = db.execute("SELECT present FROM source WHERE id = ?", (source_id,)).fetchone()
    return bool(row and row[0])


def set_present(db: apsw.Connection, source_id: SourceId, present: bool) -> None:  # noqa: FBT001
    """Show or hide everything of a source. Nothing is deleted."""
    db.execute(
        "UPDATE source SET present = ?1 WHERE id = ?2 AND present <> ?1", (present, source_id)
    )


def mark(db: apsw.Connection, source_id: SourceId) -> Mark | None:
    """By what its disk is known again; None before it was first looked at."""
    row = db.execute(
        "SELECT device, inode, filesystem FROM source WHERE id = ? AND device IS NOT NULL",
        (source_id,),
    ).fetchone()
    return Mark(*map(unsigned, row)) if row else None


def set_mark(db: apsw.Connection, source_id: SourceId, mark: Mark) -> None:
    """Know its disk by this from now on."""
    db.execute(
        "UPDATE source SET device = ?, inode = ?, filesystem = ? WHERE id = ?",
        (*map(signed, mark), source_id),
    )


def scanned(db: apsw.Connection, source_id: SourceId) -> None:
    """Count one more complete scan."""
    db.execute("UPDATE source SET scan = scan + 1 WHERE id = ?", (source_id,))


def scans(db: apsw.Connection, source_id: SourceId) -> int:
    """Number of complete scans so far."""
    row = db.execute("SELECT scan FROM source WHERE id = ?", (source_id,)).fetchone()
    return int(row[0]) if row else 0


def from_row(row: Sequence[Any]) -> Source:
    """The Source in a row of COLUMNS."""
    mark = None if row[4] is None else (unsigned(row[4]), unsigned(row[5]))
    return Source(id=SourceId(row[0]), name=row[1], root=row[2], writable=bool(row[3]), mark=mark)


def _id(db: apsw.Connection, statement: str, arguments: tuple[str | bytes]) -> int | None:
    row = db.execute(statement, arguments).fetchone()
    return int(row[0]) if row else None
