"""A bell between two programs: the mount rings it, the indexer hears it. A FIFO in the state directory, and nothing in it
that has a meaning: who hears it looks at the queue, which is durable.

Ringing never waits and needs nobody to listen; any thread. The listener waits for its descriptor to be readable.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


class Bell:
    """The rope's end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None
        # Else one thread could close the handle and another write to whatever file has its number by then.
        self._lock = threading.Lock()

    def ring(self) -> None:
        """Wake the listener, if there is one."""
        with self._lock:
            self._ring()

    def _ring(self) -> None:
        if self._handle is None:
            with contextlib.suppress(OSError):  # ENOENT, ENXIO: nobody listens
                handle = os.open(
                    self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
                )
                if stat.S_ISFIFO(os.fstat(handle).st_mode):
                    self._handle = handle
                else:
                    os.close(handle)
        if self._handle is None:
            return
        try:
            os.write(self._handle, b"\0")
        except OSError as error:
            if error.errno != errno.EAGAIN:  # full: it has been ringing for long enough
                self._let_go()

    def close(self) -> None:
        """Let go."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


@contextlib.contextmanager
def listening(path: Path) -> Generator[int]:
    """A descriptor that is readable once it rang, until `heard`. One listener at a time."""
    if not (path.exists() and stat.S_ISFIFO(path.lstat().st_mode)):
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
    # For writing too: else it would be at its end, and readable for ever, whenever the last ringer went.
    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        yield handle
    finally:
        os.close(handle)


def heard(handle: int) -> None:
    """Forget the rings so far; the handle is readable again after the next one."""
    with contextlib.suppress(BlockingIOError):
        os.read(handle, 65536)
