"""The answers to the helper that makes change events, without a kernel; `tests/e2e/samba/test_notify.py` has one."""

from __future__ import annotations

import ctypes
import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from havend import nudger
from havend.inodes import ROOT, InodeTable
from havend.nudge import PHANTOM, Fate, Nudges
from havend.operations import Operations
from havenfs.entities import Caller
from havenfs.errors import NotFound, NotPermitted
from havenfs.retrieval.search import Searcher
from havenfs.views import open_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SOMEBODY = Caller(1000, 1000, os.getpid())


@dataclass
class Deaf:
    """A kernel that only remembers what it was told."""

    told: list[Any] = field(default_factory=list[Any])

    def entry(self, parent: int, name: bytes) -> None:
        self.told.append((parent, name))

    def inode(self, nodeid: int, *, attributes_only: bool) -> None:
        self.told.append(nodeid)


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not what():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


@pytest.fixture
def kernel() -> Deaf:
    return Deaf()


@pytest.fixture
def nudges(tmp_path: Path, kernel: Deaf) -> Iterator[Nudges]:
    """With a helper whose mount is an ordinary directory: there it really makes what it is told to make."""
    made = Nudges()
    made.start(tmp_path, {1: b"", 2: b"folder", 3: b"gone"}.get, kernel)
    until(lambda: made.announce({1: ()}) or made._helper is not None)
    yield made
    made.close()


def test_nobody_is_the_helper_before_there_is_one():
    assert not Nudges().is_helper(*SOMEBODY)
    assert not Nudges().is_helper(0, 0, 0)


def test_a_helper_of_a_predecessor_is_known_by_its_group():
    assert Nudges().is_helper(0, nudger.MARK, 4711)
    assert not Nudges().is_helper(1000, nudger.MARK, 4711)  # anybody may have a group


def test_the_helper_may_do_only_what_it_was_told_to(household: Any):
    idle = Nudges()
    assert idle.phantom(1, b"name") is None
    directory: Any = None  # not asked
    with pytest.raises(NotPermitted):
        idle.appears(1, b"name", directory)
    with pytest.raises(NotPermitted):
        idle.vanishes(1, b"name", directory)


def test_nobody_is_told_to_remember_the_absence_of_a_name_that_is_about_to_be_announced(
    household: Any,
):
    """Or the helper would find nothing to remove, and nobody would hear that it has gone."""
    tree = open_tree(household.catalog, Searcher(household.catalog, None))
    operations = Operations(tree, InodeTable(tree, now_ns=1), uid=0, gid=0)
    operations.nudges.going(ROOT, b"gone")
    with pytest.raises(FileNotFoundError):
        operations.lookup(ROOT, b"gone")
    with pytest.raises(NotFound):
        operations.lookup(ROOT, b"never there")
    operations.nudges._pending[ROOT, b"gone"] = Fate.GONE
    operations.nudges.vanishes(ROOT, b"gone", tree)
    with pytest.raises(NotFound):
        operations.lookup(ROOT, b"gone")


def test_names_are_made_removed_and_touched(nudges: Nudges, tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/old").touch()
    (tmp_path / "folder/inner").mkdir()
    (tmp_path / "folder/same").touch()
    os.utime(tmp_path / "folder/same", (0, 0))
    nudges.announce(
        {
            3: [(b"nowhere", Fate.NEW)],
            2: [
                (b"new", Fate.NEW),
                (b"new folder", Fate.NEW_DIRECTORY),
                (b"old", Fate.GONE),
                (b"inner", Fate.GONE_DIRECTORY),
                (b"same", Fate.CHANGED),
                (b"not there", Fate.GONE),
                (b"odd \xff\n name", Fate.NEW),
            ],
        }
    )
    until(lambda: b"odd \xff\n name" in os.listdir(os.fsencode(tmp_path / "folder")))
    assert {b"new", b"new folder", b"same", b"odd \xff\n name"} == set(
        os.listdir(os.fsencode(tmp_path / "folder"))
    )
    assert stat.S_ISDIR((tmp_path / "folder/new folder").stat().st_mode)
    assert (tmp_path / "folder/same").stat().st_mtime > 1


def test_too_many_names_are_one_touch_of_the_directory(nudges: Nudges, tmp_path: Path):
    (tmp_path / "folder").mkdir()
    os.utime(tmp_path / "folder", (0, 0))
    nudges.opened(2)
    nudges.announce({2: [(b"%d" % number, Fate.NEW) for number in range(nudger.MOST + 1)]})
    until(lambda: (tmp_path / "folder").stat().st_mtime > 1)
    assert os.listdir(tmp_path / "folder") == []


def test_an_open_directory_is_watched_on_its_disk(nudges: Nudges, kernel: Deaf, tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    (tmp_path / "folder").mkdir()
    nudges.opened(2, bytes(disk))
    (disk / "first").touch()
    until((tmp_path / "folder/first").exists)
    assert kernel.told  # before it was announced
    nudges.own(2, b"ours")
    kernel.told.clear()
    (disk / "ours").touch()
    until(lambda: 2 in kernel.told)  # what was kept of the folder is dropped in any case
    (disk / "theirs").touch()
    until(lambda: (tmp_path / "folder/theirs").exists())
    assert (2, b"theirs") in kernel.told
    assert (2, b"ours") not in kernel.told  # somebody may stand in what he has just made
    assert not (tmp_path / "folder/ours").exists()  # and everybody knows of it


def test_watches_tell_what_happened(tmp_path: Path):
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(os.O_NONBLOCK)
    try:
        watch = libc.inotify_add_watch(handle, bytes(tmp_path), nudger.WATCHED)
        number = b"%d" % watch
        (tmp_path / "a").touch()
        told = nudger.seen(handle)[number]
        assert told[:4] == [nudger.NEW, b"a", nudger.CHANGED, b"a"]
        (tmp_path / "a").rename(tmp_path / "b")
        (tmp_path / "c").mkdir()
        told = nudger.seen(handle)[number]
        assert told[::2] == [nudger.GONE, nudger.NEW, nudger.NEW_DIRECTORY]
        for each in range(nudger.MOST + 1):
            (tmp_path / f"f{each}").touch()
        assert nudger.seen(handle) == {number: []}  # something
        libc.inotify_rm_watch(handle, watch)
        (tmp_path / "d").touch()
        assert nudger.seen(handle) == {}
    finally:
        os.close(handle)


def test_what_comes_to_a_directory_before_the_helper_is_there_is_told(kernel: Deaf, tmp_path: Path):
    """It takes 20 ms to start."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "folder").mkdir()
    early = Nudges()
    early.opened(2, bytes(tmp_path / "disk"))
    (tmp_path / "disk/theirs").touch()
    early.start(tmp_path, {2: b"folder"}.get, kernel)
    try:
        until((tmp_path / "folder/theirs").exists)
        assert (2, b"theirs") in kernel.told
    finally:
        early.close()


def test_a_directory_that_came_back_is_watched_again(nudges: Nudges, tmp_path: Path):
    """By the same number: a disk gives that away at once, and a watch goes with the directory."""
    disk = tmp_path / "disk"
    (tmp_path / "folder").mkdir()
    for _ in range(2):
        disk.mkdir()
        nudges.opened(2, bytes(disk))
        (disk / "theirs").touch()
        until((tmp_path / "folder/theirs").exists)
        (tmp_path / "folder/theirs").unlink()
        (disk / "theirs").unlink()
        disk.rmdir()


def test_phantoms_are_numbers_of_nobody():
    assert PHANTOM > 1 << 61
    assert PHANTOM + 2 < 1 << 62
