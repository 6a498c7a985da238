"""Schema versions: numbered SQL files, applied in order, recorded in `user_version`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from havenfs.errors import NewerState

if TYPE_CHECKING:
    import apsw

MIGRATIONS = Path(__file__).with_name("migrations")


def migrate(db: apsw.Connection, path: Path) -> None:
    """Apply every migration newer than the file's `user_version`. Raises NewerState."""
    scripts = sorted(MIGRATIONS.glob("*.sql"))
    if int(db.pragma("user_version")) == len(scripts):
        return
    db.execute("BEGIN IMMEDIATE")  # two programs may start at once: the second finds the work done
    try:
        have = int(db.pragma("user_version"))
        if have > len(scripts):
            raise NewerState(
                f"{path} was written by a newer version of HavenFS (schema {have}, this one knows {len(scripts)}). "
                f"Install that version again, or choose another --state directory."
            )
        for number, script in enumerate(scripts[have:], start=have + 1):
            for _ in db.execute(script.read_text("utf-8")):
                pass  # apsw runs a script statement by statement as its rows are consumed
            db.pragma("user_version", number)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
