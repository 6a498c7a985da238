"""Unix sockets in the state directory, at which programs of one owner ask each other: bound, and connected to.

The address of a socket may have 107 bytes, the path of a state directory 4095: so both ends go through a descriptor of the
directory. Synchronous; any thread.
"""

from __future__ import annotations

import os
import socket
import struct
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


@contextmanager
def listening(path: Path) -> Generator[socket.socket]:
    """A listening socket at *path*, for the owner only; it replaces what a dead process left there. Closed afterwards; its
    name stays, because a successor may have taken it already: who connects then is refused, as nobody listens."""
    with _beside(path) as base:
        fresh = f"{base}/{path.name}.new"
        with suppress(FileNotFoundError):
            os.unlink(fresh)  # noqa: PTH108 -- not a path for anybody else
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as found:
            # Under another name first: nobody finds it before its mode is right, and rename replaces a dead one.
            found.bind(fresh)
            os.chmod(fresh, 0o600)  # noqa: PTH101
            found.listen(16)
            os.replace(fresh, f"{base}/{path.name}")  # noqa: PTH105
            yield found


def connect(path: Path, seconds: float) -> socket.socket:
    """A connection to the socket at *path*, whose every call waits at most *seconds*. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        connection.settimeout(seconds)
        with _beside(path) as base:
            connection.connect(f"{base}/{path.name}")
    except BaseException:
        connection.close()
        raise
    return connection


def peer(connection: socket.socket) -> int:
    """The user at the other end, as the kernel saw him connect (unix(7), SO_PEERCRED)."""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return _CREDENTIALS.unpack(found)[1]


def line(connection: socket.socket, most: int) -> bytes:
    """What comes until the end of a line or of the connection; of more than *most* bytes, those that came. Raises OSError."""
    said = bytearray()
    while b"\n" not in said and len(said) <= most and (piece := connection.recv(most)):
        said += piece
    return bytes(said.partition(b"\n")[0])


@contextmanager
def _beside(path: Path) -> Generator[str]:
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}"
    finally:
        os.close(directory)
