"""Where the family of the sample library lives and travels: real cities with their coordinates and clocks.

A table by hand; names as GeoNames (geonames.org, CC BY 4.0) spells them in English. Clocks are simplified: summer
time from April to October where the country has it. No state, any thread.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A place to take pictures in."""

    name: str
    country: str
    latitude: float
    longitude: float
    """Degrees, WGS 84, of the middle of the city."""
    offset: int
    """Minutes east of UTC in winter."""
    summer: bool = True
    """Whether the clock goes forward by an hour in summer."""

    def minutes(self, month: int) -> int:
        """Return the minutes east of UTC in that month."""
        return self.offset + (60 if self.summer and 4 <= month <= 10 else 0)


def _city(
    name: str, country: str, latitude: float, longitude: float, offset: int, *, summer: bool = True
) -> City:
    return City(
        name=name,
        country=country,
        latitude=latitude,
        longitude=longitude,
        offset=offset,
        summer=summer,
    )


HOME = _city("Utrecht", "Netherlands", 52.0907, 5.1214, 60)

JOURNEYS: tuple[tuple[City, ...], ...] = (
    (
        _city("Rome", "Italy", 41.9028, 12.4964, 60),
        _city("Florence", "Italy", 43.7696, 11.2558, 60),
        _city("Venice", "Italy", 45.4415, 12.3390, 60),
    ),
    (_city("Paris", "France", 48.8566, 2.3522, 60), _city("Nice", "France", 43.7010, 7.2650, 60)),
    (
        _city("Barcelona", "Spain", 41.3840, 2.1750, 60),
        _city("Valencia", "Spain", 39.4699, -0.3763, 60),
    ),
    (
        _city("Porto", "Portugal", 41.1496, -8.6109, 0),
        _city("Lisbon", "Portugal", 38.7200, -9.1390, 0),
    ),
    (
        _city("Munich", "Germany", 48.1370, 11.5750, 60),
        _city("Berlin", "Germany", 52.5200, 13.4050, 60),
    ),
    (
        _city("Salzburg", "Austria", 47.7990, 13.0440, 60),
        _city("Graz", "Austria", 47.0707, 15.4395, 60),
    ),
    (
        _city("London", "United Kingdom", 51.5080, -0.1260, 0),
        _city("Edinburgh", "United Kingdom", 55.9520, -3.1960, 0),
    ),
    (_city("Oslo", "Norway", 59.9130, 10.7460, 60), _city("Bergen", "Norway", 60.3930, 5.3240, 60)),
    (
        _city("Athens", "Greece", 37.9838, 23.7275, 120),
        _city("Chaniá", "Greece", 35.5122, 24.0156, 120),
    ),
    (
        _city("Kyoto", "Japan", 35.0210, 135.7550, 540, summer=False),
        _city("Osaka", "Japan", 34.6937, 135.5020, 540, summer=False),
    ),
    (
        _city("San Francisco", "United States", 37.7750, -122.4190, -480),
        _city("Boulder", "United States", 40.0150, -105.2705, -420),
    ),
    (
        _city("Marrakesh", "Morocco", 31.6340, -8.0000, 60, summer=False),
        _city("Fes", "Morocco", 34.0330, -5.0000, 60, summer=False),
    ),
    (
        _city("Copenhagen", "Denmark", 55.6760, 12.5680, 60),
        _city("Reykjavík", "Iceland", 64.1350, -21.8950, 0, summer=False),
    ),
)
"""Each journey goes through these cities, in this order."""
