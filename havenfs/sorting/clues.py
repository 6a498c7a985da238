"""How much an observation speaks for a folder: logarithms of likelihood ratios, the folder against the library. Pure.

Each family of observations has a weight, because observations of one family say much the same: ten words of one letterhead are
hardly more evidence than three. The weights were chosen on generated households (tests/sorting/households.py), not on the owner's
files; what is owed to these, the scale of all of them together, is measured there (`calibration`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .profile import Profile


class Family(NamedTuple):
    """One kind of observation."""

    weight: float
    low: float
    """Most that all observations of the family may say against a folder, weighted; natural logarithm."""
    high: float
    """Most that they may say for it."""


WEIGHTS: Final = {
    "kind": Family(1.0, -4.0, 3.0),
    "type": Family(0.6, -2.0, 2.0),
    "shape": Family(0.7, -1.0, 3.0),
    "name": Family(0.6, -0.5, 4.0),
    "camera": Family(0.6, -1.5, 2.5),
    "city": Family(0.8, -1.5, 4.0),
    "country": Family(0.5, -1.5, 2.0),
    "face": Family(0.6, -0.5, 3.0),
    "word": Family(0.35, -1.0, 7.0),
}
DATE: Final = Family(0.8, -3.0, 5.0)
NEIGHBOURS: Final = Family(0.8, -1.0, 6.0)
LOOKS: Final = Family(1.0, -1.5, 2.0)
PRIOR: Final = 0.3
"""Of the logarithm of a folder's size: large folders get more, but not all."""
UNSEEN: Final = 1.0
"""Files that every folder is taken to hold besides its own, as the library has them."""
LENT: Final = 3.0
"""The same, as the other folders of its pattern have them: what a new folder is judged by."""
DAY: Final = 86_400
GAPS: Final = (600, 3600, 6 * 3600, DAY, 3 * DAY)
"""Seconds: up to the last one the files taken before and after say something."""
SHARPNESS: Final = 12.0
"""Nats for each unit of cosine by which a file is nearer to a folder's mean than to the library's."""


def spread(profile: Profile, span: float) -> tuple[float, float, float, float]:
    """First and last moment of a folder, how steeply its likelihood falls outside (seconds), and its density inside against
    the library's. *span*: seconds that the library covers."""
    if not len(profile.taken):
        return 0.0, 0.0, float(DAY), 0.0
    # The outermost tenth aside: one wrong clock must not stretch an afternoon over ten years.
    first, last = (
        np.quantile(profile.taken, (0.02, 0.98))
        if len(profile.taken) > 20
        else (
            profile.taken[0],
            profile.taken[-1],
        )
    )
    length = float(last - first)
    fall = max(DAY / 2, 3 * length / max(len(profile.taken) - 1, 1))
    return float(first), float(last), fall, span / max(length + 2 * fall, DAY)


def dates(
    moment: int,
    first: NDArray[np.float64],
    last: NDArray[np.float64],
    fall: NDArray[np.float64],
    dense: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How much a date speaks for folders of these spreads; 0 for those without dates."""
    outside = np.maximum(np.maximum(first - moment, moment - last), 0.0)
    ratio = 0.9 * dense * np.exp(-np.minimum(outside / fall, 50.0)) + 0.1
    found = np.clip(np.log(ratio) * DATE.weight, DATE.low, DATE.high)
    return np.where(dense > 0, found, 0.0)
