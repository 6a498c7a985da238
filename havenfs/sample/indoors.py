"""Grounds of the drawn world that people made: rooms, tables, paper, brick; and a furnished room in perspective. Pure functions of their random generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from havenfs.sample import textures

if TYPE_CHECKING:
    from PIL import ImageDraw

    from havenfs.sample.textures import Canvas, Light
    from havenfs.sample.vocabulary import Rgb


def room(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
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
    wall = textures.vary(rng, tints[int(rng.integers(6))])
    canvas = textures.ramp(
        wall * rng.uniform(0.9, 1.05), wall * rng.uniform(0.75, 1.0), width, height
    )
    floor = textures.vary(
        rng, ((150, 110, 75), (120, 85, 60), (170, 160, 150))[int(rng.integers(3))]
    )
    boards = np.sin(np.linspace(0, rng.uniform(20, 50), width))[None, :, None] * 8
    textures.lay_below(canvas, int(far * height), textures.plain(floor, width, height) + boards)

    def paint(draw: ImageDraw.ImageDraw) -> None:
        draw.rectangle(
            (0, far * height, width, (far + 0.025) * height), fill=textures.as_rgb(wall * 0.6)
        )
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
            picture = textures.as_rgb(rng.uniform(60, 220, 3).astype(np.float32))
            draw.rectangle(
                (x, y, x + wide * 0.8, y + tall * 0.6),
                fill=picture,
                outline=(80, 60, 45),
                width=max(1, width // 60),
            )
        if rng.random() < 0.5:
            cloth = textures.vary(
                rng,
                ((120, 110, 105), (90, 100, 130), (130, 80, 70), (95, 115, 90))[
                    int(rng.integers(4))
                ],
            )
            left, top = rng.uniform(-0.1, 0.5) * width, (far - rng.uniform(0.15, 0.25)) * height
            right, foot = left + 0.55 * width, (far + 0.08) * height
            draw.rounded_rectangle(
                (left, top, right, foot), radius=width * 0.03, fill=textures.as_rgb(cloth)
            )
            draw.rectangle(
                (left + 0.03 * width, (top + foot) / 2, right - 0.03 * width, foot),
                fill=textures.as_rgb(cloth * 0.85),
            )

    textures.paste(canvas, paint)
    return canvas, far


def table(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    del light
    far = float(rng.choice([0.0, rng.uniform(0.15, 0.4)]))
    tints: tuple[Rgb, ...] = ((160, 110, 65), (190, 145, 95), (120, 78, 48), (205, 170, 125))
    wood = textures.vary(rng, tints[int(rng.integers(4))])
    grain = (
        textures.noise(rng, width, height, 3, 14) * 8
        + textures.noise(rng, width, height, 6, 30) * 6
    )
    canvas = (textures.plain(wood, width, height) + grain[..., None]).astype(np.float32)
    plank = rng.uniform(0.1, 0.22) * height
    rows = np.arange(height, dtype=np.float32)
    canvas[(rows + rng.uniform(0, plank)) % plank < max(1, height * 0.012)] *= 0.6
    if far:
        wall = textures.vary(rng, (190, 180, 168), 25)
        canvas[: int(far * height)] = textures.ramp(wall, wall * 0.85, width, int(far * height))
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


def page(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    del light
    canvas = textures.ramp(
        textures.vary(rng, (250, 249, 244), 5),
        textures.vary(rng, (238, 236, 230), 6),
        width,
        height,
    )
    pitch, margin = height * rng.uniform(0.014, 0.06), width * rng.uniform(0.06, 0.16)
    ink = textures.as_rgb(textures.vary(rng, (45, 45, 52), 20))
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

    textures.paste(canvas, paint)
    return canvas, 0.3


def receipt(
    rng: np.random.Generator, width: int, height: int, light: Light
) -> tuple[Canvas, float]:
    canvas = (
        table(rng, width, height, light)[0]
        if rng.random() < 0.6
        else textures.plain(textures.vary(rng, (70, 70, 80), 30), width, height)
    )
    wide = rng.uniform(0.3, 0.5) * width
    left, top, bottom = (
        rng.uniform(0.1, 0.9) * (width - wide),
        height * rng.uniform(0, 0.1),
        height * rng.uniform(0.85, 1),
    )
    ink, pitch = (
        textures.as_rgb(textures.vary(rng, (60, 60, 66), 18)),
        height * rng.uniform(0.035, 0.055),
    )

    def paint(draw: ImageDraw.ImageDraw) -> None:
        draw.rectangle(
            (left, top, left + wide, bottom),
            fill=textures.as_rgb(textures.vary(rng, (246, 244, 238), 6)),
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

    textures.paste(canvas, paint)
    return canvas, 0.3


def brick(rng: np.random.Generator, width: int, height: int, light: Light) -> tuple[Canvas, float]:
    del light
    clay = textures.vary(rng, ((165, 82, 62), (150, 70, 50), (185, 110, 80))[int(rng.integers(3))])
    mortar = textures.vary(rng, (195, 188, 178))
    tall = max(3, int(height * rng.uniform(0.055, 0.1)))
    wide, joint = max(5, int(tall * rng.uniform(2.0, 2.6))), max(1, round(tall * 0.16))
    rows, columns = np.mgrid[0:height, 0:width]
    course = rows // tall
    shifted = columns + (course % 2) * (wide // 2) + int(rng.integers(wide))
    tone = rng.normal(1, 0.09, (height // tall + 2, width // wide + 4)).astype(np.float32)
    canvas = (
        clay * tone[course, shifted // wide][..., None]
        + textures.noise(rng, width, height, 50)[..., None] * 6
    )
    canvas[(rows % tall < joint) | (shifted % wide < joint)] = mortar
    return canvas.astype(np.float32), 0.4


def living_room(rng: np.random.Generator, width: int, height: int, light: Light) -> Canvas:
    """A corner of a room: two walls, floor and ceiling run away from the eye; a window, a lamp, furniture."""
    del light
    wall = textures.vary(rng, ((222, 214, 200), (180, 190, 190), (200, 178, 158), (150, 160, 175))[int(rng.integers(4))])  # fmt: skip
    floor = textures.vary(rng, ((140, 100, 70), (96, 74, 58), (180, 172, 160), (110, 90, 90))[int(rng.integers(4))])  # fmt: skip
    left, right = sorted(rng.uniform(-0.2, 1.2, 2))
    left, right = min(left, 0.35) * width, max(right, 0.65) * width
    top, foot = rng.uniform(-0.05, 0.2) * height, rng.uniform(0.55, 0.75) * height
    canvas = textures.plain(wall, width, height)
    cloths: tuple[Rgb, ...] = ((120, 110, 105), (70, 85, 115), (140, 80, 66), (90, 112, 88), (205, 196, 180), (50, 46, 46))  # fmt: skip

    def paint(draw: ImageDraw.ImageDraw) -> None:
        spread_top, spread = height * rng.uniform(0.05, 0.3), height * rng.uniform(0.15, 0.4)
        draw.polygon([(left, top), (left, foot), (-1, foot + spread), (-1, top - spread_top)], fill=textures.as_rgb(wall * 0.8))  # fmt: skip
        draw.polygon([(right, top), (right, foot), (width, foot + spread), (width, top - spread_top)], fill=textures.as_rgb(wall * 0.88))  # fmt: skip
        draw.polygon([(left, foot), (right, foot), (width, foot + spread), (width, height), (-1, height), (-1, foot + spread)], fill=textures.as_rgb(floor))  # fmt: skip
        draw.polygon([(left, top), (right, top), (width, top - spread_top), (width, -1), (-1, -1), (-1, top - spread_top)], fill=textures.as_rgb(wall * 1.08))  # fmt: skip
        vanish = (left + right) / 2
        for board in range(-8, 9):
            draw.line((vanish + board * 0.06 * width, foot, vanish + board * 0.3 * width, height), fill=textures.as_rgb(floor * 0.85))  # fmt: skip
        middle, deep = (left + right) / 2, foot - top
        if rng.random() < 0.7:
            x, wide = left + (right - left) * rng.uniform(0.08, 0.6), (right - left) * rng.uniform(0.2, 0.36)  # fmt: skip
            y, tall = top + deep * rng.uniform(0.12, 0.25), deep * rng.uniform(0.35, 0.6)
            draw.rectangle((x, y, x + wide, y + tall), fill=(232, 240, 248), outline=(250, 250, 250), width=max(1, width // 60))  # fmt: skip
            draw.line((x + wide / 2, y, x + wide / 2, y + tall), fill=(240, 240, 240), width=max(1, width // 80))  # fmt: skip
            curtain = textures.as_rgb(textures.vary(rng, cloths[int(rng.integers(6))]))
            for side in (x - wide * 0.16, x + wide * 0.96):
                draw.rectangle((side, y - deep * 0.06, side + wide * 0.2, y + tall * 1.15), fill=curtain)  # fmt: skip
        for _ in range(int(rng.integers(1, 4))):
            cloth = textures.vary(rng, cloths[int(rng.integers(6))])
            x, near = middle + width * rng.uniform(-0.45, 0.25), rng.uniform(0.02, 0.3)
            base, wide = foot + near * height, width * rng.uniform(0.18, 0.4) * (1 + near)
            tall = height * rng.uniform(0.12, 0.28) * (1 + near)
            draw.rounded_rectangle((x, base - tall, x + wide, base), radius=tall * 0.15, fill=textures.as_rgb(cloth))  # fmt: skip
            if rng.random() < 0.6:  # something to sit or lie on, else a cupboard
                draw.rounded_rectangle((x - tall * 0.1, base - tall * 0.55, x + wide + tall * 0.1, base + tall * 0.15), radius=tall * 0.1, fill=textures.as_rgb(cloth * 0.85))  # fmt: skip
                draw.rounded_rectangle((x + wide * 0.1, base - tall * 0.8, x + wide * 0.4, base - tall * 0.4), radius=tall * 0.1, fill=textures.as_rgb(textures.vary(rng, cloths[int(rng.integers(6))])))  # fmt: skip
            else:
                for row in range(1, 3):
                    draw.line((x, base - tall * row / 3, x + wide, base - tall * row / 3), fill=textures.as_rgb(cloth * 0.6), width=max(1, width // 90))  # fmt: skip
        if rng.random() < 0.5:
            x, y, size = middle + width * rng.uniform(-0.4, 0.4), top + deep * rng.uniform(0.1, 0.5), width * 0.06  # fmt: skip
            draw.polygon([(x - size, y + size), (x - size * 0.5, y), (x + size * 0.5, y), (x + size, y + size)], fill=(255, 236, 180))  # fmt: skip
            draw.line((x, y + size, x, foot), fill=(60, 54, 50), width=max(1, width // 90))

    textures.paste(canvas, paint)
    across = np.linspace(rng.uniform(0.7, 1.1), rng.uniform(0.7, 1.1), width, dtype=np.float32)
    return canvas * across[None, :, None] + textures.noise(rng, width, height, 5)[..., None] * 5
