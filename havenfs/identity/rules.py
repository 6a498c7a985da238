"""From which likeness on faces are of one person. Values, and one look at a library's own strangers; numpy.

A model's manifest says at which cosine two faces are of one person, but not how often strangers reach it, and with the number
of faces grows the number of strangers that each is compared with. Two faces of one picture are strangers: their spread says
the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .gallery import Gallery

VERSION = 3
"""Of the algorithm: what another one has made is made again."""

SAMPLE = 20_000
"""Pairs of faces that are looked at; their spread is known to 1 % then."""
ENOUGH = 100
"""Pairs below which a library says nothing and only the model counts."""
MAD = 1.4826
"""From median absolute deviation to standard deviation: pairs of one person are among them, in mirrors and collages too, and
must not count."""
STRANGERS = 1.0
"""How many strangers of the library a face may be as like as to its own: those few are told apart by what the others say."""
FALSE_ACCEPTS = 0.02
"""The same as a share of all faces, at most: for libraries of a few dozen."""
LOWEST = 0.6
"""Share of the model's own cosine below which a likeness is none, whatever the library says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What decides. The defaults were chosen by `tests/bench/bench_identity.py`, which prints what they give and cost."""

    same_person: float = 0.5
    """Cosine between two faces: the model's `Calibration.same_person`, or lower where strangers are less alike."""
    strangers: float = 0.0
    """Cosine between two faces that have nothing to do with each other."""
    quality: float = 0.2
    """A face below this founds no cluster; it may join one."""
    least: int = 3
    """Faces of a cluster that nobody has named."""
    neighbours: int = 32
    """That each face is compared with when exemplars are made."""
    exemplar: int = 16
    """Most faces of one exemplar. Few enough that a child's exemplars are each of one age, and that siblings seldom share one; so
    many that the noise of single faces is averaged away. B-cubed F over 13 families of 600 to 5,000 faces: 0.987 at 12 and 16,
    0.984 at 24, and in the worst of them 0.970, 0.974 and 0.952; 16 makes a third more exemplars than 24."""
    alike: float = 0.55
    """Between two exemplars, noise taken out: two of one person at one age have 1, strangers 0, siblings 0.5, a child and
    itself two years later 0.7. Of siblings who are seldom seen and never side by side a tenth of the faces is taken for the
    other's at 128 dimensions and none at 512; at 0.5 half of them, and at 0.6 a person at another age is somebody else."""
    quorum: float = 0.1
    """Share of the smaller cluster's exemplars that must be like some of the other's before the two become one: a single bad
    exemplar is no bridge."""
    margin: float = 0.05
    """By how much a face must be more like one cluster than like any other to be given to it."""
    shared: float = 0.03
    """Share of the smaller cluster's pictures that may show both: collages and mirrors do, siblings do far more often."""


def strangers(faces: Gallery) -> tuple[float, float] | None:
    """Median and spread (standard deviation) of the cosine of two strangers; None where there are too few faces.

    Two faces in one picture are two people. Two at random are so less often, the fewer people a household has: of the twelve
    of the sample library one pair in twelve is one person's, which makes the spread a tenth too large.
    """
    first, second = beside(faces)
    if len(first) < ENOUGH:
        n = len(faces)
        if n * (n - 1) // 2 < ENOUGH:
            return None
        rng = np.random.default_rng(0)  # the same pairs each time
        first, second = rng.integers(0, n, (2, SAMPLE))
        first, second = first[first != second], second[first != second]
    cosines = np.einsum("ij,ij->i", faces.units(first), faces.units(second))
    median = float(np.median(cosines))
    return median, float(np.median(np.abs(cosines - median))) * MAD


def beside(faces: Gallery) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of rows in one picture, each face with the next three of its picture; SAMPLE of them at most."""
    order = np.argsort(faces.pictures, kind="stable")
    picture = faces.pictures[order]
    first: list[NDArray[np.int64]] = []
    second: list[NDArray[np.int64]] = []
    for step in range(1, 4):
        here = np.flatnonzero(picture[step:] == picture[:-step])
        first.append(order[here])
        second.append(order[here + step])
    one, other = np.concatenate(first), np.concatenate(second)
    if len(one) > SAMPLE:
        some = np.random.default_rng(0).choice(len(one), SAMPLE, replace=False)
        one, other = one[some], other[some]
    return one, other


def likeness(same_person: float, faces: Gallery) -> tuple[float, float]:
    """`Rules.same_person` and `Rules.strangers` for that library, by a model whose manifest says *same_person*."""
    found = strangers(faces)
    if found is None:
        return same_person, 0.0
    median, spread = found
    share = min(FALSE_ACCEPTS, STRANGERS / len(faces))
    seldom = median + spread * NormalDist().inv_cdf(1 - share)
    return min(max(seldom, LOWEST * same_person), same_person), max(median, 0.0)
