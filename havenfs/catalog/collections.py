"""Albums, tags and saved searches in SQL: reading what people decided, for folders. Changing it is `havenfs.decisions`'."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from havenfs.errors import NotEmpty, NotFound

from . import given, names

if TYPE_CHECKING:
    import apsw


class Collection(NamedTuple):
    """An album or a tag."""

    uid: str
    kind: str
    """"album" or "tag"."""
    parent: str | None
    name: str


def below(db: apsw.Connection, kind: str, parent: str | None) -> list[Collection]:
    """The albums or tags directly below *parent* (None: at the top), by name."""
    rows = given.rows(db, "collection", kind=kind, parent=parent)
    found = [_from_row(row) for row in rows]
    return sorted(found, key=lambda collection: (names.key(collection.name), collection.name))


def named(db: apsw.Connection, kind: str, parent: str | None, name: str) -> Collection:
    """The one of exactly this name there. Raises NotFound."""
    rows = given.rows(db, "collection", kind=kind, parent=parent, name=name)
    if not rows:
        raise NotFound(name)
    return _from_row(rows[0])


def get(db: apsw.Connection, uid: str) -> Collection:
    """The album or tag. Raises NotFound."""
    rows = given.rows(db, "collection", uid=uid)
    if not rows:
        raise NotFound(uid)
    return _from_row(rows[0])


def removable(db: apsw.Connection, uid: str) -> None:
    """Raises NotEmpty if an album or tag shows something, or will once a disk is there. What another asset stands for in the
    views does not count: nobody could take it out."""
    held = db.execute(
        """
        SELECT 1 FROM member WHERE collection = ?1
           AND (hash IN (SELECT hash FROM visible) OR hash NOT IN (SELECT hash FROM present))
        UNION ALL SELECT 1 FROM collection WHERE parent = ?1 LIMIT 1
        """,
        (uid,),
    ).fetchone()
    if held is not None:
        raise NotEmpty(f"{get(db, uid).name} is not empty")


def saved(db: apsw.Connection) -> dict[str, str]:
    """Name and query of each saved search, by name."""
    return {str(name): str(query) for _, name, query in given.rows(db, "saved_search")}


def _from_row(row: given.Row) -> Collection:
    uid, kind, parent, name, _ = row
    return Collection(str(uid), str(kind), None if parent is None else str(parent), str(name))
