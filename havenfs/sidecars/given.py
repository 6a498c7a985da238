"""What people say about one picture, as plain values, and the marks by which a later change is told.

Knows neither XML nor files. Pure; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from havenfs.extract import own

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from havenfs.entities import Region

TagPath: TypeAlias = tuple[str, ...]
"""A tag with what stands above it, outermost first; a flat tag has one part."""


class Person(NamedTuple):
    """Somebody in the picture."""

    name: str
    region: Region | None = None
    """Of the upright picture; None: somewhere in it."""


class Moment(NamedTuple):
    """When it was taken."""

    local: int
    """Wall-clock seconds, as entities.Taken.local."""
    offset: int | None = None
    """Minutes east of UTC; None when unknown."""


class Position(NamedTuple):
    """Where it was taken: degrees, WGS 84."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Everything that people say about one picture. None and empty: nothing is said."""

    persons: tuple[Person, ...] = ()
    tags: tuple[TagPath, ...] = ()
    albums: tuple[TagPath, ...] = ()
    """Like tags: an album with those around it."""
    rating: int | None = None
    """0-5; -1 is "rejected"."""
    caption: str | None = None
    taken: Moment | None = None
    position: Position | None = None
    favourite: bool = False


SAME_PLACE = 0.4
"""Boxes that overlap so much, as intersection over union, are of one face: `catalog.faces` says why."""
FIELDS = tuple(field.name for field in fields(Given))
SETS = ("persons", "tags", "albums")
"""Fields of which each item is a decision of its own."""

Marks: TypeAlias = "Mapping[str, frozenset[str]]"
"""Field -> one short hash for each of its items: what both sides agreed on last."""


def items(given: Given, name: str) -> dict[str, object]:
    """The values of a field by their marks; at most one, except in SETS."""
    value = getattr(given, name)
    if name in SETS:
        return {own.mark(name, _canonical(name, item)): item for item in value}
    if value is None or value is False:
        return {}
    return {own.mark(name, _canonical(name, value)): value}


def marks(given: Given) -> dict[str, frozenset[str]]:
    """What to remember of *given* to tell later who changed what."""
    return {name: frozenset(items(given, name)) for name in FIELDS}


def restored(name: str, value: Any) -> Given:
    """A field as JSON has kept it; nothing where it makes no sense."""
    try:
        match name:
            case "taken":
                local, offset = value
                return Given(taken=Moment(int(local), None if offset is None else int(offset)))
            case "position":
                latitude, longitude = value
                return Given(position=Position(float(latitude), float(longitude)))
            case "rating":
                return Given(rating=int(value))
            case _:
                return Given(caption=str(value))
    except (TypeError, ValueError):
        return Given()


def snapped(given: Given, to: Given) -> Given:
    """*given*, with the numbers of *to* where they are the same but for rounding: marks of both are then the same."""
    position = given.position
    if position is not None and to.position is not None and _near(position, to.position, 1e-5):
        position = to.position
    persons = tuple(_snapped(person, to.persons) for person in given.persons)
    return replace(given, persons=persons, position=position)


def _snapped(person: Person, others: Sequence[Person]) -> Person:
    """The one of *others* that is the same person at the same place, the nearest if there are more."""
    nearest = max(others, key=lambda other: _sameness(person, other), default=person)
    return nearest if _sameness(person, nearest) else person


def _sameness(one: Person, other: Person) -> float:
    """0: another person, or elsewhere; 1: the same to the last digit."""
    if one.name != other.name or one.region is None or other.region is None:
        return float(one == other)
    # Somebody may have drawn the box anew, or moved it.
    overlap = one.region.overlap(other.region)
    return overlap if overlap >= SAME_PLACE else 0.0


def _near(one: Sequence[float], other: Sequence[float], by: float) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def _canonical(name: str, item: object) -> object:
    """Equal for values that are the same thing to people, however a program rounded them."""
    if isinstance(item, Person) and item.region is not None:
        return item.name, *(round(share, 3) for share in item.region[1:])  # 4 px of 4000
    if isinstance(item, Position):
        return own.position(*item)
    if name == "caption":
        return own.caption(str(item))
    # Not the type's own name: a mark must outlive it.
    return tuple(cast("tuple[object, ...]", item)) if isinstance(item, tuple) else item
