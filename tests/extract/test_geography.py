"""Names and time zones of positions."""

from __future__ import annotations

import pytest

from havenfs.extract import dates, geography

from .landmarks import LANDMARKS


@pytest.mark.parametrize(
    ("latitude", "longitude", "city", "country"),
    [
        (48.8584, 2.2945, "Paris", "France"),  # Eiffel Tower: the nearest centroid is a suburb's
        (41.8902, 12.4922, "Rome", "Italy"),
        (52.5163, 13.3777, "Berlin", "Germany"),
        (35.6595, 139.7004, "Tokyo", "Japan"),
        (51.5308, -0.1238, "London", "United Kingdom"),
        (-33.8568, 151.2153, "Sydney", "Australia"),
        (37.5512, 126.9882, "Seoul", "South Korea"),
        (48.8049, 2.1204, "Versailles", "France"),  # not swallowed by Paris
        (52.4, 13.06, "Potsdam", "Germany"),
        (41.9022, 12.4539, "Vatican City", "Vatican City"),  # nor by Rome, another country
        (43.723, 10.3966, "Pisa", "Italy"),
        (46.0207, 7.7491, "Zermatt", "Switzerland"),
    ],
)
def test_a_landmark_is_in_the_city_that_people_say(
    latitude: float, longitude: float, city: str, country: str
) -> None:
    found = geography.locality(latitude, longitude)
    assert found is not None
    assert (found.city, found.country) == (city, country)
    assert city == "Vatican City" or found.region


def test_landmarks_are_where_people_say_they_are() -> None:
    countries, cities = [], []
    for landmark in LANDMARKS:
        found = geography.locality(landmark.latitude, landmark.longitude)
        if (found.country if found else "") != landmark.country:
            countries.append((landmark.name, found))
        elif landmark.cities and (found is None or found.city not in landmark.cities):
            cities.append((landmark.name, found))
    assert not countries
    assert len(cities) <= 8, cities


def test_without_the_table_of_zones_the_nearest_city_tells_the_country(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(geography, "_owners", dict)
    found = geography.locality(48.8584, 2.2945)
    assert found is not None
    assert (found.city, found.country) == ("Paris", "France")


def test_ice_has_a_country_and_no_city() -> None:
    found = geography.locality(72.58, -38.45)
    assert found is not None
    assert (found.country, found.region, found.city) == ("Greenland", "", "")


def test_the_open_sea_has_no_name() -> None:
    assert geography.locality(30.0, -40.0) is None


def test_positions_at_the_edges_of_the_map_have_an_answer() -> None:
    for position in ((90.0, 0.0), (-90.0, 180.0), (0.0, -180.0), (65.0, 180.0)):
        geography.locality(*position)
        geography.zone(*position)


def test_summer_and_winter_differ_where_clocks_change() -> None:
    rome = geography.zone(41.89, 12.49)
    assert rome is not None
    july, january = dates.stamp("2019:07:14 10:15:00"), dates.stamp("2019:01:14 10:15:00")
    assert july is not None
    assert january is not None
    assert geography.offset_at(rome, july[0]) == 120
    assert geography.offset_at(rome, january[0]) == 60
    assert geography.offset_from_utc(rome, january[0]) == 60
