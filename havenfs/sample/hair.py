"""Hair and beards of drawn people, in the order in which they lie over and under the face.

Pure functions that draw on the layer they are handed; thread-safe.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from havenfs.sample.looks import Look, Point, outline, shade, widths

if TYPE_CHECKING:
    from numpy.random import Generator


def back(layer: Image.Image, look: Look, centre: Point, half: float) -> None:
    """What falls behind the neck, drawn before the shoulders."""
    wide, high = widths(look, half)
    x, y = centre
    pen = ImageDraw.Draw(layer)
    fill = (*shade(look.hair, 0.8), 255)
    growth = min(1.0, look.age / 5)  # long hair takes its years
    match look.person.style:
        case "long":
            pen.rounded_rectangle(
                (x - wide * 1.22, y - high * 0.9, x + wide * 1.22, y + high * (0.5 + 1.1 * growth)),
                radius=wide * 0.8,
                fill=fill,
            )
        case "bob":
            pen.rounded_rectangle(
                (
                    x - wide * 1.26,
                    y - high * 0.95,
                    x + wide * 1.26,
                    y + high * (0.3 + 0.55 * growth),
                ),
                radius=wide * 0.5,
                fill=fill,
            )
        case "ponytail" if growth > 0.4:
            side = 1 if look.yaw < 0 else -1
            pen.ellipse(
                (
                    x + side * wide * 1.15 - wide * 0.34,
                    y - high * 0.5,
                    x + side * wide * 1.15 + wide * 0.34,
                    y + high * 1.3,
                ),
                fill=fill,
            )
        case "bun" if growth > 0.4:
            pen.ellipse(
                (x - wide * 0.5, y - high * 1.55, x + wide * 0.5, y - high * 0.75), fill=fill
            )
        case _:
            pass


def crown(
    head: Image.Image,
    look: Look,
    centre: Point,
    half: Point,
    rng: Generator,
) -> None:
    """Hair that stands around the skull, behind the face."""
    (x, y), (wide, high) = centre, half
    pen = ImageDraw.Draw(head)
    fill = (*look.hair, 255)
    match look.person.style:
        case "bald":
            if look.age < 40:
                pen.ellipse(
                    (x - wide * 1.05, y - high * 1.06, x + wide * 1.05, y + high * 0.3), fill=fill
                )
            else:
                for ear in (-1, 1):
                    pen.ellipse(
                        (
                            x + ear * wide - wide * 0.2,
                            y - high * 0.5,
                            x + ear * wide + wide * 0.2,
                            y + high * 0.1,
                        ),
                        fill=fill,
                    )
        case "curly":
            for step in range(26):
                turn = math.pi * (0.9 + 1.2 * step / 25)
                at = (
                    x + wide * 1.12 * math.cos(turn),
                    y - high * 0.12 + high * 1.0 * math.sin(turn),
                )
                curl = wide * rng.uniform(0.26, 0.38)
                pen.ellipse(
                    (at[0] - curl, at[1] - curl, at[0] + curl, at[1] + curl),
                    fill=(*shade(look.hair, rng.uniform(0.9, 1.5)), 255),
                )
        case "crop":
            pen.ellipse(
                (x - wide * 1.03, y - high * 1.04, x + wide * 1.03, y + high * 0.3), fill=fill
            )
        case "short":
            pen.ellipse(
                (x - wide * 1.1, y - high * 1.15, x + wide * 1.1, y + high * 0.25), fill=fill
            )
        case _:
            pen.ellipse(
                (x - wide * 1.14, y - high * 1.13, x + wide * 1.14, y + high * 0.45), fill=fill
            )


def fringe(
    head: Image.Image,
    look: Look,
    centre: Point,
    half: Point,
    rng: Generator,
) -> None:
    """Hair over the forehead, after the face."""
    (x, y), (wide, high) = centre, half
    pen = ImageDraw.Draw(head)
    fill = (*look.hair, 255)
    baby = look.age < 1.5
    style = look.person.style
    if baby or (style == "bald" and look.age >= 40):
        return
    line = {
        "crop": -0.66,
        "short": -0.5,
        "curly": -0.55,
        "bob": -0.34,
        "bald": -0.62,
        "bun": -0.62,
    }.get(style, -0.52)
    if style == "crop" or look.person.beard:
        line -= 0.12 * look.old
    part = {"long": 0.35, "ponytail": -0.2, "short": -0.5}.get(style, 0.0)
    arc: list[Point] = []
    for step in range(25):
        share = step / 24 * 2 - 1
        skull = math.sqrt(max(0.0, 1 - (share * 0.98) ** 2))
        arc.append((x + share * wide * 1.04, y - high * 1.06 * skull))
    edge: list[Point] = []
    for step in range(25):
        share = 1 - step / 24 * 2
        lift = 0.20 * math.exp(-(((share - part) / 0.28) ** 2)) if part else 0.0
        droop = (
            0.42 * abs(share) ** 3
            if style in ("long", "ponytail", "bun", "short")
            else 0.3 * abs(share) ** 4
        )
        edge.append(
            (x + share * wide * 1.04, y + high * (line - lift + droop + 0.012 * rng.normal()))
        )
    pen.polygon(arc + edge, fill=fill)
    for share in np.linspace(-0.7, 0.7, 7):
        skull = math.sqrt(1 - share**2)
        pen.line(
            (
                x + share * wide,
                y - high * 0.98 * skull,
                x + share * wide * 1.05 + wide * 0.06,
                y + high * (line + 0.02),
            ),
            (*shade(look.hair, 1.18), 255),
            max(1, round(high * 0.016)),
        )


def beard(
    head: Image.Image,
    look: Look,
    centre: Point,
    half: Point,
    lip: float,
) -> None:
    (x, y), (wide, high) = centre, half
    pen = ImageDraw.Draw(head)
    shift = look.yaw * wide * 0.10
    fill = (*shade(look.hair, 0.92 if look.old < 0.5 else 1.05), 255)
    if look.person.beard == "full":
        lower = [
            point
            for point in outline(look, (x, y + high * 0.05), (wide * 1.03, high * 1.04))
            if point[1] > y + high * 0.08
        ]
        lower.sort()
        upper = [
            (x + wide * k, lip - high * (0.12 - 0.1 * abs(k) + 0.22 * k * k))
            for k in np.linspace(0.9, -0.9, 15)
        ]
        chin = sorted(lower, key=lambda point: math.atan2(point[1] - y, point[0] - x), reverse=True)
        pen.polygon(chin + upper, fill=fill)
    if look.person.beard == "goatee":
        pen.ellipse(
            (x - wide * 0.25, lip + high * 0.08, x + wide * 0.25, y + high * 1.05), fill=fill
        )
    top = lip - high * 0.15
    pen.chord(
        (x + shift - wide * 0.42, top, x + shift + wide * 0.42, top + high * 0.26),
        180,
        360,
        fill=fill,
    )
