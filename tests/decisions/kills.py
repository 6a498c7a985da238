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
import time
from typing import TYPE_CHECKING

from havenfs.catalog import Catalog, decided, given
from havenfs.decisions import Keeper, values
from havenfs.entities import Region
from tests.decisions import dying

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTENTS = [bytes([n]) * 32 for n in range(4)]
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
SECONDS = 60.0  # a child that is not killed by then hangs, on however busy a machine
DECISIONS = 260  # in one library

Rows = dict[str, list[given.Row]]


def decide(keeper: Keeper, number: int, seed: int) -> None:
    """The decision with this number: it always changes something, and is the same for one seed."""
    chance = random.Random(f"{seed} {number}")
    turn, step = divmod(number, len(SCRIPT) + 4)
    if step == len(SCRIPT):
        keeper.compact()
    elif step == len(SCRIPT) + 1:
        keeper.revert(keeper.last(1)[0].operation.id, by="child")
        return
    if step < len(SCRIPT):
        keeper.decide(SCRIPT[step](str(turn), chance), by="child")
    else:  # something that goes through many rows
        body = f"{number} {chance.random()}"
        keeper.decide(values.SetCaption(contents=tuple(CONTENTS), body=body), by="child")


def _region(turn: str) -> Region:
    return Region(
        int(turn), 0.1, 0.1, 0.3, 0.3
    )  # of a moment of its own: of that face nothing is said yet


def _faces(turn: str) -> tuple[values.FaceAt, ...]:
    return tuple(values.FaceAt(content, _region(turn)) for content in CONTENTS)


def _trash(turn: str, number: int) -> values.Trash:
    return values.Trash(
        uid=f"t{number}{turn}", content=CONTENTS[number], source="photos", path=b"a/%d.jpg" % number,
        at_ms=int(turn), owner="child",
    )  # fmt: skip


ALBUM, TAG = values.Folder.ALBUM, values.Folder.TAG
SCRIPT: list[Callable[[str, random.Random], values.Decision]] = [
    lambda n, _: values.MakePerson(uid=f"p{n}", name=f"Person {n}"),
    lambda n, _: values.SayFaces(_faces(n), f"p{n}", is_it=True),
    lambda n, _: values.RenamePerson(uid=f"p{n}", name=f"Somebody {n}"),
    lambda n, _: values.Together((
        values.MakePerson(uid=f"q{n}", name=f"Other {n}"),
        values.SayFaces(_faces(n)[:2], f"q{n}", is_it=True),
        values.TagPerson(contents=tuple(CONTENTS[:2]), person=f"p{n}", is_in=False),
    )),
    lambda n, _: values.SayFaces(_faces(n)[2:], f"p{n}", is_it=False),
    lambda n, _: values.TagPerson(contents=tuple(CONTENTS), person=f"q{n}", is_in=True),
    lambda n, _: values.MergePersons(uid=f"q{n}", into=f"p{n}"),
    lambda n, _: values.IgnorePerson(uid=f"p{n}", ignored=True),
    lambda n, _: values.IgnorePerson(uid=f"p{n}", ignored=False),
    lambda n, _: values.MakeFolder(uid=f"a{n}", folder=ALBUM, name=f"Album {n}"),
    lambda n, _: values.MakeFolder(uid=f"b{n}", folder=ALBUM, name="Inner", parent=f"a{n}"),
    lambda n, _: values.Fill(uid=f"a{n}", contents=tuple(CONTENTS), inside=True),
    lambda n, _: values.Together((
        values.Fill(uid=f"b{n}", contents=tuple(CONTENTS[:2]), inside=True),
        values.Fill(uid=f"a{n}", contents=tuple(CONTENTS[:2]), inside=False),
    )),
    lambda n, _: values.MoveFolder(uid=f"b{n}", name=f"Outer {n}", parent=None),
    lambda n, _: values.RemoveFolder(uid=f"a{n}", filled=True),
    lambda n, _: values.MakeFolder(uid=f"t{n}", folder=TAG, name=f"tag {n}"),
    lambda n, _: values.MakeFolder(uid=f"u{n}", folder=TAG, name=f"tog {n}"),
    lambda n, _: values.Fill(uid=f"u{n}", contents=tuple(CONTENTS), inside=True),
    lambda n, _: values.MergeFolders(uid=f"u{n}", into=f"t{n}"),
    lambda n, _: values.RefuseTag(contents=tuple(CONTENTS), tag=f"dog {n}"),
    lambda n, _: values.SetFavorite(contents=tuple(CONTENTS), favorite=not int(n) % 2),
    lambda n, _: values.SetRating(contents=tuple(CONTENTS), stars=int(n) % 5),
    lambda n, c: values.SetDate(contents=tuple(CONTENTS), local=int(n) * 1_000_000 + c.randrange(1000), offset=60),
    lambda n, c: values.SetPosition(contents=tuple(CONTENTS), position=(c.uniform(-90, 90), 1.0), centre=True),
    lambda n, _: values.SaveSearch(name=f"search {n}", query="type=photo"),
    lambda n, _: values.RenameSearch(name=f"search {n}", new_name=f"found {n}"),
    lambda n, _: values.ForgetSearch(name=f"found {n}"),
    lambda n, _: values.Distinguish(contents=(CONTENTS[0], bytes([200 + int(n) % 50]) * 32)),
    lambda n, _: values.RefuseFiling(content=CONTENTS[0], source="photos", path=b"folder %d" % int(n)),
    lambda n, _: values.FileAway(uid=f"f{n}", files=(
        values.Moved(CONTENTS[0], "photos", b"Inbox/0.jpg", "photos", b"a/0.jpg"),
        values.Moved(CONTENTS[0], "photos", b"Inbox/0.xmp", "photos", b"a/0.xmp"),
    )),
    lambda n, _: _trash(n, 0),
    lambda n, _: values.DiscardCopy(content=CONTENTS[1], into=CONTENTS[2], files=(_trash(n, 1), _trash(n, 2))),
    lambda n, _: values.LeaveTrash(uid=f"t0{n}"),
    lambda n, _: values.EmptyTrash(uids=(f"t1{n}", f"t2{n}")),
    lambda n, _: values.ForgetPerson(uid=f"p{n}"),
]  # fmt: skip
"""One of each kind, over and over; all of it is rows: files that move with them are the business of other programs here."""


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
        for number in range(start, DECISIONS):
            decide(keeper, number, seed)
            os.write(out, b"%d\n" % (number + 1))
    os.kill(os.getpid(), signal.SIGKILL)  # it was faster than who was to kill it


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
    held = next((n for n in (answered, answered + 1) if wanted[n : n + 1] == [after]), None)
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


def run(kills: int, directory: Path, seed: int) -> str:
    """Kill so often; says how many decisions were answered for, and how many kills hit one that held unanswered."""
    chance = random.Random(seed)
    answered = unanswered = done = 0
    libraries = 0
    while done < kills:
        library = directory / str(libraries)
        libraries += 1
        wanted = expected(directory / f"{libraries}-whole", seed + libraries, DECISIONS)
        held = 0
        for _ in range(20):
            told = kill_one(library, held, seed + libraries, chance)
            loss = chance.choice(["at once", "later", "none"])
            now = check(library, wanted, told, loss)
            answered += told - held
            unanswered += now > told
            held = now
            done += 1
            if done == kills or held > DECISIONS // 2:
                break
    return f"{kills} kills, {answered} decisions answered for, {unanswered} held unanswered"


if __name__ == "__main__":
    dying.program(run)
