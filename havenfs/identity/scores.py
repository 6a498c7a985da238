"""How like each cluster a face is: the best of its exemplars. Pure; numpy.

All at once by one product of matrices. A single face that has just come would wait for all exemplars to pass through memory
in a library of 200,000 faces: it is compared with those that `sides` does not rule out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from . import sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEST = 4
"""Clusters that are told of each face: the first three may be forbidden to it."""
BLOCK = 1024
FEW = 16
"""Faces that are compared one by one."""


class Candidate(NamedTuple):
    """A cluster that a face may be of."""

    cluster: int
    cosine: float
    """With the cluster's best exemplar."""


class Directions:
    """The exemplars of all clusters, for looking up. Values that nobody changes."""

    def __init__(
        self,
        vectors: NDArray[np.float32],
        clusters: NDArray[np.int64],
        table: NDArray[np.uint64] | None = None,
        *,
        asked: int = 0,
    ) -> None:
        """*vectors* [m, dimension] are unit vectors; *clusters* [m] says whose each is; *table* are their `sides`, if made
        after so many faces *asked* one by one."""
        order = np.argsort(clusters, kind="stable")
        self.vectors = vectors[order]
        self.clusters = clusters[order]
        self._names, self._starts = np.unique(self.clusters, return_index=True)
        self._table = None if table is None else table[:, order]
        self._asked = asked

    def including(self, vectors: NDArray[np.float32], cluster: int) -> Directions:
        """These, and *vectors* [k, dimension] of one cluster."""
        owners = np.full(len(vectors), cluster, np.int64)
        table = self._table
        return Directions(
            np.concatenate([self.vectors, vectors]),
            np.concatenate([self.clusters, owners]),
            None if table is None else np.concatenate([table, sides.sides(vectors)], axis=1),
            asked=self._asked,
        )

    def without(self, cluster: int) -> Directions:
        """These but for one cluster's."""
        kept = self.clusters != cluster
        table = self._table
        return Directions(
            self.vectors[kept],
            self.clusters[kept],
            None if table is None else table[:, kept],
            asked=self._asked,
        )

    def moved(self, cluster: int, target: int) -> Directions:
        """These, those of *cluster* being *target*'s."""
        owners = np.where(self.clusters == cluster, target, self.clusters)
        return Directions(self.vectors, owners, self._table, asked=self._asked)

    def best(self, faces: NDArray[np.float32], least: float = -1.0) -> list[list[Candidate]]:
        """For each of *faces* [n, dimension], unit vectors, the BEST clusters that it is most like, best first; none that it
        is like by less than *least*."""
        if not len(self._names):
            return [[] for _ in faces]
        if len(faces) <= FEW:
            self._asked += len(faces)
            if sides.pay(self.vectors, self._asked, least):
                if self._table is None:
                    self._table = sides.sides(self.vectors)
                return [self._among(face, self._table, least) for face in faces]
        told = min(BEST, len(self._names))
        found: list[list[Candidate]] = []
        for start in range(0, len(faces), BLOCK):
            cosines = faces[start : start + BLOCK] @ self.vectors.T
            score = np.maximum.reduceat(cosines, self._starts, axis=1)
            top = np.argpartition(-score, told - 1, axis=1)[:, :told]
            value = np.take_along_axis(score, top, axis=1)
            place = np.lexsort((top, -value))
            top, value = np.take_along_axis(top, place, 1), np.take_along_axis(value, place, 1)
            found += [
                _candidates(some, like, least)
                for some, like in zip(self._names[top].tolist(), value.tolist(), strict=True)
            ]
        return found

    def _among(
        self, face: NDArray[np.float32], table: NDArray[np.uint64], least: float
    ) -> list[Candidate]:
        """The same for one face, from those exemplars alone that may be near."""
        near = sides.may_be_near(table, face, least)
        if not len(near):
            return []
        owners = self.clusters[near]
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        score = np.maximum.reduceat(self.vectors[near] @ face, starts)
        top = np.argsort(-score, kind="stable")[:BEST]
        return _candidates(owners[starts][top].tolist(), score[top].tolist(), least)


def _candidates(names: list[int], likenesses: list[float], least: float) -> list[Candidate]:
    pairs = zip(names, likenesses, strict=True)
    return [Candidate(name, cosine) for name, cosine in pairs if cosine >= least]


def confidence(cluster: int, candidates: list[Candidate], least: float) -> float:
    """0..1: how far a face is above what it must exceed, the runner-up or the least likeness, of the way to certainty. 0 in
    a cluster that is not the best."""
    if not candidates or candidates[0].cluster != cluster:
        return 0.0
    second = candidates[1].cosine if len(candidates) > 1 else -1.0
    floor = max(second, least)
    return round(min(1.0, max(0.0, (candidates[0].cosine - floor) / max(1 - floor, 1e-6))), 3)
