"""Faces as a table of vectors, a row each: the only input of clustering besides constraints. Values only; numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Gallery:
    """n faces that one model has looked at, ordered by id: the order in which they came changes nothing."""

    ids: NDArray[np.int64]
    """[n], ascending."""
    vectors: NDArray[np.int8]
    """[n, dimension]. Only their directions count; int8 because 200,000 of 512 dimensions are 100 MB so, and 400 as float32."""
    quality: NDArray[np.float32]
    """[n], 0..1, `entities.Face.quality`."""
    pictures: NDArray[np.int64]
    """[n], equal for faces of one picture, or of one frame of a video: one person is there once."""

    def __len__(self) -> int:
        return len(self.ids)

    def units(self, rows: NDArray[np.int64] | slice) -> NDArray[np.float32]:
        """Those rows as unit vectors [m, dimension]. A zero vector stays zero: it is like nobody."""
        return unit(self.vectors[rows].astype(np.float32))

    def without(self, faces: Collection[int]) -> Gallery:
        """All but those."""
        kept = ~np.isin(self.ids, np.fromiter(faces, np.int64, len(faces)))
        return Gallery(self.ids[kept], self.vectors[kept], self.quality[kept], self.pictures[kept])


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows brought to length 1; zero ones stay."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def gallery(
    ids: NDArray[np.int64],
    vectors: NDArray[np.int8],
    quality: NDArray[np.float32],
    pictures: NDArray[np.int64],
) -> Gallery:
    """The same faces in the order of their ids. Raises ValueError where an id comes twice or lengths differ."""
    if not len(ids) == len(vectors) == len(quality) == len(pictures):
        raise ValueError("each face needs an id, a vector, a quality and a picture")
    order = np.argsort(ids, kind="stable")
    if (np.diff(ids[order]) == 0).any():
        raise ValueError("a face comes twice")
    return Gallery(ids[order], vectors[order], quality[order], pictures[order])
