"""Several rankings made one."""

from __future__ import annotations

from havenfs.entities import AssetId
from havenfs.retrieval.fusion import fuse


def ids(*numbers: int) -> list[AssetId]:
    return [AssetId(n) for n in numbers]


def test_what_leads_every_ranking_has_the_score_one() -> None:
    assert fuse(ids(1, 2), ids(1, 3)) == {
        1: 1.0,
        2: fuse(ids(1, 2), ids(1, 3))[AssetId(2)],
        3: 61 / 62 / 2,
    }


def test_two_middling_ranks_beat_one_good_one() -> None:
    assert next(iter(fuse(ids(1, 2, 9), ids(3, 4, 9)))) == 9


def test_a_ranking_that_says_nothing_takes_nothing_away() -> None:
    assert fuse(ids(5, 6), []) == {5: 1.0, 6: 61 / 62}
    assert fuse([], []) == {}


def test_ties_go_to_the_first_ranking() -> None:
    assert list(fuse(ids(7), ids(3))) == [7, 3]
