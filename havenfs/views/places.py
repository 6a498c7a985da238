"""places/<Country>/<City>, places/<Country>/_elsewhere (no city known) and places/_nowhere (no place known).

Regions are no folders; they tell cities of one name apart: `Springfield [Illinois]`. Keys hold the ids of places.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from havenfs.catalog import browse
from havenfs.catalog.browse import Condition
from havenfs.catalog.names import legal
from havenfs.entities import PlaceKind
from havenfs.errors import NotFound

from .folders import Assets, Folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from havenfs.entities import Place, PlaceId

    from .library import Scope
    from .nodes import Entry, Node

NOWHERE = "_nowhere"
ELSEWHERE = "_elsewhere"
Gazetteer = dict["PlaceId", "Place"]


class Countries(Folder):
    """A folder a country, then what has no place."""

    __slots__ = ()

    def entries(self) -> list[Entry]:
        """The countries in which an asset lies, by name."""
        return [(name.encode(), node) for name, node in self._nodes().items()]

    def child(self, name: str) -> Node:
        """A country that is not empty."""
        try:
            return self._nodes()[name]
        except KeyError:
            raise NotFound(name) from None

    def _nodes(self) -> dict[str, Node]:
        catalog, within = self.scope.library.catalog, self.scope.within()
        gazetteer = catalog.read(browse.gazetteer)
        found = {country(gazetteer, place).id for place in catalog.read(browse.places, within)}
        nodes: dict[str, Node] = {
            name: Cities(self.scope.choose(str(id_), Condition("below", id_)), id_)
            for id_, name in country_names(gazetteer).items()
            if id_ in found
        }
        if catalog.read(browse.exists, (*within, Condition("nowhere"))):
            nodes[NOWHERE] = Assets(self.scope.choose(NOWHERE, Condition("nowhere")))
        return nodes


class Cities(Folder):
    """A folder a city of one country, then what lies in it without a city."""

    __slots__ = ("_country",)

    def __init__(self, scope: Scope, country_id: PlaceId) -> None:
        super().__init__(scope)
        self._country = country_id

    def entries(self) -> list[Entry]:
        """The cities in which an asset lies, by name."""
        return [(name.encode(), node) for name, node in self._nodes().items()]

    def child(self, name: str) -> Node:
        """A city that is not empty."""
        try:
            return self._nodes()[name]
        except KeyError:
            raise NotFound(name) from None

    def _nodes(self) -> dict[str, Node]:
        catalog = self.scope.library.catalog
        gazetteer = catalog.read(browse.gazetteer)
        found = {place.id: place for place in catalog.read(browse.places, self.scope.within())}
        nodes: dict[str, Node] = {
            name: Assets(self.scope.choose(str(id_), Condition("below", id_)))
            for id_, name in city_names(gazetteer, self._country).items()
            if id_ in found
        }
        if any(place.kind is not PlaceKind.CITY for place in found.values()):
            nodes[ELSEWHERE] = Assets(
                self.scope.choose(ELSEWHERE, Condition("vaguely", self._country))
            )
        return nodes


def country(gazetteer: Mapping[PlaceId, Place], place: Place) -> Place:
    """The topmost place above *place*: its country."""
    return list(_upwards(gazetteer, place))[-1]


def country_names(gazetteer: Mapping[PlaceId, Place]) -> dict[PlaceId, str]:
    """The folder of each country, by name."""
    tops = [place for place in gazetteer.values() if place.parent_id is None]
    return _unique({place.id: _shown(place.name) for place in sorted(tops, key=_order)}, {})


def city_names(gazetteer: Mapping[PlaceId, Place], country_id: PlaceId) -> dict[PlaceId, str]:
    """The folder of each city of a country, by name.

    Names depend on the whole gazetteer, not on what is shown now, so that a folder keeps its name while it comes
    and goes; a second city of a name brackets both.
    """
    cities = [
        place
        for place in gazetteer.values()
        if place.kind is PlaceKind.CITY and country(gazetteer, place).id == country_id
    ]
    names = {place.id: _shown(place.name) for place in sorted(cities, key=_order)}
    regions = {
        place.id: above.name
        for place in cities
        for above in _upwards(gazetteer, place)
        if above.kind is PlaceKind.REGION
    }
    return _unique(names, regions)


def _upwards(gazetteer: Mapping[PlaceId, Place], place: Place) -> Iterator[Place]:
    step: Place | None = place
    while step is not None:
        yield step
        step = gazetteer.get(step.parent_id) if step.parent_id is not None else None


def _unique(names: dict[PlaceId, str], regions: Mapping[PlaceId, str]) -> dict[PlaceId, str]:
    """*names* with the region in brackets where two are equal, with the id where that does not help."""
    same: defaultdict[str, list[PlaceId]] = defaultdict(list)
    for id_, name in names.items():
        same[name.casefold()].append(id_)
    taken: set[str] = set()
    unique: dict[PlaceId, str] = {}
    for id_, name in names.items():
        shown = name
        if len(same[name.casefold()]) > 1 and id_ in regions:
            shown = legal(f"{name} [{regions[id_]}]")
        if shown.casefold() in taken:
            shown = f"{shown} ({id_})"
        taken.add(shown.casefold())
        unique[id_] = shown
    return unique


def _shown(name: str) -> str:
    """A leading _ or @ is the system's: a place that has one is shown with the full-width twin."""
    text = legal(name)
    return {"_": "＿", "@": "＠"}.get(text[:1], text[:1]) + text[1:]


def _order(place: Place) -> tuple[str, int]:
    return (place.name.casefold(), place.id)
