from __future__ import annotations

from typing import Any

from havenfs.catalog import changes


def test_a_new_library_is_at_generation_zero(shelf: Any):
    assert shelf.catalog.read(changes.generation) == 0
    assert shelf.catalog.read(changes.since, 0) == []


def test_each_step_of_an_assets_life_is_a_change(shelf: Any):
    asset = shelf.add("a.jpg", taken="2019-07-14T10:00:00")
    start = shelf.catalog.read(changes.generation)
    shelf.put(asset, taken_local=1_600_000_000)
    shelf.remove(asset)
    moved, removed = shelf.catalog.read(changes.since, start)
    assert (moved.asset_id, moved.before.month, moved.after.month) == (asset, 201907, 202009)
    assert removed.after is None
    assert removed.before.name == "a.jpg"
    assert shelf.catalog.read(changes.generation) == removed.seq


def test_what_no_view_shows_is_no_change(shelf: Any):
    asset = shelf.add("a.jpg")
    before = shelf.catalog.read(changes.generation)
    shelf.put(asset, phash=7)
    assert shelf.catalog.read(changes.generation) == before


def test_a_reader_that_is_too_far_behind_is_told(shelf: Any):
    for number in range(10):
        shelf.add(f"{number}.jpg")
    newest = shelf.catalog.read(changes.generation)
    shelf.catalog.write(changes.trim, 3)
    assert shelf.catalog.read(changes.since, newest - 4) is None
    assert len(shelf.catalog.read(changes.since, newest - 3)) == 3
    shelf.catalog.write(changes.trim, 0)
    assert shelf.catalog.read(changes.generation) == newest
    assert shelf.catalog.read(changes.since, newest) == []
    assert shelf.catalog.read(changes.since, newest - 1) is None
