"""The pen that things are drawn with: parts in the square -1..1 (y down), turned, mirrored and scaled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import ImageDraw

    from havenfs.sample.vocabulary import Rgb

Point = tuple[float, float]


def shade(colour: Rgb, by: float) -> Rgb:
    """The colour made darker (by < 1) or mixed with white (by > 1)."""
    if by <= 1:
        return (int(colour[0] * by), int(colour[1] * by), int(colour[2] * by))
    mix = min(1.0, by - 1)
    red, green, blue = (int(value + (255 - value) * mix) for value in colour)
    return (red, green, blue)


class Pen:
    """Draws in the square -1..1, turned by `angle` (radians), mirrored if `flip`, `half` pixels per unit."""

    def __init__(
        self,
        draw: ImageDraw.ImageDraw,
        centre: Point,
        half: float,
        *,
        angle: float = 0,
        flip: bool = False,
    ) -> None:
        self._draw, self._centre, self._half = draw, centre, half
        self._cos, self._sin, self._sign = math.cos(angle), math.sin(angle), -1 if flip else 1

    def _at(self, point: Point) -> Point:
        x, y = point[0] * self._sign, point[1]
        return (
            self._centre[0] + self._half * (x * self._cos - y * self._sin),
            self._centre[1] + self._half * (x * self._sin + y * self._cos),
        )

    def poly(self, points: Sequence[Point], fill: Rgb) -> None:
        """A filled polygon."""
        self._draw.polygon([self._at(point) for point in points], fill=fill)

    def oval(self, x0: float, y0: float, x1: float, y1: float, fill: Rgb) -> None:
        """A filled ellipse in that box."""
        self.poly(arc(((x0 + x1) / 2, (y0 + y1) / 2), (x1 - x0) / 2, (y1 - y0) / 2, 0, 360), fill)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: Rgb) -> None:
        """A filled rectangle."""
        self.poly([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], fill)

    def line(self, points: Sequence[Point], width: float, fill: Rgb) -> None:
        """A polyline, `width` in units."""
        self._draw.line(
            [self._at(point) for point in points],
            fill=fill,
            width=max(1, round(width * self._half)),
            joint="curve",
        )


def arc(
    centre: Point, across: float, down: float, start: float, end: float, steps: int = 28
) -> list[Point]:
    """Points of an elliptic arc, degrees clockwise from the right."""
    angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [
        (centre[0] + across * math.cos(angle), centre[1] + down * math.sin(angle))
        for angle in angles
    ]


def spiked(tips: int, inner: float, turn: float = -90) -> list[Point]:
    corners: list[Point] = []
    for corner in range(2 * tips):
        reach, angle = (1.0 if corner % 2 == 0 else inner), math.radians(turn + 180 * corner / tips)
        corners.append((reach * math.cos(angle), reach * math.sin(angle)))
    return corners
