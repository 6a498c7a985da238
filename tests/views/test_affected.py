"""Whatever changes, the names that `affected` gives are all that a cache of the lasting folders must forget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import changes
from havenfs.errors import NotFound
from havenfs.views import Leaf, affected

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.views import Directory, Folder


def leaves(folder: Any, found: dict[tuple[str, bytes], Any]) -> dict[tuple[str, bytes], Any]:
    for name, node in folder.entries():
        if isinstance(node, Leaf):
            found[folder.key, name] = node.asset.id
        elif getattr(node, "lasting", False):
            found[folder.key, name] = node.key
            leaves(node, found)
    return found


def _take_away(db: Any) -> None:
    db.execute("UPDATE source SET present = 0")


CHANGES: dict[str, Callable[[Any], object]] = {
    "a new picture in a new month and a new country": lambda shelf: shelf.add(
        "new.jpg", taken="2030-05-05T00:00:00", place=("Japan", "Kanto", "Tokyo")
    ),
    "another date": lambda shelf: shelf.put(1, taken_local=1_700_000_000),
    "no date any more": lambda shelf: shelf.put(1, taken_source="mtime"),
    "another name": lambda shelf: shelf.put(1, name="other.jpg", name_key="other.jpg"),
    "it turns out to be a screenshot": lambda shelf: shelf.put(1, screenshot=1),
    "it turns out to be raw and live": lambda shelf: shelf.put(1, raw=1, live=1),
    "another place": lambda shelf: shelf.put(3, place_id=1),
    "no place any more": lambda shelf: shelf.put(3, place_id=None),
    "the last picture of a country goes": lambda shelf: shelf.remove(3),
    "the disk is taken away": lambda shelf: shelf.catalog.write(_take_away),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_name_that_moved_is_touched(tree: Folder, household: Any, change: str):
    views: list[Directory] = [tree.lookup(view) for view in (b"by-date", b"places", b"types")]  # pyright: ignore[reportAssignmentType]
    before: dict[tuple[str, bytes], Any] = {}
    after: dict[tuple[str, bytes], Any] = {}
    for view in views:
        leaves(view, before)
    start = household.catalog.read(changes.generation)
    CHANGES[change](household)
    for view in views:
        leaves(view, after)
    touched = affected(household.catalog, household.catalog.read(changes.since, start))
    moved = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert moved
    assert moved <= {(name.folder, name.name) for name in touched}
    gone = {(name.folder, name.name) for name in touched if name.gone}
    assert gone == {key for key in gone if key not in after}
    assert {key for key in before if key not in after} <= gone
    new = {(name.folder, name.name) for name in touched if name.new}
    assert new == {key for key in after if key not in before and not isinstance(after[key], str)}


def test_a_folder_that_is_empty_now_is_not_found(tree: Folder, household: Any):
    household.remove(3)
    with pytest.raises(NotFound):
        tree.lookup(b"places").lookup(b"Germany")  # pyright: ignore[reportAttributeAccessIssue]
