"""Connections to one SQLite file: one for each thread that asks, closed together. Knows no schema.

A thread that ends leaves its connection to the next one that begins. Opening one is a write when root does it: SQLite gives the
WAL to the database's owner (`robustFchown` of its os_unix.c), which it mostly is already, and its inode goes to the disk with
the new ctime. Threads of trio end after ten idle seconds, so an indexer without work woke its disk every other minute.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import apsw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Concatenate, Self

P = ParamSpec("P")
T = TypeVar("T")

SPARE = 16  # connections kept for threads to come; an indexer that looks for work uses five to eight at once
BUSY_MS = 10_000  # the longest write, a batch of the indexer, takes well under a second
BRIEF_MS = 20


class _Hold:
    """A connection while a thread has it; *spare* gets it when the thread ends."""

    def __init__(self, connection: apsw.Connection, spare: deque[apsw.Connection]) -> None:
        self.connection = connection
        self._spare = spare

    def __del__(self) -> None:
        with suppress(apsw.ConnectionClosedError, apsw.ThreadingViolationError):  # see close
            self.connection.pragma("shrink_memory")  # up to 2 MB of pages, of no use while it waits
            if not self.connection.in_transaction:  # a disk that fails may refuse the rollback too
                self._spare.append(self.connection)


class Connections:
    """What opens and closes the file at *path*. The directory is made if missing, the file by the first connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._all: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        self._spare: deque[apsw.Connection] = deque(maxlen=SPARE)
        path.parent.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection, but for those of threads that were left behind in a call: each closes with its thread."""
        self._spare = deque(maxlen=SPARE)  # what those threads leave is nobody's
        for connection in list(self._all):
            with suppress(apsw.ThreadingViolationError):
                connection.close()
        self._local = threading.local()

    def prepare(self, db: apsw.Connection) -> None:
        """Set up a new connection. To be extended."""
        _to_wal(db)
        # WAL and NORMAL may lose the last derived rows, never consistency.
        db.pragma("synchronous", "normal")

    def connection(self) -> apsw.Connection:
        """The calling thread's own."""
        hold: _Hold | None = getattr(self._local, "hold", None)
        if hold is None:
            hold = self._local.hold = _Hold(self._spared() or self._opened(), self._spare)
        return hold.connection

    def leave(self) -> None:
        """Leave the calling thread's connection to the next one that needs one: to open one takes 2 ms."""
        self._local.__dict__.pop("hold", None)

    def _spared(self) -> apsw.Connection | None:
        """One that a thread has left, the last first: its pages are the newest."""
        with suppress(IndexError):
            return self._spare.pop()
        return None

    def _opened(self) -> apsw.Connection:
        found = apsw.Connection(str(self.path))
        self.prepare(found)
        self._all.add(found)
        return found


def _to_wal(db: apsw.Connection) -> None:
    """Let readers and a writer work at the same time, and set the busy time-out.

    Who makes a new file so beside others may be refused at once, or wait in vain: SQLite lets each wait for the other. So all
    of them wait briefly and begin anew.
    """
    deadline = time.monotonic() + BUSY_MS / 1000
    db.set_busy_timeout(BRIEF_MS)
    while True:
        try:
            db.pragma("journal_mode", "wal")
            break
        except apsw.BusyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.001)
    db.set_busy_timeout(BUSY_MS)


def transact(
    db: apsw.Connection,
    begin: str,
    query: Callable[Concatenate[apsw.Connection, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run *query* between *begin* (BEGIN or BEGIN IMMEDIATE) and COMMIT; what it raises rolls back."""
    db.execute(begin)
    try:
        result = query(db, *args, **kwargs)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # on a full disk SQLite may have rolled back by itself
            db.execute("ROLLBACK")
        raise
    return result
