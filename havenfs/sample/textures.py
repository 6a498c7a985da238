"""What grounds and skies are painted with: noise, clouds, ramps, waves, speckles.

Everything is defined relative to the picture's size, so that a drawing of 100 px and one of 2000 px show the same
world. Knows no settings. Pure functions of their random generator; any thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from havenfs.sample.vocabulary import Rgb

Light = Literal["day", "sunset", "night"]
Canvas = NDArray[np.float32]
"""height x width x 3, 0..255."""


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


def vary(rng: np.random.Generator, colour: Rgb, by: float = 14) -> NDArray[np.float32]:
    common = rng.normal(0, by)
    return np.clip(
        np.asarray(colour, np.float32) + common + rng.normal(0, by / 2, 3), 0, 255
    ).astype(np.float32)


def ramp(top: NDArray[np.float32], bottom: NDArray[np.float32], width: int, height: int) -> Canvas:
    share = np.linspace(0, 1, max(1, height), dtype=np.float32)[:, None, None]
    mixed = (top * (1 - share) + bottom * share).astype(np.float32)
    return np.broadcast_to(mixed, (max(1, height), width, 3)).copy()


def plain(colour: NDArray[np.float32], width: int, height: int) -> Canvas:
    return np.broadcast_to(colour, (height, width, 3)).copy()


def disc(
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
        canvas = ramp(vary(rng, (8, 10, 32), 5), vary(rng, (28, 34, 74), 9), width, height)
        for _ in range(int(rng.integers(18, 70))):
            x, y = int(rng.integers(width)), int(rng.integers(height))
            size = 1 + (width > 200) + int(rng.random() < 0.15)
            canvas[y : y + size, x : x + size] = rng.uniform(150, 255)
        if rng.random() < 0.55:
            x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.12, 0.6) * height
            radius = rng.uniform(0.035, 0.09) * width
            back = canvas.copy()
            disc(canvas, x, y, radius, (240, 238, 215), glow=radius * 0.35)
            if rng.random() < 0.4:
                rows, columns = np.mgrid[0:height, 0:width]
                bite = np.hypot(columns - x - radius * 0.6, rows - y + radius * 0.2) < radius * 0.95
                canvas[bite] = back[bite]
        return canvas
    if light == "sunset":
        top = vary(rng, ((70, 60, 120), (120, 70, 110), (60, 80, 140))[int(rng.integers(3))])
        canvas = ramp(top, vary(rng, (250, 140, 60), 16), width, height)
        haze = np.clip(clouds_of(rng, width, height, 3) - 0.4, 0, 1)[..., None] * rng.uniform(
            0, 0.7
        )
        canvas += (vary(rng, (235, 110, 100)) - canvas) * haze
        if rng.random() < 0.8:
            radius = rng.uniform(0.05, 0.11) * width
            disc(
                canvas,
                rng.uniform(0.15, 0.85) * width,
                rng.uniform(0.6, 0.98) * height,
                radius,
                (255, 236, 170),
                radius,
            )
        return canvas
    grey = rng.random() < 0.2
    top = vary(rng, (165, 172, 180) if grey else (75, 135, 215), 16)
    canvas = ramp(top, vary(rng, (205, 210, 214) if grey else (175, 210, 240), 12), width, height)
    amount = cloudy if cloudy is not None else rng.choice([0.0, 0.35, 0.8])
    if amount:
        cover = np.clip(
            clouds_of(rng, width, height, rng.uniform(1.6, 3.2)) * 0.9 - 0.6 + amount, 0, 1
        )[..., None]
        canvas += (vary(rng, (246, 247, 250), 6) - canvas) * cover
    return canvas


def waves(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    hue: Rgb = ((45, 115, 175), (40, 140, 160), (60, 100, 140))[int(rng.integers(3))]
    if light == "night":
        hue = (16, 26, 58)
    elif light == "sunset":
        hue = (120, 90, 110)
    colour = vary(rng, hue)
    canvas = ramp(colour * 1.1, colour * 0.8, width, height)
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


def speckled(
    rng: np.random.Generator, width: int, height: int, colour: Rgb, rough: float, cells: float
) -> Canvas:
    canvas = plain(vary(rng, colour), width, height)
    relief = (
        noise(rng, width, height, 4, 1.5) * 0.5
        + noise(rng, width, height, cells)
        + noise(rng, width, height, cells * 3)
    )
    return (canvas + relief[..., None] * rough).astype(np.float32)


def lay_below(canvas: Canvas, top: int, ground: Canvas) -> None:
    canvas[top:] = ground[: canvas.shape[0] - top]


def paste(canvas: Canvas, paint: Callable[[ImageDraw.ImageDraw], None]) -> None:
    image = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    paint(ImageDraw.Draw(image))
    canvas[:] = np.asarray(image)


def as_rgb(colour: NDArray[np.float32]) -> Rgb:
    red, green, blue = (int(value) for value in np.clip(colour, 0, 255))
    return (red, green, blue)
