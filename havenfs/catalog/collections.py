"""Albums, tags and saved searches in SQL: reading what people decided, for folders. Changing it is `havenfs.decisions`'."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from havenfs.errors import NotEmpty, NotFound

from . import assets, given, names

if TYPE_CHECKING:
    import apsw

    from havenfs.entities import AssetId


class Collection(Struct, frozen=True):
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
    """The one of this name there; capitals and Unicode form do not matter. Raises NotFound."""
    row: Any = db.execute(
        # As the index is written: 7 us among 1,000 siblings; `parent IS` reads them all, 280 us.
        "SELECT uid, kind, parent, name FROM collection"
        " WHERE kind = ? AND ifnull(parent, '') = ? AND name_key = ?",
        (str(kind), parent or "", names.key(name)),
    ).fetchone()
    if row is None:
        raise NotFound(name)
    return Collection(*row)


def path(db: apsw.Connection, uid: str) -> tuple[str, ...]:
    """Its name after those of the ones around it, outermost first. Raises NotFound."""
    step: str | None = uid
    found: list[str] = []
    while step is not None:
        here = get(db, step)
        found.append(here.name)
        step = here.parent
    return tuple(reversed(found))


def of_content(db: apsw.Connection, kind: str, content: bytes) -> dict[str, tuple[str, ...]]:
    """The albums or tags that a content was put into, by uid: each as `path` has it, in that order."""
    rows = given.rows(db, "member", hash=content.hex())
    uids = [str(uid) for uid, _ in rows if get(db, str(uid)).kind == kind]
    return dict(sorted(((uid, path(db, uid)) for uid in uids), key=lambda pair: pair[1]))


def keywords(db: apsw.Connection, asset_id: AssetId) -> list[str]:
    """What the asset's file says itself, which nobody here has given."""
    row: Any = db.execute("SELECT keywords FROM asset WHERE id = ?", (asset_id,)).fetchone()
    return json.loads(row[0]) if row is not None and row[0] else []


def get(db: apsw.Connection, uid: str) -> Collection:
    """The album or tag. Raises NotFound."""
    rows = given.rows(db, "collection", uid=uid)
    if not rows:
        raise NotFound(uid)
    return _from_row(rows[0])


def removable(db: apsw.Connection, uid: str) -> None:
    """Raises NotEmpty if an album or tag shows something, or may again. What another asset stands for in the views does not
    count, nor what is gone for good: nobody could take it out."""
    held = db.execute(
        f"""
        SELECT 1 FROM member m WHERE m.collection = ?1
           AND (m.hash IN (SELECT hash FROM visible)
                OR (m.hash NOT IN (SELECT hash FROM present) AND {assets.MAY_RETURN.format(hash="m.hash")}))
        UNION ALL SELECT 1 FROM collection WHERE parent = ?1 LIMIT 1
        """,  # noqa: S608 -- a constant
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
