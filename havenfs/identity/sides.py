"""Which vectors may be near another one, from bits: on which side of random planes each lies. Pure; numpy.

A plane through the origin parts two vectors with a chance of their angle by pi (Charikar 2002), so that the number of planes
that part them says how near they are, give or take. Whoever asks compares the few that may be near for real: reading an
eighth of the memory, he finds what he would have found among all of them.
"""

from __future__ import annotations

import functools
import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLANES = 2048
"""Bits of each vector. A likeness of 0.25 and none at all are 1.3 spreads of the number of bits apart in 64 bits, 7 in 2048."""
SAFE = 4.5
"""Spreads beyond what is expected: of vectors exactly as near as asked for, three in a million are missed, of nearer ones none."""
PASSING = 0.1
"""Share of strangers that may pass before comparing with all is as fast."""
LARGE = 2_000_000
"""Numbers in a table of vectors (8 MB) below which it stays in a processor's cache, and comparing with all is faster."""
AFTER = 128
"""Vectors that have been asked about before the bits are made: making them costs as much as comparing so many with all."""
BLOCK = 1024


def sides(vectors: NDArray[np.float32]) -> NDArray[np.uint64]:
    """[PLANES / 64, n] of *vectors* [n, dimension]."""
    planes = _planes(vectors.shape[1])
    table = np.empty((PLANES // 64, len(vectors)), np.uint64)
    for start in range(0, len(vectors), BLOCK):
        above = vectors[start : start + BLOCK] @ planes > 0
        table[:, start : start + BLOCK] = np.packbits(above, axis=1).view(np.uint64).T
    return table


def may_be_near(
    table: NDArray[np.uint64], vector: NDArray[np.float32], least: float
) -> NDArray[np.intp]:
    """The columns of *table* whose vectors may have a cosine of *least* or more with *vector* [dimension]."""
    mine = sides(vector[None])
    parted = np.bitwise_count(table ^ mine).sum(axis=0, dtype=np.uint16)
    return np.flatnonzero(parted <= _most(least))


def pay(vectors: NDArray[np.float32], asked: int, least: float) -> bool:
    """Whether bits of *vectors* [n, dimension] are worth making after so many were *asked* about, and asking for *least*."""
    return vectors.size >= LARGE and asked > AFTER and strangers(least) <= PASSING


def strangers(least: float) -> float:
    """The share of vectors without any likeness that pass."""
    return NormalDist(PLANES / 2, math.sqrt(PLANES) / 2).cdf(_most(least))


def _most(least: float) -> float:
    """By how many planes two vectors with that cosine may be parted."""
    share = math.acos(min(1.0, max(-1.0, least))) / math.pi
    return PLANES * share + SAFE * math.sqrt(PLANES * share * (1 - share))


@functools.cache
def _planes(dimension: int) -> NDArray[np.float32]:
    """[dimension, PLANES], always the same."""
    return np.random.default_rng(0).standard_normal((dimension, PLANES), dtype=np.float32)
