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
METHOD = 1
"""WebP effort. Of 1440 px with a camera's grain: 26 ms, 47.2 kB, 38.7 dB; at 2 it is 35 ms, 47.3 kB, 38.7 dB, at 4 95 ms, 46.8 kB,
38.9 dB."""


def preview(picture: Picture, strip: Image.Image | None = None) -> Preview:
    """The thumbnails and hashes of *picture*; the *strip* of a video goes with them."""
    image = picture.image
    small = _small(image)
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
        cut=picture.cut,
    )


def _small(image: Image.Image) -> Image.Image:
    """Not `thumbnail`, which wants a copy of all of it first."""
    scale = SMALL / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


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
