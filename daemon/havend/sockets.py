"""Unix sockets in the state directory for trio's programs: `havenfs.sockets`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import trio

from havenfs import sockets

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@contextlib.contextmanager
def bound(path: Path) -> Generator[trio.SocketListener]:
    """A listening socket at *path*, for the owner only; replaces one that a dead process left. Gone afterwards."""
    with sockets.listening(path) as listening:
        try:
            yield trio.SocketListener(trio.socket.from_stdlib_socket(listening))
        finally:
            path.unlink(missing_ok=True)
