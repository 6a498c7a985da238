"""What the names of folders say of the dates and places of what is in them: `Photos/2019/2019-07 Rome` is the pattern
`Photos/{year}/{year}-{month} {city}`, and goes on with the next month. Pure; names are text, separated by slashes.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from havenfs.catalog.names import key

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    when = datetime.fromtimestamp(moment, UTC) if moment is not None else None
    parts = [
        _dated(_placed(part.replace("{", "(").replace("}", ")"), place), when)
        for part in path.split("/")
    ]
    if when is not None and any("{year}" in part for part in parts):
        parts = [part if "{" in part else _months(part, when) for part in parts]
    found = "/".join(parts)
    return found if _FIELD.search(found) else None


def written(template: str, moment: int | None, place: Sequence[str]) -> str | None:
    """The path that a pattern has for a file of this moment and place; None where that is not known of it."""
    when = datetime.fromtimestamp(moment, UTC) if moment is not None else None
    known: dict[str, str] = {}
    if when is not None:
        known |= {"year": f"{when:%Y}", "month": f"{when:%m}", "day": f"{when:%d}"}
        for number, names in enumerate(MONTHS):
            known[f"monthname{number}"] = names.split()[when.month - 1]
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
    when = datetime.fromtimestamp(moment, UTC)
    if "day" in wanted:
        return f"{when:%Y-%m-%d}"
    if wanted & {"month", "monthname"}:
        return f"{when:%Y-%m}"
    return f"{when:%Y}" if "year" in wanted else None


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


def _dated(part: str, when: datetime | None) -> str:
    match = _DATED.search(part) if when is not None else None
    if match is None or when is None or int(match["year"]) != when.year:
        return part
    text = "{year}"
    if match["month"] and int(match["month"]) == when.month:
        text += match["a"] + "{month}"
        if match["day"]:
            text += match["a"] + ("{day}" if int(match["day"]) == when.day else match["day"])
    elif match["month"]:
        return part
    rest = part[match.end() :]
    return part[: match.start()] + text + (_months(rest, when) if "{month}" not in text else rest)


def _months(part: str, when: datetime) -> str:
    """The month where a folder of a year has one: `07`, `07 July`, `Juli`."""
    match = _MONTH.search(part)
    if match is not None and int(match["month"]) == when.month and match.start() == 0:
        part = "{month}" + part[match.end() :]
    for word in _WORD.finditer(part):
        if part[word.start() - 1 : word.start()] == "{":
            continue
        for number, known in enumerate(_NAMED):
            if known.get(key(word[0])) == when.month:
                return f"{part[: word.start()]}{{monthname:{number}}}{part[word.end() :]}"
    return part


def read(template: str, path: str) -> str | None:
    """What of a date the name of a folder says that follows a pattern, as `span` has it; None where it does not follow it."""
    match = re.fullmatch(_expression(template), path, re.IGNORECASE)
    if match is None:
        return None
    found = match.groupdict()
    parts = [found.get("year")]
    for number, names in enumerate(MONTHS):
        name = found.get(f"monthname{number}")
        if name is not None:
            known = [key(each) for each in names.split()]
            found.setdefault("month", f"{known.index(key(name)) + 1:02}")
    parts += [found.get("month"), found.get("day")]
    return "-".join(part for part in parts if part is not None)


@lru_cache(4096)
def _expression(template: str) -> str:
    kinds = {"year": r"(?:19|20)\d\d", "month": r"\d\d", "day": r"\d\d"}
    seen: set[str] = set()
    text, end = "", 0
    for match in _FIELD.finditer(template):
        name = match[1] + (match[2] or "")
        text += re.escape(template[end : match.start()])
        kind = "|".join(MONTHS[int(match[2])].split()) if match[2] else kinds.get(name, "[^/]+")
        text += f"(?P={name})" if name in seen else f"(?P<{name}>{kind})"
        seen.add(name)
        end = match.end()
    return text + re.escape(template[end:])


def periods(template: str, first: str, last: str) -> int:
    """How many folders a pattern would have from one date to another, as `span` has them, if it left none out."""
    if not first or not last:
        return 1
    low, high = ([*map(int, text.split("-")), 1, 1][:3] for text in (first, last))
    if "day" in fields(template):
        return (date(*high) - date(*low)).days + 1
    if fields(template) & {"month", "monthname"}:
        return (high[0] - low[0]) * 12 + high[1] - low[1] + 1
    return high[0] - low[0] + 1
