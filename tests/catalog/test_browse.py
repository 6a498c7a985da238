from __future__ import annotations

from typing import Any

import pytest

from havenfs.catalog import browse
from havenfs.catalog.browse import TESTS, Condition
from havenfs.errors import NotFound


@pytest.mark.parametrize("test", TESTS)
def test_a_condition_and_its_negation_share_out_the_library(household: Any, test: str):
    value = {"among": "[1, 2]", "year": 2019, "month": 201907}.get(test, 1)
    yes = household.catalog.read(browse.count, [Condition(test, value)])
    no = household.catalog.read(browse.count, [Condition(test, value, negated=True)])
    assert yes + no == household.catalog.read(browse.count, []) == 9


def test_conditions_add_up(household: Any):
    conditions = [Condition("year", 2019), Condition("photo")]
    found = household.catalog.read(browse.assets, conditions)
    assert [asset.path for asset in found] == [
        b"2019/rome/IMG_0001.jpg",
        b"2019/rome/IMG_0002.jpg",
        b"2019/IMG_0001.jpg",
    ]
    assert household.catalog.read(browse.exists, conditions)
    assert household.catalog.read(browse.months, conditions) == [201907, 201912]


@pytest.mark.parametrize(
    "conditions",
    [[], [Condition("year", 2019)], [Condition("year", 1950)], [Condition("below", 1)]],
)
def test_the_short_ways_to_months_and_places_find_what_the_long_ones_do(
    household: Any, conditions: list[Condition]
):
    household.add("gone.jpg", taken="1950-01-01T00:00:00", place=("Atlantis", "", "Poseidonis"))
    household.remove(household.catalog.read(browse.asset, [], "gone.jpg").id)
    everything = Condition("nothing", negated=True)
    for question in (browse.months, browse.places):
        found = household.catalog.read(question, conditions)
        assert found == household.catalog.read(question, [*conditions, everything])
    assert household.catalog.read(browse.months, []) == [201907, 201912, 202001]


def test_a_name_is_found_in_its_own_case_only(household: Any):
    assert household.catalog.read(browse.asset, [], "screen.png").name == "screen.png"
    with pytest.raises(NotFound):
        household.catalog.read(browse.asset, [], "SCREEN.png")
    assert household.catalog.read(browse.name_of, [], "screen.png") == "screen.png"
    assert household.catalog.read(browse.name_of, [Condition("video")], "screen.png") is None


def test_details_name_the_place_from_the_city_up(household: Any):
    asset = household.catalog.read(browse.asset, [], "IMG_0001.jpg")
    known = household.catalog.read(browse.details, asset.id)
    assert known.place == "Rome, Lazio, Italy"
    assert known.keywords == ("dog", "summer")
    assert household.catalog.read(browse.asset_at, asset.source_id, asset.path) == asset.id
    with pytest.raises(NotFound):
        household.catalog.read(browse.asset_at, asset.source_id, b"nowhere")
