"""Real pictures to learn ranges from and to compare vectors on: the owner's, or those inside scikit-image and scikit-learn."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from havenfs.errors import ConfigError

FEWEST = 16
MOST = 256
ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}
SIDE = 1024
INSIDE = ("skimage/data", "sklearn/datasets/images")


def real(folder: Path | None) -> list[Image.Image]:
    """At most MOST pictures in RGB: those in *folder*, or of the packages; with few of them, parts of them as well.

    Raises ConfigError when there are not even FEWEST.
    """
    pictures = [picture for path in _paths(folder) if (picture := _open(path)) is not None]
    level = pictures
    while level and len(pictures) < MOST // 2:
        level = [part for whole in level for part in _parts(whole)]
        pictures = [*pictures, *level]
    if len(pictures) < FEWEST:
        where = f"in {folder}" if folder is not None else "inside scikit-image and scikit-learn"
        raise ConfigError(
            f"there are only {len(pictures)} pictures {where}; name a folder with more: --pictures DIR"
        )
    return pictures[:MOST]


def _paths(folder: Path | None) -> list[Path]:
    if folder is not None:
        return sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS)[:MOST]
    found: list[Path] = []
    for inside in INSIDE:
        package, _, rest = inside.partition("/")
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            within = Path(spec.submodule_search_locations[0]) / rest
            found += sorted(p for p in within.rglob("*") if p.suffix.lower() in ENDINGS)
    return found


def _open(path: Path) -> Image.Image | None:
    try:
        with Image.open(path) as image:
            image.draft("RGB", (SIDE, SIDE))
            picture = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    picture.thumbnail((SIDE, SIDE))
    return picture if min(picture.size) >= 64 else None


def _parts(image: Image.Image) -> list[Image.Image]:
    """Its quarters, where they still are pictures."""
    width, height = image.width // 2, image.height // 2
    if min(width, height) < 64:
        return []
    return [image.crop((x, y, x + width, y + height)) for x in (0, width) for y in (0, height)]
