"""The ledger is read back by the successor of a server that was killed: at any instruction, in any growth of its areas."""

from __future__ import annotations

import mmap
import os
import signal
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from havend.direct import ledger
from havend.direct.ledger import Latest, Ledger, Table
from havend.inodes import InodeTable
from havenfs.entities import Source, SourceId
from havenfs.views import DiskFile

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path
    from types import FrameType

    Step = tuple[int, bytes | None]  # put this value, or drop


class Killed(BaseException):
    """What stands for SIGKILL where both sides live in one process."""


@contextmanager
def killed_after(instructions: int) -> Generator[None]:
    """Stop whatever runs in the ledger's module after so many of its bytecode instructions."""
    left = instructions

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename != ledger.__file__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            left -= 1
            if left < 0:
                raise Killed
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def areas() -> Generator[tuple[int, int]]:
    made = os.memfd_create("a"), os.memfd_create("b")
    try:
        yield made
    finally:
        for area in made:
            os.close(area)


def after(steps: Sequence[Step]) -> dict[int, bytes]:
    expected: dict[int, bytes] = {}
    for key, value in steps:
        if value is None:
            expected.pop(key, None)
        else:
            expected[key] = value
    return expected


def take(table: Table, step: Step) -> None:
    key, value = step
    known = table.get(key)
    if value is None:
        table.drop(key)
    elif (
        known
        and len(value) >= ledger.WORD <= len(known)
        and known[ledger.WORD :] == value[ledger.WORD :]
    ):
        table.count(key, int.from_bytes(value[: ledger.WORD], sys.byteorder))
    else:
        table.put(key, value)


keys = st.integers(0, 5) | st.integers(1 << 62, (1 << 62) + 5) | st.just((1 << 64) - 1)
large = st.integers(1000, 9000).map(bytes)  # fills the heap of a small area
counted = st.integers(0, 1 << 63).map(lambda n: n.to_bytes(8, sys.byteorder) + b"counted")
step = st.tuples(keys, st.none() | st.binary(max_size=40) | large | counted)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Areas so small that a few steps fill them."""
    monkeypatch.setattr(ledger, "ENTRIES", 3)
    monkeypatch.setattr(ledger, "AVERAGE", 8)
    monkeypatch.setattr(ledger, "SPARE", 2)


@pytest.mark.usefixtures("small")
@settings(max_examples=500, deadline=None)
@given(steps=st.lists(step, max_size=20), instructions=st.integers(0, 2500))
def test_whatever_instruction_a_kill_hits_a_prefix_of_the_steps_is_read_back(
    steps: list[Step], instructions: int
):
    with areas() as pair:
        table, done = Table(pair), 0
        try:
            with killed_after(instructions):
                for each in steps:
                    take(table, each)
                    done += 1
        except Killed:
            pass
        successor = Table(pair)
        assert successor.items() in (after(steps[:done]), after(steps[: done + 1]))
        before = successor.items()
        for each in steps:  # and it can be written on
            take(successor, each)
        assert successor.items() == after([*before.items(), *steps])
        assert Table(pair).items() == successor.items()


def test_no_instruction_of_a_compaction_may_not_be_killed(small: None):
    steps: list[Step] = [(1, b"a"), (2, b"bb"), (1, None)]  # the fourth finds the area full
    for instructions in range(10_000):
        with areas() as pair:
            table = Table(pair)
            for each in steps:
                take(table, each)
            try:
                with killed_after(instructions):
                    table.put(3, b"ccc")
            except Killed:
                assert Table(pair).items() in ({2: b"bb"}, {2: b"bb", 3: b"ccc"})
            else:
                break
    else:
        pytest.fail("it never came to an end")
    assert instructions > 100, "nothing was compacted"


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(step, max_size=12), rest=st.binary(max_size=300), word=st.integers(0, 40))
def test_what_lies_beyond_the_last_committed_entry_is_never_read(
    steps: list[Step], rest: bytes, word: int
):
    with areas() as pair:
        table = Table(pair)
        for each in steps:
            take(table, each)
        table.close()
        with mmap.mmap(pair[0], 0) as memory:  # half of an entry, half of a value
            end = (ledger.HEAD + 2 * len(steps) + word) * ledger.WORD
            memory[end : end + len(rest)] = rest
            memory[-len(rest) or len(memory) :] = rest
        assert Table(pair).items() == after(steps)


def test_a_server_that_is_really_killed_leaves_all_that_it_had_written():
    """SIGKILL to a process that writes as fast as it can, through many compactions, thirty times."""
    shared = mmap.mmap(-1, mmap.PAGESIZE)
    with areas() as (first, second), memoryview(shared).cast("Q") as progress:
        for turn in range(30):
            progress[0] = 0
            child = os.fork()
            if not child:
                table = Table((first, second))
                for n in range(1, 1 << 40):
                    table.put(n % 97, b"%d" % n + b"." * (n % 31))
                    progress[0] = n
            time.sleep(0.002 + turn * 0.001)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            done = progress[0]
            found = Table((first, second)).items()
            last = max(int(v.rstrip(b".")) for v in found.values()) if found else 0
            assert not done or last in (done, done + 1)
            for n in range(max(1, last - 96), last + 1):
                assert found[n % 97] == b"%d" % n + b"." * (n % 31)
            for area in (first, second):
                os.ftruncate(area, 0)


@pytest.fixture
def descriptors() -> Iterator[tuple[int, ...]]:
    made = ledger.create()
    yield made
    for descriptor in made:
        os.close(descriptor)


def test_a_successor_finds_directories_handles_and_notes(descriptors: tuple[int, ...]):
    first = Ledger(descriptors)
    first.admit(1 << 62, 1, b"by-date", 1)
    first.admit(7, 1 << 62, b"\xff\xfe not text", 1)
    first.admit(7, 1 << 62, b"\xff\xfe not text", 3)
    first.admit(8, 1, b"gone", 1)
    first.forget(8)
    first.hold(12, b"record")
    first.hold(13, b"closed")
    first.drop(13)
    first.note(ledger.INIT, b"7.45")
    first.note(99, b"")
    first.erase(99)
    second = Ledger(descriptors)
    assert second.address(1 << 62) == (1, b"by-date")
    assert second.address(7) == (1 << 62, b"\xff\xfe not text")
    assert second.address(8) is None
    assert second.address(0) is None, "a void slot is nobody's"
    assert [second.lookups(n) for n in (1 << 62, 7, 8)] == [1, 3, 0]
    assert second.held() == {12: b"record"}
    assert second.notes() == {ledger.INIT: b"7.45"}
    assert second.noted(99) is None


def test_the_descriptors_that_a_successor_needs_are_told_without_one_being_opened(
    descriptors: tuple[int, ...],
):
    with Ledger(descriptors) as kept:
        kept.hold(12, b"record")
        kept.note(ledger.INIT, b"7.45")
        kept.note(ledger.LOCK + 20, b"lock")
    before = set(os.listdir("/proc/self/fd"))
    assert ledger.in_use(descriptors) == {12, 20}
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_directory_that_is_looked_up_again_and_again_takes_no_room(descriptors: tuple[int, ...]):
    kept = Ledger(descriptors)
    kept.admit(5, 1, b"a", 1)
    before = os.pread(descriptors[0], 4096, 0)
    for n in range(2, 100):
        kept.admit(5, 1, b"a", n)
    assert os.pread(descriptors[0], 4096, 0) == before
    assert Ledger(descriptors).lookups(5) == 99
    kept.admit(5, 2, b"b", 99)  # renamed
    assert kept.address(5) == (2, b"b")


def test_a_successor_finds_the_files_that_were_looked_up_last(descriptors: tuple[int, ...]):
    kept = Ledger(descriptors)
    kept.admit(1 << 40, 1, b"folder", 1)
    for n in range(2, 10_000):
        kept.sight(n, 1 << 40, b"%d" % n)
    kept.sight(6_000, 1 << 40, b"renamed")  # long out of sight
    kept.sight(9_999, 1, b"moved")
    kept.admit(9_998, 1, b"now a folder", 1)
    kept = Ledger(descriptors)
    assert kept.address(2) is None
    assert kept.address(6_000) == (1 << 40, b"renamed")
    assert kept.address(9_999) == (1, b"moved")
    assert kept.address(9_997) == (1 << 40, b"9997")
    for n in range(20_000, 20_000 + 2 * ledger.RECENT):  # its predecessor's go too
        kept.sight(n, 1, b"%d" % n)
    kept = Ledger(descriptors)
    assert kept.address(9_997) is None
    assert kept.address(9_998) == (1, b"now a folder")
    assert kept.address(1 << 40) == (1, b"folder")
    assert sum(os.fstat(descriptor).st_size for descriptor in descriptors) < 1 << 20


def test_whatever_instruction_a_kill_hits_at_most_the_oldest_of_the_latest_files_is_lost(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(ledger, "RECENT", 3)
    files = [
        (n, 1000 + n % 2, b"%d" % n * n) for n in (1, 2, 3, 1, 4, 5, 200)
    ]  # one that is too long
    whole = [dict(_latest(files[:end])) for end in range(len(files) + 1)]

    def found_in(latest: Latest) -> dict[int, tuple[int, bytes]]:
        found = {n: latest.find(n) for n, _, _ in files}
        return {n: address for n, address in found.items() if address is not None}

    for instructions in range(10_000):
        with areas() as (area, _):
            noted = 0
            try:
                with killed_after(instructions):
                    latest = Latest(area)
                    for each in files:
                        latest.note(*each)
                        noted += 1
            except Killed:
                found = found_in(Latest(area))
                lost = whole[noted].items() - found.items()
                assert found == whole[noted + 1] or (
                    len(lost) <= 1 and found.items() <= whole[noted].items()
                )
                Latest(area).note(9, 9, b"9")  # and it can be written on
                assert Latest(area).find(9) == (9, b"9")
            else:
                assert found_in(Latest(area)) == whole[-1]
                break
    else:
        pytest.fail("it never came to an end")
    assert instructions > 100, "nothing was noted"


def _latest(files: Sequence[tuple[int, int, bytes]]) -> Iterator[tuple[int, tuple[int, bytes]]]:
    short = [each for each in files if len(each[2]) <= ledger.NAME_MAX]
    for nodeid, parent, name in short[-3:]:
        yield nodeid, (parent, name)


def test_a_file_is_found_by_the_server_after_next_though_its_number_was_forgotten_for_another(
    descriptors: tuple[int, ...], tmp_path: Path
):
    """The disk gives numbers again, and the kernel may forget the one before when the next is being written already."""
    source = Source(id=SourceId(1), name="s", root=bytes(tmp_path))
    root: Any = SimpleNamespace(key="")
    written = DiskFile(source, b"new.jpg", tmp_path.lstat())
    number = InodeTable(root, now_ns=0, ledger=Ledger(descriptors)).admit(written, 7, b"new.jpg")
    InodeTable(root, now_ns=0, ledger=Ledger(descriptors)).forget(number, 1)
    after = InodeTable(root, now_ns=0, ledger=Ledger(descriptors))
    assert after.address(number) == (7, b"new.jpg")


def test_handles_that_come_and_go_for_ever_do_not_make_it_grow(descriptors: tuple[int, ...]):
    kept = Ledger(descriptors)
    for n in range(50_000):
        kept.hold(n % 20, b"." * 32)
        kept.drop((n + 7) % 20)
    assert sum(os.fstat(descriptor).st_size for descriptor in descriptors) < 1 << 20


def test_ten_thousand_directories_of_long_names_are_read_back(descriptors: tuple[int, ...]):
    kept = Ledger(descriptors)
    for n in range(10_000):
        kept.admit(n, n // 10, b"%d" % n + b"x" * 240, 1)
    successor = Ledger(descriptors)
    assert all(
        successor.address(n) == (n // 10, b"%d" % n + b"x" * 240) for n in range(0, 10_000, 7)
    )


def test_a_value_that_is_no_small_one_is_refused():
    with areas() as pair, pytest.raises(ValueError, match="no small value"):
        Table(pair).put(1, bytes(1 << 24))
