"""What people have said about faces, as clustering takes it. Values only.

Persons are known by a word of their own that outlives every row (a UID); which person a face is of, who told us and when,
is the business of those who keep decisions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Constraints:
    """Must-links and cannot-links. Who a face *is* outweighs whatever else was said about it."""

    persons: dict[int, str] = field(default_factory=dict[int, str])
    """Face -> the person that it is of: all faces of a person are one cluster, and two persons never are."""
    strangers: frozenset[tuple[int, str]] = frozenset()
    """Face, and a person that it is not of."""
    apart: frozenset[tuple[int, int]] = frozenset()
    """Two faces of two people."""

    def denies(self, face: int, person: str | None) -> bool:
        """Whether the face must not be among that person's."""
        if person is None:
            return False
        mine = self.persons.get(face)
        return mine != person if mine is not None else (face, person) in self.strangers

    @cached_property
    def enemies(self) -> Mapping[int, frozenset[int]]:
        """Face -> those that it must not be with. Two faces of a person are together, whatever was said before."""
        found: dict[int, set[int]] = {}
        for one, other in self.apart:
            mine = self.persons.get(one)
            if one != other and (mine is None or mine != self.persons.get(other)):
                found.setdefault(one, set()).add(other)
                found.setdefault(other, set()).add(one)
        return {face: frozenset(others) for face, others in found.items()}

    @cached_property
    def rejections(self) -> Mapping[int, frozenset[str]]:
        """Face -> the persons that it is not of, of faces of which nobody has said whose they are."""
        found: dict[int, set[str]] = {}
        for face, person in self.strangers:
            if face not in self.persons:
                found.setdefault(face, set()).add(person)
        return {face: frozenset(persons) for face, persons in found.items()}
