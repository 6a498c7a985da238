"""places/<Country>/<City>, places/<Country>/_elsewhere (no city known) and places/_nowhere (no place known).

Regions are no folders; they tell cities of one name apart: `Springfield [Illinois]`. Keys hold the ids of places.

Putting a file into a city places it in the middle of that, where the file itself has no position.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from havenfs.catalog import browse, corrections, places
from havenfs.catalog.browse import Condition
from havenfs.catalog.corrections import Spot
from havenfs.catalog.names import legal, original
from havenfs.decisions import values
from havenfs.entities import Locality, PlaceId, PlaceKind
from havenfs.errors import InvalidName, NotFound, NotPermitted
from havenfs.extract import gazetteer as cities

from . import readme
from .awaiting import Awaiting, Correcting
from .fillable import as_found
from .folders import Assets, Yielding
from .labels import decoded, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from havenfs.catalog.catalog import Connection
    from havenfs.entities import Asset, Place
    from havenfs.originals.disk import Rights

    from .library import Scope
    from .nodes import Entries, Node

NOWHERE = "_nowhere"
ELSEWHERE = "_elsewhere"
_CITY = re.compile(r"(?P<city>.+?)(?: \[(?P<region>.+)\])?")


class Countries(Awaiting):
    """A folder a country, then what has no place."""

    __slots__ = ()

    @property
    def guide(self) -> str:
        """While it is empty."""
        return readme.PLACES

    def entries(self) -> Entries:
        """The countries in which an asset lies, by name."""
        return self.guided([(name.encode(), node) for name, node in self._nodes().items()])

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
        found.update(PlaceId(int(step)) for step in self.awaited)
        nodes: dict[str, Node] = {
            name: Cities(self.scope.choose(str(id_), Condition("below", id_)), id_)
            for id_, name in country_names(gazetteer).items()
            if id_ in found
        }
        if catalog.read(browse.exists, (*within, Condition("nowhere"))):
            nodes[NOWHERE] = Nowhere(self.scope.choose(NOWHERE, Condition("nowhere")))
        return nodes

    def mkdir(self, name: bytes, mode: int, rights: Rights) -> Node:
        """A country to come. Raises InvalidName for what is none, Exists."""
        if not self.fillable:
            self._refuse()
        text = original(decoded(name))
        if not cities.known(text):
            raise InvalidName("no country is called so: names are English, such as Germany")
        place = Locality(country=text, region="", city="")
        id_ = self.scope.library.catalog.write(_ensured, place, decoded(name))
        return self.child(self.make(name, f"{self.key}/{id_}"))


class Cities(Awaiting):
    """A folder a city of one country, then what lies in it without a city."""

    __slots__ = ("_country",)

    def __init__(self, scope: Scope, country_id: PlaceId) -> None:
        super().__init__(scope)
        self._country = country_id

    @property
    def guide(self) -> str:
        """While it is empty."""
        return readme.COUNTRY

    def entries(self) -> Entries:
        """The cities in which an asset lies, by name."""
        return self.guided([(name.encode(), node) for name, node in self._nodes().items()])

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
        shown = found.keys() | {PlaceId(int(step)) for step in self.awaited}
        nodes: dict[str, Node] = {
            name: City(self.scope.choose(str(id_), Condition("below", id_)), id_)
            for id_, name in city_names(gazetteer, self._country).items()
            if id_ in shown
        }
        if any(place.kind is not PlaceKind.CITY for place in found.values()):
            nodes[ELSEWHERE] = Assets(
                self.scope.choose(ELSEWHERE, Condition("vaguely", self._country))
            )
        return nodes

    def mkdir(self, name: bytes, mode: int, rights: Rights) -> Node:
        """A city to come, as `City` or `City [Region]`. Raises InvalidName for what is none here, Exists."""
        if not self.fillable:
            self._refuse()
        catalog = self.scope.library.catalog
        above = catalog.read(places.get, self._country)
        match = _CITY.fullmatch(original(decoded(name)))
        if match is None:
            raise InvalidName("no name of a city")
        known = cities.find(above.name, match["city"], match["region"])
        if known is None or match["region"] not in (None, known.state):
            raise InvalidName(f"no city of {above.name} is called so")
        place = Locality(country=above.name, region=known.state, city=known.city)
        id_ = catalog.write(_ensured, place, decoded(name))
        return self.child(self.make(name, f"{self.key}/{id_}"))


class City(Correcting):
    """What was taken in one city. What is put here was taken there, if its file does not say where."""

    __slots__ = ("_id",)

    def __init__(self, scope: Scope, place_id: PlaceId) -> None:
        super().__init__(scope)
        self._id = place_id

    @property
    def guide(self) -> str:
        """While it is empty."""
        return readme.CITY

    def filling(self, asset: Asset, *, inside: bool) -> values.SetPosition:
        """Its position. Raises NotPermitted where the file has one, and for taking out; InvalidName where nobody knows
        where the middle of this place is."""
        if not inside:
            raise NotPermitted("where it was taken cannot be removed: move it to another city")
        catalog = self.scope.library.catalog
        if as_found(self.scope.library, asset).latitude is not None:
            raise NotPermitted("where it was taken is known")
        above = {place.kind: place.name for place in catalog.read(places.lineage, self._id)}
        here = Locality(
            country=above.get(PlaceKind.COUNTRY, ""),
            region=above.get(PlaceKind.REGION, ""),
            city=above.get(PlaceKind.CITY, ""),
        )
        centre = cities.find(here.country, here.city, here.region)
        if centre is None:
            raise InvalidName("where the middle of this place is, nobody knows here")
        spot = Spot(latitude=centre.latitude, longitude=centre.longitude, centre=True)
        catalog.write(corrections.locate, spot, here)  # so that it is here as soon as it is decided
        return values.SetPosition(
            contents=(asset.hash,), position=(spot.latitude, spot.longitude), centre=True
        )


class Nowhere(Yielding):
    """What has no place. To be moved out of: to a city."""

    __slots__ = ()


def _ensured(db: Connection, locality: Locality, name: str) -> PlaceId:
    """The finest place of *locality*, made if new; its folder is called *name*. Raises InvalidName when it would be
    called otherwise, as one of several cities of a name."""
    id_ = places.ensure(db, locality)
    assert id_ is not None
    gazetteer = browse.gazetteer(db)
    top = country(gazetteer, gazetteer[id_])
    names = country_names(gazetteer) if id_ == top.id else city_names(gazetteer, top.id)
    if names.get(id_) != name:
        raise InvalidName(f"here that is written {names.get(id_)}")
    return id_


def country(gazetteer: Mapping[PlaceId, Place], place: Place) -> Place:
    """The topmost place above *place*: its country."""
    return list(_upwards(gazetteer, place))[-1]


def country_names(gazetteer: Mapping[PlaceId, Place]) -> dict[PlaceId, str]:
    """The folder of each country, by name."""
    tops = [place for place in gazetteer.values() if place.parent_id is None]
    return _unique({place.id: shown(place.name) for place in sorted(tops, key=_order)}, {})


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
    names = {place.id: shown(place.name) for place in sorted(cities, key=_order)}
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


def _order(place: Place) -> tuple[str, int]:
    return (place.name.casefold(), place.id)
