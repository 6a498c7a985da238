"""The parsed form of a search: frozen nodes, and their one canonical spelling.

`str(node)` is text that parses back to an equal node, in both forms of the language. Nodes know nothing of the library:
whether a word is the name of a place is found out where there is a catalog.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias
from unicodedata import combining


class Presence(StrEnum):
    """The two values that every describing key knows."""

    NONE = "none"
    """There is no such fact about the asset."""
    ANY = "any"
    """There is one, whatever it is."""


@dataclass(frozen=True, slots=True)
class Name:
    """A text value, as written (NFC, single spaces)."""

    text: str

    def __str__(self) -> str:
        plain = self.text and not any(c in " ,;()'\"" for c in self.text)
        if plain and self.text.casefold() not in ("none", "any") and not combining(self.text[0]):
            return self.text
        return quote(self.text)


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from *low* to *high*, both included; None is open. In the base unit of the key (bytes, seconds)."""

    low: float | None
    high: float | None

    def __str__(self) -> str:
        if self.low == self.high:
            return _number(self.low)
        return f"{_number(self.low)}..{_number(self.high)}"


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days of the calendar at the place of the picture, first and last included; None is open."""

    first: date | None
    last: date | None

    def __str__(self) -> str:
        a, b = self.first, self.last
        if a is not None and b is not None:
            if a == b:
                return a.isoformat()
            if a.day == 1 and (b + timedelta(days=1)).day == 1:
                if (a.month, b.month, a.year) == (1, 12, b.year):
                    return f"{a.year:04}"
                if (a.year, a.month) == (b.year, b.month):
                    return f"{a.year:04}-{a.month:02}"
        return f"{a.isoformat() if a else ''}..{b.isoformat() if b else ''}"


@dataclass(frozen=True, slots=True)
class Circle:
    """Around a point: degrees WGS 84, kilometres."""

    latitude: float
    longitude: float
    km: float

    def __str__(self) -> str:
        return f"{_number(self.latitude)};{_number(self.longitude)};{_number(self.km)}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the fixed words of a key, in its canonical spelling; *reverse* is for `sort=-date`."""

    word: str
    reverse: bool = False

    def __str__(self) -> str:
        return f"-{self.word}" if self.reverse else self.word


Value: TypeAlias = Presence | Name | Range | Days | Circle | Choice


@dataclass(frozen=True, slots=True)
class Words:
    """What to look for in pictures and texts. *quoted*: in texts and names only, in exactly this order."""

    text: str
    quoted: bool = False

    def __str__(self) -> str:
        return quote(self.text) if self.quoted else self.text


@dataclass(frozen=True, slots=True)
class Field:
    """A hard filter: the asset has any of *values* for *key*."""

    key: str
    values: tuple[Value, ...]
    said: str = field(default="", compare=False)
    """The words that a person used for it ("last summer"); empty when written as a field."""

    def __str__(self) -> str:
        return f"{self.key}={','.join(map(str, self.values))}"


@dataclass(frozen=True, slots=True)
class Not:
    """Everything but *item*."""

    item: Node

    def __str__(self) -> str:
        several = isinstance(self.item, And | Or) or (
            isinstance(self.item, Words) and not self.item.quoted and " " in self.item.text
        )
        return f"-({self.item})" if several else f"-{self.item}"


@dataclass(frozen=True, slots=True)
class And:
    """All of *items* (two or more)."""

    items: tuple[Node, ...]

    def __str__(self) -> str:
        return " ".join(f"({item})" if isinstance(item, Or) else str(item) for item in self.items)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of *items* (two or more)."""

    items: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(map(str, self.items))


Node: TypeAlias = Words | Field | Not | And | Or


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A search: what must hold, and how the answer is to look."""

    where: Node | None = None
    """None: everything."""
    sort: Choice | None = None
    """None: best first."""
    limit: int | None = None
    """None: what the place that shows the answer thinks right."""
    score: Range | None = None
    """Hits outside are dropped."""

    def __str__(self) -> str:
        several = self.sort is not None or self.limit is not None or self.score is not None
        parts = (
            [f"({self.where})" if several and isinstance(self.where, Or) else str(self.where)]
            if self.where
            else []
        )
        if self.sort is not None:
            parts.append(f"sort={self.sort}")
        if self.limit is not None:
            parts.append(f"limit={self.limit}")
        if self.score is not None:
            parts.append(f"score={self.score}")
        return " ".join(parts)


def quote(text: str) -> str:
    """*text* in the quotes that it does not hold itself."""
    return f"'{text}'" if '"' in text else f'"{text}"'


def _number(value: float | None) -> str:
    """The shortest decimal that reads back as *value*, never with an exponent."""
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else format(Decimal(repr(value)), "f")
