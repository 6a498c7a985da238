"""Bits that say which vectors may be near find whatever comparing with all finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from havenfs.identity import Directions, Rules, sides
from havenfs.identity.gallery import unit
from havenfs.identity.loose import Loose
from havenfs.identity.scores import FEW

if TYPE_CHECKING:
    from numpy.typing import NDArray


def people(rng: np.random.Generator, n: int, dimension: int) -> NDArray[np.float32]:
    """Unit vectors of n/10 people and as many of nobody, with a direction that all have in common, as models make them."""
    who = rng.standard_normal((max(1, n // 10), dimension))
    rows = np.concatenate([np.repeat(who, 10, axis=0)[:n], rng.standard_normal((n, dimension))])
    rows = rows + 0.8 * rng.standard_normal(rows.shape) + 0.3
    return unit(rows.astype(np.float32))


@pytest.mark.parametrize("dimension", [128, 512])
@pytest.mark.parametrize("least", [0.25, 0.45, 0.6])
def test_who_is_near_is_never_ruled_out_and_hardly_any_stranger_is_looked_at(
    dimension: int, least: float
):
    rng = np.random.default_rng(3)
    rows = people(rng, 2000, dimension)
    table = sides.sides(rows)
    near = passed = 0
    asked = rows[::40]
    for row in asked:
        close = np.flatnonzero(rows @ row >= least)
        may = sides.may_be_near(table, row, least)
        assert set(close.tolist()) <= set(may.tolist())
        near += len(close)
        passed += len(may)
    assert near >= 4 * len(asked)
    # nearly half of the strangers are within two spreads of 0.25
    assert passed <= (0.35 * len(rows) * len(asked) if least < 0.4 else 4 * near)


def test_a_small_table_a_few_questions_and_any_likeness_are_not_worth_it():
    large = np.zeros((sides.LARGE // 512 + 1, 512), np.float32)
    assert sides.pay(large, sides.AFTER + 1, 0.3)
    assert not sides.pay(large[:-2], sides.AFTER + 1, 0.3)
    assert not sides.pay(large, sides.AFTER, 0.3)
    assert not sides.pay(large, sides.AFTER + 1, 0.05)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bits are made for small tables, after a few questions."""
    monkeypatch.setattr(sides, "LARGE", 1)
    monkeypatch.setattr(sides, "AFTER", 10)


@pytest.mark.usefixtures("eager")
def test_a_face_that_comes_alone_is_told_the_same_as_one_among_many():
    rng = np.random.default_rng(4)
    rows = people(rng, 600, 128)
    known = Directions(rows, np.arange(len(rows)) // 4)
    least = Rules().worth
    noise = rng.standard_normal((60, 128)).astype(np.float32)
    faces = unit((rows[:60] + 0.04 * noise).astype(np.float32))
    together = known.best(faces, least)
    alone = [known.best(face[None], least)[0] for face in faces]
    assert sum(map(len, together)) > len(faces)
    for one, other in zip(alone, together, strict=True):
        assert [some.cluster for some in one] == [some.cluster for some in other]
        assert [some.cosine for some in one] == pytest.approx(
            [some.cosine for some in other], abs=1e-5
        )


@pytest.mark.usefixtures("eager")
def test_bits_follow_what_is_learnt_and_forgotten():
    rng = np.random.default_rng(5)
    rows = people(rng, 300, 128)
    known = Directions(rows[:500], np.arange(500))
    for face in rows[:12]:
        known.best(face[None], 0.5)
    changed = known.including(rows[500:503], 77).without(3).moved(4, 900)
    fresh = Directions(changed.vectors, changed.clusters)
    for face in rows[::7]:
        alone = [some.cluster for some in changed.best(face[None], 0.5)[0]]
        everything = fresh.best(np.repeat(face[None], FEW + 1, axis=0), 0.5)[0]
        assert alone == [some.cluster for some in everything]


@pytest.mark.usefixtures("eager")
def test_loose_faces_are_found_alike_while_they_come_and_go():
    rng = np.random.default_rng(6)
    rows = people(rng, 1500, 128)
    loose, plain = Loose(128), {}
    for face, row in enumerate(rows):
        loose.add(face, row)
        plain[face] = row
        if face % 3 == 2:
            loose.remove(face - 1)
            del plain[face - 1]
        if face >= len(rows) - 40:
            wanted = sorted(
                (-float(other @ row), some) for some, other in plain.items() if other @ row >= 0.5
            )
            assert [some for some, _ in loose.near(row, 0.5)] == [some for _, some in wanted][:64]
