"""The supervisor over a file system of three files (tiny_server.py), through the kernel."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from havend.direct import clone, supervisor
from havend.direct.kept import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

pytestmark = pytest.mark.fuse

TINY = Path(__file__).with_name("tiny_server.py")


@dataclass(frozen=True, slots=True)
class Tiny:
    process: subprocess.Popen[bytes]
    mount: Path
    log: Path

    def who(self) -> int:
        """The pid of the server that answers."""
        return int((self.mount / "who").read_text().split()[0])

    def server(self) -> int:
        """Its pid, without asking it."""
        return self.children()[0]

    def children(self) -> list[int]:
        """The server, then its spare."""
        pid = self.process.pid
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def kill_server(self) -> int:
        """Kill it; its pid."""
        server = self.who()
        os.kill(server, signal.SIGKILL)
        return server

    def said(self) -> str:
        return self.log.read_text()


def mounts(point: Path) -> int:
    return Path("/proc/self/mountinfo").read_text().count(f" {point} ")


def gone(pid: int) -> bool:
    """Whether it is dead, buried or not."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


@contextmanager
def tiny(
    directory: Path, behaviour: str = "crash", *, wait: bool = True, **environment: str
) -> Generator[Tiny]:
    """The program in a process of its own; no process and no mount is left, whatever the test does."""
    point, log, kept = directory / "mnt", directory / "log", directory / "kept"
    point.mkdir(exist_ok=True)
    kept.write_bytes(b"what was opened stays open")
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, str(TINY), str(point), behaviour],
            env={**os.environ, "KEPT": str(kept), **environment},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        if wait:
            until(lambda: mounts(point) or process.poll() is not None)
        yield Tiny(process, point, log)
    finally:
        process.kill()
        process.wait()
        while mounts(point):
            subprocess.run(["umount", "--lazy", str(point)], check=True)


class Manager:
    """What the service manager does for us: listens, and holds descriptors."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.address = str(path)
        self._socket.settimeout(10)
        self.heard: list[str] = []
        self.held: dict[str, int] = {}

    def listen(self, what: str) -> None:
        """Until it was said."""
        while what not in self.heard:
            data, descriptors, _, _ = socket.recv_fds(self._socket, 4096, 16)
            lines = data.decode().splitlines()
            for line in lines:
                key, _, name = line.partition("=")
                if key == "FDNAME" and "FDSTORE=1" in lines:
                    (self.held[name],) = descriptors
                if key == "FDNAME" and "FDSTOREREMOVE=1" in lines and name in self.held:
                    os.close(self.held.pop(name))
            self.heard += lines

    @contextmanager
    def listening(self) -> Generator[None]:
        """All the while."""
        with ThreadPoolExecutor(1) as pool:
            until_told = pool.submit(self.listen, "that is all")
            try:
                yield
            finally:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
                    end.sendto(b"that is all", self.address)
            until_told.result(10)

    def pass_on(self) -> tuple[list[int], dict[str, str]]:
        """The descriptors, and the environment that tells of them once they are numbered from 3 on."""
        self.held = {name: fcntl.fcntl(n, fcntl.F_DUPFD, 100) for name, n in self.held.items()}
        return list(self.held.values()), {
            "LISTEN_FDS": str(len(self.held)),
            "LISTEN_FDNAMES": ":".join(self.held),
        }

    def close(self) -> None:
        for descriptor in self.held.values():
            os.close(descriptor)
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Tiny]:
    with tiny(tmp_path) as it:
        yield it


def test_after_a_kill_the_next_server_answers_and_what_was_open_stays_open(served: Tiny):
    with (served.mount / "kept").open("rb", buffering=0) as file:
        assert file.read(4) == b"what"
        servers = {served.kill_server() for _ in range(5)}
        assert file.read() == b" was opened stays open"
        assert len(servers) == 5
        assert served.who() not in servers
    assert served.process.poll() is None


def test_the_next_server_is_there_before_it_is_needed(served: Tiny):
    for _ in range(3):
        until(lambda: len(served.children()) == 2)
        server, spare = served.children()
        assert served.kill_server() == server
        assert served.who() == spare


def test_a_spare_that_dies_is_replaced_and_missed_by_nobody(served: Tiny):
    until(lambda: len(served.children()) == 2)
    server, spare = served.children()
    os.kill(spare, signal.SIGKILL)
    until(lambda: len(served.children()) == 2 and spare not in served.children())
    os.kill(served.children()[1], signal.SIGKILL)
    assert served.kill_server() == server
    assert served.who() not in (server, spare)


def test_what_a_dead_server_had_open_besides_is_closed(served: Tiny):
    def open_descriptors() -> int:
        return int((served.mount / "who").read_text().split()[1])

    first = open_descriptors()
    for _ in range(20):
        served.kill_server()
    assert open_descriptors() <= first + 1


def test_a_request_that_its_server_took_along_is_answered_by_the_next(tmp_path: Path):
    with tiny(tmp_path, SLOW="0.5") as it, ThreadPoolExecutor() as pool:
        first = it.who()
        waiting = pool.submit(it.who)
        time.sleep(0.2)
        os.kill(first, signal.SIGKILL)
        assert waiting.result(5) != first


def test_a_request_that_servers_crash_on_is_answered_with_an_error_and_the_rest_goes_on(
    served: Tiny,
):
    before = time.monotonic()
    with pytest.raises(OSError, match="Input/output error"):
        (served.mount / "fatal").read_bytes()
    assert time.monotonic() - before < 2
    assert served.who()
    assert served.said().count("the server ended (-6)") == 2


def test_a_request_that_takes_long_while_servers_are_killed_is_answered_in_the_end(tmp_path: Path):
    """Bad luck is not guilt: it is in the hand of each that is killed, because a disk that brings what was written takes longer."""
    with tiny(tmp_path, SLOW="0.3") as it, ThreadPoolExecutor() as pool:
        waiting = pool.submit(it.who)
        for _ in range(3 * supervisor.POISON):
            time.sleep(0.15)
            os.kill(it.server(), signal.SIGKILL)
        assert waiting.result(5)


def test_servers_that_are_killed_while_they_start_are_not_given_up(tmp_path: Path):
    """On a busy disk a start takes longer than those who kill may leave it."""
    with tiny(tmp_path, STARTING="0.2") as it:
        killed = set[int]()
        for _ in range(supervisor.HOPELESS + 3):
            until(lambda: it.children() and it.server() not in killed)
            killed.add(it.server())
            os.kill(it.server(), signal.SIGKILL)
        assert it.who() not in killed


def test_a_server_that_stands_still_is_replaced(served: Tiny):
    os.kill(served.who(), signal.SIGSTOP)
    time.sleep(0.1)  # its threads stop one after the other
    before = time.monotonic()
    assert served.who()
    assert time.monotonic() - before < 6
    assert "answers no more" in served.said()


def test_a_request_that_servers_hang_on_is_answered_with_an_error(tmp_path: Path):
    with tiny(tmp_path, "hang") as it, ThreadPoolExecutor() as pool:
        fatal = pool.submit((it.mount / "fatal").read_bytes)
        time.sleep(0.2)
        for _ in range(2):
            it.who()  # others notice
        with pytest.raises(OSError, match="Input/output error"):
            fatal.result(5)


def test_a_server_that_is_idle_is_left_alone(served: Tiny):
    server = served.who()
    time.sleep(5)
    assert served.who() == server


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_unmounts_and_leaves_nobody(served: Tiny, number: signal.Signals):
    server = served.who()
    os.killpg(served.process.pid, number)  # as a terminal does, to the server too
    assert served.process.wait(5) == 0
    assert not mounts(served.mount)
    assert gone(server)
    assert os.listdir(served.mount) == []


def test_told_to_end_while_files_are_open_it_does_so(served: Tiny):
    file = (served.mount / "kept").open("rb", buffering=0)
    served.process.terminate()
    assert served.process.wait(5) == 0
    assert not mounts(served.mount)
    with pytest.raises(OSError, match="Transport endpoint"):
        file.read()
    with suppress(OSError):  # nobody is told of it either
        file.close()


def test_somebody_else_unmounting_ends_it(served: Tiny):
    served.who()
    subprocess.run(["umount", str(served.mount)], check=True)
    assert served.process.wait(5) == 0


def test_a_supervisor_that_is_killed_takes_its_server_along(served: Tiny):
    server = served.who()
    served.process.kill()
    until(lambda: gone(server))
    with pytest.raises(OSError, match="Transport endpoint"):
        os.statvfs(served.mount)


def test_an_upgrade_goes_on_with_the_same_mount_and_the_same_open_files(served: Tiny):
    server, device = served.who(), served.mount.stat().st_dev
    with (served.mount / "kept").open("rb", buffering=0) as file:
        assert file.read(4) == b"what"
        for _ in range(2):
            served.process.send_signal(signal.SIGHUP)
            until(partial(gone, server))
            assert served.who() != server
            server = served.who()
        assert file.read() == b" was opened stays open"
    assert served.mount.stat().st_dev == device
    assert served.process.poll() is None
    assert mounts(served.mount) == 1
    served.process.terminate()
    assert served.process.wait(5) == 0
    assert not mounts(served.mount)


def test_an_upgrade_that_writes_its_ledger_otherwise_makes_the_mount_anew(
    tmp_path: Path, manager: Manager
):
    layout = tmp_path / "layout"
    layout.write_text("7")
    with (
        manager.listening(),
        tiny(tmp_path, LAYOUT=str(layout), NOTIFY_SOCKET=manager.address) as it,
    ):
        until(lambda: "fuse-7" in manager.held)
        server = it.who()
        with (it.mount / "kept").open("rb", buffering=0) as file:
            layout.write_text("8")
            it.process.send_signal(signal.SIGHUP)
            until(partial(gone, server))
            until(lambda: "of another version is not taken up" in it.said())
            with pytest.raises(OSError, match="Transport endpoint"):
                file.read()
            with suppress(OSError):
                file.close()

        def anew() -> bool:
            with suppress(OSError):
                return it.who() != server
            return False

        until(anew)
        assert mounts(it.mount) == 1
        until(lambda: "fuse-8" in manager.held and "fuse-7" not in manager.held)
        kept = [os.readlink(each) for each in Path(f"/proc/{it.process.pid}/fd").iterdir()]
        assert str(tmp_path / "kept") not in kept  # nor is what was open in the old one
        it.process.terminate()
        assert it.process.wait(5) == 0
        assert not mounts(it.mount)


def test_a_program_that_does_not_start_is_no_upgrade(tmp_path: Path):
    with tiny(tmp_path, INSTALLED="no.such.module") as it:
        server = it.who()
        it.process.send_signal(signal.SIGHUP)
        until(lambda: "does not start" in it.said())
        assert it.who() == server


def test_servers_that_die_at_once_are_given_up_with_a_line_and_without_a_mount(tmp_path: Path):
    with tiny(tmp_path, "stillborn", wait=False) as it:
        assert it.process.wait(20) == 1
        assert "a bug at the start" in it.said()
        assert "13 servers died" in it.said()
        assert not mounts(it.mount)


def test_a_mistake_that_the_first_server_finds_is_told_and_nothing_is_tried_again(tmp_path: Path):
    with tiny(tmp_path, "mistaken", wait=False) as it:
        assert it.process.wait(5) == 2
        assert it.said().count("that cannot work") == 1
        assert not mounts(it.mount)


LOST = """
import sys
file = open(sys.argv[1], "rb", buffering=0)
print("open", flush=True)
sys.stdin.readline()
try:
    print(file.read(4))
except OSError as error:
    print(error.strerror)
"""


def test_a_killed_supervisor_is_followed_by_one_that_takes_over_what_the_manager_kept(
    tmp_path: Path, manager: Manager
):
    with ThreadPoolExecutor() as pool, tiny(tmp_path, NOTIFY_SOCKET=manager.address) as first:
        manager.listen("READY=1")
        assert tuple(manager.held) == NAMES
        device = first.mount.stat().st_dev
        # In a process of its own: a copy of ours could not close it while nobody serves, and so not become the next one.
        lost = subprocess.Popen(
            [sys.executable, "-c", LOST, first.mount / "kept"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert lost.stdout
        assert lost.stdout.readline() == "open\n"
        first.process.kill()
        first.process.wait()
        waiting = pool.submit(first.who)  # comes while nobody serves, and waits
        time.sleep(0.1)
        assert not waiting.done()
        passed, told = manager.pass_on()
        # As systemd does it: the descriptors from 3 on, and in the environment the pid that they are meant for.
        moves = "".join(f"exec {3 + i}<&{n} {n}<&-; " for i, n in enumerate(passed))
        second = subprocess.Popen(
            ["bash", "-c", moves + 'LISTEN_PID=$$ exec "$@"', "bash", sys.executable, TINY, first.mount, "crash"],
            env={
                **os.environ, "KEPT": str(tmp_path / "kept"), "NOTIFY_SOCKET": manager.address, **told,
            },
            pass_fds=passed,
        )  # fmt: skip
        try:
            assert waiting.result(10)
            assert first.mount.stat().st_dev == device
            assert mounts(first.mount) == 1
            with (first.mount / "kept").open("rb", buffering=0) as again:
                assert again.read(4) == b"what"
                assert lost.communicate("read\n", timeout=5)[0] == "Stale file handle\n"
            told_off = pool.submit(manager.listen, "FDSTOREREMOVE=1")
            second.terminate()
            assert second.wait(5) == 0
            told_off.result(5)
            assert not mounts(first.mount)
        finally:
            for process in (second, lost):
                process.kill()
                process.wait()


def test_the_watchdog_is_beaten_as_often_as_asked(tmp_path: Path, manager: Manager):
    with tiny(tmp_path, NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="400000"):
        manager.listen("READY=1")
        start = time.monotonic()
        for _ in range(3):
            manager.heard.clear()
            manager.listen("WATCHDOG=1")
        assert time.monotonic() - start < 1.5


def test_a_copy_shares_descriptors_and_has_threads_of_its_own():
    program = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from havend.direct import clone, supervisor
read, write = os.pipe()
pid = clone.clone()
if not pid:
    with ThreadPoolExecutor(2) as pool:
        opened = pool.submit(os.open, "/etc/hostname", os.O_RDONLY).result()
    os.write(write, b"%d" % opened)
    os._exit(3)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
assert os.read(int(os.read(read, 9)), 1)  # its file is open here
with ThreadPoolExecutor(1) as pool:
    pool.submit(int).result()
    try:
        clone.clone()
    except RuntimeError:
        print("refused")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20
    )
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_open_descriptors_are_those_that_are_open():
    before = clone.open_descriptors()
    opened = os.open("/etc/hostname", os.O_RDONLY)
    assert clone.open_descriptors() - before == {opened}
    os.close(opened)
    assert clone.open_descriptors() == before
