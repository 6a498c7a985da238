"""The directories of originals that a worker is let into: those that were there when it was shut in.

Landlock knows directories, not paths: a disk that is plugged in later under the same path stays out of reach, and what is on
it must not be taken for unreadable. Used before the process has a second thread, and then by the one that answers.
"""

from __future__ import annotations

import os
import select
import signal
import stat
import time

REACH_S = 10.0  # a disk that spins up takes up to that

Mark = tuple[int, int]
"""Device and inode."""


class Admission:
    """Those of some directories that answer now."""

    def __init__(self, roots: list[bytes]) -> None:
        marks = {root: _mark(root) for root in _reached(roots)}
        self._marks = {root: mark for root, mark in marks.items() if mark is not None}

    @property
    def roots(self) -> list[bytes]:
        """Their paths."""
        return list(self._marks)

    def allows(self, path: bytes) -> bool:
        """Whether *path* lies in one of them, and that is still the same directory."""
        return any(
            (path + b"/").startswith(root.rstrip(b"/") + b"/") and _mark(root) == mark
            for root, mark in self._marks.items()
        )


def _reached(roots: list[bytes]) -> list[bytes]:
    """Those of *roots* that answer within REACH_S: asked by children, because one that hangs would hang us."""
    children: dict[int, bytes] = {}
    for root in roots:
        pid = os.fork()
        if pid == 0:
            os._exit(0 if _mark(root) else 1)
        children[pid] = root
    found: list[bytes] = []
    until = time.monotonic() + REACH_S
    for pid, root in children.items():
        handle = os.pidfd_open(pid)
        if select.select([handle], [], [], max(0.0, until - time.monotonic()))[0]:
            if os.waitpid(pid, 0)[1] == 0:
                found.append(root)
        else:
            os.kill(pid, signal.SIGKILL)
        os.close(handle)
    return found


def _mark(root: bytes) -> Mark | None:
    try:
        info = os.stat(root)  # noqa: PTH116 -- bytes
    except OSError:
        return None
    return (info.st_dev, info.st_ino) if stat.S_ISDIR(info.st_mode) else None
