"""What the suites of others leave out or only touch: each sentence here is one that some FUSE file system gets wrong."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.fuse

ALICE, BOB, FAMILY, GUESTS = 4001, 4002, 5001, 5002
GB = 1 << 30
NOREPLACE, EXCHANGE, WHITEOUT = 1, 2, 4
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16
libc = ctypes.CDLL(None, use_errno=True)

# libfuse's Python binding knows neither: what its programs meet is EOPNOTSUPP, or no holes.
only_direct = pytest.mark.parametrize("transport", ["direct"], indirect=True)


def as_person(
    code: str, *arguments: object, uid: int, gid: int, groups: tuple[int, ...] = ()
) -> str:
    """Run lines of Python as somebody else; "ok", or the name of the error that ended them."""
    program = f"""
import errno, os, sys
a = sys.argv[1:]
try:
    {code}
except OSError as error:
    print(errno.errorcode[error.errno])
else:
    print("ok")
"""
    return subprocess.run(
        ["/usr/bin/python3", "-I", "-c", program, *map(str, arguments)],
        user=uid,
        group=gid,
        extra_groups=groups,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        umask=0o022,
    ).stdout.strip()


def renameat2(old: Path, new: Path, flags: int) -> int:
    """0 or an errno."""
    done = libc.renameat2(-100, bytes(old), -100, bytes(new), flags)
    return ctypes.get_errno() if done else 0


def fallocate(descriptor: int, mode: int, offset: int, length: int) -> int:
    done = libc.fallocate(descriptor, mode, ctypes.c_longlong(offset), ctypes.c_longlong(length))
    return ctypes.get_errno() if done else 0


# --- whose is it ----------------------------------------------------------------------------------------------


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


# --- names ----------------------------------------------------------------------------------------------------


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


# --- bytes ----------------------------------------------------------------------------------------------------


def test_open_flags_mean_what_they_say(place: Any):
    path = place.files / "file"
    path.write_text("0123456789")
    with pytest.raises(FileExistsError):
        os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    with pytest.raises(NotADirectoryError):
        os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    with pytest.raises(IsADirectoryError):
        os.open(place.files, os.O_WRONLY)
    one, two = (os.open(path, os.O_WRONLY | os.O_APPEND) for _ in range(2))
    for turn in range(3):
        os.write(one, b"a%d" % turn)
        os.write(two, b"b%d" % turn)
    assert path.read_text() == "0123456789a0b0a1b1a2b2"
    os.close(one)
    os.close(two)
    os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))
    assert (path.stat().st_size, (place.disk / "file").stat().st_size) == (0, 0)
    reading = os.open(path, os.O_RDONLY)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(reading, b"x")
    os.close(reading)


def test_many_appenders_never_overwrite_each_other(place: Any):
    code = "f = os.open(a[0], os.O_WRONLY | os.O_APPEND | os.O_CREAT)\n    for i in range(300): os.write(f, a[1].encode() * 100 + b'\\n')"
    with ThreadPoolExecutor(4) as people:
        done = [
            people.submit(as_person, code, place.files / "log", letter, uid=0, gid=0)
            for letter in "abcd"
        ]
        assert [one.result() for one in done] == ["ok"] * 4
    lines = (place.disk / "log").read_bytes().split()
    assert sorted(lines) == sorted(letter * 100 for letter in (b"a", b"b", b"c", b"d") * 300)


def test_direct_reads_and_writes_arrive(place: Any):
    with mmap.mmap(-1, 8192) as aligned:
        aligned[:] = os.urandom(8192)
        descriptor = os.open(place.files / "file", os.O_RDWR | os.O_CREAT | os.O_DIRECT)
        assert os.pwrite(descriptor, aligned, 4096) == 8192
        assert (place.disk / "file").read_bytes() == bytes(4096) + aligned[:]
        assert (place.files / "file").read_bytes() == bytes(4096) + aligned[:]
        given = aligned[:]
        aligned[:] = bytes(8192)
        assert os.preadv(descriptor, [aligned], 4096) == 8192
        assert aligned[:] == given
        os.close(descriptor)


def test_a_running_program_cannot_be_written_to(place: Any):
    program = place.files / "sleep"
    shutil.copy("/bin/sleep", program)
    process = subprocess.Popen([program, "30"])
    try:
        with pytest.raises(OSError, match="Text file busy"):
            program.open("r+b")
    finally:
        process.kill()
        process.wait()
    with program.open("r+b"), pytest.raises(OSError, match="Text file busy"):
        subprocess.Popen([program, "0"])
    subprocess.run([program, "0"], check=True)


def test_times_keep_their_nanoseconds_also_before_1970(place: Any):
    path = place.files / "file"
    path.touch()
    for moment in (
        1_234_567_890_123_456_789,
        -1,
        -1_000_000_000,
        -86_400_000_000_001,
        4_000_000_000 * 10**9,
    ):
        os.utime(path, ns=(moment, moment + 7))
        for side in (path, place.disk / "file"):
            assert (side.stat().st_atime_ns, side.stat().st_mtime_ns) == (moment, moment + 7)
    before = path.stat()
    path.chmod(0o600)
    assert path.stat().st_ctime_ns > before.st_ctime_ns
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_a_write_moves_mtime_and_a_new_entry_that_of_its_folder(place: Any):
    path = place.files / "file"
    path.touch()
    os.utime(path, ns=(1, 1))
    os.utime(place.files, ns=(1, 1))
    with path.open("ab") as file:
        file.write(b"x")
    assert path.stat().st_mtime_ns > 1
    assert path.stat().st_mtime_ns == (place.disk / "file").stat().st_mtime_ns
    assert place.files.stat().st_mtime_ns == 1
    for change in (
        lambda: (place.files / "new").touch(),
        lambda: os.rename(place.files / "new", place.files / "newer"),
        lambda: os.unlink(place.files / "newer"),
        lambda: os.mkdir(place.files / "folder"),
        lambda: os.rmdir(place.files / "folder"),
    ):
        os.utime(place.files, ns=(1, 1))
        change()
        assert place.files.stat().st_mtime_ns > 1
    assert place.files.stat().st_nlink == 2
    (place.files / "folder").mkdir()
    assert place.files.stat().st_nlink == 3


@only_direct
def test_a_sparse_file_of_8_gb_keeps_its_holes(place: Any):
    path = place.files / "film"
    with path.open("w+b") as file:
        file.truncate(8 * GB)
        file.seek(8 * GB - 5)
        file.write(b"the end")
        file.seek(5 * GB)
        file.write(b"middle")
        file.flush()
        descriptor = file.fileno()
        assert os.lseek(descriptor, 0, os.SEEK_DATA) == 5 * GB
        assert os.lseek(descriptor, 5 * GB, os.SEEK_HOLE) == 5 * GB + 4096
        assert os.lseek(descriptor, 5 * GB + 4096, os.SEEK_DATA) == 8 * GB - 4096
        with pytest.raises(OSError, match="No such device or address"):
            os.lseek(descriptor, 9 * GB, os.SEEK_DATA)
    status = path.stat()
    assert (status.st_size, status.st_blocks <= 64) == (8 * GB + 2, True)
    with path.open("rb") as file:
        file.seek(8 * GB - 6)
        assert file.read() == b"\0the end"


@only_direct
def test_room_is_reserved_punched_and_zeroed(place: Any):
    path = place.files / "file"
    path.write_bytes(b"x" * 65536)
    with path.open("r+b") as file:
        descriptor = file.fileno()
        assert fallocate(descriptor, KEEP_SIZE, 0, 1 << 20) == 0
        assert (path.stat().st_size, path.stat().st_blocks >= 2048) == (65536, True)
        assert fallocate(descriptor, PUNCH_HOLE | KEEP_SIZE, 4096, 8192) == 0
        assert fallocate(descriptor, ZERO_RANGE, 60000, 10000) == 0
        assert fallocate(descriptor, 0, 0, 100_000) == 0
        wanted = bytearray(b"x" * 60000 + bytes(40000))
        wanted[4096:12288] = bytes(8192)
        assert path.read_bytes() == wanted == (place.disk / "file").read_bytes()
        assert fallocate(descriptor, PUNCH_HOLE, 0, 4096) == errno.EOPNOTSUPP
        assert fallocate(descriptor, 0, -1, 4096) == errno.EINVAL


def test_bytes_are_copied_from_file_to_file_by_the_kernel(place: Any):
    data = os.urandom(300_000)
    (place.files / "from").write_bytes(data)
    with (place.files / "from").open("rb") as source, (place.files / "to").open("w+b") as target:
        assert os.copy_file_range(source.fileno(), target.fileno(), 200_000, 1000, 50) == 200_000
        assert (place.files / "to").read_bytes() == bytes(50) + data[1000:201_000]
        assert os.sendfile(target.fileno(), source.fileno(), 250_000, 100) == 100
    assert (place.disk / "to").stat().st_size == 200_050


def test_a_shared_map_is_the_file(place: Any):
    path = place.files / "file"
    path.write_bytes(bytes(20_000))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as shared:
        shared[5000:5005] = b"hello"
        assert os.pread(file.fileno(), 5, 5000) == b"hello"
        os.pwrite(file.fileno(), b"world", 9000)
        assert shared[9000:9005] == b"world"
        with path.open("r+b") as other, mmap.mmap(other.fileno(), 0) as twin:
            twin[0] = 65
            assert shared[0] == 65
        shared.flush()
        assert (place.disk / "file").read_bytes()[5000:5005] == b"hello"
    assert (place.disk / "file").read_bytes()[0] == 65


@pytest.mark.parametrize("kind", ["flock", "posix", "ofd"])
def test_a_lock_is_respected_by_other_programs(place: Any, kind: str):
    path = place.files / "file"
    path.write_text("0123456789")
    calls = {
        "flock": "fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "posix": "fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 2)",
        "ofd": "fcntl.fcntl(f, 37, struct.pack('hhqqixxxx', fcntl.F_WRLCK, 0, 2, 5, 0))",
    }
    code = f"import fcntl, struct; f = os.open(a[0], os.O_RDWR); {calls[kind]}"
    with path.open("r+b") as file:
        if kind == "flock":
            fcntl.flock(file, fcntl.LOCK_EX)
        else:
            fcntl.lockf(file, fcntl.LOCK_EX, 4, 0)
        assert as_person(code, path, uid=0, gid=0) == "EAGAIN"
    assert as_person(code, path, uid=0, gid=0) == "ok"


def test_statfs_is_that_of_the_disk(place: Any):
    ours, disk = os.statvfs(place.files), os.statvfs(place.disk)
    assert (ours.f_blocks * ours.f_frsize, ours.f_files, ours.f_namemax) == (
        disk.f_blocks * disk.f_frsize,
        disk.f_files,
        disk.f_namemax,
    )


def test_a_folder_of_5_000_is_listed_while_it_is_emptied(place: Any):
    for number in range(5_000):
        os.close(os.open(place.disk / f"{number:04}", os.O_CREAT | os.O_WRONLY))
    seen: list[str] = []
    with os.scandir(place.files) as entries:
        for entry in entries:
            seen.append(entry.name)
            if len(seen) % 2:
                os.unlink(entry.path)
    assert sorted(seen) == [f"{number:04}" for number in range(5_000)]
    assert len(os.listdir(place.files)) == len(os.listdir(place.disk)) == 2_500


def test_what_changes_on_the_disk_below_is_seen_within_seconds(
    place: Any, until: Callable[[Callable[[], object]], float]
):
    (place.files / "file").write_text("ours")
    assert (place.files / "file").read_text() == "ours"
    (place.disk / "file").write_text("changed below")

    def changed() -> bool:
        return (place.files / "file").read_text() == "changed below"

    assert until(changed) < 3
    (place.disk / "file").rename(place.disk / "moved")
    assert until(lambda: [p.name for p in place.files.iterdir()] == ["moved"]) < 3
    assert until(lambda: not (place.files / "file").exists()) < 3
