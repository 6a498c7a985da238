"""What the names of folders say of the dates and places of what is in them: `Photos/2019/2019-07 Rome` is the pattern
`Photos/{year}/{year}-{month} {city}`, and goes on with the next month. Pure; names are text, separated by slashes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from havenfs.catalog.names import key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FIELDS = ("year", "month", "day", "monthname", "city", "country")
MONTHS = (
    "January February March April May June July August September October November December",
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "januari februari maart april mei juni juli augustus september oktober november december",
)
"""English, German, French, Italian, Spanish, Dutch."""

_YEAR = r"(?P<year>19\d\d|20\d\d)"
_DATED = re.compile(
    rf"(?<!\d){_YEAR}(?:(?P<a>[-_. ]?)(?P<month>0[1-9]|1[0-2])(?:(?P=a)(?P<day>0[1-9]|[12]\d|3[01]))?)?(?!\d)"
)
_MONTH = re.compile(r"(?<!\d)(?P<month>0[1-9]|1[0-2])(?!\d)")
_NAMED = [{key(name): number for number, name in enumerate(names.split(), 1)} for names in MONTHS]
_WORD = re.compile(r"[^\W\d_]+")
_FIELD = re.compile(r"\{(\w+)(?::(\d))?\}")


def pattern(path: str, moment: int | None, place: Sequence[str]) -> str | None:
    """*path* with fields in place of the date and the place that its files have; None where its name says neither.

    *moment*: wall-clock seconds of its files, or most of them; *place*: their city, region, country. Only what agrees with
    them becomes a field.
    """
    date = datetime.fromtimestamp(moment, UTC) if moment is not None else None
    parts = [
        _dated(_placed(part.replace("{", "(").replace("}", ")"), place), date)
        for part in path.split("/")
    ]
    if date is not None and any("{year}" in part for part in parts):
        parts = [part if "{" in part else _months(part, date) for part in parts]
    found = "/".join(parts)
    return found if _FIELD.search(found) else None


def written(template: str, moment: int | None, place: Sequence[str]) -> str | None:
    """The path that a pattern has for a file of this moment and place; None where that is not known of it."""
    date = datetime.fromtimestamp(moment, UTC) if moment is not None else None
    known: dict[str, str] = {}
    if date is not None:
        known |= {"year": f"{date:%Y}", "month": f"{date:%m}", "day": f"{date:%d}"}
        for number, names in enumerate(MONTHS):
            known[f"monthname{number}"] = names.split()[date.month - 1]
    if len(place) > 1:
        known["city"] = place[0]
    if place:
        known["country"] = place[-1]
    try:
        return _FIELD.sub(lambda m: known[m[1] + (m[2] or "")].replace("/", "-"), template)
    except KeyError:
        return None


def fields(template: str) -> set[str]:
    """The fields of a pattern, of FIELDS."""
    return {found[0] for found in _FIELD.findall(template)}


def span(template: str, moment: int) -> str | None:
    """What of a date a pattern looks at, as text: equal for files that belong into one folder of it. None: no date."""
    wanted = fields(template)
    date = datetime.fromtimestamp(moment, UTC)
    if "day" in wanted:
        return f"{date:%Y-%m-%d}"
    if wanted & {"month", "monthname"}:
        return f"{date:%Y-%m}"
    return f"{date:%Y}" if "year" in wanted else None


def in_words(template: str, moment: int) -> str:
    """The date as far as a pattern looks at it, for people: "March 2026"."""
    text = span(template, moment) or ""
    return f"{datetime.fromtimestamp(moment, UTC):%B %Y}" if len(text) == len("2026-03") else text


def _placed(part: str, place: Sequence[str]) -> str:
    for field, name in (
        ("city", place[0] if len(place) > 1 else ""),
        ("country", place[-1] if place else ""),
    ):
        at = key(part).find(key(name)) if name else -1
        whole = at >= 0 and len(key(part)) == len(part)
        if (
            whole
            and not part[at - 1 : at].isalpha()
            and not part[at + len(name) : at + len(name) + 1].isalpha()
        ):
            part = f"{part[:at]}{{{field}}}{part[at + len(name) :]}"
    return part


def _dated(part: str, date: datetime | None) -> str:
    match = _DATED.search(part) if date is not None else None
    if match is None or date is None or int(match["year"]) != date.year:
        return part
    text = "{year}"
    if match["month"] and int(match["month"]) == date.month:
        text += match["a"] + "{month}"
        if match["day"]:
            text += match["a"] + ("{day}" if int(match["day"]) == date.day else match["day"])
    elif match["month"]:
        return part
    rest = part[match.end() :]
    return part[: match.start()] + text + (_months(rest, date) if "{month}" not in text else rest)


def _months(part: str, date: datetime) -> str:
    """The month where a folder of a year has one: `07`, `07 July`, `Juli`."""
    match = _MONTH.search(part)
    if match is not None and int(match["month"]) == date.month and match.start() == 0:
        part = "{month}" + part[match.end() :]
    for word in _WORD.finditer(part):
        if part[word.start() - 1 : word.start()] == "{":
            continue
        for number, known in enumerate(_NAMED):
            if known.get(key(word[0])) == date.month:
                return f"{part[: word.start()]}{{monthname:{number}}}{part[word.end() :]}"
    return part


def together(paths: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Pattern -> the folders that follow it, from (pattern, folder): of those that at least two follow."""
    found: dict[str, list[str]] = {}
    for template, path in paths:
        found.setdefault(template, []).append(path)
    return {template: known for template, known in found.items() if len(known) > 1}
