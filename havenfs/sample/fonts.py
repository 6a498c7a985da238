"""Fonts for text on sample pictures: those that Debian has, else the one inside Pillow.

Looks at fixed paths only, so that two machines with the same packages draw the same. Thread-safe (a read-only cache
per process).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import ImageFont

_DIRECTORIES = (
    Path("/usr/share/fonts/truetype/dejavu"),
    Path("/usr/share/fonts/truetype/liberation"),
    Path("/usr/share/fonts/truetype/liberation2"),
    Path("/usr/share/fonts/opentype/urw-base35"),
)

_FILES = {
    "receipt": ("DejaVuSansMono.ttf", "LiberationMono-Regular.ttf", "NimbusMonoPS-Bold.otf", "LiberationSans-Regular.ttf"),
    "sign": ("DejaVuSans-Bold.ttf", "LiberationSans-Bold.ttf", "NimbusSans-Bold.otf", "URWGothic-Demi.otf"),
    "letter": ("LiberationSerif-Regular.ttf", "P052-Roman.otf", "C059-Roman.otf", "DejaVuSerif.ttf", "URWBookman-Light.otf"),
    "screen": ("LiberationSans-Regular.ttf", "DejaVuSans.ttf", "NimbusSans-Regular.otf"),
}  # fmt: skip

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@cache
def available(use: str) -> tuple[Path, ...]:
    """Return the fonts for *use* ("receipt", "sign", "letter" or "screen") that this machine has, maybe none."""
    found = (directory / name for name in _FILES[use] for directory in _DIRECTORIES)
    return tuple(path for path in found if path.is_file())


@cache
def font(use: str, choice: int, size: int) -> Font:
    """Return one of the fonts for *use* at *size* pixels; any *choice* is good."""
    paths = available(use)
    if not paths:
        return ImageFont.load_default(size)
    return ImageFont.truetype(paths[choice % len(paths)], size)
