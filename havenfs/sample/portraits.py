"""Draws people into pictures: head and shoulders or a whole figure, at any age, in a slightly new pose and light.

Not a face model and not a data set: flat shapes under soft light, recognisable by proportions. Pure functions of
their arguments and of the random generator that they are handed; thread-safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from havenfs.sample import faces, hair
from havenfs.sample.looks import Box, Face, Look, look_of, shade
from havenfs.sample.people import PEOPLE, Colour, Person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

__all__ = ["PEOPLE", "Person", "draw_person"]


_TALL = 1.75
"""A box at least this much taller than wide gets the whole figure, any other head and shoulders."""


def draw_person(image: Image.Image, person: Person, box: Box, age: float, rng: Generator) -> Face:
    """Draw *person* into *box* of the RGB *image*, in place, and return where the face is.

    A tall box gets the whole figure standing on its lower edge, any other head and shoulders. Age in years changes
    the proportions. The face reaches from the hair line to the chin and from ear to ear; it lies inside *box* up to
    the tilt of the head. Pixels outside the image are cut off.
    """
    look = look_of(person, age, rng)
    width, height = box[2] - box[0], box[3] - box[1]
    # Twice the size, then down: smooth edges. Large figures are smooth enough without.
    scale = 2.0 if max(width, height) < 300 else 1.5 if max(width, height) < 800 else 1.0
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    if height >= _TALL * width:
        layer, face = _figure(size, look, rng)
    else:
        layer, face = _bust(size, look, rng)
    target = (max(4, round(width)), max(4, round(height)))
    if layer.size != target:
        layer = layer.resize(target, Image.Resampling.LANCZOS)
    layer = _light(layer, rng)
    image.paste(layer, (round(box[0]), round(box[1])), layer)
    sx, sy = target[0] / size[0], target[1] / size[1]
    left, top = round(box[0]), round(box[1])
    x0, y0, x1, y1 = face.box
    return Face(
        box=(left + x0 * sx, top + y0 * sy, left + x1 * sx, top + y1 * sy),
        points=tuple((left + x * sx, top + y * sy) for x, y in face.points),
    )


def _light(layer: Image.Image, rng: Generator) -> Image.Image:
    """Return the figure under one soft light from a side, with a little grain."""
    width, height = layer.size
    gain, slope = rng.uniform(0.82, 1.1), rng.uniform(-0.2, 0.2)
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    pixels = np.asarray(layer, dtype=np.float32).copy()
    pixels[..., :3] *= gain * (1 + slope * across)
    pixels[..., :3] += rng.normal(0, 3, (height, width, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGBA")


def _bust(size: tuple[int, int], look: Look, rng: Generator) -> tuple[Image.Image, Face]:
    """Head and shoulders that fill the canvas."""
    width, height = size
    half = min(0.30 * height, 0.36 * width) * (1 - 0.06 * look.young)
    centre = (width / 2 + look.yaw * half * 0.06, height * 0.06 + half * 1.32)
    layer = Image.new("RGBA", size, (*look.hair, 0))
    pen = ImageDraw.Draw(layer)
    shirt = _shirt(look, rng)
    chin = centre[1] + half
    neck = half * (0.34 + 0.1 * (1 - look.young))
    reach = min(width * 0.49, half * (1.75 - 0.55 * look.young))
    top = chin + half * 0.16
    hair.back(layer, look, centre, half)
    pen.rectangle(
        (centre[0] - neck, centre[1] + half * 0.5, centre[0] + neck, top + half * 0.3),
        fill=(*shade(look.person.skin, 0.86), 255),
    )
    middle = width / 2
    pen.rounded_rectangle(
        (middle - reach, top, middle + reach, height + half),
        radius=half * 0.75,
        fill=(*shirt, 255),
    )
    collar = (centre[0] - neck * 1.15, top - half * 0.3, centre[0] + neck * 1.15, top + half * 0.28)
    pen.chord(collar, 0, 180, fill=(*shade(look.person.skin, 0.92), 255))
    face = faces.head(layer, look, centre, half, rng)
    return layer, face


def _figure(size: tuple[int, int], look: Look, rng: Generator) -> tuple[Image.Image, Face]:
    """A whole standing figure: a grown-up is seven and a half heads tall, a small child four and a half."""
    width, height = size
    heads = 7.2 - 2.9 * look.young**0.8
    half = min(height / (heads + 0.3) / 2, width * 0.34)
    stature = half * 2 * heads
    foot = height - 1
    centre = (width / 2, foot - stature + half * 1.05)
    layer = Image.new("RGBA", size, (*look.hair, 0))
    pen = ImageDraw.Draw(layer)
    skin, shirt = look.person.skin, _shirt(look, rng)
    trousers = shade([(50, 60, 92), (70, 62, 54), (38, 38, 44), (120, 104, 80)][rng.integers(4)], 1)
    chin = centre[1] + half
    shoulder = chin + half * 0.3
    hip = shoulder + (foot - shoulder) * 0.42
    reach = min(width * 0.34, half * (1.35 - 0.35 * look.young))
    middle = width / 2
    limb = max(2, round(half * 0.42))
    hair.back(layer, look, centre, half)
    for side in (-1, 1):
        ankle = middle + side * reach * rng.uniform(0.45, 0.75)
        pen.line(
            (middle + side * reach * 0.42, hip - limb / 2, ankle, foot - limb * 0.4),
            trousers,
            round(limb * 1.25),
        )
        pen.ellipse(
            (ankle - limb * 0.6, foot - limb * 0.6, ankle + limb * 0.6, foot),
            fill=(40, 32, 28, 255),
        )
        raised = rng.random() < 0.15
        elbow = (middle + side * reach * rng.uniform(1.25, 1.4), (shoulder + hip) / 2)
        low = hip + half * 0.2 if not raised else shoulder - half * 0.6
        hand = (middle + side * reach * rng.uniform(1.05, 1.35), low)
        start = (middle + side * reach * 0.86, shoulder + limb * 0.5)
        pen.line((*start, *elbow), shade(shirt, 0.9), limb, joint="curve")
        pen.line((*elbow, *hand), skin, round(limb * 0.8))
        pen.ellipse(
            (
                hand[0] - limb * 0.5,
                hand[1] - limb * 0.5,
                hand[0] + limb * 0.5,
                hand[1] + limb * 0.5,
            ),
            fill=(*skin, 255),
        )
    neck = half * 0.36
    pen.rectangle(
        (middle - neck, centre[1], middle + neck, shoulder + limb), fill=(*shade(skin, 0.86), 255)
    )
    pen.rounded_rectangle(
        (middle - reach, shoulder, middle + reach, hip + limb * 0.3),
        radius=half * 0.45,
        fill=(*shirt, 255),
    )
    face = faces.head(layer, look, centre, half, rng)
    return layer, face


def _shirt(look: Look, rng: Generator) -> Colour:
    if rng.random() < 0.6:
        return look.person.shirt
    colours: Sequence[Colour] = [
        (220, 220, 215),
        (60, 90, 150),
        (170, 50, 50),
        (60, 120, 80),
        (50, 50, 56),
    ]
    return colours[int(rng.integers(len(colours)))]
