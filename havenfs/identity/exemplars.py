"""Exemplars: up to sixteen faces that are surely of one person at one age, and their mean. Pure; numpy.

Constrained agglomeration in the order of cosines (as Kruskal's algorithm takes edges), with the average cosine between two
groups (average linkage) as the condition to join and a bound on their size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .gallery import unit
from .groups import Groups
from .neighbours import pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .constraints import Constraints
    from .gallery import Gallery
    from .rules import Rules

TRUST = 6
"""Pairs of faces from which on an exemplar's own blur counts for more than what is usual."""
SAYING = 8
"""Faces of an exemplar that says what is usual."""
SHARPEST, BLURRED = 1.0, 0.1
"""Bounds of the average cosine within an exemplar: whatever a few faces say."""


@dataclass(frozen=True, slots=True)
class Exemplars:
    """m groups of faces. Their means are shorter than 1 by what the faces differ."""

    counts: NDArray[np.int32]
    """[m], faces of each."""
    means: NDArray[np.float32]
    """[m, dimension], of unit vectors."""

    def directions(self) -> NDArray[np.float32]:
        """[m, dimension], unit vectors."""
        return unit(self.means)

    def cleaned(self, usual: float) -> NDArray[np.float32]:
        """[m, dimension]: the product of two of these is the average cosine between the two groups' faces, in units of that
        within such groups: about 1 where both are of one person, however blurred their faces are. *usual* is that within a
        group of which too little is known."""
        among = self.counts * (self.counts - 1) / 2
        square = np.einsum("ij,ij->i", self.means, self.means)
        total = (square * self.counts**2 - self.counts) / 2  # |sum|^2 = n + 2 * all pairs
        within = (total + usual * TRUST) / (among + TRUST)
        return self.means / np.sqrt(np.clip(within, BLURRED, SHARPEST))[:, None].astype(np.float32)

    def usual(self, otherwise: float) -> float:
        """Average cosine of two faces of one person at one age; *otherwise* where nothing is known of it yet."""
        large = self.counts >= SAYING
        if not large.any():
            return otherwise
        count = self.counts[large]
        square = np.einsum("ij,ij->i", self.means[large], self.means[large])
        return float(np.median((square * count - 1) / (count - 1)))


def exemplars(
    faces: Gallery, said: Constraints, rules: Rules, rest: Callable[[], None] | None = None
) -> tuple[list[NDArray[np.int64]], Exemplars]:
    """The exemplars of those faces that may found a cluster or whose person is known, singles included: the rows of each,
    and what they are like.

    No two faces of one picture are in one, nor two that people have told apart; and one that was rejected by a person only
    with others that were: it would keep those faces from that person. *rest* as for `neighbours.pairs`.
    """
    known = np.fromiter(said.persons, np.int64, len(said.persons))
    able = np.flatnonzero((faces.quality >= rules.quality) | np.isin(faces.ids, known))
    near = pairs(faces.vectors[able], least=rules.same_person, most=rules.neighbours, rest=rest)
    ids, pictures = faces.ids[able].tolist(), faces.pictures[able].tolist()
    groups = Groups([[face] for face in ids], [[picture] for picture in pictures], said)
    rejected = [said.rejections.get(face) for face in ids]
    sums = faces.units(able)
    sizes = [1] * len(able)
    for a, b in zip(near.first.tolist(), near.second.tolist(), strict=True):
        one, other = groups.find(a), groups.find(b)
        size = sizes[one] + sizes[other]
        if one == other or size > rules.exemplar:
            continue
        average = float(sums[one] @ sums[other]) / (sizes[one] * sizes[other])
        if average < rules.same_person or groups.together(one, other):
            continue
        if rejected[one] != rejected[other] or not groups.permitted(one, other):
            continue
        root = groups.join(one, other)
        sums[root] = sums[one] + sums[other]
        sizes[root] = size
    roots = np.array([groups.find(place) for place in range(len(able))], np.int64)
    names, label, counts = np.unique(roots, return_inverse=True, return_counts=True)
    rows = np.split(able[np.argsort(label, kind="stable")], np.cumsum(counts)[:-1])
    means = sums[names] / counts[:, None].astype(np.float32)
    return (rows if len(able) else []), Exemplars(counts.astype(np.int32), means)
