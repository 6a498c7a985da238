"""A family's library as vectors, without pictures: who is in which picture, and what a recogniser would make of them.

The overlap between people is harder than that of published recognisers on photos: two faces of a person are at 0.38 +- 0.16,
those of two people at 0 +- 1/sqrt(dimension). Hard on purpose: few people are in most pictures; children change with age; siblings
(0.5 between what is typical of each) stand beside one another, twins (0.85) too; people in the background are small,
blurred and strangers; statues and prints are sharp and always the same; what the detector took for a face is alike
everywhere. A model of a library, not one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from havenfs.identity.gallery import Gallery

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHILDREN, SIBLINGS, TWINS, STATUES = 6, 6, 2, 4
AGES = 5
"""In which a child looks different."""
STRANGER = 1_000_000
"""From here on: people who are seen once."""


@dataclass(frozen=True, slots=True)
class Family:
    """The faces, and whose they are."""

    faces: Gallery
    people: NDArray[np.int64]
    """[n], equal for faces of one person."""


def family(n: int, *, seed: int = 0, dimension: int = 128, noise: float = 1.0) -> Family:
    """About *n* faces; *noise* above 1 makes faces less like those of the same person."""
    rng = np.random.default_rng(seed)
    count = max(24, min(400, n // 40))
    weights = 1 / np.arange(1, count + 1)
    weights /= weights.sum()
    people: list[int] = []
    pictures: list[int] = []
    picture = 0
    while len(people) < n:
        there = set(
            rng.choice(count, min(1 + rng.poisson(1.0), 6), replace=False, p=weights).tolist()
        )
        if rng.random() < 0.1:
            there = set()
        for person in sorted(there):
            pair = _pair(person)
            if pair is not None and rng.random() < 0.3:
                there.add(pair)
        there |= {STRANGER + len(people) + k for k in range(rng.poisson(0.35))}
        people += sorted(there)
        pictures += [picture] * len(there)
        picture += 1
    whose = np.array(people[:n])
    rng = np.random.default_rng([seed, dimension])  # the same pictures, whoever looks at them
    vectors, quality = _seen(rng, whose, _people(rng, count, dimension), noise)
    faces = Gallery(
        np.arange(1, n + 1, dtype=np.int64), vectors, quality, np.array(pictures[:n], np.int64)
    )
    return Family(faces, whose)


def relatives(pairs: int, *, seed: int = 0, dimension: int = 128) -> Family:
    """Siblings who never are in one picture: one of each two is seen 20 to 59 times, the other 3 to 9 times."""
    rng = np.random.default_rng(seed)
    ages = _unit(rng.standard_normal((2 * pairs, 1, dimension)))
    ages[1::2, 0] = _near(rng, ages[::2, 0], 0.5)
    counts = np.stack([rng.integers(20, 60, pairs), rng.integers(3, 10, pairs)], axis=1).ravel()
    whose = np.repeat(np.arange(2 * pairs), counts)
    return _faces(rng, whose, ages, np.arange(len(whose)))


def couple(n: int, *, seed: int = 0, dimension: int = 128) -> Family:
    """Two people who are not related, side by side in *n* pictures."""
    rng = np.random.default_rng(seed)
    whose = np.arange(2 * n) % 2
    return _faces(rng, whose, _unit(rng.standard_normal((2, 1, dimension))), np.arange(2 * n) // 2)


def _faces(
    rng: np.random.Generator,
    whose: NDArray[np.int64],
    ages: NDArray[np.floating],
    pictures: NDArray[np.int64],
) -> Family:
    """As `_seen` has them, of people who are no statues and no strangers."""
    n = len(whose)
    clear = rng.beta(6, 2, n)
    vectors = _near(rng, ages[whose, 0], np.clip(0.30 + 0.58 * clear, 0, 1)[:, None])
    quality = np.clip(clear + 0.1 * rng.standard_normal(n), 0.02, 1).astype(np.float32)
    peak = np.abs(vectors).max(axis=1, keepdims=True)
    rows = np.rint(vectors * (127 / peak)).astype(np.int8)
    return Family(Gallery(np.arange(1, n + 1, dtype=np.int64), rows, quality, pictures), whose)


def _pair(person: int) -> int | None:
    """The sibling or twin of that person."""
    for first, many in ((0, SIBLINGS), (2 * SIBLINGS, TWINS)):
        if first <= person < first + 2 * many:
            return first + (person - first + many) % (2 * many)
    return None


def _people(rng: np.random.Generator, count: int, dimension: int) -> NDArray[np.float32]:
    """[count, AGES, dimension]: what is typical of each person at each age, unit vectors."""
    typical = _unit(rng.standard_normal((count, dimension)))
    typical[SIBLINGS : 2 * SIBLINGS] = _near(rng, typical[:SIBLINGS], 0.5)
    first = 2 * SIBLINGS
    typical[first + TWINS : first + 2 * TWINS] = _near(rng, typical[first : first + TWINS], 0.85)
    ages = np.repeat(typical[:, None], AGES, axis=1)
    children = [*range(CHILDREN // 2), *range(SIBLINGS, SIBLINGS + CHILDREN // 2)]
    for age in range(1, AGES):
        ages[children, age] = _near(rng, ages[children, age - 1], 0.72)
    return ages.astype(np.float32)


def _seen(
    rng: np.random.Generator, whose: NDArray[np.int64], ages: NDArray[np.float32], noise: float
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """What the recogniser makes of each face, and how well it was seen."""
    n, dimension = len(whose), ages.shape[2]
    stranger = whose >= STRANGER
    clear = np.where(stranger, rng.beta(2, 5, n), rng.beta(6, 2, n))  # as well as it can be seen
    statue = (~stranger) & (whose >= ages.shape[0] - STATUES)
    typical = ages[np.where(stranger, 0, whose), rng.integers(0, AGES, n)]
    typical[stranger] = _unit(rng.standard_normal((int(stranger.sum()), dimension)))
    junk = stranger & (rng.random(n) < 0.15)  # no face at all
    typical[junk] = _unit(rng.standard_normal((1, dimension)))
    likeness = np.where(statue, 0.95, np.clip(0.30 + 0.58 * clear, 0, 1) / noise)
    likeness[junk] = 0.6
    vectors = _near(rng, typical, likeness[:, None])
    quality = np.where(junk, 0.25 * clear, np.clip(clear + 0.1 * rng.standard_normal(n), 0.02, 1))
    peak = np.abs(vectors).max(axis=1, keepdims=True)
    return np.rint(vectors * (127 / peak)).astype(np.int8), quality.astype(np.float32)


def _near(
    rng: np.random.Generator, rows: NDArray[np.floating], cosine: float | NDArray[np.floating]
) -> NDArray[np.floating]:
    """A unit vector at that cosine to each row."""
    aside = rng.standard_normal(rows.shape)
    aside = _unit(aside - np.einsum("ij,ij->i", aside, rows)[:, None] * rows)
    return cosine * rows + np.sqrt(1 - np.square(cosine)) * aside


def _unit(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)
