"""Dates as people write them: `2019`, `2019-07`, `2019-07-14`, `last summer`, `july 2019`, `christmas 2018`, `yesterday`.

English words, northern seasons. A winter is named after the year in which it begins. Pure functions of their
arguments; *today* is the reader's date.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from .nodes import Days

if TYPE_CHECKING:
    from collections.abc import Sequence

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
SHORT = {m[:3]: n for n, m in enumerate(MONTHS, start=1)} | {"sept": 9}
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""First month; each lasts three."""
UNITS = ("day", "week", "month", "year")
FIRST_YEAR, LAST_YEAR = 1800, 2199
"""Four digits outside these years are a number, not a date."""
DAY = timedelta(days=1)
LEADING = frozenset(("in", "on", "from", "of", "during"))
"""Words that only lead up to a date: "the beach in july 2019"."""

_ISO = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$")


def month_number(text: str) -> int | None:
    """1-12 of a month's number, name or short name."""
    text = text.casefold().rstrip(".")
    if text.isdecimal() and text.isascii() and len(text) <= 2:
        return int(text) if 1 <= int(text) <= 12 else None
    if text in MONTHS:
        return MONTHS.index(text) + 1
    return SHORT.get(text)


def iso(text: str) -> Days | None:
    """The days of `2019`, `2019-07` or `2019-07-14`. None for anything else, 30 February included."""
    found = _ISO.match(text)
    if found is None or not text.isascii():
        return None
    year, month, day = (int(g) if g else None for g in found.groups())
    if year is None or not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    if month is None:
        return _months(year, 1, 12)
    if not 1 <= month <= 12:
        return None
    if day is None:
        return _months(year, month, 1)
    try:
        return Days(date(year, month, day), date(year, month, day))
    except ValueError:
        return None


def phrase(words: Sequence[str], today: date) -> tuple[int, Days] | None:
    """The date that *words* begin with, and how many of them it takes; None when they begin with none."""
    first = words[0].casefold()
    if first in ("today", "yesterday"):
        day = today if first == "today" else today - DAY
        return 1, Days(day, day)
    if len(words) > 1:
        second = words[1].casefold()
        found = None
        if first in ("last", "this"):
            found = _relative(second, today, last=first == "last")
        elif (year := _year(second)) is not None:
            found = _named(first, year)
        if found is not None:
            return 2, found
    found = span(words[0])
    return None if found is None else (1, found)


def span(text: str) -> Days | None:
    """As `iso`, and `lo..hi` of it with either side open."""
    low, dots, high = text.partition("..")
    if not dots:
        return iso(text)
    a, b = iso(low), iso(high)
    if (low and a is None) or (high and b is None) or not (low or high):
        return None
    first, last = (a.first if a else None), (b.last if b else None)
    return None if first and last and first > last else Days(first, last)


def read(text: str, today: date) -> Days | None:
    """Any of the above as the value of a key: `date='last summer'`."""
    words = text.split()
    found = phrase(words, today) if words else None
    return found[1] if found and found[0] == len(words) else None


def _named(name: str, year: int) -> Days | None:
    if name == "christmas":
        return Days(date(year, 12, 24), date(year, 12, 26))
    if name in SEASONS:
        return _months(year, SEASONS[name], 3)
    if name[0].isdigit():  # "7 2019" is two numbers
        return None
    month = month_number(name)
    return None if month is None else _months(year, month, 1)


def _relative(unit: str, today: date, *, last: bool) -> Days | None:
    """The latest one that is over, or the one that is under way."""
    monday = today - DAY * today.weekday()
    if unit == "week":
        start = monday - 7 * DAY if last else monday
        return Days(start, start + 6 * DAY)
    if unit == "month":
        day = today.replace(day=1) - DAY if last else today
        return _months(day.year, day.month, 1)
    if unit == "year":
        return _months(today.year - last, 1, 12)
    if unit != "christmas" and unit not in SEASONS and (unit not in MONTHS):
        return None
    for year in (today.year + 1, today.year, today.year - 1, today.year - 2):
        days = _named(unit, year)
        if days is not None and days.first is not None and days.last is not None:
            if last and days.last < today:
                return days
            if not last and days.first <= today.replace(month=12, day=31) and year <= today.year:
                return days
    return None


def _year(text: str) -> int | None:
    ok = (
        len(text) == 4
        and text.isascii()
        and text.isdecimal()
        and FIRST_YEAR <= int(text) <= LAST_YEAR
    )
    return int(text) if ok else None


def _months(year: int, month: int, count: int) -> Days:
    after = month - 1 + count
    return Days(date(year, month, 1), date(year + after // 12, after % 12 + 1, 1) - DAY)
