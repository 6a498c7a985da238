"""Colours to sRGB: through the picture's ICC profile, or one made here where it names its space by a number only.

littlecms does the arithmetic. Pure functions.
"""

from __future__ import annotations

import io
import struct
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
import pillow_heif
from PIL import ImageCms

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

_SRGB: Any = cast(Any, ImageCms).createProfile("sRGB")
_D65 = (0.3127, 0.3290)
_PRIMARIES = {
    "Adobe RGB (1998)": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
    "Display P3": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    "Rec. ITU-R BT.2020": ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
}
"""CIE x, y of red, green and blue; white is D65. Adobe RGB (1998) 4.3.1.1, SMPTE EG 432-1, ITU-R BT.2020-2."""
_CODED = {9: "Rec. ITU-R BT.2020", 12: "Display P3"}  # ColourPrimaries of ITU-T H.273
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_SRGB_CURVE = b"para\0\0\0\0\0\x03\0\0" + b"".join(
    struct.pack(">i", round(value * 65536))
    for value in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
)
_ADOBE_CURVE = b"curv\0\0\0\0\0\0\0\x01" + struct.pack(">H", 563)  # 2.19921875, in 1/256


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """*image* in sRGB. A profile that is damaged or for another kind of picture is as good as none."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        core = cast(Any, source).profile
        if "sRGB" in (core.profile_description or ""):
            return image
        space = core.xcolor_space.strip()
        if {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}.get(space) != image.mode:
            return image
        converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return converted or image


def profile_of(image: Image.Image, file: BinaryIO | None = None) -> bytes | None:
    """The ICC profile of an *image* opened from *file*; None where it is sRGB, or does not say."""
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and profile:
        return profile
    coded = image.info.get("nclx_profile")  # HEIF
    if image.format == "AVIF" and file is not None:
        coded = _coded(file)
    if isinstance(coded, dict):
        name = _CODED.get(cast("dict[str, Any]", coded).get("color_primaries", 0))
        return made(name) if name else None
    if image.format in ("JPEG", "MPO", "TIFF"):
        # Cameras set to Adobe RGB say so by "R03" and embed nothing (DCF 2.0, 4.2).
        try:
            index = image.getexif().get_ifd(0xA005).get(1)
        except (OSError, SyntaxError, ValueError, KeyError, TypeError, struct.error):
            return None
        if isinstance(index, str | bytes) and index[:3] in ("R03", b"R03"):
            return made("Adobe RGB (1998)")
    return None


def _coded(file: BinaryIO) -> Any:
    """What the picture in an AVIF *file* says by number: Pillow's decoder keeps it to itself, libheif reads the headers."""
    file.seek(0)
    try:
        return cast(Any, pillow_heif).open_heif(file).info.get("nclx_profile")
    except (OSError, ValueError, RuntimeError, SyntaxError, EOFError):
        return None


@cache
def made(name: str) -> bytes:
    """An ICC profile (version 2.4, matrix and curve) of one of the spaces in _PRIMARIES."""
    red, green, blue = _columns(_PRIMARIES[name])
    curve = _ADOBE_CURVE if name.startswith("Adobe") else _SRGB_CURVE
    text = name.encode()
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + bytes(79),
        b"wtpt": _xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": _xyz(*red),
        b"gXYZ": _xyz(*green),
        b"bXYZ": _xyz(*blue),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    offset = 128 + 4 + 12 * len(tags)
    table, bodies = struct.pack(">I", len(tags)), b""
    for tag, body in tags.items():
        table += tag + struct.pack(">II", offset + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    header = bytearray(128)
    header[0:4] = struct.pack(">I", offset + len(bodies))
    header[8:12] = b"\x02\x40\0\0"
    header[12:24] = b"mntrRGB XYZ "
    header[36:40] = b"acsp"
    header[68:80] = _xyz(0.9642, 1.0, 0.8249)[8:]
    return bytes(header) + table + bodies


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(value * 65536) for value in (x, y, z)))


def _columns(primaries: tuple[tuple[float, float], ...]) -> list[list[float]]:
    """XYZ of full red, green and blue, adapted from D65 to ICC's D50 (Bradford)."""

    def xyz(x: float, y: float) -> list[float]:
        return [x / y, 1.0, (1 - x - y) / y]

    raw = np.array([xyz(*each) for each in primaries], np.float64).T
    white = np.array(xyz(*_D65), np.float64)
    gain = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    to_d50 = np.linalg.inv(_BRADFORD) @ (gain[:, None] * _BRADFORD)
    columns: NDArray[np.float64] = to_d50 @ (raw * np.linalg.solve(raw, white))
    return [[float(value) for value in columns[:, index]] for index in range(3)]
