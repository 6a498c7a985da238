"""The nearest neighbours of every face, exact, in tiles that fit the memory of a small machine. Pure; numpy.

Each pair is computed once. What a face keeps is bounded, so that a person in 20,000 pictures (400 million pairs) costs no
more than twenty strangers: once it has its neighbours, only nearer ones count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .gallery import unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

TILE = 1024
"""Rows on each side of a tile: 4 MiB of cosines, which stay in a processor's cache: twice as fast as 2048."""
PENDING = 4_000_000
"""Pairs that are put aside before the nearest are chosen among them: 64 MB."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of rows, nearest first, each once with first < second; ties by row."""

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    cosine: NDArray[np.float32]


def pairs(
    vectors: NDArray[np.int8], *, least: float, most: int, rest: Callable[[], None] | None = None
) -> Pairs:
    """Every pair of rows with a cosine of *least* or more that is among the *most* nearest of one of the two. *rest* is called
    every few dozen milliseconds: it may take its time, while others want the machine."""
    n = len(vectors)
    nearest = _Nearest(n, least, most)
    blocks = [slice(start, min(start + TILE, n)) for start in range(0, n, TILE)]
    for place, rows in enumerate(blocks):
        mine = unit(vectors[rows].astype(np.float32))
        for columns in blocks[place:]:
            if rest is not None:
                rest()
            theirs = mine if columns == rows else unit(vectors[columns].astype(np.float32))
            nearest.see(mine @ theirs.T, rows.start, columns.start)
    return nearest.pairs()


class _Nearest:
    """The nearest so far of each row, and from which cosine on another one would be among them."""

    def __init__(self, n: int, least: float, most: int) -> None:
        self._most = most
        self._least = np.full(n, least, np.float32)
        self._index = np.full((n, most), -1, np.int32)
        self._cosine = np.full((n, most), -2, np.float32)
        self._pending: list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]] = []
        self._count = 0

    def see(self, tile: NDArray[np.float32], top: int, left: int) -> None:
        height, width = tile.shape
        if top == left:
            np.fill_diagonal(tile, -2)
        flat = np.flatnonzero(tile >= self._least[top : top + height, None])
        row, column = np.divmod(flat, width)
        self._put(row + top, column + left, tile.ravel()[flat])
        if top != left:
            flat = np.flatnonzero(tile >= self._least[None, left : left + width])
            row, column = np.divmod(flat, width)
            self._put(column + left, row + top, tile.ravel()[flat])

    def _put(
        self, row: NDArray[np.int64], other: NDArray[np.int64], cosine: NDArray[np.float32]
    ) -> None:
        if not len(row):
            return
        self._pending.append((row.astype(np.int32), other.astype(np.int32), cosine))
        self._count += len(row)
        if self._count >= PENDING:
            self._choose()

    def _choose(self) -> None:
        if not self._pending:
            return
        row, other, cosine = (np.concatenate(part) for part in zip(*self._pending, strict=True))
        self._pending, self._count = [], 0
        touched = np.unique(row)
        kept = self._index[touched] >= 0
        row = np.concatenate([row, np.repeat(touched, kept.sum(axis=1))])
        other = np.concatenate([other, self._index[touched][kept]])
        cosine = np.concatenate([cosine, self._cosine[touched][kept]])
        # Row and nearness in one number: the bits of a positive float grow with it. Three times as fast as sorting by two.
        nearness = (np.float32(2) - cosine).view(np.uint32)
        order = np.argsort(row.astype(np.uint64) << np.uint64(32) | nearness)
        row, other, cosine = row[order], other[order], cosine[order]
        starts = np.searchsorted(row, touched)
        rank = np.arange(len(row)) - np.repeat(starts, np.diff(np.append(starts, len(row))))
        best = rank < self._most
        self._index[row[best], rank[best]] = other[best]
        self._cosine[row[best], rank[best]] = cosine[best]
        full = self._index[touched, -1] >= 0
        self._least[touched[full]] = self._cosine[touched[full], -1]

    def pairs(self) -> Pairs:
        self._choose()
        n = len(self._index)
        row = np.repeat(np.arange(n, dtype=np.int64), self._most)
        there = self._index.ravel() >= 0
        row, other = row[there], self._index.ravel()[there].astype(np.int64)
        cosine = self._cosine.ravel()[there]
        # One of two that name each other goes. Their cosines are of one tile, hence equal.
        keys, first = np.unique(
            np.minimum(row, other) * n + np.maximum(row, other), return_index=True
        )
        low, high = np.divmod(keys, max(n, 1))
        cosine = cosine[first]
        order = np.lexsort((keys, -cosine))
        return Pairs(low[order].astype(np.int32), high[order].astype(np.int32), cosine[order])
