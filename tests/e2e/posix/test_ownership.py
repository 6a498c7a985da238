"""Whose what is: what the suites of others leave out or only touch. Each sentence is one that some FUSE file system gets wrong."""

from __future__ import annotations

import os
import stat
from typing import Any

import pytest

from tests.e2e.posix.calls import ALICE, BOB, FAMILY, GUESTS, as_person

pytestmark = pytest.mark.fuse


def test_what_somebody_makes_is_theirs(place: Any):
    for code, name in (
        ("open(a[0], 'x').close()", "file"),
        ("os.mkdir(a[0])", "folder"),
        ("os.symlink('x', a[0])", "link"),
        ("os.mkfifo(a[0])", "fifo"),
    ):
        assert as_person(code, place.files / name, uid=ALICE, gid=FAMILY) == "ok"
        status = (place.disk / name).lstat()
        assert (status.st_uid, status.st_gid) == (ALICE, FAMILY)
        assert (place.files / name).lstat().st_uid == ALICE


def test_a_folder_with_set_group_id_hands_its_group_on(place: Any):
    (place.disk / "shared").mkdir()
    os.chown(place.disk / "shared", ALICE, GUESTS)
    (place.disk / "shared").chmod(0o2777)
    assert as_person("os.mkdir(a[0])", place.files / "shared/sub", uid=BOB, gid=FAMILY) == "ok"
    assert as_person("open(a[0], 'x')", place.files / "shared/f", uid=BOB, gid=FAMILY) == "ok"
    assert (place.files / "shared/sub").stat().st_gid == GUESTS
    assert (place.files / "shared/sub").stat().st_mode & stat.S_ISGID
    assert (place.files / "shared/f").stat().st_gid == GUESTS


def test_supplementary_groups_count(place: Any):
    (place.disk / "ours").mkdir(0o770)
    os.chown(place.disk / "ours", 0, FAMILY)
    (place.disk / "ours").chmod(0o770)
    new = place.files / "ours/new"
    assert as_person("open(a[0], 'x')", new, uid=BOB, gid=GUESTS) == "EACCES"
    assert as_person("open(a[0], 'x')", new, uid=BOB, gid=GUESTS, groups=(FAMILY,)) == "ok"
    # A member may give a file to a group of theirs, and to no other.
    chown = "os.chown(a[0], -1, int(a[1]))"
    assert as_person(chown, new, FAMILY, uid=BOB, gid=GUESTS, groups=(FAMILY,)) == "ok"
    assert new.stat().st_gid == FAMILY
    assert as_person(chown, new, 5999, uid=BOB, gid=GUESTS, groups=(FAMILY,)) == "EPERM"


def test_in_a_sticky_folder_only_owners_remove(place: Any):
    place.disk.chmod(0o1777)
    assert as_person("open(a[0], 'x')", place.files / "hers", uid=ALICE, gid=FAMILY) == "ok"
    for code in ("os.unlink(a[0])", "os.rename(a[0], a[0] + '2')"):
        assert as_person(code, place.files / "hers", uid=BOB, gid=FAMILY) in ("EPERM", "EACCES")
    assert as_person("os.unlink(a[0])", place.files / "hers", uid=ALICE, gid=FAMILY) == "ok"


@pytest.mark.parametrize(
    "change",
    ["open(a[0], 'r+b').write(b'x')", "os.truncate(a[0], 1)", "open(a[0], 'wb')"],
    ids=["write", "truncate", "open"],
)
def test_somebody_elses_change_takes_set_user_id_away(place: Any, change: str):
    for mode, left in ((0o6777, 0o777), (0o4766, 0o766)):
        program = place.files / f"program {mode:o}"
        program.write_bytes(b"1234")
        program.chmod(mode)
        assert as_person(change, program, uid=BOB, gid=GUESTS) == "ok"
        assert oct(stat.S_IMODE((place.disk / program.name).stat().st_mode)) == oct(left)
        assert oct(stat.S_IMODE(program.stat().st_mode)) == oct(left)


def test_a_new_owner_takes_set_user_id_away(place: Any):
    program = place.files / "program"
    program.touch()
    program.chmod(0o6755)
    os.chown(program, ALICE, FAMILY)
    assert stat.S_IMODE(program.stat().st_mode) == 0o755


def test_times_are_set_by_whom_they_may_be(place: Any):
    path = place.files / "file"
    path.touch()
    path.chmod(0o666)
    assert as_person("os.utime(a[0])", path, uid=BOB, gid=FAMILY) == "ok"  # now: who may write
    assert (
        as_person("os.utime(a[0], (1, 1))", path, uid=BOB, gid=FAMILY) == "EPERM"
    )  # else the owner
    path.chmod(0o644)
    assert as_person("os.utime(a[0])", path, uid=BOB, gid=FAMILY) == "EACCES"


def test_an_access_control_list_on_the_disk_lets_in_whom_it_names(place: Any, run: Any):
    path = place.disk / "letter"
    path.write_text("dear")
    path.chmod(0o600)
    read = "open(a[0]).read()"
    assert as_person(read, place.files / "letter", uid=ALICE, gid=FAMILY) == "EACCES"
    run("setfacl", "-m", f"u:{ALICE}:r", place.files / "letter")
    assert f"user:{ALICE}:r--" in run("getfacl", "-n", "-p", path)
    assert as_person(read, path, uid=ALICE, gid=FAMILY) == "ok"
    assert as_person(read, place.files / "letter", uid=ALICE, gid=FAMILY) == "ok"
    assert as_person(read, place.files / "letter", uid=BOB, gid=FAMILY) == "EACCES"
    write = "open(a[0], 'a')"
    assert as_person(write, place.files / "letter", uid=ALICE, gid=FAMILY) == "EACCES"


def test_a_default_access_control_list_is_inherited(place: Any, run: Any):
    (place.files / "folder").mkdir()
    run("setfacl", "-d", "-m", f"u:{ALICE}:rwx,o::-", place.files / "folder")
    (place.files / "folder/file").touch()
    (place.files / "folder/sub").mkdir()
    for name in ("folder/file", "folder/sub"):
        shown = run("getfacl", "-n", "-p", "-c", place.files / name)
        assert f"user:{ALICE}:rwx" in shown
        assert "other::---" in shown
        assert shown == run("getfacl", "-n", "-p", "-c", place.disk / name)


@pytest.mark.parametrize("flag", ["i", "a"], ids=["immutable", "append-only"])
def test_flags_of_the_disk_hold(place: Any, run: Any, flag: str):
    path = place.disk / "file"
    path.write_text("kept")
    run("chattr", f"+{flag}", path)
    try:
        for change in (
            lambda: os.unlink(place.files / "file"),
            lambda: os.truncate(place.files / "file", 0),
            lambda: os.chmod(place.files / "file", 0o600),
            lambda: os.rename(place.files / "file", place.files / "moved"),
            lambda: os.link(place.files / "file", place.files / "other"),
        ):
            with pytest.raises(OSError, match="not permitted"):
                change()
        assert (place.files / "file").read_text() == "kept"
    finally:
        run("chattr", f"-{flag}", path)
    (place.files / "file").unlink()
