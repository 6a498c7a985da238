"""What one decoded picture yields for eyes and for finding duplicates: thumbnails, placeholder, perceptual hash.

Pure functions of a Picture; decodes nothing itself, except thumbnails that it made before.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

from havenfs.entities import Preview
from havenfs.errors import Unreadable
from havenfs.extract import ocr
from havenfs.extract.failures import DECODING
from havenfs.extract.phash import grid, inner, phash
from havenfs.extract.thumbhash import encode

if TYPE_CHECKING:
    from havenfs.extract.decode import Picture

SMALL = 256
"""Longer side of the grid's thumbnail."""
QUALITY = 80
METHOD = 2
"""WebP effort: 4 costs 13-23 % more time for 5 % less size (facts: 12-megapixel JPEG, 512 px)."""


def preview(picture: Picture, strip: Image.Image | None = None) -> Preview:
    """The thumbnails and hashes of *picture*; the *strip* of a video goes with them."""
    image = picture.image
    small = image.copy()
    small.thumbnail((SMALL, SMALL), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return Preview(
        width=picture.width,
        height=picture.height,
        small=_webp(small),
        large=_webp(image),
        thumbhash=encode(small),
        phash=phash(small),
        inner=inner(small),
        grid=grid(small),
        text_likeness=ocr.likeness(image),
        strip=_webp(strip) if strip is not None else None,
    )


def reopened(large: bytes) -> Image.Image:
    """The RGB image in a stored 1440 px WebP. Raises Unreadable when the store gave something else."""
    try:
        with Image.open(io.BytesIO(large), formats=("WEBP",)) as image:
            return image.convert("RGB")
    except DECODING as error:
        raise Unreadable("the stored preview is damaged") from error


def _webp(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=METHOD)
    return out.getvalue()
