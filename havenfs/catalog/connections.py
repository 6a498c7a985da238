"""Connections to one SQLite file: one for each thread that asks, closed together. Knows no schema."""

from __future__ import annotations

import threading
import weakref
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

BUSY_MS = 10_000  # the longest write, a batch of the indexer, takes well under a second


class Connections:
    """What opens and closes the file at *path*. The directory is made if missing, the file by the first connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._all: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()  # a thread's ends with it
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
        """Close every thread's connection, but for those of threads that were left behind in a call: each closes with its
        thread."""
        for connection in list(self._all):
            with suppress(apsw.ThreadingViolationError):
                connection.close()
        self._local = threading.local()

    def prepare(self, db: apsw.Connection) -> None:
        """Set up a new connection. To be extended."""
        db.set_busy_timeout(BUSY_MS)
        db.pragma("journal_mode", "wal")
        # WAL and NORMAL may lose the last derived rows, never consistency.
        db.pragma("synchronous", "normal")

    def connection(self) -> apsw.Connection:
        """The calling thread's own."""
        found: apsw.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = apsw.Connection(str(self.path))
            self.prepare(found)
            self._local.connection = found
            self._all.add(found)
        return found


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
