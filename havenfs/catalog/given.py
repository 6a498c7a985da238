"""The GIVEN tables in SQL, all in one way: a row is a key and values, read and written whole.

Rows stand here as the journal writes them (`Row`): hashes in hexadecimal, paths percent-encoded, numbers and text as they
are. A Draft gathers what one decision does to them, as pairs of rows before and after: that pair is what is journaled,
replayed and, turned round, what takes the decision back. Nothing here knows what a decision means.

Plain functions of a connection; a call holds the caller's transaction only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import apsw

Cell = str | int | float | None
Row = tuple[Cell, ...]


class Change(NamedTuple):
    """What happened to one row."""

    table: str
    key: Row
    before: Row | None
    """Its other columns; None: it was not there."""
    after: Row | None
    """None: it is not there any more."""

    def reversed(self) -> Change:
        """What takes it back."""
        return Change(self.table, self.key, self.after, self.before)


class Table(Struct, frozen=True):
    """One GIVEN table."""

    name: str
    key: tuple[str, ...]
    values: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The key first."""
        return (*self.key, *self.values)


HASHES = frozenset({"hash", "first", "second", "old", "new"})
"""Columns that hold content hashes."""
PATHS = frozenset({"path", "to_path"})

_REGION = ("frame_ms", "x0", "y0", "x1", "y1")
TABLES = {
    table.name: table
    for table in (  # a table stands after those that it refers to
        Table("person", ("uid",), ("name", "name_key", "ignored")),
        Table("face_said", ("hash", *_REGION, "person"), ("is_it",)),
        Table("person_tag", ("hash", "person"), ("is_in",)),
        Table("collection", ("uid",), ("kind", "parent", "name", "name_key")),
        Table("member", ("collection", "hash")),
        Table("tag_refused", ("hash", "tag")),
        Table("favorite", ("hash",)),
        Table("given_rating", ("hash",), ("stars",)),
        Table("given_caption", ("hash",), ("body",)),
        Table("given_date", ("hash",), ("taken_local", "taken_offset")),
        Table("given_position", ("hash",), ("latitude", "longitude", "centre")),
        Table("saved_search", ("name_key",), ("name", "query")),
        Table("not_duplicate", ("first", "second")),
        Table("trashed", ("uid",), ("hash", "source", "path", "at_ms", "owner")),
        Table("succession", ("old", "new")),
        Table("filing_refused", ("hash", "source", "path")),
        Table("filed", ("uid", "number"), ("hash", "source", "path", "to_source", "to_path")),
    )
}

REFERENCES = (
    ("face_said", "person", "person"),
    ("person_tag", "person", "person"),
    ("collection", "parent", "collection"),
    ("member", "collection", "collection"),
)
"""(table, column, the table whose uid stands in it)."""


def rows(db: apsw.Connection, table: str, **where: Cell) -> list[Row]:
    """The rows, key columns first, whose columns have these values; all of them without any. By key."""
    spec = TABLES[table]
    test = " AND ".join(f"{column} IS ?" for column in where) or "1"
    found = db.execute(
        f"SELECT {', '.join(spec.columns)} FROM {table} WHERE {test} ORDER BY {', '.join(spec.key)}",  # noqa: S608
        [_to_sql(column, cell) for column, cell in where.items()],
    )
    return [_row(spec.columns, row) for row in found]


def count(db: apsw.Connection) -> int:
    """How many rows there are in all GIVEN tables."""
    found = (db.execute(f"SELECT count(*) FROM {name}").fetchone() for name in TABLES)  # noqa: S608
    return sum(row[0] for row in found if row is not None)


def get(db: apsw.Connection, table: str, key: Row) -> Row | None:
    """The values of the row with this key; None when there is none."""
    spec = TABLES[table]
    found = rows(db, table, **dict(zip(spec.key, key, strict=True)))
    return found[0][len(spec.key) :] if found else None


def put(db: apsw.Connection, changes: Iterable[Change], *, force: bool = False) -> None:
    """Let every row be as it is after these changes. Rows go before others come: names may be swapped.

    *force*: a row that stands in the way goes too, for a journal of which a part cannot be read.
    """
    verb = "INSERT OR REPLACE" if force else "INSERT"
    changes = list(changes)
    for change in changes:
        spec = TABLES[change.table]
        test = " AND ".join(f"{column} IS ?" for column in spec.key)
        db.execute(
            f"DELETE FROM {spec.name} WHERE {test}",  # noqa: S608
            [_to_sql(*pair) for pair in zip(spec.key, change.key, strict=True)],
        )
    for change in changes:
        if change.after is not None:
            spec = TABLES[change.table]
            cells = (*change.key, *change.after)
            db.execute(
                f"{verb} INTO {spec.name} ({', '.join(spec.columns)})"
                f" VALUES ({', '.join('?' * len(cells))})",
                [_to_sql(*pair) for pair in zip(spec.columns, cells, strict=True)],
            )


def clear(db: apsw.Connection) -> None:
    """Empty every GIVEN table but `operation`."""
    for name in reversed(TABLES):
        db.execute(f"DELETE FROM {name}")  # noqa: S608


def orphans(db: apsw.Connection, uids: Iterable[Cell]) -> list[tuple[str, Row]]:
    """Table and row of each reference to one of these uids whose row is not there."""
    found: list[tuple[str, Row]] = []
    for uid in uids:
        for table, column, parent in REFERENCES:
            if get(db, parent, (uid,)) is None:
                found += [(table, row) for row in rows(db, table, **{column: uid})]
    return found


def prune(db: apsw.Connection) -> int:
    """Remove the rows whose person or folder is not there, also those that this leaves so. Returns how many."""
    gone = 0
    for table, column, parent in REFERENCES:
        while True:
            db.execute(
                f"DELETE FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608
                f" AND {column} NOT IN (SELECT uid FROM {parent})"
            )
            if not db.changes():
                break
            gone += db.changes()
    return gone


class Draft:
    """What one decision does, while it does it."""

    def __init__(self, db: apsw.Connection) -> None:
        self.db = db
        self._before: dict[tuple[str, Row], Row | None] = {}

    def get(self, table: str, *key: Cell) -> Row | None:
        """The values of a row as they are now."""
        return get(self.db, table, key)

    def rows(self, table: str, **where: Cell) -> list[Row]:
        """Rows as they are now, see `rows`."""
        return rows(self.db, table, **where)

    def set(self, table: str, key: Sequence[Cell], values: Row | None = ()) -> None:
        """Write a row, or remove it (None)."""
        key = tuple(key)
        before = self.get(table, *key)
        self._before.setdefault((table, key), before)
        put(self.db, [Change(table, key, before, values)])

    def take_back(self, changes: Sequence[Change]) -> int:
        """Let rows be as they were before *changes*, as if these had been this draft's, where nothing else was done to them
        since; returns how many rows."""
        free = [change for change in changes if self.get(change.table, *change.key) == change.after]
        for change in free:
            self._before.setdefault((change.table, change.key), change.before)
        put(self.db, [change.reversed() for change in free])
        return len(free)

    def changes(self) -> list[Change]:
        """What is different now, row by row."""
        found = [
            Change(table, key, before, self.get(table, *key))
            for (table, key), before in self._before.items()
        ]
        return [change for change in found if change.before != change.after]


def contents(changes: Iterable[Change]) -> set[str]:
    """The hashes of the contents that changes are about."""
    return {
        str(cell)
        for change in changes
        for column, cell in zip(
            TABLES[change.table].columns,
            (*change.key, *(change.after or change.before or ())),
            strict=True,
        )
        if column in HASHES
    }


def _row(columns: tuple[str, ...], row: Sequence[Any]) -> Row:
    return tuple(_from_sql(*pair) for pair in zip(columns, row, strict=True))


def _from_sql(column: str, cell: Any) -> Cell:
    if column in HASHES:
        return bytes(cell).hex()
    return quote_from_bytes(cell, safe="/ ") if column in PATHS else cell


def _to_sql(column: str, cell: Cell) -> Cell | bytes:
    if column in HASHES:
        return bytes.fromhex(str(cell))
    return unquote_to_bytes(str(cell)) if column in PATHS else cell
