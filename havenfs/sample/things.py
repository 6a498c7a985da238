"""Silhouettes: how each thing of the vocabulary is drawn, from a few parts in its colour.

A thing is drawn by a Pen in the square -1..1 (y down, standing on y = 1); the pen turns, mirrors and scales. Knows
nothing of settings and sentences. Pure functions of their random generator; any thread.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from havenfs.sample.pen import Pen, Point, arc, shade, spiked

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.sample.vocabulary import Rgb

SKINS: tuple[Rgb, ...] = (
    (245, 205, 175),
    (225, 175, 135),
    (190, 135, 95),
    (140, 92, 62),
    (95, 62, 45),
)


def _dog(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    d, tail = shade(c, 0.72), rng.uniform(-0.75, -0.2)
    pen.line([(-0.6, 0.0), (-0.8, -0.15), (-0.92, tail)], 0.12, c)
    for x in (-0.58, -0.38, 0.22, 0.42):
        pen.box(x, 0.2, x + 0.15, 1.0, d if x in (-0.38, 0.22) else c)
    pen.oval(-0.72, -0.15, 0.62, 0.5, c)
    pen.poly([(0.2, 0.2), (0.3, -0.45), (0.7, -0.35), (0.62, 0.25)], c)
    pen.oval(0.25, -0.75, 0.8, -0.22, c)
    pen.oval(0.55, -0.52, 1.0, -0.24, shade(c, 1.15))
    pen.oval(0.9, -0.52, 1.0, -0.4, (15, 12, 12))
    pen.poly([(0.3, -0.72), (0.48, -0.68), (0.42, -0.15), (0.26, -0.22)], d)
    pen.oval(0.58, -0.58, 0.66, -0.5, (10, 10, 10))
    if rng.random() < 0.4:
        pen.line([(0.3, -0.12), (0.68, -0.1)], 0.09, (200, 40, 40))


def _cat(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    d = shade(c, 0.7)
    pen.line(arc((-0.55, 0.45), 0.38, 0.45, 60, 300, 10), 0.14, c)
    pen.oval(-0.55, -0.1, 0.5, 1.0, c)
    pen.box(-0.28, 0.5, -0.08, 1.0, d)
    pen.box(0.06, 0.5, 0.26, 1.0, d)
    pen.oval(-0.48, -0.75, 0.48, 0.12, c)
    pen.poly([(-0.47, -0.4), (-0.45, -1.0), (-0.08, -0.66)], c)
    pen.poly([(0.47, -0.4), (0.45, -1.0), (0.08, -0.66)], c)
    pen.poly([(-0.39, -0.6), (-0.4, -0.86), (-0.22, -0.68)], (225, 150, 150))
    pen.poly([(0.39, -0.6), (0.4, -0.86), (0.22, -0.68)], (225, 150, 150))
    eye: Rgb = ((120, 190, 70), (230, 190, 60), (90, 160, 210))[int(rng.integers(3))]
    for x in (-0.2, 0.2):
        pen.oval(x - 0.11, -0.48, x + 0.11, -0.28, eye)
        pen.oval(x - 0.04, -0.48, x + 0.04, -0.28, (10, 10, 10))
    pen.poly([(-0.06, -0.2), (0.06, -0.2), (0, -0.12)], (230, 130, 140))
    for y in (-0.16, -0.06):
        pen.line(
            [(-0.65, y - 0.05), (-0.12, y)],
            0.025,
            (225, 225, 225) if sum(c) < 400 else (70, 70, 70),
        )
        pen.line(
            [(0.65, y - 0.05), (0.12, y)], 0.025, (225, 225, 225) if sum(c) < 400 else (70, 70, 70)
        )
    if rng.random() < 0.5:
        for y in (0.1, 0.28, 0.46):
            pen.line([(-0.5, y), (-0.28, y + 0.05)], 0.06, d)
            pen.line([(0.46, y), (0.26, y + 0.05)], 0.06, d)


def _bird(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    d = shade(c, 0.72)
    if rng.random() < 0.4:
        lift = rng.uniform(-0.85, -0.3)
        pen.poly(
            [(-0.1, 0), (-0.5, lift), (-1.0, lift + 0.25), (-0.45, lift + 0.4), (-0.1, 0.25)], c
        )
        pen.poly([(0.1, 0), (0.5, lift), (1.0, lift + 0.25), (0.45, lift + 0.4), (0.1, 0.25)], d)
    else:
        pen.line([(-0.05, 0.55), (-0.1, 1.0)], 0.05, (200, 130, 40))
        pen.line([(0.15, 0.55), (0.15, 1.0)], 0.05, (200, 130, 40))
    pen.poly([(-0.4, 0.15), (-1.0, 0.3), (-0.9, 0.55), (-0.3, 0.45)], d)
    pen.oval(-0.55, -0.2, 0.5, 0.6, c)
    pen.oval(0.15, -0.55, 0.68, 0.05, c)
    pen.poly([(0.62, -0.35), (1.0, -0.2), (0.62, -0.1)], (240, 165, 40))
    pen.oval(-0.4, -0.05, 0.25, 0.35, d)
    pen.oval(0.42, -0.38, 0.54, -0.26, (10, 10, 10))


def _fish(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    d = shade(c, 0.75)
    pen.poly([(-0.45, 0), (-1.0, -0.5), (-0.85, 0), (-1.0, 0.5)], d)
    pen.poly([(-0.2, -0.35), (0.15, -0.75), (0.35, -0.35)], d)
    pen.poly([(-0.1, 0.35), (0.05, 0.65), (0.25, 0.35)], d)
    pen.oval(-0.6, -0.45, 1.0, 0.45, c)
    if rng.random() < 0.6:
        for x in (-0.1, 0.25):
            pen.line(arc((x - 0.15, 0), 0.2, 0.38, -70, 70, 8), 0.09, shade(c, 1.6))
    pen.oval(0.58, -0.2, 0.82, 0.04, (250, 250, 250))
    pen.oval(0.66, -0.14, 0.78, -0.02, (10, 10, 10))


def _horse(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    d, mane, stride = shade(c, 0.75), shade(c, 0.45), rng.uniform(-0.12, 0.12)
    pen.poly([(-0.68, -0.2), (-0.95, 0.1), (-0.9, 0.55), (-0.72, 0.1)], mane)
    for x, lean, tint in (
        (-0.58, stride, c),
        (-0.4, -stride, d),
        (0.2, stride, d),
        (0.38, -stride, c),
    ):
        pen.poly([(x, 0.1), (x + 0.16, 0.1), (x + 0.12 + lean, 1.0), (x + 0.02 + lean, 1.0)], tint)
    pen.oval(-0.72, -0.3, 0.58, 0.3, c)
    pen.poly([(0.15, -0.05), (0.45, -0.85), (0.72, -0.75), (0.55, 0.1)], c)
    pen.poly([(0.42, -0.95), (0.7, -0.9), (1.0, -0.5), (0.92, -0.38), (0.55, -0.6)], c)
    pen.poly([(0.48, -0.85), (0.52, -1.0), (0.6, -0.85)], d)
    pen.line([(0.44, -0.9), (0.3, -0.55), (0.15, -0.15)], 0.13, mane)
    pen.oval(0.66, -0.78, 0.73, -0.71, (10, 10, 10))


def _wheel(pen: Pen, x: float, y: float, radius: float) -> None:
    pen.oval(x - radius, y - radius, x + radius, y + radius, (25, 25, 28))
    pen.oval(
        x - radius * 0.5, y - radius * 0.5, x + radius * 0.5, y + radius * 0.5, (165, 168, 172)
    )


def _car(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    roof, glass = rng.uniform(-0.5, -0.35), (165, 200, 225)
    pen.poly([(-0.62, 0.1), (-0.4, roof), (0.3, roof), (0.6, 0.1)], shade(c, 0.85))
    pen.poly([(-0.48, 0.06), (-0.34, roof + 0.08), (-0.06, roof + 0.08), (-0.06, 0.06)], glass)
    pen.poly([(0.02, 0.06), (0.02, roof + 0.08), (0.26, roof + 0.08), (0.46, 0.06)], glass)
    pen.poly([(-1.0, 0.12), (-0.9, 0.05), (0.85, 0.05), (1.0, 0.2), (1.0, 0.52), (-1.0, 0.52)], c)
    pen.box(0.88, 0.2, 1.0, 0.32, (250, 240, 170))
    pen.box(-1.0, 0.2, -0.92, 0.32, (190, 30, 30))
    pen.line([(-0.02, 0.08), (-0.02, 0.5)], 0.03, shade(c, 0.6))
    _wheel(pen, -0.56, 0.54, 0.24)
    _wheel(pen, 0.56, 0.54, 0.24)


def _bus(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    top = rng.uniform(-0.75, -0.6)
    pen.box(-1.0, top, 1.0, 0.6, c)
    for window in range(5):
        left = -0.92 + window * 0.37
        pen.box(left, top + 0.14, left + 0.29, top + 0.56, (185, 215, 235))
    pen.box(-1.0, 0.22, 1.0, 0.3, shade(c, 0.6))
    pen.box(0.92, 0.32, 1.0, 0.46, (250, 240, 170))
    _wheel(pen, -0.58, 0.62, 0.22)
    _wheel(pen, 0.58, 0.62, 0.22)


def _bicycle(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    thick = rng.uniform(0.09, 0.12)
    for x in (-0.56, 0.56):
        pen.line(arc((x, 0.5), 0.42, 0.42, 0, 372), 0.075, (35, 35, 38))
        pen.line([(x - 0.4, 0.5), (x + 0.4, 0.5)], 0.02, (150, 150, 150))
        pen.line([(x, 0.1), (x, 0.9)], 0.02, (150, 150, 150))
    pen.line([(-0.56, 0.5), (-0.2, -0.15), (0.38, -0.15), (-0.02, 0.5), (-0.56, 0.5)], thick, c)
    pen.line([(-0.02, 0.5), (-0.26, -0.35)], thick, c)
    pen.line([(0.56, 0.5), (0.34, -0.5)], thick, c)
    pen.line([(0.2, -0.52), (0.52, -0.55)], 0.08, (30, 30, 30))
    pen.line([(-0.42, -0.38), (-0.12, -0.38)], 0.13, (30, 30, 30))


def _boat(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    pen.poly([(-1.0, 0.35), (1.0, 0.35), (0.65, 0.9), (-0.7, 0.9)], c)
    pen.line([(-0.95, 0.42), (0.95, 0.42)], 0.08, shade(c, 0.6))
    if rng.random() < 0.65:
        pen.line([(0.0, 0.35), (0.0, -1.0)], 0.06, (95, 65, 45))
        pen.poly([(0.06, -0.95), (0.06, 0.22), (0.75, 0.22)], (248, 246, 240))
        pen.poly([(-0.06, -0.8), (-0.06, 0.22), (-0.6, 0.22)], (225, 222, 215))
    else:
        pen.box(-0.4, -0.1, 0.35, 0.35, (238, 238, 235))
        pen.box(-0.3, 0.0, -0.05, 0.2, (120, 170, 205))
        pen.box(0.03, 0.0, 0.27, 0.2, (120, 170, 205))
        pen.box(0.0, -0.5, 0.2, -0.1, shade(c, 0.8))


def _airplane(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    d = shade(c, 0.75)
    if rng.random() < 0.5:
        pen.poly([(0.2, -0.05), (-0.25, -0.75), (-0.45, -0.75), (-0.15, 0.0)], d)
        pen.poly([(-0.65, -0.08), (-0.98, -0.55), (-0.8, -0.55), (-0.5, -0.08)], d)
        pen.poly(
            [(-1.0, -0.1), (0.6, -0.16), (0.92, -0.06), (1.0, 0.05), (0.85, 0.16), (-0.85, 0.12)], c
        )
        pen.poly([(0.2, 0.05), (-0.35, 0.75), (-0.55, 0.75), (-0.2, 0.05)], d)
        for x in (-0.4, -0.2, 0.0, 0.2, 0.4, 0.6):
            pen.oval(x, -0.08, x + 0.08, 0.0, (80, 120, 160))
    else:
        pen.poly(
            [
                (-0.1, -0.2),
                (-0.9, 0.35),
                (-0.9, 0.5),
                (0, 0.2),
                (0.9, 0.5),
                (0.9, 0.35),
                (0.1, -0.2),
            ],
            d,
        )
        pen.poly([(-0.05, 0.6), (-0.38, 0.9), (0.38, 0.9), (0.05, 0.6)], d)
        pen.oval(-0.13, -1.0, 0.13, 0.9, c)


def _tree(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    pen.box(-0.1, 0.2, 0.1, 1.0, (100, 70, 45))
    if rng.random() < 0.35:
        for tier in range(3):
            top = -1.0 + tier * 0.42
            pen.poly(
                [(0, top), (-0.32 - 0.14 * tier, top + 0.62), (0.32 + 0.14 * tier, top + 0.62)],
                shade(c, 0.85 + 0.1 * tier),
            )
        return
    for _ in range(9):
        x, y, size = rng.normal(0, 0.33), rng.normal(-0.35, 0.26), rng.uniform(0.25, 0.42)
        x, y = float(np.clip(x, -0.55, 0.55)), float(np.clip(y, -0.65, 0.1))
        pen.oval(x - size, y - size, x + size, y + size, shade(c, rng.uniform(0.75, 1.12)))


def _flower(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    pen.line([(0, -0.3), (0.04, 0.4), (0, 1.0)], 0.09, (60, 135, 55))
    pen.oval(0.02, 0.35, 0.5, 0.6, (70, 150, 60))
    pen.oval(-0.5, 0.5, -0.02, 0.75, (70, 150, 60))
    petals, turn = int(rng.integers(5, 9)), rng.uniform(0, 6)
    for petal in range(petals):
        angle = turn + 2 * math.pi * petal / petals
        x, y = 0.38 * math.cos(angle), -0.4 + 0.38 * math.sin(angle)
        pen.oval(x - 0.25, y - 0.25, x + 0.25, y + 0.25, shade(c, rng.uniform(0.88, 1.1)))
    heart: Rgb = (110, 65, 30) if c[0] > 200 and c[1] > 180 and c[2] < 120 else (245, 205, 60)
    pen.oval(-0.2, -0.6, 0.2, -0.2, heart)


def _house(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    pen.box(-0.8, -0.15, 0.8, 1.0, c)
    roof: Rgb = ((150, 60, 45), (90, 60, 50), (75, 80, 90))[int(rng.integers(3))]
    pen.box(0.38, -0.85, 0.56, -0.3, shade(roof, 0.8))
    pen.poly([(-1.0, -0.12), (0, -0.95), (1.0, -0.12)], roof)
    door = rng.choice([-0.16, 0.3, -0.6])
    pen.box(door, 0.4, door + 0.32, 1.0, (95, 60, 40))
    for x in (-0.62, 0.32):
        if abs(x - door) > 0.3:
            pen.box(x, 0.1, x + 0.3, 0.4, (160, 200, 225))
            pen.line([(x + 0.15, 0.1), (x + 0.15, 0.4)], 0.04, (250, 250, 250))


def _ball(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    pen.oval(-1, -1, 1, 1, c)
    stripe: Rgb = (245, 245, 245) if sum(c) < 640 else (60, 90, 190)
    if rng.random() < 0.6:
        for start in (0, 120, 240):
            pen.poly([(0.1, -0.15), *arc((0, 0), 1, 1, start, start + 55, 12)], stripe)
        pen.oval(-0.1, -0.35, 0.3, 0.05, stripe)
    else:
        pen.line(arc((-0.9, 0), 0.75, 1.0, -62, 62, 16), 0.13, stripe)
        pen.line(arc((0.9, 0), 0.75, 1.0, 118, 242, 16), 0.13, stripe)
    pen.oval(-0.55, -0.7, -0.2, -0.4, shade(c, 1.6))


def _cake(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    pen.oval(-1.0, 0.7, 1.0, 1.0, (225, 228, 232))
    pen.box(-0.8, 0.05, 0.8, 0.82, c)
    pen.oval(-0.8, 0.68, 0.8, 0.95, c)
    pen.line([(-0.8, 0.45), (0.8, 0.45)], 0.09, shade(c, 0.6) if sum(c) > 300 else (240, 220, 200))
    icing: Rgb = ((250, 245, 240), (245, 170, 190), (90, 50, 35))[int(rng.integers(3))]
    pen.oval(-0.8, -0.12, 0.8, 0.22, icing)
    for x in np.arange(-0.75, 0.8, 0.3):
        pen.oval(float(x) - 0.05, 0.0, float(x) + 0.2, 0.34, icing)
    for candle in range(int(rng.integers(2, 6))):
        x = -0.5 + 0.25 * candle
        pen.box(
            x - 0.04,
            -0.55,
            x + 0.04,
            0.02,
            ((90, 140, 220), (230, 90, 100), (110, 190, 110))[candle % 3],
        )
        pen.oval(x - 0.07, -0.82, x + 0.07, -0.54, (255, 200, 60))


def _pizza(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    del c
    pen.oval(-1, -0.85, 1, 0.95, (232, 232, 230))
    pen.oval(-0.88, -0.75, 0.88, 0.83, (200, 140, 70))
    pen.oval(-0.76, -0.64, 0.76, 0.72, (240, 195, 90))
    for _ in range(int(rng.integers(7, 13))):
        angle, out = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.6)
        x, y = out * math.cos(angle), 0.04 + out * math.sin(angle) * 0.9
        topping: Rgb = ((190, 50, 40), (190, 50, 40), (80, 130, 50))[int(rng.integers(3))]
        size = rng.uniform(0.08, 0.15)
        pen.oval(x - size, y - size, x + size, y + size, topping)


def _apple(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    pen.oval(-0.9, -0.6, 0.2, 1.0, c)
    pen.oval(-0.2, -0.6, 0.9, 1.0, c)
    pen.line([(0, -0.4), (rng.uniform(-0.1, 0.15), -0.95)], 0.1, (95, 65, 40))
    pen.poly([(0.05, -0.7), (0.35, -1.0), (0.7, -0.85), (0.4, -0.65)], (80, 160, 60))
    pen.oval(-0.6, -0.35, -0.3, 0.1, shade(c, 1.5))


def _banana(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    fat = rng.uniform(0.36, 0.5)
    outer = arc((0, -0.5), 1.0, 1.1, 10, 170, 20)
    pen.poly([*outer, *arc((0, -0.5 - fat * 0.3), 0.88, 1.1 - fat, 168, 12, 20)], c)
    pen.line(arc((0, -0.55), 0.93, 1.08 - fat * 0.5, 25, 155, 14), 0.05, shade(c, 0.75))
    pen.oval(0.88, -0.5, 1.02, -0.22, (95, 75, 40))
    pen.oval(-1.02, -0.5, -0.88, -0.25, (95, 75, 40))


def _cup(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    pen.line(arc((0.6, 0.15), 0.36, 0.4, -80, 80, 14), 0.14, shade(c, 0.85))
    taper = rng.uniform(0, 0.2)
    pen.poly([(-0.7, -0.5), (0.7, -0.5), (0.7 - taper, 0.9), (-0.7 + taper, 0.9)], c)
    pen.oval(-0.7, -0.68, 0.7, -0.3, shade(c, 1.25))
    pen.oval(-0.58, -0.62, 0.58, -0.36, (85, 52, 32))
    if rng.random() < 0.5:
        for x in (-0.25, 0.2):
            pen.line([(x, -0.7), (x + 0.1, -0.82), (x, -0.95)], 0.06, (235, 235, 235))


def _book(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    if rng.random() < 0.45:
        pen.poly([(0, -0.4), (-1.0, -0.55), (-1.0, 0.55), (0, 0.75), (1.0, 0.55), (1.0, -0.55)], c)
        for side in (-1, 1):
            pen.poly(
                [(0, -0.36), (side * 0.9, -0.5), (side * 0.9, 0.45), (0, 0.62)], (246, 243, 232)
            )
            for row in range(5):
                y = -0.25 + row * 0.16
                pen.line([(side * 0.12, y + 0.02), (side * 0.78, y - 0.07)], 0.04, (120, 120, 125))
        return
    pen.poly(
        [(-0.6, -0.95), (0.65, -0.95), (0.72, -0.88), (0.72, 1.0), (-0.52, 1.0)], (240, 236, 222)
    )
    pen.box(-0.68, -1.0, 0.6, 0.92, c)
    pen.box(-0.68, -1.0, -0.52, 0.92, shade(c, 0.65))
    pen.box(-0.32, -0.65, 0.42, -0.5, shade(c, 1.6))
    pen.box(-0.2, -0.36, 0.3, -0.28, shade(c, 1.6))


def _balloon(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    sway = rng.uniform(-0.15, 0.15)
    pen.line([(0, 0.3), (sway, 0.6), (-sway, 1.0)], 0.035, (110, 110, 110))
    pen.oval(-0.58, -1.0, 0.58, 0.28, c)
    pen.poly([(0, 0.22), (-0.1, 0.38), (0.1, 0.38)], shade(c, 0.8))
    pen.oval(-0.38, -0.8, -0.12, -0.42, shade(c, 1.6))


def _umbrella(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    pen.line([(0, -0.85), (0, 0.85)], 0.06, (90, 65, 50))
    pen.line(arc((0.1, 0.82), 0.1, 0.14, 180, 0, 8), 0.06, (90, 65, 50))
    pen.poly(arc((0, 0.05), 1.0, 0.9, 180, 360), c)
    other = (245, 245, 245) if rng.random() < 0.4 else shade(c, 0.78)
    pen.poly(
        [(0, -0.85), *arc((0, 0.05), 1.0, 0.9, 205, 245, 6), (-0.35, 0.05), (-0.75, 0.05)], other
    )
    pen.poly(
        [(0, -0.85), (0.35, 0.05), (0.75, 0.05), *arc((0, 0.05), 1.0, 0.9, 335, 295, 6)], other
    )


def _chair(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    d = shade(c, 0.75)
    pen.box(-0.6, -1.0, -0.44, 1.0, c)
    pen.poly([(-0.6, 0.05), (0.5, 0.05), (0.62, 0.25), (-0.6, 0.25)], c)
    pen.box(0.44, 0.2, 0.58, 1.0, c)
    pen.box(-0.3, 0.25, -0.2, 0.85, d)
    pen.box(0.22, 0.25, 0.32, 0.85, d)
    if rng.random() < 0.6:
        pen.poly([(-0.6, -1.0), (-0.22, -0.9), (-0.28, 0.05), (-0.6, 0.05)], d)


def _clock(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    ring: Rgb = (60, 60, 65) if sum(c) > 380 else c
    pen.oval(-1, -1, 1, 1, ring)
    pen.oval(-0.82, -0.82, 0.82, 0.82, (246, 245, 240) if ring == c else c)
    for hour in range(12):
        angle = math.pi * hour / 6
        pen.line(
            [
                (0.64 * math.cos(angle), 0.64 * math.sin(angle)),
                (0.76 * math.cos(angle), 0.76 * math.sin(angle)),
            ],
            0.08,
            (30, 30, 30),
        )
    for reach, thick in ((0.42, 0.12), (0.62, 0.08)):
        angle = rng.uniform(0, 2 * math.pi)
        pen.line([(0, 0), (reach * math.cos(angle), reach * math.sin(angle))], thick, (25, 25, 25))


def _person(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    del c
    skin = SKINS[int(rng.integers(5))]
    shirt, trousers = (shade(_any(rng), 0.9) for _ in range(2))
    hair: Rgb = ((35, 25, 20), (90, 60, 35), (190, 150, 80), (140, 140, 140), (150, 70, 35))[
        int(rng.integers(5))
    ]
    swing = rng.uniform(0.05, 0.3)
    for side in (-1, 1):
        pen.poly(
            [
                (side * 0.02, 0.2),
                (side * 0.22, 0.2),
                (side * (0.14 + swing * 0.4), 1.0),
                (side * swing * 0.4, 1.0),
            ],
            trousers,
        )
        pen.line(
            [
                (side * 0.22, -0.35),
                (side * (0.34 + swing * 0.5), 0.0),
                (side * (0.3 + swing * 0.6), 0.28),
            ],
            0.12,
            shirt,
        )
        pen.oval(
            side * (0.3 + swing * 0.6) - 0.07, 0.22, side * (0.3 + swing * 0.6) + 0.07, 0.36, skin
        )
    pen.poly([(-0.28, -0.42), (0.28, -0.42), (0.24, 0.28), (-0.24, 0.28)], shirt)
    if rng.random() < 0.4:
        pen.oval(-0.27, -1.0, 0.27, -0.3, hair)
    pen.oval(-0.2, -0.96, 0.2, -0.46, skin)
    pen.poly(arc((0, -0.76), 0.22, 0.24, 180, 360, 14), hair)
    for x in (-0.08, 0.08):
        pen.oval(x - 0.025, -0.75, x + 0.025, -0.69, (30, 25, 25))
    pen.line([(-0.07, -0.57), (0.07, -0.57)], 0.03, (160, 70, 65))


def _any(rng: np.random.Generator) -> Rgb:
    red, green, blue = (int(value) for value in rng.integers(20, 250, 3))
    return (red, green, blue)


def _circle(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    del rng
    pen.oval(-1, -1, 1, 1, c)


def _square(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    del rng
    pen.box(-0.85, -0.85, 0.85, 0.85, c)


def _triangle(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    del rng
    pen.poly([(0, -0.95), (1, 0.85), (-1, 0.85)], c)


def _star(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    pen.poly(spiked(5, rng.uniform(0.36, 0.45)), c)


def _cross(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    arm = rng.uniform(0.26, 0.36)
    pen.box(-arm, -1, arm, 1, c)
    pen.box(-1, -arm, 1, arm, c)


def _ring(pen: Pen, rng: np.random.Generator, c: Rgb) -> None:
    pen.line(arc((0, 0), 0.8, 0.8, 0, 375), rng.uniform(0.26, 0.4), c)


_FORMS: dict[str, Callable[[Pen, np.random.Generator, Rgb], None]] = {
    "dog": _dog, "cat": _cat, "bird": _bird, "fish": _fish, "horse": _horse, "car": _car, "bus": _bus,
    "bicycle": _bicycle, "boat": _boat, "airplane": _airplane, "tree": _tree, "flower": _flower, "house": _house,
    "ball": _ball, "cake": _cake, "pizza": _pizza, "apple": _apple, "banana": _banana, "cup": _cup, "book": _book,
    "balloon": _balloon, "umbrella": _umbrella, "chair": _chair, "clock": _clock, "person": _person, "circle": _circle,
    "square": _square, "triangle": _triangle, "star": _star, "cross": _cross, "ring": _ring,
}  # fmt: skip

_TURNS = {"ball": 3.1, "pizza": 3.1, "circle": 0.0, "ring": 0.0, "square": 0.4, "triangle": 0.3, "star": 0.5, "cross": 0.35,
          "airplane": 0.5, "fish": 0.35, "banana": 0.6, "apple": 0.25, "book": 0.35, "umbrella": 0.3, "balloon": 0.15}  # fmt: skip
"""How far a thing may be turned from upright, radians; others keep their feet on the ground."""


def put(
    image: Image.Image,
    thing: str,
    colour: Rgb,
    centre: Point,
    half: float,
    rng: np.random.Generator,
) -> None:
    """Draw the thing into the picture, `half` pixels from its centre to its edge, lit from a random side."""
    turn = _TURNS.get(thing, 0.05)
    reach = int(half * 1.35) + 2
    left, top = int(centre[0]) - reach, int(centre[1]) - reach
    layer = Image.new("RGBA", (2 * reach, 2 * reach), (*colour, 0))
    stretch = rng.uniform(0.94, 1.06)
    pen = Pen(ImageDraw.Draw(layer), (centre[0] - left, centre[1] - top), half * stretch,
              angle=float(np.clip(rng.normal(0, turn / 2), -turn, turn)), flip=bool(rng.random() < 0.5))  # fmt: skip
    _FORMS[thing](pen, rng, colour)
    towards = rng.uniform(-1, 1, 2)
    rows, columns = np.mgrid[-1:1:16j, -1:1:16j]
    lit = np.clip(232 + 34 * (towards[0] * rows + towards[1] * columns), 0, 255).astype(np.uint8)
    lamp = Image.fromarray(lit).resize(layer.size, Image.Resampling.BILINEAR)
    alpha = layer.getchannel("A")
    layer = ImageChops.multiply(layer.convert("RGB"), Image.merge("RGB", (lamp, lamp, lamp)))
    if rng.random() < 0.5:
        _shadow(image, centre, half, thing)
    image.paste(layer, (left, top), alpha)


def _shadow(image: Image.Image, centre: Point, half: float, thing: str) -> None:
    if thing in {
        "airplane",
        "balloon",
        "bird",
        "clock",
        *("circle", "square", "triangle", "star", "cross", "ring"),
    }:
        return
    mask = Image.new("L", (max(2, int(half * 2)), max(2, int(half * 0.4))))
    ImageDraw.Draw(mask).ellipse((0, 0, mask.width - 1, mask.height - 1), fill=70)
    image.paste((20, 20, 25), (int(centre[0] - half), int(centre[1] + half * 0.8)), mask)
