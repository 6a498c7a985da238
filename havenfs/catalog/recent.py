"""What was last typed into search, for the listing of `search/`. The newest KEEP texts are kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import apsw

KEEP = 20


def add(db: apsw.Connection, text: str) -> None:
    """Note that *text* was asked now."""
    newest = db.execute("SELECT COALESCE(MAX(used), 0) FROM recent_query").fetchone()
    used = max(
        time.time_ns() // 1_000_000, (newest[0] if newest else 0) + 1
    )  # a clock set back keeps the order
    db.execute(
        "INSERT INTO recent_query (text, used) VALUES (?, ?) ON CONFLICT (text) DO UPDATE SET used = excluded.used",
        (text, used),
    )
    db.execute(
        "DELETE FROM recent_query WHERE text NOT IN (SELECT text FROM recent_query ORDER BY used DESC LIMIT ?)",
        (KEEP,),
    )


def recent(db: apsw.Connection, limit: int = KEEP) -> list[str]:
    """The last texts, newest first."""
    return [
        text
        for (text,) in db.execute(
            "SELECT text FROM recent_query ORDER BY used DESC LIMIT ?", (limit,)
        )
    ]
