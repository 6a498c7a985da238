"""Bare words: which are places, and what is left for the eye."""

from __future__ import annotations

import pytest

from havenfs.query import parse
from havenfs.retrieval import phrases

PLACES = {
    "rome": "Rome",
    "new york": "New York",
    "york": "York",
    "zurich": "Zürich",
    "nice": "Nice",
}


@pytest.mark.parametrize(
    ("text", "places", "look"),
    [
        ("dog on a beach", (), "dog on a beach"),
        ("Rome", ("Rome",), ""),
        ("in rome", ("Rome",), ""),
        ("sunset in Rome", ("Rome",), "sunset"),
        ("new york at night", ("New York",), "at night"),
        ("ZURICH lake", ("Zürich",), "lake"),
        ("IMG_0001.jpg", (), ""),
        ("invoice 20391", (), ""),
        ("2 dogs", (), "2 dogs"),
        ("a 4x4 car", (), ""),
        ("the", (), ""),
        ("romeo and juliet", (), "romeo and juliet"),
        ("3rd birthday", (), ""),
        ("photos of a dog", (), "a dog"),
        ("a picture of my car in rome", ("Rome",), "my car"),
        ("pictures", (), ""),
        ("picture frame", (), "picture frame"),
    ],
)
def test_places_are_taken_out_and_codes_are_not_looked_for(
    text: str, places: tuple[str, ...], look: str
) -> None:
    found = phrases.understand(text, PLACES)
    assert found.places == places
    assert found.look == look
    assert found.words == tuple(text.split())


def test_all_bare_words_of_a_query_are_found_and_no_quoted_ones() -> None:
    query = parse("dog -cat (bird OR 'a fish') type=photo")
    assert set(phrases.bare(query.where)) == {"dog", "cat", "bird"}
    assert list(phrases.bare(None)) == []
