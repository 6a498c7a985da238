"""From which likeness on faces are of one person. Values, and one look at a library's own strangers; numpy.

A model's manifest says at which cosine two faces are of one person, but not how often strangers reach it, and with the number
of faces grows the number of strangers that each is compared with. Two faces of a library taken at random are strangers nearly
always: their spread says the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .gallery import Gallery

VERSION = 1
"""Of the algorithm: what another one has made is made again."""

SAMPLE = 20_000
"""Pairs of faces that are looked at; their spread is known to 1 % then."""
ENOUGH = 200
"""Pairs below which a library says nothing and only the model counts."""
MAD = 1.4826
"""From median absolute deviation to standard deviation: pairs of one person are in the sample, and must not count."""
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
    exemplar: int = 24
    """Most faces of one exemplar. Few enough that a child's exemplars are each of one age; so many that the noise of single
    faces is averaged away."""
    alike: float = 0.6
    """Between two exemplars, noise taken out: two of one person at one age have 1, strangers 0, siblings 0.5, a child and
    itself two years later 0.7."""
    quorum: float = 0.1
    """Share of the smaller cluster's exemplars that must be like some of the other's before the two become one: a single bad
    exemplar is no bridge."""
    margin: float = 0.05
    """By how much a face must be more like one cluster than like any other to be given to it."""
    shared: float = 0.03
    """Share of the smaller cluster's pictures that may show both: collages and mirrors do, siblings do far more often."""

    @property
    def worth(self) -> float:
        """The cosine below which a cluster decides nothing: it is not given the face, and is no rival of one that is."""
        return self.same_person - self.margin


def strangers(faces: Gallery) -> tuple[float, float] | None:
    """Median and spread (standard deviation) of the cosine of two faces at random; None where there are too few."""
    n = len(faces)
    if n * (n - 1) // 2 < ENOUGH:
        return None
    rng = np.random.default_rng(0)  # the same pairs each time
    first, second = rng.integers(0, n, (2, SAMPLE))
    first, second = first[first != second], second[first != second]
    cosines = np.einsum("ij,ij->i", faces.units(first), faces.units(second))
    median = float(np.median(cosines))
    return median, float(np.median(np.abs(cosines - median))) * MAD


def likeness(same_person: float, faces: Gallery) -> tuple[float, float]:
    """`Rules.same_person` and `Rules.strangers` for that library, by a model whose manifest says *same_person*."""
    found = strangers(faces)
    if found is None:
        return same_person, 0.0
    median, spread = found
    share = min(FALSE_ACCEPTS, STRANGERS / len(faces))
    seldom = median + spread * NormalDist().inv_cdf(1 - share)
    return min(max(seldom, LOWEST * same_person), same_person), max(median, 0.0)
