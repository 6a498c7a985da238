"""How far indexing is and what it has brought, by counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from havenfs.catalog import jobs, progress, sources
from havenfs.entities import JobState, Kind, Stage

if TYPE_CHECKING:
    import apsw


def test_what_was_found_is_counted_by_assets_and_not_by_rows(shelf: Any):
    first, second, third = (shelf.add(f"a/{number}.jpg") for number in range(3))
    letter = shelf.add("letter.pdf", kind="document", mime="application/pdf")

    def fill(db: apsw.Connection) -> None:
        tags = [(first, "dog"), (first, "beach"), (second, "dog")]
        db.executemany("INSERT INTO suggested_tag VALUES (?, ?, 0.5)", tags)
        db.executemany("INSERT INTO duplicate VALUES (?, ?)", [(first, first), (third, first)])
        db.execute("DELETE FROM job")
        db.executemany(
            "INSERT INTO job (asset_id, stage, state, priority) VALUES (?, 'text', ?, 0)",
            [(first, "done"), (second, "skipped"), (letter, "done")],
        )

    shelf.catalog.write(fill)
    assert shelf.catalog.read(progress.found) == progress.Brought(
        tagged=2, copies=2, groups=1, read=1
    )


def test_what_is_on_a_disk_that_is_away_does_not_count(shelf: Any, tmp_path: Any):
    shelf.source("usb", tmp_path / "usb")
    here, there = shelf.add("a.jpg"), shelf.add("b.mp4", source="usb", kind="video")
    for asset in (here, there):
        shelf.catalog.write(jobs.enqueue, asset, [Stage.PREVIEW], priority=0)

    def counts() -> tuple[int, int, int, int, int]:
        now = shelf.catalog.read(progress.progress)
        kinds = shelf.catalog.read(progress.visible)
        assert sum(kinds.values()) == now.assets
        stage = now.stages[Stage.PREVIEW]
        return now.files, now.assets, kinds[Kind.VIDEO], stage.queued, stage.done

    assert counts() == (2, 2, 1, 2, 0)
    shelf.catalog.write(sources.set_present, 2, False)
    assert counts() == (1, 1, 0, 1, 0)
    shelf.catalog.write(jobs.finish, here, Stage.PREVIEW, JobState.DONE)
    assert counts() == (1, 1, 0, 0, 1)
    shelf.catalog.write(sources.set_present, 2, True)
    shelf.remove(here)
    assert counts() == (2, 1, 1, 1, 0)


def test_a_rate_is_that_of_the_last_minute(shelf: Any):
    assets = [shelf.add(f"{number}.jpg") for number in range(4)]

    def finish(db: apsw.Connection, *ago: int) -> None:
        for asset, seconds in zip(assets, ago, strict=False):
            jobs.enqueue(db, asset, [Stage.PREVIEW], priority=0)
            db.execute(
                "UPDATE job SET state = 'done', finished = unixepoch() - ? WHERE asset_id = ?",
                (seconds, asset),
            )

    def rate() -> float:
        return shelf.catalog.read(progress.progress).stages[Stage.PREVIEW].rate

    assert rate() == 0
    shelf.catalog.write(finish, 3600, 90)
    assert rate() == 0
    shelf.catalog.write(finish, 3600, 90, 30, 20)
    assert 2 / 33 < rate() <= 2 / 30
    kept = shelf.catalog.connection().execute(
        "SELECT sum(number) FROM pace WHERE finished < unixepoch() - 600"
    )
    assert kept.fetchall() == [(None,)]


def test_a_status_costs_the_same_in_a_library_of_any_size(shelf: Any):
    shelf.add("0.jpg")
    db = shelf.catalog.connection()
    few = _steps(db)
    shelf.catalog.write(_grow, 2000)
    assert shelf.catalog.read(progress.progress).assets == 2001
    assert (
        _steps(db) < few + 20
    )  # that is 2,000 instructions, of which looking at each asset would take 100,000


def _grow(db: apsw.Connection, count: int) -> None:
    each = "WITH RECURSIVE n(i) AS (VALUES(2) UNION ALL SELECT i + 1 FROM n WHERE i <= ?) "
    db.execute(
        each + "INSERT INTO file (source_id, path, size, mtime_ns, device, inode, state)"
        " SELECT 1, CAST(i AS BLOB), 1, 1, 1, i, 'known' FROM n",
        (count,),
    )
    db.execute(
        each + "INSERT INTO asset (hash, name, name_key, kind, mime, file_id, added)"
        " SELECT CAST(i AS BLOB), i, i, 'photo', 'image/jpeg', i, 0 FROM n",
        (count,),
    )
    db.execute("INSERT INTO job (asset_id, stage, state) SELECT id, 'text', 'done' FROM asset")
    db.execute("INSERT INTO suggested_tag SELECT id, 'dog', 0.5 FROM asset")
    db.execute("DELETE FROM loose")  # no stacks to be looked for


def _steps(db: apsw.Connection) -> int:
    """Hundreds of SQLite's instructions that a status takes."""
    taken = 0

    def step() -> bool:
        nonlocal taken
        taken += 1
        return False

    db.set_progress_handler(step, 100)
    progress.progress(db)
    progress.found(db)
    progress.visible(db)
    progress.trouble(db)
    db.set_progress_handler(None)
    return taken
