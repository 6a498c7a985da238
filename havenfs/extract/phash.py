"""Perceptual hashes and a grid: what finds copies of a picture, and what proves them.

A hash is the signs of the 64 lowest frequencies of a cosine transform of the 32 x 32 grey picture, against their median
(after Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010). Near-duplicates differ in few
bits; so do two receipts or two screenshots, which the grid tells apart. Pure numpy functions.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

GRID = 16
"""Cells a side of the grid."""
BORDER = 0.035
"""The share of each side that the inner hash leaves out: of crops by up to twice as much the whole hash is like it."""
_SIDE = 32
_KEPT = 8
_BASIS = np.cos(np.pi / _SIDE * np.outer(np.arange(_KEPT), np.arange(_SIDE) + 0.5))


def phash(image: Image.Image) -> int:
    """The hash of an RGB or L *image*, as a signed 64-bit integer (SQLite's)."""
    grey = image.resize((_SIDE, _SIDE), Image.Resampling.BOX, reducing_gap=2.0).convert("L")
    low = (_BASIS @ np.asarray(grey, np.float64) @ _BASIS.T).ravel()
    # The mean brightness (first value) dwarfs the rest: it must not decide the median.
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), signed=True)


def inner(image: Image.Image) -> int:
    """The hash of *image* without BORDER."""
    width, height = image.size
    box = (width * BORDER, height * BORDER, width * (1 - BORDER), height * (1 - BORDER))
    return phash(image.resize((2 * _SIDE, 2 * _SIDE), Image.Resampling.BICUBIC, box=box))


def grid(image: Image.Image) -> bytes:
    """The mean grey level of each of GRID x GRID cells, row by row."""
    return image.resize((GRID, GRID), Image.Resampling.BOX, reducing_gap=2.0).convert("L").tobytes()


def distance(one: int, other: int) -> int:
    """How many of the 64 bits differ; below about 10 they look alike."""
    return ((one ^ other) & 0xFFFF_FFFF_FFFF_FFFF).bit_count()
