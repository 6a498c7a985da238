"""Persons in SQL: who is in which picture, from what people have said and, where they have said nothing, from the clusters.

Who a face is of: whoever people say it is; else nobody of whom they say it is not; else the person of its cluster. Who is in a
picture: of whom people say that a face or the whole picture shows them; nobody of whom they say that it does not; else whoever
has a face in it that is surely theirs: a doubtful one is asked about first (`doubts`), and could not be moved to where it is
already. What is said hangs on contents and regions, so it holds at once, whichever model drew the box and whether or not the
indexer runs; clusters follow (`heed`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from havenfs.entities import AssetId, FaceId, Region
from havenfs.errors import NotFound

from . import assets, names
from .clusters import DOUBTFUL, ClusterId
from .faces import SAME_PLACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from havenfs.identity import Constraints

_WIDE = "(min(f.x1, s.x1) - max(f.x0, s.x0))"
_HIGH = "(min(f.y1, s.y1) - max(f.y0, s.y0))"
_AREAS = "((f.x1 - f.x0) * (f.y1 - f.y0) + (s.x1 - s.x0) * (s.y1 - s.y0))"
_SAME = f"{_WIDE} > 0 AND {_HIGH} > 0 AND {_WIDE} * {_HIGH} >= {SAME_PLACE} * ({_AREAS} - {_WIDE} * {_HIGH})"
VERDICTS = f"""(
    SELECT f.id AS face_id, f.asset_id, s.person, s.is_it
      FROM face_said s JOIN asset a ON a.hash = s.hash JOIN face f ON f.asset_id = a.id AND f.frame_ms = s.frame_ms
     WHERE {_SAME})"""  # noqa: S608 -- constants
"""What people have said of the faces that are known: `Region.overlap` in SQL."""

_GUESSED = f"""cluster c JOIN face_cluster m ON m.cluster_id = c.id JOIN face f ON f.id = m.face_id
     WHERE c.person = {{v}} AND m.confidence >= {DOUBTFUL}
       AND NOT EXISTS (SELECT 1 FROM {VERDICTS} said WHERE said.face_id = f.id AND (said.is_it OR said.person = {{v}}))"""  # noqa: S608
IS_IN = f"""hash IN (SELECT hash FROM face_said WHERE person = {{v}} AND is_it
        UNION SELECT hash FROM person_tag WHERE person = {{v}} AND is_in)
    OR (id IN (SELECT f.asset_id FROM {_GUESSED}) AND hash NOT IN (SELECT hash FROM person_tag WHERE person = {{v}} AND NOT is_in))"""  # noqa: S608
"""Whether the person {v} (a uid) is in an asset: a test over a row of `visible`, for all of them at once."""
IS_IN_THIS = f"""EXISTS (SELECT 1 FROM face_said s WHERE s.hash = {{row}}.hash AND s.person = {{v}} AND s.is_it)
    OR ifnull((SELECT t.is_in FROM person_tag t WHERE t.hash = {{row}}.hash AND t.person = {{v}}),
              EXISTS (SELECT 1 FROM {_GUESSED} AND f.asset_id = {{row}}.id))"""  # noqa: S608
"""The same, asked of one asset after the other: {row} is the view."""
SOMEBODY = f"""hash IN (SELECT s.hash FROM face_said s JOIN person p ON p.uid = s.person WHERE s.is_it AND NOT p.ignored
        UNION SELECT t.hash FROM person_tag t JOIN person p ON p.uid = t.person WHERE t.is_in AND NOT p.ignored)
    OR id IN (SELECT f.asset_id FROM cluster c JOIN person p ON p.uid = c.person AND NOT p.ignored
        JOIN face_cluster m ON m.cluster_id = c.id JOIN face f ON f.id = m.face_id WHERE m.confidence >= {DOUBTFUL})"""  # noqa: S608
"""The same of anybody who has a name."""
_MEMBERS = "face_cluster m JOIN face f ON f.id = m.face_id WHERE m.cluster_id = {v}"
IN_CLUSTER = f"id IN (SELECT f.asset_id FROM {_MEMBERS})"  # noqa: S608
IN_CLUSTER_THIS = f"EXISTS (SELECT 1 FROM {_MEMBERS} AND f.asset_id = {{row}}.id)"  # noqa: S608


class Person(Struct, frozen=True, kw_only=True):
    """Somebody whom people know."""

    uid: str
    name: str | None
    """None: ignored without ever having had a name."""
    ignored: bool = False


class Sighting(Struct, frozen=True, kw_only=True):
    """A face, and whose it is as far as is known."""

    face_id: FaceId
    asset_id: AssetId
    content: bytes
    region: Region
    size: int
    """Pixels, as `faces.Known.size`."""
    cluster: ClusterId | None
    confidence: float
    """That it belongs into its cluster, 0..1."""
    person: str | None
    """Whose it is: uid."""
    said: bool
    """Whether people have said so, or only the cluster."""
    denied: frozenset[str]
    """Persons whose it is not, as people say."""

    @property
    def area(self) -> float:
        """Share of the picture."""
        return (self.region.right - self.region.left) * (self.region.bottom - self.region.top)


# --- who there is -------------------------------------------------------------------------------------------


def known(db: apsw.Connection, *, ignored: bool = False) -> list[Person]:
    """Everybody who is shown (or, with *ignored*, is not), by name."""
    rows: list[Any] = db.execute(
        "SELECT uid, name, ignored FROM person WHERE ignored = ? ORDER BY name_key, uid",
        (ignored,),
    ).fetchall()
    return [_person(row) for row in rows]


def named(db: apsw.Connection, name: str) -> Person:
    """The one of this name; capitals do not matter. Raises NotFound."""
    row = db.execute(
        "SELECT uid, name, ignored FROM person WHERE name_key = ?", (names.key(name),)
    ).fetchone()
    if row is None:
        raise NotFound(name)
    return _person(row)


def of_asset(db: apsw.Connection, asset_id: AssetId) -> list[Person]:
    """Everybody who is shown and is in the picture, by name."""
    faces = sightings(db, asset_id)
    there = {face.person for face in faces if face.said or face.confidence >= DOUBTFUL}
    tags: list[Any] = db.execute(
        "SELECT t.person, t.is_in FROM person_tag t JOIN asset a ON a.hash = t.hash WHERE a.id = ?",
        (asset_id,),
    ).fetchall()
    shown: list[Any] = db.execute(
        "SELECT s.person FROM face_said s JOIN asset a ON a.hash = s.hash WHERE a.id = ? AND s.is_it",
        (asset_id,),
    ).fetchall()
    said = {person for (person,) in shown}
    there |= {person for person, is_in in tags if is_in} | said
    there -= {person for person, is_in in tags if not is_in} - said
    return [person for person in known(db) if person.uid in there] if there - {None} else []


def spoken_for(db: apsw.Connection, person: str) -> bool:
    """Whether people have said of anything that this person is in it, be its disk there or not. What another asset stands for
    in the views does not count, nor what is gone for good: nobody could take it out."""
    row = db.execute(
        f"""
        SELECT EXISTS (
            SELECT 1 FROM (SELECT hash FROM face_said WHERE person = ?1 AND is_it
                           UNION SELECT hash FROM person_tag WHERE person = ?1 AND is_in) said
             WHERE EXISTS (SELECT 1 FROM visible WHERE visible.hash = said.hash)
                OR (NOT EXISTS (SELECT 1 FROM present WHERE present.hash = said.hash)
                    AND {assets.MAY_RETURN.format(hash="said.hash")}))
        """,  # noqa: S608 -- a constant
        (person,),
    ).fetchone()
    return bool(row and row[0])


def denied(db: apsw.Connection, content: bytes, person: str) -> bool:
    """Whether people have said that this person is not in the picture as a whole."""
    row = db.execute(
        "SELECT 1 FROM person_tag WHERE hash = ? AND person = ? AND NOT is_in", (content, person)
    ).fetchone()
    return row is not None


def pointed_at(
    db: apsw.Connection, content: bytes, person: str, *, is_it: bool = True
) -> list[Region]:
    """Where people have said that this person is (or is not), whether or not a model sees a face there."""
    rows: list[Any] = db.execute(
        "SELECT frame_ms, x0, y0, x1, y1 FROM face_said WHERE hash = ? AND person = ? AND is_it = ?",
        (content, person, is_it),
    ).fetchall()
    return [Region(*row) for row in rows]


def tagged(db: apsw.Connection, content: bytes) -> list[str]:
    """The uids of whom people have said that they are or are not in the picture as a whole."""
    rows: list[Any] = db.execute(
        "SELECT person FROM person_tag WHERE hash = ? ORDER BY person", (content,)
    ).fetchall()
    return [person for (person,) in rows]


# --- whose faces --------------------------------------------------------------------------------------------


def sightings(db: apsw.Connection, asset_id: AssetId) -> list[Sighting]:
    """The faces of an asset, as `faces.of_asset` orders them."""
    return _sightings(db, "f.asset_id = ?", asset_id)


def of_cluster(db: apsw.Connection, cluster: ClusterId) -> list[Sighting]:
    """The faces of a cluster, those of assets that are not visible too."""
    return _sightings(
        db, "f.id IN (SELECT face_id FROM face_cluster WHERE cluster_id = ?)", cluster
    )


def doubts(db: apsw.Connection, person: str) -> list[Sighting]:
    """The faces of visible assets that were given to *person* though hardly like it, and of which people have said nothing:
    the surest first, because those are the ones that are soon answered."""
    found = _sightings(
        db,
        f"""
        f.asset_id IN (SELECT id FROM visible) AND f.id IN (
            SELECT m.face_id FROM cluster c JOIN face_cluster m ON m.cluster_id = c.id
             WHERE c.person = ? AND m.confidence < {DOUBTFUL})
        """,  # noqa: S608 -- a constant
        person,
    )
    unsaid = [face for face in found if face.person == person and not face.said]
    return sorted(unsaid, key=lambda face: (-face.confidence, face.face_id))


def said(db: apsw.Connection) -> Constraints:
    """What people have said of the faces that are known, as clustering takes it."""
    from havenfs.identity import (
        Constraints,
    )  # late: it brings numpy, which who only shows people does without

    rows: list[Any] = db.execute(
        f"""
        SELECT f.id, s.person, s.is_it FROM face_said s CROSS JOIN asset a ON a.hash = s.hash
          CROSS JOIN face f ON f.asset_id = a.id AND f.frame_ms = s.frame_ms
         WHERE {_SAME}
        """  # noqa: S608 -- constants. CROSS: from what was said to the faces, of which there are more
    ).fetchall()
    return Constraints(
        persons={face: person for face, person, is_it in rows if is_it},
        strangers=frozenset((face, person) for face, person, is_it in rows if not is_it),
    )


def _person(row: Sequence[Any]) -> Person:
    return Person(uid=row[0], name=row[1], ignored=bool(row[2]))


def _sightings(db: apsw.Connection, test: str, value: int | str) -> list[Sighting]:
    rows: list[Any] = db.execute(
        f"""
        SELECT f.id, f.asset_id, a.hash, f.frame_ms, f.x0, f.y0, f.x1, f.y1, f.size,
               m.cluster_id, ifnull(m.confidence, 0.0), c.person
          FROM face f JOIN asset a ON a.id = f.asset_id
          LEFT JOIN face_cluster m ON m.face_id = f.id LEFT JOIN cluster c ON c.id = m.cluster_id
         WHERE {test} ORDER BY f.asset_id, f.frame_ms, f.x0, f.id
        """,  # noqa: S608 -- tests of this module
        (value,),
    ).fetchall()
    yes: dict[int, str] = {}
    no: dict[int, set[str]] = {}
    verdicts: list[Any] = db.execute(
        f"SELECT face_id, person, is_it FROM {VERDICTS} WHERE face_id IN (SELECT f.id FROM face f WHERE {test})",  # noqa: S608
        (value,),
    ).fetchall()
    for face, person, is_it in verdicts:
        if is_it:
            yes[face] = person
        else:
            no.setdefault(face, set()).add(person)
    return [_sighting(row, yes.get(row[0]), frozenset(no.get(row[0], ()))) for row in rows]


def _sighting(row: Sequence[Any], yes: str | None, no: frozenset[str]) -> Sighting:
    guess = row[11] if row[11] not in no else None
    return Sighting(
        face_id=FaceId(row[0]),
        asset_id=AssetId(row[1]),
        content=bytes(row[2]),
        region=Region(*row[3:8]),
        size=row[8],
        cluster=None if row[9] is None else ClusterId(row[9]),
        confidence=row[10],
        person=yes or guess,
        said=yes is not None,
        denied=no,
    )
