"""What a change of the library does to the tree: which names in which folders may be wrong now.

Only of folders that are `lasting`; the others are asked again within a second anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from havenfs.catalog import browse
from havenfs.catalog.browse import Condition
from havenfs.entities import PlaceKind

from .by_date import UNDATED
from .places import ELSEWHERE, NOWHERE, city_names, country, country_names
from .types import types_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from havenfs.catalog import Catalog
    from havenfs.catalog.changes import Change, Standing
    from havenfs.entities import AssetId, Place, PlaceId


class Touched(Struct, frozen=True):
    """A name in a folder that must be asked again."""

    folder: str
    """Directory.key."""
    name: bytes
    child: str | None = None
    """Directory.key of the folder of that name; None: an asset."""
    gone: bool = False
    """It is not shown any more; of a folder: it is empty now."""
    new: bool = False
    """Of an asset: it was not shown before."""


Step = tuple[str, str, Condition]
"""One folder down: the step in the key, the name, what belongs in there."""


def affected(catalog: Catalog, changes: Sequence[Change]) -> set[Touched]:
    """The names that *changes* touch."""
    gazetteer = catalog.read(browse.gazetteer)
    standings = {
        standing
        for change in changes
        for standing in (change.before, change.after)
        if standing is not None
    }
    places = {
        id_: _place_steps(gazetteer, id_) for id_ in {standing.place_id for standing in standings}
    }
    was, now = _first_and_last(changes)
    touched: set[Touched] = set()
    leaves: dict[tuple[str, bytes], set[Standing]] = {}
    empty: dict[Condition, bool] = {}
    for standing in standings:
        folders = [f"types/{name}" for name in types_of(standing)]
        for view, steps in (
            ("by-date", _date_steps(standing.month)),
            ("places", places[standing.place_id]),
        ):
            folder = view
            for step, name, condition in steps:
                child = f"{folder}/{step}"
                if condition not in empty:
                    empty[condition] = not catalog.read(browse.exists, (condition,))
                touched.add(Touched(folder, name.encode(), child, empty[condition]))
                folder = child
            folders.append(folder)
        for folder in folders:
            leaves.setdefault((folder, standing.name.encode()), set()).add(standing)
    return touched | {
        Touched(folder, name, gone=now.isdisjoint(there), new=was.isdisjoint(there))
        for (folder, name), there in leaves.items()
    }


def _first_and_last(changes: Iterable[Change]) -> tuple[set[Standing], set[Standing]]:
    """Where assets stood before the first of the changes, and where they stand after the last."""
    was: dict[AssetId | None, Standing | None] = {}
    now: dict[AssetId | None, Standing | None] = {}
    for change in changes:
        if change.before is not None or change.after is not None:  # else it stays where it is
            was.setdefault(change.asset_id, change.before)
            now[change.asset_id] = change.after
    return set(filter(None, was.values())), set(filter(None, now.values()))


def _date_steps(month: int | None) -> list[Step]:
    if month is None:
        return [(UNDATED, UNDATED, Condition("undated"))]
    year, number = divmod(month, 100)
    return [
        (f"{year:04d}", f"{year:04d}", Condition("year", year)),
        (f"{number:02d}", f"{number:02d}", Condition("month", month)),
    ]


def _place_steps(gazetteer: Mapping[PlaceId, Place], place_id: PlaceId | None) -> list[Step]:
    place = gazetteer.get(place_id) if place_id is not None else None
    if place is None:
        return [(NOWHERE, NOWHERE, Condition("nowhere"))]
    above = country(gazetteer, place)
    first = (str(above.id), country_names(gazetteer)[above.id], Condition("below", above.id))
    if place.kind is not PlaceKind.CITY:
        return [first, (ELSEWHERE, ELSEWHERE, Condition("vaguely", above.id))]
    return [
        first,
        (str(place.id), city_names(gazetteer, above.id)[place.id], Condition("below", place.id)),
    ]
