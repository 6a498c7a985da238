"""The clock on the wall jumps: a battery dies, NTP arrives, somebody sets it. Nothing may hang on it but what is shown."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import havend
import havenfs
from havenfs.catalog import jobs, progress
from havenfs.entities import JobState, Stage
from havenfs.extract import dates

if TYPE_CHECKING:
    from collections.abc import Callable

WALL = re.compile(r"time\.time(_ns)?\(|datetime\.now\(|time\.time(_ns)?\b(?!\()")

MOMENTS = {
    "catalog/clusters.py": "when all faces were thought over",
    "catalog/contents.py": "when an asset was added; whether it is a minute old, where a jump costs one version's identity",
    "catalog/decided.py": "when something was decided, for a line that people read",
    "catalog/jobs.py": "when a job was done; the order of what arrives",
    "catalog/progress.py": "how many were done lately, for a line that people read",
    "catalog/recent.py": "when a search was made",
    "catalog/tags.py": "when tags were suggested",
    "decisions.py": "when the guard was lifted",
    "decisions/bin.py": "when a file was moved to the trash, by which it is shown and purged after days",
    "decisions/note.py": "whether a note, whose time is by the same clock, was left behind long ago",
    "direct/directories.py": "a number that no predecessor has used",
    "extract/dates.py": "what is the future",
    "indexer.py": "whether a file, whose time is by the same clock, is still being written",
    "ingest/arrival.py": "whether a file, whose time is by the same clock, was written a moment ago",
    "invalidate.py": "mtimes of computed folders",
    "neighbour.py": "whether the owner's quiet hours are on",
    "query/parser.py": "what is today",
    "session.py": "mtimes of computed folders",
    "sidecars.py": "whether anything was decided in the last seconds; a clock that was set back delays by an hour at most",
    "sidecars/beside.py": "whether a temporary file, whose time is by the same clock, was left behind long ago",
    "views/duplicates.py": "when a removal began, for the guard",
    "views/removing/guard.py": "when somebody was stopped, and whether the hour after that is over",
    "views/removing/removal.py": "when a removal began, for the guard",
    "originals/staging.py": "in which month a file was uploaded",
    "originals/spellings.py": "whether a folder, whose time is by the same clock, changed a moment ago",
}
"""Who may look at the wall clock, for moments. Durations are measured by the monotonic clock."""


def test_only_moments_are_read_from_the_clock_on_the_wall() -> None:
    found: set[str] = set()
    for package in (havenfs, havend):
        root = Path(str(package.__file__)).parent
        for file in root.rglob("*.py"):
            name = str(file.relative_to(root))
            if not name.startswith(("sample/", "miniature/")) and WALL.search(file.read_text()):
                found.add(name)
    assert found == set(MOMENTS)


def test_a_box_that_starts_in_1970_does_not_take_photos_for_the_future(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert dates.wall(2019, 7, 14) is not None
    assert dates.wall(2126, 7, 14) is None


@pytest.mark.parametrize("jump", [-10 * 365 * 86400, 10 * 365 * 86400], ids=["back", "ahead"])
def test_a_jump_promises_no_absurd_speed(
    shelf: Any, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    asset = shelf.add("a.jpg")

    def done(db: Any) -> None:
        jobs.enqueue(db, asset, [Stage.METADATA], priority=0)
        jobs.finish(db, asset, Stage.METADATA, JobState.DONE)

    shelf.catalog.write(done)
    real: Callable[[], float] = time.time
    assert shelf.catalog.read(progress.progress).stages[Stage.METADATA].rate > 0
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    assert shelf.catalog.read(progress.progress).stages[Stage.METADATA].rate == 0
