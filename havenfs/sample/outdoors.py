"""Whole pictures of the world outside: skylines, buildings, lakes, mountains in haze, hills, gardens, the moon.

Each takes `(rng, width, height, light)` and returns the canvas. Pure functions of their random generator; any thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from havenfs.sample import textures

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import ImageDraw

    from havenfs.sample.textures import Canvas, Light
    from havenfs.sample.vocabulary import Rgb

_DIM = {"day": 1.0, "sunset": 0.6, "night": 0.28}


def _ridge(rng: np.random.Generator, width: int, cells: float) -> NDArray[np.float32]:
    """A skyline of nature, about 0 with a spread of 1: slow forms with ever finer ones on them, float32 [width]."""
    line = np.zeros(width, np.float32)
    for octave in range(4):
        line += textures.noise(rng, width, 4, cells * 2.1**octave)[0] / 1.9**octave
    return line


def skyline(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """Rows of towers, the farther the hazier."""
    canvas = textures.sky(rng, width, height, light)
    dim, far = _DIM[light], rng.uniform(0.6, 0.95)
    haze = canvas[int(far * height * 0.6) : int(far * height)].mean((0, 1))
    rows = int(rng.integers(2, 4))

    def paint(draw: ImageDraw.ImageDraw) -> None:
        for row in range(rows):
            near = (row + 1) / rows
            x = -0.05 * width
            while x < width:
                wide = width * rng.uniform(0.04, 0.11) * (0.6 + near)
                top = height * (far - rng.uniform(0.1, 0.62) * (1.15 - 0.35 * near))
                wall = textures.vary(rng, ((125, 125, 140), (165, 150, 130), (90, 105, 125))[int(rng.integers(3))])  # fmt: skip
                tint = haze * (1 - near) * 0.8 + wall * dim * (0.2 + 0.8 * near)
                draw.rectangle((x, top, x + wide, height), fill=textures.as_rgb(tint))
                if rng.random() < 0.25:
                    middle = x + wide / 2
                    draw.line((middle, top - height * rng.uniform(0.03, 0.1), middle, top),
                              fill=textures.as_rgb(tint), width=max(1, width // 120))  # fmt: skip
                _panes(draw, rng, (x, top, x + wide, far * height), tint, lit=light != "day")
                x += wide * rng.uniform(0.95, 1.3)

    textures.paste(canvas, paint)
    ground = textures.vary(rng, (70, 80, 75), 12) * dim
    if rng.random() < 0.4:
        textures.lay_below(canvas, int(far * height), textures.waves(rng, width, height, light))
    else:
        canvas[int(far * height) :] = ground
    return canvas


def _panes(
    draw: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    box: tuple[float, float, float, float],
    wall: NDArray[np.float32],
    *,
    lit: bool,
) -> None:
    """A grid of windows."""
    left, top, right, bottom = box
    across = int(rng.integers(2, 6))
    step = (right - left) / across
    down = step * rng.uniform(0.8, 1.8)
    glass = wall * rng.uniform(0.55, 0.85)
    y = top + down * 0.4
    while y < bottom - down * 0.5 and step > 1:
        for column in range(across):
            x = left + step * (column + 0.22)
            glow = lit and rng.random() < 0.45
            fill: Rgb = (248, 214, 130) if glow else textures.as_rgb(glass)
            draw.rectangle((x, y, x + step * 0.5, y + down * 0.5), fill=fill)
        y += down


def architecture(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """One building that fills the picture: storeys of windows, columns, or roofs above each other."""
    canvas = textures.sky(rng, width, height, light)
    dim, kind = _DIM[light], int(rng.integers(3))
    foot = rng.uniform(0.78, 1.0) * height
    tints: tuple[Rgb, ...] = ((196, 178, 150), (178, 96, 74), (214, 208, 196), (160, 150, 140), (150, 70, 60))  # fmt: skip
    wall = textures.vary(rng, tints[int(rng.integers(5))]) * dim
    dark = wall * 0.5

    def block(draw: ImageDraw.ImageDraw) -> None:
        lean = rng.uniform(-0.12, 0.12) * height
        left, right = rng.uniform(-0.2, 0.25) * width, rng.uniform(0.75, 1.2) * width
        top = rng.uniform(0.02, 0.35) * height
        draw.polygon([(left, foot), (left, top + lean), (right, top - lean), (right, foot)],
                     fill=textures.as_rgb(wall))  # fmt: skip
        if rng.random() < 0.5:
            peak = (left + right) / 2
            draw.polygon([(left - 0.03 * width, top + lean), (peak, top - 0.2 * height),
                          (right + 0.03 * width, top - lean)], fill=textures.as_rgb(dark))  # fmt: skip
        storeys, across = int(rng.integers(2, 7)), int(rng.integers(3, 9))
        for storey in range(storeys):
            for column in range(across):
                x = left + (right - left) * (column + 0.25) / across
                slope = lean * (1 - 2 * (column + 0.5) / across) * (1 - storey / storeys)
                y = top + slope + (foot - top) * (storey + 0.3) / (storeys + 0.4)
                wide, tall = (
                    (right - left) * 0.48 / across,
                    (foot - top) * 0.5 / storeys,
                )
                glow = light != "day" and rng.random() < 0.4
                draw.rectangle((x, y, x + wide, y + tall),
                               fill=(246, 210, 130) if glow else textures.as_rgb(dark * rng.uniform(0.7, 1.1)),
                               outline=textures.as_rgb(wall * 1.2))  # fmt: skip

    def columns(draw: ImageDraw.ImageDraw) -> None:
        left, right, top = 0.08 * width, 0.92 * width, rng.uniform(0.25, 0.42) * height
        draw.polygon([(left, top), (width / 2, top - rng.uniform(0.1, 0.22) * height), (right, top)],
                     fill=textures.as_rgb(wall * 0.9))  # fmt: skip
        draw.rectangle((left, top, right, top + 0.07 * height), fill=textures.as_rgb(wall))
        draw.rectangle((left, top + 0.07 * height, right, foot), fill=textures.as_rgb(dark))
        many = int(rng.integers(4, 9))
        for column in range(many):
            x = left + (right - left) * (column + 0.15) / many
            thick = (right - left) * 0.45 / many
            draw.rectangle((x, top + 0.07 * height, x + thick, foot), fill=textures.as_rgb(wall))
            draw.rectangle((x, top + 0.07 * height, x + thick * 0.35, foot), fill=textures.as_rgb(wall * 1.15))  # fmt: skip

    def roofs(draw: ImageDraw.ImageDraw) -> None:
        middle, y, half = rng.uniform(0.35, 0.65) * width, foot, rng.uniform(0.3, 0.5) * width
        tiles = textures.vary(rng, ((120, 60, 45), (90, 95, 100), (60, 85, 80), (170, 110, 50))[int(rng.integers(4))]) * dim  # fmt: skip
        for tier in range(int(rng.integers(2, 5))):
            body, eave = half * 0.72, height * rng.uniform(0.05, 0.1)
            tall = height * rng.uniform(0.12, 0.2)
            draw.rectangle((middle - body, y - tall, middle + body, y), fill=textures.as_rgb(wall))
            _panes(draw, rng, (middle - body, y - tall, middle + body, y), wall, lit=False)
            lift = eave * rng.uniform(-0.3, 0.5)
            draw.polygon([(middle - half, y - tall - lift), (middle - body, y - tall + eave * 0.2),
                          (middle + body, y - tall + eave * 0.2), (middle + half, y - tall - lift),
                          (middle + body * 0.75, y - tall - eave), (middle - body * 0.75, y - tall - eave)],
                         fill=textures.as_rgb(tiles * (0.9 + 0.1 * tier)))  # fmt: skip
            y -= tall + eave
            half *= rng.uniform(0.68, 0.88)
        if rng.random() < 0.5:
            draw.polygon([(middle - half * 0.3, y), (middle, y - 0.12 * height), (middle + half * 0.3, y)],
                         fill=textures.as_rgb(tiles))  # fmt: skip

    textures.paste(canvas, (block, columns, roofs)[kind])
    stone = textures.speckled(rng, width, height, (140, 134, 124), 6, 30) * dim
    textures.lay_below(canvas, int(foot), stone)
    if rng.random() < 0.5:
        _bushes(rng, canvas, 1.0, rng.uniform(0.1, 0.3), dim)
    grain = textures.noise(rng, width, height, 60)[..., None] * 5 * dim
    return (canvas + grain).astype(np.float32)


def _bushes(rng: np.random.Generator, canvas: Canvas, foot: float, tall: float, dim: float) -> None:
    """A rough edge of leaves up to `tall` of the height above `foot`."""
    height, width = canvas.shape[:2]
    edge = (foot - tall * (0.6 + 0.35 * _ridge(rng, width, 5))) * height
    rows = np.arange(height, dtype=np.float32)[:, None]
    inside = (rows > edge) & (rows < foot * height)
    leaves = textures.speckled(rng, width, height, (52, 84, 40), 24, 26) * dim
    canvas[inside] = leaves[inside]


def mountains(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """Ridges behind ridges in haze, the highest with snow, woods or meadows in front."""
    canvas = textures.sky(rng, width, height, light)
    dim = _DIM[light]
    rows = np.arange(height, dtype=np.float32)[:, None]
    base = rng.uniform(0.25, 0.5)
    haze = canvas[int(base * height)].mean(0)
    many = int(rng.integers(2, 5))
    for layer in range(many):
        near = (layer + 1) / many
        height_of = rng.uniform(0.08, 0.2) * (1.5 - 0.8 * near)
        crest = _ridge(rng, width, rng.uniform(1.5, 4))
        line = (base + 0.35 * near * rng.uniform(0.6, 1.0) - height_of * crest) * height
        rock = textures.vary(rng, ((105, 105, 115), (100, 90, 80), (62, 84, 60))[int(rng.integers(3))])  # fmt: skip
        tint = haze * (1 - near) * 0.75 + rock * dim * (0.25 + 0.75 * near)
        relief = textures.noise(rng, width, height, 7, 1.2) + textures.noise(rng, width, height, 20, 1.5)  # fmt: skip
        shade = relief[..., None] * 11 * near * dim
        inside = (rows > line)[..., None]
        canvas = np.where(inside, tint + shade, canvas)
        if layer < many - 1 and rng.random() < 0.6:
            snow = line.min() + (line.max() - line.min()) * rng.uniform(0.35, 0.9)
            snow = snow + relief * height * 0.03
            white = np.asarray((236, 240, 248), np.float32) * max(dim, 0.45) + shade * 1.5
            canvas = np.where(inside & (rows < snow)[..., None], white, canvas)
    floor = rng.uniform(0.72, 0.95)
    if rng.random() < 0.5:
        _bushes(rng, canvas, 1.0, 1 - floor, dim)
    else:
        meadow = textures.speckled(rng, width, height, (96, 128, 66), 12, 30) * dim
        textures.lay_below(canvas, int(floor * height), meadow)
    return canvas.astype(np.float32)


def hills(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """Rolling fields under a wide sky."""
    canvas = textures.sky(rng, width, height, light)
    rows = np.arange(height, dtype=np.float32)[:, None]
    at, dim = rng.uniform(0.3, 0.55), _DIM[light]
    tints: tuple[Rgb, ...] = ((120, 150, 70), (190, 170, 90), (86, 128, 60), (160, 150, 100), (70, 105, 55))  # fmt: skip
    for _ in range(int(rng.integers(3, 6))):
        crest = (at - 0.05 * textures.noise(rng, width, 4, rng.uniform(1, 3))[0]) * height
        field = textures.speckled(rng, width, height, tints[int(rng.integers(5))], 7, 40)
        furrows = np.sin(rows * rng.uniform(0.2, 0.9) + textures.noise(rng, width, height, 2) * 6)
        field += furrows[..., None] * rng.uniform(0, 9)
        canvas = np.where((rows > crest)[..., None], field * dim, canvas)
        if rng.random() < 0.6:
            hedge = np.abs(rows - crest) < height * 0.018 * (
                0.4 + np.abs(textures.noise(rng, width, 4, 25)[0])
            )
            canvas[hedge] = np.asarray((52, 76, 40)) * dim
        at += rng.uniform(0.08, 0.2)
    return canvas.astype(np.float32)


def lake(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """Still water with its banks turned over in it."""
    shore = rng.uniform(0.35, 0.6)
    top = max(2, int(shore * height))
    canvas = textures.sky(rng, width, height, light)
    _bushes(rng, canvas, shore, rng.uniform(0.08, 0.28), _DIM[light])
    mirrored = canvas[:top][::-1]
    under = np.repeat(mirrored, -(-(height - top) // top), axis=0)[: height - top]
    slide = (textures.noise(rng, width, height, 3, 12)[: height - top] * width * 0.012).astype(int)
    columns = np.clip(np.arange(width)[None] + slide, 0, width - 1)
    under = np.take_along_axis(under, columns[..., None], axis=1)
    blue = textures.vary(rng, (60, 95, 120)) * _DIM[light]
    canvas[top:] = under * rng.uniform(0.55, 0.8) + blue * 0.25
    ripples = np.sin(np.arange(height - top, dtype=np.float32)[:, None] * rng.uniform(0.5, 1.4)
                     + textures.noise(rng, width, height - top, 3) * 4)  # fmt: skip
    canvas[top:] += ripples[..., None] * rng.uniform(1, 7)
    if rng.random() < 0.35:
        stones = textures.speckled(rng, width, height, (120, 114, 104), 18, 40) * _DIM[light]
        edge = height * (rng.uniform(0.82, 0.95) + 0.02 * textures.noise(rng, width, 4, 6)[0])
        front = np.arange(height, dtype=np.float32)[:, None] > edge
        canvas[front] = stones[front]
    return canvas


def garden(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """Round trees and beds beside a path on a lawn."""
    canvas = textures.sky(rng, width, height, light)
    far, dim = rng.uniform(0.35, 0.55), _DIM[light]
    _bushes(rng, canvas, far + 0.02, rng.uniform(0.1, 0.35), dim)
    grass = textures.speckled(rng, width, height, (92, 140, 60), 14, 40) * dim
    textures.lay_below(canvas, int(far * height), grass)
    path = textures.as_rgb(textures.vary(rng, (190, 176, 150)) * dim)
    start, end = rng.uniform(0.1, 0.9) * width, rng.uniform(0.2, 0.8) * width
    wide = rng.uniform(0.06, 0.2) * width

    def way(draw: ImageDraw.ImageDraw) -> None:
        draw.polygon([(end - 2, far * height), (end + 2, far * height), (start + wide, height), (start - wide, height)],
                     fill=path)  # fmt: skip

    if rng.random() < 0.6:
        textures.paste(canvas, way)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(int(rng.integers(2, 6))):
        x, foot = rng.uniform(0, 1) * width, (far + rng.uniform(0, 0.3)) * height
        size = (foot / height - far + 0.18) * height * rng.uniform(0.7, 1.2)
        trunk = (np.abs(columns - x) < size * 0.09) & (rows < foot) & (rows > foot - size)
        canvas[trunk] = np.asarray((84, 66, 50)) * dim
        wobble = textures.noise(rng, width, height, 18) * size * 0.12
        crown = np.hypot(columns - x, (rows - foot + size * 1.5) * 0.95) + wobble < size * 0.75
        leaves = textures.speckled(rng, width, height, (62, 104, 46), 22, 40) * dim
        canvas[crown] = leaves[crown]
    for _ in range(int(rng.integers(0, 60))):
        x, y = int(rng.integers(width)), int(rng.integers(int(far * height), height))
        dot = max(1, width // 80)
        canvas[y : y + dot, x : x + dot] = rng.uniform(120, 255, 3) * max(dim, 0.4)
    return canvas


def moon(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """The moon through a long lens, or a piece of its ground full of craters."""
    del light
    ground = textures.plain(np.asarray((150, 148, 142), np.float32), width, height)
    ground += textures.clouds_of(rng, width, height, 4)[..., None] * 18
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(int(rng.integers(8, 40))):
        x, y, size = rng.uniform(0, width), rng.uniform(0, height), width * rng.uniform(0.01, 0.07)
        away = np.hypot(columns - x, rows - y) / size
        rim = np.exp(-((away - 1) ** 2) * 9) * np.sign(columns - x + 0.01) * 26
        ground += (rim - 14 * (away < 1))[..., None]
    ground *= rng.uniform(0.55, 1.15)
    if rng.random() < 0.3:
        fading = np.linspace(1, rng.uniform(0.25, 0.9), width, dtype=np.float32)
        return ground * fading[None, :, None]
    x, y = rng.uniform(0.3, 0.7) * width, rng.uniform(0.3, 0.7) * height
    radius = rng.uniform(0.18, 0.48) * min(width, height)
    inside = np.hypot(columns - x, rows - y) < radius
    night = rng.uniform(-1.6, 1.2)
    lit = np.clip(((columns - x) / radius - night) * 3 + 0.5, 0.04, 1)[..., None]
    return np.where(inside[..., None], ground * lit, textures.vary(rng, (8, 9, 16), 4)).astype(
        np.float32
    )
