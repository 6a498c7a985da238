"""Groups of faces that grow together as far as constraints let them. Not thread-safe; pure Python.

A union-find whose roots carry what decides whether two groups may become one: the person, the persons that it is not of,
the groups that it is kept apart from, and the pictures that it is in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .constraints import Constraints


class Groups:
    """Starts with a group for each of *members*, which are face ids; they are named by their place in it."""

    def __init__(
        self, members: Sequence[Sequence[int]], pictures: Sequence[Sequence[int]], said: Constraints
    ) -> None:
        self._parent = list(range(len(members)))
        self.pictures = [set(group) for group in pictures]
        self._person: dict[int, str] = {}
        self._strangers: dict[int, set[str]] = {}
        self._apart: dict[int, set[int]] = {}
        place = {face: index for index, group in enumerate(members) for face in group}
        for face, person in sorted(said.persons.items()):
            if face in place:
                self._person[place[face]] = person
        for face, person in said.strangers:
            if face in place and face not in said.persons:
                self._strangers.setdefault(place[face], set()).add(person)
        for face, others in said.enemies.items():
            a = place.get(face)
            apart = {place[other] for other in others if other in place}
            if a is not None and apart - {a}:
                self._apart.setdefault(a, set()).update(apart - {a})

    def find(self, group: int) -> int:
        """The root that stands for the group by now."""
        parent = self._parent
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    def person(self, root: int) -> str | None:
        """Whose it is, if anybody has said."""
        return self._person.get(root)

    def permitted(self, a: int, b: int) -> bool:
        """Whether people have said nothing against the union of two roots."""
        mine, yours = self._person.get(a), self._person.get(b)
        if mine is not None and yours is not None and mine != yours:
            return False
        if mine is not None and mine in self._strangers.get(b, ()):
            return False
        if yours is not None and yours in self._strangers.get(a, ()):
            return False
        return b not in self._apart.get(a, ())

    def together(self, a: int, b: int) -> int:
        """In how many pictures both are."""
        return len(self.pictures[a] & self.pictures[b])

    def join(self, a: int, b: int) -> int:
        """Make two roots one; returns it, the lower. Does not ask whether that is permitted."""
        a, b = min(a, b), max(a, b)
        self._parent[b] = a
        few, many = sorted((self.pictures[a], self.pictures[b]), key=len)
        many |= few
        self.pictures[a], self.pictures[b] = many, set()
        if b in self._person:
            self._person.setdefault(a, self._person.pop(b))
        if b in self._strangers:
            self._strangers.setdefault(a, set()).update(self._strangers.pop(b))
        for other in self._apart.pop(b, ()):
            self._apart[other].discard(b)
            if other != a:
                self._apart[other].add(a)
                self._apart.setdefault(a, set()).add(other)
        return a

    def join_persons(self) -> None:
        """Make one of all groups of a person: said by people, so that nothing else is asked."""
        roots: dict[str, int] = {}
        for group, person in sorted(self._person.items()):
            root = self.find(group)
            known = roots.get(person)
            roots[person] = root if known is None or known == root else self.join(known, root)
