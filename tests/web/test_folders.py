"""Paths that the page offers to copy."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from havenfs.catalog import names
from havenfs.errors import InvalidQuery
from havenfs.query import parse
from havenweb import folders


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("dog on a beach", "dog on a beach"),
        ("  dog   beach ", "dog beach"),
        ("place:Rome", "place=Rome"),
        ('"red car" place:"New York"', "'red car' place='New York'"),
        ("dog OR -cat", "dog OR -cat"),
        ("beach last summer", "beach last summer"),
    ],
)
def test_a_query_becomes_a_name_that_windows_accepts(query: str, name: str) -> None:
    assert folders.of_search(query, "/mnt") == f"/mnt/search/{name}"


def test_a_query_without_a_legal_form_has_no_path() -> None:
    assert folders.of_search("what?", "") is None
    assert folders.of_search("a/b", "") is None


@given(
    st.lists(
        st.sampled_from(
            ["dog", "-cat", "place:Rome", '"red car"', "OR", "(", ")", "2019", "'", ":"]
        )
    )
)
def test_the_path_always_means_what_was_asked(words: list[str]) -> None:
    query = " ".join(words)
    try:
        meant = parse(query)
    except InvalidQuery:
        return
    path = folders.of_search(query, "")
    if path is not None:
        name = path.removeprefix("/search/")
        assert parse(name, path=True) == meant
        assert names.legal(name) == name
