"""The front door of the catalog file.

Threading: every thread that calls gets a connection of its own, so any thread of any program may read and write. A
call blocks for its transaction (readers never wait in WAL mode, writers wait for each other up to BUSY_MS); async
programs call it inline for point reads and through a thread for the rest.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import apsw
import sqlite_vec

from . import schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Concatenate, Self

P = ParamSpec("P")
T = TypeVar("T")

Connection = apsw.Connection
"""What a function given to `read` and `write` takes first, for the packages that may not name apsw."""

BUSY_MS = 10_000  # the longest write, a batch of the indexer, takes well under a second


class Catalog:
    """The catalog file at *path*; made, or brought up to date, on opening. Raises NewerState."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._all: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()  # a thread's ends with it
        path.parent.mkdir(parents=True, exist_ok=True)
        schema.migrate(self._connection(), path)

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
        """Close every thread's connection. No call may be under way."""
        for connection in list(self._all):
            connection.close()
        self._local = threading.local()

    def read(
        self, query: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run *query* in one read transaction: all its statements see one moment."""
        return _transact(self._connection(), "BEGIN", query, *args, **kwargs)

    def write(
        self, query: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run *query* in one write transaction, rolled back if it raises."""
        return _transact(self._connection(), "BEGIN IMMEDIATE", query, *args, **kwargs)

    def attempt(
        self, query: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> bool:
        """Like `write`, for what may be lost: False where the disk is full, read-only or kept busy."""
        try:
            self.write(query, *args, **kwargs)
        except (
            apsw.BusyError,
            apsw.CantOpenError,
            apsw.FullError,
            apsw.IOError,
            apsw.ReadOnlyError,
        ):
            return False
        return True

    def version(self) -> int:
        """A number that moves when another connection has committed. Comparable within this thread only."""
        return int(self._connection().pragma("data_version"))

    def _connection(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect(self.path)
            self._all.add(connection)
        return connection


def connect(path: Path) -> apsw.Connection:
    """A connection with sqlite-vec loaded and the settings that every program shares."""
    db = apsw.Connection(str(path))
    db.set_busy_timeout(BUSY_MS)
    db.enable_load_extension(True)  # noqa: FBT003  # apsw's signature
    db.load_extension(sqlite_vec.loadable_path())
    db.enable_load_extension(False)  # noqa: FBT003  # apsw's signature
    # Statements are planned once: this SQLite (STAT4) would plan anew for each value bound, 38 us instead of 2 a lookup.
    db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    db.pragma("journal_mode", "wal")
    db.pragma(
        "synchronous", "normal"
    )  # WAL + NORMAL may lose the last derived rows, never consistency
    db.pragma("foreign_keys", 1)
    db.pragma("temp_store", "memory")
    return db


def _transact(
    db: apsw.Connection,
    begin: str,
    query: Callable[Concatenate[apsw.Connection, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    db.execute(begin)
    try:
        result = query(db, *args, **kwargs)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    return result
