"""Whole pictures of people who are nobody: a face, a group, a baby. Before a background that the lens left soft.

Each takes `(rng, width, height, light)` and returns the canvas. Pure functions of their random generator; any thread.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from havenfs.sample import grounds, textures
from havenfs.sample.portraits import draw_person
from havenfs.sample.strangers import stranger

if TYPE_CHECKING:
    from havenfs.sample.textures import Canvas, Light

_BEHIND = ("room", "meadow", "street", "beach", "forest", "brick", "mountain", "snow", "sea")
_CAST = 1_000_003
"""Seed of the strangers who pose here: none of them is among those that the recogniser of faces learns from."""


def background(
    rng: np.random.Generator, width: int, height: int, light: Light, *, soft: float
) -> Image.Image:
    """Somewhere, blurred by `soft` of the shorter side; or a plain studio wall."""
    if rng.random() < 0.25:
        wall = textures.vary(rng, (150, 145, 140), 45)
        canvas = textures.ramp(wall, wall * rng.uniform(0.5, 0.95), width, height)
        return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    place = _BEHIND[int(rng.integers(len(_BEHIND)))]
    image, _ = grounds.ground(place, width, height, light, rng)
    return image.filter(ImageFilter.GaussianBlur(soft * min(width, height)))


def portrait(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """One face, large."""
    image = background(rng, width, height, light, soft=rng.uniform(0, 0.06))
    person, age = stranger(int(rng.integers(100_000)), _CAST)
    side = min(width, height) * rng.uniform(0.9, 1.9)
    middle, low = width * rng.uniform(0.35, 0.65), height * rng.uniform(1.0, 1.05) + side * 0.12
    draw_person(image, person, (middle - side / 2, low - side, middle + side / 2, low), age, rng)
    return np.asarray(image, np.float32)


def group(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """Three to seven people beside and before each other."""
    image = background(rng, width, height, light, soft=rng.uniform(0, 0.02))
    many, whole = int(rng.integers(3, 8)), rng.random() < 0.4
    for place in sorted(rng.permutation(many), key=lambda at: at % 2):
        person, age = stranger(int(rng.integers(100_000)), _CAST)
        tall = height * rng.uniform(0.62, 0.85) * (0.55 + 0.45 * min(1.0, age / 16))
        wide = tall * (0.42 if whole else 0.95)
        if not whole:
            tall, wide = tall * 0.75, wide * 0.75
        foot = height * (rng.uniform(0.9, 1.0) if whole else 1.02 - 0.16 * (place % 2 == 0))
        middle = width * (0.5 + (place + 0.5 - many / 2) / many * rng.uniform(0.7, 0.95))
        draw_person(image, person, (middle - wide / 2, foot - tall, middle + wide / 2, foot), age, rng)  # fmt: skip
    return np.asarray(image, np.float32)


def baby(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """A head with next to no hair, above a blanket or a romper."""
    image = background(rng, width, height, light, soft=rng.uniform(0.01, 0.06))
    person, _ = stranger(int(rng.integers(100_000)), _CAST)
    person = replace(person, style="crop" if rng.random() < 0.4 else "bald", glasses="", beard="")
    side = min(width, height) * rng.uniform(0.75, 1.25)
    middle, low = width * rng.uniform(0.35, 0.65), height * rng.uniform(0.9, 1.15)
    box = (middle - side / 2, low - side, middle + side / 2, low)
    draw_person(image, person, box, rng.uniform(0.1, 1.2), rng)
    if rng.random() < 0.6:
        cloth = textures.vary(rng, ((240, 235, 225), (180, 205, 235), (245, 200, 210), (250, 235, 170))[int(rng.integers(4))])  # fmt: skip
        pen, top = ImageDraw.Draw(image), low - side * rng.uniform(0.22, 0.34)
        pen.ellipse((middle - side * 0.62, top, middle + side * 0.62, low + side * 0.6), fill=textures.as_rgb(cloth))  # fmt: skip
        for _ in range(int(rng.integers(2, 7))):
            x = middle + side * rng.uniform(-0.5, 0.5)
            pen.line((x, top + side * 0.08, x + side * rng.uniform(-0.2, 0.2), low), fill=textures.as_rgb(cloth * 0.86),
                     width=max(1, round(side * 0.02)))  # fmt: skip
    return np.asarray(image, np.float32)
