"""One decode of a picture to the size that everything else works from: RGB, sRGB, upright, at most 1440 px.

This is where hostile bytes meet decoders: only formats of an allow-list, an explicit limit of pixels that is checked
before any pixel is allocated, JPEGs scaled down inside the decoder. Runs in a worker process under its memory cap.
"""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
import pillow_heif
import rawpy
from PIL import Image, ImageOps, UnidentifiedImageError

from havenfs.entities import NEARLY
from havenfs.errors import Unreadable
from havenfs.extract import colour, extent, jxl, magic, tiff
from havenfs.extract.failures import DECODING, reason
from havenfs.extract.original import opened
from havenfs.extract.upright import TURNS, orientation

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGE = 1440
"""Longer side of a decoded picture in pixels, at most."""

MAX_PIXELS = 300_000_000
"""Above this nothing is decoded. Phones make 200 megapixels (16320 x 12240) today."""
MAX_FULL_PIXELS = 64_000_000
"""Above this only JPEG, which scales while it decodes: 64 megapixels of RGB are 192 MiB, and a worker has about 1 GiB."""
MAX_ODD_PIXELS = 24_000_000
"""Above this no TIFF of floats or of 32 bits: 4 bytes a sample, several times."""
MAX_PROGRESSIVE_PIXELS = 120_000_000
"""libjpeg keeps all coefficients of a progressive JPEG, 3 bytes a pixel (4:2:0), whatever the scale."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF")
"""What Pillow may try. Not EPS, FITS, PDF, PSD, WMF and others: each had holes of its own in 2026."""

cast(Any, pillow_heif).register_heif_opener()  # comes with half its types
# Pillow's own limit warns above this and raises at the double; ours, with words, stands below it.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture."""

    image: Image.Image
    """RGB in sRGB, upright, longer side at most LARGE."""
    width: int
    height: int
    """Pixels of the original, upright."""
    cut: int | None = None
    """Percent that are there of a JPEG that is cut off; the rest is grey."""


def decode(path: bytes, mime: str, *, partial: bool = False) -> Picture:
    """The picture in the file at *path*, whose type `identify` found to be *mime*. Raises Unreadable, SourceGone.

    A JPEG of which less than NEARLY percent are there is one with *partial* only.
    """
    with opened(path) as file:
        if mime in magic.RAW:
            return _raw(file)
        size = os.fstat(file.fileno()).st_size
        return _jxl(file, size) if mime == "image/jxl" else decode_file(file, size, partial=partial)


def decode_file(file: BinaryIO, size: int, *, partial: bool = False) -> Picture:
    """As `decode`, of an open file of *size* bytes, or of a BytesIO. Raises Unreadable, SourceGone."""
    with warnings.catch_warnings():
        # Pillow warns about odd tags, palettes and sizes in the data: no business of the worker's log
        warnings.simplefilter("ignore")
        try:
            try:
                image = Image.open(file, formats=FORMATS)
            except UnidentifiedImageError:
                file.seek(0)
                if file.read(4) not in tiff.SIGNS:
                    raise
                return _odd(file)
            with image:
                return _reduced(image, file, size, partial=partial)
        except DECODING as error:
            raise _cut_short(file, size) or reason(error) from error


def finish(image: Image.Image, width: int, height: int) -> Picture:
    """The Picture of an already decoded, upright RGB *image* whose original has *width* x *height* pixels."""
    return Picture(image=_shrunk(image), width=width, height=height)


def _reduced(image: Image.Image, file: BinaryIO, size: int, *, partial: bool) -> Picture:
    if image.format == "TIFF":
        tiff.seek_picture(image)
    width, height = image.size
    _check(image, size)
    turn, profile = orientation(image, file), colour.profile_of(image, file)
    if image.format in ("JPEG", "MPO"):
        _draft(image)
    negative, cut = False, None
    if image.format == "TIFF" and tiff.is_odd(image):
        image = tiff.decode(file, image.tell(), MAX_ODD_PIXELS)
    elif image.format == "TIFF":
        negative = tiff.is_negative(image)
    try:
        image.load()
    except OSError as error:
        if "truncated" not in str(error):
            raise
        if image.format not in ("JPEG", "MPO"):
            raise _cut_off(image) from error
        image, cut = _as_far_as_it_comes(file)
        if cut < (1 if partial else NEARLY):
            raise Unreadable(cut_off(cut)) from error
    small = _in_srgb(image, profile, negative=negative)
    if turn in TURNS:
        small = small.transpose(TURNS[turn])
        if turn >= 5:
            width, height = height, width
    return Picture(image=small, width=width, height=height, cut=cut)


def _draft(image: Image.Image) -> None:
    """Have an opened JPEG decoded no larger than needed: halved up to three times, and never below what is asked for."""
    scale = LARGE / max(*image.size, LARGE)
    width, height = (max(1, int(side * scale)) for side in image.size)
    image.draft(None, (width, height))


def _as_far_as_it_comes(file: BinaryIO) -> tuple[Image.Image, int]:
    """The loaded picture of a JPEG that ends early, and percent of it that are there: Pillow gives up, and leaves out the
    last rows of a small one that lacks but two bytes. With an end, libjpeg makes grey what is missing."""
    file.seek(0)
    body = file.read()
    image = Image.open(io.BytesIO(body + b"\xff\xd9"), formats=FORMATS)
    _draft(image)
    image.load()
    if image.info.get("progressive"):
        return image, 100 if _last_scan(body) else 1
    missing = np.abs(np.asarray(image, np.int16) - 128) <= 1
    there = np.flatnonzero(~missing.reshape(image.height, -1).all(axis=1))
    return image, 100 * (int(there[-1]) + 1) // image.height if len(there) else 0


def _last_scan(body: bytes) -> bool:
    """Whether a progressive JPEG comes to where scans only add the last bit of what is there (T.81, B.2.3 and G.1.1)."""
    at = body.rfind(b"\xff\xda")
    components = body[at + 4] if 0 <= at < len(body) - 4 else 0
    bits = body[at + 7 + 2 * components : at + 8 + 2 * components]
    return bits == b"\x10"


def _odd(file: BinaryIO) -> Picture:
    """A TIFF that Pillow does not know."""
    image = tiff.decode(file, 0, MAX_ODD_PIXELS)
    return finish(image.convert("RGB"), *image.size)


def _in_srgb(image: Image.Image, profile: bytes | None, *, negative: bool = False) -> Image.Image:
    """A loaded *image* in RGB and sRGB, longer side at most LARGE: shrunk first, converted after."""
    small = _shrunk(_flattened(image))
    if negative:
        small = ImageOps.invert(small)
    if profile is not None:
        small = colour.to_srgb(small, profile)
    return small if small.mode == "RGB" else small.convert("RGB")


def _jxl(file: BinaryIO, size: int) -> Picture:
    """A JPEG XL picture; one that is a repacked JPEG is decoded as that."""
    try:
        known = jxl.header(file, size)
        _check_size(known.width, known.height, MAX_FULL_PIXELS)
        file.seek(0)
        image = jxl.image(file.read())
        if isinstance(image, io.BytesIO):
            return decode_file(image, size)
        return Picture(
            image=_in_srgb(image, colour.profile_of(image)), width=image.width, height=image.height
        )
    except DECODING as error:
        raise _cut_short(file, size) or reason(error) from error


def _check(image: Image.Image, size: int) -> None:
    """Raise Unreadable for what would cost much memory or cannot be there, before a pixel is allocated."""
    width, height = image.size
    pixels = width * height
    jpeg = image.format in ("JPEG", "MPO")
    progressive = jpeg and bool(image.info.get("progressive"))
    _check_size(width, height, MAX_PIXELS if jpeg else MAX_FULL_PIXELS)
    if jpeg and not progressive and pixels > size * 512:
        # A baseline JPEG spends at least 2 bits on each 8 x 8 block; 512 pixels a byte is half of that.
        raise Unreadable(
            f"the file is cut off: it announces {_mega(pixels)} and holds {_amount(size)}"
        )
    if progressive and pixels > MAX_PROGRESSIVE_PIXELS:
        raise Unreadable(f"it is too large to decode ({_mega(pixels)}, progressive)")


def _check_size(width: int, height: int, most: int) -> None:
    pixels = width * height
    if pixels <= 0:
        raise Unreadable("it is damaged: the picture has no pixels")
    if pixels > MAX_PIXELS:
        raise Unreadable(f"it has too many pixels ({_mega(pixels)})")
    if pixels > most:
        raise Unreadable(f"it is too large to decode ({_mega(pixels)})")


def _mega(pixels: int) -> str:
    return f"{round(pixels / 1e6):,} megapixels"


def _amount(size: int) -> str:
    return f"{size} bytes" if size < 10_000 else f"{size / 1e6:.1f} MB"


def _cut_short(file: BinaryIO, size: int) -> Unreadable | None:
    """The reason for containers that say how long they ought to be."""
    try:
        percent = extent.share(file, size)
    except (OSError, ValueError):  # gone meanwhile, or closed by a decoder
        return None
    return None if percent is None else Unreadable(f"the file is cut off after {percent} %")


def cut_off(percent: int) -> str:
    """What is said of a picture of which so much is there; of 0 and 1, it is not known."""
    if percent >= 100:
        return "the file is cut off at its very end"
    return f"the file is cut off after about {percent} % of the picture" if percent > 1 else "the file is cut off"  # fmt: skip


def _cut_off(image: Image.Image) -> Unreadable:
    """The reason for a picture whose data ended early, with how far it came where the rows say so."""
    box = image.im.getbbox()
    # Rows that were never reached are zero. The last rows of a dark picture are too: hence "about".
    percent = 100 * box[3] // image.size[1] if box else 0
    return Unreadable(cut_off(percent if percent < 100 else 0))


def _flattened(image: Image.Image) -> Image.Image:
    """*image* in a mode that can be resized and has no transparency: L, RGB or CMYK."""
    if image.mode in ("RGB", "L", "CMYK"):
        if "transparency" not in image.info:
            return image
        image = image.convert("RGBA")
    if image.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "F":
        low, high = cast("tuple[float, float]", image.getextrema())
        if low == high:
            return Image.new("L", image.size, tiff.plain(low))
        scale = 255.0 / ((high - low) or 1.0)
        return image.point(lambda value: value * scale - low * scale).convert("L")
    if image.has_transparency_data or image.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        white = Image.new("RGB", rgba.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return image.convert("RGB")  # 1, P, HSV, LAB, YCbCr


def _shrunk(image: Image.Image) -> Image.Image:
    width, height = image.size
    scale = LARGE / max(width, height)
    if scale >= 1:
        return image.copy() if image.readonly else image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Bicubic takes a third less time than Lanczos on a 12-megapixel photo; side by side nobody tells them apart here
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def _raw(file: BinaryIO) -> Picture:
    """A camera's raw file: its embedded preview where that is large enough, else the sensor at half size."""
    try:
        with rawpy.imread(io.BytesIO(file.read())) as raw:
            width, height = raw.sizes.width, raw.sizes.height
            if raw.sizes.flip in (5, 6):
                width, height = height, width
            embedded = _embedded(raw)
            if embedded is not None:
                return finish(embedded, width, height)
            if width * height > MAX_FULL_PIXELS * 2:
                raise Unreadable(
                    f"it is too large to decode ({round(width * height / 1e6)} megapixels)"
                )
            array = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8)
            return finish(Image.fromarray(array), width, height)
    except rawpy.LibRawError as error:
        raise reason(error, "raw picture") from error
    except DECODING as error:
        raise reason(error, "raw picture") from error


def _embedded(raw: rawpy.RawPy) -> Image.Image | None:
    """The preview that the camera put into *raw*, upright; None when there is none of at least 1000 pixels."""
    try:
        thumb = raw.extract_thumb()
    except rawpy.LibRawError:
        return None
    if thumb.format == rawpy.ThumbFormat.BITMAP:
        image = Image.fromarray(cast("NDArray[np.uint8]", thumb.data))
    elif thumb.format == rawpy.ThumbFormat.JPEG:
        jpeg = bytes(thumb.data)
        try:
            picture = decode_file(io.BytesIO(jpeg), len(jpeg))
        except Unreadable:
            return None
        image = picture.image
        if max(picture.width, picture.height) < 1000:
            return None
        if _has_orientation(jpeg):
            return image
    else:
        return None
    if max(image.size) < 1000:
        return None
    # LibRaw counts 3, 5, 6 where EXIF counts 3, 8, 6
    turn = {3: 3, 5: 8, 6: 6}.get(raw.sizes.flip)
    return image.transpose(TURNS[turn]) if turn else image


def _has_orientation(jpeg: bytes) -> bool:
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        return 0x0112 in image.getexif()
