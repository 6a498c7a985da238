"""Whole pictures of text: screens of telephones and computers, print and handwriting from near, under a lamp or the sun.

Each takes `(rng, width, height, light)` and returns the canvas. Pure functions of their random generator; any thread.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from havenfs.sample import fonts, prints, textures

if TYPE_CHECKING:
    from havenfs.sample.textures import Canvas, Light
    from havenfs.sample.vocabulary import Rgb

_LETTERS = "etaoinshrdlucmfwypvbgk"


def _word(rng: np.random.Generator) -> str:
    return "".join(_LETTERS[int(at)] for at in rng.integers(0, len(_LETTERS), rng.integers(2, 10)))


def screenshot(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """Messages, a list, a page of the web, or a grid of programs."""
    del light
    if rng.random() < 0.4:
        return np.asarray(prints.draw(prints.screen(rng), width, height, rng), np.float32)
    dark = rng.random() < 0.35
    paper = textures.vary(rng, (26, 28, 34) if dark else (246, 246, 249), 5)
    ink = textures.as_rgb(textures.vary(rng, (215, 216, 220) if dark else (40, 42, 48), 14))
    accent = textures.as_rgb(rng.uniform(30, 220, 3).astype(np.float32))
    image = Image.new("RGB", (width, height), textures.as_rgb(paper))
    pen, unit = ImageDraw.Draw(image), height / 24
    pen.rectangle((0, 0, width, unit * rng.uniform(1, 2.5)), fill=accent)
    face = fonts.font("screen", int(rng.integers(8)), max(6, round(unit * 0.6)))
    if rng.random() < 0.35:
        across = int(rng.integers(3, 6))
        step, icon = width / across, width / across * 0.55
        for row in range(int((height - 3 * unit) / (step * 1.15)) + 1):
            for column in range(across):
                x, y = step * (column + 0.22), 3 * unit + row * step * 1.15
                tint = textures.as_rgb(rng.uniform(30, 235, 3).astype(np.float32))
                pen.rounded_rectangle((x, y, x + icon, y + icon), icon * 0.22, tint)
                pen.text((x, y + icon * 1.08), _word(rng), ink, face)
        return np.asarray(image, np.float32)
    y = 3.2 * unit
    while y < height - unit:
        picture = rng.random() < 0.25
        left = unit * 0.6
        if picture:
            tall = unit * rng.uniform(1.2, 4)
            tint = textures.as_rgb(rng.uniform(40, 225, 3).astype(np.float32))
            pen.rectangle((left, y, left + tall * rng.uniform(1, 1.6), y + tall), fill=tint)
            left += tall * 1.8
        pen.text((left, y), " ".join(_word(rng) for _ in range(rng.integers(2, 8))), ink, face)
        if rng.random() < 0.6:
            y += unit
            soft = textures.as_rgb((paper + np.asarray(ink, np.float32)) * np.float32(0.5))
            pen.text((left, y), " ".join(_word(rng) for _ in range(rng.integers(3, 9))), soft, face)  # fmt: skip
        y += unit * rng.uniform(1.2, 2.4)
        pen.line((unit * 0.6, y - unit * 0.3, width, y - unit * 0.3), fill=textures.as_rgb(paper * 0.5 + 64))  # fmt: skip
    return np.asarray(image, np.float32)


def text(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """Printed or written lines that fill the picture, sometimes in columns, in light that falls from one side."""
    del light
    turn = float(rng.uniform(-60, 60) if rng.random() < 0.3 else rng.normal(0, 4))
    # Large enough that no corner stays empty when it is turned.
    side = round(1.5 * max(width, height)) if abs(turn) > 10 else max(width, height)
    paper = textures.vary(rng, (240, 238, 230) if rng.random() < 0.75 else (140, 134, 124), 16)
    canvas = textures.plain(paper, side, side) + textures.noise(rng, side, side, 8)[..., None] * 4
    inks: tuple[Rgb, ...] = ((36, 34, 40), (34, 44, 110), (70, 50, 40))
    ink = textures.as_rgb(textures.vary(rng, inks[int(rng.integers(3))], 12))
    size = max(6, round(height * math.exp(rng.uniform(math.log(0.035), math.log(0.22)))))
    use = ("letter", "receipt", "sign", "screen")[int(rng.integers(4))]
    face = fonts.font(use, int(rng.integers(8)), size)
    columns = 2 if size < 0.06 * height and rng.random() < 0.4 else 1
    ruled = rng.random() < 0.25

    def paint(draw: ImageDraw.ImageDraw) -> None:
        for column in range(columns):
            left = side * (0.04 + column * 0.49)
            y = float(-size * rng.uniform(0, 1))
            right = side * (0.47 if columns > 1 else 1.1) + column * 0.49 * side
            while y < side:
                x: float = left + (size if rng.random() < 0.12 else 0)
                end = right if rng.random() < 0.85 else left + (right - left) * rng.uniform(0.2, 0.7)  # fmt: skip
                while x < end - size:
                    word = _word(rng)
                    draw.text((x, y), word, ink, face)
                    x += float(draw.textlength(word, face)) + size * 0.35
                if ruled:
                    draw.line((0, y + size * 1.15, side, y + size * 1.15), fill=ink)
                y += size * (1.3 if rng.random() < 0.9 else 2.4)

    textures.paste(canvas, paint)
    page = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    turned = page.rotate(turn, Image.Resampling.BILINEAR, fillcolor=textures.as_rgb(paper * 0.6))
    left, top = (side - width) // 2, (side - height) // 2
    seen = np.asarray(turned.crop((left, top, left + width, top + height)), np.float32)
    slope = np.linspace(rng.uniform(0.35, 1.05), rng.uniform(0.6, 1.05), width)[None, :, None]
    fall = np.linspace(rng.uniform(0.6, 1.05), rng.uniform(0.6, 1.05), height)[:, None, None]
    return (seen * slope * fall).astype(np.float32)
