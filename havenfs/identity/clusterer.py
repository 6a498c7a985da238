"""The clusterer: knows who is who by now, gives each new face to somebody in milliseconds, and thinks everything over when asked.

Two ways to the same end. `consolidate` looks at all faces at once: what it finds depends on them and on what people have said
alone, never on the order in which they came, nor on what was thought before. Between two of those, `add` compares one face with
the exemplars of each cluster, and with the faces that belong nowhere: it may found clusters, and never joins two.

State: an exemplar for about each sixteen faces, the vectors of loose faces, and a few numbers a face. Not thread-safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .constraints import Constraints
from .gallery import unit
from .loose import Loose
from .matching import matched
from .partition import choose, partition
from .scores import Directions, confidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from .gallery import Gallery
    from .partition import Partition
    from .rules import Rules


class Member(NamedTuple):
    """A face in a cluster."""

    cluster: int
    confidence: float
    """0..1; 1 where a person has said so."""


class Clusterer:
    """Starts with nothing known; `restore` brings back what was."""

    def __init__(self, rules: Rules, dimension: int, *, unused: int = 1) -> None:
        """*unused* is the number of the next new cluster."""
        self.rules = rules
        self.members: dict[int, Member] = {}
        """Face -> where it belongs, of those that belong somewhere."""
        self.persons: dict[int, str] = {}
        """Cluster -> its person, of those that are named."""
        self._faces: dict[int, set[int]] = {}  # cluster -> faces
        self._pictures: dict[int, int] = {}  # face -> picture, of all faces
        self._at: dict[int, set[int]] = {}  # picture -> faces
        self._said = Constraints()
        self._unused = unused
        self._directions = Directions(np.zeros((0, dimension), np.float32), np.zeros(0, np.int64))
        self._loose = Loose(dimension)
        self.touched_faces: set[int] = set()
        """That have come, moved or been thought over since whoever keeps them has cleared this."""
        self.touched_clusters: set[int] = set()
        """Whose person or exemplars may be others."""

    def __len__(self) -> int:
        """Faces that it knows of."""
        return len(self._pictures)

    def __contains__(self, face: int) -> bool:
        return face in self._pictures

    @property
    def clusters(self) -> Mapping[int, set[int]]:
        """Cluster -> its faces."""
        return self._faces

    @property
    def directions(self) -> Directions:
        """The exemplars."""
        return self._directions

    def restore(
        self,
        members: Mapping[int, Member],
        persons: Mapping[int, str],
        directions: Directions,
        said: Constraints,
        pictures: Mapping[int, int],
        loose: Gallery,
    ) -> None:
        """Be as before: *members* and *loose* are all the faces that were known, *pictures* says where each is."""
        self.members = dict(members)
        self.persons = dict(persons)
        self._directions, self._said = directions, said
        self._pictures, self._at, self._faces = {}, {}, {}
        for face, picture in pictures.items():
            self._know(face, picture)
        for face, member in members.items():
            self._faces.setdefault(member.cluster, set()).add(face)
        able = loose.quality >= self.rules.quality
        self._loose.replace(loose.ids[able], loose.units(np.flatnonzero(able)))

    def add(
        self, face: int, vector: NDArray[np.int8], *, quality: float, picture: int
    ) -> Member | None:
        """Take in a face, [dimension], or what another look at it has found; returns where it belongs."""
        if face in self._pictures:
            self.remove([face])
        self._know(face, picture)
        self.touched_faces.add(face)
        one = unit(vector.astype(np.float32)[None])
        person = self._said.persons.get(face)
        if person is not None:
            self._give(face, self._own(person), 1.0)
            self._learn(one, self.members[face].cluster)
            return self.members[face]
        candidates = self._directions.best(one)[0]
        chosen = choose(
            candidates, [self._forbids(face, some.cluster) for some in candidates], self.rules
        )
        if chosen is not None:
            self._give(face, chosen, confidence(chosen, candidates, self.rules.same_person))
        elif quality >= self.rules.quality:
            self._found(face, one[0])
        return self.members.get(face)

    def remove(self, faces: Iterable[int]) -> None:
        """Forget faces. Unknown ones are none."""
        for face in faces:
            picture = self._pictures.pop(face, None)
            if picture is None:
                continue
            self._release(face)
            self._loose.remove(face)
            self.touched_faces.discard(face)
            self._at[picture].discard(face)
            if not self._at[picture]:
                del self._at[picture]

    def constrain(self, said: Constraints) -> None:
        """Have it as people say from now on. A cluster that one of whose faces is a person's becomes that person's, but for the
        faces of which something else was said; whatever contradicts leaves its cluster and waits for `consolidate`."""
        self._said = said
        named = {said.persons[face] for face in self._pictures.keys() & said.persons.keys()}
        for cluster, person in list(self.persons.items()):
            if person not in named:
                del self.persons[cluster]
                self.touched_clusters.add(cluster)
        for face in sorted(self._pictures.keys() & said.persons.keys()):
            self._confirm(face, said.persons[face])
        for face, person in sorted(said.strangers):
            member = self.members.get(face)
            if member and self.persons.get(member.cluster) == person and said.denies(face, person):
                self._release(face)
        for face in sorted(said.enemies):
            if face in self.members:
                self._separate(face)

    def consolidate(
        self, faces: Gallery, said: Constraints, rules: Rules, found: Partition | None = None
    ) -> None:
        """Think everything over: *faces* are all there are by now. Clusters keep their numbers where they are the same. *found*
        is what `partition` says of the three others, where that has been asked already."""
        if found is None:
            found = partition(faces, said, rules)
        numbers = matched(
            {face: member.cluster for face, member in self.members.items()},
            found.clusters,
            self.persons,
            found.persons,
            unused=self._unused,
        )
        before = self.members
        self.touched_clusters |= self._faces.keys()
        self._unused = max([self._unused, *(number + 1 for number in numbers.values())])
        self.rules = rules
        owners = np.array([numbers[c] for c in found.directions.clusters.tolist()], np.int64)
        self.restore(
            {
                face: Member(numbers[c], found.confidence[face])
                for face, c in found.clusters.items()
            },
            {numbers[cluster]: person for cluster, person in found.persons.items()},
            Directions(found.directions.vectors, owners),
            said,
            dict(zip(faces.ids.tolist(), faces.pictures.tolist(), strict=True)),
            faces.without(found.clusters.keys()),
        )
        self.touched_clusters |= self._faces.keys()
        self.touched_faces |= before.keys() | set(faces.ids.tolist())

    def _know(self, face: int, picture: int) -> None:
        self._pictures[face] = picture
        self._at.setdefault(picture, set()).add(face)

    def _give(self, face: int, cluster: int, sure: float) -> None:
        member = self.members.get(face)
        if member is None or member.cluster != cluster:  # a cluster goes with its last face
            self._release(face)
        self._loose.remove(face)
        self.touched_faces.add(face)
        self.members[face] = Member(cluster, sure)
        self._faces.setdefault(cluster, set()).add(face)

    def _release(self, face: int) -> None:
        """Take a face out of its cluster, which goes with its last one."""
        member = self.members.pop(face, None)
        if member is None:
            return
        self.touched_faces.add(face)
        others = self._faces[member.cluster]
        others.discard(face)
        if not others:
            del self._faces[member.cluster]
            self.persons.pop(member.cluster, None)
            self._directions = self._directions.without(member.cluster)
            self.touched_clusters.add(member.cluster)

    def _learn(self, directions: NDArray[np.float32], cluster: int) -> None:
        self._directions = self._directions.including(directions, cluster)
        self.touched_clusters.add(cluster)

    def _new(self) -> int:
        self.touched_clusters.add(self._unused)
        self._unused += 1
        return self._unused - 1

    def _owned(self, person: str) -> int | None:
        """That person's cluster."""
        return next((c for c, known in self.persons.items() if known == person), None)

    def _own(self, person: str) -> int:
        """That person's cluster, or a new one."""
        cluster = self._owned(person)
        if cluster is None:
            cluster = self._new()
            self.persons[cluster] = person
        return cluster

    def _forbids(self, face: int, cluster: int) -> bool:
        """Whether it cannot be there: somebody has said so, or it is beside a face of that cluster in one picture."""
        beside = self._at[self._pictures[face]]
        near = beside | self._said.enemies.get(face, frozenset())
        return self._said.denies(face, self.persons.get(cluster)) or any(
            other != face and other in self.members and self.members[other].cluster == cluster
            for other in near
        )

    def _found(self, face: int, vector: NDArray[np.float32]) -> None:
        """Found a cluster with loose faces that are all like this one and one another, if there are enough."""
        group, rows, total = [face], [vector], vector.copy()
        for other, mine in self._loose.near(vector, self.rules.same_person):
            together = {self._pictures[some] for some in group}
            if self._pictures[other] in together or self._said.enemies.get(
                other, frozenset()
            ) & set(group):
                continue
            if float(total @ mine) / len(group) >= self.rules.same_person:
                group.append(other)
                rows.append(mine)
                total += mine
        if len(group) < self.rules.least:
            self._loose.add(face, vector)
            return
        cluster = self._new()
        self._learn(unit(total[None]), cluster)
        for some, candidates in zip(group, self._directions.best(np.stack(rows)), strict=True):
            self._give(some, cluster, confidence(cluster, candidates, self.rules.same_person))

    def _confirm(self, face: int, person: str) -> None:
        """A face is that person's, and with it the cluster that nobody has named before."""
        member = self.members.get(face)
        mine = member.cluster if member is not None else None
        target = self._owned(person)
        if mine is not None and mine != target and mine not in self.persons:
            if target is None:
                self.persons[mine] = person
                self.touched_clusters.add(mine)
                for other in [o for o in self._faces[mine] if self._said.denies(o, person)]:
                    self._release(other)
            else:
                self._directions = self._directions.moved(mine, target)
                self.touched_clusters |= {mine, target}
                for other in sorted(self._faces[mine] - {face}):
                    if not self._forbids(other, target):
                        self._give(other, target, self.members[other].confidence)
        self._give(face, self._own(person), 1.0)

    def _separate(self, face: int) -> None:
        """Have none of those with it that it must not be with: who was confirmed stays, else who is surer."""
        member = self.members[face]
        for other in sorted(self._said.enemies[face]):
            theirs = self.members.get(other)
            if theirs is None or theirs.cluster != member.cluster:
                continue
            ranks = {
                some: (some in self._said.persons, self.members[some].confidence, -some)
                for some in (face, other)
            }
            worse = min(ranks, key=lambda some: ranks[some])
            self._release(worse)
            if worse == face:
                return
