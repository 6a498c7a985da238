"""The front door of the catalog file.

Threading: every thread that calls gets a connection of its own, so any thread of any program may read and write. A
call blocks for its transaction (readers never wait in WAL mode, writers wait for each other up to BUSY_MS); async
programs call it inline for point reads and through a thread for the rest.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import apsw

from . import corrections, schema, stacks
from .connections import BUSY_MS, Connections, transact

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Concatenate

P = ParamSpec("P")
T = TypeVar("T")

TROUBLE = (
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.FullError,
    apsw.IOError,
    apsw.ReadOnlyError,
)
"""What a disk that is full, read-only or failing makes SQLite say, or somebody who holds the file for long."""
Connection = apsw.Connection
"""What a function given to `read` and `write` takes first, for the packages that may not name apsw."""


# The extension beside the package's Python, which is not imported: that brings numpy, 0.1 s and 20 MB for a mount
# in which nobody searches.
_package = find_spec("sqlite_vec")
assert _package is not None
assert _package.origin is not None
_VECTORS = str(Path(_package.origin).with_name("vec0"))


class Catalog(Connections):
    """The catalog file at *path*; made, or brought up to date, on opening. Raises NewerState."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        schema.migrate(self.connection(), path)

    def prepare(self, db: apsw.Connection) -> None:
        """With sqlite-vec, and the settings that every program shares."""
        super().prepare(db)
        db.enable_load_extension(True)  # noqa: FBT003  # apsw's signature
        db.load_extension(_VECTORS)
        db.enable_load_extension(False)  # noqa: FBT003  # apsw's signature
        # Statements are planned once: this SQLite (STAT4) would plan anew for each value bound, 38 us instead of 2 a lookup.
        db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        db.pragma("foreign_keys", 1)
        db.pragma("temp_store", "memory")

    def read(
        self, query: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run *query* in one read transaction: all its statements see one moment."""
        return transact(self.connection(), "BEGIN", query, *args, **kwargs)

    def glance(
        self, query: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run *query*, a single statement: such a one is its own transaction, at two thirds of the price of `read`."""
        return query(self.connection(), *args, **kwargs)

    def write(
        self, query: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run *query* in one write transaction, rolled back if it raises. Corrections and stacks are settled before it commits."""
        return transact(self.connection(), "BEGIN IMMEDIATE", _settling, query, *args, **kwargs)

    def write_durably(
        self, query: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Like `write`, for what nothing could bring back: on the disk when this returns, whatever happens to the power."""
        db = self.connection()
        db.pragma("synchronous", "full")
        try:
            return self.write(query, *args, **kwargs)
        finally:
            db.pragma("synchronous", "normal")

    def attempt(
        self, query: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> bool:
        """Like `write`, for what may be lost: False where the disk is full, read-only or kept busy."""
        try:
            self.write(query, *args, **kwargs)
        except TROUBLE:
            return False
        return True

    @contextmanager
    def waiting(self, at_most_ms: int) -> Generator[None]:
        """Inside, this thread waits no longer than this for the writes of others."""
        db = self.connection()
        db.set_busy_timeout(at_most_ms)
        try:
            yield
        finally:
            db.set_busy_timeout(BUSY_MS)

    def version(self) -> int:
        """A number that moves when another connection has committed. Comparable within this thread only."""
        return int(self.connection().pragma("data_version"))


def _settling(
    db: apsw.Connection,
    query: Callable[Concatenate[apsw.Connection, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    result = query(db, *args, **kwargs)
    corrections.settle(db)
    stacks.settle(db)
    return result
