"""Spellings of names on disk stay right while the directory changes."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import sources
from havenfs.errors import NotFound
from havenfs.originals.spellings import Spellings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def odd(household: Any) -> Path:
    made: Path = household.root / "odd"
    made.mkdir()
    return made


def source_of(shelf: Any) -> Any:
    [source] = shelf.catalog.read(sources.present)
    return source


@pytest.mark.parametrize("settled", [True, False])
def test_what_comes_and_goes_is_known_at_once(household: Any, odd: Path, settled: bool):
    spellings, source = Spellings(), source_of(household)

    def settle() -> None:
        if settled:  # as a directory is that nobody touched for a while
            os.utime(odd, ns=(0, time.time_ns() - 3_000_000_000 + len(os.listdir(odd))))

    (odd / "Note.txt").touch()
    (odd / "Cafe\u0301.jpg").touch()
    settle()
    for _ in range(2):
        assert spellings.find(source, b"odd", b"nOTE.TXT") == b"Note.txt"
        assert spellings.find(source, b"odd", b"Note.txt") == b"Note.txt"
        assert spellings.find(source, b"odd", "caf\u00e9.jpg".encode()) == "Cafe\u0301.jpg".encode()
        with pytest.raises(NotFound):
            spellings.find(source, b"odd", b"other.txt")
    (odd / "Other.TXT").touch()
    settle()
    assert spellings.find(source, b"odd", b"other.txt") == b"Other.TXT"
    (odd / "Note.txt").unlink()
    settle()
    with pytest.raises(NotFound):
        spellings.find(source, b"odd", b"note.txt")


def test_of_two_that_differ_in_case_each_is_itself(household: Any, odd: Path):
    (odd / "a").touch()
    (odd / "A").touch()
    spellings, source = Spellings(), source_of(household)
    assert spellings.find(source, b"odd", b"a") == b"a"
    assert spellings.find(source, b"odd", b"A") == b"A"


def test_a_large_directory_is_not_folded_twice(household: Any, odd: Path):
    for number in range(5000):
        (odd / f"IMG_{number}.JPG").touch()
    os.utime(odd, (0, 0))
    spellings, source = Spellings(), source_of(household)
    start = time.perf_counter()
    spellings.find(source, b"odd", b"img_7.jpg")
    first = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(10):
        spellings.find(source, b"odd", b"img_9.jpg")
    assert (time.perf_counter() - start) / 10 < first / 5
