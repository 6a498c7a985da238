from __future__ import annotations

from typing import TYPE_CHECKING

from havend import sightings
from havend.sightings import Sightings

if TYPE_CHECKING:
    import pytest


def test_the_last_sighting_counts():
    seen = Sightings()
    seen.note(7, 1, b"here")
    seen.note(7, 2, b"there")
    assert seen.find(7) == (2, b"there")
    assert seen.find(8) is None


def test_what_is_forgotten_is_gone():
    seen = Sightings()
    seen.note(7, 1, b"here")
    assert seen.forget(7)
    assert not seen.forget(7)
    assert seen.find(7) is None


def test_only_the_last_are_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sightings, "GENERATION", 10)
    seen = Sightings()
    for number in range(1, 26):
        seen.note(number, 1, b"%d" % number)
    kept = [number for number in range(1, 26) if seen.find(number)]
    assert kept == list(range(11, 26))
    seen.note(25, 1, b"again")
    assert seen.find(25) == (1, b"again")
