"""Kills at random lines of whatever decides, once for every gesture. `python -m tests.e2e.line_kills 1000` for nights.

The machine of `gestures` without a kernel: each gesture is carried out by a child through Operations, as a mount is, and the child
kills itself after a random number of lines of the views, the decisions, the catalog and what moves originals. Then the folders
must be as before or as after, and the journal must say what the catalog says; and what was answered for must hold.

Shows what a killed process leaves, whose writes the kernel still has. What a power cut leaves rests on fsync, and is not shown.
"""

from __future__ import annotations

import errno
import os
import random
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from havend import errno as errnos, session
from havend.inodes import ROOT
from havenfs.entities import Caller
from havenfs.errors import HavenError, NotFound
from havenfs.retrieval.search import Searcher
from havenfs.views import attributes, open_tree
from havenfs.views.nodes import Text
from tests.decisions import dying
from tests.e2e.gestures import Gestures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from havend.operations import Operations
    from tests.e2e.gestures.machine import Gesture

TRACED = tuple(
    os.path.join("havenfs", *parts)
    for parts in (
        ("decisions",),
        ("views", "fillable.py"),
        ("views", "filing.py"),
        ("views", "uploads"),
        ("views", "removing"),
        ("views", "people"),
        ("views", "awaiting.py"),
        ("trash",),
        ("originals", "staging.py"),
        ("originals", "moving.py"),
        ("originals", "disk.py"),
        ("ingest", "arrival.py"),
        ("catalog", "given.py"),
        ("catalog", "heeding.py"),
        ("catalog", "corrections.py"),
        ("catalog", "catalog.py"),
        ("catalog", "connections.py"),
        ("catalog", "decided.py"),
    )
)
LINES = (500, 900, 2600)
"""A gesture takes 500 to 2,600 of those traced, most of them less than 1,000."""
ME = Caller(0, 0, 0)


class Tally:
    """What happened."""

    def __init__(self) -> None:
        self.answered = 0
        self.killed = 0
        self.held = 0
        """Of those that were killed unanswered."""

    def __str__(self) -> str:
        return f"{self.killed} kills, {self.answered} gestures answered for, {self.held} held unanswered"


class ByLine(Gestures):
    """Gestures of which each may be the last of whoever carries it out."""

    chance: ClassVar[random.Random]
    tally: ClassVar[Tally]

    def __init__(self) -> None:
        super().__init__()
        self.tree = open_tree(self.shelf.catalog, Searcher(self.shelf.catalog, None))
        self.before: list[str] = []
        """Folders that are in the memory of whoever makes them alone: the next child makes them again."""

    def teardown(self) -> None:
        try:
            assert not self.wrong(self.said)
            self.the_journal_says_the_same()
        finally:
            self.shelf.catalog.close()

    def recover(self) -> None:
        """As a mount that starts and ends."""
        with session.opened(self.shelf.state, self.room / "mnt"):
            pass

    def node(self, path: str) -> Any:
        node: Any = self.tree
        for step in filter(None, path.split("/")):
            if step == "TODAY":
                step = next(iter(node.entries()))[0].decode()  # the only day
            node = node.lookup(step.encode())
        return node

    def listed(self, folder: str) -> list[str] | None:
        try:
            node = self.node(folder)
        except NotFound:
            return None
        if isinstance(node, Text):  # README.txt, in an empty trash, where its only day was
            return None
        return [entry[0].decode() for entry in node.entries() if entry is not None]

    def attribute(self, path: str, name: str) -> bytes:
        return attributes.value(self.tree.scope.library, self.node(path), name.encode())

    def made(self, path: str) -> None:
        self.before = [path.rpartition("/")[0], path]

    def carry_out(self, gesture: Gesture) -> None:
        if answer := self.child(gesture, None):
            raise OSError(answer, gesture[0])

    def attempt(self, gesture: Gesture) -> tuple[int | None, bool]:
        answer = self.child(gesture, self.chance.randrange(self.chance.choice(LINES)))
        killed = answer is None
        self.tally.killed += killed
        self.tally.answered += not killed
        if killed:
            self.recover()
            self.look()
        return answer, not killed

    def act(self, gesture: Gesture, change: Any, **more: Any) -> None:
        before, killed = self.said, self.tally.killed
        super().act(gesture, change, **more)
        self.tally.held += self.tally.killed > killed and self.said is not before

    def child(self, gesture: Gesture, lines: int | None) -> int | None:
        """What a child is answered; None: it did not live to tell."""
        before, self.before = self.before, []
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                with session.opened(self.shelf.state, self.room / "mnt") as operations:
                    for folder in before:
                        _answer(operations, ("mkdir", folder))
                    if lines is not None:
                        sys.settrace(dying.after(lines, TRACED))
                    answer = _answer(operations, gesture)
                    sys.settrace(None)
                os.write(writing, answer.to_bytes(2, "big"))
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
        _, status = os.waitpid(pid, 0)
        if told:
            return int.from_bytes(told, "big")
        if not os.WIFSIGNALED(status):
            raise AssertionError(f"the child ended by itself: {gesture[:3]}")
        return None


def _answer(operations: Operations, gesture: Gesture) -> int:
    try:
        _carry_out(operations, gesture)
    except (HavenError, OSError) as error:
        return errnos.number(error)
    return 0


def _carry_out(operations: Operations, gesture: Gesture) -> None:
    """As a kernel would ask."""
    what, path, *rest = gesture
    parent, name = _place(operations, path)
    if what == "move":
        if path.startswith(f"{rest[0]}/"):  # onto a folder that it is in: no kernel asks that
            raise OSError(errno.ENOTEMPTY, path)
        operations.rename(parent, name, *_place(operations, rest[0]), 0, ME)
    elif what == "link":
        there, new_name = _place(operations, rest[0])
        _free(operations, there, new_name)
        operations.link(operations.lookup(parent, name).nodeid, there, new_name, ME)
    elif what == "mkdir":
        _free(operations, parent, name)
        operations.mkdir(parent, name, 0o755, ME)
    elif what == "rmdir":
        operations.rmdir(parent, name, ME)
    elif what == "unlink":
        operations.unlink(parent, name, ME)
    elif what == "setxattr":
        operations.setxattr(
            operations.lookup(parent, name).nodeid, rest[0].encode(), rest[1], 0, ME
        )
    elif what == "removexattr":
        operations.removexattr(operations.lookup(parent, name).nodeid, rest[0].encode(), ME)
    elif what == "copy":
        found = operations.lookup(parent, name)
        opened = operations.open(found.nodeid, os.O_RDONLY, ME)
        data = operations.read(opened.handle, 0, found.size)
        _write(operations, rest[0], data)
    else:
        _write(operations, path, rest[0])


def _write(operations: Operations, path: str, data: bytes) -> None:
    _, opened = operations.create(
        *_place(operations, path), 0o644, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, ME
    )
    operations.write(opened.handle, 0, data)
    operations.flush(opened.handle)
    operations.release(opened.handle)


def _free(operations: Operations, parent: int, name: bytes) -> None:
    try:
        operations.lookup(parent, name)
    except NotFound:
        return
    raise FileExistsError(17, name.decode())


def _place(operations: Operations, path: str) -> tuple[int, bytes]:
    at, names = ROOT, [step.encode() for step in path.split("/")]
    for number, name in enumerate(names):
        if name == b"TODAY":
            names[number] = next(iter(operations.listing(at).entries))[0]
        if number < len(names) - 1:
            at = operations.lookup(at, names[number]).nodeid
    return at, names[-1]


def run(kills: int, directory: Path, seed: int) -> Tally:
    """Kill at least so often; raises AssertionError when anything was lost or halved."""
    ByLine.chance, ByLine.tally = random.Random(seed), Tally()
    ByLine.rooms = _rooms(directory)
    bounded = settings(
        max_examples=max(4, kills // 10),  # the first is all zeros
        stateful_step_count=50,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    while ByLine.tally.killed < kills:
        run_state_machine_as_test(ByLine, settings=bounded)
    return ByLine.tally


def _rooms(directory: Path) -> Iterator[Path]:
    number = 0
    while True:
        room = directory / str(number)
        room.mkdir()
        yield room
        number += 1


if __name__ == "__main__":
    dying.program(run)
