"""The loop: what is agreed on, who waits for whom, and that nothing that comes in ends it."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from havend import session
from havend.direct import wire
from havend.direct.capabilities import Capabilities, agree
from havend.direct.content import Content
from havend.direct.ledger import INIT, Ledger, create
from havend.direct.server import Server
from havend.naming import EXCHANGE
from havend.patience import MOST
from havenfs.decisions import Keeper, values

from .conftest import PATIENCE_S

if TYPE_CHECKING:
    from havend.handles import Opened

LONG = settings.get_current_profile_name() == "long"
PATH = "files/photos/2019/IMG_0001.jpg"


def test_what_the_kernel_does_not_offer_is_not_taken(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        offered = wire.ASYNC_READ | wire.BIG_WRITES | wire.MAX_PAGES
        _, minor, _, flags, _, _, max_write, _, pages, _, more, stack, _ = kernel.begin(
            minor=31, offered=offered
        )
        assert (minor, flags, more, stack) == (31, offered, 0, 0)
        assert max_write == pages * 4096
        assert not kernel.server.capabilities.passthrough
        assert "passthrough" in kernel.server.capabilities.missing()


def test_flags_of_the_second_word_are_taken_only_with_the_extension(
    workshop: Any, served: Any
) -> None:
    with served(workshop) as kernel:
        *_, more, _, _ = kernel.begin(offered=((1 << 43) - 1) & ~wire.INIT_EXT)
        assert not more


def test_a_newer_kernel_is_answered_in_our_version(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        assert kernel.begin(minor=99)[:2] == (7, wire.NEWEST)


def test_a_kernel_that_is_too_old_is_refused(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        with pytest.raises(OSError, match=os.strerror(errno.EPROTO)):
            kernel.ask(wire.INIT, 0, wire.INIT_IN.pack(7, 8, 0, 0))
        kernel.begin()


def test_the_umask_is_ours_only_with_access_lists() -> None:
    assert not agree(45, wire.DONT_MASK).flags
    both = wire.DONT_MASK | wire.POSIX_ACL
    assert agree(45, both).flags == both


def test_what_was_agreed_on_outlives_the_server() -> None:
    agreed = agree(45, (1 << 43) - 1)
    assert Capabilities.unpack(agreed.pack()) == agreed


def test_reading_a_file_from_the_root_on(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        kernel.begin(offered=((1 << 43) - 1) & ~wire.PASSTHROUGH)
        nodeid = kernel.walk(PATH)
        handle, flags = kernel.open(nodeid)
        assert not flags & wire.FOPEN_PASSTHROUGH
        assert kernel.read(nodeid, handle) == (workshop.root / "2019/IMG_0001.jpg").read_bytes()
        kernel.release(nodeid, handle)
        assert not kernel.operations.handles.all()
        assert not kernel.ledger.held()


def test_a_backing_file_that_is_refused_is_copied_and_the_reason_known(
    workshop: Any, served: Any
) -> None:
    with served(workshop) as kernel:
        kernel.begin()  # offers passthrough; but a socket takes no backing files
        nodeid = kernel.walk(PATH)
        handle, flags = kernel.open(nodeid)
        assert not flags & wire.FOPEN_PASSTHROUGH
        assert list(kernel.server.refusals) == [1]
        assert kernel.server.refusals[1]
        assert kernel.read(nodeid, handle, 5) == b"2019/"


def test_a_file_that_was_only_listed_can_be_opened_and_follows_its_renames(
    workshop: Any, served: Any
) -> None:
    (workshop.root / "new").mkdir()
    (workshop.root / "new/a.txt").write_text("bytes of a")
    with served(workshop) as kernel:
        kernel.begin()
        parent = kernel.walk("files/photos/new")
        (nodeid,) = [number for name, number in kernel.list(parent) if name == b"a.txt"]
        assert kernel.operations.table.find(nodeid) is None  # nothing was kept but where it is
        names = b"a.txt\0b.txt\0"
        kernel.ask(wire.RENAME2, parent, wire.RENAME2_IN.pack(parent, 0, 0) + names)
        handle, _ = kernel.open(nodeid)
        assert kernel.read(nodeid, handle) == b"bytes of a"
        kernel.release(nodeid, handle)
        kernel.send(wire.FORGET, nodeid, wire.FORGET_IN.pack(1))
        kernel.release(nodeid, kernel.open(nodeid)[0])  # the catalog knows it as well


def test_an_absent_name_is_remembered_for_a_moment(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        nodeid, _, seconds = struct.unpack_from(
            "<QQQ", kernel.ask(wire.LOOKUP, kernel.walk("files/photos"), b"nothing\0")
        )
        assert (nodeid, seconds) == (0, 1)


# --- hanging ---------------------------------------------------------------------------------------------------


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Reads hang until it is set; opens of directories do not."""
    let_go = threading.Event()

    def read(self: Any, handle: int, offset: int, size: int) -> bytes:
        let_go.wait(20)
        return b"late"

    monkeypatch.setattr("havend.operations.Operations.read", read)
    return let_go


def _hang(kernel: Any) -> int:
    nodeid = kernel.walk(PATH)
    handle, _ = kernel.open(nodeid)
    return kernel.send(wire.READ, nodeid, wire.READ_IN.pack(handle, 0, 10, 0, 0, 0, 0))


def test_a_request_that_hangs_holds_nobody_else_up(
    workshop: Any, served: Any, stuck: threading.Event
) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        hanging = [_hang(kernel) for _ in range(3)]
        began = time.monotonic()
        kernel.ask(wire.GETATTR, wire.ROOT, wire.GETATTR_IN.pack(0, 0, 0))
        assert time.monotonic() - began < 0.2
        stuck.set()
        assert sorted(kernel.receive() for _ in range(3)) == [
            (unique, 0, b"late") for unique in hanging
        ]


@pytest.mark.parametrize("minor", [wire.EPOCH_MINOR - 1, wire.EPOCH_MINOR])
def test_while_a_request_hangs_names_are_told_of_without_the_locks_of_directories(
    workshop: Any, served: Any, stuck: threading.Event, minor: int
) -> None:
    """As far as the kernel knows how."""
    with served(workshop) as kernel:
        kernel.begin(minor=minor)

        def told() -> int:
            kernel.server.notifier.entry(wire.ROOT, b"albums")
            return kernel.receive()[1]

        hanging = _hang(kernel)
        locks = minor < wire.EPOCH_MINOR
        assert told() == (wire.NOTIFY_INVAL_ENTRY if locks else wire.NOTIFY_INC_EPOCH)
        stuck.set()
        assert kernel.receive() == (hanging, 0, b"late")
        # Answered; whoever did that may not have noted it yet.
        assert wire.NOTIFY_INVAL_ENTRY in (told() for _ in range(100))


def test_patience_ends_with_an_error(workshop: Any, served: Any, stuck: threading.Event) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        began = time.monotonic()
        _hang(kernel)
        _, code, _ = kernel.receive()
        assert code == errno.EIO
        assert 0.25 < time.monotonic() - began < 2
        stuck.set()


def test_what_takes_long_to_reach_the_disk_is_no_sign_that_the_disk_hangs(
    workshop: Any, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = threading.Event()

    def fsync(self: Any, handle: int, *, data_only: bool) -> None:
        written.wait(20)

    monkeypatch.setattr("havend.operations.Operations.fsync", fsync)
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk(PATH)
        handle, _ = kernel.open(nodeid)
        body = wire.FSYNC_IN.pack(handle, 0, 0)
        waiting = [kernel.send(wire.FSYNC, nodeid, body) for _ in range(MOST)]
        time.sleep(2 * PATIENCE_S)
        assert kernel.walk(PATH) == nodeid
        kernel.ask(wire.GETATTR, nodeid, wire.GETATTR_IN.pack(0, 0, 0))
        written.set()
        assert sorted(kernel.receive() for _ in waiting) == [(each, 0, b"") for each in waiting]


def test_who_interrupts_a_read_that_hangs_need_not_wait(
    workshop: Any, served: Any, stuck: threading.Event
) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        unique = _hang(kernel)
        kernel.send(wire.INTERRUPT, 0, wire.INTERRUPT_IN.pack(unique))
        assert kernel.receive() == (unique, errno.EINTR, b"")
        stuck.set()


def test_a_change_is_not_interrupted_but_waited_for(
    workshop: Any, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()

    def mkdir(*_: object) -> None:
        let_go.wait(20)
        raise ZeroDivisionError

    monkeypatch.setattr("havend.operations.Operations.mkdir", mkdir)
    with served(workshop) as kernel:
        kernel.begin()
        parent = kernel.walk("files/photos")
        unique = kernel.send(wire.MKDIR, parent, wire.MKDIR_IN.pack(0o755, 0) + b"x\0")
        kernel.send(wire.INTERRUPT, 0, wire.INTERRUPT_IN.pack(unique))
        kernel.ask(wire.GETATTR, wire.ROOT, wire.GETATTR_IN.pack(0, 0, 0))  # nothing before it
        let_go.set()
        assert kernel.receive()[:2] == (unique, errno.EIO)  # and a mistake of ours is an error


# --- nonsense --------------------------------------------------------------------------------------------------


_OPCODES = [code for code in range(60) if code not in (wire.DESTROY, wire.INIT)] + [4096, 1 << 20]


@st.composite
def _messages(draw: st.DrawFn) -> tuple[int, int, bytes]:
    opcode = draw(st.sampled_from(_OPCODES))
    nodeid = draw(st.sampled_from([0, 1, 2, (1 << 48) + 5, 1 << 60 | 1 << 48, (1 << 64) - 1]))
    numbers = st.integers(0, (1 << 64) - 1) | st.integers(0, 300)
    body = draw(
        st.binary(max_size=120)
        | st.lists(numbers, max_size=12).map(lambda all_: struct.pack(f"<{len(all_)}Q", *all_))
        | st.lists(
            st.sampled_from([b"a\0", b"b", b"\0", b"/", b"..\0", b"x" * 5000]), max_size=5
        ).map(b"".join)
    )
    return opcode, nodeid, body


@settings(
    max_examples=5000 if LONG else 400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(message=_messages())
def test_no_message_ends_the_server_or_goes_unanswered(
    nonsense: Any, message: tuple[int, int, bytes]
) -> None:
    opcode, nodeid, body = message
    unique = nonsense.send(opcode, nodeid, body)
    if opcode not in wire.SILENT:
        answered, code, _ = nonsense.receive()
        assert answered == unique
        assert 0 <= code < 200
    nonsense.ask(wire.GETATTR, wire.ROOT, wire.GETATTR_IN.pack(0, 0, 0))


@settings(
    max_examples=5000 if LONG else 300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_a_message_that_is_cut_or_altered_is_answered_too(
    nonsense: Any, data: st.DataObject
) -> None:
    size, opcode, unique, nodeid = 40, data.draw(st.sampled_from(_OPCODES)), 1 << 40, 1
    body = data.draw(st.sampled_from(_REAL))
    header = wire.HEADER.pack(size + len(body), opcode, unique, nodeid, 0, 0, 1, 0, 0)
    message = bytearray(header + body)
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(message) - 1))
        if place not in range(4, 16):  # still asking for the same, under the same number
            message[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(message)) | st.just(len(message)))
    nonsense.link.send(bytes(message[:cut]) or b"\0")
    if cut >= wire.HEAD and (
        opcode not in wire.SILENT or bytes(message[:4]) != cut.to_bytes(4, "little")
    ):
        assert nonsense.receive()[0] == unique
    nonsense.ask(wire.GETATTR, wire.ROOT, wire.GETATTR_IN.pack(0, 0, 0))


_REAL = [
    wire.GETATTR_IN.pack(1, 0, 5),
    wire.SETATTR_IN.pack(*range(16)),
    wire.LK_IN.pack(5, 9, 0, 10, 1, 1, 0, 0),
    wire.READ_IN.pack(5, 0, 4096, 0, 0, 0, 0),
    wire.WRITE_IN.pack(5, 0, 5, 0, 0, 0, 0) + b"bytes",
    wire.CREATE_IN.pack(os.O_RDWR, 0o644, 0o22, 0) + b"made\0",
    wire.RENAME2_IN.pack(1, 0, 0) + b"old\0new\0",
    wire.MKNOD_IN.pack(0o100644, 0, 0o22, 0) + b"made\0",
    wire.BATCH_IN.pack(2, 0) + wire.FORGET_ONE.pack(5, 1) + wire.FORGET_ONE.pack(6, 1),
    wire.SETXATTR_IN_EXT.pack(5, 0, 0, 0) + b"user.x\0value",
    wire.GETXATTR_IN.pack(64, 0) + b"user.x\0",
    wire.COPY_IN.pack(5, 0, 1, 6, 0, 4096, 0),
    wire.FALLOCATE_IN.pack(5, 0, 4096, 0, 0),
    b"name\0",
    b"name\0target/of/it\0",
    b"",
]


@pytest.fixture
def nonsense(workshop: Any, served: Any, caplog: pytest.LogCaptureFixture) -> Any:
    """One server for all that hypothesis comes up with, and that is surprised by none of it."""
    with served(workshop) as kernel:
        kernel.begin()
        yield kernel
    assert not [record for record in caplog.records if record.exc_info]


# --- after a predecessor ------------------------------------------------------------------------------------------


def test_a_server_goes_on_with_the_handles_of_its_predecessor(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk(PATH)
        asked = kernel.ask(wire.OPEN, nodeid, wire.OPEN_IN.pack(os.O_RDONLY, 0), uid=4711)
        handle, _, _ = wire.OPENED.unpack(asked)
        old: Opened = kernel.operations.handles.get(handle)
        with served(workshop, ledger=kernel.ledger) as heir:
            assert heir.server.capabilities == kernel.server.capabilities
            new: Opened = heir.operations.handles.get(handle)
            assert (new.nodeid, new.flags, new.path) == (old.nodeid, old.flags, old.path)
            assert new.uid == old.uid == 4711
            assert heir.read(nodeid, handle, 5) == b"2019/"
            heir.release(nodeid, handle)
        kernel.operations.handles.remove(handle)
    assert not kernel.ledger.held()


def _die(*_: object) -> None:
    pass


def test_who_dies_while_a_file_is_closed_has_closed_it(
    workshop: Any, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk(PATH)
        (kept, _), (handle, _) = kernel.open(nodeid), kernel.open(nodeid)
        with monkeypatch.context() as dying:
            dying.setattr(Content, "let_go", _die)  # it has answered, and is no more
            kernel.release(nodeid, handle)
        with served(workshop, ledger=kernel.ledger) as heir:
            assert [opened.handle for opened in heir.operations.handles.all()] == [kept]
            assert kernel.ledger.held().keys() == {kept}
            heir.release(nodeid, handle)  # sent again, had it not been answered
            assert heir.read(nodeid, kept, 5) == b"2019/"
            heir.release(nodeid, kept)
        for each in (kept, handle):
            kernel.operations.handles.remove(each)
    assert not kernel.ledger.held()


def test_who_dies_while_a_locked_file_is_closed_has_let_go_of_the_lock(
    workshop: Any, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        workshop.add("there", b"there", source="desk")
        nodeid = kernel.walk("files/desk/there")
        (kept, _), (handle, _) = (kernel.open(nodeid, os.O_RDWR) for _ in range(2))
        write = (0, (1 << 63) - 1, fcntl.F_WRLCK, 0, 0, 0)
        kernel.ask(wire.SETLK, nodeid, wire.LK_IN.pack(handle, 4711, *write))
        with monkeypatch.context() as dying:
            dying.setattr(Content, "let_go", _die)  # it has answered, and is no more
            kernel.release(nodeid, handle)
        with served(workshop, ledger=kernel.ledger) as heir:
            heir.ask(wire.SETLK, nodeid, wire.LK_IN.pack(kept, 4712, *write))
            heir.release(nodeid, kept)
            assert kernel.ledger.notes().keys() == {INIT}
        for each in (kept, handle):
            kernel.operations.handles.remove(each)


@pytest.mark.parametrize("opcode", [wire.OPEN, wire.CREATE, wire.TMPFILE])
def test_who_dies_before_a_file_was_said_to_be_open_has_opened_nothing(
    workshop: Any, served: Any, opcode: int
) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        workshop.add("there", b"there", source="desk")
        desk, there = kernel.walk("files/desk"), kernel.walk("files/desk/there")
        make = wire.CREATE_IN.pack(os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644, 0o22, 0) + b"new\0"
        node, body = (
            (there, wire.OPEN_IN.pack(os.O_RDWR, 0)) if opcode == wire.OPEN else (desk, make)
        )
        kept, _ = kernel.open(there)
        kernel.ask(opcode, node, body)
        (untold,) = kernel.ledger.held().keys() - {kept}
        with served(workshop, ledger=kernel.ledger) as heir:
            heir.unique = kernel.unique - 2  # the next request is that one again
            handle = wire.OPENED.unpack(
                heir.ask(opcode, node, body, resent=True)[-wire.OPENED.size :]
            )[0]
            assert handle != untold
            assert kernel.ledger.held().keys() == {kept, handle}
            assert {opened.handle for opened in heir.operations.handles.all()} == {kept, handle}
            with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
                os.fstat(untold)
            assert heir.read(there, kept) == b"there"
            heir.release(heir.operations.handles.get(handle).nodeid, handle)
            heir.release(there, kept)
        for each in (kept, untold):
            kernel.operations.handles.remove(each)
    assert not kernel.ledger.held()


def test_what_cannot_be_taken_over_is_stale_and_can_be_closed(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk(PATH)
        kernel.open(nodeid)
        record = kernel.ledger.held().popitem()[1]
        kernel.ledger.hold(901, record)  # no descriptor of that number is open
        with served(workshop, ledger=kernel.ledger) as heir:
            with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
                heir.read(nodeid, 901)
            heir.release(nodeid, 901)


def test_what_a_resent_request_did_before_is_a_success(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        desk = kernel.walk("files/desk")
        make = wire.MKDIR_IN.pack(0o755, 0o22) + b"d\0"
        create = wire.CREATE_IN.pack(os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644, 0o22, 0) + b"f\0"
        move = wire.RENAME2_IN.pack(desk, 0, 0) + b"f\0g\0"
        for opcode, body, code in [
            (wire.MKDIR, make, errno.EEXIST),
            (wire.CREATE, create, errno.EEXIST),
            (wire.RENAME2, move, errno.ENOENT),
            (wire.SYMLINK, b"s\0target\0", errno.EEXIST),
            (wire.UNLINK, b"s\0", errno.ENOENT),
            (wire.RMDIR, b"d\0", errno.ENOENT),
            (wire.UNLINK, b"g\0", errno.ENOENT),
        ]:
            first = kernel.ask(opcode, desk, body)
            with pytest.raises(OSError, match=os.strerror(code)):
                kernel.ask(opcode, desk, body)
            again = kernel.ask(opcode, desk, body, resent=True)
            assert again[:8] == first[:8]


def test_what_a_resent_request_swallowed_or_named_otherwise_is_a_success(
    workshop: Any, served: Any
) -> None:
    (workshop.root / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 a picture")
    with served(workshop) as kernel:
        kernel.begin()
        make = wire.MKDIR_IN.pack(0o755, 0o22)
        albums = kernel.walk("albums")
        for name in (b"a\0", b"b\0"):
            kernel.ask(wire.MKDIR, albums, make + name)
        here, there = kernel.walk("albums/a"), kernel.walk("albums/b")
        july = kernel.walk("by-date/2019/07")
        into = wire.RENAME2_IN.pack(here, 0, 0) + b"IMG_0001.jpg\0x.jpg\0"
        kernel.ask(wire.RENAME2, july, into)
        on = wire.RENAME2_IN.pack(there, 0, 0) + b"IMG_0001.jpg\0other.jpg\0"
        kernel.ask(wire.RENAME2, here, on)
        kernel.ask(wire.RENAME2, here, on, resent=True)
        photos, trash = kernel.walk("files/photos/2019"), kernel.walk("trash")
        away = wire.RENAME2_IN.pack(trash, 0, 0) + b"IMG_0001.jpg\0IMG_0001.jpg\0"
        kernel.ask(wire.RENAME2, photos, away)
        kernel.ask(wire.RENAME2, photos, away, resent=True)
        assert b"IMG_0001.jpg" in [name for name, _ in kernel.list(there)]
        assert b"IMG_0001.jpg" not in [name for name, _ in kernel.list(here)]


def test_a_resent_mkdir_says_of_a_name_that_is_taken_out_of_sight_that_it_is_taken(
    workshop: Any, served: Any
) -> None:
    keeper = Keeper(workshop.catalog, workshop.state.journal)
    keeper.decide(values.MakePerson(uid="carol", name="Carol"), by="me")
    keeper.decide(values.IgnorePerson(uid="carol", ignored=True), by="me")
    with served(workshop) as kernel:
        kernel.begin()
        people, make = kernel.walk("people"), wire.MKDIR_IN.pack(0o755, 0o22) + b"Carol\0"
        for resent in (False, True):
            with pytest.raises(FileExistsError):
                kernel.ask(wire.MKDIR, people, make, resent=resent)


def test_a_resent_removal_and_rename_are_told_of_that_the_killed_one_did_not_tell_of(
    workshop: Any, served: Any
) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        folder = kernel.walk("files/photos/2019/rome")
        (workshop.root / "2019/rome/IMG_0001.jpg").unlink()
        kernel.ask(wire.UNLINK, folder, b"IMG_0001.jpg\0", resent=True)
        (workshop.root / "2019/rome/IMG_0002.jpg").rename(workshop.root / "2019/rome/moved.jpg")
        names = b"IMG_0002.jpg\0moved.jpg\0"
        kernel.ask(wire.RENAME2, folder, wire.RENAME2_IN.pack(folder, 0, 0) + names, resent=True)
        kept = workshop.catalog.read(_paths)
        assert b"2019/rome/IMG_0001.jpg" not in kept
        assert b"2019/rome/IMG_0002.jpg" not in kept
        assert b"2019/rome/moved.jpg" in kept


@pytest.mark.parametrize("done", [True, False], ids=["after", "before"])
def test_an_exchange_is_carried_out_once_whether_its_server_dies_after_it_or_before(
    workshop: Any, served: Any, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    for name in ("one/a.jpg", "two/b.jpg"):
        workshop.add(name)
    with served(workshop) as kernel:
        kernel.begin()
        photos, one, two = (kernel.walk(f"files/photos{path}") for path in ("", "/one", "/two"))
        body = wire.RENAME2_IN.pack(photos, EXCHANGE, 0) + b"one\0two\0"
        before = kernel.ledger.notes().keys()
        with monkeypatch.context() as dying:
            dying.setattr(Ledger, "erase", _die)  # it has answered, and is no more
            dying.setattr(kernel.operations, "observer", None)
            if not done:
                dying.setattr(kernel.operations, "rename", _die)
            kernel.ask(wire.RENAME2, photos, body)
            unique = kernel.unique
            kernel.walk("files")  # it is answered first and erased then
        assert (workshop.root / "one/b.jpg").exists() == done
        with served(workshop, ledger=kernel.ledger) as heir:
            heir.unique = unique - 2  # the next request is that one again
            heir.ask(wire.RENAME2, photos, body, resent=True)
            assert os.listdir(workshop.root / "one") == ["b.jpg"]
            assert workshop.catalog.read(_paths) >= {b"one/b.jpg", b"two/a.jpg"}
            for nodeid, name in ((one, "a.jpg"), (two, "b.jpg")):  # who stands in them
                assert name.encode() in [each for each, _ in heir.list(nodeid)]
            assert kernel.ledger.notes().keys() == before
            heir.ask(wire.RENAME2, photos, body)
            assert os.listdir(workshop.root / "one") == ["a.jpg"]
            heir.list(one)
            assert kernel.ledger.notes().keys() == before


def test_an_exchange_that_fails_leaves_no_note(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        photos = kernel.walk("files/photos")
        before = kernel.ledger.notes().keys()
        body = wire.RENAME2_IN.pack(photos, EXCHANGE, 0) + b"2019\0nothing\0"
        with pytest.raises(FileNotFoundError):
            kernel.ask(wire.RENAME2, photos, body)
        assert kernel.ledger.notes().keys() == before


def test_who_stands_in_a_folder_is_in_it_when_it_was_renamed_and_the_server_died(
    workshop: Any, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        photos, folder = kernel.walk("files/photos"), kernel.walk("files/photos/2019")
        body = wire.RENAME2_IN.pack(photos, 0, 0)
        with served(workshop, ledger=kernel.ledger) as heir:  # who has never heard of it
            heir.ask(wire.RENAME2, photos, body + b"2019\0here\0")
            (workshop.root / "here").rename(workshop.root / "there")
            heir.ask(wire.RENAME2, photos, body + b"here\0there\0", resent=True)
            with served(workshop, ledger=kernel.ledger) as third:
                assert b"rome" in [name for name, _ in third.list(folder)]


def _paths(db: Any) -> set[bytes]:
    return {path for (path,) in db.execute("SELECT path FROM file")}


def test_a_resent_close_of_a_handle_that_is_gone_is_a_success(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk(PATH)
        handle, _ = kernel.open(nodeid)
        body = wire.RELEASE_IN.pack(handle, 0, 0, 0)
        kernel.ask(wire.RELEASE, nodeid, body)
        kernel.ask(wire.RELEASE, nodeid, body, resent=True)


def test_an_unknown_directory_handle_is_listed_anew(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk("files")
        body = wire.READ_IN.pack(12345, 0, 4096, 0, 0, 0, 0)
        assert b"photos" in kernel.ask(wire.READDIRPLUS, nodeid, body)


def test_a_listing_that_is_kept_ends_where_it_ends(workshop: Any, served: Any) -> None:
    with served(workshop) as kernel:
        kernel.begin()
        nodeid = kernel.walk("types/photos")
        names = kernel.list(nodeid)
        assert kernel.list(nodeid) == names
        handle, _, _ = wire.OPENED.unpack(kernel.ask(wire.OPENDIR, nodeid, wire.OPEN_IN.pack(0, 0)))
        for far in (0, len(names), len(names) + 1, 1 << 40):
            body = wire.READ_IN.pack(handle, far, 65536, 0, 0, 0, 0)
            assert bool(kernel.ask(wire.READDIRPLUS, nodeid, body)) == (far == 0)


def test_what_stands_for_no_asset_is_listed_as_long_as_it_is_there(
    workshop: Any, served: Any
) -> None:
    def listed() -> bool:
        return b".DS_Store" in [name for name, _ in kernel.list(month)]

    with served(workshop) as kernel:
        kernel.begin()
        month = kernel.walk("by-date/2019/07")
        assert kernel.list(month) == kernel.list(month)
        body = wire.CREATE_IN.pack(os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644, 0, 0)
        made = kernel.ask(wire.CREATE, month, body + b".DS_Store\0")
        assert listed()
        kernel.release(month, wire.OPENED.unpack_from(made, wire.ENTRY.size)[0])
        assert listed()
        kernel.ask(wire.UNLINK, month, b".DS_Store\0")
        assert not listed()


def test_a_server_that_cannot_read_fails_instead_of_ending_well(workshop: Any) -> None:
    """An end without an error would tell the supervisor that the mount is gone."""
    descriptor = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
    descriptors = create()
    ledger = Ledger(descriptors)
    point = workshop.root.parent / "mount"
    with (
        session.opened(workshop.state, point, ledger=ledger) as operations,
        pytest.raises(OSError, match="Bad file descriptor"),
    ):
        Server(descriptor, operations, ledger=ledger).run()
    for used in (descriptor, *descriptors):
        os.close(used)
