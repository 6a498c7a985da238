from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from havenfs.catalog import browse
from havenfs.views import roll
from havenfs.views.nodes import Leaf
from havenfs.views.roll import Roll

if TYPE_CHECKING:
    from havenfs.catalog.browse import Outline
    from havenfs.entities import Asset
    from havenfs.views.nodes import Entry
    from tests.conftest import Shelf


def entry(asset: Asset) -> Entry:
    return asset.name.encode(), Leaf(asset)


def everything(shelf: Shelf) -> Roll:
    return Roll(shelf.catalog, (browse.Condition("year", 2020),), entry, plain=True)


def outlined(listing: Roll) -> list[Outline | None]:
    found: list[Outline | None] = []
    while len(found) < len(listing):
        found.extend(listing.outlines(len(found)))
    return found


@pytest.fixture
def photos(shelf: Shelf) -> Shelf:
    for number in range(7):
        shelf.add(f"{number}.jpg", taken=f"2020-01-0{number + 1}T00:00:00")
    return shelf


@pytest.mark.parametrize(("first", "page"), [(0, 3), (2, 3), (5, 3), (100, 3), (100, 100)])
def test_outlines_are_of_the_entries_whether_they_came_with_the_ids_or_later(
    photos: Shelf, monkeypatch: pytest.MonkeyPatch, first: int, page: int
) -> None:
    monkeypatch.setattr(roll, "FIRST", first)
    monkeypatch.setattr(roll, "PAGE", page)
    listing = everything(photos)
    assets = [node.asset for _, node in listing if isinstance(node, Leaf)]
    assert len(assets) == len(listing) == 7
    assert outlined(listing) == outlined(listing)
    assert outlined(listing) == [
        (each.name, each.size, each.mtime_ns, each.source_id, each.device, each.inode)
        for each in assets
    ]


def test_what_has_left_is_not_listed_when_the_listing_is_read_later(
    photos: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roll, "FRESH_S", 0.0)
    listing = everything(photos)
    photos.catalog.write(
        lambda db: db.execute("UPDATE asset SET file_id = NULL WHERE name = '3.jpg'")
    )
    found = outlined(listing)
    assert [place for place, outline in enumerate(found) if outline is None] == [3]
    assert listing[3] is None
    assert len([*listing]) == 6
