"""Draws people into pictures: head and shoulders or a whole figure, at any age, in a slightly new pose and light.

Not a face model and not a data set: flat shapes under soft light, recognisable by proportions. Pure functions of
their arguments and of the random generator that they are handed; thread-safe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from havenfs.sample.people import PEOPLE, Colour, Person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

__all__ = ["PEOPLE", "Person", "draw_person"]

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""

_TALL = 1.75
"""A box at least this much taller than wide gets the whole figure, any other head and shoulders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
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


def draw_person(image: Image.Image, person: Person, box: Box, age: float, rng: Generator) -> Box:
    """Draw *person* into *box* of the RGB *image*, in place, and return the box of the face.

    A tall box gets the whole figure standing on its lower edge, any other head and shoulders. Age in years changes
    the proportions. The face reaches from the hair line to the chin and from ear to ear; it lies inside *box* up to
    the tilt of the head. Pixels outside the image are cut off.
    """
    look = _look(person, age, rng)
    width, height = box[2] - box[0], box[3] - box[1]
    # Twice the size, then down: smooth edges. Large figures are smooth enough without.
    scale = 2.0 if max(width, height) < 900 else 1.0
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    if height >= _TALL * width:
        layer, face = _figure(size, look, rng)
    else:
        layer, face = _bust(size, look, rng)
    layer = _light(layer, rng)
    target = (max(4, round(width)), max(4, round(height)))
    if layer.size != target:
        layer = layer.resize(target, Image.Resampling.LANCZOS)
    image.paste(layer, (round(box[0]), round(box[1])), layer)
    sx, sy = target[0] / size[0], target[1] / size[1]
    return (
        round(box[0]) + face[0] * sx,
        round(box[1]) + face[1] * sy,
        round(box[0]) + face[2] * sx,
        round(box[1]) + face[3] * sy,
    )


def _look(person: Person, age: float, rng: Generator) -> _Look:
    old = min(1.0, max(0.0, (age - 45) / 35))
    grey = (212, 210, 206)
    return _Look(
        person=person,
        age=age,
        young=min(1.0, max(0.0, 1 - age / 16)),
        old=old,
        hair=_mix(person.hair, grey, old),
        yaw=float(rng.uniform(-1, 1)),
        tilt=float(rng.uniform(-9, 9)),
        smile=float(rng.uniform(-0.2, 1)),
        blink=float(rng.uniform(0.75, 1)),
    )


def _mix(one: Colour, two: Colour, share: float) -> Colour:
    """Return *one* with *share* (0..1) of *two*."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, two, strict=True))
    return red, green, blue


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(value * factor)) for value in colour)
    return red, green, blue


def _light(layer: Image.Image, rng: Generator) -> Image.Image:
    """Return the figure under one soft light from a side, with a little grain."""
    width, height = layer.size
    gain, slope = rng.uniform(0.82, 1.1), rng.uniform(-0.2, 0.2)
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    pixels = np.asarray(layer, dtype=np.float32).copy()
    pixels[..., :3] *= gain * (1 + slope * across)
    pixels[..., :3] += rng.normal(0, 3, (height, width, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGBA")


def _bust(size: tuple[int, int], look: _Look, rng: Generator) -> tuple[Image.Image, Box]:
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
    _back_hair(layer, look, centre, half)
    pen.rectangle(
        (centre[0] - neck, centre[1] + half * 0.5, centre[0] + neck, top + half * 0.3),
        fill=(*_shade(look.person.skin, 0.86), 255),
    )
    middle = width / 2
    pen.rounded_rectangle(
        (middle - reach, top, middle + reach, height + half),
        radius=half * 0.75,
        fill=(*shirt, 255),
    )
    collar = (centre[0] - neck * 1.15, top - half * 0.3, centre[0] + neck * 1.15, top + half * 0.28)
    pen.chord(collar, 0, 180, fill=(*_shade(look.person.skin, 0.92), 255))
    face = _head(layer, look, centre, half, rng)
    return layer, face


def _figure(size: tuple[int, int], look: _Look, rng: Generator) -> tuple[Image.Image, Box]:
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
    trousers = _shade(
        [(50, 60, 92), (70, 62, 54), (38, 38, 44), (120, 104, 80)][rng.integers(4)], 1
    )
    chin = centre[1] + half
    shoulder = chin + half * 0.3
    hip = shoulder + (foot - shoulder) * 0.42
    reach = min(width * 0.34, half * (1.35 - 0.35 * look.young))
    middle = width / 2
    limb = max(2, round(half * 0.42))
    _back_hair(layer, look, centre, half)
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
        pen.line((*start, *elbow), _shade(shirt, 0.9), limb, joint="curve")
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
        (middle - neck, centre[1], middle + neck, shoulder + limb), fill=(*_shade(skin, 0.86), 255)
    )
    pen.rounded_rectangle(
        (middle - reach, shoulder, middle + reach, hip + limb * 0.3),
        radius=half * 0.45,
        fill=(*shirt, 255),
    )
    face = _head(layer, look, centre, half, rng)
    return layer, face


def _shirt(look: _Look, rng: Generator) -> Colour:
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


def _widths(look: _Look, half: float) -> tuple[float, float]:
    """Half width and half height of the face: children's faces are rounder."""
    width = look.person.width + (0.93 - look.person.width) * 0.6 * look.young
    return half * width, half


def _back_hair(layer: Image.Image, look: _Look, centre: tuple[float, float], half: float) -> None:
    """What falls behind the neck, drawn before the shoulders."""
    wide, high = _widths(look, half)
    x, y = centre
    pen = ImageDraw.Draw(layer)
    fill = (*_shade(look.hair, 0.8), 255)
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


def _head(
    layer: Image.Image, look: _Look, centre: tuple[float, float], half: float, rng: Generator
) -> Box:
    """Draw the head on a layer of its own, tilt it, and lay it on the figure. Returns the box of the face."""
    wide, high = _widths(look, half)
    side = round(half * 3.6)
    head = Image.new("RGBA", (side, side), (*look.hair, 0))
    x = y = side / 2
    pen = ImageDraw.Draw(head)
    skin = look.person.skin
    _crown(head, look, (x, y), (wide, high), rng)
    for ear in (-1, 1):
        at = x + ear * wide * 1.0 - look.yaw * wide * 0.05
        pen.ellipse(
            (at - wide * 0.14, y - high * 0.16, at + wide * 0.14, y + high * 0.2),
            fill=(*_shade(skin, 0.9), 255),
        )
    pen.polygon(_outline(look, (x, y), (wide, high)), fill=(*skin, 255))
    _features(head, look, (x, y), (wide, high), rng)
    _fringe(head, look, (x, y), (wide, high), rng)
    turned = head.rotate(look.tilt, resample=Image.Resampling.BICUBIC)
    left, top = round(centre[0] - side / 2), round(centre[1] - side / 2)
    whole = Image.new("RGBA", layer.size, (*look.hair, 0))
    whole.paste(turned, (left, top))
    layer.alpha_composite(whole)
    angle = math.radians(look.tilt)
    reach_x = math.hypot(wide * math.cos(angle), high * math.sin(angle))
    reach_y = math.hypot(wide * math.sin(angle), high * math.cos(angle))
    return (centre[0] - reach_x, centre[1] - reach_y, centre[0] + reach_x, centre[1] + reach_y)


def _outline(
    look: _Look, centre: tuple[float, float], half: tuple[float, float]
) -> list[tuple[float, float]]:
    """The face as a polygon: an ellipse above the cheek bones, a chin between pointed and square below."""
    jaw = look.person.jaw * (1 - 0.7 * look.young) + 0.35 * look.young
    power = 1.75 + 1.1 * jaw
    points: list[tuple[float, float]] = []
    for step in range(72):
        turn = math.tau * step / 72
        cos, sin = math.cos(turn), math.sin(turn)
        bend = 2 / power if sin > 0 else 1.0
        across = math.copysign(abs(cos) ** bend, cos)
        down = math.copysign(abs(sin) ** bend, sin)
        points.append((centre[0] + half[0] * across, centre[1] + half[1] * down))
    return points


def _crown(
    head: Image.Image,
    look: _Look,
    centre: tuple[float, float],
    half: tuple[float, float],
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
                    fill=(*_shade(look.hair, rng.uniform(0.9, 1.5)), 255),
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


def _fringe(
    head: Image.Image,
    look: _Look,
    centre: tuple[float, float],
    half: tuple[float, float],
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
    arc: list[tuple[float, float]] = []
    for step in range(25):
        share = step / 24 * 2 - 1
        skull = math.sqrt(max(0.0, 1 - (share * 0.98) ** 2))
        arc.append((x + share * wide * 1.04, y - high * 1.06 * skull))
    edge: list[tuple[float, float]] = []
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
            (*_shade(look.hair, 1.18), 255),
            max(1, round(high * 0.016)),
        )


def _features(
    head: Image.Image,
    look: _Look,
    centre: tuple[float, float],
    half: tuple[float, float],
    rng: Generator,
) -> None:
    """Eyes, brows, nose, mouth, cheeks, and what a person wears on the face."""
    (x, y), (wide, high) = centre, half
    pen = ImageDraw.Draw(head)
    person = look.person
    skin, dark = person.skin, _shade(person.skin, 0.74)
    shift = look.yaw * wide * 0.10
    level = y - high * (0.10 - 0.16 * look.young)
    eye = person.eye * high * (1 + 0.45 * look.young - 0.1 * look.old)
    gap = person.gap * wide * (1 + 0.08 * look.young)
    tip = level + person.nose * high * (1 - 0.38 * look.young + 0.08 * look.old)
    lip = tip + (y + high - tip) * 0.42
    blush = Image.new("RGBA", head.size, (*_mix(skin, (226, 90, 80), 0.5), 0))
    cheeks = ImageDraw.Draw(blush)
    for side in (-1, 1):
        at = x + side * wide * 0.55 + shift
        cheeks.ellipse(
            (at - wide * 0.22, tip - high * 0.08, at + wide * 0.22, tip + high * 0.2),
            fill=(*_mix(skin, (226, 90, 80), 0.5), 60 + round(40 * look.young)),
        )
    head.alpha_composite(blush.filter(ImageFilter.GaussianBlur(high * 0.05)))
    if person.freckles:
        for _ in range(22):
            at = (x + shift + rng.uniform(-0.6, 0.6) * wide, level + rng.uniform(0.12, 0.42) * high)
            spot = high * 0.014
            pen.ellipse(
                (at[0] - spot, at[1] - spot, at[0] + spot, at[1] + spot),
                fill=(*_shade(skin, 0.72), 255),
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
            (*_shade(person.hair, 0.5), 255),
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
            (*_mix(_shade(person.hair, 0.75), (190, 190, 186), look.old * 0.8), 255),
            thick,
            joint="curve",
        )
        if look.old > 0.15:
            crease = (*_shade(skin, 0.82), 255)
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
                (*_shade(skin, 0.84), 255),
                max(1, round(high * 0.014)),
            )
    if person.beard and look.age >= 20:
        _beard(head, look, (x, y), half, lip)
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
        fill=(*_shade(skin, 0.92), 255),
    )
    pen.ellipse(
        (nose - wing * 1.15, tip - wing * 0.75, nose + wing * 1.15, tip + wing * 0.5),
        fill=(*_shade(skin, 0.9), 255),
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
        pen.line(line, (*_shade(person.lips, 0.6), 255), max(1, round(thick * 0.25)))
    if person.mole:
        side, spot = math.copysign(1, person.mole), high * 0.028
        mark = (x + shift + side * wide * 0.5, y + high * abs(person.mole))
        pen.ellipse(
            (mark[0] - spot, mark[1] - spot, mark[0] + spot, mark[1] + spot), fill=(70, 40, 30, 255)
        )
    if person.glasses and look.age > 8:
        _glasses(head, look, (x + shift, level), (wide, high), gap)


def _glasses(
    head: Image.Image,
    look: _Look,
    bridge: tuple[float, float],
    half: tuple[float, float],
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


def _beard(
    head: Image.Image,
    look: _Look,
    centre: tuple[float, float],
    half: tuple[float, float],
    lip: float,
) -> None:
    (x, y), (wide, high) = centre, half
    pen = ImageDraw.Draw(head)
    shift = look.yaw * wide * 0.10
    fill = (*_shade(look.hair, 0.92 if look.old < 0.5 else 1.05), 255)
    if look.person.beard == "full":
        lower = [
            point
            for point in _outline(look, (x, y + high * 0.05), (wide * 1.03, high * 1.04))
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
