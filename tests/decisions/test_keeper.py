"""Decisions, their journal, replay and undo, on real files."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
from typing import TYPE_CHECKING

import pytest

from havenfs.catalog import Catalog, assets, contents, decided, files, given
from havenfs.config import State
from havenfs.decisions import Keeper, keeper, new_uid, values
from havenfs.entities import AssetId, Identity, Kind, Region, SourceId
from havenfs.errors import (
    Conflict,
    Exists,
    InvalidName,
    NewerState,
    NotEmpty,
    NotFound,
    NotJournaled,
    ReadOnly,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Shelf


A, B, C = (bytes([n]) * 32 for n in (1, 2, 3))
FACE = Region(0, 0.1, 0.1, 0.3, 0.4)
ME = "me"


class Desk:
    """A catalog and its keeper, which can lose the one and be opened again."""

    def __init__(self, directory: Path) -> None:
        self.state = State(root=directory)
        self.open()

    def open(self) -> int:
        self.catalog = Catalog(self.state.catalog)
        self.keeper = Keeper(self.catalog, self.state.journal)
        return self.keeper.recover()

    def lose_catalog(self) -> int:
        """Delete the database and bring everything back; returns how many operations that took."""
        self.catalog.close()
        for file in self.state.root.glob("catalog.db*"):
            file.unlink()
        return self.open()

    def decide(self, decision: values.Decision) -> str:
        done = self.keeper.decide(decision, by=ME)
        assert done is not None
        return done.id

    def tables(self) -> dict[str, list[given.Row]]:
        return {table: self.catalog.read(given.rows, table) for table in given.TABLES}

    def person(self, name: str) -> str:
        uid = new_uid()
        self.decide(values.MakePerson(uid=uid, name=name))
        return uid

    def folder(self, name: str, parent: str | None = None, kind: str = "album") -> str:
        uid = new_uid()
        folder = values.Folder(kind)
        self.decide(values.MakeFolder(uid=uid, folder=folder, name=name, parent=parent))
        return uid

    def fill(self, uid: str, *contents: bytes) -> str:
        return self.decide(values.Fill(uid=uid, contents=contents, inside=True))

    def members(self, uid: str) -> set[bytes]:
        found = self.catalog.read(lambda db: given.rows(db, "member", collection=uid))
        return {bytes.fromhex(str(row[1])) for row in found}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "state")
    yield opened
    opened.catalog.close()


def decide_everything(desk: Desk) -> None:
    """Each kind of decision once at least, so that no table stays empty."""
    alice, bob = desk.person("Alice"), desk.person("Bob")
    nobody, carol = new_uid(), new_uid()
    rome = desk.folder("Rome")
    day = desk.folder("Day 1", rome)
    other = desk.folder("Roma")
    trashed, purged = new_uid(), new_uid()
    desk.fill(rome, A)
    desk.fill(day, B)
    desk.fill(other, C)
    desk.decide(values.SayFaces(faces=(values.FaceAt(A, FACE),), person=alice, is_it=True))
    desk.decide(values.SayFaces(faces=(values.FaceAt(B, FACE),), person=alice, is_it=False))
    for decision in (
        values.MakePerson(uid=nobody, name=None),
        values.RenamePerson(uid=alice, name="Zoë / Ξ"),
        values.IgnorePerson(uid=bob, ignored=True),
        values.TagPerson(contents=(B, C), person=bob, is_in=True),
        values.MergePersons(uid=bob, into=alice),
        values.Together(
            (
                values.MakePerson(uid=carol, name="Carol"),
                values.SayFaces(
                    (values.FaceAt(C, FACE), values.FaceAt(B, FACE)), carol, is_it=True
                ),
            )
        ),
        values.ForgetPerson(uid=nobody),
        values.MoveFolder(uid=day, name="First", parent=other),
        values.MergeFolders(uid=other, into=rome),
        values.RefuseTag(contents=(A,), tag="dog"),
        values.SetFavorite(contents=(A, B), favorite=True),
        values.SetRating(contents=(A,), stars=4),
        values.SetCaption(contents=(A,), body="line\nand “quotes”"),
        values.SetDate(contents=(A,), local=1_500_000_000, offset=-90),
        values.SetPosition(contents=(A,), position=(41.9, 12), centre=True),
        values.SaveSearch(name="Dogs", query="dog 2019"),
        values.RenameSearch(name="dogs", new_name="Hounds"),
        values.SaveSearch(name="Cats", query="cat"),
        values.ForgetSearch(name="CATS"),
        values.Distinguish(contents=(C, A, B)),
        values.Trash(
            uid=trashed, content=C, source="s", path=b"a/\xff \xe2%.jpg", at_ms=5, owner=ME
        ),
        values.Trash(uid=new_uid(), content=B, source="s", path=b"b", at_ms=6, owner=ME),
        values.LeaveTrash(uid=trashed),
        values.Trash(uid=new_uid(), content=C, source="s", path=b"\xff%41", at_ms=7, owner=ME),
        values.Trash(uid=purged, content=A, source="s", path=b"c", at_ms=8, owner=ME),
        values.EmptyTrash(uids=(purged,)),
        values.DiscardCopy(
            content=A,
            into=B,
            files=(
                values.Trash(uid=new_uid(), content=A, source="s", path=b"d", at_ms=9, owner=ME),
            ),
        ),
        values.RefuseFiling(content=A, source="s", path=b"Letters/\xff%41"),
        values.FileAway(
            uid=new_uid(),
            files=(
                values.Moved(B, "s", b"Inbox/b\xff.raw", "t", b"2019/b\xff.raw"),
                values.Moved(C, "s", b"Inbox/b.jpg", "t", b"2019/b.jpg"),
            ),
        ),
    ):
        desk.decide(decision)
    empty = desk.folder("Empty", kind="tag")
    desk.decide(values.RemoveFolder(uid=empty))
    desk.catalog.write(decided.follow, B, bytes(32))
    desk.keeper.deliver()


def test_every_kind_of_decision_survives_the_loss_of_the_database_row_by_row(desk: Desk) -> None:
    decide_everything(desk)
    before = desk.tables()
    assert not [table for table, rows in before.items() if not rows]
    operations = desk.catalog.read(lambda db: decided.newest(db, 999))
    kinds = {operation.kind for operation in operations}
    assert {kind.__name__ for kind in values.Decision.__args__} <= kinds
    assert desk.lose_catalog() == len(operations)
    assert desk.tables() == before
    assert desk.catalog.read(lambda db: decided.newest(db, 999)) == operations


def test_so_it_does_after_the_journal_was_written_anew_with_what_came_later(desk: Desk) -> None:
    decide_everything(desk)
    desk.keeper.compact()
    later = desk.fill(desk.folder("Later"), A)
    before = desk.tables()
    operations = desk.catalog.read(lambda db: decided.newest(db, 999))
    assert desk.lose_catalog() == len(operations)
    assert desk.tables() == before
    assert desk.keeper.revert(operations[0].id, by=ME, rest=True) is None  # merged away since
    assert desk.keeper.revert(later, by=ME) is not None


def test_the_journal_written_anew_keeps_what_holds_and_lets_old_operations_go(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "HORIZON", 5)
    rome = desk.folder("Rome")
    for n in range(40):
        desk.decide(values.Fill(uid=rome, contents=(A, B), inside=n % 2 == 0))
    desk.fill(rome, C)
    size = desk.keeper.journal.size()
    before = desk.tables()
    desk.keeper.compact()
    assert desk.keeper.journal.size() < size / 4
    assert len(desk.keeper.last(99)) == 5
    desk.lose_catalog()
    assert desk.tables() == before
    assert len(desk.keeper.last(99)) == 5


def test_the_journal_is_written_anew_by_itself_when_most_of_it_is_history(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "HORIZON", 5)
    monkeypatch.setattr(keeper, "ROOMY", 4000)
    for n in range(60):
        desk.decide(values.SetFavorite(contents=(A,), favorite=n % 2 == 0))
    assert desk.keeper.journal.size() > 8000
    desk.keeper.recover()
    assert desk.keeper.journal.size() < 4000
    assert desk.lose_catalog() == 5


def test_the_journal_holds_hashes_and_names_and_stays_readable(desk: Desk) -> None:
    rome = desk.folder("Città")
    desk.fill(rome, A)
    text = desk.state.journal.read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0] == {"havenfs-journal": 1}
    assert "Città" in text
    assert lines[2]["op"]["changes"] == [["member", [rome, A.hex()], None, []]]
    assert desk.state.journal.stat().st_mode & 0o777 == 0o600


def test_a_torn_last_line_is_passed_over_and_cut_off(desk: Desk) -> None:
    desk.person("Alice")
    with desk.state.journal.open("ab") as file:
        file.write(b'{"op":{"id":"00')
    desk.person("Bob")
    names = [row[1] for row in desk.tables()["person"]]
    assert desk.state.journal.read_bytes().count(b"\n") == 3
    desk.lose_catalog()
    assert sorted(map(str, names)) == sorted(str(row[1]) for row in desk.tables()["person"])


def test_zeros_that_a_power_cut_left_are_cut_off_too(desk: Desk) -> None:
    desk.person("Alice")
    with desk.state.journal.open("ab") as file:
        file.write(bytes(200_000))
    desk.person("Bob")
    assert desk.lose_catalog() == 2


def test_a_damaged_line_costs_itself_and_what_hangs_on_it_alone(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    rome = desk.folder("Rome")
    desk.fill(rome, A)
    desk.person("Alice")
    lines = desk.state.journal.read_bytes().splitlines(keepends=True)
    lines[1] = b"#" + lines[1]
    desk.state.journal.write_bytes(b"".join(lines))
    desk.lose_catalog()
    assert [row[1] for row in desk.tables()["person"]] == ["Alice"]
    assert desk.tables()["member"] == []
    assert "line 2 cannot be read" in caplog.text


def test_a_journal_of_a_newer_version_is_left_alone(desk: Desk) -> None:
    desk.person("Alice")
    text = desk.state.journal.read_text().replace('journal":1', 'journal":2')
    desk.state.journal.write_text(text)
    desk.catalog.close()
    for file in desk.state.root.glob("catalog.db*"):
        file.unlink()
    with pytest.raises(NewerState, match="newer version"):
        desk.open()
    assert desk.state.journal.read_text() == text


def test_a_lost_journal_is_written_anew_from_the_catalog(desk: Desk) -> None:
    decide_everything(desk)
    before = desk.tables()
    desk.state.journal.unlink()
    desk.keeper.recover()
    desk.lose_catalog()
    assert desk.tables() == before


def test_a_journal_lost_while_it_is_used_is_written_anew_by_the_next_decision(desk: Desk) -> None:
    decide_everything(desk)
    desk.state.journal.unlink()
    desk.person("Late")
    before = desk.tables()
    desk.lose_catalog()
    assert desk.tables() == before


def test_an_older_backup_of_the_catalog_is_brought_up_to_date(desk: Desk, tmp_path: Path) -> None:
    decide_everything(desk)
    desk.catalog.connection().execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
    operation = desk.fill(desk.folder("Later"), A, B)
    desk.keeper.revert(operation, by=ME)
    before = desk.tables()
    for anew in (False, True):
        if anew:
            desk.keeper.compact()
        desk.catalog.close()
        for file in desk.state.root.glob("catalog.db*"):
            file.unlink()
        desk.state.catalog.write_bytes((tmp_path / "backup.db").read_bytes())
        assert desk.open() == 3
        assert desk.tables() == before


def test_an_older_backup_of_the_journal_takes_nothing_away(desk: Desk) -> None:
    desk.person("Alice")
    old = desk.state.journal.read_bytes()
    decide_everything_after = desk.folder("Rome")
    desk.fill(decide_everything_after, A)
    before = desk.tables()
    desk.state.journal.write_bytes(old)
    desk.keeper.recover()
    assert desk.tables() == before
    desk.lose_catalog()
    assert desk.tables() == before


def test_a_journal_that_cannot_be_written_is_said_and_made_up_for(desk: Desk) -> None:
    desk.person("Alice")
    kept = desk.state.journal.rename(desk.state.root / "kept")
    desk.state.journal.mkdir()
    favorite = values.SetFavorite(contents=(A,), favorite=True)
    for _ in range(2):  # the second changes nothing, and rests on one that is not journaled
        with pytest.raises(NotJournaled, match="Is a directory"):
            desk.keeper.decide(favorite, by=ME)
    desk.state.journal.rmdir()
    kept.rename(desk.state.journal)
    assert desk.tables()["favorite"] == [(A.hex(),)]
    desk.keeper.recover()
    assert desk.lose_catalog() == 2
    assert desk.tables()["favorite"] == [(A.hex(),)]


def test_a_catalog_that_is_full_decides_nothing_and_goes_on_afterwards(desk: Desk) -> None:
    desk.person("Alice")
    before = desk.tables(), desk.state.journal.read_bytes()
    db = desk.catalog.connection()
    limit = db.pragma("max_page_count")
    db.pragma("max_page_count", 1)  # no page more than there are
    captions = values.SetCaption(contents=(A, B, C), body="long " * 10_000)
    with pytest.raises(ReadOnly, match="full"):
        desk.keeper.decide(captions, by=ME)
    assert (desk.tables(), desk.state.journal.read_bytes()) == before
    db.pragma("max_page_count", limit)
    assert desk.keeper.decide(captions, by=ME) is not None


def test_of_a_write_that_ends_on_a_full_disk_nothing_stays(desk: Desk) -> None:
    desk.person("Alice")
    before = desk.state.journal.read_bytes()
    operations = desk.catalog.read(lambda db: decided.newest(db, 9))
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, hard))
        with pytest.raises(NotJournaled, match="File too large"):
            desk.keeper.journal.append(operations)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert desk.state.journal.read_bytes() == before


def test_a_decision_that_makes_no_sense_leaves_nothing_behind(desk: Desk) -> None:
    rome = desk.folder("Rome")
    inner = desk.folder("Inner", rome)
    tag = desk.folder("Rome", kind="tag")
    desk.person("Alice")
    desk.decide(values.SaveSearch(name="cat", query="cat 2019"))
    desk.decide(values.SaveSearch(name="dog", query="dog"))
    before = desk.tables(), desk.state.journal.read_bytes()
    for decision, error in (
        (values.SaveSearch(name="Cat", query="Cat"), Exists),
        (values.SaveSearch(name="cat", query="another"), Exists),
        (values.RenameSearch(name="dog", new_name="CAT"), Exists),
        (values.MakePerson(uid=new_uid(), name="ALICE"), Exists),
        (values.MakePerson(uid=new_uid(), name=""), InvalidName),
        (values.MakeFolder(uid=new_uid(), folder=values.Folder.ALBUM, name="rome"), Exists),
        (values.MoveFolder(uid=rome, name="Rome", parent=inner), InvalidName),
        (values.MoveFolder(uid=inner, name="Inner", parent=tag), InvalidName),
        (values.MergeFolders(uid=rome, into=inner), InvalidName),
        (values.MergeFolders(uid=rome, into=tag), InvalidName),
        (values.RemoveFolder(uid=rome), NotEmpty),
        (values.Fill(uid=new_uid(), contents=(A,), inside=True), NotFound),
        (values.SetRating(contents=(A,), stars=6), InvalidName),
        (values.ForgetSearch(name="none"), NotFound),
        (values.LeaveTrash(uid="none"), NotFound),
    ):
        with pytest.raises(error):
            desk.keeper.decide(decision, by=ME)
    assert (desk.tables(), desk.state.journal.read_bytes()) == before


def test_what_is_decided_already_is_no_operation(desk: Desk) -> None:
    desk.decide(values.SetFavorite(contents=(A,), favorite=True))
    again = values.SetFavorite(contents=(A,), favorite=True)
    assert desk.keeper.decide(again, by=ME) is None
    assert len(desk.keeper.last()) == 1


def test_a_face_is_one_persons_under_whichever_box(desk: Desk) -> None:
    alice, bob = desk.person("Alice"), desk.person("Bob")
    near = Region(0, 0.11, 0.1, 0.31, 0.42)
    desk.decide(values.SayFaces(faces=(values.FaceAt(A, FACE),), person=bob, is_it=False))
    desk.decide(values.SayFaces(faces=(values.FaceAt(A, FACE),), person=alice, is_it=True))
    desk.decide(values.SayFaces(faces=(values.FaceAt(A, near),), person=bob, is_it=True))
    assert [(row[5:]) for row in desk.tables()["face_said"]] == [(0.4, bob, 1)]


def test_a_merged_folder_takes_along_what_is_in_it_also_where_names_meet(desk: Desk) -> None:
    rome = desk.folder("Rome")
    inner = desk.folder("Same", rome)
    innermost = desk.folder("Same", inner)
    desk.fill(inner, A)
    desk.fill(innermost, B)
    before = desk.tables()
    merge = desk.decide(values.MergeFolders(uid=inner, into=rome))
    assert desk.members(rome) == {A}
    assert desk.members(innermost) == {B}
    assert [row[2:4] for row in desk.tables()["collection"] if row[0] == innermost] == [
        (rome, "Same")
    ]
    desk.keeper.revert(merge, by=ME)
    assert desk.tables() == before


def test_a_merge_of_persons_is_taken_back_whole_and_done_again(desk: Desk) -> None:
    alice, bob = desk.person("Alice"), desk.person("Bob")
    desk.decide(values.SayFaces(faces=(values.FaceAt(A, FACE),), person=bob, is_it=True))
    desk.decide(values.TagPerson(contents=(A, B), person=bob, is_in=False))
    desk.decide(values.TagPerson(contents=(B, C), person=alice, is_in=True))
    before = desk.tables()
    merge = desk.decide(values.MergePersons(uid=bob, into=alice))
    merged = desk.tables()
    undo = desk.keeper.revert(merge, by=ME)
    assert desk.tables() == before
    assert [listed.undone for listed in desk.keeper.last(2)] == [False, True]
    assert undo is not None
    assert undo.words == "took back: merged “Bob” into “Alice”"
    again = desk.keeper.revert(undo.id, by=ME)
    assert desk.tables() == merged
    assert again is not None
    assert again.words == "did again: merged “Bob” into “Alice”"
    assert [listed.undone for listed in desk.keeper.last(3)] == [False, True, False]


def test_what_was_decided_later_is_reported_and_not_overwritten(desk: Desk) -> None:
    rome = desk.folder("Rome")
    put = desk.fill(rome, A, B)
    taken = desk.decide(values.Fill(uid=rome, contents=(A,), inside=False))
    before = desk.tables()
    with pytest.raises(Conflict, match=f"since then: {taken[:8]} 1 file taken out"):
        desk.keeper.revert(put, by=ME)
    assert desk.tables() == before
    desk.keeper.revert(put, by=ME, rest=True)
    assert desk.members(rome) == set()


def test_a_folder_that_was_filled_since_is_not_taken_away(desk: Desk) -> None:
    made = values.MakeFolder(uid=new_uid(), folder=values.Folder.TAG, name="Dog")
    operation = desk.decide(made)
    filled = desk.fill(made.uid, A)
    with pytest.raises(Conflict, match=filled[:8]):
        desk.keeper.revert(operation, by=ME)
    desk.keeper.revert(filled, by=ME)
    desk.keeper.revert(operation, by=ME)
    assert desk.tables()["collection"] == []


def test_a_name_that_was_given_to_another_one_since_is_not_taken_back(desk: Desk) -> None:
    rome = desk.folder("Rome")
    rename = desk.decide(values.MoveFolder(uid=rome, name="Roma"))
    desk.folder("Rome")
    with pytest.raises(Conflict):
        desk.keeper.revert(rename, by=ME)


def test_taking_back_a_move_puts_no_folder_into_itself(desk: Desk) -> None:
    outer = desk.folder("Outer")
    inner = desk.folder("Inner", outer)
    move = desk.decide(values.MoveFolder(uid=inner, name="Inner"))
    desk.decide(values.MoveFolder(uid=outer, name="Outer", parent=inner))
    with pytest.raises(Conflict):
        desk.keeper.revert(move, by=ME)


def test_an_operation_is_named_by_its_first_digits_and_only_if_they_are_enough(desk: Desk) -> None:
    first = desk.decide(values.SetFavorite(contents=(A,), favorite=True))
    desk.decide(values.SetFavorite(contents=(B,), favorite=True))
    for wrong in ("", "zz", "%"):
        with pytest.raises(NotFound):
            desk.keeper.revert(wrong, by=ME)
    assert desk.keeper.revert(first[:12], by=ME) is not None


def content_of(shelf: Shelf, asset: AssetId) -> bytes:
    return shelf.catalog.read(assets.get, asset).hash


def test_decisions_go_with_a_file_that_is_edited_in_place_and_undo_finds_them_there(
    shelf: Shelf,
) -> None:
    asset = shelf.add("a.jpg")
    keeping = Keeper(shelf.catalog, shelf.state.journal)
    old = content_of(shelf, asset)
    done = keeping.decide(values.SetRating(contents=(old,), stars=5), by=ME)
    file = shelf.catalog.read(files.by_path, SourceId(1), b"a.jpg")
    assert file is not None
    edited = Identity(hash=C, size=5, mime="image/jpeg", kind=Kind.PHOTO)
    shelf.catalog.write(contents.renew, asset, file, edited, Kind.PHOTO)
    keeping.deliver()
    assert done is not None
    rows = shelf.catalog.read(given.rows, "given_rating")
    assert sorted(rows) == sorted([(old.hex(), 5), (content_of(shelf, asset).hex(), 5)])
    assert [listed.operation.kind for listed in keeping.last()] == ["SetRating"]
    keeping.revert(done.id, by=ME)
    assert shelf.catalog.read(given.rows, "given_rating") == []


def test_what_is_decided_before_the_file_is_there_holds_when_it_comes(shelf: Shelf) -> None:
    asset = shelf.add("a.jpg")
    favorite = values.SetFavorite(contents=(content_of(shelf, asset),), favorite=True)
    Keeper(shelf.catalog, shelf.state.journal).decide(favorite, by=ME)
    other = type(shelf)(shelf.state.root.parent / "other")
    assert Keeper(other.catalog, shelf.state.journal).recover() == 1
    again = other.add("elsewhere/b.jpg", (shelf.root / "a.jpg").read_bytes())
    found = other.catalog.read(
        lambda db: db.execute(
            "SELECT a.id FROM asset a JOIN favorite f ON f.hash = a.hash"
        ).fetchall()
    )
    assert found == [(again,)]
    other.catalog.close()


def test_the_document_names_every_table_and_column() -> None:
    text = (os.path.dirname(__file__), "..", "..", "docs", "journal.md")
    with open(os.path.join(*text), encoding="utf-8") as file:
        found = dict(re.findall(r"^\| `(\w+)` \| ([^|]+ \|[^|]*)\|$", file.read(), re.MULTILINE))
    for table in given.TABLES.values():
        words = re.findall(r"\w+", re.sub(r"\(.*?\)", "", found[table.name]))
        assert words == list(table.columns)
