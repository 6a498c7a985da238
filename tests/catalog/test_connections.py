from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from havenfs.catalog.connections import Connections

if TYPE_CHECKING:
    from pathlib import Path


def test_closing_does_not_wait_for_a_thread_that_was_left_behind_in_a_query(tmp_path: Path):
    begun, go_on = threading.Event(), threading.Event()
    connections = Connections(tmp_path / "a.db")

    def query() -> Any:
        db: Any = connections.connection()  # apsw's stub takes no plain function

        def hang() -> int:
            begun.set()
            go_on.wait(10)
            return 1

        db.create_scalar_function("hang", hang, 0)
        return db.execute("SELECT hang()").fetchall()

    connections.connection()
    with ThreadPoolExecutor(1) as pool:
        left = pool.submit(query)
        assert begun.wait(10)
        connections.close()
        go_on.set()
        assert left.result() == [(1,)]
