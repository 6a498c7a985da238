"""The settings of the drawn world without the things in it.

The slow, smooth part is painted on at most GROUND pixels and enlarged. Knows nothing of things and words. Pure functions
of their random generator; any thread.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from havenfs.sample import indoors, textures

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from havenfs.sample.textures import Canvas, Light
    from havenfs.sample.vocabulary import Rgb

GROUND = 360
"""Longer side on which grounds are painted, px: 25 ms for the dearest of them."""


def _beach(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    far = rng.uniform(0.15, 0.42)
    shore = far + rng.uniform(0.1, 0.25)
    canvas = textures.sky(rng, width, height, light)
    textures.lay_below(
        canvas,
        int(far * height),
        textures.waves(rng, width, height, light)[: height - int(far * height)],
    )
    edge = shore * height + textures.noise(rng, width, 8, 3)[0] * height * 0.02
    rows = np.arange(height, dtype=np.float32)[:, None]
    sand = textures.speckled(rng, width, height, (222, 196, 142), rng.uniform(4, 10), 30)
    canvas = np.where((rows > edge)[..., None], sand, canvas)
    foam = np.abs(rows - edge) < height * rng.uniform(0.008, 0.02)
    canvas[foam] = 240
    return canvas, shore


def _sea(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    far = rng.uniform(0.0 if light == "day" else 0.2, 0.5)
    canvas = textures.sky(rng, width, height, light)
    textures.lay_below(canvas, int(far * height), textures.waves(rng, width, height, light))
    return canvas, far


def _firs(
    rng: np.random.Generator,
    canvas: Canvas,
    foot: float,
    colour: NDArray[np.float32],
    count: int,
    tall: float,
) -> None:
    height, width = int(canvas.shape[0]), int(canvas.shape[1])

    def paint(draw: ImageDraw.ImageDraw) -> None:
        for _ in range(count):
            x, base = rng.uniform(0.0, width), (foot + rng.uniform(0, 0.05)) * height
            size = float(tall * height * rng.uniform(0.6, 1.1))
            for tier in range(3):
                half, top = size * (0.16 + 0.07 * tier), base - size * (1 - 0.27 * tier)
                draw.polygon(
                    [(x, top), (x - half, top + size * 0.42), (x + half, top + size * 0.42)],
                    fill=textures.as_rgb(colour),
                )

    textures.paste(canvas, paint)


def _snow(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    far = rng.uniform(0.2, 0.5)
    canvas = textures.sky(rng, width, height, light)
    if light == "day":
        canvas += (textures.vary(rng, (200, 208, 218), 8) - canvas) * rng.uniform(0.3, 0.9)
    if rng.random() < 0.6:
        _firs(
            rng,
            canvas,
            far + 0.02,
            textures.vary(rng, (60, 85, 80)),
            int(rng.integers(3, 12)),
            rng.uniform(0.15, 0.4),
        )
    textures.lay_below(
        canvas,
        int(far * height),
        textures.speckled(rng, width, height, (232, 238, 246), rng.uniform(2, 6), 8),
    )
    if rng.random() < 0.6:
        flakes = int(rng.integers(40, 140))
        size = max(1, round(width * 0.008))
        for x, y in zip(
            rng.integers(0, width, flakes), rng.integers(0, height, flakes), strict=True
        ):
            canvas[y : y + size, x : x + size] = 250
    return canvas, far


def _forest(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    del light
    far = rng.uniform(0.5, 0.75)
    canvas = textures.speckled(rng, width, height, (58, 105, 48), rng.uniform(14, 26), 14)
    canvas += textures.noise(rng, width, height, 5)[..., None] * 12
    ground = textures.speckled(
        rng, width, height, ((95, 80, 45), (75, 105, 45))[int(rng.integers(2))], 9, 25
    )
    textures.lay_below(canvas, int(far * height), ground)
    bark = textures.vary(rng, (78, 58, 40))

    def paint(draw: ImageDraw.ImageDraw) -> None:
        for _ in range(int(rng.integers(6, 14))):
            x, thick, lean = (
                rng.uniform(0, width),
                width * rng.uniform(0.012, 0.06),
                rng.normal(0, 0.02) * width,
            )
            foot = min(1.0, far + rng.uniform(0, 0.15)) * height
            shade = bark * rng.uniform(0.55, 1.25)
            draw.polygon(
                [
                    (x, 0),
                    (x + thick, 0),
                    (x + lean + thick * 1.3, foot),
                    (x + lean - thick * 0.3, foot),
                ],
                fill=textures.as_rgb(shade),
            )

    textures.paste(canvas, paint)
    crown = textures.clouds_of(rng, width, height, 6) + np.linspace(2.2, -3.5, height)[:, None]
    leaves = textures.speckled(rng, width, height, (50, 110, 45), 20, 30)
    return np.where((crown > 0.6)[..., None], leaves, canvas), far


def _night(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    del light
    far = rng.uniform(0.7, 0.95)
    canvas = textures.sky(rng, width, height, "night")
    edge = far * height + textures.noise(rng, width, 8, 4)[0] * height * 0.05
    rows = np.arange(height, dtype=np.float32)[:, None]
    canvas[rows > edge] = textures.vary(rng, (10, 14, 18), 3)
    return canvas, min(0.9, far)


def _sunset(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    del light
    far = rng.uniform(0.6, 0.85)
    canvas = textures.sky(rng, width, height, "sunset")
    sun = textures.sky(rng, width, max(2, int(far * height)), "sunset")
    canvas[: sun.shape[0]] = sun
    if rng.random() < 0.5:
        textures.lay_below(canvas, int(far * height), textures.waves(rng, width, height, "sunset"))
        return canvas, far
    edge = far * height + textures.noise(rng, width, 8, 4)[0] * height * 0.03
    rows = np.arange(height, dtype=np.float32)[:, None]
    canvas[rows > edge] = textures.vary(rng, (40, 28, 38), 8)
    return canvas, far


def _street(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    far = rng.uniform(0.55, 0.75)
    canvas = textures.sky(rng, width, height, light)
    dark = light == "night"

    def paint(draw: ImageDraw.ImageDraw) -> None:
        x = -rng.uniform(0, 0.1) * width
        while x < width:
            wide, top = rng.uniform(0.12, 0.3) * width, rng.uniform(0.02, 0.4) * height
            tints: tuple[Rgb, ...] = (
                (170, 150, 130),
                (140, 140, 150),
                (190, 170, 140),
                (150, 100, 85),
                (110, 115, 125),
            )
            wall = textures.vary(rng, tints[int(rng.integers(5))]) * (0.3 if dark else 1)
            draw.rectangle((x, top, x + wide, far * height), fill=textures.as_rgb(wall))
            across, step = int(rng.integers(2, 5)), rng.uniform(0.05, 0.09) * height
            glass = textures.as_rgb(wall * 0.6)
            y = top + step * 0.5
            while y < far * height - step:
                for column in range(across):
                    left = x + wide * (column + 0.25) / across
                    lit = dark and rng.random() < 0.5
                    draw.rectangle(
                        (left, y, left + wide * 0.5 / across, y + step * 0.55),
                        fill=(250, 215, 120) if lit else glass,
                    )
                y += step
            x += wide * rng.uniform(1.0, 1.1)

    textures.paste(canvas, paint)
    road = textures.speckled(rng, width, height, (40, 40, 46) if dark else (105, 105, 110), 4, 40)
    textures.lay_below(canvas, int(far * height), road)
    lane = far + (1 - far) * rng.uniform(0.45, 0.7)

    def mark(draw: ImageDraw.ImageDraw) -> None:
        pavement = (70, 70, 75) if dark else (165, 162, 155)
        draw.rectangle((0, far * height, width, (far + 0.05) * height), fill=pavement)
        start = rng.uniform(-0.2, 0)
        for dash in range(7):
            left = (start + dash * 0.22) * width
            draw.rectangle(
                (left, lane * height, left + 0.11 * width, (lane + 0.02) * height),
                fill=(225, 222, 205),
            )

    textures.paste(canvas, mark)
    return canvas, far + 0.05


def _mountain(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    far = rng.uniform(0.55, 0.8)
    canvas = textures.sky(rng, width, height, light)
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.linspace(0, 1, width, dtype=np.float32)
    dim = 0.3 if light == "night" else 1.0
    for layer in range(int(rng.integers(1, 3))):
        ridge = np.full(width, far * height, np.float32)
        for _ in range(int(rng.integers(2, 5))):
            peak, top = rng.uniform(0, 1), (rng.uniform(0.08, 0.35) + 0.12 * layer) * height
            slope = rng.uniform(0.9, 2.0) * height
            ridge = np.minimum(ridge, top + np.abs(columns - peak) * slope)
        ridge += textures.noise(rng, width, 8, 18)[0] * height * 0.018
        rock = (
            textures.vary(rng, ((95, 100, 115), (110, 95, 85), (80, 95, 85))[int(rng.integers(3))])
            * dim
        )
        shade = textures.noise(rng, width, height, 12, 0.6)[..., None] * 12 * dim
        inside = (rows > ridge)[..., None]
        canvas = np.where(inside, rock + shade, canvas)
        if rng.random() < 0.75 and layer == 0:
            line = (0.36 + textures.noise(rng, width, 8, 14)[0] * 0.04) * height
            canvas = np.where(
                inside & (rows < line)[..., None], 238.0 * max(dim, 0.5) + shade * 0.4, canvas
            )
    textures.lay_below(
        canvas,
        int(far * height),
        textures.speckled(rng, width, height, (80, 120, 65), 10, 25) * dim,
    )
    return canvas.astype(np.float32), far


def _meadow(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    far = rng.uniform(0.2, 0.5) if light != "day" or rng.random() < 0.7 else 0.0
    canvas = textures.sky(rng, width, height, light)
    grass = textures.speckled(rng, width, height, (84, 150, 52), rng.uniform(8, 18), 30)
    grass += textures.noise(rng, width, height, 60, 0.5)[..., None] * np.asarray(
        (5, 12, 3), np.float32
    )
    if rng.random() < 0.3:
        for _ in range(int(rng.integers(10, 40))):
            x, y, size = int(rng.integers(width)), int(rng.integers(height)), max(1, width // 90)
            grass[y : y + size, x : x + size] = ((250, 240, 120), (250, 250, 250), (230, 90, 110))[
                int(rng.integers(3))
            ]
    if light == "night":
        grass *= 0.3
    textures.lay_below(canvas, int(far * height), grass)
    return canvas, max(far, 0.3)


def _desert(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    far = rng.uniform(0.3, 0.55)
    canvas = textures.sky(rng, width, height, light, cloudy=0.0)
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.linspace(0, 1, width, dtype=np.float32)
    base = textures.vary(rng, (218, 150, 84), 12)
    for dune in range(4):
        crest = (
            far
            + dune * rng.uniform(0.1, 0.17)
            + 0.05 * np.sin(columns * rng.uniform(3, 8) + rng.uniform(0, 6))
        )
        shade = (
            base * (0.82 + 0.09 * dune + rng.uniform(-0.1, 0.1)) * (0.35 if light == "night" else 1)
        )
        slope = np.clip((rows / height - crest[None]) * 3, 0, 0.3)[..., None]
        ripples = np.sin(rows * 0.9 + textures.noise(rng, width, height, 3) * 5)[..., None] * 3
        canvas = np.where(
            (rows > crest * height)[..., None], shade * (1.1 - slope) + ripples, canvas
        )
    return canvas.astype(np.float32), far + 0.1


def _sky(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    return textures.sky(rng, width, height, light, cloudy=rng.uniform(0.5, 1.0)), 1.0


def _fireworks(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    del light
    canvas, far = _night(rng, width, height, "night")

    def paint(draw: ImageDraw.ImageDraw) -> None:
        for _ in range(int(rng.integers(2, 6))):
            x, y, reach = (
                rng.uniform(0.1, 0.9) * width,
                rng.uniform(0.1, 0.6) * height,
                rng.uniform(0.1, 0.24) * width,
            )
            tints: tuple[Rgb, ...] = (
                (255, 90, 80),
                (255, 215, 90),
                (120, 255, 130),
                (110, 160, 255),
                (255, 130, 240),
            )
            tint, rays = tints[int(rng.integers(5))], int(rng.integers(10, 22))
            for ray in range(rays):
                angle, far_out = 2 * math.pi * ray / rays, reach * rng.uniform(0.75, 1)
                end = (x + far_out * math.cos(angle), y + far_out * math.sin(angle))
                draw.line((x + far_out * 0.25 * math.cos(angle), y + far_out * 0.25 * math.sin(angle), *end), fill=tint,
                          width=max(1, width // 110))  # fmt: skip

    textures.paste(canvas, paint)
    return canvas, far


_GROUNDS: dict[str, Callable[[np.random.Generator, int, int, Light], tuple[Canvas, float]]] = {
    "beach": _beach, "sea": _sea, "snow": _snow, "forest": _forest, "night": _night, "sunset": _sunset,
    "street": _street, "mountain": _mountain, "meadow": _meadow, "desert": _desert, "room": indoors.room, "table": indoors.table,
    "page": indoors.page, "receipt": indoors.receipt, "brick": indoors.brick, "sky": _sky, "fireworks": _fireworks,
}  # fmt: skip


def ground(
    setting: str, width: int, height: int, light: Light, rng: np.random.Generator
) -> tuple[Image.Image, float]:
    """The setting without things: the picture and the height (share from the top) at which things stand farthest."""
    shrink = min(1.0, GROUND / max(width, height))
    small = (max(8, round(width * shrink)), max(8, round(height * shrink)))
    canvas, horizon = _GROUNDS[setting](rng, *small, light)
    if light != "day" and setting in {"beach", "snow", "desert"}:
        canvas = canvas * (
            np.asarray((0.38, 0.4, 0.55)) if light == "night" else np.asarray((1.05, 0.82, 0.68))
        )
    image = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    return (
        image
        if image.size == (width, height)
        else image.resize((width, height), Image.Resampling.BICUBIC)
    ), horizon
