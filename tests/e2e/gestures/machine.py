"""What all gestures have in common: hands and eyes, the comparison with the model, and second thoughts."""

from __future__ import annotations

import errno
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from havend import decisions
from havenfs.catalog import Catalog, given, sources
from havenfs.decisions import Keeper
from havenfs.ingest.arrival import Arrivals
from havenfs.ingest.scan import scan
from havenfs.views import readme
from tests.e2e.deciding import Face, Guesses, Household, Refused
from tests.e2e.furnished import furnished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.conftest import Shelf

    Change = Callable[[Household], object]
    Gesture = tuple[Any, ...]

LASTING_S = 6.0
"""What follows elsewhere from a decision is seen within 50 ms on a quiet machine, and answers of searches within a second."""

WHICH = st.integers(0, 50)
WAYS = st.sampled_from(["link", "move", "copy"])


class Machine(RuleBasedStateMachine):
    """A furnished library, and what has been said of it."""

    rooms: ClassVar[Iterator[Path]]
    """An empty folder for each run."""

    def __init__(self) -> None:
        super().__init__()
        self.room = next(self.rooms)
        self.shelf: Shelf = furnished(self.room)
        self.said = Household()
        self.done: list[tuple[str, Household]] = []
        """Each operation that can be taken back, and what held before it."""
        self.uploads = 0

    # --- hands and eyes ---------------------------------------------------------------------------------------------

    @abstractmethod
    def attempt(self, gesture: Gesture) -> tuple[int | None, bool]:
        """Carry it out: the errno that was answered, 0 for done, None for no answer; and whether whoever asked need not have
        noticed any kill."""

    @abstractmethod
    def carry_out(self, gesture: Gesture) -> None:
        """The same without a kill. Raises OSError."""

    @abstractmethod
    def listed(self, folder: str) -> list[str] | None:
        """Names in a folder; None: it is not there."""

    @abstractmethod
    def attribute(self, path: str, name: str) -> bytes:
        """An extended attribute."""

    def exists(self, path: str) -> bool:
        above, _, name = path.rpartition("/")
        return name in (self.listed(above) or [])

    def made(self, path: str) -> None:
        """mkdir -p of the last two steps."""
        for folder in (path.rpartition("/")[0], path):
            if not self.exists(folder):
                self.carry_out(("mkdir", folder))

    # --- how --------------------------------------------------------------------------------------------------------

    def here(self, name: str) -> str:
        """A path of an asset in the views."""
        return f"by-date/{self.said.month(name)}/{name}"

    def asset(self, which: int) -> str:
        return one(sorted(self.said.homes), which)

    def guesses(self) -> Guesses:
        return self.shelf.catalog.read(_guesses)

    @property
    def keeper(self) -> Keeper:
        return Keeper(self.shelf.catalog, self.shelf.state.journal)

    def wrong(self, said: Household) -> dict[str, tuple[list[str] | None, list[str]]]:
        """Folders that list something else than they should, with both."""
        found: dict[str, tuple[list[str] | None, list[str]]] = {}
        for folder, names in said.listing(self.guesses()).items():
            listed = self.listed(folder)
            if listed is None or not _as_said(
                set(listed), names, partial=folder.startswith("files/")
            ):
                found[folder] = listed, sorted(names)
        return found

    def settle(self, *either: Household) -> Household:
        """Wait until the folders are as one of these says; which one."""
        end = time.monotonic() + LASTING_S
        while True:
            wrong: list[Any] = []
            for said in either:
                if not (found := self.wrong(said)):
                    return said
                wrong.append(found)
            assert time.monotonic() < end, wrong
            time.sleep(0.01)

    def act(
        self,
        gesture: Gesture,
        change: Change,
        *,
        undone: bool = True,
        partly: Sequence[Change] = (),
    ) -> None:
        """Carry out a gesture, and *change* in the model. *partly*: what a kill may leave besides all or nothing."""
        wanted, number = self.said.copy(), 0
        try:
            change(wanted)
        except Refused as refused:
            wanted, number = self.said, refused.number
        answer, unnoticed = self.attempt(gesture)
        if unnoticed or answer == 0:
            assert answer == number, f"{gesture[:3]}: {_name(answer)} in place of {_name(number)}"
            before, self.said = self.said, self.settle(wanted)
        else:
            halves = [self.said.copy() for _ in partly]
            for half, done in zip(halves, partly, strict=True):
                done(half)
            before, self.said = self.said, self.settle(self.said, wanted, *halves)
        if not undone or not unnoticed:
            self.done.clear()
        elif self.said != before:
            (newest,) = self.keeper.last(1)
            self.done.append((newest.operation.id, before))

    def look(self) -> None:
        """What the indexer does when it starts: originals that were moved without a word are found where they are, and hashed."""
        for source in self.shelf.catalog.read(sources.present):
            scan(self.shelf.catalog, source)
            for path in self.shelf.catalog.read(_new):
                Arrivals(self.shelf.catalog).written(source, path)

    def the_journal_says_the_same(self) -> None:
        with Catalog(self.room / "again.db") as again:
            Keeper(again, self.shelf.state.journal).recover()
            for table in given.TABLES:
                assert again.read(given.rows, table) == self.shelf.catalog.read(given.rows, table)

    # --- second thoughts --------------------------------------------------------------------------------------------

    @rule(deep=st.integers(1, 3))
    def take_back(self, deep: int) -> None:
        for _ in range(deep):
            if not self.done:
                return
            operation, before = self.done.pop()
            if operation not in {each.operation.id for each in self.keeper.last(200)}:
                self.done.clear()  # removals that followed one another have become one
                return
            for name, home in self.said.homes.items():
                if name not in before.homes and name not in before.lying:
                    before.homes[name] = home  # what was uploaded stays among the originals
            decisions.undo(self.shelf.state, operation, rest=False)
            self.said = self.settle(before)


def one(options: Sequence[Any], which: int) -> Any:
    return options[which % len(options)]


def _name(number: int | None) -> str:
    return errno.errorcode.get(number or 0, "done")


def _new(db: Any) -> list[bytes]:
    return [path for (path,) in db.execute("SELECT path FROM file WHERE state = 'new'")]


def _guesses(db: Any) -> Guesses:
    rows = db.execute(
        "SELECT f.id, a.name, m.cluster_id, ifnull(m.confidence, 0) FROM face f JOIN asset a ON a.id = f.asset_id"
        " LEFT JOIN face_cluster m ON m.face_id = f.id"
    )
    faces = {id_: Face(name, cluster, confidence) for id_, name, cluster, confidence in rows}
    owners: dict[int, str | None] = {}
    for cluster, person, name in db.execute(
        "SELECT c.id, c.person, p.name FROM cluster c LEFT JOIN person p ON p.uid = c.person"
    ):
        owners[cluster] = name or (f"#{cluster}" if person else None)
    return Guesses(faces, owners)


def _as_said(listed: set[str], names: set[str], *, partial: bool) -> bool:
    """Whether a folder lists these names, or only README.txt in place of nothing; *partial*: these among others."""
    if readme.NAME in listed and all(name.startswith("_") for name in names):
        listed = listed - {readme.NAME}
    return listed == names or (partial and names <= listed)
