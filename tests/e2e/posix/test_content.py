"""Bytes: what the suites of others leave out or only touch. Each sentence is one that some FUSE file system gets wrong."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.posix.calls import (
    GB,
    KEEP_SIZE,
    PUNCH_HOLE,
    ZERO_RANGE,
    as_person,
    fallocate,
    only_direct,
)

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.fuse


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


def test_a_file_that_may_only_be_appended_to_is_appended_to(place: Any, run: Any):
    path = place.files / "log"
    path.write_text("first\n")
    run("chattr", "+a", place.disk / "log")
    try:
        with path.open("a") as log, path.open("a") as other:
            for file, line in ((log, "second\n"), (other, "third\n"), (log, "fourth\n")):
                file.write(line)
                file.flush()
        assert path.read_text() == "first\nsecond\nthird\nfourth\n"
        for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND | os.O_TRUNC):
            with pytest.raises(PermissionError):
                os.open(path, flags)
        with path.open("a") as log, pytest.raises(PermissionError):
            os.ftruncate(log.fileno(), 0)
    finally:
        run("chattr", "-a", place.disk / "log")


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


def test_a_folder_is_listed_as_it_is_when_it_is_first_read_and_anew_when_it_is_read_again(
    place: Any,
):
    folder = os.open(place.files, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in ("a", "b"):
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=folder))
        assert sorted(os.listdir(folder)) == ["a", "b"]
        os.unlink("a", dir_fd=folder)
        assert os.listdir(folder) == ["b"]
    finally:
        os.close(folder)


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
