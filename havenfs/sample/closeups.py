"""Whole pictures of what is near: a blossom, a cat's or dog's face, stones, leaves, a lawn, a meal, a motorcycle.

Each takes `(rng, width, height, light)` and returns the canvas. Pure functions of their random generator; any thread.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from havenfs.sample import textures
from havenfs.sample.company import background
from havenfs.sample.pen import Pen, arc, shade
from havenfs.sample.vocabulary import COLOURS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from havenfs.sample.textures import Canvas, Light
    from havenfs.sample.vocabulary import Rgb


def _bokeh(rng: np.random.Generator, width: int, height: int) -> Canvas:
    """Leaves far behind the point of focus: dark and light greens without an edge."""
    base: Rgb = ((34, 52, 30), (70, 96, 48), (110, 130, 80), (46, 60, 62), (120, 112, 92))[
        int(rng.integers(5))
    ]
    canvas = textures.plain(textures.vary(rng, base), width, height)
    cloud = textures.clouds_of(rng, width, height, rng.uniform(2, 5))[..., None]
    return (canvas + cloud * np.asarray((16, 22, 12)) * rng.uniform(0.4, 1.3)).astype(np.float32)


def blossom(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """One to three flowers so near that each petal shows."""
    canvas = _bokeh(rng, width, height)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    hue = ("red", "pink", "yellow", "purple", "white", "blue", "orange")[int(rng.integers(7))]
    tint = textures.vary(rng, COLOURS[hue], 22)
    heart = textures.vary(rng, ((240, 200, 60), (110, 70, 30), (60, 40, 60), (200, 190, 90))[int(rng.integers(4))])  # fmt: skip
    for _ in range(1 if rng.random() < 0.7 else int(rng.integers(2, 4))):
        x, y = rng.uniform(0.25, 0.75) * width, rng.uniform(0.25, 0.7) * height
        reach = rng.uniform(0.24, 0.6) * min(width, height)
        stem = (np.abs(columns - x - (rows - y) * rng.uniform(-0.3, 0.3)) < reach * 0.06) & (rows > y)  # fmt: skip
        canvas[stem] = textures.vary(rng, (70, 110, 50))
        squash, turn, petals = rng.uniform(0.6, 1), rng.uniform(0, 6.3), int(rng.integers(4, 17))
        down, across = (rows - y) / squash, columns - x
        away, angle = np.hypot(across, down) / reach, np.arctan2(down, across) + turn
        for ring in range(int(rng.integers(1, 4))):
            size = 1 - 0.22 * ring
            wave = np.abs(np.cos((angle + ring * math.pi / petals) * petals / 2))
            edge = size * (rng.uniform(0.45, 0.75) + (1 - 0.6) * wave ** rng.uniform(0.3, 1.2))
            inside = away < edge
            vein = 1 - 0.22 * (1 - wave) + 0.06 * np.sin(angle * petals * 7)
            tone = (0.72 + 0.3 * away / size) * vein * (1 - 0.06 * ring)
            canvas = np.where(inside[..., None], tint * tone[..., None], canvas)
        middle = away < rng.uniform(0.12, 0.3)
        grain = textures.noise(rng, width, height, 70)[..., None] * 16
        canvas = np.where(middle[..., None], heart + grain, canvas)
    return (canvas * (0.45 if light == "night" else 1)).astype(np.float32)


def _fur(rng: np.random.Generator, width: int, height: int, colour: NDArray[np.float32]) -> Canvas:
    """Hair: fine streaks along a direction that turns slowly, in patches of light and dark."""
    steep = rng.random() < 0.5
    streaks = textures.noise(rng, width, height, 60 if steep else 22, 0.3 if steep else 3)
    fine = textures.noise(rng, width, height, 110)
    patches = textures.clouds_of(rng, width, height, rng.uniform(2, 6))
    depth = 9 + 0.07 * float(colour.mean())
    relief = streaks * depth + fine * depth * 0.6 + patches * depth * rng.uniform(0.4, 1.6)
    return (textures.plain(colour, width, height) + relief[..., None]).astype(np.float32)


def _coat(rng: np.random.Generator) -> NDArray[np.float32]:
    hues: tuple[Rgb, ...] = ((190, 130, 70), (150, 120, 90), (60, 56, 54), (215, 200, 180), (120, 116, 112), (220, 160, 95))  # fmt: skip
    return textures.vary(rng, hues[int(rng.integers(6))], 16)


def _animal(rng: np.random.Generator, width: int, height: int, light: Light, kind: str) -> Canvas:
    """The face of a cat or a dog, from half of the picture to more than all of it."""
    coat = _coat(rng)
    image = background(rng, width, height, light, soft=rng.uniform(0.02, 0.07))
    fur = _fur(rng, width, height, coat)
    if kind == "cat" and rng.random() < 0.6:
        stripes = np.sin(textures.clouds_of(rng, width, height, 2.5) * rng.uniform(5, 9))
        fur -= (np.clip(stripes, 0, 1) * rng.uniform(20, 50))[..., None]
    if rng.random() < 0.5:
        white = np.linspace(-1, 1, height)[:, None] + 0.3 * textures.noise(rng, width, height, 3)
        fur += np.clip(white, 0, 1)[..., None] * (235 - fur) * 0.8
    coated = Image.fromarray(np.clip(fur, 0, 255).astype(np.uint8))
    half = min(width, height) * rng.uniform(0.28, 0.72)
    centre = (width * rng.uniform(0.35, 0.65), height * rng.uniform(0.4, 0.6))
    angle, flip = float(rng.normal(0, 0.15)), bool(rng.random() < 0.5)
    mask = Image.new("RGB", (width, height))
    shape = Pen(ImageDraw.Draw(mask), centre, half, angle=angle, flip=flip)
    full = (255, 255, 255)
    if kind == "cat":
        ears = [[(-0.92, -0.35), (-0.85, -1.15), (-0.25, -0.8)], [(0.92, -0.35), (0.85, -1.15), (0.25, -0.8)]]  # fmt: skip
        head = (-0.98, -0.85, 0.98, 0.75)
    else:
        low = rng.uniform(0.1, 0.7)
        ears = [[(-0.6, -0.85), (-1.15, -0.5), (-1.05, low), (-0.7, 0.1)], [(0.6, -0.85), (1.15, -0.5), (1.05, low), (0.7, 0.1)]]  # fmt: skip
        head = (-0.82, -0.95, 0.82, 0.95)
    shape.oval(-1.3, 0.4, 1.3, 3.2, full)
    for ear in ears:
        shape.poly(ear, full)
    shape.oval(*head, full)
    soft = mask.convert("L").filter(ImageFilter.GaussianBlur(half * 0.02))
    image.paste(coated, (0, 0), soft)
    pen = Pen(ImageDraw.Draw(image), centre, half, angle=angle, flip=flip)
    dark, light_coat = shade(textures.as_rgb(coat), 0.55), shade(textures.as_rgb(coat), 1.4)
    if kind == "cat":
        eye: Rgb = ((150, 180, 80), (220, 180, 70), (110, 160, 190))[int(rng.integers(3))]
        for side in (-1, 1):
            pen.poly([(side * 0.8, -0.5), (side * 0.78, -0.95), (side * 0.42, -0.75)], (205, 150, 140))  # fmt: skip
            pen.oval(side * 0.42 - 0.24, -0.3, side * 0.42 + 0.24, 0.06, (25, 22, 20))
            pen.oval(side * 0.42 - 0.21, -0.28, side * 0.42 + 0.21, 0.04, eye)
            thin = rng.uniform(0.05, 0.14)
            pen.oval(side * 0.42 - thin, -0.26, side * 0.42 + thin, 0.02, (8, 8, 8))
            pen.oval(side * 0.2 - 0.24, 0.18, side * 0.2 + 0.24, 0.58, light_coat)
            for whisker in (0.3, 0.38, 0.46):
                pen.line([(side * 0.3, whisker), (side * 1.25, whisker + rng.uniform(-0.25, 0.2))], 0.015, (235, 235, 230))  # fmt: skip
        pen.poly([(-0.13, 0.16), (0.13, 0.16), (0, 0.3)], (200, 120, 120))
        pen.line(arc((-0.12, 0.38), 0.12, 0.1, 0, 160, 8), 0.03, dark)
        pen.line(arc((0.12, 0.38), 0.12, 0.1, 20, 180, 8), 0.03, dark)
    else:
        for side in (-1, 1):
            pen.poly([(side * 0.6, -0.85), (side * 1.15, -0.5), (side * 1.05, 0.1), (side * 0.72, 0.0)], dark)  # fmt: skip
            pen.oval(side * 0.36 - 0.14, -0.32, side * 0.36 + 0.14, -0.06, (30, 20, 14))
            pen.oval(side * 0.36 - 0.03, -0.26, side * 0.36 + 0.05, -0.18, (230, 230, 230))
        pen.oval(-0.42, 0.0, 0.42, 0.8, light_coat)
        pen.oval(-0.2, 0.06, 0.2, 0.34, (22, 18, 18))
        pen.line([(0, 0.32), (0, 0.55)], 0.03, dark)
        pen.line(arc((0, 0.45), 0.3, 0.16, 10, 170, 10), 0.04, dark)
        if rng.random() < 0.5:
            pen.oval(-0.13, 0.55, 0.13, 0.95, (220, 110, 120))
    return np.asarray(image, np.float32)


def cat(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """A cat's face."""
    return _animal(rng, width, height, light, "cat")


def dog(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """A dog's face."""
    return _animal(rng, width, height, light, "dog")


def _cells(
    rng: np.random.Generator, width: int, height: int, many: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The nearest of `many` random points for each pixel, and how near the second one is: 0 on the border of two."""
    shrink = max(1, max(width, height) // 64)
    small = (max(8, width // shrink), max(8, height // shrink))
    rows, columns = np.mgrid[0 : small[1], 0 : small[0]].astype(np.float32)
    x, y = rng.uniform(0, small[0], many), rng.uniform(0, small[1], many)
    far = np.hypot(columns[..., None] - x, rows[..., None] - y)
    two = np.partition(far, 1, axis=2)
    gap = ((two[..., 1] - two[..., 0]) / math.sqrt(small[0] * small[1] / many)).astype(np.float32)
    owner = Image.fromarray(far.argmin(2).astype(np.int32)).resize((width, height), Image.Resampling.NEAREST)  # fmt: skip
    border = Image.fromarray(gap).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(owner).astype(np.intp), np.asarray(border, np.float32)


def stones(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """Gravel or pebbles, each of its own tone, dark between."""
    many = int(rng.integers(40, 180))
    owner, border = _cells(rng, width, height, many)
    base = textures.vary(rng, ((130, 128, 124), (150, 135, 115), (100, 100, 105))[int(rng.integers(3))])  # fmt: skip
    tone = rng.normal(1, 0.18, many).astype(np.float32)[owner]
    round_ = np.clip(border / rng.uniform(0.25, 0.6), 0, 1) ** 0.5
    lit = textures.noise(rng, width, height, 40) * 9
    canvas = base * (tone * (0.35 + 0.7 * round_))[..., None] + lit[..., None]
    return (canvas * (0.4 if light == "night" else 1)).astype(np.float32)


def leaves(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """Foliage that fills the picture, light on top and dark below."""
    many = int(rng.integers(25, 160))
    owner, border = _cells(rng, width, height, many)
    base = textures.vary(rng, ((70, 120, 48), (52, 92, 44), (110, 140, 60), (170, 110, 40))[int(rng.integers(4))])  # fmt: skip
    tone = rng.normal(0.85, 0.28, many).clip(0.2).astype(np.float32)[owner]
    vein = textures.noise(rng, width, height, 50, 0.5) * 9
    edge = np.clip(border * 4, 0.25, 1)
    canvas = base * (tone * edge)[..., None] + vein[..., None]
    return (canvas * (0.4 if light == "night" else 1)).astype(np.float32)


def lawn(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """Grass from so near that there are blades."""
    canvas = textures.speckled(rng, width, height, (78, 122, 48), 10, 20)
    blades = int(rng.integers(250, 900))
    dim = 0.4 if light == "night" else 1.0

    def paint(draw: ImageDraw.ImageDraw) -> None:
        long = height * rng.uniform(0.08, 0.3)
        wind = rng.normal(0, 0.4)
        for foot in np.sort(rng.uniform(0, 1.15, blades)):
            x, y = rng.uniform(-0.05, 1.05) * width, foot * height
            lean = wind + rng.normal(0, 0.45)
            tint = textures.vary(rng, (95, 148, 58), 30) * rng.uniform(0.5, 1.25)
            draw.line((x, y, x + lean * long * 0.5, y - long * rng.uniform(0.5, 1.1)),
                      fill=textures.as_rgb(tint), width=max(1, width // int(rng.integers(90, 220))))  # fmt: skip

    textures.paste(canvas, paint)
    return canvas * dim


def meal(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """A plate or bowl with food on a table, from above or across it."""
    del light
    tints: tuple[Rgb, ...] = ((120, 80, 52), (210, 200, 185), (60, 62, 68), (185, 150, 110), (170, 60, 60))  # fmt: skip
    cloth = textures.vary(rng, tints[int(rng.integers(5))])
    canvas = textures.speckled(rng, width, height, textures.as_rgb(cloth), 5, 12)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    flat = rng.uniform(0.5, 1.0)
    radius = rng.uniform(0.36, 0.75) * min(width, height)
    x, y = rng.uniform(0.38, 0.62) * width, rng.uniform(0.42, 0.62) * height
    away = np.hypot(columns - x, (rows - y) / flat) / radius
    china = textures.vary(rng, ((244, 243, 238), (70, 90, 120), (60, 58, 58))[int(rng.choice(3, p=[0.7, 0.15, 0.15]))])  # fmt: skip
    canvas *= np.where(away < 1.08, 0.6, 1)[..., None]
    rim = 1 - 0.12 * ((away > 0.68) & (away < 0.74)) + 0.05 * np.sin(np.arctan2(rows - y, columns - x))  # fmt: skip
    canvas = np.where((away < 1)[..., None], china * rim[..., None], canvas)
    foods: tuple[Rgb, ...] = ((188, 120, 60), (96, 140, 56), (196, 60, 44), (236, 214, 160), (120, 70, 42), (240, 180, 70), (246, 240, 226))  # fmt: skip
    for _ in range(int(rng.integers(3, 9))):
        tint = textures.vary(rng, foods[int(rng.integers(7))], 18)
        turn, off = rng.uniform(0, 6.3), rng.uniform(0, 0.42) * radius
        cx, cy = x + off * math.cos(turn), y + off * flat * math.sin(turn)
        wobble = textures.noise(rng, width, height, rng.uniform(6, 16)) * 0.16
        near = np.hypot((columns - cx) * rng.uniform(0.8, 1.4), (rows - cy) / flat * rng.uniform(0.8, 1.4)) / radius  # fmt: skip
        inside = (near + wobble < rng.uniform(0.18, 0.45)) & (away < 0.75)
        grain = textures.noise(rng, width, height, rng.uniform(14, 60))
        if rng.random() < 0.3:
            grain = grain + 1.5 * np.sin(textures.clouds_of(rng, width, height, 4) * 14)
        canvas = np.where(inside[..., None], tint + grain[..., None] * rng.uniform(8, 24), canvas)
    if rng.random() < 0.5:
        side = x + radius * rng.choice((-1.12, 1.12))
        handle = (np.abs(columns - side) < radius * 0.035) & (np.abs(rows - y) < radius * 0.8)
        canvas[handle] = 205
    return canvas.astype(np.float32)


def motorcycle(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """A motorcycle from the side."""
    image = background(rng, width, height, light, soft=rng.uniform(0, 0.03))
    half = min(width, height) * rng.uniform(0.4, 0.72)
    pen = Pen(ImageDraw.Draw(image), (width * rng.uniform(0.42, 0.58), height * rng.uniform(0.5, 0.62)), half,
              angle=float(rng.normal(0, 0.06)), flip=bool(rng.random() < 0.5))  # fmt: skip
    hue = list(COLOURS.values())[int(rng.integers(len(COLOURS)))]
    paint, steel, black = textures.as_rgb(textures.vary(rng, hue)), (165, 168, 172), (26, 26, 28)
    for x in (-0.68, 0.68):
        pen.line(arc((x, 0.42), 0.33, 0.33, 0, 370), 0.13, black)
        pen.line(arc((x, 0.42), 0.2, 0.2, 0, 370), 0.04, steel)
        for spoke in range(5):
            turn = spoke * 1.257
            pen.line([(x, 0.42), (x + 0.3 * math.cos(turn), 0.42 + 0.3 * math.sin(turn))], 0.02, steel)  # fmt: skip
    pen.line([(0.68, 0.42), (0.44, -0.3), (0.38, -0.48)], 0.07, steel)
    pen.line([(0.38, -0.48), (0.22, -0.52)], 0.06, black)
    pen.line([(-0.68, 0.42), (-0.1, 0.3), (0.1, 0.42)], 0.08, steel)
    pen.oval(-0.22, 0.0, 0.26, 0.48, shade(steel, 0.62))
    pen.oval(-0.1, 0.06, 0.16, 0.3, steel)
    pen.line([(0.2, 0.4), (-0.2, 0.52), (-0.95, 0.5)], 0.08, steel)
    pen.poly([(-0.2, -0.12), (0.3, -0.3), (0.42, -0.12), (0.2, 0.06), (-0.15, 0.04)], paint)
    pen.poly([(-0.85, -0.22), (-0.2, -0.14), (-0.18, 0.0), (-0.7, -0.04)], black)
    pen.poly([(-0.98, -0.1), (-0.6, -0.08), (-0.5, 0.1), (-0.9, 0.06)], paint)
    pen.line(arc((0.68, 0.42), 0.42, 0.42, 200, 320, 10), 0.06, paint)
    pen.oval(0.42, -0.4, 0.6, -0.2, (240, 236, 215))
    return np.asarray(image, np.float32)
