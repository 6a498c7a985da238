"""Kills the writer of sidecars, who also takes up what other programs say there. `python -m tests.decisions.sidecar_kills 500` for nights.

Round after round something is decided about each picture, the real exiftool adds a tag of its own to some of the sidecars, and a
child writes what is behind and hears what is new until it kills itself, at a random line of the code that does so. The next
child goes on. At the end of a round one is let live: then tags from here and from there stand in the catalog and in the
sidecar, each once, the latest stars too, and the journal says what the catalog says.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from havend.sidecars import Writing
from havenfs.catalog import Catalog, browse, collections, given
from havenfs.decisions import Keeper, values
from havenfs.settings import Sidecars
from tests.conftest import Shelf
from tests.decisions import dying

if TYPE_CHECKING:
    from pathlib import Path

TRACED = tuple(
    os.path.join(*parts)
    for parts in (
        ("havend", "sidecars.py"),
        ("havenfs", "leaving"),
        (
            "havenfs",
            "sidecars",
            "beside.py",
        ),  # the others work in memory, and are most of the lines
        ("havenfs", "decisions"),
        ("havenfs", "catalog", "unsaid.py"),
        ("havenfs", "catalog", "decided.py"),
        ("havenfs", "catalog", "catalog.py"),
    )
)
LINES = (300, 900, 1500)
"""Writing three sidecars and hearing one takes 900 to 1,450 of those traced."""
PICTURES = [f"{number}.jpg" for number in range(3)]
ROUNDS = 12  # in one library


class Home:
    """Pictures, what was said of them here, and what elsewhere."""

    def __init__(self, directory: Path, chance: random.Random) -> None:
        self.shelf = Shelf(directory, writable=True)
        self.chance = chance
        for name in PICTURES:
            self.shelf.add(name)
        self.contents = {
            name: self.shelf.catalog.read(browse.asset, (), name).hash for name in PICTURES
        }
        self.tags: dict[str, set[str]] = {name: set() for name in PICTURES}
        self.stars = dict.fromkeys(PICTURES, 0)

    def decide(self, number: int) -> None:
        """One more tag for all, and other stars."""
        keeper = Keeper(self.shelf.catalog, self.shelf.state.journal)
        every, tag = tuple(self.contents.values()), f"ours {number}"
        stars = 1 + number % 5
        keeper.decide(
            values.Together((
                values.MakeFolder(uid=tag, folder=values.Folder.TAG, name=tag),
                values.Fill(uid=tag, contents=every, inside=True),
                values.SetRating(contents=every, stars=stars),
            )),
            by="me",
        )  # fmt: skip
        for name in PICTURES:
            self.tags[name].add(tag)
            self.stars[name] = stars

    def say_elsewhere(self, number: int) -> None:
        """Another program adds a tag to the sidecar of a picture, and its own words; the indexer has seen it."""
        name, tag = self.chance.choice(PICTURES), f"theirs {number}"
        beside = self.shelf.root / f"{name}.xmp"
        options = ["-overwrite_original"] if beside.exists() else []
        subprocess.run(
            ["exiftool", "-q", *options, f"-XMP-dc:Subject+={tag}",
             f"-XMP-lr:HierarchicalSubject+={tag}", "-XMP-dc:Creator=Eve", str(beside)],
            check=True, timeout=60,
        )  # fmt: skip
        self.tags[name].add(tag)
        self.shelf.catalog.write(_behind, [self.contents[name]])

    def child(self, lines: int | None) -> bool:
        """Write and hear until everything is said, or killed after so many lines; whether it was killed."""
        for left in self.shelf.root.glob(".haven-*.tmp"):
            os.utime(left, (0, 0))  # as if its minute were over
        self.shelf.catalog.write(_now)
        pid = os.fork()
        if not pid:
            try:
                with Catalog(self.shelf.state.catalog) as catalog:
                    Keeper(catalog, self.shelf.state.journal).recover()
                    writing = Writing(catalog, self.shelf.state, lambda: Sidecars(write=True))
                    if lines is not None:
                        sys.settrace(dying.after(lines, TRACED))
                    while writing._step(0, False):
                        pass
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status):
            raise AssertionError("the child ended by itself")
        return os.WIFSIGNALED(status)

    def check(self) -> None:
        """Everything that was said stands in both places."""
        self.child(None)
        for name, content in self.contents.items():
            tags = self.shelf.catalog.read(collections.of_content, "tag", content).values()
            here = sorted("/".join(path) for path in tags)
            assert here == sorted(self.tags[name]), (name, here, self.tags[name])
            beside = self.shelf.root / f"{name}.xmp"
            command = ["exiftool", "-j", "-n", str(beside)]
            found = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
            said = json.loads(found)[0]
            there = sorted(_listed(said["Subject"]))
            assert there == sorted(self.tags[name]), (name, there, self.tags[name])
            assert said["Rating"] == self.stars[name]
            if any(tag.startswith("theirs") for tag in self.tags[name]):
                assert said["Creator"] == "Eve"
        with Catalog(self.shelf.root.parent / "again.db") as again:
            Keeper(again, self.shelf.state.journal).recover()
            for table in given.TABLES:
                assert again.read(given.rows, table) == self.shelf.catalog.read(given.rows, table)
        for path in self.shelf.root.parent.glob("again.db*"):
            path.unlink()


def _behind(db: Any, contents: list[bytes]) -> None:
    db.executemany("INSERT OR REPLACE INTO unsaid VALUES (?, 0)", [(each,) for each in contents])


def _now(db: Any) -> None:
    """Nothing waits for a later hour."""
    db.execute("UPDATE unsaid SET since = 0")


def _listed(value: Any) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value])]


def run(kills: int, directory: Path, seed: int) -> str:
    """Kill so often; says how many times everything was compared."""
    chance = random.Random(seed)
    done = compared = libraries = 0
    while done < kills:
        room = directory / str(libraries)
        libraries += 1
        room.mkdir()
        home = Home(room, chance)
        for number in range(ROUNDS):
            home.decide(number)
            for _ in range(3):
                done += home.child(chance.randrange(chance.choice(LINES)))
            home.say_elsewhere(number)
            for _ in range(3):
                done += home.child(chance.randrange(chance.choice(LINES)))
            home.check()
            compared += 1
            if done >= kills:
                break
        home.shelf.catalog.close()
    return f"{kills} kills, compared {compared} times"


if __name__ == "__main__":
    dying.program(run)
