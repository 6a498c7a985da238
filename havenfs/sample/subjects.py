"""The subjects of the drawn world: whole pictures of one thing, each by its painter.

Painted on at most `grounds.GROUND` pixels and enlarged. Pure functions of their random generator; any thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from havenfs.sample import closeups, company, indoors, outdoors, written
from havenfs.sample.grounds import GROUND

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.sample.textures import Canvas, Light

PAINTERS: dict[str, Callable[[np.random.Generator, int, int, Light], Canvas]] = {
    "portrait": company.portrait, "group": company.group, "baby": company.baby, "cat's face": closeups.cat, "dog's face": closeups.dog,
    "blossom": closeups.blossom, "leaves": closeups.leaves, "lawn": closeups.lawn, "stones": closeups.stones,
    "meal": closeups.meal, "motorcycle": closeups.motorcycle, "screenshot": written.screenshot, "text": written.text,
    "living room": indoors.living_room, "skyline": outdoors.skyline, "architecture": outdoors.architecture,
    "mountains": outdoors.mountains, "hills": outdoors.hills, "lake": outdoors.lake, "garden": outdoors.garden,
    "moon": outdoors.moon,
}  # fmt: skip

LIT = frozenset({"skyline", "architecture", "mountains", "hills", "lake", "garden"})
"""Those that look different at sunset and at night."""


def paint(
    name: str, width: int, height: int, light: Light, rng: np.random.Generator
) -> Image.Image:
    """The subject as an RGB picture of that size."""
    shrink = min(1.0, GROUND / max(width, height))
    small = (max(8, round(width * shrink)), max(8, round(height * shrink)))
    canvas = PAINTERS[name](rng, *small, light)
    if light == "sunset":
        canvas = canvas * np.asarray((1.05, 0.86, 0.74))
    image = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    return (
        image
        if image.size == (width, height)
        else image.resize((width, height), Image.Resampling.BICUBIC)
    )
