"""What names of folders say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from havenfs.sorting import patterns

JULY = int(datetime(2019, 7, 14, 10, tzinfo=UTC).timestamp())
MARCH = int(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp())
ROME, PARIS = ("Rome", "Lazio", "Italy"), ("Paris", "Ile-de-France", "France")


@pytest.mark.parametrize(
    ("path", "next_one"),
    [
        ("Photos/2019/2019-07 Rome", "Photos/2026/2026-03 Paris"),
        ("Photos/2019/07", "Photos/2026/03"),
        ("Photos/2019/07 - July", "Photos/2026/03 - March"),
        ("Fotos/2019/Juli", "Fotos/2026/März"),
        ("Invoices/2019", "Invoices/2026"),
        ("a/20190714", "a/20260302"),
        ("a/2019-07-14 Birthday", "a/2026-03-02 Birthday"),
        ("Trips/Italy/Rome", "Trips/France/Paris"),
    ],
)
def test_a_pattern_goes_on(path: str, next_one: str) -> None:
    template = patterns.pattern(path, JULY, ROME)
    assert template is not None
    assert patterns.written(template, JULY, ROME) == path
    assert patterns.written(template, MARCH, PARIS) == next_one
    assert patterns.read(template, path) is not None
    assert patterns.read(template, next_one) is not None


@pytest.mark.parametrize("path", ["Letters", "Photos/2018", "IMG 12019", "Romeo", "2019x/13"[5:]])
def test_what_does_not_agree_with_the_files_is_no_date(path: str) -> None:
    assert patterns.pattern(path, JULY, ROME) is None


def test_a_name_says_its_date_by_itself() -> None:
    assert patterns.read("Photos/{year}/{year}-{month}", "Photos/2024/2024-11") == "2024-11"
    assert patterns.read("Photos/{year}/{year}-{month}", "Photos/2023/2024-11") is None
    assert patterns.read("{year}/{monthname:1}", "2024/März") == "2024-03"
    assert patterns.read("Invoices/{year}", "Invoices/2024/old") is None


def test_of_events_most_months_have_no_folder() -> None:
    assert patterns.periods("{year}-{month}", "2019-11", "2020-02") == 4
    assert patterns.periods("{year}", "2019", "2019") == 1


@given(st.text(max_size=40), st.integers(-(2**33), 2**33))
def test_any_name_can_be_read(path: str, moment: int) -> None:
    template = patterns.pattern(path, moment, ROME)
    if template is not None:
        assert patterns.written(template, moment, ROME) is not None
        patterns.read(template, path)
