"""Names of originals, through Operations and without a kernel: that go, that move, and the numbers behind them."""

from __future__ import annotations

import os
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from havenfs.errors import Stale
from havenfs.originals.metadata import Changes
from tests.daemon.desk import EXCHANGE, ME, NOREPLACE, Desk, Pages, refused

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
