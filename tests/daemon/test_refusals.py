"""What changes of originals are refused, and in whose name they are made, through Operations and without a kernel."""

from __future__ import annotations

import os
import stat
from typing import Any

import pytest

from havenfs.errors import NotADirectory, NotFound, NotPermitted, ReadOnly, Stale
from havenfs.originals.metadata import NOW, Changes
from tests.daemon.desk import ME, SOMEBODY, Desk, as_root, refused

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
