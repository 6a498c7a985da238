"""Whether two pictures are copies of one: judged by their grids, hashes, shapes, vectors and the moments they were taken.

Two takes of one scene are no copies, however alike they look: cameras write the second, and where a copy has lost it, the
grids say what moved. Pure; `duplicates` finds the pairs that are worth judging.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from havenfs.entities import AssetId

NEAR = 7
"""Bits of 64 in which hashes of copies may differ. Measured: recompressed to quality 60 or made smaller, 0; two receipts,
6 and more."""
CROPPED = 6
"""Bits in which the whole hash of a crop may differ from the inner one of its original; cut by 3 to 4 % a side, 0 to 6."""
RESIDUE = 4.0
"""Grey levels in which the cell of a grid may differ that differs most, after brightness and contrast are fitted: of
copies 2 at most, of two screenshots or scans of one layout 5.7 and more."""
UNEXPLAINED = 0.05
"""The share of a grid's contrast that may be left over after that: of copies 0.03 at most."""
FLAT = 4.0
"""Grey levels of contrast below which a picture is a wall, a black frame, an empty page: nothing is a copy of that."""
SHAPE = 0.02
"""How much the sides' ratio may differ, as a share: making smaller rounds."""
SMALLER = 0.99
"""A crop has at most this share of the original's pixels; two takes have all of them."""
AGREEING = 0.85
"""Cosine of vectors of one model that copies have at least: one of the miniature's 0.997 for copies, 0.956 for crops."""
AGREEING_CROP = 0.955
"""Of the miniature four takes of 36 with somebody more in them have 0.94 to 0.955 with a crop; two crops in three have more."""
PRINT = 0.01
"""Likeness of text from which on a crop cannot be told from another page of the same layout."""


class Look(Struct, frozen=True, kw_only=True):
    """What is known of the looks of one photo."""

    asset_id: AssetId
    phash: int
    inner: int
    """Perceptual hashes of the whole and of the middle, 64 bits, signed."""
    grid: bytes
    width: int
    height: int
    raw: bool
    moment: int | None
    """Second in which the camera says that it was taken; None when only names and times of files tell."""
    text_likeness: float
    vectors: dict[int, bytes]
    """Model row -> int8 vector."""


def differing(one: int, other: int) -> int:
    """How many of 64 bits differ."""
    return ((one ^ other) & 0xFFFF_FFFF_FFFF_FFFF).bit_count()


def flat(look: Look) -> bool:
    """Whether there is too little to see to compare it with anything."""
    return float(_levels(look).std()) < FLAT


def of_different_moments(one: Look, other: Look) -> bool:
    """Whether both are originals of a moment of their own, or one is the sensor's and the other the camera's picture."""
    if one.raw != other.raw:
        return True
    return one.moment is not None and other.moment is not None and one.moment != other.moment


def copies(one: Look, other: Look) -> bool:
    """Whether one was made from the other (or both from a third): recompressed, resized, brightened evenly, cropped a
    little."""
    if of_different_moments(one, other):
        return False
    agreement = _agreement(one, other)
    ratio = (one.width * other.height) / (one.height * other.width)
    if abs(ratio - 1) <= SHAPE and _same_cells(one, other):
        return agreement is None or agreement >= AGREEING
    small, large = sorted((one, other), key=lambda look: look.width * look.height)
    return (
        small.width <= large.width
        and small.height <= large.height
        and small.width * small.height <= SMALLER * large.width * large.height
        and differing(small.phash, large.inner) <= CROPPED
        and max(one.text_likeness, other.text_likeness) < PRINT
        and agreement is not None
        and agreement >= AGREEING_CROP
    )


def _same_cells(one: Look, other: Look) -> bool:
    first, second = _levels(one), _levels(other)
    return _explains(first, second) and _explains(second, first)


def _explains(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Whether brightness and contrast are all that makes *second* differ from *first*."""
    import numpy as np

    model, wanted = first - first.mean(), second - second.mean()
    gain = float(model @ wanted) / max(float(model @ model), 1e-9)
    rest = wanted - gain * model
    spread = max(float(wanted.std()), 1e-9)
    return float(np.abs(rest).max()) <= RESIDUE and float(rest.std()) <= UNEXPLAINED * spread


def _agreement(one: Look, other: Look) -> float | None:
    """Cosine by the newest model that has seen both; None without one."""
    import numpy as np

    shared = one.vectors.keys() & other.vectors.keys()
    if not shared:
        return None
    model = max(shared)
    first = np.frombuffer(one.vectors[model], np.int8).astype(np.float32)
    second = np.frombuffer(other.vectors[model], np.int8).astype(np.float32)
    lengths = float(np.linalg.norm(first)) * float(np.linalg.norm(second))
    return float(first @ second) / lengths if lengths else 0.0


def _levels(look: Look) -> NDArray[np.float64]:
    import numpy as np  # late: the mount, which only asks what groups there are, starts without

    return np.frombuffer(look.grid, np.uint8).astype(np.float64)
