"""The clusterer: what people say holds whatever happens, the order of arrival does not matter, and it is right about a family."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from havenfs.identity import Clusterer, Constraints, Gallery, Rules, gallery, likeness
from havenfs.identity.rules import beside, strangers

from .family import STRANGER, Family, couple, family, relatives
from .measures import agreement

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOTHING = Constraints()


def rules_for(faces: Gallery, *, same_person: float = 0.5) -> Rules:
    cosine, strangers = likeness(same_person, faces)
    return Rules(same_person=cosine, strangers=strangers)


def some_of(faces: Gallery, rows: NDArray[np.int64]) -> Gallery:
    return gallery(faces.ids[rows], faces.vectors[rows], faces.quality[rows], faces.pictures[rows])


def labels(clusterer: Clusterer, faces: Gallery) -> NDArray[np.int64]:
    return np.array(
        [
            clusterer.members[face].cluster if face in clusterer.members else -1
            for face in faces.ids.tolist()
        ]
    )


def arrive(clusterer: Clusterer, faces: Gallery, rows: list[int]) -> None:
    for row in rows:
        clusterer.add(
            int(faces.ids[row]),
            faces.vectors[row],
            quality=float(faces.quality[row]),
            picture=int(faces.pictures[row]),
        )


def consolidated(
    faces: Gallery, said: Constraints = NOTHING, rules: Rules | None = None
) -> Clusterer:
    rules = rules or rules_for(faces)
    clusterer = Clusterer(rules, faces.vectors.shape[1])
    clusterer.consolidate(faces, said, rules)
    return clusterer


@pytest.fixture(scope="module")
def home() -> Family:
    return family(2000, seed=5)


# --- quality ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("same_person", [0.3, 0.4, 0.5])
def test_a_family_is_told_apart_whatever_the_model_calls_the_same_person(
    seed: int, same_person: float
):
    known = family(3000, seed=seed, dimension=256)
    clusterer = consolidated(known.faces, rules=rules_for(known.faces, same_person=same_person))
    found = agreement(labels(clusterer, known.faces), known.people)
    assert found.precision >= 0.985
    assert found.f >= 0.97
    assert found.pair_f >= 0.97


def test_who_is_seen_once_is_nobody(home: Family):
    found = labels(consolidated(home.faces), home.faces)
    strangers = home.people >= STRANGER
    assert strangers.sum() > 100
    assert (found[strangers] >= 0).mean() <= 0.2  # what was taken for a face everywhere is alike


def test_a_child_is_one_person_at_every_age_and_its_sibling_another(home: Family):
    found = labels(consolidated(home.faces), home.faces)
    child, sibling = found[home.people == 0], found[home.people == 6]
    main = np.bincount(child[child >= 0]).argmax()
    other = np.bincount(sibling[sibling >= 0]).argmax()
    assert (child == main).mean() >= 0.9
    assert (sibling == other).mean() >= 0.85
    assert main != other


@pytest.mark.parametrize("dimension", [128, 512])
def test_a_sibling_who_is_seldom_seen_and_never_beside_is_somebody_else(dimension: int):
    known = relatives(40, seed=7, dimension=dimension)
    found = labels(consolidated(known.faces), known.faces)
    taken = 0.0
    for person in range(0, 80, 2):
        mine = found[known.people == person]
        main = np.bincount(mine[mine >= 0]).argmax()
        taken += float((found[known.people == person + 1] == main).mean()) / 40
    assert taken <= 0.15
    assert agreement(found, known.people).precision >= 0.97


def test_what_strangers_are_like_is_asked_of_those_who_stand_side_by_side(home: Family):
    pairs = beside(home.faces)
    assert len(pairs[0]) >= 500
    assert (home.faces.pictures[pairs[0]] == home.faces.pictures[pairs[1]]).all()
    assert (home.people[pairs[0]] != home.people[pairs[1]]).all()
    median, spread = strangers(home.faces) or (1.0, 1.0)
    assert abs(median) <= 0.02
    assert spread == pytest.approx(1 / np.sqrt(128), rel=0.2)


def test_a_household_of_two_does_not_raise_the_bar_for_its_own_faces():
    known = couple(150, seed=3)
    side_by_side = known.faces
    alone = Gallery(side_by_side.ids, side_by_side.vectors, side_by_side.quality, side_by_side.ids)
    assert likeness(0.5, alone)[0] == 0.5, "half of the pairs at random are of one person"
    assert likeness(0.5, side_by_side)[0] <= 0.35


def test_a_bad_face_founds_nothing_and_joins_whom_it_is_like(home: Family):
    bad = home.faces.quality < 0.4
    rules = replace(rules_for(home.faces), quality=0.4)
    clusterer = consolidated(home.faces, rules=rules)
    assert any(face in clusterer.members for face in home.faces.ids[bad].tolist())
    for members in clusterer.clusters.values():
        good = [face for face in members if not bad[face - 1]]
        assert len(good) >= rules.least


# --- arrival ------------------------------------------------------------------------------------------------


def test_what_is_found_does_not_depend_on_the_order_of_arrival(home: Family):
    rules = rules_for(home.faces)
    first = consolidated(home.faces)
    for seed in range(2):
        order = np.random.default_rng(seed).permutation(len(home.faces))
        clusterer = Clusterer(rules, home.faces.vectors.shape[1])
        arrive(clusterer, home.faces, order.tolist())
        clusterer.consolidate(some_of(home.faces, order), NOTHING, rules)
        same = agreement(labels(clusterer, home.faces), labels(first, home.faces))
        assert same.f == pytest.approx(1.0)


def test_the_last_tenth_finds_its_people_without_thinking_again(home: Family):
    rules = rules_for(home.faces)
    whole = consolidated(home.faces)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(home.faces))
        early, late = np.sort(order[:1800]), order[1800:]
        clusterer = Clusterer(rules, home.faces.vectors.shape[1])
        clusterer.consolidate(some_of(home.faces, early), NOTHING, rules)
        arrive(clusterer, home.faces, late.tolist())
        found = labels(clusterer, home.faces)
        assert agreement(found, labels(whole, home.faces)).f >= 0.97
        assert agreement(found, home.people).precision >= 0.98


def test_alone_it_founds_pure_clusters_and_joins_none(home: Family):
    clusterer = Clusterer(rules_for(home.faces), home.faces.vectors.shape[1])
    arrive(clusterer, home.faces, list(range(len(home.faces))))
    assert agreement(labels(clusterer, home.faces), home.people).precision >= 0.93


def test_clusters_keep_their_numbers_when_all_is_thought_over(home: Family):
    rules = rules_for(home.faces)
    clusterer = consolidated(some_of(home.faces, np.arange(1500)))
    before = {cluster: set(faces) for cluster, faces in clusterer.clusters.items()}
    clusterer.consolidate(home.faces, NOTHING, rules)
    kept = [
        c
        for c, faces in before.items()
        if c in clusterer.clusters and len(faces & clusterer.clusters[c]) * 2 > len(faces)
    ]
    assert len(kept) >= 0.9 * len(before)
    once = labels(clusterer, home.faces)
    clusterer.consolidate(home.faces, NOTHING, rules)
    assert (labels(clusterer, home.faces) == once).all()


# --- what people say ----------------------------------------------------------------------------------------


def check(clusterer: Clusterer, said: Constraints) -> None:
    """Everything that must hold at any moment."""
    owners: dict[str, int] = {}
    for cluster, person in clusterer.persons.items():
        assert owners.setdefault(person, cluster) == cluster, "a person has one cluster"
    for face, person in said.persons.items():
        if face in clusterer:
            assert clusterer.members[face].cluster == owners[person]
            assert clusterer.members[face].confidence == 1.0
    for face, person in said.strangers:
        if face in clusterer.members and face not in said.persons:
            assert clusterer.members[face].cluster != owners.get(person)
    for one, other in said.apart:
        mine = said.persons.get(one)
        if mine is not None and mine == said.persons.get(other):
            continue
        if one in clusterer.members and other in clusterer.members:
            assert clusterer.members[one].cluster != clusterer.members[other].cluster
    for cluster, faces in clusterer.clusters.items():
        assert faces
        assert all(clusterer.members[face].cluster == cluster for face in faces)
    assert sum(map(len, clusterer.clusters.values())) == len(clusterer.members)
    assert set(clusterer.persons) <= set(clusterer.clusters)


FACES = family(120, seed=3, dimension=64)
FACE = st.integers(1, 120)
PERSON = st.sampled_from(["anna", "ben", "clara"])


class Conversation(RuleBasedStateMachine):
    """People say things and pictures come and go, in any order."""

    @initialize()
    def begin(self):
        self.measured = rules_for(FACES.faces)
        self.clusterer = Clusterer(self.measured, 64)
        self.there: set[int] = set()
        self.said = Constraints()

    @rule(faces=st.lists(FACE, max_size=40, unique=True))
    def add(self, faces: list[int]):
        arrive(self.clusterer, FACES.faces, [face - 1 for face in faces])
        self.there |= set(faces)

    @rule(faces=st.lists(FACE, max_size=10))
    def remove(self, faces: list[int]):
        self.clusterer.remove(faces)
        self.there -= set(faces)

    @rule(face=FACE, person=PERSON)
    def confirm(self, face: int, person: str):
        self.say(replace(self.said, persons=self.said.persons | {face: person}))

    @rule(face=FACE, person=PERSON)
    def reject(self, face: int, person: str):
        persons = {f: p for f, p in self.said.persons.items() if (f, p) != (face, person)}
        self.say(
            replace(self.said, persons=persons, strangers=self.said.strangers | {(face, person)})
        )

    @rule(one=FACE, other=FACE)
    def separate(self, one: int, other: int):
        if one != other:
            self.say(replace(self.said, apart=self.said.apart | {(one, other)}))

    @precondition(lambda self: self.said.persons)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject):
        face = data.draw(st.sampled_from(sorted(self.said.persons)))
        self.say(
            replace(self.said, persons={f: p for f, p in self.said.persons.items() if f != face})
        )

    @rule()
    def consolidate(self):
        rows = np.array(sorted(face - 1 for face in self.there), np.int64)
        self.clusterer.consolidate(some_of(FACES.faces, rows), self.said, self.measured)

    def say(self, said: Constraints) -> None:
        self.said = said
        self.clusterer.constrain(said)

    @invariant()
    def everything_holds(self):
        check(self.clusterer, self.said)
        assert len(self.clusterer) == len(self.there)


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def test_one_confirmed_face_names_its_cluster_and_the_name_stays(home: Family):
    clusterer = consolidated(home.faces)
    largest = max(clusterer.clusters.items(), key=lambda item: len(item[1]))
    said = Constraints(persons={min(largest[1]): "anna"})
    clusterer.constrain(said)
    assert clusterer.persons == {largest[0]: "anna"}
    clusterer.consolidate(home.faces, said, rules_for(home.faces))
    assert clusterer.persons == {largest[0]: "anna"}
    assert len(clusterer.clusters[largest[0]] & largest[1]) >= 0.95 * len(largest[1])


def test_twins_told_apart_by_hand_stay_apart(home: Family):
    twins = [np.flatnonzero(home.people == 12), np.flatnonzero(home.people == 14)]
    assert min(map(len, twins)) >= 10
    persons = {
        int(row) + 1: name for rows, name in zip(twins, "ab", strict=True) for row in rows[:5]
    }
    said = Constraints(persons=persons)
    clusterer = consolidated(home.faces, said)
    check(clusterer, said)
    found = labels(clusterer, home.faces)
    one, other = found[twins[0][0]], found[twins[1][0]]
    right = (found[twins[0]] == one).sum() + (found[twins[1]] == other).sum()
    wrong = (found[twins[0]] == other).sum() + (found[twins[1]] == one).sum()
    assert one != other
    assert right >= 3 * wrong


def test_what_was_said_survives_another_model(home: Family):
    """The faces are the same, their vectors are of another length and have nothing to do with the earlier ones."""
    other = family(2000, seed=5, dimension=256)
    assert (other.people == home.people).all()
    assert (other.faces.pictures == home.faces.pictures).all()
    clusterer = consolidated(home.faces)
    anna = int(np.flatnonzero(home.people == 1)[0]) + 1
    not_anna = int(np.flatnonzero(home.people == 1)[1]) + 1
    said = Constraints(persons={anna: "anna"}, strangers=frozenset({(not_anna, "anna")}))
    clusterer.constrain(said)
    number = clusterer.members[anna].cluster
    clusterer.consolidate(other.faces, said, rules_for(other.faces))
    check(clusterer, said)
    assert clusterer.members[anna].cluster == number
    theirs = [face - 1 for face in clusterer.clusters[number]]
    assert (home.people[theirs] == 1).mean() >= 0.95
    assert len(theirs) >= 0.9 * (home.people == 1).sum()


def test_a_vector_of_zeros_is_like_nobody():
    faces = family(60, seed=1).faces
    clusterer = consolidated(faces)
    assert clusterer.add(1000, np.zeros(128, np.int8), quality=1.0, picture=1) is None
    assert 1000 in clusterer
    nothing = some_of(faces, np.zeros(0, np.int64))
    clusterer.consolidate(nothing, NOTHING, clusterer.rules)
    assert not clusterer.members


def test_a_face_that_comes_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        gallery(
            np.array([1, 1]),
            np.zeros((2, 4), np.int8),
            np.zeros(2, np.float32),
            np.zeros(2, np.int64),
        )
