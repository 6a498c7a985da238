"""A kernel of our own: it speaks the protocol over a socket, so that a server can be told what no kernel would tell it."""

from __future__ import annotations

import _thread
import os
import socket
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from havend import session
from havend.direct import wire
from havend.direct.ledger import Ledger, create
from havend.direct.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import AbstractContextManager

    from havend.operations import Operations

OFFERED = (1 << 43) - 1
PATIENCE_S = 0.3


class Kernel:
    """The other end of a server's device."""

    def __init__(
        self, link: socket.socket, server: Server, operations: Operations, ledger: Ledger
    ) -> None:
        self.link = link
        self.server = server
        self.operations = operations
        self.ledger = ledger
        self.unique = 0

    def send(
        self,
        opcode: int,
        nodeid: int = wire.ROOT,
        body: bytes = b"",
        *,
        uid: int = 0,
        resent: bool = False,
    ) -> int:
        """Ask, and do not wait; the unique number."""
        self.unique += 2
        unique = self.unique | (wire.RESENT if resent else 0)
        size = wire.HEAD + len(body)
        header = wire.HEADER.pack(size, opcode, unique, nodeid, uid, uid, os.getpid(), 0, 0)
        self.link.send(header + body)
        return unique

    def receive(self) -> tuple[int, int, bytes]:
        """(unique, errno, body) of the next answer, or (0, code, body) of a notice."""
        message = self.link.recv(2 << 20)
        size, code, unique = wire.ANSWER.unpack_from(message)
        assert size == len(message)
        return unique, abs(code), message[wire.ANSWER_HEAD :]

    def ask(self, opcode: int, nodeid: int = wire.ROOT, body: bytes = b"", **more: Any) -> bytes:
        """Ask and wait. Raises OSError with the errno that came."""
        unique = self.send(opcode, nodeid, body, **more)
        answered, code, answer = self.receive()
        assert answered == unique
        if code:
            raise OSError(code, os.strerror(code))
        return answer

    def begin(self, *, minor: int = wire.NEWEST, offered: int = OFFERED) -> tuple[int, ...]:
        """INIT; the answer's fields."""
        body = wire.INIT_IN_EXT.pack(
            7, minor, 131072, offered & 0xFFFFFFFF, offered >> 32 & 0xFFFFFFFF
        )
        return wire.INIT_OUT.unpack(self.ask(wire.INIT, 0, body))

    def walk(self, path: str) -> int:
        """The nodeid of a path, looked up name by name."""
        nodeid = wire.ROOT
        for name in path.split("/"):
            answer = self.ask(wire.LOOKUP, nodeid, name.encode() + b"\0")
            (nodeid,) = struct.unpack_from("<Q", answer)
            assert nodeid, f"no {name}"
        return nodeid

    def open(self, nodeid: int, flags: int = os.O_RDONLY) -> tuple[int, int]:
        """(handle, open_flags)."""
        handle, open_flags, _ = wire.OPENED.unpack(
            self.ask(wire.OPEN, nodeid, wire.OPEN_IN.pack(flags, 0))
        )
        return handle, open_flags

    def read(self, nodeid: int, handle: int, size: int = 4096, offset: int = 0) -> bytes:
        return self.ask(wire.READ, nodeid, wire.READ_IN.pack(handle, offset, size, 0, 0, 0, 0))

    def release(self, nodeid: int, handle: int) -> None:
        self.ask(wire.RELEASE, nodeid, wire.RELEASE_IN.pack(handle, 0, 0, 0))
        self.ask(
            wire.GETATTR, wire.ROOT, wire.GETATTR_IN.pack(0, 0, 0)
        )  # it is answered first and done then

    def list(self, nodeid: int, size: int = 4096) -> list[tuple[bytes, int]]:
        """(name, nodeid or 0) of a directory, by READDIRPLUS."""
        handle, _, _ = wire.OPENED.unpack(
            self.ask(wire.OPENDIR, nodeid, wire.OPEN_IN.pack(os.O_RDONLY, 0))
        )
        found: list[tuple[bytes, int]] = []
        offset = 0
        while answer := self.ask(
            wire.READDIRPLUS, nodeid, wire.READ_IN.pack(handle, offset, size, 0, 0, 0, 0)
        ):
            for name, entry, cookie in entries(answer):
                found.append((name, struct.unpack_from("<Q", entry)[0]))
                offset = cookie
        self.ask(wire.RELEASEDIR, nodeid, wire.RELEASE_IN.pack(handle, 0, 0, 0))
        return found


def entries(answer: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """(name, fuse_entry_out, cookie) of a READDIRPLUS answer."""
    while answer:
        _, cookie, length, _ = wire.DIRENT.unpack_from(answer, wire.ENTRY.size)
        start = wire.ENTRY.size + wire.DIRENT.size
        yield answer[start : start + length], answer[: wire.ENTRY.size], cookie
        answer = answer[start + (length + 7 & ~7) :]


@pytest.fixture
def served() -> Callable[..., AbstractContextManager[Kernel]]:
    """`with served(shelf) as kernel:` a server answers it; `ledger=` of a predecessor."""
    return _served


@contextmanager
def _served(shelf: Any, *, ledger: Ledger | None = None) -> Generator[Kernel]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    ours.settimeout(20)
    descriptors: tuple[int, ...] = ()
    if ledger is None:
        descriptors = create()
        ledger = Ledger(descriptors)
    with session.opened(shelf.state, shelf.root.parent / "mount", ledger=ledger) as operations:
        server = Server(theirs.fileno(), operations, ledger=ledger, patience_s=PATIENCE_S)
        done = threading.Event()

        def run() -> None:
            server.run()
            done.set()

        _thread.start_new_thread(run, ())
        try:
            yield Kernel(ours, server, operations, ledger)
        finally:
            server.stop()
            assert done.wait(10)
            ours.close()
            theirs.close()
    for descriptor in descriptors:
        os.close(descriptor)
