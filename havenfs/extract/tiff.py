"""The TIFFs that Pillow does not read, or reads wrongly: floats in colour, 32 and 64 bits, deep planes apart.

Through tifffile, which knows the layouts; its compressions are those of the standard library (none, deflate, LZMA,
PackBits). Which page of several is the picture is told here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from PIL import Image

from havenfs.errors import Unreadable
from havenfs.extract.upright import ORIENTATION, TURNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGNS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PAGES = 16  # looked at: a scanner's thumbnail stands first, a book's pages are all alike
_BITS, _PHOTOMETRIC, _SAMPLES, _PLANAR, _SUBFILE, _FORMAT = 258, 262, 277, 284, 254, 339
_FLOAT = 3
_APART = 2


def is_odd(image: Image.Image) -> bool:
    """Whether Pillow's reading of this page of an opened TIFF is not to be trusted."""
    tags = cast(Any, image).tag_v2
    bits = max(_numbers(tags.get(_BITS, 1)))
    floats = _FLOAT in _numbers(tags.get(_FORMAT, 1))
    samples = tags.get(_SAMPLES, 1)
    apart = tags.get(_PLANAR, 1) == _APART and samples > 1
    return (
        (floats and (samples > 1 or bits != 32))
        or (not floats and bits > 16)
        or (apart and bits > 8)
    )


def is_negative(image: Image.Image) -> bool:
    """Whether 0 is white in this page and Pillow, which turns eight bits round, leaves its sixteen as they are."""
    return image.mode.startswith("I;16") and cast(Any, image).tag_v2.get(_PHOTOMETRIC) == 0


def plain(value: float) -> int:
    """The grey, 0..255, of a picture of numbers that are all *value*: there is no range to tell light from dark by."""
    return round(255 * value) if 0 <= value <= 1 else 128


def seek_picture(image: Image.Image) -> None:
    """Go to the first page of an opened TIFF that is not a reduced copy of another one."""
    for page in range(_PAGES):
        try:
            image.seek(page)
        except EOFError:
            break
        if not cast(Any, image).tag_v2.get(_SUBFILE, 0) & 1:
            return
    image.seek(0)


def decode(file: BinaryIO, page: int, most: int) -> Image.Image:
    """The page as L or RGB, upright. Raises Unreadable, also for more than *most* pixels, and what tifffile does."""
    import tifffile

    file.seek(0)
    try:
        with tifffile.TiffFile(file, name="picture") as opened:
            found = cast(Any, opened.pages[page])
            if not 0 < found.imagewidth * found.imagelength * found.samplesperpixel <= 4 * most:
                raise Unreadable("it is too large to decode")
            planes = found.planarconfig == _APART and found.samplesperpixel > 1
            array: NDArray[Any] = found.asarray()
            inverted = found.photometric == 0
            turn = found.tags.valueof(ORIENTATION, 1)
    except tifffile.TiffFileError as error:
        raise Unreadable("it is damaged: the picture cannot be decoded") from error
    if planes:
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 3 and array.shape[2] in (1, 3, 4):
        array = array[..., 0] if array.shape[2] == 1 else array[..., :3]
    if array.ndim not in (2, 3) or found.photometric not in (0, 1, 2):
        raise Unreadable("this sort of picture is not supported")
    grey = _eight_bits(array)
    image = Image.fromarray(255 - grey if inverted else grey)
    return image.transpose(TURNS[turn]) if turn in TURNS else image


def _eight_bits(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Integers by their range; floats by 0..1, or by their own range where they leave it (heights, temperatures)."""
    if array.dtype.kind == "u":
        return (array >> (8 * array.dtype.itemsize - 8)).astype(np.uint8)
    numbers = np.nan_to_num(array.astype(np.float32), posinf=0, neginf=0)
    low, high = float(numbers.min()), float(numbers.max())
    if low == high and array.ndim == 2:
        return np.full(array.shape, plain(low), np.uint8)
    if array.dtype.kind == "i" or low < 0 or high > 1 or array.ndim == 2:
        numbers = (numbers - low) / ((high - low) or 1)
    return (numbers * 255 + 0.5).astype(np.uint8)


def _numbers(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) and value else (value,)  # pyright: ignore[reportUnknownVariableType]
