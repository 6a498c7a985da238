"""ThumbHash: a picture in about 25 bytes, for showing something before the thumbnail is there.

Our own implementation of the public format (evanw.github.io/thumbhash): a discrete cosine transform of luminance
(up to 7 x 7 coefficients), two colour differences (3 x 3) and alpha (5 x 5, unused here: our pictures are opaque), 4 bits
each. Pure numpy functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 100
"""The format is defined on pictures of at most 100 x 100 pixels."""


def encode(image: Image.Image) -> bytes:
    """The thumbhash of an opaque RGB *image* of any size."""
    scale = SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    pixels = (
        np.asarray(image.resize(size, Image.Resampling.BOX, reducing_gap=2.0), np.float64) / 255
    )
    height, width = pixels.shape[:2]
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    luminance = (red + green + blue) / 3
    yellow = (red + green) / 2 - blue
    tint = red - green

    longest = max(width, height)
    columns, rows = max(1, _round(7 * width / longest)), max(1, _round(7 * height / longest))
    l_dc, l_ac, l_scale = _transform(luminance, max(3, columns), max(3, rows))
    p_dc, p_ac, p_scale = _transform(yellow, 3, 3)
    q_dc, q_ac, q_scale = _transform(tint, 3, 3)

    landscape = width > height
    header = (
        _round(63 * l_dc)
        | _round(31.5 + 31.5 * p_dc) << 6
        | _round(31.5 + 31.5 * q_dc) << 12
        | _round(31 * l_scale) << 18
    )
    more = (
        (rows if landscape else columns)
        | _round(63 * p_scale) << 3
        | _round(63 * q_scale) << 9
        | int(landscape) << 15
    )
    values = [*l_ac, *p_ac, *q_ac]
    packed = bytearray((len(values) + 1) // 2)
    for index, value in enumerate(values):
        packed[index >> 1] |= _round(15 * value) << ((index & 1) << 2)
    return header.to_bytes(3, "little") + more.to_bytes(2, "little") + bytes(packed)


def decode(code: bytes) -> Image.Image:
    """The blurred picture (RGB, longer side 32 pixels) of an opaque thumbhash."""
    header = int.from_bytes(code[:3], "little")
    more = int.from_bytes(code[3:5], "little")
    landscape = bool(more >> 15)
    columns = max(3, 7 if landscape else more & 7)
    rows = max(3, more & 7 if landscape else 7)
    nibbles = [value for byte in code[5:] for value in (byte & 15, byte >> 4)]
    ratio = (7 / (more & 7)) if landscape else (more & 7) / 7
    width, height = (
        (32, max(1, _round(32 / ratio))) if ratio > 1 else (max(1, _round(32 * ratio)), 32)
    )

    planes: list[NDArray[np.float64]] = []
    for mean, scale, nx, ny in (
        ((header & 63) / 63, (header >> 18 & 31) / 31, columns, rows),
        ((header >> 6 & 63) / 31.5 - 1, (more >> 3 & 63) / 63 * 1.25, 3, 3),
        ((header >> 12 & 63) / 31.5 - 1, (more >> 9 & 63) / 63 * 1.25, 3, 3),
    ):
        plane = np.full((height, width), mean)
        across, down = _cosines(nx, width), _cosines(ny, height)
        for cx, cy in _frequencies(nx, ny):
            value = (nibbles.pop(0) / 7.5 - 1) * scale * 2
            plane += value * np.outer(down[cy], across[cx])
        planes.append(plane)
    luminance, yellow, tint = planes
    blue = luminance - 2 / 3 * yellow
    red = (3 * luminance - blue + tint) / 2
    rgb = np.stack([red, red - tint, blue], axis=-1)
    return Image.fromarray((rgb.clip(0, 1) * 255).astype(np.uint8))


def _frequencies(nx: int, ny: int) -> list[tuple[int, int]]:
    """The triangle of coefficients that the format stores, in its order, without the mean."""
    return [
        (cx, cy) for cy in range(ny) for cx in range(nx) if cx * ny < nx * (ny - cy) and (cx or cy)
    ]


def _cosines(frequencies: int, samples: int) -> NDArray[np.float64]:
    """The rows of the transform, [frequencies, samples]."""
    return np.cos(np.pi / samples * np.outer(np.arange(frequencies), np.arange(samples) + 0.5))


def _transform(channel: NDArray[Any], nx: int, ny: int) -> tuple[float, list[float], float]:
    """The mean, the coefficients scaled to 0..1, and their scale."""
    height, width = channel.shape
    coefficients = _cosines(ny, height) @ channel @ _cosines(nx, width).T / (width * height)
    values = [float(coefficients[cy, cx]) for cx, cy in _frequencies(nx, ny)]
    scale = max((abs(value) for value in values), default=0.0)
    scaled = [0.5 + 0.5 / scale * value for value in values] if scale else values
    return float(coefficients[0, 0]), scaled, scale


def _round(value: float) -> int:
    return int(value + 0.5)
