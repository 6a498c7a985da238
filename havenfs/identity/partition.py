"""All faces at once: who is who, from nothing but the faces and what people have said. Pure; numpy.

Three steps: exemplars of the faces that are seen well, exemplars joined into clusters, and the remaining faces given to the
clusters that they are surely like. The result does not depend on the order of the faces.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .exemplars import exemplars
from .linkage import link
from .scores import Candidate, Directions, confidence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .constraints import Constraints
    from .gallery import Gallery
    from .rules import Rules


@dataclass(frozen=True, slots=True)
class Partition:
    """Clusters by numbers that mean nothing outside of it."""

    clusters: dict[int, int]
    """Face -> cluster, of those that are in one."""
    confidence: dict[int, float]
    """Of the same faces, 0..1."""
    persons: dict[int, str]
    """Cluster -> person."""
    directions: Directions


def partition(
    faces: Gallery, said: Constraints, rules: Rules, rest: Callable[[], None] | None = None
) -> Partition:
    """Who is who among *faces*. *rest* as for `neighbours.pairs`."""
    rows, found = exemplars(faces, said, rules, rest)
    groups = link(rows, found, faces, said, rules)
    roots = [groups.find(place) for place in range(len(rows))]
    sizes: Counter[int] = Counter()
    for root, some in zip(roots, rows, strict=True):
        sizes[root] += len(some)
    persons = {root: groups.person(root) for root in sizes}
    lasting = {r for r, size in sizes.items() if size >= rules.least or persons[r] is not None}
    kept = [place for place, root in enumerate(roots) if root in lasting]
    directions = Directions(
        found.directions()[kept], np.array([roots[place] for place in kept], np.int64)
    )
    clusters = {face: roots[place] for place in kept for face in faces.ids[rows[place]].tolist()}
    named = {root: person for root in lasting if (person := persons[root]) is not None}
    _evict(faces, clusters, named, said)
    candidates = directions.best(faces.units(slice(None)))
    _place(faces, candidates, clusters, named, said, rules)
    sure = {
        face: 1.0 if face in said.persons else confidence(clusters[face], some, rules.same_person)
        for face, some in zip(faces.ids.tolist(), candidates, strict=True)
        if face in clusters
    }
    return Partition(clusters, sure, named, directions)


def choose(candidates: Sequence[Candidate], forbidden: Sequence[bool], rules: Rules) -> int | None:
    """The cluster that a face is surely of: the best that is not forbidden to it, if it is better than the next by enough."""
    free = [some for some, no in zip(candidates, forbidden, strict=True) if not no]
    if not free or free[0].cosine < rules.same_person:
        return None
    if len(free) > 1 and free[0].cosine - free[1].cosine < rules.margin:
        return None
    return free[0].cluster


def _evict(
    faces: Gallery, clusters: dict[int, int], persons: dict[int, str], said: Constraints
) -> None:
    """Take out the few that got where they must not be: by what is known of two exemplars of a person, each alone right."""
    quality = dict(zip(faces.ids.tolist(), faces.quality.tolist(), strict=True))
    for face in [face for face, root in clusters.items() if said.denies(face, persons.get(root))]:
        del clusters[face]
    for face in sorted(said.enemies.keys() & clusters.keys()):
        for other in sorted(said.enemies[face]):
            if face in clusters and clusters.get(other) == clusters[face]:
                worse = min(
                    (face, other), key=lambda some: (some in said.persons, quality[some], -some)
                )
                del clusters[worse]


def _place(
    faces: Gallery,
    candidates: Sequence[Sequence[Candidate]],
    clusters: dict[int, int],
    persons: dict[int, str],
    said: Constraints,
    rules: Rules,
) -> None:
    """Give the faces that are in none of *clusters* to one, the surest first."""
    ids, pictures = faces.ids.tolist(), faces.pictures.tolist()
    there = {
        (clusters[face], picture)
        for face, picture in zip(ids, pictures, strict=True)
        if face in clusters
    }
    loose = [row for row, face in enumerate(ids) if face not in clusters and candidates[row]]
    for row in sorted(loose, key=lambda row: (-candidates[row][0].cosine, ids[row])):
        face, picture = ids[row], pictures[row]
        around = {clusters.get(other) for other in said.enemies.get(face, ())}
        forbidden = [
            (some.cluster, picture) in there
            or some.cluster in around
            or said.denies(face, persons.get(some.cluster))
            for some in candidates[row]
        ]
        chosen = choose(candidates[row], forbidden, rules)
        if chosen is not None:
            clusters[face] = chosen
            there.add((chosen, picture))
