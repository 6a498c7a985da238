"""Writes a minimal DNG: an uncompressed Bayer mosaic with the tags that raw decoders need.

DNG 1.4 (Adobe), a TIFF 6.0 file with one directory and an EXIF directory. Not a camera's raw format: no preview, no
maker notes. Pure function; thread-safe.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datetime import datetime

    from PIL import Image

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SRATIONAL = 1, 2, 3, 4, 5, 10
_PACK = {_BYTE: "B", _SHORT: "H", _LONG: "I", _RATIONAL: "I", _SRATIONAL: "i"}
_WHITE = 16383

# XYZ (D65) to linear sRGB, IEC 61966-2-1: the "camera" sees in sRGB primaries.
_MATRIX = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)

Entry = tuple[int, int, int, bytes]
"""Tag, type, count, packed value."""


def dng(image: Image.Image, make: str, model: str, taken: datetime, iso: int) -> bytes:
    """Return *image* (RGB, even sides) as it would have come off a sensor with the pattern RG/GB."""
    width, height = image.size
    pixels = np.asarray(image, dtype=np.float32) / 255
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    mosaic = np.empty((height, width), dtype=np.float32)
    mosaic[0::2, 0::2] = linear[0::2, 0::2, 0]
    mosaic[0::2, 1::2] = linear[0::2, 1::2, 1]
    mosaic[1::2, 0::2] = linear[1::2, 0::2, 1]
    mosaic[1::2, 1::2] = linear[1::2, 1::2, 2]
    data = np.round(mosaic * _WHITE).astype("<u2").tobytes()
    stamp = taken.strftime("%Y:%m:%d %H:%M:%S")
    matrix = [number for value in _MATRIX for number in (round(value * 10000), 10000)]
    shot = [_entry(34855, _SHORT, [iso]), _text(36867, stamp), _text(36868, stamp)]
    main = [
        _entry(254, _LONG, [0]),
        _entry(256, _LONG, [width]),
        _entry(257, _LONG, [height]),
        _entry(258, _SHORT, [16]),
        _entry(259, _SHORT, [1]),
        _entry(262, _SHORT, [32803]),  # colour filter array
        _text(271, make),
        _text(272, model),
        _entry(273, _LONG, [0]),  # where the mosaic begins; known below
        _entry(274, _SHORT, [1]),
        _entry(277, _SHORT, [1]),
        _entry(278, _LONG, [height]),
        _entry(279, _LONG, [len(data)]),
        _entry(284, _SHORT, [1]),
        _text(306, stamp),
        _entry(33421, _SHORT, [2, 2]),
        _entry(33422, _BYTE, [0, 1, 1, 2]),
        _entry(34665, _LONG, [0]),  # where the EXIF directory begins; known below
        _entry(50706, _BYTE, [1, 4, 0, 0]),
        _entry(50707, _BYTE, [1, 1, 0, 0]),
        _text(50708, f"{make} {model}"),
        _entry(50714, _SHORT, [0]),
        _entry(50717, _LONG, [_WHITE]),
        _entry(50721, _SRATIONAL, matrix),
        _entry(50728, _RATIONAL, [1, 1, 1, 1, 1, 1]),  # neutral: already balanced
        _entry(50778, _SHORT, [21]),  # D65
    ]
    inner_at = 8 + len(_directory(main, 8))
    data_at = inner_at + len(_directory(shot, inner_at))
    known = {273: data_at, 34665: inner_at}
    main = [
        _entry(tag, _LONG, [known[tag]]) if tag in known else (tag, kind, count, value)
        for tag, kind, count, value in main
    ]
    return b"II*\0" + struct.pack("<I", 8) + _directory(main, 8) + _directory(shot, inner_at) + data


def _entry(tag: int, kind: int, values: list[int]) -> Entry:
    count = len(values) // 2 if kind in (_RATIONAL, _SRATIONAL) else len(values)
    return tag, kind, count, struct.pack(f"<{len(values)}{_PACK[kind]}", *values)


def _text(tag: int, value: str) -> Entry:
    packed = value.encode("ascii") + b"\0"
    return tag, _ASCII, len(packed), packed


def _directory(entries: list[Entry], start: int) -> bytes:
    """One image file directory at offset *start*, with the values that do not fit into its entries behind it."""
    room = start + 2 + 12 * len(entries) + 4
    table, beyond = struct.pack("<H", len(entries)), b""
    for tag, kind, count, value in entries:
        if len(value) <= 4:
            table += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
        else:
            table += struct.pack("<HHII", tag, kind, count, room + len(beyond))
            beyond += value + b"\0" * (len(value) % 2)
    return table + struct.pack("<I", 0) + beyond
