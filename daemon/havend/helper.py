"""A process of `havend.nudger` and the line to it, for `havend.nudge`.

Loaded by the thread that starts the first one, while the mount answers already: sockets and processes take 10 ms to load.
Any thread.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from . import nudger

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


class Helper:
    """One that is at work; its messages are fields apart by NUL."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self._line = line

    def say(self, *fields: bytes) -> bool:
        """Send a message. False if it has more than enough to do, or has gone."""
        try:
            self._line.send(b"\0".join(fields), socket.MSG_DONTWAIT)
        except OSError:
            return False
        return True

    def heard(self) -> list[bytes]:
        """Wait for a message; nothing once it has gone."""
        try:
            message = self._line.recv(nudger.MESSAGE)
        except OSError:
            return []
        return message.split(b"\0") if message else []

    def hang_up(self) -> None:
        """Let it go, and whoever waits to hear it."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def at_work(point: Path, watches: int) -> Generator[Helper]:
    """A helper in the mount at *point* that reports what this inotify instance sees, if it is one. Gone afterwards."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs, ours:
        process = subprocess.Popen(
            [sys.executable, "-IS", nudger.__file__, point, str(watches)],
            stdin=theirs.fileno(),
            pass_fds=[watches] if watches >= 0 else [],
        )
        theirs.close()
        try:
            yield Helper(process.pid, ours)
        finally:
            ours.close()  # upon which it ends
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
