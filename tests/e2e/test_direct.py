"""What only the direct transport promises, asked of the kernel."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from havend.direct import capabilities, device, wire

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

pytestmark = [
    pytest.mark.fuse,
    pytest.mark.parametrize("transport", ["direct"], indirect=True, scope="session"),
]

RELEASE = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
MIB = 1 << 20
F_OFD_SETLK, F_OFD_SETLKW = 37, 38


@pytest.fixture
def mount(workshop: Any, serve: Any) -> Iterator[Any]:
    with serve(workshop.state.root, workshop.root.parent / "mount") as mount:
        mount.originals = workshop.root
        mount.desk = workshop.root.parent / "desk"
        yield mount


def server(mount: Any) -> int:
    """The process that answers: the child of the one that holds the mount."""
    children = Path(f"/proc/{mount.process.pid}/task/{mount.process.pid}/children").read_text()
    return int(children.split()[0])


def bytes_read(pid: int) -> int:
    """By system calls of a process."""
    return int(Path(f"/proc/{pid}/io").read_text().split()[1])


@pytest.mark.skipif(RELEASE < (6, 9), reason="this kernel has no passthrough")
def test_reads_and_writes_of_originals_do_not_pass_through_the_server(mount: Any) -> None:
    (mount.originals / "2019/large.bin").write_bytes(os.urandom(8 * MIB))
    path = mount.point / "files/photos/2019/large.bin"
    before = bytes_read(server(mount))
    assert path.read_bytes() == (mount.originals / "2019/large.bin").read_bytes()
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[:5] = b"mmap!"
        file.seek(4 * MIB)
        file.write(b"w" * MIB)
    assert bytes_read(server(mount)) - before < MIB
    content = (mount.originals / "2019/large.bin").read_bytes()
    assert content[:5] == b"mmap!"
    assert content[4 * MIB : 5 * MIB] == b"w" * MIB


def test_one_file_open_in_every_way_at_once(mount: Any) -> None:
    path = mount.point / "files/desk/file"
    path.write_bytes(b"0123456789")
    descriptors = [
        os.open(path, flags)
        for flags in (
            os.O_RDONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND, os.O_RDONLY | os.O_DIRECT, os.O_RDONLY,
        )
    ]  # fmt: skip
    try:
        os.write(descriptors[2], b"more")
        os.pwrite(descriptors[1], b"X", 0)
        assert os.pread(descriptors[0], 20, 0) == b"X123456789more"
        path.unlink()
        assert os.pread(descriptors[4], 20, 0) == b"X123456789more"
        assert os.fstat(descriptors[0]).st_nlink == 0
        with (mount.point / ".haven/status.json").open("rb") as text:
            assert text.read(1) == b"{"
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def test_a_deleted_file_gives_its_space_back_when_it_is_closed(mount: Any) -> None:
    path = mount.point / "files/desk/file"
    with path.open("wb") as file:
        file.write(b"x" * 32 * MIB)
        file.flush()
        os.fsync(file.fileno())
        path.unlink()
        full = os.statvfs(mount.desk).f_bfree
    deadline = time.monotonic() + 5
    while os.statvfs(mount.desk).f_bfree < full + 16 * MIB // 4096:
        assert time.monotonic() < deadline, "the backing id pins it"
        time.sleep(0.02)


def test_what_others_write_to_an_original_is_read_at_once(mount: Any) -> None:
    path, original = mount.point / "files/desk/file", mount.desk / "file"
    original.write_bytes(b"old")
    with path.open("rb", buffering=0) as file:
        assert file.read() == b"old"
        original.write_bytes(b"newer")
        assert os.pread(file.fileno(), 10, 0) == b"newer"


def test_a_view_and_the_folder_show_one_inode_number(mount: Any) -> None:
    viewed = mount.point / "by-date/2019/07/IMG_0001.jpg"
    original = mount.point / "files/photos/2019/rome/IMG_0001.jpg"
    assert viewed.stat().st_ino == original.stat().st_ino
    assert viewed.read_bytes() == original.read_bytes()
    with pytest.raises(PermissionError):
        viewed.open("r+b")


@pytest.mark.usefixtures("open_house")
def test_set_user_id_does_not_survive_a_strangers_write(mount: Any) -> None:
    path = mount.point / "files/desk/tool"
    path.write_bytes(b"x")
    path.chmod(0o6777)
    writing = (
        "import os, sys; os.setgid(65534); os.setuid(65534); open(sys.argv[1], 'r+b').write(b'y')"
    )
    subprocess.run([sys.executable, "-c", writing, path], check=True)
    assert (mount.desk / "tool").stat().st_mode & 0o7777 == 0o777
    assert path.stat().st_mode & 0o7777 == 0o777


def test_the_umask_holds_except_below_a_default_access_list(mount: Any) -> None:
    old = os.umask(0o027)
    try:
        (mount.point / "files/desk/plain").mkdir()
        (mount.point / "files/desk/plain/file").write_bytes(b"")
        (mount.point / "files/desk/shared").mkdir()
        subprocess.run(
            ["setfacl", "-d", "-m", "u::rwx,g::rwx,o::rx", mount.point / "files/desk/shared"],
            check=True,
        )
        (mount.point / "files/desk/shared/file").write_bytes(b"")
    finally:
        os.umask(old)
    assert (mount.desk / "plain/file").stat().st_mode & 0o777 == 0o640
    assert (mount.desk / "shared/file").stat().st_mode & 0o777 == 0o664


# --- locks ------------------------------------------------------------------------------------------------------


_LOCKING = """
import fcntl, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
file = open(sys.argv[1], "r+b")
call = getattr(fcntl, sys.argv[2])
print("asking", flush=True)
call(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locking(path: Path, call: str) -> Generator[subprocess.Popen[bytes]]:
    """A process that locks a file, and lets go of it when its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", _LOCKING, path, call],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,  # select sees what is left
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"asking\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def locked(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether it has its lock, or gets it in so many seconds."""
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], seconds)
    return bool(readable) and process.stdout.readline() == b"locked\n"


@pytest.mark.parametrize("call", ["lockf", "flock"])
@pytest.mark.parametrize("first", ["mount", "original"])
def test_locks_hold_between_the_mount_and_the_original(mount: Any, call: str, first: str) -> None:
    (mount.desk / "file").write_bytes(b"x")
    paths = [mount.point / "files/desk/file", mount.desk / "file"]
    if first == "original":
        paths.reverse()
    with locking(paths[0], call) as holder:
        assert locked(holder, 10)
        with locking(paths[1], call) as waiter:
            assert not locked(waiter, 0.3)
            holder.communicate()  # it ends, and its descriptors with it
            assert locked(waiter, 2)


@pytest.mark.parametrize("call", ["lockf", "flock"])
def test_a_signal_ends_the_wait_for_a_lock(mount: Any, call: str) -> None:
    path = mount.point / "files/desk/file"
    path.write_bytes(b"x")
    with locking(path, call) as holder:
        assert locked(holder, 10)
        with locking(path, call) as waiter:
            assert not locked(waiter, 0.2)
            waiter.terminate()
            assert waiter.wait(2) == 7
        with locking(path, call) as next_one:
            holder.communicate()
            assert locked(next_one, 2)


def test_any_close_of_a_file_ends_the_posix_locks_of_its_process(mount: Any) -> None:
    path = mount.point / "files/desk/file"
    path.write_bytes(b"x")
    with path.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        with locking(path, "lockf") as other:
            assert not locked(other, 0.2)
            path.open("rb").close()
            assert locked(other, 2)


def test_the_holder_of_a_lock_is_named(mount: Any) -> None:
    path = mount.point / "files/desk/file"
    path.write_bytes(b"x")
    with locking(path, "lockf") as holder, path.open("r+b") as file:
        assert locked(holder, 10)
        asked = struct.pack("@hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack("@hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, asked))
        assert (kind, pid) == (fcntl.F_WRLCK, holder.pid)


@pytest.mark.parametrize("call", ["lockf", "flock"])
def test_a_lock_outlives_the_server_and_ends_with_its_holder(mount: Any, call: str) -> None:
    path = mount.point / "files/desk/file"
    path.write_bytes(b"x")
    with locking(path, call) as holder:
        assert locked(holder, 10)
        os.kill(server(mount), signal.SIGKILL)
        with locking(path, call) as waiter:
            assert not locked(waiter, 0.5)
            os.kill(server(mount), signal.SIGKILL)  # also the wait is taken up by the next one
            assert not locked(waiter, 0.5)
            holder.communicate()
            assert locked(waiter, 5)


@pytest.mark.parametrize("death", [False, True])
def test_a_lock_of_an_open_file_ends_when_that_is_closed(mount: Any, death: bool) -> None:
    path = mount.point / "files/desk/file"
    path.write_bytes(b"x")
    whole = struct.pack("@hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
    with path.open("r+b") as waiting:
        with path.open("r+b") as file:
            fcntl.fcntl(file, F_OFD_SETLK, whole)
            twin = os.dup(file.fileno())
            if death:
                os.kill(server(mount), signal.SIGKILL)
        with pytest.raises(BlockingIOError):
            fcntl.fcntl(waiting, F_OFD_SETLK, whole)
        closing = threading.Timer(0.2, os.close, [twin])
        closing.start()
        began = time.monotonic()
        fcntl.fcntl(waiting, F_OFD_SETLKW, whole)
        assert 0.1 < time.monotonic() - began < 5
        closing.join()


def test_an_open_file_outlives_the_server(mount: Any) -> None:
    path = mount.point / "files/desk/file"
    with path.open("w+b", buffering=0) as file:
        for number in range(5):
            file.write(b"%d" % number)
            os.kill(server(mount), signal.SIGKILL)
            assert path.stat().st_size == number + 1
        path.unlink()
        os.kill(server(mount), signal.SIGKILL)
        file.write(b"5")
        assert os.fstat(file.fileno()).st_nlink == 0
        assert os.pread(file.fileno(), 10, 0) == b"012345"
    assert os.listdir(mount.point / "files/desk") == []


def test_what_was_just_looked_up_the_next_server_opens_though_a_long_folder_was_listed_meanwhile(
    mount: Any,
) -> None:
    """The kernel asks for a path twice, and then says ESTALE; of a descriptor it has no path to ask for again."""
    desk = mount.point / "files/desk"
    (mount.desk / "long").mkdir()
    for n in range(3000):
        (mount.desk / f"long/{n}").touch()
    (mount.desk / ".kept").write_bytes(b"kept")  # hidden: the catalog does not know it either
    for n in range(3000):
        (desk / f"long/{n}").stat()
    found = os.open(desk / ".kept", os.O_PATH)
    assert len(os.listdir(desk / "long")) == 3000
    os.kill(server(mount), signal.SIGKILL)
    assert Path(f"/proc/self/fd/{found}").read_bytes() == b"kept"
    os.close(found)


# --- a disk that hangs ---------------------------------------------------------------------------------------------


@contextmanager
def hanging(directory: Path) -> Generator[None]:
    """A file system whose server took the first step and no other: whatever is asked of it hangs."""
    descriptor = device.open_device()
    device.mount(descriptor, directory, library_id="hanging")
    try:
        select.select([descriptor], [], [], 5)
        message = memoryview(os.read(descriptor, 2 * MIB))
        _, opcode, unique, *_ = wire.HEADER.unpack_from(message)
        assert opcode == wire.INIT
        _, minor, readahead, flags = wire.offered(message[wire.HEAD :])
        body = capabilities.answer(capabilities.agree(minor, flags), readahead)
        os.write(descriptor, wire.ANSWER.pack(wire.ANSWER_HEAD + len(body), 0, unique) + body)
        yield
    finally:
        os.close(descriptor)  # which ends everybody's waiting
        device.unmount(directory, lazily=True)


def test_a_disk_that_hangs_holds_nobody_else_up(workshop: Any, serve: Any) -> None:
    archive = workshop.root.parent / "archive"
    point = workshop.root.parent / "mount"
    with serve(workshop.state.root, point), hanging(archive):
        failures: list[int | None] = []

        def ask() -> None:
            try:
                os.listdir(point / "files/archive")
            except OSError as error:
                failures.append(error.errno)

        asking = [threading.Thread(target=ask) for _ in range(3)]  # noqa: TID251  # a test's own
        began = time.monotonic()
        for thread in asking:
            thread.start()
        slowest = 0.0
        while time.monotonic() - began < 3:
            start = time.monotonic()
            assert os.listdir(point / "files/photos/2019")
            assert (point / "by-date/2019/07/IMG_0001.jpg").read_bytes()
            slowest = max(slowest, time.monotonic() - start)
            time.sleep(0.02)
        assert slowest < 1.0
        for thread in asking:
            thread.join(30)
        assert failures == [errno.EIO] * 3
        assert time.monotonic() - began < 25


def test_whoever_waits_for_a_disk_that_hangs_can_be_ended(workshop: Any, serve: Any) -> None:
    archive = workshop.root.parent / "archive"
    point = workshop.root.parent / "mount"
    with serve(workshop.state.root, point), hanging(archive):
        process = subprocess.Popen(["ls", point / "files/archive"], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(2) == -signal.SIGTERM


# --- many names ------------------------------------------------------------------------------------------------


def test_a_folder_of_100_000_names_lists_and_stats(mount: Any) -> None:
    many = mount.desk / "many"
    many.mkdir()
    for number in range(100_000):
        os.close(os.open(many / f"{number:06}", os.O_CREAT))
    found = set()
    with os.scandir(mount.point / "files/desk/many") as listing:
        for entry in listing:
            assert entry.stat(follow_symlinks=False).st_size == 0
            found.add(entry.name)
    assert len(found) == 100_000
    assert (mount.point / "files/desk/many/099999").exists()
    assert not (mount.point / "files/desk/many/100000").exists()
