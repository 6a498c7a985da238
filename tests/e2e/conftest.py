"""A mount in a process of its own, for every test that asks the kernel; and the transports that all of them run over."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager
    from pathlib import Path

TRANSPORTS = ("pyfuse3", "direct")
START_S = 30.0  # a busy machine takes some of them to start an interpreter
END_S = 15.0


class Mount:
    """A mount that answers."""

    def __init__(self, process: subprocess.Popen[bytes], point: Path, log: Path) -> None:
        self.process = process
        self.point = point
        self.log = log
        """What the program wrote; a traceback in it fails the test."""

    def stop(self) -> int:
        """End it as systemd does; the exit status."""
        return self.end(signal.SIGTERM)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(END_S)


class Serve(Protocol):
    """Mount a state directory."""

    def __call__(self, state: Path, point: Path) -> AbstractContextManager[Mount]: ...


@pytest.fixture(scope="session", params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """Each transport in turn. `@pytest.mark.parametrize("transport", ["direct"], indirect=True)` asks for one."""
    return request.param


@pytest.fixture(scope="session")
def serve(transport: str) -> Serve:
    """`with serve(state, point) as mount:` the tree of *state* answers on *point*, over `transport`.

    Whatever happens, no process and no mount is left. `mount.process.kill()` and the like are the test's right.
    """
    return partial(_served, transport)


@pytest.fixture(scope="session")
def until() -> Callable[..., float]:
    """`until(condition, seconds=5.0)`: wait until it holds; the seconds it took."""
    return _until


@pytest.fixture(scope="session")
def mounts() -> Callable[[Path], int]:
    """How many file systems are mounted on a directory, dead ones too."""
    return _mounts


@contextmanager
def _served(transport: str, state: Path, point: Path) -> Generator[Mount]:
    with suppress(FileExistsError):
        point.mkdir(parents=True)
    log = state / f"mount-{point.name}.log"
    below = _mounts(point)  # a test may mount over what it has killed
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "havend", "mount", "--transport", transport,
                "--state", str(state), "--mount", str(point),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # what it starts can be ended with it
            preexec_fn=_ends_with_us,
        )  # fmt: skip
    mount = Mount(process, point, log)
    try:
        _until(lambda: _answers(point) or process.poll() is not None, START_S)
        assert process.poll() is None, log.read_text()
        yield mount
    finally:
        _end(mount)
        while _mounts(point) > below:
            subprocess.run(["umount", "-f", "-l", point], check=True, timeout=10)
    assert "Traceback" not in log.read_text(), log.read_text()


def _ends_with_us() -> None:
    """A test run that is killed leaves no mount either: the kernel then sends the program SIGTERM."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _end(mount: Mount) -> None:
    if mount.process.poll() is None:
        try:
            mount.stop()
        except subprocess.TimeoutExpired:
            mount.process.kill()
            mount.process.wait(END_S)
    if mount.process.returncode == -signal.SIGKILL:
        with suppress(ProcessLookupError):
            os.killpg(mount.process.pid, signal.SIGKILL)  # what a killed supervisor has left


def _until(condition: Callable[[], object], seconds: float = 5.0) -> float:
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "it never happened"
        time.sleep(0.005)
    return time.monotonic() - start


def _answers(point: Path) -> bool:
    try:
        return _mounts(point) > 0 and bool(os.listdir(point))
    except OSError:
        return False


def _mounts(point: Path) -> int:
    with open("/proc/self/mountinfo", "rb") as file:
        return file.read().count(b" %s " % os.fsencode(point.absolute()))
