"""Kills a program that removes, restores, purges and takes back, and looks at what is left. `python -m tests.decisions.trash_kills 1000` for nights.

A child does one thing after another to the files of a source, and says before each what it is about to do, and after each
answer that it has it. SIGKILL hits it at a random line of the code that moves files and decides. After `reconcile`, every file
that was not purged must be in exactly one place, with its bytes; the rows must say what lies in the trash; and what was
answered for must hold.
"""

from __future__ import annotations

import os
import random
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from havenfs.catalog import Catalog, sources, trashed
from havenfs.config import SourceConfig
from havenfs.decisions import Keeper
from havenfs.decisions.bin import Bin
from havenfs.trash import folder
from tests.decisions import dying

if TYPE_CHECKING:
    from pathlib import Path

TRACED = (
    os.path.join("havenfs", "trash"),
    os.path.join("havenfs", "decisions"),
    os.path.join("havenfs", "catalog", "trashed.py"),
    os.path.join("havenfs", "catalog", "catalog.py"),
    os.path.join("havenfs", "catalog", "connections.py"),
)
FILES = 6


class Home:
    """A source of six files, each in a folder of its own."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "photos"
        self.root.mkdir(exist_ok=True)
        self.catalog = Catalog(directory / "state/catalog.db")
        self.keeper = Keeper(self.catalog, directory / "state/decisions.jsonl")
        self.keeper.recover()
        wanted = [SourceConfig(name="photos", root=self.root, writable=True)]
        (self.source,) = self.catalog.write(sources.configure, wanted)
        self.bin = Bin(self.catalog, self.keeper)

    def out(self) -> dict[bytes, str]:
        """Bytes and place of each file in the library."""
        found: dict[bytes, str] = {}
        for path in sorted(self.root.rglob("*")):
            if path.is_file() and ".haven-trash" not in path.parts:
                data = path.read_bytes()
                assert data not in found, f"{data!r} is there twice"
                found[data] = str(path.relative_to(self.root))
        return found

    def lying(self) -> dict[bytes, str]:
        """Bytes and uid of each file in the trash."""
        found: dict[bytes, str] = {}
        for lying in folder.listing(self.source):
            if lying.path is not None:
                data = (self.root / os.fsdecode(lying.lies)).read_bytes()
                assert data not in found, f"{data!r} lies there twice"
                found[data] = lying.uid
        return found


def act(home: Home, chance: random.Random, tell: Any) -> None:
    """One random thing; *tell* is told what, before and after."""
    out, rows = home.out(), home.catalog.read(trashed.everything)
    what = chance.choice(["take", "take", "restore", "purge", "undo"])
    if what == "take" and out:
        data, path = chance.choice(sorted(out.items()))
        tell(f"in {data.decode()}")
        home.bin.take(home.source, path.encode(), None, nullcontext(), by="child")
        tell(f"is-in {data.decode()}")
    elif what == "undo" and rows:
        done = home.keeper.last(1)[0].operation
        if done.kind != "Trash":
            return
        (uid,) = (str(change.key[0]) for change in done.changes)
        data = {uid: data for data, uid in home.lying().items()}[uid]
        tell(f"out {data.decode()}")
        home.keeper.revert(done.id, by="child")
        tell(f"is-out {data.decode()}")
    elif what in ("restore", "purge") and rows:
        row = chance.choice(rows)
        data = {uid: data for data, uid in home.lying().items()}[row.uid]
        if what == "purge":
            if chance.random() < 0.7:
                return  # or nothing is left soon
            tell(f"gone {data.decode()}")
            home.bin.purge([row], by="child")
            tell(f"is-gone {data.decode()}")
        else:
            tell(f"out {data.decode()}")
            place = home.root / f"back {data.decode()}"
            home.bin.restore(
                home.source,
                row.uid,
                lambda lies: (home.root / os.fsdecode(lies)).rename(place),
                by="child",
            )
            tell(f"is-out {data.decode()}")


def child(directory: Path, seed: int, out: int, lines: int) -> None:
    """Act until killed by its own hand after so many lines."""
    home = Home(directory)
    home.bin.reconcile(home.source)
    chance = random.Random(seed)

    def tell(text: str) -> None:
        os.write(out, text.encode() + b"\n")

    sys.settrace(dying.after(lines, TRACED))
    for _ in range(10_000):
        act(home, chance, tell)


def kill_one(directory: Path, chance: random.Random) -> list[tuple[str, bytes]]:
    """Run a child and let it kill itself; what it told."""
    seed, lines = chance.randrange(1 << 30), chance.randrange(1, 3000)
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        try:
            child(directory, seed, writing, lines)
        finally:
            os._exit(1)  # it ends by a kill alone
    os.close(writing)
    told = b""
    while data := os.read(reading, 65536):
        told += data
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    if not os.WIFSIGNALED(status):
        raise AssertionError(f"the child ended by itself: {status}")
    return [(a.decode(), b) for a, b in (line.split(b" ", 1) for line in told.splitlines())]


def check(directory: Path, state: dict[bytes, str], told: list[tuple[str, bytes]]) -> int:
    """Look at what a kill left, given where each file was before; returns how many answers hold."""
    answers = [(what.removeprefix("is-"), data) for what, data in told if what.startswith("is-")]
    state |= {data: what for what, data in answers}
    pending = told[-1] if told and not told[-1][0].startswith("is-") else None
    home = Home(directory)
    home.bin.reconcile(home.source)
    out, lying = home.out(), home.lying()
    rows = {row.uid for row in home.catalog.read(trashed.everything)}
    if rows != set(lying.values()):
        raise AssertionError(f"rows {rows}, in the trash {lying}")
    if set(out) & set(lying):
        raise AssertionError(f"in two places: {set(out) & set(lying)}")
    for data, was in state.items():
        now = "out" if data in out else "in" if data in lying else "gone"
        if now != was and (pending is None or pending != (now, data)):
            raise AssertionError(f"{data!r} was {was}, is {now}; told {told[-3:]}")
        state[data] = now
    home.catalog.close()
    return len(answers)


def run(kills: int, directory: Path, seed: int) -> str:
    """Kill so often; says how many answers were given, and held."""
    chance = random.Random(seed)
    answered = done = libraries = 0
    while done < kills:
        library = directory / str(libraries)
        libraries += 1
        library.mkdir()
        home = Home(library)
        state: dict[bytes, str] = {}
        for number in range(FILES):
            data = b"%d" % number
            (home.root / f"folder {number % 3}").mkdir(exist_ok=True)
            (home.root / f"folder {number % 3}/{number}.jpg").write_bytes(data)
            state[data] = "out"
        home.catalog.close()
        for _ in range(20):
            answered += check(library, state, kill_one(library, chance))
            done += 1
            if done == kills or sum(was != "gone" for was in state.values()) < 3:
                break
    return f"{kills} kills, {answered} answered for"


if __name__ == "__main__":
    dying.program(run)
