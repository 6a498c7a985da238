"""Bytes and attributes of originals, through Operations and without a kernel: what reaches the disk, and who hears of it."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.errors import HavenError, Stale
from havenfs.originals.metadata import NOW, Changes
from tests.daemon.desk import KEEP_SIZE, ME, PUNCH_HOLE, Desk, refused

if TYPE_CHECKING:
    from pathlib import Path

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
