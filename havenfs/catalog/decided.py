"""Decisions in SQL: the log that undo reads, the outbox to the journal, and what happens to decisions when a file is edited.

Plain functions of a connection; a call holds the caller's transaction only.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from . import given, heeding
from .given import Change, Draft

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import apsw

FOLLOW = "Follow"
"""The kind of operation that nobody decided: an edited file took its decisions along."""

_WATERMARK = "journal"  # in `meta`: the last operation known to be in the journal, and the journal's bytes then


class Operation(Struct, frozen=True, kw_only=True):
    """A decision that was carried out."""

    id: str
    """16 hexadecimal digits."""
    at_ms: int
    """Unix milliseconds."""
    by: str | None
    """Who; None: nobody, HavenFS followed an edited file."""
    kind: str
    words: str
    assets: int
    """How many contents it touched."""
    reverts: str | None
    """The operation that it took back."""
    changes: tuple[Change, ...]


_COLUMNS = "o.id, o.at_ms, o.by, o.kind, o.words, o.assets, o.reverts, o.changes"


def record(
    draft: Draft, kind: str, words: str, *, by: str | None, reverts: str | None = None
) -> Operation | None:
    """Log what a draft has done, put it into the outbox, and let the clusters of faces follow. None, and nothing is written,
    if it changed nothing."""
    changes = draft.changes()
    if not changes:
        return None
    heeding.heed(draft.db, changes)
    operation = Operation(
        id=os.urandom(8).hex(),
        at_ms=time.time_ns() // 1_000_000,
        by=by,
        kind=kind,
        words=words,
        assets=len(given.contents(changes)),
        reverts=reverts,
        changes=tuple(changes),
    )
    add(draft.db, operation)
    draft.db.execute("INSERT INTO outbox (seq) VALUES (?)", (draft.db.last_insert_rowid(),))
    return operation


def add(db: apsw.Connection, operation: Operation) -> None:
    """Log an operation."""
    db.execute(
        """
        INSERT INTO operation (id, at_ms, by, kind, words, assets, reverts, changes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            operation.id,
            operation.at_ms,
            operation.by,
            operation.kind,
            operation.words,
            operation.assets,
            operation.reverts,
            json.dumps(operation.changes, ensure_ascii=False, separators=(",", ":")),
        ),
    )


def known(db: apsw.Connection, operation_id: str) -> bool:
    """Whether the operation is in the log."""
    return (
        db.execute("SELECT 1 FROM operation WHERE id = ?", (operation_id,)).fetchone() is not None
    )


def mentions(db: apsw.Connection, content: bytes) -> bool:
    """Whether anything in the log is about this content."""
    found = db.execute("SELECT 1 FROM operation WHERE instr(changes, ?) LIMIT 1", (content.hex(),))
    return found.fetchone() is not None


def last(
    db: apsw.Connection, limit: int, *, before: str | None = None, besides: str | None = None
) -> list[Operation]:
    """What people decided, newest first: before the operation of that id, and nothing of the kind *besides*."""
    return _operations(
        db,
        """
        WHERE o.by IS NOT NULL AND o.kind IS NOT ?3
          AND (?2 IS NULL OR o.seq < (SELECT seq FROM operation WHERE id = ?2)) ORDER BY o.seq DESC LIMIT ?1
        """,
        (limit, before, besides),
    )


def latest_ms(db: apsw.Connection, besides: str) -> int:
    """When somebody decided something last, Unix milliseconds, not counting *besides*; 0: never."""
    row: Any = db.execute(
        "SELECT at_ms FROM operation WHERE by IS NOT NULL AND by <> ? ORDER BY seq DESC LIMIT 1",
        (besides,),
    ).fetchone()
    return row[0] if row is not None else 0


def newest(db: apsw.Connection, limit: int) -> list[Operation]:
    """The newest *limit* operations of the log, oldest first."""
    return _operations(db, "ORDER BY o.seq DESC LIMIT ?", (limit,))[::-1]


def starting(db: apsw.Connection, prefix: str) -> list[Operation]:
    """The operations whose id starts so; at most two."""
    return _operations(
        db, "WHERE substr(o.id, 1, ?1) = ?2 ORDER BY o.seq LIMIT 2", (len(prefix), prefix)
    )


def many(db: apsw.Connection, ids: Sequence[str]) -> list[Operation]:
    """Those of these operations that are in the log, oldest first."""
    return _operations(
        db,
        "WHERE o.id IN (SELECT value FROM json_each(?)) ORDER BY o.seq",
        (json.dumps(list(ids)),),
    )


def forget(db: apsw.Connection, ids: Sequence[str]) -> None:
    """Take operations out of the log and the outbox: another one stands for them."""
    these = (json.dumps(list(ids)),)
    seqs = "SELECT seq FROM operation WHERE id IN (SELECT value FROM json_each(?))"
    db.execute(f"DELETE FROM outbox WHERE seq IN ({seqs})", these)  # noqa: S608
    db.execute("DELETE FROM operation WHERE id IN (SELECT value FROM json_each(?))", these)


def reverted(db: apsw.Connection, ids: Sequence[str]) -> set[str]:
    """Those of these operations that are taken back at present."""
    return {id_ for id_ in ids if taken_back(db, id_) is not None}


def taken_back(db: apsw.Connection, operation_id: str) -> str | None:
    """The operation by which this one is taken back at present: the last that did so, unless it is taken back itself."""
    row: Any = db.execute(
        "SELECT id FROM operation WHERE reverts = ? ORDER BY seq DESC LIMIT 1", (operation_id,)
    ).fetchone()
    return row[0] if row is not None and taken_back(db, row[0]) is None else None


def after(db: apsw.Connection, operation_id: str) -> list[Operation]:
    """What came later, oldest first."""
    return _operations(
        db,
        "WHERE o.seq > (SELECT seq FROM operation WHERE id = ?) ORDER BY o.seq",
        (operation_id,),
    )


def outbox(db: apsw.Connection) -> list[Operation]:
    """What is committed and not known to be in the journal, oldest first."""
    return _operations(db, "JOIN outbox b ON b.seq = o.seq ORDER BY o.seq")


def delivered(db: apsw.Connection, operation_id: str, size: int) -> None:
    """The journal, which has *size* bytes by now, holds everything up to this operation."""
    db.execute(
        "DELETE FROM outbox WHERE seq <= (SELECT seq FROM operation WHERE id = ?)", (operation_id,)
    )
    mark(db, operation_id, size)


def mark(db: apsw.Connection, operation_id: str, size: int) -> None:
    """The catalog has seen *size* bytes of the journal, of which this is the last operation."""
    db.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
        (_WATERMARK, f"{operation_id} {size}"),
    )


def watermark(db: apsw.Connection) -> tuple[str | None, int]:
    """The last operation that is known to be in the journal, and how many bytes that had then."""
    row: Any = db.execute("SELECT value FROM meta WHERE key = ?", (_WATERMARK,)).fetchone()
    if row is None:
        return None, 0
    operation_id, size = row[0].split()
    return operation_id, int(size)


def trim(db: apsw.Connection, keep: int) -> None:
    """Forget all but the newest *keep* operations: they can be taken back no more. What they did stays."""
    db.execute(
        """
        DELETE FROM operation WHERE seq NOT IN (SELECT seq FROM outbox)
           AND seq <= (SELECT max(seq) FROM operation) - ?
        """,
        (keep,),
    )


def successors(db: apsw.Connection, content: str) -> list[str]:
    """The contents that a content became by being edited, nearest first; hashes in hexadecimal."""
    found: list[str] = []
    waiting = [content]
    while waiting:
        for _, new in given.rows(db, "succession", old=waiting.pop(0)):
            if new != content and new not in found:
                found.append(str(new))
                waiting.append(str(new))
    return found


def follow(db: apsw.Connection, old: bytes, new: bytes) -> None:
    """A file was edited in place: what was decided about its old content holds for the new one too.

    Where something was decided about the new content already, that stays.
    """
    draft = Draft(db)
    was, now = old.hex(), new.hex()
    for table in given.TABLES.values():
        if table.name in ("trashed", "succession"):  # about those very bytes
            continue
        for column in given.HASHES.intersection(table.key):
            for row in draft.rows(table.name, **{column: was}):
                key = [now if cell == was else cell for cell in row[: len(table.key)]]
                if table.name == "not_duplicate":
                    key.sort(key=str)
                    if key[0] == key[1]:
                        continue
                if draft.get(table.name, *key) is None and not _spoken_for(draft, table.name, key):
                    draft.set(table.name, key, row[len(table.key) :])
    if draft.changes():
        draft.set("succession", (was, now))
        record(draft, FOLLOW, "went along with an edited file", by=None)


def _spoken_for(draft: Draft, table: str, key: Iterable[Any]) -> bool:
    """Whether something is already said of the face in this very place."""
    if table != "face_said":
        return False
    region = dict(zip(given.TABLES[table].key, key, strict=True))
    del region["person"]
    return any(row[-1] for row in draft.rows(table, **region))


def _operations(db: apsw.Connection, rest: str, bindings: tuple[Any, ...] = ()) -> list[Operation]:
    return [
        Operation(
            id=row[0],
            at_ms=row[1],
            by=row[2],
            kind=row[3],
            words=row[4],
            assets=row[5],
            reverts=row[6],
            changes=changes_of(json.loads(row[7])),
        )
        for row in db.execute(f"SELECT {_COLUMNS} FROM operation o {rest}", bindings)  # noqa: S608
    ]


def changes_of(plain: Any) -> tuple[Change, ...]:
    """Changes from what JSON made of them."""
    return tuple(
        Change(
            table,
            tuple(key),
            None if before is None else tuple(before),
            None if after is None else tuple(after),
        )
        for table, key, before, after in plain
    )
