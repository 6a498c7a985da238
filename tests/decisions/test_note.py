"""Files that are moved together stay together, whatever is killed amid that."""

from __future__ import annotations

import os
from contextlib import nullcontext
from hashlib import blake2b
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from havenfs.decisions import Keeper, note, values
from havenfs.decisions.filing import moves, steps
from havenfs.decisions.values import Moved
from havenfs.views.filing import Mover
from tests.conftest import Shelf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from havenfs.entities import Source

NAMES = [b"shot.jpg", b"shot.cr2", b"shot.jpg.xmp"]
DECISION = values.FileAway(
    uid="u",
    files=tuple(
        Moved(
            blake2b(b"Inbox/" + name, digest_size=32).digest(),
            "photos", b"Inbox/" + name, "photos", b"Trips/" + name,
        )
        for name in NAMES
    ),
)  # fmt: skip


def _nobody(source: Source, path: bytes, to: Source, new_path: bytes) -> None:
    """Nobody remembers where originals lie."""


class Room:
    """A picture with what belongs to it, and hands that move all of it."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.mover = Mover(shelf.catalog, nullcontext(), _nobody)
        self.keeper = Keeper(shelf.catalog, shelf.state.journal, mover=self.mover)
        for name in NAMES:
            shelf.add(f"Inbox/{name.decode()}", b"Inbox/" + name)

    def lying(self, folder: str) -> int:
        here = self.shelf.root / folder
        return len(list(here.iterdir())) if here.exists() else 0

    def file(self) -> None:
        with note.moving(self.shelf.catalog, self.mover, steps(DECISION)):
            self.keeper.decide(DECISION, by="me")

    def notes(self) -> list[Path]:
        return [*self.shelf.state.root.glob("filing-*")]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    shelf = Shelf(tmp_path, writable=True)
    yield Room(shelf)
    shelf.catalog.close()


def killed(room: Room, *, forth: bool) -> None:
    """Somebody moves the first of them, and is no more."""

    def move_one(moves: Sequence[Moved]) -> None:
        room.mover(moves[:1])
        os._exit(9)

    pid = os.fork()
    if not pid:
        try:
            those = [replace(step, forth=forth) for step in steps(DECISION)]
            with note.moving(room.shelf.catalog, move_one, those):
                pass
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


def test_who_is_killed_amid_a_filing_has_filed_nothing(room: Room) -> None:
    killed(room, forth=True)
    assert (room.lying("Inbox"), room.lying("Trips")) == (2, 1)
    note.recover(room.shelf.catalog, room.mover)
    assert (room.lying("Inbox"), room.lying("Trips")) == (3, 0)
    assert room.notes() == []


def test_who_is_killed_amid_a_taking_back_has_taken_nothing_back(room: Room) -> None:
    room.file()
    assert (room.lying("Inbox"), room.lying("Trips")) == (0, 3)
    killed(room, forth=False)
    assert (room.lying("Inbox"), room.lying("Trips")) == (1, 2)
    note.recover(room.shelf.catalog, room.mover)
    assert (room.lying("Inbox"), room.lying("Trips")) == (0, 3)
    (newest,) = room.keeper.last(1)
    assert len(moves(newest.operation.changes)) == 3
    room.keeper.revert(newest.operation.id, by="me")
    assert (room.lying("Inbox"), room.lying("Trips")) == (3, 0)
    assert room.notes() == []


def test_the_next_who_moves_files_mends_what_the_one_before_has_left(room: Room) -> None:
    killed(room, forth=True)
    room.file()
    assert (room.lying("Inbox"), room.lying("Trips")) == (0, 3)
    assert room.notes() == []


def test_a_note_that_somebody_holds_is_left_alone(room: Room) -> None:
    with note.moving(room.shelf.catalog, room.mover, steps(DECISION)):
        note.recover(room.shelf.catalog, room.mover)
        assert (room.lying("Inbox"), room.lying("Trips")) == (0, 3)
        room.keeper.decide(DECISION, by="me")
    assert room.notes() == []


def test_a_note_that_says_nothing_is_told_of_and_one_that_nobody_finishes_goes(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    root = room.shelf.state.root
    torn, begun, left = (root / f"filing-{name}" for name in ("a.note", "b.new", "c.new"))
    torn.write_bytes(b'[["key", ')
    begun.touch()
    left.touch()
    os.utime(left, (0, 0))
    room.file()
    assert set(room.notes()) == {torn, begun}
    assert "filing-a.note says nothing" in caplog.text


def test_parted_files_wait_for_their_disk(room: Room) -> None:
    killed(room, forth=True)
    room.shelf.root.rename(room.shelf.root.with_name("away"))
    note.recover(room.shelf.catalog, room.mover)
    assert len(room.notes()) == 1
    room.shelf.root.with_name("away").rename(room.shelf.root)
    note.recover(room.shelf.catalog, room.mover)
    assert (room.lying("Inbox"), room.lying("Trips")) == (3, 0)
    assert room.notes() == []


def failing(room: Room, failure: type[BaseException], *, recorded: bool) -> None:
    """A filing that ends with *failure*, before or after it was recorded."""
    with note.moving(room.shelf.catalog, room.mover, steps(DECISION)):
        assert room.lying("Trips") == 3
        if recorded:
            room.keeper.decide(DECISION, by="me")
        raise failure


@pytest.mark.parametrize("failure", [MemoryError, KeyboardInterrupt, OSError])
def test_whatever_keeps_a_filing_from_being_recorded_it_is_undone(
    room: Room, failure: type[BaseException]
) -> None:
    with pytest.raises(failure):
        failing(room, failure, recorded=False)
    assert (room.lying("Inbox"), room.lying("Trips")) == (3, 0)
    assert room.notes() == []


def test_what_fails_after_it_was_recorded_is_filed(room: Room) -> None:
    with pytest.raises(MemoryError):
        failing(room, MemoryError, recorded=True)
    assert (room.lying("Inbox"), room.lying("Trips")) == (0, 3)
    assert room.notes() == []
