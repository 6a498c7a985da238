"""The trash on real files: in, out, for good, and what a kill at any line of it leaves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from blake3 import blake3

from havenfs.catalog import given, sources, trashed
from havenfs.decisions import Keeper, new_uid, undo, values
from havenfs.decisions.bin import Bin
from havenfs.errors import Conflict, NotFound, ReadOnly
from havenfs.trash import folder

if TYPE_CHECKING:
    from havenfs.entities import Source

ME = "me"
KILLS = 120


class Room:
    """A writable source with a trash."""

    def __init__(self, shelf: Any) -> None:
        self.shelf = shelf
        self.root: Path = shelf.root
        self.keeper = Keeper(shelf.catalog, shelf.state.journal)
        self.bin = Bin(shelf.catalog, self.keeper)

    @property
    def source(self) -> Source:
        return self.shelf.catalog.read(sources.by_name, "photos")

    def put(self, path: str, data: bytes = b"bytes") -> bytes:
        """Write a file; its hash."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(data)
        return blake3(data).digest()

    def take(self, path: str, content: bytes | None = None) -> None:
        self.bin.take(self.source, path.encode(), content, nullcontext(), by=ME)

    def rows(self) -> list[trashed.Trashed]:
        return self.shelf.catalog.read(trashed.everything)

    def lying(self) -> list[str]:
        """What lies in the trash folder, each below its own path."""
        found = folder.listing(self.source)
        return sorted(os.fsdecode(lying.path) for lying in found if lying.path is not None)

    def undo(self) -> None:
        self.keeper.revert(self.keeper.last(1)[0].operation.id, by=ME)


@pytest.fixture
def room(workshop: Any) -> Room:
    return Room(workshop)


def test_a_file_moves_in_with_its_path_and_back_where_it_was(room: Room) -> None:
    content = room.put("a/b/c.jpg")
    inode = (room.root / "a/b/c.jpg").stat().st_ino
    room.take("a/b/c.jpg")
    (row,) = room.rows()
    assert (row.content, row.path, row.owner, row.source) == (content, b"a/b/c.jpg", ME, "photos")
    assert room.lying() == ["a/b/c.jpg"]
    assert not (room.root / "a/b/c.jpg").exists()
    (room.root / "a/b").rmdir()
    (room.root / "a").rmdir()
    room.undo()
    assert (room.root / "a/b/c.jpg").stat().st_ino == inode
    assert (room.rows(), room.lying(), os.listdir(room.root / ".haven-trash")) == ([], [], [])


def test_where_the_place_is_taken_it_comes_back_beside(room: Room) -> None:
    for data in (b"one", b"two"):
        room.put("c.jpg", data)
        room.take("c.jpg")
    room.put("c.jpg", b"three")
    for operation in [listed.operation.id for listed in room.keeper.last(2)]:
        room.keeper.revert(operation, by=ME)
    assert (room.root / "c.jpg").read_bytes() == b"three"
    assert (room.root / "c (restored).jpg").read_bytes() == b"two"
    assert (room.root / "c (restored 2).jpg").read_bytes() == b"one"


def test_what_was_purged_cannot_be_brought_back(room: Room) -> None:
    room.put("c.jpg")
    room.take("c.jpg")
    taken = room.keeper.last(1)[0].operation.id
    assert room.bin.purge(room.rows(), by=ME) == 1
    assert (room.rows(), room.lying()) == ([], [])
    with pytest.raises(Conflict):
        room.keeper.revert(taken, by=ME)
    with pytest.raises(Conflict):
        room.undo()
    assert room.rows() == []
    told = room.shelf.catalog.read(undo.history, 9)
    assert [one.free for one in told] == [False, False]  # and nobody is offered to


def test_a_row_whose_bytes_were_deleted_on_the_disk_is_a_conflict_and_then_goes(room: Room) -> None:
    room.put("c.jpg")
    room.take("c.jpg")
    (row,) = room.rows()
    lies = folder.find(room.source, row.uid, row.path)
    assert lies is not None
    os.unlink(room.root / os.fsdecode(lies))
    with pytest.raises(Conflict):
        room.undo()
    assert room.bin.reconcile(room.source) == (0, 1)
    assert room.rows() == []


def test_restoring_is_taken_back_and_done_again(room: Room) -> None:
    content = room.put("c.jpg")
    room.take("c.jpg")
    (row,) = room.rows()
    target = room.root / "elsewhere.jpg"
    room.bin.restore(
        room.source, row.uid, lambda lies: (room.root / os.fsdecode(lies)).rename(target), by=ME
    )
    assert target.exists()
    assert room.rows() == []
    with pytest.raises(Conflict):  # nobody knows where it is: it was not looked at
        room.undo()
    status, source_id = target.stat(), room.source.id
    room.shelf.catalog.connection().execute(
        "INSERT INTO file (source_id, path, size, mtime_ns, device, inode, state, hash)"
        " VALUES (?, ?, ?, ?, ?, ?, 'known', ?)",
        (
            *(source_id, b"elsewhere.jpg", status.st_size, status.st_mtime_ns),
            *(status.st_dev, status.st_ino, content),
        ),
    )
    room.undo()
    assert not target.exists()
    assert room.lying() == ["c.jpg"]
    assert room.rows() == [row]
    room.undo()
    assert (room.root / "c.jpg").exists()


def test_the_trash_takes_files_alone_and_none_of_a_read_only_source(room: Room) -> None:
    archive = room.shelf.catalog.read(sources.by_name, "archive")
    with pytest.raises(ReadOnly):
        room.bin.take(archive, b"1999/negative.jpg", None, nullcontext(), by=ME)
    with pytest.raises(NotFound):
        room.bin.restore(room.source, new_uid(), lambda lies: None, by=ME)
    with pytest.raises(FileNotFoundError):
        room.take("nothing.jpg")
    assert not (room.root / ".haven-trash").exists()


def test_a_lost_row_is_made_again_and_an_empty_folder_goes(room: Room) -> None:
    content = room.put("a/c.jpg")
    room.take("a/c.jpg")
    room.shelf.catalog.connection().execute("DELETE FROM trashed")
    (room.root / ".haven-trash" / new_uid() / "deep").mkdir(parents=True)
    assert Bin(room.shelf.catalog, room.keeper).reconcile(room.source) == (1, 0)
    (row,) = room.rows()
    assert (row.content, row.path) == (content, b"a/c.jpg")
    assert len(os.listdir(room.root / ".haven-trash")) == 1


def test_a_copy_that_goes_hands_on_what_was_said_of_it(room: Room) -> None:
    copy, kept = room.put("copy.jpg", b"small"), room.put("best.jpg", b"large")
    album, person, other = new_uid(), new_uid(), new_uid()
    for decision in (
        values.MakeFolder(uid=album, folder=values.Folder.ALBUM, name="A"),
        values.Fill(uid=album, contents=(copy,), inside=True),
        values.SetFavorite(contents=(copy,), favorite=True),
        values.MakePerson(uid=person, name="Alice"),
        values.MakePerson(uid=other, name="Bob"),
        values.TagPerson(contents=(copy,), person=person, is_in=True),
        values.TagPerson(contents=(copy,), person=other, is_in=True),
        values.TagPerson(contents=(kept,), person=other, is_in=False),
    ):
        room.keeper.decide(decision, by=ME)
    before = {name: room.shelf.catalog.read(given.rows, name) for name in given.TABLES}
    room.bin.discard([(room.source, b"copy.jpg")], copy, kept, nullcontext(), by=ME)
    said = {
        name: {row for row in room.shelf.catalog.read(given.rows, name) if kept.hex() in row}
        for name in ("member", "favorite", "person_tag")
    }
    assert said == {
        "member": {(album, kept.hex())},
        "favorite": {(kept.hex(),)},
        "person_tag": {(kept.hex(), person, 1), (kept.hex(), other, 0)},
    }
    assert room.lying() == ["copy.jpg"]
    room.undo()
    after = {name: room.shelf.catalog.read(given.rows, name) for name in given.TABLES}
    assert after == before
    assert (room.root / "copy.jpg").exists()


@pytest.mark.timeout(170)
def test_no_kill_loses_a_file_or_leaves_it_twice() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tests.decisions.trash_kills", str(KILLS)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=160,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    counted = re.search(rf"{KILLS} kills, (\d+) answered for", result.stdout)
    assert counted is not None
    assert int(counted[1]) > KILLS


def test_who_is_killed_amid_a_removal_has_removed_nothing(room: Room) -> None:
    room.put("a/one.jpg")
    pid = os.fork()
    if not pid:
        try:
            room.keeper.decide = lambda *_, **__: os._exit(9)  # type: ignore[method-assign] -- dies before it decides
            room.take("a/one.jpg")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert room.lying() == ["a/one.jpg"]
    assert not (room.root / "a/one.jpg").exists()
    heard: list[bytes] = []
    room.bin.heard = lambda _, path: heard.append(path)
    room.bin.recover()
    assert heard == [b"a/one.jpg"]
    assert (room.root / "a/one.jpg").read_bytes() == b"bytes"
    assert room.lying() == []
    assert room.rows() == []
    room.take("a/one.jpg")
    assert len(room.rows()) == 1
    room.bin.recover()
    assert len(room.rows()) == 1
