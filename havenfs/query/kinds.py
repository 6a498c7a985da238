"""Kinds of values that keys take: how each is read. Readers raise ValueError with the reason, in words for the person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import dates
from .nodes import Choice, Circle, Name, Range

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from .nodes import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What may stand after a key."""

    hint: str
    """In the help: `A..B`, `NAME`."""
    read: Callable[[str, date], Value]
    """The value in a text, given today's date. Raises ValueError."""


_NUMBER = re.compile(r"(\d{1,24}(?:\.\d{1,15})?)([a-z]*)$", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,3})h)?(?:(\d{1,3})m(?:in)?)?(?:(\d{1,4})s)?$", re.ASCII)
_COLONS = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})$", re.ASCII)

SIZE_UNITS = {
    "": 1e6,
    "b": 1,
    "k": 1e3,
    "kb": 1e3,
    "m": 1e6,
    "mb": 1e6,
    "g": 1e9,
    "gb": 1e9,
    "t": 1e12,
    "tb": 1e12,
}
"""Decimal, as on the box of the disk. A number alone means megabytes."""
NEAR_KM = 10.0
"""How far `near=` reaches when it does not say."""


def text() -> Kind:
    """Any text."""
    return Kind(hint="NAME", read=lambda value, _: Name(value))


def days(*, open_ended: bool = True) -> Kind:
    """Dates; a range of them unless *open_ended* is False."""

    def read(value: str, today: date) -> Value:
        found = dates.read(value, today)
        if found is None:
            raise ValueError(
                f"{value!r} is no date; write 2019, 2019-07, 2019-07-14, 2019..2021 or 'last summer'"
            )
        if not open_ended and (found.first is None or found.last is None):
            raise ValueError(f"{value!r} has no end; a date is wanted here")
        return found

    return Kind(hint="DATE", read=read)


def integers(low: int, high: int) -> Kind:
    """Whole numbers and ranges of them, within limits."""

    def one(value: str) -> float:
        if not (
            value.isascii() and value.isdecimal() and len(value) <= 24 and low <= int(value) <= high
        ):
            raise ValueError(f"{value!r} is not a whole number from {low} to {high}")
        return float(int(value))

    return Kind(hint="N or A..B", read=lambda value, _: _range(value, one))


def months() -> Kind:
    """1-12, a name or a short name."""

    def one(value: str) -> float:
        number = dates.month_number(value)
        if number is None:
            raise ValueError(f"{value!r} is no month; write 7, july or jul")
        return float(number)

    return Kind(hint="MONTH", read=lambda value, _: _range(value, one))


def measures(unit: str = "") -> Kind:
    """Decimals, with *unit* allowed after them. One alone means "to the precision written": 2.8 is 2.75..2.85."""

    def one(value: str) -> float:
        return _decimal(value.casefold().removesuffix(unit))[0]

    def about(value: str) -> Range:
        number, half = _decimal(value.casefold().removesuffix(unit))
        return _around(number, half)

    return Kind(hint="N or A..B", read=lambda value, _: _range(value, one, about))


def sizes() -> Kind:
    """Bytes: `5M`, `800K..2M`, `1.5G..`."""

    def one(value: str) -> float:
        return about_or(value)[0]

    def about_or(value: str) -> tuple[float, float]:
        found = _NUMBER.match(value.casefold())
        if found is None or found[2] not in SIZE_UNITS:
            raise ValueError(f"{value!r} is no size; write 5M, 800K..2M or 1G..")
        number, half = _decimal(found[1])
        factor = SIZE_UNITS[found[2]]
        return number * factor, 0.0 if factor == 1 else half * factor

    def about(value: str) -> Range:
        return _around(*about_or(value))

    def read(value: str, _: date) -> Value:
        found = _range(value, one, about)
        return Bytes(found.low, found.high)

    return Kind(hint="SIZE or A..B", read=read)


class Bytes(Range):
    """A Range that is written in bytes, for a number alone would mean megabytes."""

    __slots__ = ()

    def __str__(self) -> str:
        parts = [f"{part}B" if part else "" for part in Range.__str__(self).split("..")]
        return "..".join(parts)


def durations() -> Kind:
    """Seconds: `90`, `90s`, `1m30s`, `1:30`, `10m..`."""

    def about_or(value: str) -> tuple[float, float]:
        value = value.casefold()
        if colons := _COLONS.match(value):
            hours, minutes, seconds = (int(g or 0) for g in colons.groups())
            return float(hours * 3600 + minutes * 60 + seconds), 0.5
        clock = _CLOCK.match(value)
        if value and clock:
            hours, minutes, seconds = (int(g) if g else 0 for g in clock.groups())
            half = 0.5 if clock[3] else 30.0 if clock[2] else 1800.0
            return float(hours * 3600 + minutes * 60 + seconds), half
        try:
            return _decimal(value)
        except ValueError:
            raise ValueError(f"{value!r} is no duration; write 90, 1m30s, 1:30 or 10m..") from None

    def about(value: str) -> Range:
        return _around(*about_or(value))

    return Kind(
        hint="SECONDS or A..B",
        read=lambda value, _: _range(value, lambda part: about_or(part)[0], about),
    )


def circle() -> Kind:
    """`lat;lon;km`, the kilometres optional."""

    def read(value: str, _: date) -> Value:
        try:
            parts = [_signed(part) for part in value.split(";")]
        except ValueError:
            parts = []
        if len(parts) == 2:
            parts.append(NEAR_KM)
        if (
            len(parts) != 3
            or abs(parts[0]) > 90
            or abs(parts[1]) > 180
            or not 0 < parts[2] <= 20_100
        ):
            raise ValueError(
                f"{value!r} is no place on earth; write latitude;longitude;kilometres: 41.9;12.5;10"
            )
        return Circle(*parts)

    return Kind(hint="LAT;LON;KM", read=read)


def choices(words: Mapping[str, str], *, reversible: bool = False) -> Kind:
    """Fixed words: accepted spelling -> canonical one."""

    def read(value: str, _: date) -> Value:
        word = value.casefold()
        reverse = reversible and word.startswith("-")
        canonical = words.get(word.removeprefix("-") if reverse else word)
        if canonical is None:
            raise ValueError(f"{value!r} is none of {', '.join(sorted(set(words.values())))}")
        return Choice(canonical, reverse)

    return Kind(hint="|".join(dict.fromkeys(words.values())), read=read)


def _range(
    value: str, one: Callable[[str], float], about: Callable[[str], Range] | None = None
) -> Range:
    low, dots, high = value.partition("..")
    if not dots:
        return about(value) if about else Range(one(value), one(value))
    if not low and not high:
        raise ValueError("a range needs at least one end: 3.., ..5 or 3..5")
    a, b = (one(low) if low else None), (one(high) if high else None)
    if a is not None and b is not None:
        if a > b:
            raise ValueError(f"the range {value!r} runs backwards")
        if a == b and about:
            return about(low)
    return Range(a, b)


def _around(number: float, half: float) -> Range:
    return Range(max(0.0, round(number - half, 9)), round(number + half, 9))


def _decimal(value: str) -> tuple[float, float]:
    """The number and half a unit of its last digit."""
    found = _NUMBER.match(value)
    if found is None or found[2]:
        raise ValueError(f"{value!r} is not a number; write 3, 2.8, 3..5 or 3..")
    return float(found[1]), 0.5 * 10 ** -len(found[1].partition(".")[2])


def _signed(value: str) -> float:
    number, _ = _decimal(value.removeprefix("-"))
    return -number if value.startswith("-") else number
