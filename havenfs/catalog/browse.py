"""What folders show: assets and their counts under a conjunction of conditions, one statement a folder.

A Condition is a named test of one asset; the SQL of every one stands in TESTS. Folders are conditions added up from
left to right, so that `by-date/2019/@places/Italy` costs one statement like `by-date/2019/07` does.
"""

from __future__ import annotations

import json
from array import array
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from havenfs.entities import Asset, AssetId, Place, PlaceId, SourceId
from havenfs.errors import NotFound

from . import faces, names, persons, tags
from .assets import COLUMNS, from_row
from .places import from_row as from_place

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from havenfs.entities import Region

# {v}: the value of the condition, bound once each time it occurs.
_BELOW = (
    "(WITH RECURSIVE below(id) AS (VALUES({v}) UNION ALL"
    " SELECT p.id FROM place p JOIN below ON p.parent_id = below.id) SELECT id FROM below)"
)
TESTS = {
    "year": "month BETWEEN {v} * 100 + 1 AND {v} * 100 + 12",
    "month": "month = {v}",
    "undated": "month IS NULL",
    "below": f"place_id IN {_BELOW}",
    # In the country, the city unknown: the finest place known is the country or a region.
    "vaguely": f"place_id IN (SELECT id FROM place WHERE kind <> 'city' AND id IN {_BELOW})",  # noqa: S608
    "nowhere": "place_id IS NULL",
    "photo": "kind = 'photo' AND NOT screenshot",
    "video": "kind = 'video'",
    "document": "kind = 'document'",
    "live": "live OR with_film",
    "raw": "raw OR with_raw",
    "screenshot": "screenshot",
    "suggested": f"""id IN (SELECT asset_id FROM suggested_tag WHERE tag = {{v}})
        AND {tags.UNANSWERED.format(hash="{row}.hash", tag="{v}")}""",  # noqa: S608 -- a constant
    "collected": "hash IN (SELECT hash FROM member WHERE collection = {v})",
    "untagged": "hash NOT IN"
    " (SELECT m.hash FROM collection c JOIN member m ON m.collection = c.uid WHERE c.kind = 'tag')",
    "favorite": "hash IN (SELECT hash FROM favorite)",
    "person": persons.IS_IN,
    "cluster": persons.IN_CLUSTER,
    "among": "id IN (SELECT value FROM json_each({v}))",
    "nothing": "FALSE",
}
"""Condition -> its test over a row of `visible`."""
THIS = {"person": persons.IS_IN_THIS, "cluster": persons.IN_CLUSTER_THIS}
"""The same where one asset is asked after the other, of those whose tests would find all assets first. {row}: the view."""

ALL_FILES = "all-files"
"""The test that is none: what stands before it in a conjunction is asked of whole stacks, what stands behind of each of
their members."""


class Condition(Struct, frozen=True):
    """One test that every asset of a folder passes (or fails, when negated)."""

    test: str
    """A key of TESTS, or ALL_FILES."""
    value: int | str | None = None
    negated: bool = False


def among(ids: Sequence[AssetId]) -> Condition:
    """The condition of being one of these assets."""
    return Condition("among", json.dumps(list(ids)))


def assets(db: apsw.Connection, conditions: Sequence[Condition]) -> list[Asset]:
    """The visible assets that pass, by date, then by name."""
    view, where, values = _where(conditions)
    return [
        from_row(row)
        for row in db.execute(
            f"SELECT {COLUMNS} FROM {view} WHERE {where} ORDER BY taken_local, name",  # noqa: S608
            values,
        )
    ]


def ids(db: apsw.Connection, conditions: Sequence[Condition]) -> array[int]:
    """The ids of the visible assets that pass, by date, then by name: 8 bytes an asset. For `those`."""
    view, where, values = _where(conditions)
    rows = db.execute(
        f"SELECT id FROM {view} WHERE {where} ORDER BY taken_local, name",  # noqa: S608
        values,
    )
    return array("q", (row[0] for row in rows))


def those(
    db: apsw.Connection, conditions: Sequence[Condition], wanted: array[int]
) -> dict[int, Asset]:
    """Of the assets *wanted* the visible ones that pass, by id."""
    view, where, values = _where(conditions, each=True)
    rows = db.execute(
        # CROSS JOIN: by their ids first, whatever index the conditions may offer for all assets.
        f"SELECT {COLUMNS} FROM (SELECT value AS wanted FROM json_each(?))"  # noqa: S608
        f" CROSS JOIN {view} ON {view}.id = wanted WHERE {where}",
        (json.dumps(wanted.tolist()), *values),
    )
    return {row[0]: from_row(row) for row in rows}


Outline = tuple[str, int, int, int, int, int]
"""Of an asset: name, size, mtime_ns, and source id, device and inode of its primary file."""
_OUTLINE = "name, size, mtime_ns, source_id, device, inode"


def roll(
    db: apsw.Connection, conditions: Sequence[Condition], first: int
) -> tuple[array[int], list[Outline]]:
    """The same ids as `ids`, and the outlines of the *first* so many of them.

    Both at little more than the price of the ids, 4 us an asset: what takes that long is to find the rows, not to read them.
    """
    view, where, values = _where(conditions)
    rows = db.execute(
        f"SELECT id, {_OUTLINE} FROM {view} WHERE {where} ORDER BY taken_local, name",  # noqa: S608
        values,
    )
    some: list[Any] = list(islice(rows, first))
    found = array("q", [row[0] for row in some])
    found.extend(row[0] for row in rows)
    return found, [row[1:] for row in some]


def outlines(
    db: apsw.Connection, conditions: Sequence[Condition], wanted: array[int]
) -> list[Outline | None]:
    """What a listing shows of each of the assets *wanted*, None of one that is not visible or does not pass.

    A third of the price of `those`: a cold `find` over a library is made of this.
    """
    view, where, values = _where(conditions, each=True)
    rows: list[Any] = db.execute(
        f"SELECT id, {_OUTLINE}"  # noqa: S608
        " FROM (SELECT value AS wanted FROM json_each(?))"
        f" CROSS JOIN {view} ON {view}.id = wanted WHERE {where}",
        (json.dumps(wanted.tolist()), *values),
    ).fetchall()
    if len(rows) == len(wanted):
        return [row[1:] for row in rows]
    found = {row[0]: row[1:] for row in rows}
    return [found.get(id_) for id_ in wanted]


def asset(db: apsw.Connection, conditions: Sequence[Condition], name: str) -> Asset:
    """The asset of exactly this name, if it passes. Raises NotFound."""
    view, where, values = _where(conditions, each=True)
    row = db.execute(
        # The index is over name_key.
        f"SELECT {COLUMNS} FROM {view} WHERE name_key = ? AND name = ? AND {where}",  # noqa: S608
        (names.key(name), name, *values),
    ).fetchone()
    if row is None:
        raise NotFound(name)
    return from_row(row)


def name_of(db: apsw.Connection, conditions: Sequence[Condition], key: str) -> str | None:
    """The name, in its own case, of the asset whose name folds to *key* (casefolded NFC), if it passes."""
    view, where, values = _where(conditions, each=True)
    row = db.execute(
        f"SELECT name FROM {view} WHERE name_key = ? AND {where}",  # noqa: S608
        (key, *values),
    ).fetchone()
    return row[0] if row else None


def count(db: apsw.Connection, conditions: Sequence[Condition]) -> int:
    """How many visible assets pass."""
    view, where, values = _where(conditions)
    row = db.execute(f"SELECT count(*) FROM {view} WHERE {where}", values).fetchone()  # noqa: S608
    return int(row[0]) if row else 0


def exists(db: apsw.Connection, conditions: Sequence[Condition]) -> bool:
    """Whether any visible asset passes."""
    view, where, values = _where(conditions)
    return (
        db.execute(f"SELECT 1 FROM {view} WHERE {where} LIMIT 1", values).fetchone() is not None  # noqa: S608
    )


def months(db: apsw.Connection, conditions: Sequence[Condition]) -> list[int]:
    """Each month (YYYYMM) in which an asset passes, oldest first; undated ones aside."""
    year = _only(conditions, "year")
    if year is None:
        view, where, values = _where(conditions)
        rows = db.execute(
            f"SELECT DISTINCT month FROM {view} WHERE month IS NOT NULL AND {where} ORDER BY month",  # noqa: S608
            values,
        )
        return [row[0] for row in rows]
    # From one month to the next by the index: a million assets have a few hundred months, which takes milliseconds
    # where DISTINCT would walk all of them (2.9 s).
    first, last = (year * 100 + 1, year * 100 + 12) if isinstance(year, int) else (0, 999_999)
    rows = db.execute(
        "WITH RECURSIVE step(month) AS ("
        " SELECT (SELECT min(month) FROM asset WHERE month >= ?1) UNION ALL"
        " SELECT (SELECT min(month) FROM asset WHERE month > step.month) FROM step WHERE step.month < ?2)"
        " SELECT month FROM step WHERE month <= ?2"
        " AND EXISTS (SELECT 1 FROM visible WHERE visible.month = step.month)",
        (first, last),
    )
    return [row[0] for row in rows]


def places(db: apsw.Connection, conditions: Sequence[Condition]) -> list[Place]:
    """Each place that is the finest known of an asset that passes, by name."""
    below = _only(conditions, "below")
    if below is None:
        view, where, values = _where(conditions)
        among = f"SELECT place_id FROM {view} WHERE {where}"  # noqa: S608
    else:
        # A million assets lie in a few hundred places: asking each place is milliseconds, asking each asset 3 s.
        values = (below,) if isinstance(below, int) else ()
        inside = _BELOW.replace("{v}", "?") if values else "(SELECT id FROM place)"
        among = (
            f"SELECT one.id FROM place one WHERE one.id IN {inside}"  # noqa: S608
            " AND EXISTS (SELECT 1 FROM visible WHERE visible.place_id = one.id)"
        )
    rows = db.execute(
        f"SELECT id, kind, name, parent_id FROM place WHERE id IN ({among}) ORDER BY name, id",  # noqa: S608
        values,
    )
    return [from_place(row) for row in rows]


def gazetteer(db: apsw.Connection) -> dict[PlaceId, Place]:
    """Every place that is known, by id. A household's library has a few hundred."""
    return {
        PlaceId(row[0]): from_place(row)
        for row in db.execute("SELECT id, kind, name, parent_id FROM place")
    }


def library(db: apsw.Connection) -> str:
    """The random id of the library, made with the catalog."""
    row = db.execute("SELECT value FROM meta WHERE key = 'library'").fetchone()
    if row is None:
        raise NotFound("the library's id")
    return str(row[0])


def asset_at(db: apsw.Connection, source_id: SourceId, path: bytes) -> AssetId:
    """The asset whose content lies at this path, primary or not. Raises NotFound."""
    row = db.execute(
        "SELECT asset_id FROM file WHERE source_id = ? AND path = ? AND asset_id IS NOT NULL",
        (source_id, path),
    ).fetchone()
    if row is None:
        raise NotFound(path)
    return AssetId(row[0])


class Details(Struct, frozen=True, kw_only=True):
    """What is known of one asset beyond its listing: the matter of extended attributes."""

    hash: bytes
    latitude: float | None
    longitude: float | None
    camera: str | None
    place: str | None
    """City, region, country; as far as known."""
    rating: int | None
    caption: str | None
    keywords: tuple[str, ...]
    text: str | None
    """Words of the document or on the picture."""
    faces: tuple[Region, ...]
    """Frame by frame, from left to right."""


def details(db: apsw.Connection, asset_id: AssetId) -> Details:
    """What is known of the asset. Raises NotFound."""
    row = db.execute(
        "SELECT hash, latitude, longitude, camera, place_id, rating, caption, keywords FROM asset WHERE id = ?",
        (asset_id,),
    ).fetchone()
    if row is None:
        raise NotFound(f"asset {asset_id}")
    words = db.execute("SELECT document, ocr FROM words WHERE rowid = ?", (asset_id,)).fetchone()
    above = [
        name
        for (name,) in db.execute(
            "WITH RECURSIVE up(id, name, parent_id, level) AS ("
            " SELECT id, name, parent_id, 0 FROM place WHERE id = ? UNION ALL"
            " SELECT p.id, p.name, p.parent_id, level + 1 FROM place p JOIN up ON p.id = up.parent_id)"
            " SELECT name FROM up ORDER BY level",
            (row[4],),
        )
    ]
    return Details(
        hash=row[0],
        latitude=row[1],
        longitude=row[2],
        camera=row[3],
        place=", ".join(filter(None, above)) or None,
        rating=row[5],
        caption=row[6],
        keywords=tuple(json.loads(row[7])) if row[7] else (),
        text=next((text for text in words or () if text), None),
        faces=tuple(known.region for known in faces.of_asset(db, asset_id)),
    )


def _only(conditions: Sequence[Condition], test: str) -> int | str | None:
    """The value of *test* if that is the only condition, "" if there is none at all, else None."""
    if not conditions:
        return ""
    only = conditions[0]
    return only.value if len(conditions) == 1 and only.test == test and not only.negated else None


def _where(
    conditions: Sequence[Condition], *, each: bool = False
) -> tuple[str, str, tuple[int | str | None, ...]]:
    """The view to ask, the conjunction as SQL, and its bound values. Only constants of TESTS become text.

    *each*: the caller has a name or an id, and asks of each such asset; else of all there are.
    """
    view, text, counts = _conjunction(
        tuple((condition.test, condition.negated) for condition in conditions), each
    )
    return (
        view,
        text,
        tuple(
            condition.value
            for condition, count in zip(conditions, counts, strict=True)
            for _ in range(count)
        ),
    )


@lru_cache(1024)
def _conjunction(
    tests: tuple[tuple[str, bool], ...],
    each: bool,  # noqa: FBT001
) -> tuple[str, str, tuple[int, ...]]:
    """The view and the SQL of these tests (negated or not), and how often each binds its value."""
    view, parts = "visible", ["TRUE"]
    for name, negated in tests:
        if name == ALL_FILES:
            stacks = " AND ".join(parts)
            view = "present"
            parts = [
                # Of one asset its primary is looked up; of all, stacks are found first, by whatever index helps.
                f"EXISTS (SELECT 1 FROM visible WHERE visible.id = ifnull(present.primary_id, present.id) AND {stacks})"  # noqa: S608
                if each
                else f"id IN (WITH stack (top) AS (SELECT id FROM visible WHERE {stacks})"  # noqa: S608
                " SELECT top FROM stack UNION ALL SELECT asset.id FROM stack JOIN asset ON asset.primary_id = top)"
            ]
            continue
        test = f"({_test(name, each).replace('{row}', view).replace('{v}', '?')})"
        parts.append(f"NOT ifnull({test}, FALSE)" if negated else test)
    counts = tuple(0 if name == ALL_FILES else _test(name, each).count("{v}") for name, _ in tests)
    return view, " AND ".join(parts), counts


def _test(name: str, each: bool) -> str:  # noqa: FBT001
    return THIS.get(name, TESTS[name]) if each else TESTS[name]
