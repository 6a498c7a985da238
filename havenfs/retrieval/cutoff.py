"""Where the answer of a picture search ends: most queries are for something that is not there, and must find nothing.

A cosine means nothing by itself: each query has its own mean and spread over a library, and nonsense scores nearly as
high as sense. So a picture must stand out from the crowd of the whole library (never from a filtered part of it), by
as much as the model's calibration asks, and the tail behind a clear gap is dropped. Pure functions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from havenfs.models.calibration import Calibration

SAMPLE = 2000
"""Pictures in the crowd: its mean is then known to 2 % of the spread, in 1 ms at 512 dimensions."""
FEW = 24
"""Below so many pictures there is no crowd to stand out from; then only the cosine floor speaks."""
TOP = 400
"""Where the gap is looked for."""
GAP_SD = 2.0
"""A step down that is so large, in spreads of the crowd, ends the answer."""
GAP_FROM = 3
"""The first ranks are always far apart: no gap is looked for before this many hits."""
TAIL = 0.55
"""What stands out less than this share of what the three best stand out by is the tail. On the sample library, miniature
model, queries for what is to be seen: precision 0.66 -> 0.70, recall 0.85 -> 0.81, F1 0.72 -> 0.74."""
LUCK_SD = 0.25
"""Added to the expected best of so many draws of luck: then one query in twenty for nothing is answered at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How similar the library as a whole is to one query."""

    mean: float
    sd: float
    best: float
    """Mean of the three highest, so that the tail of a filtered answer is judged by the library's best too."""
    count: int

    def floor(self, calibration: Calibration) -> float:
        """The lowest cosine of an answer."""
        if self.count < FEW:
            return calibration.floor_cosine
        return max(calibration.floor_cosine, self.mean + calibration.floor_sd * self.sd)


def crowd(cosines: NDArray[np.float32]) -> Crowd:
    """Middle and spread of the crowd, from its lower half: answers, when they are many, must not raise their own bar.

    The median and its distance to the 16th percentile, which are mean and standard deviation of a normal distribution.
    """
    if not len(cosines):
        return Crowd(mean=0.0, sd=0.0, best=-1.0, count=0)
    low, middle = np.quantile(cosines, (0.1587, 0.5))
    best = float(np.sort(cosines)[-3:].mean())
    return Crowd(
        best=best, mean=float(middle), sd=float(max(middle - low, 1e-6)), count=len(cosines)
    )


def kept(
    cosines: Sequence[float], crowd: Crowd, calibration: Calibration, among: int | None = None
) -> int:
    """How many of *cosines*, highest first, are an answer; they are the best of *among* pictures.

    The best of many is high by luck alone, the higher the more there are: a model whose cosines mean nothing absolute
    answers only when its best picture beats sqrt(2 ln n), the height that n draws from a normal crowd reach.
    """
    if not cosines:
        return 0
    floor = crowd.floor(calibration)
    above = int(np.searchsorted(-np.asarray(cosines), -floor, side="right"))
    if crowd.count < FEW or not above:
        return above
    if calibration.floor_cosine <= -1.0:
        luck = math.sqrt(2 * math.log(max(2, among or len(cosines)))) + LUCK_SD
        if cosines[0] < crowd.mean + luck * crowd.sd:
            return 0
    # A model with an absolute scale is trained to give strangers nothing; of others only the crowd is a zero.
    zero = 0.0 if calibration.floor_cosine > -1.0 else crowd.mean
    tail = zero + TAIL * (max(crowd.best, float(np.mean(cosines[:3]))) - zero)
    above = min(above, int(np.searchsorted(-np.asarray(cosines), -tail, side="right")))
    steps = -np.diff(np.asarray(cosines[: min(above, TOP)]))[GAP_FROM - 1 :]
    if len(steps) and steps.max() >= GAP_SD * crowd.sd:
        return GAP_FROM + int(steps.argmax())
    return above
