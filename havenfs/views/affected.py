"""What a change of the library does to the tree: which names in which folders may be wrong now.

Only of folders that are `lasting`; the others are asked again within a second anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from havenfs.catalog import browse
from havenfs.catalog.browse import Condition
from havenfs.entities import PlaceKind

from .by_date import UNDATED
from .places import ELSEWHERE, NOWHERE, city_names, country, country_names
from .types import types_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from havenfs.catalog import Catalog
    from havenfs.catalog.changes import Change
    from havenfs.entities import Place, PlaceId


@dataclass(frozen=True, slots=True)
class Touched:
    """A name in a folder that must be asked again."""

    folder: str
    """Directory.key."""
    name: bytes
    child: str | None = None
    """Directory.key of the folder of that name; None: an asset."""
    gone: bool = False
    """Of a folder: it is empty now and not shown any more."""


Step = tuple[str, str, Condition]
"""One folder down: the step in the key, the name, what belongs in there."""


def affected(catalog: Catalog, changes: Iterable[Change]) -> set[Touched]:
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
    touched: set[Touched] = set()
    empty: dict[Condition, bool] = {}
    for standing in standings:
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
            touched.add(Touched(folder, standing.name.encode()))
        touched |= {Touched(f"types/{name}", standing.name.encode()) for name in types_of(standing)}
    return touched


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
