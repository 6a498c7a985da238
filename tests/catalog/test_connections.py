from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from havenfs.catalog.connections import Connections

if TYPE_CHECKING:
    from pathlib import Path

    import apsw


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


def test_threads_that_come_and_go_write_nothing(tmp_path: Path):
    connections = Connections(tmp_path / "a.db")
    connections.connection().execute("CREATE TABLE a (b); INSERT INTO a VALUES (1)")

    def read() -> apsw.Connection:
        db = connections.connection()
        assert db.execute("SELECT b FROM a").fetchall() == [(1,)]
        return db

    def in_a_new_thread() -> apsw.Connection:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(read).result()

    def changed() -> dict[str, int]:
        return {path.name: path.stat().st_ctime_ns for path in tmp_path.iterdir()}

    first = in_a_new_thread()
    before = changed()
    assert "a.db-wal" in before  # SQLite as root writes to its inode whenever it opens it
    again = [in_a_new_thread() for _ in range(5)]
    assert changed() == before
    assert all(db is first for db in again)  # for who is not root


def test_a_thread_that_will_only_wait_leaves_its_connection_to_the_next(tmp_path: Path):
    connections = Connections(tmp_path / "a.db")
    first = connections.connection()
    connections.leave()
    connections.leave()  # there is nothing more to leave
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(connections.connection).result() is first
        assert connections.connection() is not first


def test_threads_at_the_same_time_have_connections_of_their_own(tmp_path: Path):
    connections = Connections(tmp_path / "a.db")
    together = threading.Barrier(3)

    def read() -> apsw.Connection:
        together.wait(10)
        found = connections.connection()
        together.wait(10)
        return found

    for _ in range(2):  # the second time with those that the first have left
        with ThreadPoolExecutor(3) as pool:
            found = [pool.submit(read) for _ in range(3)]
            assert len({id(future.result()) for future in found}) == 3


def test_nobody_is_refused_who_makes_a_new_file_beside_others(tmp_path: Path):
    together = threading.Barrier(12)

    def read(connections: Connections) -> apsw.Connection:
        together.wait(10)
        return connections.connection()

    with ThreadPoolExecutor(12) as pool:
        for n in range(60):  # SQLite refuses somebody in every tenth
            with Connections(tmp_path / f"{n}.db") as connections:
                for future in [pool.submit(read, connections) for _ in range(12)]:
                    assert future.result().pragma("journal_mode") == "wal"


def test_what_a_thread_leaves_after_closing_is_not_used_again(tmp_path: Path):
    connections = Connections(tmp_path / "a.db")
    with ThreadPoolExecutor(1) as pool:
        closed = pool.submit(connections.connection).result()
        connections.close()
    assert connections.connection() is not closed
    assert connections.connection().execute("SELECT 1").fetchall() == [(1,)]
