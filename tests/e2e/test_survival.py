"""The mount outlives its server, its supervisor and its program (the direct transport), with clients at work."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from havend import transport as transports
from havenfs.decisions import Keeper, values

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

pytestmark = [pytest.mark.fuse, pytest.mark.parametrize("transport", ["direct"], indirect=True)]

CLIENT = Path(__file__).with_name("restless.py")
KINDS = ("writes", "reads", "names", "swaps", "lists", "keeps")
PERIOD_S = 0.5


def server(mount: Any) -> int:
    """The process that serves now: the only child of the supervisor."""
    children = Path(f"/proc/{mount.process.pid}/task/{mount.process.pid}/children")
    return int(children.read_text().split()[0])


class Clients:
    """One client of each kind, in a folder of its own."""

    def __init__(self, desk: Path, seconds: float) -> None:
        self._processes: dict[str, subprocess.Popen[str]] = {}
        for kind in KINDS:
            (desk / kind).mkdir()
            self._processes[kind] = subprocess.Popen(
                [sys.executable, str(CLIENT), str(desk / kind), str(seconds), kind],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        for process in self._processes.values():
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"

    def begin(self) -> None:
        for process in self._processes.values():
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()

    def results(self) -> dict[str, dict[str, Any]]:
        """What each has met, when all are done."""
        return {
            kind: json.loads(process.communicate(timeout=60)[0])
            for kind, process in self._processes.items()
        }

    def end(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.communicate()


@contextmanager
def clients(mount: Any, seconds: float) -> Generator[Clients]:
    made = Clients(mount.point / "files/desk", seconds)
    try:
        yield made
    finally:
        made.end()


def test_clients_at_work_do_not_notice_that_the_server_is_killed_twice_a_second(
    serve: Any, workshop: Any, tmp_path: Path
):
    calm, seconds, deaths = 3.0, 13.0, []
    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        with clients(mount, seconds) as at_work:
            at_work.begin()
            began = time.monotonic()
            time.sleep(calm)
            while time.monotonic() < began + seconds - PERIOD_S:
                time.sleep(PERIOD_S)
                deaths.append(time.monotonic())
                os.kill(server(mount), signal.SIGKILL)
            results = at_work.results()
        assert Counter(e for result in results.values() for e in result["errors"]) == {}
        assert len(deaths) >= 15
        slow = [tuple(each) for result in results.values() for each in result["slow"]]
        usual = [waited(slow, began + PERIOD_S * n) for n in range(1, int(calm / PERIOD_S))]
        worst = [waited(slow, death) for death in deaths]
        print(
            f"{sum(r['operations'] for r in results.values())} operations, {len(deaths)} deaths: "
            f"worst wait {max(worst) * 1e3:.1f} ms, median of the worst at each "
            f"{statistics.median(worst) * 1e3:.1f} ms; without deaths "
            f"{max(usual) * 1e3:.1f} and {statistics.median(usual) * 1e3:.1f} ms"
        )
        assert mount.stop() == 0
    # Nobody waits for a time-out. The bar, 50 ms, is for a machine that has nothing else to do.
    assert statistics.median(worst) - statistics.median(usual) < 0.5
    assert max(worst) - max(usual) < 2


def waited(slow: list[tuple[float, float]], death: float) -> float:
    """The longest operation that was under way at *death* or began soon after."""
    return max((took for began, took in slow if began - 0.1 < death < began + took), default=0.0)


def test_a_mount_that_is_killed_whole_ends_though_a_directory_that_changed_is_being_changed(
    serve: Any, workshop: Any, tmp_path: Path, until: Callable[..., float]
) -> None:
    """The kernel is told of the change while a client holds the directory's lock and waits for an answer. A thread that waits for
    that lock in the kernel cannot be killed; it would keep the mount, and so the client, for ever."""
    keeper = Keeper(workshop.catalog, workshop.state.journal)
    clients: list[subprocess.Popen[bytes]] = []

    def begin(_: object) -> None:
        clients.append(
            subprocess.Popen(["mkdir", mount.point / "albums/Paris"], stderr=subprocess.DEVNULL)
        )
        time.sleep(0.3)  # it is held up by this very transaction

    def kill(_: object) -> None:  # held up by this one, while the kernel is told of the last
        time.sleep(0.3)
        assert clients[0].poll() is None
        os.killpg(mount.process.pid, signal.SIGKILL)
        until(lambda: not any(map(alive, programs)))

    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        os.listdir(mount.point / "albums")
        programs = members(mount.process.pid)
        rome = values.MakeFolder(uid=values.new_uid(), folder=values.Folder.ALBUM, name="Rome")
        try:
            keeper.decide(rome, by="me", first=begin, lazily=True)
            workshop.catalog.write(kill)
            assert clients[0].wait(10) == 1
        finally:
            transports.bury_killed(workshop.state)


def members(group: int) -> list[int]:
    """The processes of a group."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getpgid(int(process.name)) == group:
                found.append(int(process.name))
    return found


def alive(pid: int) -> bool:
    """Whether any thread of a process is left; its first one is a zombie for as long as another waits in the kernel."""
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(OSError):
            if (thread / "stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X"):
                return True
    return False
