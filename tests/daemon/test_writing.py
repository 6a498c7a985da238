"""Changing originals through Operations, without a kernel: what reaches the disk, the table, the observer and the caller."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from havend.errno import number as errno_of
from havend.inodes import ROOT, InodeTable
from havend.operations import Operations
from havenfs.entities import Caller
from havenfs.errors import HavenError, NotADirectory, NotFound, NotPermitted, ReadOnly, Stale
from havenfs.originals.metadata import NOW, Changes
from havenfs.retrieval.search import Searcher
from havenfs.views import open_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from havend.operations import Opened
    from havend.stats import Attributes
    from havenfs.entities import Source

ME = Caller(0, 0, os.getpid())
SOMEBODY = Caller(4711, 4712, 1 << 22)  # a process that has gone: no supplementary groups
NOREPLACE, EXCHANGE = 1, 2
PUNCH_HOLE, KEEP_SIZE = 2, 1
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may act in another's name")


class Heard:
    """An observer that writes down what it hears."""

    def __init__(self) -> None:
        self.news: list[tuple[Any, ...]] = []

    def written(self, source: Source, path: bytes) -> None:
        self.news.append(("written", source.name, path))

    def renamed(
        self, source: Source, path: bytes, to: Source, new_path: bytes, *, directory: bool
    ) -> None:
        self.news.append(("renamed", source.name, path, to.name, new_path, directory))

    def exchanged(self, source: Source, path: bytes, to: Source, new_path: bytes) -> None:
        self.news.append(("exchanged", source.name, path, to.name, new_path))

    def removed(self, source: Source, path: bytes, *, directory: bool) -> None:
        self.news.append(("removed", source.name, path, directory))

    def since(self) -> list[tuple[Any, ...]]:
        """What was heard since the last call."""
        news, self.news = self.news, []
        return news


class Pages:
    """A ledger in a dict: what outlives a server."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[int, bytes, int]] = {}

    def admit(self, nodeid: int, parent: int, name: bytes, lookups: int) -> None:
        self._kept[nodeid] = parent, name, lookups

    def sight(self, nodeid: int, parent: int, name: bytes) -> None:
        self._kept[nodeid] = parent, name, 0

    def forget(self, nodeid: int) -> None:
        self._kept.pop(nodeid, None)

    def address(self, nodeid: int) -> tuple[int, bytes] | None:
        kept = self._kept.get(nodeid)
        return kept[:2] if kept else None

    def lookups(self, nodeid: int) -> int:
        return self._kept.get(nodeid, (0, b"", 0))[2]


class Desk:
    """Operations on the workshop, by path."""

    def __init__(self, shelf: Any, ledger: Pages | None = None) -> None:
        tree = open_tree(
            shelf.catalog,
            Searcher(shelf.catalog, None),
            hidden=(bytes(shelf.root / "mountpoint"),),
        )
        self.heard = Heard()
        self.operations = Operations(
            tree, InodeTable(tree, now_ns=1, ledger=ledger), uid=0, gid=0, observer=self.heard
        )

    def walk(self, path: str) -> Attributes:
        found = self.operations.getattr(ROOT)
        for step in filter(None, path.split("/")):
            found = self.operations.lookup(found.nodeid, step.encode())
        return found

    def at(self, path: str) -> tuple[int, bytes]:
        above, _, name = path.rpartition("/")
        return self.walk(above).nodeid, name.encode()

    def make(self, path: str, data: bytes = b"", caller: Caller = ME, mode: int = 0o644) -> int:
        """Create, write, close; the inode."""
        found, opened = self.operations.create(*self.at(path), mode, os.O_RDWR, caller)
        if data:
            self.operations.write(opened.handle, 0, data)
        self.close(opened)
        return found.nodeid

    def close(self, opened: Opened) -> None:
        self.operations.flush(opened.handle)
        self.operations.release(opened.handle)

    def read(self, path: str) -> bytes:
        opened = self.operations.open(self.walk(path).nodeid, os.O_RDONLY, ME)
        try:
            return self.operations.read(opened.handle, 0, 1 << 20)
        finally:
            self.operations.release(opened.handle)

    def rename(self, old: str, new: str, flags: int = 0, caller: Caller = ME) -> None:
        self.operations.rename(*self.at(old), *self.at(new), flags, caller)

    def names(self, path: str) -> list[str]:
        return [
            name.decode() for name, _ in self.operations.listing(self.walk(path).nodeid).entries
        ]


@pytest.fixture
def desk(workshop: Any) -> Desk:
    return Desk(workshop)


def refused(call: Callable[[], object]) -> str:
    """The name of the number that the kernel would be answered."""
    with pytest.raises((HavenError, OSError)) as caught:
        call()
    return errno.errorcode[errno_of(caught.value)]


# --- bytes ----------------------------------------------------------------------------------------------------


def test_what_is_written_is_on_the_disk_and_announced_when_it_is_closed(desk: Desk, workshop: Any):
    found, opened = desk.operations.create(*desk.at("files/photos/new.txt"), 0o640, os.O_WRONLY, ME)
    assert desk.operations.write(opened.handle, 3, b"hello") == 5
    assert desk.heard.since() == []
    desk.operations.flush(opened.handle)
    assert desk.heard.since() == [("written", "photos", b"new.txt")]
    desk.operations.flush(opened.handle)
    desk.operations.release(opened.handle)
    assert desk.heard.since() == [], "once is enough"
    assert (workshop.root / "new.txt").read_bytes() == b"\0\0\0hello"
    assert stat.S_IMODE((workshop.root / "new.txt").stat().st_mode) == 0o640
    assert desk.operations.getattr(found.nodeid).size == 8


def test_an_empty_new_file_is_announced_and_a_file_that_was_only_read_is_not(desk: Desk):
    desk.make("files/photos/empty")
    assert desk.heard.since() == [("written", "photos", b"empty")]
    desk.read("files/photos/empty")
    opened = desk.operations.open(desk.walk("files/photos/empty").nodeid, os.O_RDWR, ME)
    desk.close(opened)
    assert desk.heard.since() == []


def test_a_second_write_of_the_same_length_is_announced_too(desk: Desk):
    nodeid = desk.make("files/photos/a", b"one")
    desk.heard.since()
    opened = desk.operations.open(nodeid, os.O_RDWR, ME)
    for data in (b"two", b"six"):
        desk.operations.write(opened.handle, 0, data)
        desk.operations.flush(opened.handle)
        assert desk.heard.since() == [("written", "photos", b"a")]
    desk.operations.release(opened.handle)


def test_opening_to_truncate_empties_and_is_announced(desk: Desk):
    nodeid = desk.make("files/photos/a", b"data")
    desk.heard.since()
    desk.close(desk.operations.open(nodeid, os.O_WRONLY | os.O_TRUNC, ME))
    assert desk.operations.getattr(nodeid).size == 0
    assert desk.heard.since() == [("written", "photos", b"a")]


def test_creating_what_is_there_opens_it_unless_it_must_be_new(desk: Desk):
    desk.make("files/photos/a", b"data")
    _, opened = desk.operations.create(*desk.at("files/photos/a"), 0o600, os.O_RDWR, ME)
    assert desk.operations.read(opened.handle, 0, 9) == b"data"
    desk.close(opened)
    with pytest.raises(FileExistsError):
        desk.operations.create(*desk.at("files/photos/a"), 0o600, os.O_RDWR | os.O_EXCL, ME)


def test_holes_are_made_found_and_kept(desk: Desk, workshop: Any):
    nodeid = desk.make("files/photos/holes", b"x" * 65_536)
    opened = desk.operations.open(nodeid, os.O_RDWR, ME)
    operations, handle = desk.operations, opened.handle
    operations.fallocate(handle, PUNCH_HOLE | KEEP_SIZE, 16_384, 16_384)
    assert operations.lseek(handle, 0, os.SEEK_HOLE) == 16_384
    assert operations.lseek(handle, 16_384, os.SEEK_DATA) == 32_768
    operations.fallocate(handle, 0, 65_536, 1000)
    assert operations.getattr(nodeid).size == 66_536
    operations.fallocate(handle, KEEP_SIZE, 70_000, 1000)
    assert operations.getattr(nodeid).size == 66_536
    with pytest.raises(OSError, match="No such device or address"):
        operations.lseek(handle, 1 << 20, os.SEEK_DATA)
    desk.close(opened)
    assert (workshop.root / "holes").read_bytes()[16_384:32_768] == bytes(16_384)


def test_a_range_is_copied_within_the_disk(desk: Desk):
    source = desk.operations.open(desk.make("files/photos/a", b"0123456789"), os.O_RDONLY, ME)
    target = desk.operations.open(desk.make("files/desk/b"), os.O_RDWR, ME)
    desk.heard.since()
    assert desk.operations.copy_file_range(source.handle, 2, target.handle, 0, 5) == 5
    assert desk.operations.read(target.handle, 0, 99) == b"23456"
    desk.close(target)
    desk.close(source)
    assert desk.heard.since() == [("written", "desk", b"b")]


def test_syncing_needs_no_more_than_a_handle(desk: Desk):
    opened = desk.operations.open(desk.make("files/photos/a", b"x"), os.O_RDWR, ME)
    desk.operations.fsync(opened.handle, data_only=False)
    desk.operations.fsync(opened.handle, data_only=True)
    desk.operations.fsyncdir(desk.walk("files/photos").nodeid)
    desk.operations.fsyncdir(desk.walk("by-date").nodeid)
    desk.close(opened)


def test_a_handle_that_was_closed_is_stale(desk: Desk):
    opened = desk.operations.open(desk.make("files/photos/a", b"x"), os.O_RDWR, ME)
    desk.close(opened)
    with pytest.raises(Stale):
        desk.operations.read(opened.handle, 0, 1)
    assert len(desk.operations.handles) == 0


# --- names that go --------------------------------------------------------------------------------------------


def test_a_file_without_a_name_lives_as_long_as_it_is_open(desk: Desk, workshop: Any):
    nodeid = desk.make("files/photos/a", b"data")
    opened = desk.operations.open(nodeid, os.O_RDWR, ME)
    desk.operations.unlink(*desk.at("files/photos/a"), ME)
    desk.heard.since()
    assert not (workshop.root / "a").exists()
    assert desk.operations.getattr(nodeid).nlink == 0
    desk.operations.write(opened.handle, 4, b" and more")
    desk.operations.setattr(nodeid, Changes(size=6, mode=0o600), ME)
    found = desk.operations.getattr(nodeid, opened.handle)
    assert (found.size, stat.S_IMODE(found.mode)) == (6, 0o600)
    again = desk.operations.open(nodeid, os.O_RDONLY, ME)
    assert desk.operations.read(again.handle, 0, 99) == b"data a"
    desk.close(again)
    desk.close(opened)
    assert desk.heard.since() == [], "what has no name is of no interest"
    with pytest.raises(Stale):
        desk.operations.getattr(nodeid)


def test_a_new_file_at_an_old_path_is_another_inode(desk: Desk, workshop: Any):
    nodeid = desk.make("files/photos/a", b"old")
    opened = desk.operations.open(nodeid, os.O_RDONLY, ME)  # so that its number stays taken
    (workshop.root / "a").unlink()
    (workshop.root / "a").write_bytes(b"new")
    assert desk.walk("files/photos/a").nodeid != nodeid
    assert desk.operations.read(opened.handle, 0, 9) == b"old"
    assert desk.operations.getattr(nodeid, opened.handle).size == 3
    desk.close(opened)
    with pytest.raises(Stale):
        desk.operations.getattr(nodeid)
    with pytest.raises(Stale):
        desk.operations.open(nodeid, os.O_RDONLY, ME)


def test_a_file_that_never_had_a_name_can_be_given_one(desk: Desk, workshop: Any):
    folder = desk.walk("files/photos").nodeid
    found, opened = desk.operations.tmpfile(folder, 0o644, os.O_RDWR, ME)
    desk.operations.write(opened.handle, 0, b"unnamed")
    assert desk.names("files/photos") == sorted(os.listdir(workshop.root))
    desk.operations.link(found.nodeid, folder, b"named", ME)
    desk.close(opened)
    assert (workshop.root / "named").read_bytes() == b"unnamed"
    assert ("written", "photos", b"named") in desk.heard.since()


def test_removing_says_what_was_removed(desk: Desk):
    desk.operations.mkdir(*desk.at("files/photos/folder"), 0o755, ME)
    desk.make("files/photos/folder/a", b"x")
    desk.heard.since()
    assert (
        refused(lambda: desk.operations.rmdir(*desk.at("files/photos/folder"), ME)) == "ENOTEMPTY"
    )
    assert refused(lambda: desk.operations.unlink(*desk.at("files/photos/folder"), ME)) in (
        "EISDIR",
        "EPERM",
    )
    assert desk.heard.since() == [], "what failed did not happen"
    desk.operations.unlink(*desk.at("files/photos/folder/a"), ME)
    desk.operations.rmdir(*desk.at("files/photos/folder"), ME)
    assert desk.heard.since() == [
        ("removed", "photos", b"folder/a", False),
        ("removed", "photos", b"folder", True),
    ]


# --- names that move ------------------------------------------------------------------------------------------


def test_a_descriptor_that_somebody_works_with_is_closed_when_he_is_done(desk: Desk):
    found, opened = desk.operations.create(*desk.at("files/photos/a"), 0o644, os.O_RDWR, ME)
    handles = desk.operations.handles
    with handles.lend(found.nodeid) as lent, handles.lend(found.nodeid):
        assert lent is opened
        desk.operations.release(opened.handle)
        assert os.fstat(opened.handle).st_nlink == 1
        with handles.lend(found.nodeid) as other:
            assert other is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened.handle)


def test_attributes_are_changed_of_a_file_that_is_closed_meanwhile(desk: Desk):
    """The kernel does not wait with a chmod until the close before it has been dealt with."""
    nodeid = desk.make("files/photos/a")
    stop = threading.Event()

    def open_and_close() -> None:
        while not stop.is_set():
            opened = desk.operations.open(nodeid, os.O_RDONLY, ME)
            desk.operations.release(opened.handle)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(2) as pool:
            closing = [pool.submit(open_and_close) for _ in range(2)]
            try:
                for mode in [*range(1, 512)] * 8:
                    found = desk.operations.setattr(nodeid, Changes(mode=mode), ME)
                    assert stat.S_IMODE(found.mode) == mode
                    assert stat.S_IMODE(desk.operations.getattr(nodeid).mode) == mode
            finally:
                stop.set()
            for each in closing:
                each.result(10)
    finally:
        sys.setswitchinterval(before)


@pytest.mark.parametrize("how", ["unlink", "rename"])
def test_the_number_of_a_removed_file_is_free_when_the_kernel_has_forgotten_it(
    desk: Desk, workshop: Any, how: str
):
    """Or the answer to the unlink takes a link off another's new file."""
    removed = desk.make("files/photos/a")
    with (workshop.root / "a").open("rb") as kept:
        number = os.fstat(kept.fileno()).st_ino
    if how == "unlink":
        desk.operations.unlink(*desk.at("files/photos/a"), ME)
    else:
        desk.make("files/photos/b")
        desk.rename("files/photos/b", "files/photos/a")
    # The disk gives the lowest free number of the folder's neighbourhood.
    made = [desk.make(f"files/photos/new {n}") for n in range(20)]
    assert removed not in made
    assert descriptors_of(number), "its room on the disk is still taken"
    desk.operations.forget(removed, 1)
    assert not descriptors_of(number)


def test_a_file_that_the_kernel_never_forgets_gives_its_room_back(
    desk: Desk, workshop: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("havend.graves.FILE_S", -1.0)
    desk.make("files/photos/a")
    number = (workshop.root / "a").stat().st_ino
    desk.operations.unlink(*desk.at("files/photos/a"), ME)
    assert descriptors_of(number)
    desk.operations.let_go()
    assert not descriptors_of(number)


def test_a_large_file_gives_its_room_back_at_once_and_keeps_its_number(desk: Desk, workshop: Any):
    removed = desk.make("files/photos/film", os.urandom(2 << 20))
    number = (workshop.root / "film").stat().st_ino
    desk.operations.unlink(*desk.at("files/photos/film"), ME)
    (held,) = descriptors_of(number)
    assert not os.stat(held).st_blocks
    assert removed not in [desk.make(f"files/photos/new {n}") for n in range(20)]
    desk.operations.forget(removed, 1)
    assert not descriptors_of(number)


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY])
def test_a_large_file_that_somebody_has_open_keeps_its_bytes(desk: Desk, workshop: Any, flags: int):
    data = os.urandom(2 << 20)
    desk.make("files/photos/film", data)
    theirs = os.open(workshop.root / "film", flags)
    try:
        desk.operations.unlink(*desk.at("files/photos/film"), ME)
        assert Path(f"/proc/self/fd/{theirs}").read_bytes() == data
    finally:
        os.close(theirs)


def test_a_large_file_with_another_name_keeps_its_bytes(desk: Desk, workshop: Any):
    data = os.urandom(2 << 20)
    desk.make("files/photos/film", data)
    (workshop.root / "kept").hardlink_to(workshop.root / "film")
    desk.operations.unlink(*desk.at("files/photos/film"), ME)
    assert (workshop.root / "kept").read_bytes() == data


def test_a_file_with_another_name_is_not_held(desk: Desk, workshop: Any):
    desk.make("files/photos/a")
    (workshop.root / "b").hardlink_to(workshop.root / "a")
    desk.operations.unlink(*desk.at("files/photos/a"), ME)
    assert not descriptors_of((workshop.root / "b").stat().st_ino)


def descriptors_of(inode: int) -> list[str]:
    """What this process has open of a file, be it removed: paths to it."""
    found: list[str] = []
    for each in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            if os.stat(f"/proc/self/fd/{each}").st_ino == inode:
                found.append(f"/proc/self/fd/{each}")
    return found


def test_an_open_file_is_announced_under_its_new_name(desk: Desk):
    nodeid = desk.make("files/photos/a", b"data")
    opened = desk.operations.open(nodeid, os.O_RDWR, ME)
    desk.rename("files/photos/a", "files/photos/b")
    assert desk.heard.since()[-1] == ("renamed", "photos", b"a", "photos", b"b", False)
    desk.operations.write(opened.handle, 0, b"more data")
    desk.close(opened)
    assert desk.heard.since() == [("written", "photos", b"b")]
    assert desk.operations.getattr(nodeid).size == 9


def test_what_lies_open_below_a_renamed_folder_is_announced_where_it_is_now(desk: Desk):
    desk.operations.mkdir(*desk.at("files/photos/before"), 0o755, ME)
    desk.operations.mkdir(*desk.at("files/photos/before/deep"), 0o755, ME)
    nodeid = desk.make("files/photos/before/deep/a", b"data")
    deep = desk.walk("files/photos/before/deep").nodeid
    opened = desk.operations.open(nodeid, os.O_RDWR, ME)
    desk.heard.since()
    desk.rename("files/photos/before", "files/photos/2019/after")
    assert desk.heard.since() == [("renamed", "photos", b"before", "photos", b"2019/after", True)]
    desk.operations.write(opened.handle, 0, b"DATA")
    desk.close(opened)
    assert desk.heard.since() == [("written", "photos", b"2019/after/deep/a")]
    assert desk.read("files/photos/2019/after/deep/a") == b"DATA"
    assert refused(lambda: desk.walk("files/photos/before")) == "ENOENT"
    assert desk.operations.lookup(deep, b"a").nodeid == nodeid


def test_a_renamed_folder_of_one_source_is_the_same_inode(desk: Desk):
    desk.operations.mkdir(*desk.at("files/photos/before"), 0o755, ME)
    nodeid = desk.make("files/photos/before/a", b"data")
    folder = desk.walk("files/photos/before").nodeid
    desk.rename("files/photos/before", "files/photos/2019/new")
    assert desk.walk("files/photos/2019/new").nodeid == folder
    assert desk.operations.getattr(nodeid).size == 4
    assert desk.operations.lookup(folder, b"a").nodeid == nodeid
    assert [name for name, _ in desk.operations.listing(folder).entries] == [b"a"]


def test_names_change_places_and_each_keeps_its_inode(desk: Desk):
    first, second = desk.make("files/photos/a", b"first"), desk.make("files/photos/b", b"second")
    desk.heard.since()
    desk.rename("files/photos/a", "files/photos/b", EXCHANGE)
    assert desk.heard.since() == [("exchanged", "photos", b"a", "photos", b"b")]
    assert (desk.walk("files/photos/a").nodeid, desk.walk("files/photos/b").nodeid) == (
        second,
        first,
    )
    assert (desk.operations.getattr(first).size, desk.operations.getattr(second).size) == (5, 6)
    assert desk.read("files/photos/b") == b"first"


def test_a_rename_replaces_unless_it_must_not(desk: Desk):
    desk.make("files/photos/a", b"new")
    old = desk.make("files/photos/b", b"old")
    opened = desk.operations.open(old, os.O_RDONLY, ME)
    assert refused(lambda: desk.rename("files/photos/a", "files/photos/b", NOREPLACE)) == "EEXIST"
    desk.rename("files/photos/a", "files/photos/b")
    assert desk.read("files/photos/b") == b"new"
    assert desk.operations.read(opened.handle, 0, 9) == b"old", "whoever had it open still has it"
    desk.close(opened)
    assert refused(lambda: desk.rename("files/photos/a", "files/photos/c")) == "ENOENT"


def test_two_names_are_one_inode_until_the_last_goes(desk: Desk):
    nodeid = desk.make("files/photos/a", b"data")
    found = desk.operations.link(nodeid, *desk.at("files/photos/2019/b"), ME)
    assert (found.nodeid, found.nlink) == (nodeid, 2)
    desk.operations.unlink(*desk.at("files/photos/a"), ME)
    assert desk.operations.lookup(*desk.at("files/photos/2019/b")).nlink == 1
    assert desk.read("files/photos/2019/b") == b"data"


def test_a_file_that_lost_the_name_it_was_last_found_by_is_looked_up_by_another(desk: Desk):
    operations = desk.operations
    nodeid = desk.make("files/photos/a", b"data")
    operations.link(nodeid, *desk.at("files/photos/b"), ME)
    operations.unlink(*desk.at("files/photos/b"), ME)
    for attempt in (
        lambda: operations.open(nodeid, os.O_RDONLY, ME),
        lambda: operations.open(nodeid, os.O_RDWR, ME),
        lambda: operations.setattr(nodeid, Changes(mode=0o600), ME),
        lambda: operations.getxattr(nodeid, b"user.x"),
        lambda: operations.listxattr(nodeid),
        lambda: operations.setxattr(nodeid, b"user.x", b"", 0, ME),
        lambda: operations.link(nodeid, *desk.at("files/photos/c"), ME),
    ):
        with pytest.raises(Stale):  # upon which the kernel looks the path up anew
            attempt()
    assert desk.read("files/photos/a") == b"data"


def test_a_link_or_rename_to_another_source_is_another_disks_matter(desk: Desk):
    nodeid = desk.make("files/photos/a", b"data")
    assert refused(lambda: desk.rename("files/photos/a", "files/desk/a")) == "EXDEV"
    assert refused(lambda: desk.rename("files/photos/2019", "files/desk/2019")) == "EXDEV"
    assert refused(lambda: desk.operations.link(nodeid, *desk.at("files/desk/a"), ME)) == "EXDEV"


# --- attributes -----------------------------------------------------------------------------------------------


def test_times_are_set_to_the_nanosecond_and_to_now(desk: Desk, workshop: Any):
    nodeid = desk.make("files/photos/a", b"data")
    found = desk.operations.setattr(
        nodeid, Changes(atime_ns=-1, mtime_ns=1_234_567_890_123_456_789), ME
    )
    assert (found.atime_ns, found.mtime_ns) == (-1, 1_234_567_890_123_456_789)
    found = desk.operations.setattr(nodeid, Changes(mtime_ns=NOW), ME)
    assert found.atime_ns == -1
    assert abs(found.mtime_ns - time.time_ns()) < 10_000_000_000
    desk.operations.symlink(*desk.at("files/photos/link"), b"a", ME)
    link = desk.walk("files/photos/link").nodeid
    assert desk.operations.setattr(link, Changes(mtime_ns=5), ME).mtime_ns == 5
    assert desk.operations.getattr(nodeid).mtime_ns != 5, "of the symlink, not of its target"


def test_a_file_is_cut_and_stretched_by_name_and_by_handle(desk: Desk, workshop: Any):
    nodeid = desk.make("files/photos/a", b"data")
    desk.heard.since()
    assert desk.operations.setattr(nodeid, Changes(size=2), ME).size == 2
    assert desk.heard.since() == [("written", "photos", b"a")]
    opened = desk.operations.open(nodeid, os.O_WRONLY, ME)
    assert desk.operations.setattr(nodeid, Changes(size=5), ME, opened.handle).size == 5
    desk.close(opened)
    assert (workshop.root / "a").read_bytes() == b"da\0\0\0"
    assert desk.heard.since() == [("written", "photos", b"a")]


def test_everything_that_can_stand_in_a_folder_can_be_made(desk: Desk, workshop: Any):
    for name, mode in (("fifo", stat.S_IFIFO), ("socket", stat.S_IFSOCK), ("file", stat.S_IFREG)):
        found = desk.operations.mknod(*desk.at(f"files/photos/{name}"), mode | 0o600, 0, ME)
        assert found.mode == mode | 0o600
        assert (workshop.root / name).lstat().st_mode == found.mode
    assert refused(
        lambda: desk.operations.open(desk.walk("files/photos/fifo").nodeid, os.O_RDONLY, ME)
    ) in ("EPERM", "ENXIO")


def test_extended_attributes_go_to_the_disk(desk: Desk, workshop: Any):
    nodeid = desk.make("files/photos/a", b"data")
    operations = desk.operations
    operations.setxattr(nodeid, b"user.note", b"one", os.XATTR_CREATE, ME)
    assert os.getxattr(workshop.root / "a", "user.note") == b"one"
    assert (
        refused(lambda: operations.setxattr(nodeid, b"user.note", b"x", os.XATTR_CREATE, ME))
        == "EEXIST"
    )
    assert (
        refused(lambda: operations.setxattr(nodeid, b"user.other", b"x", os.XATTR_REPLACE, ME))
        == "ENODATA"
    )
    operations.removexattr(nodeid, b"user.note", ME)
    assert refused(lambda: operations.getxattr(nodeid, b"user.note")) == "ENODATA"
    assert refused(lambda: operations.setxattr(nodeid, b"user.haven.hash", b"", 0, ME)) == "EPERM"
    assert refused(lambda: operations.setxattr(nodeid, b"user.haven.no", b"", 0, ME)) == "ENOTSUP"


def test_access_lists_are_the_disks_own(desk: Desk, workshop: Any):
    nodeid = desk.make("files/photos/a")
    kind = b"system.posix_acl_access"
    assert desk.operations.access_list(nodeid, kind) is None
    subprocess.run(["setfacl", "-m", "u:1000:r", workshop.root / "a"], check=True)
    kept = os.getxattr(workshop.root / "a", kind)
    assert desk.operations.access_list(nodeid, kind) == kept
    opened = desk.operations.open(nodeid, os.O_RDONLY, ME)
    desk.operations.unlink(*desk.at("files/photos/a"), ME)
    assert desk.operations.access_list(nodeid, kind) == kept
    desk.close(opened)
    assert desk.operations.access_list(desk.at("by-date/2019")[0], kind) is None


def test_a_label_is_nobodys_where_nobody_reads_labels(
    desk: Desk, workshop: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """So that `ls -l` asks for none of the others."""
    nodeid = desk.make("files/photos/a")
    os.setxattr(workshop.root / "a", "security.selinux", b"somebody:object_r")
    monkeypatch.setattr("havenfs.views.attributes._SELINUX", tmp_path / "none")
    assert refused(lambda: desk.operations.getxattr(nodeid, b"security.selinux")) == "ENOTSUP"
    assert b"security.selinux" not in desk.operations.listxattr(nodeid)
    monkeypatch.setattr("havenfs.views.attributes._SELINUX", tmp_path)
    assert desk.operations.getxattr(nodeid, b"security.selinux") == b"somebody:object_r"
    assert b"security.selinux" in desk.operations.listxattr(nodeid)


# --- whose rights ---------------------------------------------------------------------------------------------


@as_root
def test_what_somebody_makes_is_theirs(desk: Desk, workshop: Any):
    workshop.root.chmod(0o777)
    desk.make("files/photos/theirs", b"x", SOMEBODY)
    desk.operations.mkdir(*desk.at("files/photos/folder"), 0o755, SOMEBODY)
    desk.operations.symlink(*desk.at("files/photos/link"), b"x", SOMEBODY)
    for name in ("theirs", "folder", "link"):
        status = (workshop.root / name).lstat()
        assert (status.st_uid, status.st_gid) == (4711, 4712)
    workshop.root.chmod(0o2777)
    os.chown(workshop.root, 0, 99)
    desk.make("files/photos/grouped", b"x", SOMEBODY)
    assert (workshop.root / "grouped").stat().st_gid == 99, "a set-group-ID folder"
    assert (os.geteuid(), os.getegid()) == (0, 0)
    with (workshop.root / "mine").open("wb"):
        assert (workshop.root / "mine").stat().st_uid == 0, "this thread is itself again"


@as_root
def test_what_the_disk_forbids_somebody_is_forbidden(desk: Desk, workshop: Any):
    nodeid = desk.make("files/photos/ours", b"x")
    workshop.root.chmod(0o755)
    operations = desk.operations
    assert refused(lambda: desk.make("files/photos/new", b"", SOMEBODY)) == "EACCES"
    assert refused(lambda: operations.unlink(*desk.at("files/photos/ours"), SOMEBODY)) == "EACCES"
    assert refused(lambda: operations.setattr(nodeid, Changes(mode=0o777), SOMEBODY)) == "EPERM"
    assert refused(lambda: operations.setattr(nodeid, Changes(uid=4711), SOMEBODY)) == "EPERM"
    assert refused(lambda: operations.open(nodeid, os.O_WRONLY, SOMEBODY)) == "EACCES"
    workshop.root.chmod(0o1777)
    assert refused(lambda: operations.unlink(*desk.at("files/photos/ours"), SOMEBODY)) == "EPERM"
    assert (
        refused(lambda: desk.rename("files/photos/ours", "files/photos/x", caller=SOMEBODY))
        == "EPERM"
    )
    assert (workshop.root / "ours").read_bytes() == b"x"


# --- what cannot be changed -----------------------------------------------------------------------------------


def test_a_read_only_source_takes_nothing(desk: Desk, workshop: Any):
    operations = desk.operations
    archive = desk.walk("files/archive/1999").nodeid
    leaf = desk.walk("files/archive/1999/negative.jpg").nodeid
    mine = desk.make("files/desk/mine", b"x")
    desk.heard.since()
    negative = (archive, b"negative.jpg")
    for attempt in (
        lambda: operations.create(archive, b"x", 0o644, os.O_RDWR, ME),
        lambda: operations.create(*negative, 0o644, os.O_RDWR, ME),
        lambda: operations.tmpfile(archive, 0o644, os.O_RDWR, ME),
        lambda: operations.open(leaf, os.O_WRONLY, ME),
        lambda: operations.open(leaf, os.O_RDONLY | os.O_TRUNC, ME),
        lambda: operations.mkdir(archive, b"x", 0o755, ME),
        lambda: operations.mknod(archive, b"x", stat.S_IFREG | 0o644, 0, ME),
        lambda: operations.symlink(archive, b"x", b"y", ME),
        lambda: operations.link(leaf, archive, b"x", ME),
        lambda: operations.link(mine, archive, b"x", ME),
        lambda: operations.unlink(*negative, ME),
        lambda: operations.rmdir(desk.walk("files/archive").nodeid, b"1999", ME),
        lambda: operations.rename(*negative, archive, b"x", 0, ME),
        lambda: operations.rename(*negative, *desk.at("files/desk/x"), 0, ME),
        lambda: operations.rename(*desk.at("files/desk/mine"), archive, b"x", 0, ME),
        lambda: operations.setattr(leaf, Changes(size=0), ME),
        lambda: operations.setattr(leaf, Changes(mode=0o777), ME),
        lambda: operations.setattr(leaf, Changes(mtime_ns=NOW), ME),
        lambda: operations.setxattr(leaf, b"user.x", b"", 0, ME),
        lambda: operations.removexattr(leaf, b"user.x", ME),
    ):
        with pytest.raises(ReadOnly):
            attempt()
    assert desk.heard.since() == []
    assert os.listdir(workshop.root.parent / "archive/1999") == ["negative.jpg"]
    assert desk.read("files/archive/1999/negative.jpg") == b"1999/negative.jpg" * 100


def test_originals_and_answers_do_not_mix(desk: Desk):
    operations = desk.operations
    mine = desk.make("files/desk/mine", b"x")
    leaf = desk.walk("types/photos/IMG_0001.jpg").nodeid
    for attempt in (
        lambda: operations.link(leaf, *desk.at("files/desk/x"), ME),
        lambda: operations.link(mine, *desk.at("types/photos/x"), ME),
        lambda: desk.rename("files/desk/mine", "types/photos/mine"),
        lambda: desk.rename("types/photos/IMG_0001.jpg", "files/desk/x"),
        lambda: desk.rename("types/photos/IMG_0001.jpg", "types/raw/IMG_0001.jpg"),
        lambda: operations.mkdir(desk.walk("files").nodeid, b"source", 0o755, ME),
        lambda: operations.rmdir(desk.walk("files").nodeid, b"desk", ME),
        lambda: desk.rename("files/desk", "files/table"),
        lambda: operations.setattr(leaf, Changes(mode=0o777), ME),
        lambda: operations.setattr(desk.walk("by-date").nodeid, Changes(mode=0o777), ME),
        lambda: operations.tmpfile(desk.walk("by-date").nodeid, 0o644, os.O_RDWR, ME),
    ):
        with pytest.raises(NotPermitted):
            attempt()


def test_our_own_mount_point_is_neither_shown_nor_made(desk: Desk, workshop: Any):
    (workshop.root / "mountpoint").mkdir()
    assert "mountpoint" not in desk.names("files/photos")
    with pytest.raises(NotFound):
        desk.walk("files/photos/mountpoint")
    for attempt in (
        lambda: desk.operations.mkdir(*desk.at("files/photos/mountpoint"), 0o755, ME),
        lambda: desk.operations.rmdir(*desk.at("files/photos/mountpoint"), ME),
        lambda: desk.make("files/photos/mountpoint"),
        lambda: desk.rename("files/photos/2019", "files/photos/mountpoint"),
    ):
        with pytest.raises(NotPermitted):
            attempt()


def test_no_symlink_leads_a_change_out_of_the_source(desk: Desk, workshop: Any, tmp_path: Any):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_bytes(b"kept")
    desk.operations.mkdir(*desk.at("files/photos/folder"), 0o755, ME)
    folder = desk.walk("files/photos/folder").nodeid
    # The folder that the kernel knows is replaced by a way out, behind its back.
    (workshop.root / "folder").rmdir()
    (workshop.root / "folder").symlink_to(outside)
    for attempt in (
        lambda: desk.operations.create(folder, b"new", 0o644, os.O_RDWR, ME),
        lambda: desk.operations.unlink(folder, b"kept", ME),
        lambda: desk.operations.mkdir(folder, b"new", 0o755, ME),
        lambda: desk.operations.listing(folder),
    ):
        with pytest.raises((NotFound, NotADirectory, Stale)):
            attempt()
    (workshop.root / "name").symlink_to(outside / "kept")
    name = desk.walk("files/photos/name").nodeid
    for flags in (os.O_WRONLY | os.O_TRUNC, os.O_RDONLY):
        assert refused(lambda flags=flags: desk.operations.open(name, flags, ME)) in (
            "ELOOP",
            "EPERM",
        )
    assert (
        refused(
            lambda: desk.operations.create(*desk.at("files/photos/name"), 0o644, os.O_WRONLY, ME)
        )
        == "ELOOP"
    )
    desk.operations.setattr(name, Changes(uid=4711), ME)
    assert os.listdir(outside) == ["kept"]
    assert (outside / "kept").read_bytes() == b"kept"
    assert (outside / "kept").stat().st_uid != 4711


# --- numbers --------------------------------------------------------------------------------------------------


def test_each_name_told_is_one_lookup(desk: Desk):
    table = desk.operations.table
    desk.walk("files/photos")
    before = len(table)
    parent = desk.walk("files/photos").nodeid
    made, opened = desk.operations.create(parent, b"a", 0o644, os.O_RDWR, ME)
    folder = desk.operations.mkdir(parent, b"folder", 0o755, ME)
    linked = desk.operations.link(made.nodeid, parent, b"b", ME)
    desk.close(opened)
    assert linked.nodeid == made.nodeid
    assert len(table) == before + 2
    desk.operations.forget(made.nodeid, 1)
    assert len(table) == before + 2
    desk.operations.forget(made.nodeid, 1)
    desk.operations.forget(folder.nodeid, 1)
    assert len(table) == before


def test_the_next_server_finds_what_the_kernel_remembers(workshop: Any):
    pages = Pages()
    first = Desk(workshop, pages)
    paths = (
        "files/photos/2019/rome",
        "files/photos/2019/rome/IMG_0001.jpg",
        "by-date/2019/07",
        "by-date/2019/07/IMG_0001.jpg",
        "places/Italy",
        "search/fountain",
        ".haven/by-id",
    )
    told = {path: first.walk(path) for path in paths}
    second = Desk(workshop, pages).operations
    for path in reversed(paths):
        found = second.getattr(told[path].nodeid)
        assert (found.nodeid, found.mode, found.size) == (
            told[path].nodeid,
            told[path].mode,
            told[path].size,
        ), path
    names = [name for name, _ in second.listing(told["by-date/2019/07"].nodeid).entries]
    assert names == [b"IMG_0001.jpg", b"IMG_0002.jpg"]
    made, opened = second.create(
        told["files/photos/2019/rome"].nodeid, b"new", 0o644, os.O_RDWR, ME
    )
    second.release(opened.handle)
    assert (workshop.root / "2019/rome/new").exists()
    for path in paths:
        second.forget(told[path].nodeid, 2)
    second.forget(made.nodeid, 1)
    third = Desk(workshop, pages).operations
    with pytest.raises(Stale):
        third.getattr(told["by-date/2019/07"].nodeid)


def test_an_asset_is_found_again_from_its_number_alone(workshop: Any):
    leaf = Desk(workshop).walk("types/photos/IMG_0001.jpg")
    later = Desk(workshop).operations
    assert later.getattr(leaf.nodeid).size == leaf.size
    opened = later.open(leaf.nodeid, os.O_RDONLY, ME)
    assert later.read(opened.handle, 0, 9) == b"2019/rome"
    later.release(opened.handle)
    later.forget(leaf.nodeid, 1)


# --- threads --------------------------------------------------------------------------------------------------


def test_many_threads_at_once_leave_everything_in_order(desk: Desk, workshop: Any):
    operations = desk.operations
    parent = desk.walk("files/photos").nodeid
    stop = threading.Event()

    def work(worker: int) -> None:
        for turn in range(40):
            name = b"%d-%d" % (worker, turn)
            made, opened = operations.create(parent, name, 0o644, os.O_RDWR, ME)
            operations.write(opened.handle, 0, name)
            operations.flush(opened.handle)
            operations.rename(parent, name, parent, b"moved-" + name, 0, ME)
            found = operations.lookup(parent, b"moved-" + name)
            assert found.nodeid == made.nodeid
            assert operations.read(opened.handle, 0, 99) == name
            if turn % 2:
                operations.unlink(parent, b"moved-" + name, ME)
            operations.release(opened.handle)
            operations.forget(made.nodeid, 2)

    def look() -> None:
        while not stop.is_set():
            for name, node in operations.listing(parent).entries:
                try:
                    found = operations.admit(node, parent, name)
                except (HavenError, OSError):
                    continue
                operations.forget(found.nodeid, 1)

    before = len(operations.table)
    with ThreadPoolExecutor(7) as pool:
        looking = pool.submit(look)
        working = [pool.submit(work, worker) for worker in range(6)]
        try:
            for each in working:
                each.result(60)
        finally:
            stop.set()
        looking.result(10)
    moved = {name for name in os.listdir(workshop.root) if name.startswith("moved-")}
    assert moved == {f"moved-{worker}-{turn}" for worker in range(6) for turn in range(0, 40, 2)}
    assert len(operations.handles) == 0
    assert len(operations.table) == before
    written = [news for news in desk.heard.news if news[0] == "written"]
    assert len(written) == 240
