"""When a disk is given up, and when it is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from havend import patience
from havend.inodes import ASSET, COMPUTED, HASHED
from havend.patience import Patience, source_of

if TYPE_CHECKING:
    import pytest

SICK, HEALTHY = 7 << 48, 8 << 48


def test_an_inode_tells_its_source_from_either_face() -> None:
    assert source_of(SICK | 12) == 7
    assert source_of(ASSET | SICK | 12) == 7
    assert source_of(COMPUTED | SICK) == source_of(HASHED | SICK) == source_of(1) == 0


def test_one_request_without_an_answer_gives_up_its_inode_and_four_the_source() -> None:
    borne = Patience(10.0)
    assert borne.judge([(SICK | 1, 10.1), (SICK | 2, 3.0)])
    assert borne.given_up(SICK | 1)
    assert not borne.given_up(SICK | 2)
    borne.judge([(SICK | i, 10.1) for i in range(3)] + [(ASSET | SICK | 9, 11.0)])
    assert borne.given_up(SICK | 77)
    assert borne.given_up(ASSET | SICK | 77)
    assert not borne.given_up(HEALTHY | 77)


def test_a_disk_that_spins_up_and_a_long_search_are_waited_for() -> None:
    borne = Patience(10.0)
    assert not borne.judge([(SICK | i, 8.0) for i in range(50)])
    assert not borne.judge([(COMPUTED | i, 60.0) for i in range(50)])
    assert not borne.given_up(SICK | 1)


def test_a_source_is_tried_again_once_somebody_has_got_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(patience.time, "monotonic", lambda: now)
    borne = Patience(10.0)
    for i in range(4):
        borne.begun(i, SICK | i)
    assert not borne.hopeless(SICK | 50)
    now += 10.0
    assert borne.hopeless(SICK | 50)
    borne.ended(0)
    assert not borne.hopeless(SICK | 50)
    assert borne.hopeless(SICK | 1)
    for i in range(4):
        borne.ended(i)
    assert not borne.hopeless(SICK | 1)
