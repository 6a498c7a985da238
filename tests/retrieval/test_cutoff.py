"""Where an answer ends: what stands out is kept, what belongs to the crowd is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from havenfs.models.calibration import Calibration
from havenfs.retrieval import cutoff

PLAIN = Calibration(floor_sd=2.5)


def crowd_of(mean: float, sd: float, n: int = 4000, answers: float = 0.0) -> cutoff.Crowd:
    """A normal crowd with a share of *answers* ten spreads above it."""
    rng = np.random.default_rng(1)
    cosines = rng.normal(mean, sd, n)
    cosines[: int(n * answers)] += 10 * sd
    return cutoff.crowd(cosines.astype(np.float32))


def test_many_answers_do_not_raise_their_own_bar() -> None:
    alone, crowded = crowd_of(0.2, 0.02), crowd_of(0.2, 0.02, answers=0.2)
    assert alone.mean == pytest.approx(0.2, abs=0.002)
    assert alone.sd == pytest.approx(0.02, abs=0.002)
    assert crowded.floor(PLAIN) == pytest.approx(alone.floor(PLAIN), abs=0.02)


def test_what_stands_out_is_kept_down_to_the_floor() -> None:
    crowd = crowd_of(0.2, 0.02)
    assert cutoff.kept([0.30, 0.295, 0.28, 0.27, 0.24, 0.23], crowd, PLAIN) == 4


def test_a_query_that_nothing_answers_is_empty() -> None:
    assert cutoff.kept([0.24, 0.24, 0.23], crowd_of(0.2, 0.02), PLAIN) == 0
    assert cutoff.kept([], crowd_of(0.2, 0.02), PLAIN) == 0


def test_a_clear_gap_ends_the_answer_but_not_among_the_first() -> None:
    crowd = crowd_of(0.2, 0.02)
    assert cutoff.kept([0.50, 0.45, 0.44, 0.43, 0.42, 0.33, 0.32, 0.31], crowd, PLAIN) == 5
    assert cutoff.kept([0.50, 0.40, 0.39], crowd, PLAIN) == 3


def test_a_tail_that_stands_out_half_as_much_as_the_best_is_dropped() -> None:
    crowd = crowd_of(0.2, 0.02)
    assert cutoff.kept([0.40, 0.38, 0.36, 0.34, 0.32, 0.30, 0.28, 0.26], crowd, PLAIN) == 6


def test_the_floor_in_cosine_holds_whatever_the_crowd() -> None:
    strict = Calibration(floor_sd=0.0, floor_cosine=0.4)
    assert cutoff.kept([0.45, 0.41, 0.39], crowd_of(0.0, 0.1), strict) == 2
    few = cutoff.crowd(np.asarray([0.1, 0.2], np.float32))
    assert cutoff.kept([0.45, 0.1], few, strict) == 1


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(-1, 1, width=32), max_size=60),
    st.lists(st.floats(-1, 1, width=32), max_size=60),
    st.floats(0, 5),
)
def test_no_hit_lies_below_the_floor(
    cosines: list[float], library: list[float], floor_sd: float
) -> None:
    ranked = sorted(cosines, reverse=True)
    crowd = cutoff.crowd(np.asarray(library, np.float32))
    calibration = Calibration(floor_sd=floor_sd, floor_cosine=-0.5)
    count = cutoff.kept(ranked, crowd, calibration)
    assert 0 <= count <= len(ranked)
    assert all(c >= crowd.floor(calibration) for c in ranked[:count])
