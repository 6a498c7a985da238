"""Heads of drawn people: skull, eyes, brows, nose, mouth, glasses.

Pure functions that draw on the layer they are handed; thread-safe.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from havenfs.sample import hair
from havenfs.sample.looks import Face, Look, Point, mix, outline, shade, widths

if TYPE_CHECKING:
    from numpy.random import Generator


def head(layer: Image.Image, look: Look, centre: Point, half: float, rng: Generator) -> Face:
    """Draw the head on a layer of its own, tilt it, and lay it on the figure. Returns where the face is."""
    wide, high = widths(look, half)
    side = round(half * 3.6)
    head = Image.new("RGBA", (side, side), (*look.hair, 0))
    x = y = side / 2
    pen = ImageDraw.Draw(head)
    skin = look.person.skin
    hair.crown(head, look, (x, y), (wide, high), rng)
    for ear in (-1, 1):
        at = x + ear * wide * 1.0 - look.yaw * wide * 0.05
        pen.ellipse(
            (at - wide * 0.14, y - high * 0.16, at + wide * 0.14, y + high * 0.2),
            fill=(*shade(skin, 0.9), 255),
        )
    pen.polygon(outline(look, (x, y), (wide, high)), fill=(*skin, 255))
    points = _features(head, look, (x, y), (wide, high), rng)
    hair.fringe(head, look, (x, y), (wide, high), rng)
    turned = head.rotate(look.tilt, resample=Image.Resampling.BICUBIC)
    left, top = round(centre[0] - side / 2), round(centre[1] - side / 2)
    whole = Image.new("RGBA", layer.size, (*look.hair, 0))
    whole.paste(turned, (left, top))
    layer.alpha_composite(whole)
    angle = math.radians(look.tilt)
    reach_x = math.hypot(wide * math.cos(angle), high * math.sin(angle))
    reach_y = math.hypot(wide * math.sin(angle), high * math.cos(angle))
    cos, sin = math.cos(angle), math.sin(angle)
    return Face(
        box=(centre[0] - reach_x, centre[1] - reach_y, centre[0] + reach_x, centre[1] + reach_y),
        points=tuple(
            (left + x + (px - x) * cos + (py - y) * sin, top + y - (px - x) * sin + (py - y) * cos)
            for px, py in points
        ),
    )


def _features(
    head: Image.Image,
    look: Look,
    centre: Point,
    half: Point,
    rng: Generator,
) -> tuple[Point, ...]:
    """Eyes, brows, nose, mouth, cheeks, and what a person wears on the face. Returns the landmarks of `Face`."""
    (x, y), (wide, high) = centre, half
    pen = ImageDraw.Draw(head)
    person = look.person
    skin, dark = person.skin, shade(person.skin, 0.74)
    shift = look.yaw * wide * 0.10
    level = y - high * (0.10 - 0.16 * look.young)
    eye = person.eye * high * (1 + 0.45 * look.young - 0.1 * look.old)
    gap = person.gap * wide * (1 + 0.08 * look.young)
    tip = level + person.nose * high * (1 - 0.38 * look.young + 0.08 * look.old)
    lip = tip + (y + high - tip) * 0.42
    blush = Image.new("RGBA", head.size, (*mix(skin, (226, 90, 80), 0.5), 0))
    cheeks = ImageDraw.Draw(blush)
    for side in (-1, 1):
        at = x + side * wide * 0.55 + shift
        cheeks.ellipse(
            (at - wide * 0.22, tip - high * 0.08, at + wide * 0.22, tip + high * 0.2),
            fill=(*mix(skin, (226, 90, 80), 0.5), 60 + round(40 * look.young)),
        )
    head.alpha_composite(blush.filter(ImageFilter.GaussianBlur(high * 0.05)))
    if person.freckles:
        for _ in range(22):
            at = (x + shift + rng.uniform(-0.6, 0.6) * wide, level + rng.uniform(0.12, 0.42) * high)
            spot = high * 0.014
            pen.ellipse(
                (at[0] - spot, at[1] - spot, at[0] + spot, at[1] + spot),
                fill=(*shade(skin, 0.72), 255),
            )
    for side in (-1, 1):
        at = x + side * gap + shift
        lid = eye * 0.78 * look.blink
        pen.ellipse(
            (at - eye * 1.3, level - lid, at + eye * 1.3, level + lid), fill=(250, 248, 244, 255)
        )
        glance = at + look.yaw * eye * 0.35
        iris = min(eye * 0.72, lid)
        pen.ellipse(
            (glance - iris, level - iris, glance + iris, level + iris), fill=(*person.eyes, 255)
        )
        pupil = iris * 0.5
        pen.ellipse(
            (glance - pupil, level - pupil, glance + pupil, level + pupil), fill=(12, 10, 10, 255)
        )
        pen.ellipse(
            (glance - pupil * 0.9, level - pupil * 1.1, glance - pupil * 0.2, level - pupil * 0.4),
            fill=(255, 255, 255, 255),
        )
        pen.arc(
            (at - eye * 1.35, level - lid * 1.1, at + eye * 1.35, level + lid * 1.1),
            180,
            360,
            (*shade(person.hair, 0.5), 255),
            max(1, round(high * 0.022)),
        )
        brow = level - eye * 1.75
        thick = max(1, round(person.brow * high * (0.6 + 0.4 * (1 - look.young))))
        pen.line(
            (
                at - side * eye * 1.2,
                brow + eye * 0.05,
                at + side * eye * 0.4,
                brow - eye * 0.3,
                at + side * eye * 1.5,
                brow + eye * 0.1,
            ),
            (*mix(shade(person.hair, 0.75), (190, 190, 186), look.old * 0.8), 255),
            thick,
            joint="curve",
        )
        if look.old > 0.15:
            crease = (*shade(skin, 0.82), 255)
            pen.arc(
                (at - eye * 1.4, level, at + eye * 1.4, level + eye * 1.9),
                30,
                150,
                crease,
                max(1, round(high * 0.014)),
            )
            pen.arc(
                (
                    x + side * wide * 0.42 + shift - wide * 0.2,
                    tip - high * 0.05,
                    x + side * wide * 0.42 + shift + wide * 0.2,
                    lip + high * 0.15,
                ),
                100 if side > 0 else 0,
                180 if side > 0 else 80,
                crease,
                max(1, round(high * 0.016)),
            )
    if look.old > 0.3:
        for row in (-0.52, -0.62):
            pen.arc(
                (
                    x - wide * 0.45 + shift,
                    y + high * row,
                    x + wide * 0.45 + shift,
                    y + high * (row + 0.12),
                ),
                200,
                340,
                (*shade(skin, 0.84), 255),
                max(1, round(high * 0.014)),
            )
    if person.beard and look.age >= 20:
        hair.beard(head, look, (x, y), half, lip)
    nose = x + shift * 1.7
    bridge = level + high * 0.02
    wing = person.nostrils * wide * (1 - 0.2 * look.young)
    pen.polygon(
        [
            (nose - wing * 0.25 + (x + shift - nose) * 0.5, bridge),
            (nose + wing * 0.25 + (x + shift - nose) * 0.5, bridge),
            (nose + wing, tip),
            (nose - wing, tip),
        ],
        fill=(*shade(skin, 0.92), 255),
    )
    pen.ellipse(
        (nose - wing * 1.15, tip - wing * 0.75, nose + wing * 1.15, tip + wing * 0.5),
        fill=(*shade(skin, 0.9), 255),
    )
    pen.arc(
        (nose - wing, tip - wing * 0.5, nose + wing, tip + wing * 0.5),
        20,
        160,
        (*dark, 255),
        max(1, round(high * 0.02)),
    )
    mouth = person.mouth * wide * (1 - 0.12 * look.young) * (1 + 0.12 * max(0.0, look.smile))
    at = x + shift * 1.2
    if look.smile > 0.55:
        depth = high * 0.16 * look.smile
        pen.chord(
            (at - mouth, lip - depth, at + mouth, lip + depth), 0, 180, fill=(*person.lips, 255)
        )
        pen.chord(
            (at - mouth * 0.86, lip - depth * 0.62, at + mouth * 0.86, lip + depth * 0.62),
            0,
            180,
            fill=(252, 250, 244, 255),
        )
    else:
        thick = high * (0.045 + 0.02 * (1 - look.old))
        sag = high * 0.14 * look.smile
        line = [(at + mouth * k, lip - sag * (k * k - 0.4)) for k in np.linspace(-1, 1, 13)]
        pen.line(line, (*person.lips, 255), max(2, round(thick)), joint="curve")
        pen.line(line, (*shade(person.lips, 0.6), 255), max(1, round(thick * 0.25)))
    if person.mole:
        side, spot = math.copysign(1, person.mole), high * 0.028
        mark = (x + shift + side * wide * 0.5, y + high * abs(person.mole))
        pen.ellipse(
            (mark[0] - spot, mark[1] - spot, mark[0] + spot, mark[1] + spot), fill=(70, 40, 30, 255)
        )
    if person.glasses and look.age > 8:
        _glasses(head, look, (x + shift, level), (wide, high), gap)
    return (
        (x - gap + shift, level),
        (x + gap + shift, level),
        (nose, tip),
        (at - mouth, lip),
        (at + mouth, lip),
    )


def _glasses(
    head: Image.Image,
    look: Look,
    bridge: Point,
    half: Point,
    gap: float,
) -> None:
    (x, level), (wide, high) = bridge, half
    pen = ImageDraw.Draw(head)
    frame = (30, 26, 30, 255) if look.person.glasses == "square" else (120, 60, 40, 255)
    line = max(1, round(high * 0.035))
    lens = min(gap * 0.86, wide * 0.36)
    for side in (-1, 1):
        at = x + side * gap
        if look.person.glasses == "round":
            pen.ellipse(
                (at - lens, level - lens, at + lens, level + lens), outline=frame, width=line
            )
        else:
            pen.rounded_rectangle(
                (at - lens, level - lens * 0.68, at + lens, level + lens * 0.72),
                radius=lens * 0.2,
                outline=frame,
                width=line,
            )
        pen.line(
            (at + side * lens, level - lens * 0.1, x + side * wide * 1.02, level - lens * 0.2),
            frame,
            line,
        )
    pen.line((x - gap + lens, level, x + gap - lens, level), frame, line)
