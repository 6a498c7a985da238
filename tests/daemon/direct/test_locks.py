"""Locks that are kept on the originals."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from havend.direct.locks import FOREVER, Locks, Wish, _without

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ, WRITE, FREE = fcntl.F_RDLCK, fcntl.F_WRLCK, fcntl.F_UNLCK


class Notes:
    """Of a ledger, what locks need."""

    def __init__(self) -> None:
        self.kept: dict[int, bytes] = {}

    def note(self, key: int, value: bytes) -> None:
        self.kept[key] = value

    def erase(self, key: int) -> None:
        del self.kept[key]

    def notes(self) -> dict[int, bytes]:
        return dict(self.kept)


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "file").write_bytes(b"x" * 100)
    descriptor = os.open(tmp_path / "file", os.O_RDWR)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def locks() -> Locks:
    return Locks(Notes())


def wish(
    handle: int, owner: int, kind: int, start: int = 0, end: int = FOREVER, **more: Any
) -> Wish:
    return Wish(1, handle, owner, kind, start, end, owner * 100, **more)


def test_two_owners_do_not_both_get_one_range(locks: Locks, handle: int) -> None:
    locks.set(wish(handle, 1, WRITE, 0, 9))
    locks.set(wish(handle, 2, WRITE, 10, 19))
    with pytest.raises(BlockingIOError):
        locks.set(wish(handle, 2, READ, 5, 5))
    locks.set(wish(handle, 1, FREE, 0, 9))
    locks.set(wish(handle, 2, READ, 5, 5))


def test_readers_share(locks: Locks, handle: int) -> None:
    locks.set(wish(handle, 1, READ))
    locks.set(wish(handle, 2, READ))
    assert locks.test(wish(handle, 3, READ))[2] == FREE


def test_the_process_that_holds_a_lock_is_named(locks: Locks, handle: int) -> None:
    locks.set(wish(handle, 1, WRITE, 0, 9))
    locks.set(wish(handle, 2, WRITE, 10, 19))
    assert locks.test(wish(handle, 3, WRITE, 12, 30)) == (10, 19, WRITE, 200)
    assert locks.test(wish(handle, 2, WRITE, 12, 19))[2] == FREE


def test_programs_that_use_the_original_see_the_lock(
    locks: Locks, handle: int, tmp_path: Path
) -> None:
    program = (
        "import fcntl, sys; file = open(sys.argv[1], 'r+')\n"
        "try: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "except BlockingIOError: sys.exit(3)"
    )
    tried = [sys.executable, "-c", program, tmp_path / "file"]
    locks.set(wish(handle, 1, READ))
    assert subprocess.run(tried, check=False).returncode == 3
    locks.closed(1, 1)
    assert subprocess.run(tried, check=False).returncode == 0


def test_a_lock_of_the_original_is_respected(locks: Locks, handle: int, tmp_path: Path) -> None:
    with open(tmp_path / "file", "r+b") as other:
        ours = struct.pack("@hhqqi4x", WRITE, 0, 0, 0, 0)
        fcntl.fcntl(other, 37, ours)  # F_OFD_SETLK
        with pytest.raises(BlockingIOError):
            locks.set(wish(handle, 1, READ))
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError):
            locks.set(wish(handle, 1, WRITE, whole=True))


def test_flock_and_posix_locks_do_not_meet(locks: Locks, handle: int) -> None:
    locks.set(wish(handle, 1, WRITE, whole=True))
    locks.set(wish(handle, 2, WRITE))
    with pytest.raises(BlockingIOError):
        locks.set(wish(handle, 3, READ, whole=True))


def test_closing_takes_an_owners_locks_and_no_others(locks: Locks, handle: int) -> None:
    locks.set(wish(handle, 1, WRITE, 0, 9))
    locks.set(wish(handle, 2, WRITE, 10, 19))
    locks.closed(1, 1)
    locks.set(wish(handle, 3, WRITE, 0, 9))
    with pytest.raises(BlockingIOError):
        locks.set(wish(handle, 3, WRITE, 10, 10))


def test_whoever_waits_gets_the_lock_when_it_is_let_go(locks: Locks, handle: int) -> None:
    got: list[int] = []
    locks.set(wish(handle, 1, WRITE))
    locks.wait(77, wish(handle, 2, WRITE), got.append)
    assert (got, locks.waiting) == ([], True)
    locks.closed(1, 1)
    assert (got, locks.waiting) == ([0], False)
    with pytest.raises(BlockingIOError):
        locks.set(wish(handle, 3, READ))


def test_whoever_is_interrupted_does_not_get_it(locks: Locks, handle: int) -> None:
    got: list[int] = []
    locks.set(wish(handle, 1, WRITE))
    locks.wait(77, wish(handle, 2, WRITE), got.append)
    assert locks.interrupt(77)
    assert not locks.interrupt(77)
    assert got == [errno.EINTR]
    locks.closed(1, 1)
    locks.set(wish(handle, 3, WRITE))


def test_a_lock_outlives_the_server(handle: int) -> None:
    notes = Notes()
    Locks(notes).set(wish(handle, 1, WRITE))
    heir = Locks(notes)
    with pytest.raises(BlockingIOError):
        heir.set(wish(handle, 2, READ))
    heir.closed(1, 1)
    heir.set(wish(handle, 2, READ))


def test_a_lock_of_an_open_file_ends_with_it_and_whoever_waits_is_next(
    locks: Locks, handle: int
) -> None:
    got: list[int] = []
    other = os.dup(handle)
    try:
        locks.set(wish(handle, 1, WRITE, 0, 9))
        locks.set(wish(handle, 2, WRITE, whole=True))
        locks.set(wish(other, 3, WRITE, 20, 29))
        locks.wait(77, wish(other, 4, WRITE, 0, 9), got.append)
        locks.released(1, other + 1)
        locks.released(2, handle)
        assert got == []
        locks.released(1, handle)
        assert got == [0]
        locks.set(wish(other, 5, WRITE, whole=True))
        with pytest.raises(BlockingIOError):
            locks.set(wish(other, 5, READ, 20, 20))
    finally:
        os.close(other)


def test_a_lock_of_an_open_file_ends_with_it_though_the_server_is_another(handle: int) -> None:
    notes = Notes()
    Locks(notes).set(wish(handle, 1, WRITE))
    heir = Locks(notes)
    heir.released(1, handle)
    assert not notes.kept
    heir.set(wish(handle, 2, WRITE))


def test_no_descriptor_is_left_when_nothing_is_locked(locks: Locks, handle: int) -> None:
    before = len(os.listdir("/proc/self/fd"))
    locks.set(wish(handle, 1, WRITE, 0, 9))
    locks.set(wish(handle, 1, WRITE, 20, 29))
    with pytest.raises(BlockingIOError):
        locks.set(wish(handle, 2, WRITE))
    locks.test(wish(handle, 3, WRITE))
    assert len(os.listdir("/proc/self/fd")) == before + 1
    locks.set(wish(handle, 1, FREE, 0, 9))
    locks.set(wish(handle, 1, FREE, 15, FOREVER))
    assert len(os.listdir("/proc/self/fd")) == before


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 12)), max_size=12))
def test_ranges_are_what_a_set_of_bytes_would_be(steps: list[tuple[bool, int, int]]) -> None:
    held: list[tuple[int, int]] = []
    model: set[int] = set()
    for take, start, more in steps:
        held = _without(held, start, start + more)
        model -= set(range(start, start + more + 1))
        if take:
            held.append((start, start + more))
            model |= set(range(start, start + more + 1))
    assert sorted(byte for first, last in held for byte in range(first, last + 1)) == sorted(model)
