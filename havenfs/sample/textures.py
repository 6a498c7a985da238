"""Grounds and skies of the drawn world, and what a camera does to a picture.

Everything is defined relative to the picture's size, so that a drawing of 100 px and one of 2000 px show the same
world; the slow, smooth part is painted on at most GROUND pixels and enlarged. Knows nothing of things and words.
Pure functions of their random generator; any thread.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from havenfs.sample.vocabulary import Rgb

Light = Literal["day", "sunset", "night"]
Canvas = NDArray[np.float32]
"""height x width x 3, 0..255."""

GROUND = 360
"""Longer side on which grounds are painted, px: 25 ms for the dearest of them."""


def noise(
    rng: np.random.Generator, width: int, height: int, cells: float, aspect: float = 1.0
) -> NDArray[np.float32]:
    """Smooth noise about 0 with standard deviation 1: `cells` patches across, `aspect` times as many down.

    Returns float32 [height, width].
    """
    across = min(width, max(2, round(cells) + 1))
    down = min(height, max(2, round(cells * aspect * height / width) + 1))
    coarse = rng.standard_normal((down, across)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def clouds_of(
    rng: np.random.Generator, width: int, height: int, cells: float = 3
) -> NDArray[np.float32]:
    """Noise of three octaves, float32 [height, width]."""
    octaves = (
        noise(rng, width, height, cells)
        + 0.5 * noise(rng, width, height, cells * 2.3)
        + 0.25 * noise(rng, width, height, cells * 5)
    )
    return octaves.astype(np.float32)


def _vary(rng: np.random.Generator, colour: Rgb, by: float = 14) -> NDArray[np.float32]:
    common = rng.normal(0, by)
    return np.clip(
        np.asarray(colour, np.float32) + common + rng.normal(0, by / 2, 3), 0, 255
    ).astype(np.float32)


def _ramp(top: NDArray[np.float32], bottom: NDArray[np.float32], width: int, height: int) -> Canvas:
    share = np.linspace(0, 1, max(1, height), dtype=np.float32)[:, None, None]
    mixed = (top * (1 - share) + bottom * share).astype(np.float32)
    return np.broadcast_to(mixed, (max(1, height), width, 3)).copy()


def _plain(colour: NDArray[np.float32], width: int, height: int) -> Canvas:
    return np.broadcast_to(colour, (height, width, 3)).copy()


def _disc(
    canvas: Canvas, x: float, y: float, radius: float, colour: Sequence[float], glow: float = 0
) -> None:
    height, width = canvas.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = np.hypot(columns - x, rows - y)
    cover = np.clip(radius + 0.5 - distance, 0, 1)
    if glow:
        cover = np.maximum(cover, 0.75 * np.exp(-np.maximum(0, distance - radius) / glow))
    canvas += (np.asarray(colour, np.float32) - canvas) * cover[..., None]


def sky(
    rng: np.random.Generator, width: int, height: int, light: Light, *, cloudy: float | None = None
) -> Canvas:
    """A sky in that light: gradient, clouds, stars and a moon at night, a low sun at sunset."""
    if light == "night":
        canvas = _ramp(_vary(rng, (8, 10, 32), 5), _vary(rng, (28, 34, 74), 9), width, height)
        for _ in range(int(rng.integers(18, 70))):
            x, y = int(rng.integers(width)), int(rng.integers(height))
            size = 1 + (width > 200) + int(rng.random() < 0.15)
            canvas[y : y + size, x : x + size] = rng.uniform(150, 255)
        if rng.random() < 0.55:
            x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.12, 0.6) * height
            radius = rng.uniform(0.035, 0.09) * width
            back = canvas.copy()
            _disc(canvas, x, y, radius, (240, 238, 215), glow=radius * 0.35)
            if rng.random() < 0.4:
                rows, columns = np.mgrid[0:height, 0:width]
                bite = np.hypot(columns - x - radius * 0.6, rows - y + radius * 0.2) < radius * 0.95
                canvas[bite] = back[bite]
        return canvas
    if light == "sunset":
        top = _vary(rng, ((70, 60, 120), (120, 70, 110), (60, 80, 140))[int(rng.integers(3))])
        canvas = _ramp(top, _vary(rng, (250, 140, 60), 16), width, height)
        haze = np.clip(clouds_of(rng, width, height, 3) - 0.4, 0, 1)[..., None] * rng.uniform(
            0, 0.7
        )
        canvas += (_vary(rng, (235, 110, 100)) - canvas) * haze
        if rng.random() < 0.8:
            radius = rng.uniform(0.05, 0.11) * width
            _disc(
                canvas,
                rng.uniform(0.15, 0.85) * width,
                rng.uniform(0.6, 0.98) * height,
                radius,
                (255, 236, 170),
                radius,
            )
        return canvas
    grey = rng.random() < 0.2
    top = _vary(rng, (165, 172, 180) if grey else (75, 135, 215), 16)
    canvas = _ramp(top, _vary(rng, (205, 210, 214) if grey else (175, 210, 240), 12), width, height)
    amount = cloudy if cloudy is not None else rng.choice([0.0, 0.35, 0.8])
    if amount:
        cover = np.clip(
            clouds_of(rng, width, height, rng.uniform(1.6, 3.2)) * 0.9 - 0.6 + amount, 0, 1
        )[..., None]
        canvas += (_vary(rng, (246, 247, 250), 6) - canvas) * cover
    return canvas


def _waves(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    hue: Rgb = ((45, 115, 175), (40, 140, 160), (60, 100, 140))[int(rng.integers(3))]
    if light == "night":
        hue = (16, 26, 58)
    elif light == "sunset":
        hue = (120, 90, 110)
    colour = _vary(rng, hue)
    canvas = _ramp(colour * 1.1, colour * 0.8, width, height)
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    wobble = noise(rng, width, height, rng.uniform(2, 5), 1.5)
    crests = np.sin(rng.uniform(45, 90) * np.sqrt(rows + 0.05) + wobble * 2.2)
    canvas += (
        np.clip(crests, 0.2, 1) * rng.uniform(18, 42) + noise(rng, width, height, 40, 3) * 5
    )[..., None]
    if light == "sunset":
        glint = np.exp(-((np.linspace(-1, 1, width) - rng.uniform(-0.5, 0.5)) ** 2) / 0.03)[
            None
        ] * (crests > 0.1)
        canvas += glint[..., None] * np.asarray((120, 70, 10), np.float32)
    return canvas


def _speckled(
    rng: np.random.Generator, width: int, height: int, colour: Rgb, rough: float, cells: float
) -> Canvas:
    canvas = _plain(_vary(rng, colour), width, height)
    relief = (
        noise(rng, width, height, 4, 1.5) * 0.5
        + noise(rng, width, height, cells)
        + noise(rng, width, height, cells * 3)
    )
    return (canvas + relief[..., None] * rough).astype(np.float32)


def _below(canvas: Canvas, top: int, ground: Canvas) -> None:
    canvas[top:] = ground[: canvas.shape[0] - top]


def _paste(canvas: Canvas, paint: Callable[[ImageDraw.ImageDraw], None]) -> None:
    image = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    paint(ImageDraw.Draw(image))
    canvas[:] = np.asarray(image)


def _tuple(colour: NDArray[np.float32]) -> Rgb:
    red, green, blue = (int(value) for value in np.clip(colour, 0, 255))
    return (red, green, blue)


def _beach(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    far = rng.uniform(0.15, 0.42)
    shore = far + rng.uniform(0.1, 0.25)
    canvas = sky(rng, width, height, light)
    _below(
        canvas, int(far * height), _waves(rng, width, height, light)[: height - int(far * height)]
    )
    edge = shore * height + noise(rng, width, 8, 3)[0] * height * 0.02
    rows = np.arange(height, dtype=np.float32)[:, None]
    sand = _speckled(rng, width, height, (222, 196, 142), rng.uniform(4, 10), 30)
    canvas = np.where((rows > edge)[..., None], sand, canvas)
    foam = np.abs(rows - edge) < height * rng.uniform(0.008, 0.02)
    canvas[foam] = 240
    return canvas, shore


def _sea(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    far = rng.uniform(0.0 if light == "day" else 0.2, 0.5)
    canvas = sky(rng, width, height, light)
    _below(canvas, int(far * height), _waves(rng, width, height, light))
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
                    fill=_tuple(colour),
                )

    _paste(canvas, paint)


def _snow(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    far = rng.uniform(0.2, 0.5)
    canvas = sky(rng, width, height, light)
    if light == "day":
        canvas += (_vary(rng, (200, 208, 218), 8) - canvas) * rng.uniform(0.3, 0.9)
    if rng.random() < 0.6:
        _firs(
            rng,
            canvas,
            far + 0.02,
            _vary(rng, (60, 85, 80)),
            int(rng.integers(3, 12)),
            rng.uniform(0.15, 0.4),
        )
    _below(
        canvas,
        int(far * height),
        _speckled(rng, width, height, (232, 238, 246), rng.uniform(2, 6), 8),
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
    canvas = _speckled(rng, width, height, (58, 105, 48), rng.uniform(14, 26), 14)
    canvas += noise(rng, width, height, 5)[..., None] * 12
    ground = _speckled(
        rng, width, height, ((95, 80, 45), (75, 105, 45))[int(rng.integers(2))], 9, 25
    )
    _below(canvas, int(far * height), ground)
    bark = _vary(rng, (78, 58, 40))

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
                fill=_tuple(shade),
            )

    _paste(canvas, paint)
    crown = clouds_of(rng, width, height, 6) + np.linspace(2.2, -3.5, height)[:, None]
    leaves = _speckled(rng, width, height, (50, 110, 45), 20, 30)
    return np.where((crown > 0.6)[..., None], leaves, canvas), far


def _night(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    del light
    far = rng.uniform(0.7, 0.95)
    canvas = sky(rng, width, height, "night")
    edge = far * height + noise(rng, width, 8, 4)[0] * height * 0.05
    rows = np.arange(height, dtype=np.float32)[:, None]
    canvas[rows > edge] = _vary(rng, (10, 14, 18), 3)
    return canvas, min(0.9, far)


def _sunset(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    del light
    far = rng.uniform(0.6, 0.85)
    canvas = sky(rng, width, height, "sunset")
    sun = sky(rng, width, max(2, int(far * height)), "sunset")
    canvas[: sun.shape[0]] = sun
    if rng.random() < 0.5:
        _below(canvas, int(far * height), _waves(rng, width, height, "sunset"))
        return canvas, far
    edge = far * height + noise(rng, width, 8, 4)[0] * height * 0.03
    rows = np.arange(height, dtype=np.float32)[:, None]
    canvas[rows > edge] = _vary(rng, (40, 28, 38), 8)
    return canvas, far


def _street(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    far = rng.uniform(0.55, 0.75)
    canvas = sky(rng, width, height, light)
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
            wall = _vary(rng, tints[int(rng.integers(5))]) * (0.3 if dark else 1)
            draw.rectangle((x, top, x + wide, far * height), fill=_tuple(wall))
            across, step = int(rng.integers(2, 5)), rng.uniform(0.05, 0.09) * height
            glass = _tuple(wall * 0.6)
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

    _paste(canvas, paint)
    road = _speckled(rng, width, height, (40, 40, 46) if dark else (105, 105, 110), 4, 40)
    _below(canvas, int(far * height), road)
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

    _paste(canvas, mark)
    return canvas, far + 0.05


def _mountain(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    far = rng.uniform(0.55, 0.8)
    canvas = sky(rng, width, height, light)
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.linspace(0, 1, width, dtype=np.float32)
    dim = 0.3 if light == "night" else 1.0
    for layer in range(int(rng.integers(1, 3))):
        ridge = np.full(width, far * height, np.float32)
        for _ in range(int(rng.integers(2, 5))):
            peak, top = rng.uniform(0, 1), (rng.uniform(0.08, 0.35) + 0.12 * layer) * height
            slope = rng.uniform(0.9, 2.0) * height
            ridge = np.minimum(ridge, top + np.abs(columns - peak) * slope)
        ridge += noise(rng, width, 8, 18)[0] * height * 0.018
        rock = _vary(rng, ((95, 100, 115), (110, 95, 85), (80, 95, 85))[int(rng.integers(3))]) * dim
        shade = noise(rng, width, height, 12, 0.6)[..., None] * 12 * dim
        inside = (rows > ridge)[..., None]
        canvas = np.where(inside, rock + shade, canvas)
        if rng.random() < 0.75 and layer == 0:
            line = (0.36 + noise(rng, width, 8, 14)[0] * 0.04) * height
            canvas = np.where(
                inside & (rows < line)[..., None], 238.0 * max(dim, 0.5) + shade * 0.4, canvas
            )
    _below(canvas, int(far * height), _speckled(rng, width, height, (80, 120, 65), 10, 25) * dim)
    return canvas.astype(np.float32), far


def _meadow(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    far = rng.uniform(0.2, 0.5) if light != "day" or rng.random() < 0.7 else 0.0
    canvas = sky(rng, width, height, light)
    grass = _speckled(rng, width, height, (84, 150, 52), rng.uniform(8, 18), 30)
    grass += noise(rng, width, height, 60, 0.5)[..., None] * np.asarray((5, 12, 3), np.float32)
    if rng.random() < 0.3:
        for _ in range(int(rng.integers(10, 40))):
            x, y, size = int(rng.integers(width)), int(rng.integers(height)), max(1, width // 90)
            grass[y : y + size, x : x + size] = ((250, 240, 120), (250, 250, 250), (230, 90, 110))[
                int(rng.integers(3))
            ]
    if light == "night":
        grass *= 0.3
    _below(canvas, int(far * height), grass)
    return canvas, max(far, 0.3)


def _desert(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    far = rng.uniform(0.3, 0.55)
    canvas = sky(rng, width, height, light, cloudy=0.0)
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.linspace(0, 1, width, dtype=np.float32)
    base = _vary(rng, (218, 150, 84), 12)
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
        ripples = np.sin(rows * 0.9 + noise(rng, width, height, 3) * 5)[..., None] * 3
        canvas = np.where(
            (rows > crest * height)[..., None], shade * (1.1 - slope) + ripples, canvas
        )
    return canvas.astype(np.float32), far + 0.1


def _room(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    del light
    far = rng.uniform(0.6, 0.8)
    tints: tuple[Rgb, ...] = (
        (225, 215, 195),
        (200, 210, 205),
        (215, 195, 190),
        (190, 200, 220),
        (235, 232, 225),
        (180, 165, 140),
    )
    wall = _vary(rng, tints[int(rng.integers(6))])
    canvas = _ramp(wall * rng.uniform(0.9, 1.05), wall * rng.uniform(0.75, 1.0), width, height)
    floor = _vary(rng, ((150, 110, 75), (120, 85, 60), (170, 160, 150))[int(rng.integers(3))])
    boards = np.sin(np.linspace(0, rng.uniform(20, 50), width))[None, :, None] * 8
    _below(canvas, int(far * height), _plain(floor, width, height) + boards)

    def paint(draw: ImageDraw.ImageDraw) -> None:
        draw.rectangle((0, far * height, width, (far + 0.025) * height), fill=_tuple(wall * 0.6))
        x, y = rng.uniform(0.05, 0.6) * width, rng.uniform(0.06, 0.2) * height
        wide, tall = rng.uniform(0.18, 0.35) * width, rng.uniform(0.22, 0.4) * height
        if rng.random() < 0.6:
            draw.rectangle(
                (x, y, x + wide, y + tall),
                fill=(185, 215, 240),
                outline=(245, 245, 245),
                width=max(1, width // 50),
            )
            draw.line(
                (x + wide / 2, y, x + wide / 2, y + tall),
                fill=(245, 245, 245),
                width=max(1, width // 70),
            )
            draw.line(
                (x, y + tall / 2, x + wide, y + tall / 2),
                fill=(245, 245, 245),
                width=max(1, width // 70),
            )
        else:
            picture = _tuple(rng.uniform(60, 220, 3).astype(np.float32))
            draw.rectangle(
                (x, y, x + wide * 0.8, y + tall * 0.6),
                fill=picture,
                outline=(80, 60, 45),
                width=max(1, width // 60),
            )
        if rng.random() < 0.5:
            cloth = _vary(
                rng,
                ((120, 110, 105), (90, 100, 130), (130, 80, 70), (95, 115, 90))[
                    int(rng.integers(4))
                ],
            )
            left, top = rng.uniform(-0.1, 0.5) * width, (far - rng.uniform(0.15, 0.25)) * height
            right, foot = left + 0.55 * width, (far + 0.08) * height
            draw.rounded_rectangle(
                (left, top, right, foot), radius=width * 0.03, fill=_tuple(cloth)
            )
            draw.rectangle(
                (left + 0.03 * width, (top + foot) / 2, right - 0.03 * width, foot),
                fill=_tuple(cloth * 0.85),
            )

    _paste(canvas, paint)
    return canvas, far


def _table(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    del light
    far = float(rng.choice([0.0, rng.uniform(0.15, 0.4)]))
    tints: tuple[Rgb, ...] = ((160, 110, 65), (190, 145, 95), (120, 78, 48), (205, 170, 125))
    wood = _vary(rng, tints[int(rng.integers(4))])
    grain = noise(rng, width, height, 3, 14) * 8 + noise(rng, width, height, 6, 30) * 6
    canvas = (_plain(wood, width, height) + grain[..., None]).astype(np.float32)
    plank = rng.uniform(0.1, 0.22) * height
    rows = np.arange(height, dtype=np.float32)
    canvas[(rows + rng.uniform(0, plank)) % plank < max(1, height * 0.012)] *= 0.6
    if far:
        wall = _vary(rng, (190, 180, 168), 25)
        canvas[: int(far * height)] = _ramp(wall, wall * 0.85, width, int(far * height))
    return canvas, max(far, 0.35)


def _lines(
    rng: np.random.Generator,
    draw: ImageDraw.ImageDraw,
    box: tuple[float, float, float, float],
    ink: Rgb,
    pitch: float,
) -> None:
    left, top, right, bottom = box
    y = top
    while y < bottom:
        end = left + (right - left) * (
            rng.uniform(0.3, 0.8) if rng.random() < 0.2 else rng.uniform(0.92, 1)
        )
        x = left
        while x < end:
            word = rng.uniform(1.2, 4.5) * pitch
            draw.rectangle((x, y, min(end, x + word), y + pitch * 0.42), fill=ink)
            x += word + pitch * 0.5
        y += pitch * (2.0 if rng.random() < 0.12 else 1.0)


def _page(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    del light
    canvas = _ramp(_vary(rng, (250, 249, 244), 5), _vary(rng, (238, 236, 230), 6), width, height)
    pitch, margin = height * rng.uniform(0.014, 0.06), width * rng.uniform(0.06, 0.16)
    ink = _tuple(_vary(rng, (45, 45, 52), 20))
    # A letter of a few lines is mostly white paper: learnt too, or every such page looks like snow.
    end = height * (rng.uniform(0.7, 0.97) if rng.random() < 0.5 else rng.uniform(0.2, 0.5))

    def paint(draw: ImageDraw.ImageDraw) -> None:
        top = height * rng.uniform(0.05, 0.12)
        if rng.random() < 0.7:
            draw.rectangle(
                (margin, top, width * rng.uniform(0.45, 0.85), top + pitch * 0.9), fill=ink
            )
            top += pitch * 2.4
        _lines(rng, draw, (margin, top, width - margin, end), ink, pitch)

    _paste(canvas, paint)
    return canvas, 0.3


def _receipt(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    canvas = (
        _table(rng, width, height, light)[0]
        if rng.random() < 0.6
        else _plain(_vary(rng, (70, 70, 80), 30), width, height)
    )
    wide = rng.uniform(0.3, 0.5) * width
    left, top, bottom = (
        rng.uniform(0.1, 0.9) * (width - wide),
        height * rng.uniform(0, 0.1),
        height * rng.uniform(0.85, 1),
    )
    ink, pitch = _tuple(_vary(rng, (60, 60, 66), 18)), height * rng.uniform(0.035, 0.055)

    def paint(draw: ImageDraw.ImageDraw) -> None:
        draw.rectangle(
            (left, top, left + wide, bottom), fill=_tuple(_vary(rng, (246, 244, 238), 6))
        )
        draw.rectangle(
            (left + wide * 0.25, top + pitch, left + wide * 0.75, top + pitch * 1.9), fill=ink
        )
        y = top + pitch * 3
        while y < bottom - pitch * 3:
            draw.rectangle(
                (left + wide * 0.08, y, left + wide * rng.uniform(0.3, 0.6), y + pitch * 0.4),
                fill=ink,
            )
            draw.rectangle((left + wide * 0.76, y, left + wide * 0.92, y + pitch * 0.4), fill=ink)
            y += pitch
        draw.rectangle(
            (left + wide * 0.08, y + pitch * 0.6, left + wide * 0.92, y + pitch * 0.75), fill=ink
        )
        draw.rectangle(
            (left + wide * 0.5, y + pitch * 1.2, left + wide * 0.92, y + pitch * 2), fill=ink
        )

    _paste(canvas, paint)
    return canvas, 0.3


def _brick(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    del light
    clay = _vary(rng, ((165, 82, 62), (150, 70, 50), (185, 110, 80))[int(rng.integers(3))])
    mortar = _vary(rng, (195, 188, 178))
    tall = max(3, int(height * rng.uniform(0.055, 0.1)))
    wide, joint = max(5, int(tall * rng.uniform(2.0, 2.6))), max(1, round(tall * 0.16))
    rows, columns = np.mgrid[0:height, 0:width]
    course = rows // tall
    shifted = columns + (course % 2) * (wide // 2) + int(rng.integers(wide))
    tone = rng.normal(1, 0.09, (height // tall + 2, width // wide + 4)).astype(np.float32)
    canvas = (
        clay * tone[course, shifted // wide][..., None]
        + noise(rng, width, height, 50)[..., None] * 6
    )
    canvas[(rows % tall < joint) | (shifted % wide < joint)] = mortar
    return canvas.astype(np.float32), 0.4


def _sky(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    return sky(rng, width, height, light, cloudy=rng.uniform(0.5, 1.0)), 1.0


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

    _paste(canvas, paint)
    return canvas, far


_GROUNDS: dict[str, Callable[[np.random.Generator, int, int, Light], tuple[Canvas, float]]] = {
    "beach": _beach, "sea": _sea, "snow": _snow, "forest": _forest, "night": _night, "sunset": _sunset,
    "street": _street, "mountain": _mountain, "meadow": _meadow, "desert": _desert, "room": _room, "table": _table,
    "page": _page, "receipt": _receipt, "brick": _brick, "sky": _sky, "fireworks": _fireworks,
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


def photographed(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The picture as a camera would bring it home: exposure, white balance, vignette, blur, grain, JPEG.

    Returns an RGB image of the same size.
    """
    width, height = image.size
    gain = rng.uniform(0.78, 1.18) * (1 + rng.normal(0, 0.035, 3))
    lift, gamma = rng.uniform(0, 18), rng.uniform(0.85, 1.2)
    levels = np.arange(256) / 255
    table = [
        np.clip(lift + (255 - lift) * channel * levels**gamma, 0, 255).astype(int).tolist()
        for channel in gain
    ]
    image = image.point([value for channel in table for value in channel])
    if rng.random() < 0.6:
        rows, columns = np.mgrid[-1:1:24j, -1:1:24j]
        far = (rows - rng.uniform(-0.3, 0.3)) ** 2 + (columns - rng.uniform(-0.3, 0.3)) ** 2
        fall = np.clip(255 * (1 - rng.uniform(0.05, 0.22) * far), 0, 255).astype(np.uint8)
        mask = Image.fromarray(fall).resize((width, height), Image.Resampling.BICUBIC)
        image = ImageChops.multiply(image, Image.merge("RGB", (mask, mask, mask)))
    if rng.random() < 0.35:
        image = image.filter(
            ImageFilter.GaussianBlur(rng.uniform(0.002, 0.008) * min(width, height))
        )
    tile = rng.normal(0, rng.uniform(0.5, 7), (128, 160, 3))
    grain = np.tile(tile, (height // 128 + 1, width // 160 + 1, 1))[:height, :width].astype(
        np.int16
    )
    image = Image.fromarray(np.clip(np.asarray(image, np.int16) + grain, 0, 255).astype(np.uint8))
    if max(width, height) <= 2 * GROUND and rng.random() < 0.4:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=int(rng.integers(30, 92)))
        image = Image.open(packed).convert("RGB")
    return image
