"""Clusters in the catalog: what is kept, what goes with its faces, who comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from havenfs.catalog import changes, clusters, faces
from havenfs.catalog.clusters import ClusterId
from havenfs.identity import Constraints
from tests.identity.crowd import OURS, THEIRS, compare, look, seen, whole_pass

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.entities import AssetId
    from tests.conftest import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    from tests.conftest import Shelf

    return Shelf(tmp_path)


@pytest.fixture
def pictures(shelf: Shelf) -> list[AssetId]:
    """Six pictures: one person is in all of them, another in four, a third in one."""
    ids = [shelf.add(f"{number}.jpg") for number in range(6)]
    for number, asset_id in enumerate(ids):
        people = [0] + ([1] if number < 4 else []) + ([2] if number == 5 else [])
        look(shelf, asset_id, *(seen(person, number) for person in people))
    return ids


def test_unnamed_people_come_largest_first_and_their_faces_surest_first(
    shelf: Shelf, pictures: list[AssetId]
):
    assert len(shelf.catalog.read(clusters.waiting, OURS, 100, smallest=40)) == 11
    whole_pass(shelf)
    found = shelf.catalog.read(clusters.unnamed)
    assert [cluster.size for cluster in found] == [6, 4]
    assert shelf.catalog.read(clusters.unnamed, limit=1) == found[:1]
    members = shelf.catalog.read(clusters.members, found[0].id)
    assert {member.asset_id for member in members} == set(pictures)
    sure = [member.confidence for member in members]
    assert sure == sorted(sure, reverse=True)
    assert min(sure) > 0.5
    assert shelf.catalog.read(clusters.members, found[0].id, limit=2, offset=1) == members[1:3]
    assert not len(shelf.catalog.read(clusters.waiting, OURS, 100, smallest=40))
    last = shelf.catalog.read(clusters.of_asset, pictures[5])
    assert [member.cluster_id for member in last] == [found[0].id]  # the third is nobody yet
    made = shelf.catalog.read(clusters.made)
    assert made is not None
    assert (made.faces, made.changed, made.model) == (11, 0, OURS)


def test_a_new_picture_finds_its_people_without_a_pass(shelf: Shelf, pictures: list[AssetId]):
    whole_pass(shelf)
    large, small = shelf.catalog.read(clusters.unnamed)
    new = shelf.add("new.jpg")
    look(shelf, new, seen(0, 7), seen(1, 7))
    before = shelf.catalog.read(changes.generation)
    assert compare(shelf) == 2
    assert [m.cluster_id for m in shelf.catalog.read(clusters.of_asset, new)] == [
        large.id,
        small.id,
    ]
    after = shelf.catalog.read(changes.since, before)
    assert after is not None
    assert new in {change.asset_id for change in after}
    made = shelf.catalog.read(clusters.made)
    assert made is not None
    assert made.changed >= 2
    assert compare(shelf) == 0


def test_enough_new_faces_found_a_person(shelf: Shelf, pictures: list[AssetId]):
    whole_pass(shelf)
    for number in range(2):
        look(shelf, shelf.add(f"again{number}.jpg"), seen(2, 10 + number))
        compare(shelf)
    sizes = [cluster.size for cluster in shelf.catalog.read(clusters.unnamed)]
    assert sizes == [6, 4, 3]  # with the one that was nobody before


def test_faces_of_removed_assets_go_and_the_cluster_with_the_last(
    shelf: Shelf, pictures: list[AssetId]
):
    whole_pass(shelf)
    _, small = shelf.catalog.read(clusters.unnamed)
    shelf.remove(pictures[0])  # hidden, not forgotten: the disk may come back
    assert [c.size for c in shelf.catalog.read(clusters.unnamed)] == [5, 3]
    for asset_id in pictures[:4]:
        shelf.catalog.write(faces.forget, asset_id)
    assert [c.size for c in shelf.catalog.read(clusters.unnamed)] == [2]
    assert shelf.catalog.read(clusters.members, small.id) == []
    whole_pass(shelf)
    assert shelf.catalog.read(clusters.unnamed) == []  # two are too few
    for number in range(3):
        look(shelf, shelf.add(f"later{number}.jpg"), seen(1, number))
    whole_pass(shelf)
    (again,) = shelf.catalog.read(clusters.unnamed)
    assert again.id > small.id  # numbers are never used twice


def test_a_named_person_keeps_cluster_and_name_whatever_model_looks(
    shelf: Shelf, pictures: list[AssetId]
):
    whole_pass(shelf)
    large, _ = shelf.catalog.read(clusters.unnamed)
    first = shelf.catalog.read(clusters.of_asset, pictures[0])[0].face_id
    said = Constraints(persons={first: "anna"})
    assert compare(shelf, said) == 0
    assert shelf.catalog.read(clusters.of_person, "anna") == large.id
    for number, asset_id in enumerate(pictures):
        assert first in look(
            shelf, pictures[0], seen(0, 0, dimension=48), seen(1, 0, dimension=48), model=THEIRS
        )
        look(shelf, asset_id, seen(0, number, dimension=48), model=THEIRS)
        assert shelf.catalog.read(clusters.of_face, first) is not None  # answers meanwhile
    assert not shelf.catalog.read(clusters.others, THEIRS)
    whole_pass(shelf, said, THEIRS)
    assert shelf.catalog.read(clusters.of_person, "anna") == large.id
    assert len(shelf.catalog.read(clusters.members, large.id)) == 6
    made = shelf.catalog.read(clusters.made)
    assert made is not None
    assert made.model == THEIRS


def test_who_was_rejected_is_not_there(shelf: Shelf, pictures: list[AssetId]):
    whole_pass(shelf)
    one, other = (shelf.catalog.read(clusters.of_asset, asset)[0].face_id for asset in pictures[:2])
    said = Constraints(persons={one: "anna"}, strangers=frozenset({(other, "anna")}))
    compare(shelf, said)
    assert shelf.catalog.read(clusters.of_face, other) is None
    whole_pass(shelf, said)
    anna = shelf.catalog.read(clusters.of_person, "anna")
    assert anna is not None
    assert other not in {m.face_id for m in shelf.catalog.read(clusters.members, anna)}
    known = shelf.catalog.read(clusters.of_face, one)
    assert known is not None
    assert known.confidence == 1.0


def test_a_face_too_small_founds_nothing(shelf: Shelf):
    for number in range(4):
        look(shelf, shelf.add(f"{number}.jpg"), seen(0, number, size=30))
    whole_pass(shelf)
    assert shelf.catalog.read(clusters.unnamed) == []


def test_a_photo_and_its_mates_are_one_look_at_somebody(shelf: Shelf):
    ids = [shelf.add(f"{number}.jpg") for number in range(4)]
    for number, asset_id in enumerate(ids):
        look(shelf, asset_id, seen(0, number))
    for mate in ids[1:3]:
        shelf.put(mate, primary_id=ids[0])
    whole_pass(shelf)
    assert shelf.catalog.read(clusters.unnamed) == []
    look(shelf, shelf.add("more.jpg"), seen(0, 8))
    whole_pass(shelf)
    (found,) = shelf.catalog.read(clusters.unnamed)
    assert found.size == 3  # the mates are there, and nobody sees them
    assert len(shelf.catalog.read(clusters.of_asset, ids[1])) == 1


def test_an_unknown_cluster_has_no_faces(shelf: Shelf):
    assert shelf.catalog.read(clusters.members, ClusterId(7)) == []
    assert shelf.catalog.read(clusters.of_person, "anna") is None
    assert shelf.catalog.read(clusters.made) is None
