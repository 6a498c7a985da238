"""Unix sockets in the state directory, at which programs of the same owner ask. Trio."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@contextlib.contextmanager
def bound(path: Path) -> Generator[trio.SocketListener]:
    """A listening socket at *path*, for the owner only; replaces one that a dead process left. Gone afterwards."""
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # The path of a socket may have 107 bytes, that of a directory 4095: so through its descriptor. Bound under
        # another name first: nobody finds it before its mode is right, and rename replaces a dead one.
        base = f"/proc/self/fd/{directory}"
        fresh = f"{base}/{path.name}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)  # noqa: PTH108 -- not a path for anybody else
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(fresh)
        os.chmod(fresh, 0o600)  # noqa: PTH101
        listening.listen(16)
        os.replace(fresh, f"{base}/{path.name}")  # noqa: PTH105
        try:
            yield trio.SocketListener(trio.socket.from_stdlib_socket(listening))
        finally:
            listening.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{base}/{path.name}")  # noqa: PTH108
    finally:
        os.close(directory)
