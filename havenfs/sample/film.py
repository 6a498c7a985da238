"""What a camera does to a picture: exposure, colour, lens, grain, JPEG. Pure functions of their random generator."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from havenfs.sample.grounds import GROUND


def photographed(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The picture as a camera would bring it home: exposure, white balance, vignette, blur, grain, JPEG.

    Returns an RGB image of the same size.
    """
    width, height = image.size
    gain = rng.uniform(0.78, 1.18) * (1 + rng.normal(0, 0.035, 3))
    lift, gamma = rng.uniform(0, 18), rng.uniform(0.85, 1.2)
    levels = np.arange(256) / 255
    table = [
        np.clip(lift + (255 - lift) * channel * levels**gamma, 0, 255).astype(int).tolist()
        for channel in gain
    ]
    image = image.point([value for channel in table for value in channel])
    if rng.random() < 0.6:
        rows, columns = np.mgrid[-1:1:24j, -1:1:24j]
        far = (rows - rng.uniform(-0.3, 0.3)) ** 2 + (columns - rng.uniform(-0.3, 0.3)) ** 2
        fall = np.clip(255 * (1 - rng.uniform(0.05, 0.22) * far), 0, 255).astype(np.uint8)
        mask = Image.fromarray(fall).resize((width, height), Image.Resampling.BICUBIC)
        image = ImageChops.multiply(image, Image.merge("RGB", (mask, mask, mask)))
    if rng.random() < 0.35:
        image = image.filter(
            ImageFilter.GaussianBlur(rng.uniform(0.002, 0.008) * min(width, height))
        )
    tile = rng.normal(0, rng.uniform(0.5, 7), (128, 160, 3))
    grain = np.tile(tile, (height // 128 + 1, width // 160 + 1, 1))[:height, :width].astype(
        np.int16
    )
    image = Image.fromarray(np.clip(np.asarray(image, np.int16) + grain, 0, 255).astype(np.uint8))
    if max(width, height) <= 2 * GROUND and rng.random() < 0.4:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=int(rng.integers(30, 92)))
        image = Image.open(packed).convert("RGB")
    return image
