"""Positions suggested by what was taken before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from havenfs.catalog import neighbours

if TYPE_CHECKING:
    from havenfs.entities import AssetId

ROME = {"latitude": 41.9, "longitude": 12.5, "place": ("Italy", "Lazio", "Rome")}


def taken(shelf: Any, name: str, moment: str, **columns: Any) -> AssetId:
    asset_id = shelf.add(name, taken=f"2019-07-14T{moment}", **columns)
    shelf.catalog.write(neighbours.settle, asset_id)
    return asset_id


def suggested(shelf: Any, asset_id: AssetId) -> Any:
    return shelf.catalog.read(neighbours.suggestion, asset_id)


def test_a_picture_taken_minutes_later_was_probably_taken_there(shelf: Any) -> None:
    taken(shelf, "phone.jpg", "10:00:00", **ROME)
    found = suggested(shelf, taken(shelf, "camera.jpg", "10:06:00"))
    assert (found.latitude, found.longitude) == (41.9, 12.5)
    assert found.reason == "taken 6 min after phone.jpg"
    assert 0.6 < found.confidence < 0.8
    assert found.place_id is not None


def test_between_two_the_position_is_between_them(shelf: Any) -> None:
    taken(shelf, "a.jpg", "10:00:00", camera="Pixel", latitude=41.0, longitude=179.995)
    lost = taken(shelf, "lost.jpg", "10:05:00", camera="Pixel")
    taken(shelf, "b.jpg", "10:10:00", camera="Pixel", latitude=41.01, longitude=-179.995)
    found = suggested(shelf, lost)
    assert abs(found.latitude - 41.005) < 1e-6
    assert abs(abs(found.longitude) - 180) < 1e-6
    assert found.confidence > 0.8


def test_who_comes_later_is_news_for_those_that_were_there(shelf: Any) -> None:
    lost = taken(shelf, "camera.jpg", "10:06:00")
    assert suggested(shelf, lost) is None
    taken(shelf, "phone.jpg", "10:00:00", **ROME)
    assert suggested(shelf, lost) is not None
    assert shelf.catalog.read(neighbours.count) == 1


def test_hours_and_journeys_say_nothing(shelf: Any) -> None:
    taken(shelf, "rome.jpg", "10:00:00", **ROME)
    assert suggested(shelf, taken(shelf, "evening.jpg", "18:00:00")) is None
    taken(shelf, "oslo.jpg", "10:10:00", latitude=59.9, longitude=10.7)
    assert suggested(shelf, taken(shelf, "flight.jpg", "10:05:00")) is None


def test_times_of_files_say_nothing(shelf: Any) -> None:
    taken(shelf, "phone.jpg", "10:00:00", **ROME)
    assert suggested(shelf, taken(shelf, "copied.jpg", "10:01:00", taken_source="mtime")) is None


def test_a_position_ends_the_guessing(shelf: Any) -> None:
    taken(shelf, "phone.jpg", "10:00:00", **ROME)
    lost = taken(shelf, "camera.jpg", "10:06:00")
    shelf.put(lost, latitude=41.8, longitude=12.4)
    shelf.catalog.write(neighbours.settle, lost)
    assert suggested(shelf, lost) is None
