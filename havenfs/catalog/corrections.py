"""Corrections in SQL: what people say of date, position, rating and caption holds in place of what the file says.

`asset` has what holds, so that listings and searches cost what they did; `as_found` keeps what the file says as long as
something else holds, so that a correction taken back brings it back. Triggers note of which assets another thing may hold
(`amended`); `settle` makes that good at the end of the transaction that changed it, whether that was a decision, a replay
of the journal, a scan or an edit. Plain functions of a connection; a call holds the caller's transaction only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from havenfs import mates
from havenfs.entities import AssetId, DateSource, JobState, Stage

from . import neighbours, places, words

if TYPE_CHECKING:
    import apsw

    from havenfs.entities import Locality, PlaceId

_FOUND = "taken_local, taken_offset, taken_source, taken_confidence, latitude, longitude, place_id, rating, caption"
ESTIMATES = (None, DateSource.FOLDER, DateSource.MTIME)
"""Dates that nobody wrote down: none, one of the folder's name (often a year alone), one of the file system's clock."""


class Found(Struct, frozen=True, kw_only=True):
    """What the file itself says, whatever people say."""

    taken_local: int | None
    taken_offset: int | None
    taken_source: DateSource | None
    latitude: float | None
    longitude: float | None
    rating: int | None
    caption: str | None
    waiting: bool
    """Nobody has looked yet: it may say anything."""

    @property
    def estimated(self) -> bool:
        """Whether its date is none that was written down."""
        return self.taken_source in ESTIMATES


class Spot(Struct, frozen=True, kw_only=True):
    """A position that somebody gave."""

    latitude: float
    longitude: float
    """Degrees, WGS 84."""
    centre: bool
    """Of a city, for want of better."""


def settle(db: apsw.Connection) -> None:
    """Let hold what holds now. 2 us when nothing was amended."""
    if not db.execute("SELECT 1 FROM amended LIMIT 1").fetchone():
        return
    rows: list[Any] = db.execute("SELECT asset_id FROM amended ORDER BY asset_id").fetchall()
    db.execute("DELETE FROM amended")
    for (id_,) in rows:
        if apply(db, AssetId(id_)):
            _words(db, AssetId(id_))
            neighbours.settle(db, AssetId(id_))


def renewed(db: apsw.Connection, asset_id: AssetId) -> None:
    """The columns of the asset have just been written as its file says: what people say holds again."""
    db.execute("DELETE FROM as_found WHERE asset_id = ?", (asset_id,))
    apply(db, asset_id)
    _words(db, asset_id)
    # What another program wrote into the sidecar is heard when that is written.
    if _beside(db, asset_id):
        db.execute(
            "INSERT OR IGNORE INTO unsaid SELECT hash, unixepoch() FROM asset WHERE id = ?",
            (asset_id,),
        )


def _beside(db: apsw.Connection, asset_id: AssetId) -> bool:
    """Whether a sidecar may stand beside one of the asset's files, or something was corrected in it."""
    if db.execute("SELECT 1 FROM as_found WHERE asset_id = ?", (asset_id,)).fetchone():
        return True
    rows: list[Any] = db.execute(
        "SELECT source_id, path FROM file WHERE asset_id = ?", (asset_id,)
    ).fetchall()
    for source_id, path in rows:
        folder, slash, name = path.rpartition(b"/")
        likely = mates.sidecar_names(name)
        found = db.execute(
            f"SELECT 1 FROM file WHERE source_id = ? AND path IN ({', '.join('?' * len(likely))})",  # noqa: S608
            (source_id, *(folder + slash + each for each in likely)),
        )
        if found.fetchone():
            return True
    return False


def apply(db: apsw.Connection, asset_id: AssetId) -> bool:
    """Bring the columns of one asset to what holds; whether people have, or had, anything to say."""
    row: Any = db.execute(f"SELECT hash, {_FOUND} FROM asset WHERE id = ?", (asset_id,)).fetchone()  # noqa: S608
    if row is None:
        return False
    content, *now = row
    kept: Any = db.execute(
        f"SELECT {_FOUND} FROM as_found WHERE asset_id = ?",  # noqa: S608
        (asset_id,),
    ).fetchone()
    before = list(kept) if kept is not None else now
    holds = _corrected(db, content, before)
    if holds is None and kept is None:
        return False
    if holds is None:
        db.execute("DELETE FROM as_found WHERE asset_id = ?", (asset_id,))
        holds = before
    elif kept is None:
        db.execute(
            f"INSERT INTO as_found (asset_id, {_FOUND}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (asset_id, *before),
        )
    if holds != now:
        db.execute(
            f"UPDATE asset SET ({_FOUND}) = (?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?",  # noqa: S608
            (*holds, asset_id),
        )
    return True


def found(db: apsw.Connection, asset_id: AssetId) -> Found:
    """What the asset's file says."""
    columns = "taken_local, taken_offset, taken_source, latitude, longitude, rating, caption"
    row: Any = (
        db.execute(f"SELECT {columns} FROM as_found WHERE asset_id = ?", (asset_id,)).fetchone()  # noqa: S608
        or db.execute(f"SELECT {columns} FROM asset WHERE id = ?", (asset_id,)).fetchone()  # noqa: S608
        or (None,) * 7
    )
    queued = db.execute(
        "SELECT 1 FROM job WHERE asset_id = ? AND stage = ? AND state = ?",
        (asset_id, Stage.METADATA, JobState.QUEUED),
    ).fetchone()
    return Found(
        taken_local=row[0],
        taken_offset=row[1],
        taken_source=DateSource(row[2]) if row[2] else None,
        latitude=row[3],
        longitude=row[4],
        rating=row[5],
        caption=row[6],
        waiting=queued is not None
        and row[2] is None,  # what was looked at has a date, if only the disk's
    )


def unlocated(db: apsw.Connection, limit: int) -> list[Spot]:
    """Given positions of which nobody knows yet in which place they lie."""
    rows: list[Any] = db.execute(
        """
        SELECT DISTINCT g.latitude, g.longitude, g.centre FROM given_position g
         WHERE NOT EXISTS (SELECT 1 FROM located l WHERE l.latitude = g.latitude AND l.longitude = g.longitude
                              AND l.centre = g.centre) LIMIT ?
        """,
        (limit,),
    ).fetchall()
    return [Spot(latitude=row[0], longitude=row[1], centre=bool(row[2])) for row in rows]


def locate(db: apsw.Connection, spot: Spot, locality: Locality | None) -> None:
    """The position lies there; None: in no place."""
    place_id: PlaceId | None = places.ensure(db, locality) if locality is not None else None
    db.execute(
        "INSERT OR REPLACE INTO located (latitude, longitude, centre, place_id) VALUES (?, ?, ?, ?)",
        (float(spot.latitude), float(spot.longitude), int(spot.centre), place_id),
    )


def _words(db: apsw.Connection, asset_id: AssetId) -> None:
    row: Any = db.execute(
        "SELECT place_id, caption, keywords FROM asset WHERE id = ?", (asset_id,)
    ).fetchone()
    if row is None:
        return
    place_id, caption, keywords = row
    lineage = places.lineage(db, place_id) if place_id is not None else []
    words.put(
        db,
        asset_id,
        place=" ".join(place.name for place in reversed(lineage)),
        caption=" ".join(filter(None, [caption, *(json.loads(keywords) if keywords else ())])),
    )


def _corrected(db: apsw.Connection, content: bytes, found: list[Any]) -> list[Any] | None:
    """The columns in the order of _FOUND as people have corrected them; None when they have not."""
    row: Any = db.execute(
        """
        SELECT d.taken_local, d.taken_offset, p.latitude, p.longitude, l.place_id, r.stars, c.body
          FROM (SELECT ?1 AS hash) h
          LEFT JOIN given_date d ON d.hash = h.hash
          LEFT JOIN given_position p ON p.hash = h.hash
          LEFT JOIN located l ON l.latitude = p.latitude AND l.longitude = p.longitude AND l.centre = p.centre
          LEFT JOIN given_rating r ON r.hash = h.hash
          LEFT JOIN given_caption c ON c.hash = h.hash
        """,
        (content,),
    ).fetchone()
    local, offset, latitude, longitude, place_id, stars, body = row
    if local is None and latitude is None and stars is None and body is None:
        return None
    holds = list(found)
    if local is not None:
        holds[0:4] = local, offset, DateSource.GIVEN.value, 1.0
    if latitude is not None:
        holds[4:7] = latitude, longitude, place_id
    if stars is not None:
        holds[7] = stars
    if body is not None:
        holds[8] = body or None
    return holds
