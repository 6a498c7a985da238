"""Faces that belong to nobody yet, for finding some that belong together. Not thread-safe; numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 64
"""Neighbours that are told of: founding needs a few."""
ROOM = 1024
"""Rows that it starts with; doubled when they are full."""


class Loose:
    """A growing table of unit vectors."""

    def __init__(self, dimension: int) -> None:
        self._vectors = np.zeros((ROOM, dimension), np.float32)
        self._faces: list[int] = []
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._faces)

    def replace(self, faces: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Hold these, [n] and [n, dimension], and no others."""
        room = max(ROOM, len(faces) + len(faces) // 4)
        self._vectors = np.zeros((room, vectors.shape[1]), np.float32)
        self._vectors[: len(faces)] = vectors
        self._faces = faces.tolist()
        self._places = {face: place for place, face in enumerate(self._faces)}

    def add(self, face: int, vector: NDArray[np.float32]) -> None:
        """One more."""
        if len(self._faces) == len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
        self._vectors[len(self._faces)] = vector
        self._places[face] = len(self._faces)
        self._faces.append(face)

    def remove(self, face: int) -> None:
        """One less; an unknown one is none. The last takes its place."""
        place = self._places.pop(face, None)
        if place is None:
            return
        last = self._faces.pop()
        if last != face:
            self._faces[place] = last
            self._places[last] = place
            self._vectors[place] = self._vectors[len(self._faces)]

    def near(
        self, vector: NDArray[np.float32], least: float
    ) -> list[tuple[int, NDArray[np.float32]]]:
        """At most MOST with a cosine of *least* or more, nearest first, ties by face: each with its vector."""
        cosines = self._vectors[: len(self._faces)] @ vector
        found = np.flatnonzero(cosines >= least).tolist()
        found.sort(key=lambda place: (-float(cosines[place]), self._faces[place]))
        return [(self._faces[place], self._vectors[place].copy()) for place in found[:MOST]]
