"""How like each cluster a face is: the best of its exemplars. Pure; numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEST = 4
"""Clusters that are told of each face: the first three may be forbidden to it."""
BLOCK = 1024


class Candidate(NamedTuple):
    """A cluster that a face may be of."""

    cluster: int
    cosine: float
    """With the cluster's best exemplar."""


class Directions:
    """The exemplars of all clusters, for looking up. Values that nobody changes."""

    def __init__(self, vectors: NDArray[np.float32], clusters: NDArray[np.int64]) -> None:
        """*vectors* [m, dimension] are unit vectors; *clusters* [m] says whose each is."""
        order = np.argsort(clusters, kind="stable")
        self.vectors = vectors[order]
        self.clusters = clusters[order]
        self._names, self._starts = np.unique(self.clusters, return_index=True)

    def including(self, vectors: NDArray[np.float32], cluster: int) -> Directions:
        """These, and *vectors* [k, dimension] of one cluster."""
        owners = np.full(len(vectors), cluster, np.int64)
        return Directions(
            np.concatenate([self.vectors, vectors]), np.concatenate([self.clusters, owners])
        )

    def without(self, cluster: int) -> Directions:
        """These but for one cluster's."""
        kept = self.clusters != cluster
        return Directions(self.vectors[kept], self.clusters[kept])

    def moved(self, cluster: int, target: int) -> Directions:
        """These, those of *cluster* being *target*'s."""
        return Directions(self.vectors, np.where(self.clusters == cluster, target, self.clusters))

    def best(self, faces: NDArray[np.float32]) -> list[list[Candidate]]:
        """For each of *faces* [n, dimension], unit vectors, the BEST clusters that it is most like, best first."""
        told = min(BEST, len(self._names))
        found: list[list[Candidate]] = []
        for start in range(0, len(faces) if told else 0, BLOCK):
            cosines = faces[start : start + BLOCK] @ self.vectors.T
            score = np.maximum.reduceat(cosines, self._starts, axis=1)
            top = np.argpartition(-score, told - 1, axis=1)[:, :told]
            value = np.take_along_axis(score, top, axis=1)
            place = np.lexsort((top, -value))
            top, value = np.take_along_axis(top, place, 1), np.take_along_axis(value, place, 1)
            names = self._names[top].tolist()
            found += [
                [Candidate(*pair) for pair in zip(some, like, strict=True)]
                for some, like in zip(names, value.tolist(), strict=True)
            ]
        return found or [[] for _ in faces]


def confidence(cluster: int, candidates: list[Candidate], least: float) -> float:
    """0..1: how far a face is above what it must exceed, the runner-up or the least likeness, of the way to certainty. 0 in
    a cluster that is not the best."""
    if not candidates or candidates[0].cluster != cluster:
        return 0.0
    second = candidates[1].cosine if len(candidates) > 1 else -1.0
    floor = max(second, least)
    return round(min(1.0, max(0.0, (candidates[0].cosine - floor) / max(1 - floor, 1e-6))), 3)
