"""The roots of sources, and the room on their disks, asked for without ever waiting long: one disk that hangs must not keep
`files/` from listing the others.

A question that is not answered at once has a thread of its own, because nobody can end one that waits for a disk; there is one at a time for each
source. Not an executor's thread: those are waited for when the program ends. Any thread may ask.
"""

from __future__ import annotations

import _thread
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from havenfs.errors import SourceGone

from . import disk
from .at_once import WouldWait, at_once

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from havenfs.entities import Source

T = TypeVar("T")

WAIT_S: Final = 1.0
"""Attributes of a root are in memory, also while its disk sleeps; a share at the other end of the world takes 0.3 s."""


class _Question(Generic[T]):
    """One question about a root, on its thread."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._question = ask
        self.asked = time.monotonic()
        self.answer: T | Exception | None = None
        self._answered = _thread.allocate_lock()
        self._answered.acquire()
        _thread.start_new_thread(self._ask, ())

    def _ask(self) -> None:
        try:
            self.answer = self._question()
        except Exception as error:  # noqa: BLE001 -- handed to whoever asked
            self.answer = error
        finally:
            self._answered.release()

    @property
    def late(self) -> bool:
        """Whether it was answered when nobody waited any more: that was another time."""
        return self.answer is not None and time.monotonic() > self.asked + WAIT_S

    def wait(self) -> bool:
        """Whether the answer is there WAIT_S after it was asked for."""
        left = self.asked + WAIT_S - time.monotonic()
        if self._answered.acquire(timeout=max(0.0, left)):
            self._answered.release()
            return True
        return False


_open: dict[tuple[str, bytes], _Question[Any]] = {}


def status(source: Source) -> os.stat_result:
    """The attributes of the root of *source*. Raises SourceGone, also when its disk does not say, and
    PermissionError."""
    with suppress(WouldWait), at_once():  # a thread, on a busy machine, is waited for 4 ms
        return disk.status(source, b"")
    return _answer("status", source, lambda: disk.status(source, b""))


def room(source: Source) -> os.statvfs_result:
    """The room on the disk of *source*. Raises the same."""
    return _answer("room", source, lambda: disk.statvfs(source))


def _answer(what: str, source: Source, ask: Callable[[], T]) -> T:
    key = (what, source.root)
    question: _Question[T] | None = _open.get(key)
    if question is None or question.late:
        question = _open[key] = _Question(ask)
    if not question.wait():
        raise SourceGone(f"{source.name}: its disk does not answer")
    _open.pop(key, None)
    answer = question.answer
    if isinstance(answer, Exception):
        raise answer
    assert answer is not None, "a question that was waited for has an answer"
    return answer
