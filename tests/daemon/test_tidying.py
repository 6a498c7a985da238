"""The trash as the indexer keeps it, and the guard's arithmetic."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any

import pytest

from havend.tidying import Tidying
from havenfs.catalog import guarded, sources, trashed
from havenfs.decisions import Keeper
from havenfs.decisions.bin import Bin
from havenfs.errors import ReadOnly
from havenfs.settings import Guard as GuardSettings, Trash
from havenfs.views.library import Library
from havenfs.views.removing import guard, removal
from havenfs.views.removing.guard import Guard, allowed


def tidying(shelf: Any, keep_days: int = 30, removals: int = 200) -> Tidying:
    return Tidying(
        shelf.catalog,
        Keeper(shelf.catalog, shelf.state.journal),
        trash=lambda: Trash(keep_days=keep_days),
        guard=lambda: GuardSettings(removals=removals),
        idle=lambda: True,
    )


def test_what_is_old_is_purged_and_what_is_young_is_kept(workshop: Any) -> None:
    bin_ = Bin(workshop.catalog, Keeper(workshop.catalog, workshop.state.journal))
    source = workshop.catalog.read(sources.by_name, "photos")
    for path in (b"2019/rome/IMG_0001.jpg", b"2019/rome/IMG_0002.jpg"):
        bin_.take(source, path, None, nullcontext(), by="me")
    old = int(time.time() * 1000) - 31 * 86_400_000
    workshop.catalog.write(
        _execute, "UPDATE trashed SET at_ms = ? WHERE path = ?", old, b"2019/rome/IMG_0001.jpg"
    )
    for keep_days, left in ((0, 2), (32, 2), (30, 1)):
        keeping = tidying(workshop, keep_days)
        keeping.tell_limits()
        keeping.tidy()
        assert workshop.catalog.read(trashed.count) == left
    assert len(list((workshop.root / ".haven-trash").rglob("*.jpg"))) == 1


def test_the_mount_hears_of_the_limits_through_the_catalog(workshop: Any) -> None:
    assert workshop.catalog.read(guarded.limits) == guarded.Limits()
    tidying(workshop, removals=1000).tell_limits()
    assert workshop.catalog.read(guarded.limits).removals == 1000


@pytest.mark.parametrize(
    ("library", "most"), [(10, 50), (1000, 50), (2000, 100), (4000, 200), (1_000_000, 200)]
)
def test_how_many_may_go_in_a_minute(library: int, most: int) -> None:
    assert allowed(guarded.Limits(), library) == most


def test_the_owner_may_want_no_guard_or_the_number_alone() -> None:
    assert allowed(guarded.Limits(removals=0), 1000) > 1000
    assert allowed(guarded.Limits(percent=0), 1000) == 200


def test_removals_are_counted_by_user_and_only_for_a_minute(workshop: Any) -> None:
    counting = Guard(workshop.catalog)
    for second in range(60):
        counting.count("slow", 10.0 * second)
        counting.check("slow")
    for _ in range(51):
        counting.check("quick")
        counting.count("quick", time.time())
    with pytest.raises(ReadOnly, match="quick removed 51 originals"):
        counting.check("quick")
    counting.check("slow")
    with pytest.raises(ReadOnly):
        Guard(workshop.catalog).check("quick")  # another process
    (alarm,) = workshop.catalog.read(guarded.alarms)
    lifted = guarded.Alarm(
        who=alarm.who,
        since_ms=alarm.since_ms,
        at_ms=alarm.at_ms,
        removed=alarm.removed,
        lifted_ms=int(time.time() * 1000),
    )
    workshop.catalog.write(guarded.put, lifted)
    for _ in range(100):
        counting.check("quick")
        counting.count("quick", time.time())
    assert guard.GRACE_S > 60


@pytest.mark.parametrize(
    ("path", "columns", "kept"),
    [
        ("a/photo.jpg", {}, True),
        ("a/film.mp4", {"kind": "video", "mime": "video/mp4"}, True),
        ("a/letter.txt", {"kind": "document", "mime": "text/plain"}, True),
        ("a/program.c", {"kind": "document", "mime": "text/plain"}, False),
        ("a/photo.jpg.part", {}, False),
        ("a/~$letter.docx", {"kind": "document", "mime": "application/pdf"}, False),
        ("repo/src/logo.png", {"mime": "image/png"}, False),
    ],
)
def test_what_goes_to_the_trash(workshop: Any, path: str, columns: Any, kept: bool) -> None:
    library = removing(workshop)
    source = workshop.catalog.read(sources.by_name, "photos")
    (workshop.root / "repo/.git").mkdir(parents=True)
    workshop.add(path, **columns)
    removal.remove(library, source, path.encode(), nullcontext())
    assert not (workshop.root / path).exists()
    assert workshop.catalog.read(trashed.count) == kept


def test_what_people_have_decided_about_goes_to_the_trash_in_any_case(workshop: Any) -> None:
    library = removing(workshop)
    source = workshop.catalog.read(sources.by_name, "photos")
    workshop.add("a/program.c", kind="document", mime="text/plain")
    found = workshop.catalog.read(trashed.original, source.id, b"a/program.c")
    workshop.catalog.write(_execute, "INSERT INTO favorite VALUES (?)", found.content)
    removal.remove(library, source, b"a/program.c", nullcontext())
    assert workshop.catalog.read(trashed.count) == 1


def removing(shelf: Any) -> Library:
    keeper = Keeper(shelf.catalog, shelf.state.journal)
    return Library(shelf.catalog, None, {}, keeper=keeper)  # type: ignore[arg-type] -- nobody searches


def _execute(db: Any, statement: str, *values: object) -> None:
    db.execute(statement, values)
