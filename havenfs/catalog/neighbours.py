"""Where a picture without a position was probably taken: by those that were taken minutes before and after it.

A suggestion with a reason, never a fact: DERIVED, kept as metadata is recorded, and gone as soon as there is a position.
Wall clocks are compared, because a camera's is all that it knows; whether it was set right, nobody knows either.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from havenfs.entities import AssetId

if TYPE_CHECKING:
    import apsw

    from havenfs.entities import PlaceId

WITHIN_S = 30 * 60
"""Neighbours are at most so far away in time; people stay in one place for about as long."""
CLOSE_KM = 2.0
"""Between two neighbours that are nearer to each other than this, it hardly matters where."""
FARTHEST_KM = 50.0
"""Two neighbours farther apart say that somebody drove or flew."""
SAME_CAMERA, OTHER_CAMERA = 0.95, 0.8
"""Confidence at no distance: two clocks may differ."""
MOST = 200
"""Pictures without a position that one with a position is news for; a time lapse has more in half an hour."""
_EARTH_KM = 6371.0
_TIMED = "taken_source IN ('exif', 'xmp', 'takeout', 'container', 'name')"


class Suggestion(Struct, frozen=True, kw_only=True):
    """Where an asset was probably taken."""

    latitude: float
    longitude: float
    """Degrees, WGS 84."""
    place_id: PlaceId | None
    confidence: float
    """0..1."""
    reason: str


class _Fix(Struct, frozen=True):
    """A neighbour with a position."""

    seconds: int
    """From the picture in question; negative before."""
    latitude: float
    longitude: float
    place_id: PlaceId | None
    name: str
    same_camera: bool


def settle(db: apsw.Connection, asset_id: AssetId) -> None:
    """After the metadata of an asset has been recorded: suggest a position for it, or, where it has one, for its
    neighbours."""
    row = db.execute(
        f"SELECT taken_local, latitude, {_TIMED} FROM asset WHERE id = ?",  # noqa: S608
        (asset_id,),
    ).fetchone()
    if row is None:
        return
    moment, latitude, timed = row
    if latitude is None:
        _suggest(db, asset_id)
        return
    db.execute("DELETE FROM position_suggestion WHERE asset_id = ?", (asset_id,))
    if not timed:
        return
    lost: list[Any] = db.execute(
        "SELECT id FROM asset WHERE taken_local BETWEEN ? AND ? AND latitude IS NULL LIMIT ?",
        (moment - WITHIN_S, moment + WITHIN_S, MOST),
    ).fetchall()
    for (id_,) in lost:
        _suggest(db, AssetId(id_))


def suggestion(db: apsw.Connection, asset_id: AssetId) -> Suggestion | None:
    """What is suggested for an asset."""
    row: Any = db.execute(
        "SELECT latitude, longitude, place_id, confidence, reason FROM position_suggestion WHERE asset_id = ?",
        (asset_id,),
    ).fetchone()
    if row is None:
        return None
    return Suggestion(
        latitude=row[0], longitude=row[1], place_id=row[2], confidence=row[3], reason=row[4]
    )


def count(db: apsw.Connection) -> int:
    """How many visible assets have a suggestion."""
    row = db.execute(
        "SELECT count(*) FROM position_suggestion p JOIN visible v ON v.id = p.asset_id"
    ).fetchone()
    return int(row[0]) if row else 0


def between(before: _Fix | None, after: _Fix | None) -> Suggestion | None:
    """The position that the nearest fixes on either side suggest; None where they contradict each other."""
    if before is None or after is None or before.seconds == 0:
        only = before or after
        return _beside(only) if only is not None else None
    apart = _kilometres(before, after)
    if apart > FARTHEST_KM:
        return None
    nearer = before if -before.seconds <= after.seconds else after
    span = after.seconds - before.seconds
    share = -before.seconds / span if span else 0.0
    sure = SAME_CAMERA if before.same_camera and after.same_camera else OTHER_CAMERA
    sure *= 1 - 0.5 * abs(nearer.seconds) / WITHIN_S
    if apart > CLOSE_KM:
        sure *= 1 - 0.8 * apart / FARTHEST_KM
    return Suggestion(
        latitude=round(before.latitude + share * (after.latitude - before.latitude), 6),
        longitude=round(
            _turn(0, before.longitude + share * _turn(before.longitude, after.longitude)), 6
        ),
        place_id=nearer.place_id,
        confidence=round(sure, 2),
        reason=f"between {before.name} ({_said(-before.seconds)} before) and {after.name} ({_said(after.seconds)} after)",
    )


def _beside(fix: _Fix) -> Suggestion:
    sure = SAME_CAMERA if fix.same_camera else OTHER_CAMERA
    side = "after" if fix.seconds < 0 else "before"
    return Suggestion(
        latitude=fix.latitude,
        longitude=fix.longitude,
        place_id=fix.place_id,
        confidence=round(sure * (1 - 0.8 * abs(fix.seconds) / WITHIN_S), 2),
        reason=f"taken {_said(abs(fix.seconds))} {side} {fix.name}"
        if fix.seconds
        else f"taken in the same second as {fix.name}",
    )


def _suggest(db: apsw.Connection, asset_id: AssetId) -> None:
    found = between(*(_nearest(db, asset_id, later=later) for later in (False, True)))
    if found is None:
        db.execute("DELETE FROM position_suggestion WHERE asset_id = ?", (asset_id,))
        return
    db.execute(
        """
        INSERT OR REPLACE INTO position_suggestion (asset_id, latitude, longitude, place_id, confidence, reason)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        (
            asset_id,
            found.latitude,
            found.longitude,
            found.place_id,
            found.confidence,
            found.reason,
        ),
    )


def _nearest(db: apsw.Connection, asset_id: AssetId, *, later: bool) -> _Fix | None:
    """The nearest picture with a position on one side, at the same second or up to WITHIN_S away."""
    low, high, order = ("0", "?2", "ASC") if later else ("-?2", "0", "DESC")
    row: Any = db.execute(
        f"""
        SELECT n.taken_local - a.taken_local, n.latitude, n.longitude, n.place_id, n.name,
               n.camera IS a.camera AND a.camera IS NOT NULL
          FROM asset a CROSS JOIN asset n
            ON n.taken_local BETWEEN a.taken_local + {low} AND a.taken_local + {high}
         WHERE a.id = ?1 AND a.{_TIMED} AND n.{_TIMED} AND n.latitude IS NOT NULL AND n.id <> a.id
           AND n.file_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM given_position g WHERE g.hash = n.hash AND g.centre)
         ORDER BY n.taken_local {order} LIMIT 1
        """,  # noqa: S608
        (asset_id, WITHIN_S),
    ).fetchone()
    return _Fix(*row[:5], same_camera=bool(row[5])) if row is not None else None


def _kilometres(one: _Fix, other: _Fix) -> float:
    a, b = math.radians(one.latitude), math.radians(other.latitude)
    turn = math.radians(_turn(one.longitude, other.longitude))
    cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(turn)
    return _EARTH_KM * math.acos(max(-1.0, min(1.0, cosine)))


def _turn(start: float, end: float) -> float:
    """Degrees of longitude from one to the other, the short way round."""
    return (end - start + 180) % 360 - 180


def _said(seconds: int) -> str:
    return f"{seconds} s" if seconds < 100 else f"{round(seconds / 60)} min"
