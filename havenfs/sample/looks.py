"""How a drawn person looks at one moment: age applied to what stays the same, and the pose.

Values and colour arithmetic; draws nothing. Thread-safe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator

    from havenfs.sample.people import Colour, Person

Point = tuple[float, float]
"""X and y in pixels."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """Where a face was drawn, in pixels of the picture."""

    box: Box
    """From the hair line to the chin and from ear to ear."""
    points: tuple[Point, ...]
    """The eye on the left of the picture, the one on the right, the tip of the nose, the corners of the mouth on the left
    and on the right: what detectors of faces call their five landmarks, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one person looks at one moment: age applied to the features, and the pose."""

    person: Person
    age: float
    young: float
    """1 for a new-born, 0 from 16 years on."""
    old: float
    """0 up to 45 years, 1 from 80 on."""
    hair: Colour
    yaw: float
    """-1..1, the face turned to the left or right."""
    tilt: float
    """Degrees, counter-clockwise."""
    smile: float
    """-0.2..1."""
    blink: float
    """0 closed .. 1 wide open."""


def look_of(person: Person, age: float, rng: Generator) -> Look:
    old = min(1.0, max(0.0, (age - 45) / 35))
    grey = (212, 210, 206)
    return Look(
        person=person,
        age=age,
        young=min(1.0, max(0.0, 1 - age / 16)),
        old=old,
        hair=mix(person.hair, grey, old),
        yaw=float(rng.uniform(-1, 1)),
        tilt=float(rng.uniform(-9, 9)),
        smile=float(rng.uniform(-0.2, 1)),
        blink=float(rng.uniform(0.75, 1)),
    )


def mix(one: Colour, two: Colour, share: float) -> Colour:
    """Return *one* with *share* (0..1) of *two*."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, two, strict=True))
    return red, green, blue


def shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(value * factor)) for value in colour)
    return red, green, blue


def widths(look: Look, half: float) -> Point:
    """Half width and half height of the face: children's faces are rounder."""
    width = look.person.width + (0.93 - look.person.width) * 0.6 * look.young
    return half * width, half


def outline(look: Look, centre: Point, half: Point) -> list[Point]:
    """The face as a polygon: an ellipse above the cheek bones, a chin between pointed and square below."""
    jaw = look.person.jaw * (1 - 0.7 * look.young) + 0.35 * look.young
    power = 1.75 + 1.1 * jaw
    points: list[Point] = []
    for step in range(72):
        turn = math.tau * step / 72
        cos, sin = math.cos(turn), math.sin(turn)
        bend = 2 / power if sin > 0 else 1.0
        across = math.copysign(abs(cos) ** bend, cos)
        down = math.copysign(abs(sin) ** bend, sin)
        points.append((centre[0] + half[0] * across, centre[1] + half[1] * down))
    return points
