"""The guard against mass deletion, in SQL: its limits, and whom it has stopped. In `meta`, so that every program sees it.

Plain functions of a connection; a call holds the caller's transaction only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import asdict

if TYPE_CHECKING:
    import apsw

_LIMITS, _USER = "guard", "guard of "


class Limits(Struct, frozen=True, kw_only=True):
    """From how many removals within a minute on a user is stopped. What it means is said in `havenfs.settings`."""

    removals: int = 200
    percent: float = 5.0


class Alarm(Struct, frozen=True, kw_only=True):
    """A user who was stopped."""

    who: str
    since_ms: int
    """Unix milliseconds: the first removal that was counted."""
    at_ms: int
    """When it was stopped."""
    removed: int
    """How many files had gone by then."""
    lifted_ms: int | None = None
    """When somebody said that it is all right."""


def limits(db: apsw.Connection) -> Limits:
    """The owner's, as the indexer has read them; else as they come."""
    found = _get(db, _LIMITS)
    return Limits(**found) if found is not None else Limits()


def set_limits(db: apsw.Connection, limits: Limits) -> None:
    """Let these hold for every program."""
    _put(db, _LIMITS, asdict(limits))


def alarms(db: apsw.Connection) -> list[Alarm]:
    """The last one of each user, lifted or not, by user."""
    rows: list[Any] = db.execute(
        "SELECT value FROM meta WHERE substr(key, 1, ?1) = ?2 ORDER BY key", (len(_USER), _USER)
    ).fetchall()
    return [Alarm(**json.loads(row[0])) for row in rows]


def put(db: apsw.Connection, alarm: Alarm) -> None:
    """Write an alarm, over the user's last one."""
    _put(db, _USER + alarm.who, asdict(alarm))


def library(db: apsw.Connection) -> int:
    """How many assets have a file. From an index: 10 ms for a million."""
    row = db.execute("SELECT count(*) FROM asset WHERE file_id IS NOT NULL").fetchone()
    return int(row[0]) if row else 0


def _get(db: apsw.Connection, key: str) -> dict[str, Any] | None:
    row: Any = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return json.loads(row[0]) if row is not None else None


def _put(db: apsw.Connection, key: str, value: dict[str, Any]) -> None:
    db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, json.dumps(value)))
