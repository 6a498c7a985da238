"""Kills a program that decides, again and again, and looks at what is left. `python -m tests.decisions.kills 1000` for nights.

A child decides one thing after the other, out of a list that its number makes, and says after each answer how many it has had.
SIGKILL hits it at a random moment, or at a random line of the code that decides (counted by a trace function, so that every
line of the transaction, the journal and what lies between is as likely). Then, after recovery, everything that was answered
for must hold, and at most one more, whole; the same from the journal alone, if the database is lost with the kill or later.

This shows what a killed process leaves, whose writes the kernel still has. What a power cut leaves rests on fsync, and is not shown.
"""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import tempfile
import time
from pathlib import Path

from havenfs.catalog import Catalog, decided, given
from havenfs.decisions import Keeper, values
from tests.decisions import dying

CONTENTS = [bytes([n]) * 32 for n in range(4)]
PERSONS = ["p0", "p1", "p2"]
TRACED = tuple(
    os.path.join("havenfs", *parts)
    for parts in (
        ("decisions",),
        ("catalog", "decided.py"),
        ("catalog", "given.py"),
        ("catalog", "catalog.py"),
        ("catalog", "connections.py"),
    )
)
SECONDS = 10.0  # a child that is not killed by then hangs

Rows = dict[str, list[given.Row]]


def decide(keeper: Keeper, number: int, seed: int) -> None:
    """The decision with this number: it always changes something, in several rows, and is the same for one seed."""
    chance = random.Random(f"{seed} {number}")
    done = keeper.last(1)
    if number % 7 == 6 and done:
        keeper.revert(done[0].operation.id, by="child")
    elif number % 11 == 10:
        person = f"p{number}"
        keeper.decide(values.MakePerson(uid=person, name=f"Person {number}"), by="child")
    elif number % 25 == 24:
        keeper.compact()
        keeper.decide(values.SetRating(contents=(CONTENTS[0],), stars=None), by="child")
        keeper.decide(values.SetCaption(contents=tuple(CONTENTS), body=f"{number}"), by="child")
    else:
        body = f"{number} {chance.random()}"
        keeper.decide(values.SetCaption(contents=tuple(CONTENTS), body=body), by="child")


def rows(catalog: Catalog) -> Rows:
    """All GIVEN rows."""
    return {table: catalog.read(given.rows, table) for table in given.TABLES}


def expected(directory: Path, seed: int, count: int) -> list[Rows]:
    """The rows after each of the first *count* decisions, made without a kill."""
    with Catalog(directory / "catalog.db") as catalog:
        keeper = Keeper(catalog, directory / "decisions.jsonl")
        keeper.recover()
        found = [rows(catalog)]
        for number in range(count):
            decide(keeper, number, seed)
            found.append(rows(catalog))
    return found


def child(directory: Path, start: int, seed: int, out: int, lines: int | None) -> None:
    """Decide from *start* on until killed; with *lines*, by its own hand after so many of the lines that decide."""
    with Catalog(directory / "catalog.db") as catalog:
        keeper = Keeper(catalog, directory / "decisions.jsonl")
        if lines is not None:
            sys.settrace(dying.after(lines, TRACED))
        keeper.recover()
        for number in range(start, 10_000):
            decide(keeper, number, seed)
            os.write(out, b"%d\n" % (number + 1))


def kill_one(directory: Path, start: int, seed: int, chance: random.Random) -> int:
    """Run a child from *start* on and kill it; returns how many decisions it was answered for."""
    lines = chance.randrange(1, 4000) if chance.random() < 0.7 else None
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        try:
            child(directory, start, seed, writing, lines)
        finally:
            os._exit(1)  # it ends by a kill alone
    os.close(writing)
    end = time.monotonic() + (SECONDS if lines is not None else chance.uniform(0, 0.15))
    told = b""
    while (left := end - time.monotonic()) > 0 and select.select([reading], [], [], left)[0]:
        data = os.read(reading, 65536)
        if not data:
            break
        told += data
    os.kill(pid, signal.SIGKILL)
    while data := os.read(reading, 65536):
        told += data
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    if not os.WIFSIGNALED(status):
        raise AssertionError(f"the child ended by itself: {status}")
    if lines is not None and time.monotonic() > end:
        raise AssertionError("the child hung")
    return int(told.split()[-1]) if told else start


def check(directory: Path, wanted: list[Rows], answered: int, loss: str) -> int:
    """Look at what a kill left; returns how many decisions hold.

    *loss* of the database: "at once", so that the journal as it was at the kill must do; "later"; or "none".
    """
    if loss == "at once":
        lose(directory)
    with Catalog(directory / "catalog.db") as catalog:
        before = rows(catalog)  # as whoever comes next sees it, before anything is mended
        Keeper(catalog, directory / "decisions.jsonl").recover()
        after = rows(catalog)
        if catalog.read(decided.outbox):
            raise AssertionError("something is still in the outbox")
    held = next((n for n in (answered, answered + 1) if wanted[n] == after), None)
    if held is None or (before != after and loss != "at once"):
        raise AssertionError(f"{answered} were answered for; something else holds")
    if loss == "later":
        lose(directory)
        with Catalog(directory / "catalog.db") as catalog:
            Keeper(catalog, directory / "decisions.jsonl").recover()
            if rows(catalog) != after:
                raise AssertionError("the journal says something else than the catalog did")
    return held


def lose(directory: Path) -> None:
    """Delete the database."""
    for file in directory.glob("catalog.db*"):
        file.unlink()


def run(kills: int, directory: Path, seed: int) -> tuple[int, int]:
    """Kill so often; returns how many decisions were answered for, and how many kills hit one that held unanswered."""
    chance = random.Random(seed)
    answered = unanswered = done = 0
    libraries = 0
    while done < kills:
        library = directory / str(libraries)
        libraries += 1
        wanted = expected(directory / f"{libraries}-whole", seed + libraries, 260)
        held = 0
        for _ in range(20):
            told = kill_one(library, held, seed + libraries, chance)
            loss = chance.choice(["at once", "later", "none"])
            now = check(library, wanted, told, loss)
            answered += told - held
            unanswered += now > told
            held = now
            done += 1
            if done == kills or held > 150:
                break
    return answered, unanswered


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        start_seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
        print(f"seed {start_seed}", flush=True)
        counted = run(int(sys.argv[1]), Path(temporary), start_seed)
        print(
            f"{sys.argv[1]} kills, {counted[0]} decisions answered for, {counted[1]} held unanswered"
        )
