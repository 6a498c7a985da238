"""Everything that people decide through folders, in any order, with kills: after each answer the folders are as a model in dicts says;
after a kill, what was not answered for has been done or has not."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from havend import transport as transports

from .gestures import Gestures

if TYPE_CHECKING:
    from collections.abc import Callable

    from .gestures.machine import Gesture

pytestmark = pytest.mark.fuse

LONG = settings.get_current_profile_name() == "long"
BOUNDED = settings(
    max_examples=1000 if LONG else 16,
    stateful_step_count=60 if LONG else 40,
    derandomize=not LONG,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink) if LONG else (Phase.generate,),
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)
STUCK_S = 0.5
"""A thread of the killed may wait in the kernel for whoever waits for an answer; so long after, the mount is taken away."""
END_S = 10.0
DELAYS_MS = [0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0]
WHEN = st.integers(0, len(DELAYS_MS) - 1)


def write(path: str, data: bytes) -> None:
    Path(path).write_bytes(data)


CALLS: dict[str, Callable[..., object]] = {
    "move": os.rename, "link": os.link, "copy": shutil.copyfile, "unlink": os.unlink, "mkdir": os.mkdir,
    "rmdir": os.rmdir, "removexattr": os.removexattr, "setxattr": os.setxattr,
    "write": write,
}  # fmt: skip


class Mounted(Gestures):
    """The same through the kernel."""

    serve: ClassVar[Any]
    direct: ClassVar[bool]
    tally: ClassVar[dict[str, int]]

    def __init__(self) -> None:
        super().__init__()
        self.point = self.room / "mnt"
        self.stack = ExitStack()
        self.kill: tuple[str, float] | None = None
        self.spared = False
        self.chance = random.Random(self.room.name)
        self.mount_it()

    def teardown(self) -> None:
        try:
            self.settle(self.said)
            self.stack.close()
            self.the_journal_says_the_same()
        finally:
            self.stack.close()
            self.shelf.catalog.close()

    def mount_it(self) -> None:
        self.mount = self.stack.enter_context(self.serve(self.shelf.state.root, self.point))

    def at(self, path: str) -> str:
        if "TODAY" in path:
            (day,) = os.listdir(self.point / "trash") or ["TODAY"]
            path = path.replace("TODAY", day)
        return str(self.point / path)

    def listed(self, folder: str) -> list[str] | None:
        try:
            return os.listdir(self.at(folder))
        except (FileNotFoundError, NotADirectoryError):  # README.txt, where the only day was
            return None

    def attribute(self, path: str, name: str) -> bytes:
        return os.getxattr(self.at(path), name)

    def made(self, path: str) -> None:
        """A folder that nothing is in yet is in the memory of the server alone."""
        super().made(path)
        self.spared = not self.listed(path)

    def carry_out(self, gesture: Gesture) -> None:
        what, *arguments = gesture
        paths = 2 if what in ("move", "link", "copy") else 1
        CALLS[what](*map(self.at, arguments[:paths]), *arguments[paths:])

    @rule(what=st.sampled_from(["server", "supervisor", "program"]), delay=WHEN)
    def be_killed_at_the_next(self, what: str, delay: int) -> None:
        """During the next gesture, or soon after."""
        self.kill = what, DELAYS_MS[delay]

    def next_kill(self) -> tuple[str, float] | None:
        """Also without being asked, at one gesture in five; a server alone costs no start."""
        kill, self.kill = self.kill, None
        spared, self.spared = self.spared, False
        if spared or kill is not None:
            return None if spared else kill
        roll, delay_ms = self.chance.random(), self.chance.choice(DELAYS_MS)
        if self.direct and roll < 0.2:
            return "server", delay_ms
        return (self.chance.choice(["supervisor", "program"]), delay_ms) if roll > 0.92 else None

    def attempt(self, gesture: Gesture) -> tuple[int | None, bool]:
        kill = self.next_kill()
        if kill is None:
            return self.answer(gesture), True
        what, delay_ms = kill
        pid = self.mount.process.pid
        unnoticed = self.direct and what == "server"
        target = self.server(pid) if unnoticed else pid
        with ThreadPoolExecutor() as threads:
            answer = threads.submit(self.answer, gesture)
            time.sleep(delay_ms / 1000)
            (os.killpg if what == "program" else os.kill)(target, signal.SIGKILL)
            if not unnoticed:
                try:
                    self.mount.process.wait(STUCK_S)
                    answer.result(STUCK_S)
                except (subprocess.TimeoutExpired, TimeoutError):
                    transports.bury_killed(self.shelf.state)  # as whoever starts it again does
                    self.mount.process.wait(END_S)
        self.tally[what] = self.tally.get(what, 0) + 1
        if not unnoticed:
            self.stack.close()
            self.look()
            self.mount_it()
        return answer.result(), unnoticed

    def answer(self, gesture: Gesture) -> int:
        try:
            self.carry_out(gesture)
        except OSError as error:
            return error.errno or -1
        return 0

    @staticmethod
    def server(supervisor: int) -> int:
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children")
        while not (found := children.read_text().split()):
            time.sleep(0.001)  # the one before has just been killed
        return int(found[0])


@pytest.mark.timeout(14_400 if LONG else 300)
def test_folders_are_as_people_have_said_whatever_is_killed(
    serve: Any, transport: str, tmp_path: Path
) -> None:
    Mounted.serve, Mounted.direct, Mounted.tally = serve, transport == "direct", {}
    Mounted.rooms = (_made(tmp_path / str(number)) for number in range(1_000_000))
    run_state_machine_as_test(Mounted, settings=BOUNDED)
    print(f"kills: {Mounted.tally}")
    assert sum(Mounted.tally.values()) >= 3


def _made(room: Path) -> Path:
    room.mkdir()
    return room
