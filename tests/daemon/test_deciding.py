"""The socket at which the mount carries out what is decided elsewhere, without a kernel: the real session, on real files."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from blake3 import blake3

from havend import cli, credentials, deciding, session
from havenfs import sockets
from havenfs.catalog import browse, given, sources, trashed
from havenfs.decisions import Keeper, asking, new_uid, values
from havenfs.decisions.bin import Bin
from havenfs.errors import Conflict, NotFound, NotPermitted, NotRunning

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from havend.operations import Operations

ME = "me"
CLIENT = """
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect("/proc/self/fd/" + sys.argv[1])
print(connection.recv(1000).decode())
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may be somebody else")


@pytest.fixture
def keeper(workshop: Any) -> Keeper:
    return Keeper(workshop.catalog, workshop.state.journal)


@pytest.fixture
def mount(workshop: Any, tmp_path: Path) -> Iterator[Operations]:
    """What a mount runs, but for the kernel."""
    with answering(workshop, tmp_path) as operations:
        yield operations


@contextmanager
def answering(shelf: Any, desk: Path) -> Generator[Operations]:
    with (
        session.opened(shelf.state, desk / "mnt") as operations,
        deciding.answering(shelf.state, operations),
    ):
        yield operations


def undo(shelf: Any, operation: str, *, rest: bool = False) -> str | None:
    what = asking.Undo(operation=operation, rest=rest)
    return asking.ask(shelf.state.deciding, asking.Question(what=what, door="web page"))


@pytest.mark.usefixtures("mount")
def test_it_answers_when_it_is_committed_and_says_who_decided_and_where(
    workshop: Any, keeper: Keeper
) -> None:
    made = keeper.decide(values.SetRating(contents=(b"1" * 32,), stars=4), by=ME)
    assert made is not None
    done = undo(workshop, made.id)
    assert workshop.catalog.read(given.rows, "given_rating") == []
    listed = keeper.last(1)[0].operation
    assert (listed.id, listed.reverts) == (done, made.id)
    assert listed.by == f"{credentials.user(os.getuid())} (web page)"
    assert done in workshop.state.journal.read_text()
    assert undo(workshop, str(done)) == keeper.last(1)[0].operation.id
    assert workshop.catalog.read(given.rows, "given_rating") == [("31" * 32, 4)]


@pytest.mark.usefixtures("mount")
def test_a_merge_of_people_comes_apart_again(workshop: Any, keeper: Keeper) -> None:
    alice, ann = (values.MakePerson(uid=new_uid(), name=name) for name in ("Alice", "Ann"))
    for person in (alice, ann):
        keeper.decide(person, by=ME)
        keeper.decide(
            values.TagPerson(contents=(person.uid.encode() * 2,), person=person.uid, is_in=True),
            by=ME,
        )
    before = {table: workshop.catalog.read(given.rows, table) for table in given.TABLES}
    merged = keeper.decide(values.MergePersons(uid=ann.uid, into=alice.uid), by=ME)
    assert merged is not None
    assert undo(workshop, merged.id)
    assert {table: workshop.catalog.read(given.rows, table) for table in given.TABLES} == before


def test_a_removed_file_is_at_its_place_and_shown_before_the_answer(
    workshop: Any, keeper: Keeper, mount: Operations
) -> None:
    path = workshop.root / "a/b.txt"
    path.parent.mkdir()
    path.write_text("kept")
    source = workshop.catalog.read(sources.by_name, "photos")
    kept = blake3(b"kept").digest()
    Bin(workshop.catalog, keeper).take(source, b"a/b.txt", kept, nullcontext(), by=ME)
    assert not path.exists()
    assert undo(workshop, keeper.last(1)[0].operation.id)
    assert path.read_text() == "kept"
    assert workshop.catalog.read(trashed.everything) == []
    files = mount.lookup(1, b"files").nodeid
    photos = mount.lookup(files, b"photos").nodeid
    assert mount.lookup(mount.lookup(photos, b"a").nodeid, b"b.txt").size == 4


def test_a_file_that_was_filed_goes_back_into_the_inbox(
    shelf_of_papers: Any, tmp_path: Path
) -> None:
    desk = shelf_of_papers
    text = "waterworks meter reading bill cubic metres"
    desk.add("Inbox/new.txt", source="papers", kind="document", mime="text/plain", text=text)
    assert cli.main(["sort", "--all", "--state", str(desk.state.root)]) == 0
    assert not (desk.papers / "Inbox/new.txt").exists()
    keeper = Keeper(desk.catalog, desk.state.journal)
    with answering(desk, tmp_path):
        assert undo(desk, keeper.last(1)[0].operation.id)
    assert (desk.papers / "Inbox/new.txt").exists()
    assert desk.catalog.read(browse.asset, (), "new.txt").path == b"Inbox/new.txt"


@pytest.mark.usefixtures("mount")
def test_what_stands_in_the_way_is_said_and_the_rest_is_taken_back_when_asked(
    workshop: Any, keeper: Keeper
) -> None:
    two = (b"1" * 32, b"2" * 32)
    both = keeper.decide(values.SetRating(contents=two, stars=4), by=ME)
    assert both is not None
    keeper.decide(values.SetRating(contents=two[:1], stars=5), by=ME)
    with pytest.raises(Conflict, match=r"since then: .* rated 1 file 5 of 5"):
        undo(workshop, both.id)
    assert undo(workshop, both.id, rest=True)
    assert workshop.catalog.read(given.rows, "given_rating") == [("31" * 32, 5)]
    assert undo(workshop, both.id, rest=True) is None
    with pytest.raises(NotFound):
        undo(workshop, "0" * 16)


@pytest.mark.usefixtures("mount")
def test_many_who_ask_at_once_are_all_answered(workshop: Any, keeper: Keeper) -> None:
    made = [
        keeper.decide(values.SetRating(contents=(bytes([n]) * 32,), stars=1), by=ME)
        for n in range(24)
    ]
    ids = [operation.id for operation in made if operation is not None]
    with ThreadPoolExecutor(8) as people:
        done = list(people.map(partial(undo, workshop), ids))
    assert None not in done
    assert len(set(done)) == len(ids)
    assert workshop.catalog.read(given.rows, "given_rating") == []


@pytest.mark.usefixtures("mount")
@pytest.mark.parametrize("said", [b"", b"\n", b"nonsense\n", b'{"what": 7}\n', b"x" * 200_000])
def test_nonsense_is_refused_and_nobody_after_it_is_kept_waiting(
    workshop: Any, keeper: Keeper, said: bytes
) -> None:
    with sockets.connect(workshop.state.deciding, 5.0) as connection:
        try:
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            assert b"not a question" in connection.recv(1000)
        except (BrokenPipeError, ConnectionResetError):  # it had heard enough
            assert len(said) > asking.LONGEST
    made = keeper.decide(values.SetRating(contents=(b"1" * 32,), stars=4), by=ME)
    assert made is not None
    assert undo(workshop, made.id)


@as_root
@pytest.mark.usefixtures("mount")
def test_another_user_is_not_heard_even_where_he_can_reach_the_socket(workshop: Any) -> None:
    path: Path = workshop.state.deciding
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o666)
    way = os.open(path, os.O_PATH)  # past the folders above, which are closed to him
    answer = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", CLIENT, str(way)],
        capture_output=True,
        text=True,
        timeout=30,
        pass_fds=[way],
    )  # fmt: skip
    os.close(way)
    assert "only who runs the mount is heard here" in answer.stdout, answer.stderr
    with pytest.raises(NotFound):  # who runs it is heard there as before
        undo(workshop, "0" * 16)
    assert NotPermitted.__name__ in answer.stdout


def test_who_asks_between_two_servers_is_heard_by_the_second(
    workshop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOMENT_S", 10.0)  # for a busy machine
    with answering(workshop, tmp_path):
        pass
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(undo, workshop, "0" * 16)
        time.sleep(0.2)
        with answering(workshop, tmp_path), pytest.raises(NotFound):
            asked.result()


def test_without_a_mount_it_is_said_what_to_start(workshop: Any, tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="havenfs up"):
        undo(workshop, "0" * 16)
    with answering(workshop, tmp_path):
        pass
    with pytest.raises(NotRunning, match="nothing was changed"):  # also over what it has left
        undo(workshop, "0" * 16)


def test_a_successor_takes_the_socket_over_and_its_predecessor_leaves_it_alone(
    workshop: Any, tmp_path: Path
) -> None:
    with answering(workshop, tmp_path):
        first = answering(workshop, tmp_path)
        first.__enter__()
        with answering(workshop, tmp_path):
            first.__exit__(None, None, None)
            with pytest.raises(NotFound):
                undo(workshop, "0" * 16)


def test_a_mount_that_cannot_be_asked_is_a_mount_all_the_same(
    workshop: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    workshop.state.deciding.mkdir()
    with answering(workshop, tmp_path) as operations:
        assert operations.lookup(1, b"files")
    assert "nothing can be decided on the web page" in caplog.text


@pytest.mark.usefixtures("mount")
def test_nobody_is_answered_before_the_journal_has_it(workshop: Any, keeper: Keeper) -> None:
    made = keeper.decide(values.SetRating(contents=(b"1" * 32,), stars=4), by=ME)
    assert made is not None
    with ThreadPoolExecutor(1) as somebody:
        with keeper.journal.locked():  # as while a slow disk writes
            asking_ = somebody.submit(undo, workshop, made.id)
            while workshop.catalog.read(given.rows, "given_rating"):
                time.sleep(0.01)
            time.sleep(0.2)
            assert not asking_.done()
        done = asking_.result(30)
    assert done is not None
    assert done in workshop.state.journal.read_text()
