"""Filters: what a field of a search means in SQL, and sets of assets made of such tests.

A Test is a condition over one row of the view `visible` with its bound values. Each test is true or false, never NULL,
so that NOT is the complement. `like` is not here: what looks alike is a ranking, not a filter.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

from havenfs.entities import AssetId
from havenfs.errors import NotFound
from havenfs.query import Choice, Circle, Days, Name, Presence, Range

from . import names, persons, words

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import apsw

    from havenfs.query import Field, Value

Connection: TypeAlias = "apsw.Connection"
"""What the functions of this package take first: the name by which callers hand it on without knowing SQLite."""

EPOCH = date(1970, 1, 1)
DAY_S = 86_400
EARTH_KM = 6371.0088  # mean radius (IUGG)
KM_PER_DEGREE = 111.0  # of latitude, at least (110.57 to 111.69)

BELOW = """place_id IN (
    WITH RECURSIVE below (id) AS (
        SELECT value FROM json_each(?) UNION SELECT p.id FROM place p JOIN below ON p.parent_id = below.id
    ) SELECT id FROM below)"""
COUNTRY_KNOWN = "place_id IS NOT NULL"
CITY_KNOWN = "place_id IN (SELECT id FROM place WHERE kind = 'city')"
COPIES = """id IN (
    SELECT asset_id FROM duplicate UNION
    SELECT asset_id FROM file WHERE state = 'known' AND asset_id IS NOT NULL GROUP BY asset_id HAVING COUNT(*) > 1)"""
IN_FOLDER = """id IN (
    SELECT f.asset_id FROM file f JOIN source s ON s.id = f.source_id
     WHERE f.asset_id IS NOT NULL AND s.present
       AND '/' || s.name || '/' || CAST(f.path AS TEXT) LIKE '%/' || ? || '/%' ESCAPE '\\')"""
HAS_TEXT = "id IN (SELECT rowid FROM words WHERE ocr <> '' OR document <> '')"
ANY_LANGUAGE = "id IN (SELECT asset_id FROM reading WHERE language IS NOT NULL)"
IN_LANGUAGE = "id IN (SELECT asset_id FROM reading WHERE language = ?)"
TEXT_MATCH = "id IN (SELECT rowid FROM words WHERE words MATCH ?)"
AROUND = """latitude BETWEEN ? AND ? AND longitude IS NOT NULL AND 2 * ? * asin(min(1.0, sqrt(
    pow(sin(radians(latitude - ?) / 2), 2)
    + cos(radians(?)) * cos(radians(latitude)) * pow(sin(radians(longitude - ?) / 2), 2)))) <= ?"""
SUGGESTED = """id IN (SELECT asset_id FROM suggested_tag WHERE tag = ? COLLATE NOCASE)
    AND hash NOT IN (SELECT hash FROM tag_refused WHERE tag = ? COLLATE NOCASE)"""
COLLECTED = """hash IN (
    SELECT m.hash FROM collection c JOIN member m ON m.collection = c.uid WHERE c.kind = ? AND c.name_key = ?)"""
IN_ANY = "hash IN (SELECT m.hash FROM collection c JOIN member m ON m.collection = c.uid WHERE c.kind = ?)"
FAVORITE = "hash IN (SELECT hash FROM favorite)"
TYPES = {
    "photo": "kind = 'photo' AND NOT screenshot",
    "video": "kind = 'video'",
    "document": "kind = 'document'",
    "screenshot": "screenshot",
    "raw": "raw OR with_raw",
    "live": "live OR with_film",
}
SAME_EXTENSION = (
    {"jpg", "jpeg"},
    {"tif", "tiff"},
    {"heic", "heif"},
    {"mpg", "mpeg"},
    {"htm", "html"},
)
ORDERS = {
    "date": "taken_local DESC NULLS LAST, id DESC",
    "-date": "taken_local ASC NULLS LAST, id",
    "name": "name_key, id",
    "-name": "name_key DESC, id",
    "size": "size DESC, id",
    "-size": "size, id",
}


@dataclass(frozen=True, slots=True)
class Test:
    """A condition over one row of `visible`, and what is bound in it."""

    sql: str
    values: tuple[Any, ...] = ()


EVERYTHING = Test("TRUE")
NOTHING = Test("FALSE")


def among(ids: Collection[AssetId]) -> Test:
    """Is one of *ids*."""
    return Test("id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(ids)),))


def all_of(tests: Sequence[Test]) -> Test:
    """Passes each of *tests*."""
    return _combine(" AND ", tests)


def any_of(tests: Sequence[Test]) -> Test:
    """Passes one of *tests*."""
    return _combine(" OR ", tests)


def negate(test: Test) -> Test:
    """Fails *test*."""
    return Test(f"NOT ({test.sql})", test.values)


def find(db: apsw.Connection, test: Test, *, limit: int, order: str = "date") -> list[AssetId]:
    """The visible assets that pass, at most *limit*, in one of ORDERS."""
    rows = db.execute(
        f"SELECT id FROM visible WHERE {test.sql} ORDER BY {ORDERS[order]} LIMIT ?",  # noqa: S608
        (*test.values, limit),
    )
    return [AssetId(i) for (i,) in rows]


def keep(db: apsw.Connection, test: Test, ids: Collection[AssetId]) -> set[AssetId]:
    """Those of *ids* that are visible and pass."""
    rows = db.execute(
        f"SELECT id FROM visible WHERE id IN (SELECT value FROM json_each(?)) AND ({test.sql})",  # noqa: S608
        (json.dumps(sorted(ids)), *test.values),
    )
    return {AssetId(i) for (i,) in rows}


def places_named(db: apsw.Connection) -> dict[str, str]:
    """Folded name -> name as written, of every place of the library."""
    return {
        words.fold(name): name for (name,) in db.execute("SELECT name FROM place ORDER BY id DESC")
    }


def persons_named(db: apsw.Connection) -> dict[str, str]:
    """Folded name -> name as written, of everybody who is shown."""
    return {words.fold(one.name): one.name for one in persons.known(db) if one.name}


def place(
    db: apsw.Connection, name: str, kinds: Sequence[str] = ("country", "region", "city")
) -> Test:
    """Lies in a place of this name, of one of these kinds (entities.PlaceKind), or below one."""
    wanted = words.fold(name)
    ids = [
        i
        for i, kind, n in db.execute("SELECT id, kind, name FROM place")
        if kind in kinds and words.fold(n) == wanted
    ]
    return Test(f"COALESCE({BELOW}, FALSE)", (json.dumps(ids),)) if ids else NOTHING


def compile_field(db: apsw.Connection, field: Field) -> Test:
    """The test that *field* stands for: any of its values. KeyError for `like`, which is none."""
    one = TESTS[field.key]
    parts = [one(db, value) for value in field.values]
    return Test(f"COALESCE({any_of(parts).sql}, FALSE)", any_of(parts).values)


def _combine(glue: str, tests: Sequence[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return Test(
        "(" + glue.join(f"({test.sql})" for test in tests) + ")",
        tuple(value for test in tests for value in test.values),
    )


# --- one value of one key -> Test ---------------------------------------------------------------------------


def person(db: apsw.Connection, name: str) -> Test:
    """Somebody of this name is in it; capitals do not matter."""
    try:
        uid = persons.named(db, name).uid
    except NotFound:
        return NOTHING
    return Test(persons.IS_IN.replace("{v}", "?"), (uid,) * persons.IS_IN.count("{v}"))


def _person(db: apsw.Connection, value: Value) -> Test:
    if isinstance(value, Presence):
        anybody = Test(persons.SOMEBODY)
        return negate(anybody) if value is Presence.NONE else anybody
    return person(db, _text(value))


def _album(_: apsw.Connection, value: Value) -> Test:
    return _collected("album", value)


def _tag(_: apsw.Connection, value: Value) -> Test:
    """What people gave, and what is suggested and nobody refused; any and none: what people gave."""
    given = _collected("tag", value)
    if isinstance(value, Presence):
        return given
    return any_of([given, Test(SUGGESTED, (_text(value), _text(value)))])


def _collected(kind: str, value: Value) -> Test:
    if isinstance(value, Presence):
        anything = Test(IN_ANY, (kind,))
        return negate(anything) if value is Presence.NONE else anything
    return Test(COLLECTED, (kind, names.key(_text(value))))


def _favourite(_: apsw.Connection, value: Value) -> Test:
    favorite = Test(FAVORITE)
    return negate(favorite) if value is Presence.NONE or value == Choice("no") else favorite


def _number(expression: str) -> Callable[[apsw.Connection, Value], Test]:
    """A range over *expression*, which is NULL where there is no such fact."""

    def test(_: apsw.Connection, value: Value) -> Test:
        if value is Presence.NONE:
            return Test(f"{expression} IS NULL")
        if value is Presence.ANY:
            return Test(f"{expression} IS NOT NULL")
        assert isinstance(value, Range)
        low = -1e300 if value.low is None else value.low
        high = 1e300 if value.high is None else value.high
        return Test(f"{expression} BETWEEN ? AND ?", (low, high))

    return test


def _part_of(column: str) -> Callable[[apsw.Connection, Value], Test]:
    """The text occurs in *column*; capitals do not matter."""

    def test(_: apsw.Connection, value: Value) -> Test:
        if value is Presence.NONE:
            return Test(f"COALESCE({column}, '') = ''")
        if value is Presence.ANY:
            return Test(f"COALESCE({column}, '') <> ''")
        return Test(f"{column} LIKE '%' || ? || '%' ESCAPE '\\'", (_like(_text(value)),))

    return test


def _place(*kinds: str) -> Callable[[apsw.Connection, Value], Test]:
    def test(db: apsw.Connection, value: Value) -> Test:
        if isinstance(value, Presence):
            known = Test(CITY_KNOWN if kinds == ("city",) else COUNTRY_KNOWN)
            return known if value is Presence.ANY else negate(known)
        return place(db, _text(value), kinds)

    return test


def _near(_: apsw.Connection, value: Value) -> Test:
    assert isinstance(value, Circle)
    reach = value.km / KM_PER_DEGREE
    lat, lon = value.latitude, value.longitude
    return Test(AROUND, (lat - reach, lat + reach, EARTH_KM, lat, lat, lon, value.km))


def _date(_: apsw.Connection, value: Value) -> Test:
    if isinstance(value, Presence):
        return Test("month IS NULL" if value is Presence.NONE else "month IS NOT NULL")
    assert isinstance(value, Days)
    first = -(10**15) if value.first is None else _seconds(value.first)
    last = 10**15 if value.last is None else _seconds(value.last) + DAY_S - 1
    return Test("month IS NOT NULL AND taken_local BETWEEN ? AND ?", (first, last))


def _before(_: apsw.Connection, value: Value) -> Test:
    assert isinstance(value, Days)
    assert value.first is not None
    return Test("month IS NOT NULL AND taken_local < ?", (_seconds(value.first),))


def _after(_: apsw.Connection, value: Value) -> Test:
    assert isinstance(value, Days)
    assert value.last is not None
    return Test("month IS NOT NULL AND taken_local >= ?", (_seconds(value.last) + DAY_S,))


def _extension(_: apsw.Connection, value: Value) -> Test:
    if isinstance(value, Presence):
        return Test("name NOT LIKE '%.%'" if value is Presence.NONE else "name LIKE '%.%'")
    wanted = _text(value).casefold().removeprefix(".")
    same = next((sorted(group) for group in SAME_EXTENSION if wanted in group), [wanted])
    return any_of([Test("name_key LIKE '%.' || ? ESCAPE '\\'", (_like(e),)) for e in same])


def _name(_: apsw.Connection, value: Value) -> Test:
    wanted = _text(value).casefold()
    pattern = _like(wanted).replace("*", "%").replace("?", "_")
    if not ("*" in wanted or "?" in wanted):
        pattern = f"%{pattern}%"
    return Test("name_key LIKE ? ESCAPE '\\'", (pattern,))


def _folder(_: apsw.Connection, value: Value) -> Test:
    wanted = _text(value).strip("/")
    return Test(IN_FOLDER, (_like(wanted),)) if wanted else EVERYTHING


def _written(_: apsw.Connection, value: Value) -> Test:
    if isinstance(value, Presence):
        return Test(HAS_TEXT) if value is Presence.ANY else negate(Test(HAS_TEXT))
    expression = words.phrase(_text(value), ("ocr", "document"))
    return Test(TEXT_MATCH, (expression,)) if expression else NOTHING


def _language(_: apsw.Connection, value: Value) -> Test:
    if value is Presence.NONE:
        return negate(Test(ANY_LANGUAGE))
    if value is Presence.ANY:
        return Test(ANY_LANGUAGE)
    return Test(IN_LANGUAGE, (_text(value).lower(),))


def _type(_: apsw.Connection, value: Value) -> Test:
    assert isinstance(value, Choice)
    return Test(TYPES[value.word])


def _has(_: apsw.Connection, value: Value) -> Test:
    assert isinstance(value, Choice)
    return {
        "gps": Test("latitude IS NOT NULL"),
        "text": Test(HAS_TEXT),
        "face": Test("COALESCE(faces, 0) > 0"),
    }[value.word]


def _is(_: apsw.Connection, value: Value) -> Test:
    assert isinstance(value, Choice)
    return {
        "dup": Test(COPIES),
        "untagged": negate(Test(IN_ANY, ("tag",))),
        "undated": Test("month IS NULL"),
        "raw": Test(TYPES["raw"]),
        "live": Test(TYPES["live"]),
    }[value.word]


def _text(value: Value) -> str:
    assert isinstance(value, Name)
    return value.text


def _like(text: str) -> str:
    """*text* with LIKE's own signs escaped."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _seconds(day: date) -> int:
    return (day - EPOCH).days * DAY_S


TESTS: dict[str, Callable[[apsw.Connection, Value], Test]] = {
    "person": _person,
    "with": _person,
    "faces": _number("faces"),
    "tag": _tag,
    "album": _album,
    "fav": _favourite,
    "rating": _number("rating"),
    "place": _place("country", "region", "city"),
    "country": _place("country"),
    "city": _place("city"),
    "near": _near,
    "in": _folder,
    "name": _name,
    "ext": _extension,
    "type": _type,
    "size": _number("size"),
    "mp": _number("width * height / 1e6"),
    "dur": _number("duration_ms / 1e3"),
    "date": _date,
    "on": _date,
    "before": _before,
    "after": _after,
    "year": _number("month / 100"),
    "month": _number("month % 100"),
    "camera": _part_of("camera"),
    "lens": _part_of("lens"),
    "iso": _number("iso"),
    "f": _number("aperture"),
    "mm": _number("focal_mm"),
    "text": _written,
    "lang": _language,
    "has": _has,
    "is": _is,
}
"""Key -> what one value of it means. A test of the tests holds this against the terms of the language."""
