"""Clustering in the indexer: what comes is given to somebody at once, a pass waits for its time, and what people say holds."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import trio

from havend import clustering
from havend.clustering import Clustering, Surroundings
from havenfs.catalog import clusters, faces
from havenfs.entities import AssetId, Face, Faces, Region
from havenfs.errors import ConfigError
from havenfs.identity import Constraints
from havenfs.models import registry
from havenfs.models.manifest import ModelKind
from havenfs.settings import People
from tests.conftest import Shelf
from tests.identity.family import family

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.models.registry import Model

FAMILY = family(600, seed=4)


class Home:
    """A catalog into which a family's pictures come, and clustering beside it."""

    def __init__(self, directory: Path) -> None:
        self.shelf = Shelf(directory)
        self.model: Model | None = registry.builtin(ModelKind.FACES)
        self.people = People()
        self.broken = False
        self.idle = True
        self.waits = False
        self.said = Constraints()
        self.assets: dict[int, AssetId] = {}
        self.clustering = self.started()

    def started(self) -> Clustering:
        """As after a start of the indexer."""
        return Clustering(
            self.shelf.catalog,
            Surroundings(
                model=lambda: self.model,
                people=self.settings,
                idle=lambda: self.idle,
                waits=lambda: self.waits,
                said=lambda _db: self.said,
            ),
        )

    def settings(self) -> People:
        if self.broken:
            raise ConfigError("nobody can read this")
        return self.people

    def arrive(self, first: int, last: int) -> None:
        """The pictures with those faces, as workers bring them."""
        assert self.model is not None
        found: dict[int, list[Face]] = {}
        for row in range(first, last):
            mine = found.setdefault(int(FAMILY.faces.pictures[row]), [])
            left = 0.1 * len(mine)
            mine.append(
                Face(
                    region=Region(0, left, 0.2, left + 0.08, 0.4),
                    points=(0.5,) * 10,
                    score=float(FAMILY.faces.quality[row]),
                    size=90,
                    sharpness=1.0,
                    frontal=1.0,
                    vector=FAMILY.faces.vectors[row].astype("<f4").tobytes(),
                )
            )
        for picture, some in found.items():
            if picture not in self.assets:
                self.assets[picture] = self.shelf.add(f"{picture}.jpg")
                self.shelf.catalog.write(
                    faces.put, self.assets[picture], Faces(model=self.model.id, found=tuple(some))
                )

    def made(self) -> clusters.Made | None:
        return self.shelf.catalog.read(clusters.made)

    def sizes(self) -> list[int]:
        return [cluster.size for cluster in self.shelf.catalog.read(clusters.unnamed)]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


async def test_the_first_faces_are_thought_over_and_later_ones_given_to_somebody(home: Home):
    await home.clustering.catch_up()
    assert home.made() is None  # nothing to do is not worth a row
    home.arrive(0, 500)
    await home.clustering.catch_up()
    made, sizes = home.made(), home.sizes()
    assert made is not None
    assert made.changed == 0
    assert len(sizes) >= 5
    home.arrive(500, 510)
    await home.clustering.catch_up()
    later = home.made()
    assert later is not None
    assert later.finished == made.finished
    assert 8 <= later.changed <= 10  # two may be of a picture that was there
    assert sum(home.sizes()) > sum(sizes)
    home.idle = False
    home.arrive(510, 600)
    await home.clustering.catch_up()
    later = home.made()
    assert later is not None
    assert later.faces == made.faces, "a pass while there is other work"
    home.idle = True
    await home.clustering.catch_up()
    later = home.made()
    assert later is not None
    assert later.faces > made.faces
    assert later.changed == 0


async def test_what_people_say_holds_from_the_next_look_on_and_over_passes(home: Home):
    home.arrive(0, 600)
    await home.clustering.catch_up()
    largest = home.shelf.catalog.read(clusters.unnamed)[0]
    first, second, *_ = home.shelf.catalog.read(clusters.members, largest.id)
    home.said = Constraints(
        persons={first.face_id: "anna"}, strangers=frozenset({(second.face_id, "anna")})
    )
    for _ in range(2):
        await home.clustering.catch_up(last=True)
        anna = home.shelf.catalog.read(clusters.of_person, "anna")
        assert anna is not None
        assert anna == largest.id
        members = {m.face_id for m in home.shelf.catalog.read(clusters.members, anna)}
        assert first.face_id in members
        assert second.face_id not in members
        assert len(members) >= 0.9 * largest.size
        home.clustering = home.started()


async def test_another_model_waits_until_all_is_looked_at_and_keeps_the_numbers(home: Home):
    home.arrive(0, 600)
    await home.clustering.catch_up()
    before = home.shelf.catalog.read(clusters.unnamed)
    assert home.model is not None
    home.model = replace(home.model, id=type(home.model.id)("other@1"))
    home.idle = False
    assets, home.assets = home.assets, {}
    await home.clustering.catch_up()
    assert home.shelf.catalog.read(clusters.unnamed) == before
    home.assets = {}
    for picture, asset_id in assets.items():
        rows = [row for row in range(600) if FAMILY.faces.pictures[row] == picture]
        known = home.shelf.catalog.read(faces.of_asset, asset_id)
        found = tuple(
            Face(
                region=face.region, points=(0.5,) * 10, score=face.score, size=90, sharpness=1.0, frontal=1.0,
                vector=FAMILY.faces.vectors[row].astype("<f4")[::-1].tobytes(),
            )
            for row, face in zip(rows, known, strict=True)
        )  # fmt: skip
        home.shelf.catalog.write(faces.put, asset_id, Faces(model=home.model.id, found=found))
    await home.clustering.catch_up()
    assert home.shelf.catalog.read(clusters.unnamed) == before
    home.idle = True
    await home.clustering.catch_up()
    made = home.made()
    assert made is not None
    assert made.model == "other@1"
    after = home.shelf.catalog.read(clusters.unnamed)
    assert {cluster.id for cluster in after[:5]} <= {cluster.id for cluster in before}


async def test_other_settings_make_all_of_it_anew_and_broken_ones_nothing(home: Home):
    home.arrive(0, 600)
    await home.clustering.catch_up()
    assert min(home.sizes()) < 8
    home.people = replace(home.people, faces=8)
    await home.clustering.catch_up()
    assert min(home.sizes()) >= 8
    home.broken = True
    home.arrive(0, 600)
    await home.clustering.catch_up()
    assert min(home.sizes()) >= 8


async def test_a_pass_rests_while_others_want_the_machine(
    home: Home, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(clustering, "REST_S", 0.01)
    asked = threading.Event()

    def waits() -> bool:
        asked.set()
        return home.waits

    home.clustering = Clustering(
        home.shelf.catalog,
        replace(
            Surroundings(model=lambda: home.model, people=People, idle=lambda: True, waits=waits)
        ),
    )
    home.arrive(0, 300)
    home.waits = True
    async with trio.open_nursery() as nursery:
        nursery.start_soon(home.clustering.catch_up)
        await trio.to_thread.run_sync(asked.wait)
        await trio.sleep(0.1)
        assert home.made() is None
        home.waits = False
    assert home.made() is not None


async def test_faces_that_went_behind_its_back_are_not_brought_back(home: Home):
    home.arrive(0, 400)
    await home.clustering.catch_up()
    gone = home.assets[0]
    ids = {known.id for known in home.shelf.catalog.read(faces.of_asset, gone)}
    home.shelf.catalog.write(faces.forget, gone)
    home.arrive(400, 420)
    await home.clustering.catch_up()
    members: set[Any] = set()
    for cluster in home.shelf.catalog.read(clusters.unnamed):
        members |= {m.face_id for m in home.shelf.catalog.read(clusters.members, cluster.id)}
    assert not ids & members


async def test_a_pass_that_nobody_waits_for_any_more_is_thrown_away(home: Home):
    home.arrive(0, 300)
    home.waits = True
    async with trio.open_nursery() as nursery:
        nursery.start_soon(home.clustering.follow)
        await trio.sleep(0.3)
        nursery.cancel_scope.cancel()
    home.waits = False
    await trio.sleep(2 * clustering.REST_S)
    assert home.made() is None
