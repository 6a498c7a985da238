"""Which way up a picture stands: the orientation that its EXIF says, where its container has not seen to it already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image

from havenfs.extract.extent import boxes
from havenfs.extract.failures import DECODING

if TYPE_CHECKING:
    from typing import BinaryIO

ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF 2.3, tag 0x0112: what turns the stored picture upright. 5-8 swap the sides."""

_META = 1 << 20  # bytes of a HEIC's table of contents


def orientation(image: Image.Image, file: BinaryIO) -> int:
    """1 to 8, of an opened *image* in *file*: what is still to be done to what its decoder gives.

    libheif turns pictures as their `irot` and `imir` boxes say (ISO/IEC 23008-12, 6.5), and Pillow's plug-in then calls
    them upright whatever EXIF says. Rightly, unless there are no such boxes: some cameras wrote EXIF only.
    """
    if image.format == "HEIF":
        said: Any = image.info.get("original_orientation")
        return int(said) if said in TURNS and not _turned(file) else 1
    if image.format == "TIFF":
        return 1  # Pillow turns these itself, and says the upright size from the start
    try:
        said = image.getexif().get(ORIENTATION, 1)
    except DECODING:
        return 1
    return said if said in TURNS else 1


def _turned(file: BinaryIO) -> bool:
    """Whether a HEIF's own properties turn or mirror it. Leaves the file where it was."""
    at = file.tell()
    try:
        file.seek(0, 2)
        for name, start, length in boxes(file, file.tell()):
            if name == b"meta":
                file.seek(start)
                table = file.read(min(length, _META))
                return b"irot" in table or b"imir" in table
    finally:
        file.seek(at)
    return False
