"""Names: what the suites of others leave out or only touch. Each sentence is one that some FUSE file system gets wrong."""

from __future__ import annotations

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.posix.calls import (
    ALICE,
    EXCHANGE,
    FAMILY,
    NOREPLACE,
    WHITEOUT,
    only_direct,
    renameat2,
)

pytestmark = pytest.mark.fuse


def test_an_open_file_lives_on_without_a_name(place: Any):
    path = place.files / "file"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    os.write(descriptor, b"hello")
    path.unlink()
    assert os.listdir(place.disk) == []
    assert os.fstat(descriptor).st_nlink == 0
    os.write(descriptor, b" world")
    os.fchmod(descriptor, 0o640)
    os.fchown(descriptor, ALICE, FAMILY)
    os.utime(descriptor, ns=(5, 6))
    os.setxattr(descriptor, "user.a", b"b")
    os.ftruncate(descriptor, 8)
    status = os.fstat(descriptor)
    assert (status.st_size, stat.S_IMODE(status.st_mode), status.st_uid) == (8, 0o640, ALICE)
    assert (status.st_mtime_ns > 6, os.getxattr(descriptor, "user.a")) == (True, b"b")
    assert os.pread(descriptor, 100, 0) == b"hello wo"
    path.write_text("another")  # its name is free
    assert os.fstat(descriptor).st_size == 8
    again = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY)
    assert os.pread(again, 100, 0) == b"hello wo"
    os.close(again)
    os.close(descriptor)
    assert path.read_text() == "another"


@pytest.mark.parametrize("another", [False, True])
@pytest.mark.parametrize("how", ["rmdir", "rename"])
def test_a_removed_folder_lives_on_while_somebody_stands_in_it(
    place: Any, another: bool, how: str
) -> None:
    folder = place.files / "above/folder"
    folder.mkdir(parents=True)
    descriptor = os.open(folder, os.O_RDONLY)
    before = Path.cwd()
    os.chdir(folder)
    try:
        if how == "rmdir":
            folder.rmdir()
        else:
            (place.files / "new").mkdir()
            (place.files / "new").rename(folder)
            folder.rmdir()
        if another:
            folder.mkdir()
            (folder / "file").touch()
        here = os.stat(".")
        assert os.path.samestat(here, os.fstat(descriptor))
        assert here.st_nlink == 0
        assert (os.listdir("."), os.listdir(descriptor)) == ([], [])
        os.fchmod(descriptor, 0o700)
        os.fchown(descriptor, ALICE, FAMILY)
        os.utime(descriptor, ns=(5, 6))
        os.fsync(descriptor)
        here = os.stat(".")
        assert (stat.S_IMODE(here.st_mode), here.st_uid, here.st_mtime_ns) == (0o700, ALICE, 6)
        assert os.path.samestat(os.stat(".."), (place.files / "above").stat())
        with pytest.raises(FileNotFoundError):
            os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor)
        with pytest.raises(FileNotFoundError):
            os.getcwd()
        if another:
            assert os.listdir(folder) == ["file"]
            assert stat.S_IMODE(folder.stat().st_mode) != 0o700
    finally:
        os.chdir(before)
        os.close(descriptor)


def test_a_file_renamed_over_lives_on_while_it_is_open(place: Any):
    old, new = place.files / "old", place.files / "new"
    old.write_text("old")
    new.write_text("new")
    with old.open() as file:
        number = os.fstat(file.fileno()).st_ino
        os.rename(new, old)
        assert os.fstat(file.fileno()).st_nlink == 0
        assert os.fstat(file.fileno()).st_ino == number != old.stat().st_ino
        assert file.read() == "old"
    assert old.read_text() == "new"


@only_direct
def test_a_file_without_a_name_can_be_given_one(place: Any):
    descriptor = os.open(place.files, os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(descriptor, b"made in secret")
    assert os.fstat(descriptor).st_nlink == 0
    assert os.listdir(place.files) == []
    folder = os.open(place.files, os.O_RDONLY | os.O_DIRECTORY)
    os.link(f"/proc/self/fd/{descriptor}", "shown", dst_dir_fd=folder, follow_symlinks=True)
    os.close(folder)
    os.close(descriptor)
    assert (place.disk / "shown").read_bytes() == b"made in secret"
    assert (place.files / "shown").stat().st_nlink == 1


def test_hard_links_are_one_inode_whose_count_is_always_right(place: Any):
    first, second = place.files / "first", place.files / "second"
    first.write_text("x")
    assert first.stat().st_nlink == 1
    os.link(first, second)
    assert first.stat().st_ino == second.stat().st_ino
    assert first.stat().st_nlink == second.stat().st_nlink == 2
    ctime = first.stat().st_ctime_ns
    second.write_text("longer")
    assert first.stat().st_size == 6
    assert first.read_text() == "longer"
    second.unlink()
    assert first.stat().st_nlink == 1
    assert first.stat().st_ctime_ns > ctime
    second.write_text("anew")
    os.rename(second, first)
    assert first.read_text() == "anew"
    assert first.stat().st_nlink == 1


def test_two_links_of_one_file_renamed_onto_each_other_stay(place: Any):
    (place.files / "a").write_text("x")
    os.link(place.files / "a", place.files / "b")
    os.rename(place.files / "a", place.files / "b")
    assert sorted(os.listdir(place.files)) == ["a", "b"]


def test_rename_has_its_flags(place: Any):
    a, b, folder = place.files / "a", place.files / "b", place.files / "folder"
    a.write_text("a")
    folder.mkdir()
    (folder / "inside").write_text("inside")
    assert renameat2(a, b, NOREPLACE) == 0
    assert renameat2(b, folder, NOREPLACE) == errno.EEXIST
    assert renameat2(b, folder, EXCHANGE) == 0
    assert (folder.read_text(), (b / "inside").read_text()) == ("a", "inside")
    assert sorted(os.listdir(place.disk)) == ["b", "folder"]
    assert renameat2(a, b, EXCHANGE) == errno.ENOENT
    assert renameat2(b, a, WHITEOUT) == errno.EINVAL


def test_a_moved_folder_takes_everything_along(place: Any):
    for folder in ("from/deep/er", "to"):
        (place.files / folder).mkdir(parents=True)
    (place.files / "from/deep/er/file").write_text("here")
    with (place.files / "from/deep/er/file").open("a") as file:
        here = os.open(place.files / "from/deep/er", os.O_RDONLY | os.O_DIRECTORY)
        os.rename(place.files / "from/deep", place.files / "to/deep")
        assert (place.files / "to/deep/er/file").read_text() == "here"
        file.write(" and there")
        file.flush()
        assert os.listdir(here) == ["file"]
        os.close(os.open("new", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        os.close(here)
    assert (place.disk / "to/deep/er/file").read_text() == "here and there"
    assert (place.disk / "to/deep/er/new").exists()
    assert not (place.files / "from/deep").exists()
    with pytest.raises(OSError, match="Invalid argument"):
        os.rename(place.files / "to", place.files / "to/deep/er/to")


def test_names_and_paths_have_their_limits(place: Any):
    (place.files / ("x" * 255)).touch()
    for call in (os.stat, os.mkdir, os.unlink, os.rmdir):
        with pytest.raises(OSError, match="too long"):
            call(place.files / ("x" * 256))
    with pytest.raises(OSError, match="too long"):
        os.stat(f"{place.files}/" + "./" * 2048)
    os.symlink("loop", place.files / "loop")
    with pytest.raises(OSError, match="Too many levels"):
        (place.files / "loop").read_text()
    with pytest.raises(OSError, match="Too many levels"):
        os.open(place.files / "loop", os.O_RDONLY | os.O_NOFOLLOW)


def test_the_server_never_follows_a_symlink(place: Any, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (place.files / "out").symlink_to(outside)
    (place.files / "file").symlink_to("/etc/hostname")
    assert os.readlink(place.files / "out") == str(outside)
    assert os.readlink(place.disk / "out") == str(outside)
    assert (place.files / "out").lstat().st_size == len(str(outside))
    # What was a folder a moment ago, and that the kernel still believes in, must not lead the server away.
    (place.files / "folder").mkdir()
    (place.files / "folder/secret").write_text("mine")
    here = os.open(place.files / "folder", os.O_RDONLY | os.O_DIRECTORY)
    (place.disk / "folder").rename(place.disk / "aside")
    (place.disk / "folder").symlink_to(outside)
    for reach in (
        lambda: os.open("secret", os.O_RDONLY, dir_fd=here),
        lambda: os.open("new", os.O_CREAT | os.O_RDWR, dir_fd=here),
        lambda: os.unlink("secret", dir_fd=here),
    ):
        try:
            reached = reach()
        except OSError:
            continue
        if reached is not None:
            assert os.pread(reached, 100, 0) != b"secret"
            os.close(reached)
    os.close(here)
    assert os.listdir(outside) == ["secret"]
    assert (outside / "secret").read_text() == "secret"


def test_special_files_are_made_and_used_as_what_they_are(place: Any):
    os.mkfifo(place.files / "fifo")
    with ThreadPoolExecutor(1) as other:
        read = other.submit((place.files / "fifo").read_text)
        (place.files / "fifo").write_text("through a pipe")
        assert read.result(10) == "through a pipe"
    os.mknod(place.files / "device", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    assert (place.files / "device").stat().st_rdev == os.makedev(1, 3)
    with pytest.raises(PermissionError):
        (
            place.files / "device"
        ).read_bytes()  # the mount is nodev: a photo library runs no hardware
