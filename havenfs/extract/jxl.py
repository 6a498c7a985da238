"""JPEG XL (ISO/IEC 18181): size and EXIF from the header, the picture through libjxl.

Apart from Pillow's way of opening, because its plug-in decodes everything before anybody has seen how large it is. The
orientation is the codestream's, which libjxl applies; what EXIF says of it does not count (18181-2, 9.6).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from PIL import Image

from havenfs.errors import Unreadable
from havenfs.extract.extent import boxes

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = 1 << 16
_METADATA = 4 << 20  # bytes of EXIF or XMP
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


class Header(NamedTuple):
    """What stands before the pixels."""

    width: int
    height: int
    """Upright."""
    exif: bytes = b""
    """The TIFF structure."""
    xmp: bytes = b""


def header(file: BinaryIO, size: int) -> Header:
    """Read it without decoding. Raises Unreadable."""
    file.seek(0)
    head = file.read(HEAD)
    if head[:2] == b"\xff\x0a":
        return Header(*_size(head[2:]))
    codestream, exif, xmp = b"", b"", b""
    for name, start, length in boxes(file, size):
        file.seek(start + 8)
        if name == b"jxlc" and not codestream:
            codestream = file.read(HEAD)
        elif name == b"jxlp" and not codestream:
            codestream = file.read(HEAD)[4:]  # behind the part's number
        elif name == b"Exif" and length <= _METADATA:
            body = file.read(length - 8)
            exif = body[4 + int.from_bytes(body[:4]) :]
        elif name == b"xml " and length <= _METADATA:
            xmp = file.read(length - 8)
    if codestream[:2] != b"\xff\x0a":
        raise Unreadable("it is damaged: the picture cannot be decoded")
    return Header(*_size(codestream[2:]), exif, xmp)


def image(data: bytes) -> Image.Image | io.BytesIO:
    """The picture in *data*, upright, with its ICC profile; where it is a repacked JPEG, that JPEG. Raises what libjxl
    does. On one thread: about 25 megapixels a second, and twice the memory of the pixels."""
    from pillow_jxl import Decoder

    decode = cast("Callable[[bytes], Any]", Decoder(num_threads=0))
    jpeg, info, pixels, profile, _ = decode(data)
    if jpeg:
        return io.BytesIO(pixels)
    mode = info.mode
    if mode == "F;16":
        raise Unreadable("this sort of picture is not supported")
    found = Image.frombytes(mode, (info.width, info.height), pixels)
    if profile:
        found.info["icc_profile"] = bytes(profile)
    return found


def _size(codestream: bytes) -> tuple[int, int]:
    """Width and height, upright: SizeHeader and the start of ImageMetadata (18181-1, D.2 and D.3)."""
    bits = int.from_bytes(codestream[:32], "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & ((1 << count) - 1)
        bits >>= count
        return value

    def side(*, small: bool) -> int:
        return (take(5) + 1) * 8 if small else take((9, 13, 18, 30)[take(2)]) + 1

    small = bool(take(1))
    height = side(small=small)
    ratio = take(3)
    if ratio:
        across, down = _RATIOS[ratio]
        width = height * across // down
    else:
        width = side(small=small)
    turned = 1 + take(3) if not take(1) and take(1) else 1
    return (height, width) if turned >= 5 else (width, height)
