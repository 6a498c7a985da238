"""people/ under any sequence of gestures, with clustering in between and the catalog lost at times: what is shown is held against
what was said, counted up in Python, and what was said against the journal."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from havenfs.catalog import Catalog, given
from havenfs.catalog.clusters import DOUBTFUL
from havenfs.decisions import Keeper
from havenfs.entities import Region
from havenfs.errors import HavenError
from tests.conftest import Shelf
from tests.views.test_people import House

if TYPE_CHECKING:
    from havenfs.catalog.catalog import Connection

NAMES = ("Alice", "Bob", "alice")
NOBODY = ["README.txt"]
PICTURES = [*(f"{number}.jpg" for number in range(6)), "plain.jpg"]
SAME_PLACE = 0.4
names = st.sampled_from(NAMES)
pictures = st.sampled_from(PICTURES)


class People(RuleBasedStateMachine):
    """A house whose family cannot make up its mind."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = tempfile.TemporaryDirectory()
        self.house = House(Shelf(Path(self._directory.name)))

    @rule(name=names)
    def make(self, name: str) -> None:
        with suppress(HavenError):
            self.house.mkdir(f"people/{name}")

    @rule(name=names)
    def forget(self, name: str) -> None:
        with suppress(HavenError):
            self.house.rmdir(f"people/{name}")

    @rule(name=names, group=st.integers(1, 4))
    def name(self, name: str, group: int) -> None:
        with suppress(HavenError):
            self.house.mv(f"people/_unnamed/C{group:03d}", f"people/{name}")

    @rule(name=names, to=names)
    def rename(self, name: str, to: str) -> None:
        with suppress(HavenError):
            self.house.mv(f"people/{name}", f"people/{to}")

    @rule(name=names, picture=pictures)
    def put(self, name: str, picture: str) -> None:
        with suppress(HavenError):
            self.house.cp(f"by-date/_undated/{picture}", f"people/{name}")
            assert picture in self.house.listed(f"people/{name}")

    @rule(name=names, picture=pictures)
    def take(self, name: str, picture: str) -> None:
        with suppress(HavenError):
            self.house.rm(f"people/{name}/{picture}")
            assert picture not in self.house.listed(f"people/{name}")

    @rule(name=names, to=names, picture=pictures)
    def move(self, name: str, to: str, picture: str) -> None:
        with suppress(HavenError):
            self.house.mv(f"people/{name}/{picture}", f"people/{to}/{picture}")
            assert picture in self.house.listed(f"people/{to}")

    @rule(name=names)
    def hide(self, name: str) -> None:
        with suppress(HavenError):
            self.house.mv(f"people/{name}", f"people/_ignored/{name}")

    @rule(name=names, to=names)
    def show(self, name: str, to: str) -> None:
        with suppress(HavenError):
            self.house.mv(f"people/_ignored/{name}", f"people/{to}")

    @rule()
    def undo(self) -> None:
        with suppress(HavenError, StopIteration):
            self.house.undo()

    @rule()
    def cluster(self) -> None:
        before = self.house.given()
        self.house.cluster()
        assert self.house.given() == before

    @invariant()
    def shown_is_what_was_said(self) -> None:
        truth = self.house.shelf.catalog.read(_truth)
        listed = [name for name in self.house.listed("people") if not name.startswith("_")]
        assert listed == NOBODY if not truth else set(listed) == truth.keys()
        for name in truth:
            shown = self.house.listed(f"people/{name}")
            assert shown == NOBODY if not truth[name] else set(shown) == truth[name]
            one_by_one = {picture for picture in PICTURES if self._is_in(name, picture)}
            assert one_by_one == truth[name]

    def _is_in(self, name: str, picture: str) -> bool:
        with suppress(HavenError):
            self.house.at(f"people/{name}/{picture}")
            return True
        return False

    def teardown(self) -> None:
        library = self.house.tree.scope.library
        library.bursts.settle(library.keeper, all_of_them=True)  # as a mount that ends
        again = Catalog(Path(self._directory.name) / "again.db")
        try:
            Keeper(again, self.house.shelf.state.journal).recover()
            rows = {table: again.read(given.rows, table) for table in given.TABLES}
            assert rows == self.house.given()
        finally:
            again.close()
            self.house.shelf.catalog.close()
            self._directory.cleanup()


def _truth(db: Connection) -> dict[str, set[str]]:
    """Name of each person who is shown -> names of the pictures that the person is in."""
    rows: Any = db.execute("SELECT name, lower(hex(hash)), id FROM asset")
    assets = {id_: (name, content) for name, content, id_ in rows}
    by_content = {content: name for name, content in assets.values()}
    persons = {str(row[0]): str(row[1]) for row in given.rows(db, "person") if not row[-1]}
    found: dict[str, set[str]] = {name: set() for name in persons.values()}
    said: dict[str, list[tuple[Region, str, Any]]] = {}
    for row in given.rows(db, "face_said"):
        content, who, region = str(row[0]), str(row[6]), Region(*row[1:6])  # type: ignore[arg-type]
        said.setdefault(content, []).append((region, who, row[7]))
        if row[7] and who in persons:
            found[persons[who]].add(by_content[content])
    tags = {(str(row[0]), str(row[1])): row[2] for row in given.rows(db, "person_tag")}
    faces: Any = db.execute(
        f"""
        SELECT f.asset_id, f.frame_ms, f.x0, f.y0, f.x1, f.y1, c.person FROM face f
          JOIN face_cluster m ON m.face_id = f.id JOIN cluster c ON c.id = m.cluster_id
         WHERE m.confidence >= {DOUBTFUL}
        """
    )
    for asset_id, *place, person in faces:
        name, content = assets[asset_id]
        verdicts = [
            (who, is_it)
            for region, who, is_it in said.get(content, ())
            if region.overlap(Region(*place)) >= SAME_PLACE
        ]
        free = not any(is_it or who == person for who, is_it in verdicts)
        if person in persons and free and tags.get((content, person)) != 0:
            found[persons[person]].add(name)
    for (content, person), is_in in tags.items():
        if is_in and person in persons:
            found[persons[person]].add(by_content[content])
    return found


TestPeople = People.TestCase
TestPeople.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
