"""SQLite's locks, journals and shared memory hold in `files/`: no writer's row is lost, no reader sees half of one."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import Any

import pytest

pytestmark = pytest.mark.fuse

WRITERS = 4
ROUNDS = 60
MODES = ("wal", "delete")


def sql(database: Any, *statements: str, **options: Any) -> subprocess.Popen[str]:
    """The sqlite3 program at work; it waits for others' locks."""
    process = subprocess.Popen(
        ["sqlite3", "-batch", "-bail", str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    assert process.stdin is not None
    process.stdin.write("\n".join((".timeout 60000", *statements, "")))
    process.stdin.close()
    process.stdin = None
    return process


def answer(process: subprocess.Popen[str], seconds: float = 90) -> list[str]:
    output, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, output
    return output.splitlines()


def transfer(writer: int) -> list[str]:
    """Money moves between two accounts and a row says so, all or nothing."""
    return [
        f"BEGIN IMMEDIATE; UPDATE account SET money = money - {k} WHERE id = 1;"
        f"UPDATE account SET money = money + {k} WHERE id = 2;"
        f"INSERT INTO booking (writer, number, text) VALUES ({writer}, {k}, hex(randomblob(500))); COMMIT;"
        for k in range(ROUNDS)
    ]


def open_bank(database: Any, mode: str) -> None:
    made = sql(
        database,
        f"PRAGMA journal_mode={mode};",
        "CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER);",
        "INSERT INTO account VALUES (1, 1000000), (2, 0);",
        "CREATE TABLE booking (id INTEGER PRIMARY KEY, writer, number, text);",
        "CREATE INDEX booked ON booking (writer, number);",
    )
    assert answer(made) == [mode]


@pytest.mark.parametrize("mode", MODES)
def test_concurrent_writers_lose_nothing(place: Any, mode: str):
    database = place.files / "bank.db"
    open_bank(database, mode)
    writers = [sql(database, *transfer(writer)) for writer in range(WRITERS)]
    sums: set[str] = set()
    while any(writer.poll() is None for writer in writers):
        sums.update(answer(sql(database, "SELECT sum(money) FROM account;")))
        time.sleep(0.05)
    assert sums == {"1000000"}
    for writer in writers:
        assert answer(writer) == []
    moved = WRITERS * ROUNDS * (ROUNDS - 1) // 2
    wanted = ["ok", str(WRITERS * ROUNDS), str(WRITERS), str(moved)]
    question = (
        "PRAGMA integrity_check;",
        "SELECT count(*) FROM booking;",
        f"SELECT count(*) FROM (SELECT 1 FROM booking GROUP BY writer HAVING count(*) = {ROUNDS});",
        "SELECT money FROM account WHERE id = 2;",
    )
    assert answer(sql(database, *question)) == wanted
    assert answer(sql(place.disk / "bank.db", *question)) == wanted


@pytest.mark.parametrize("mode", MODES)
def test_a_writer_killed_in_the_middle_leaves_whole_transactions(place: Any, mode: str):
    database = place.files / "bank.db"
    open_bank(database, mode)
    for after in (0.1, 0.2, 0.3):
        victims = [sql(database, *transfer(writer)) for writer in range(2)]
        time.sleep(after)
        for victim in victims:
            victim.send_signal(signal.SIGKILL)
            victim.communicate()
    integrity, total, moved, booked = answer(
        sql(
            database,
            "PRAGMA integrity_check;",
            "SELECT sum(money) FROM account;",
            "SELECT money FROM account WHERE id = 2;",
            "SELECT coalesce(sum(number), 0) FROM booking;",
        )
    )
    assert (integrity, total) == ("ok", "1000000")
    assert moved == booked
