"""Which exceptions mean "this file is bad", and the words for each that an owner understands.

The decoders are C libraries behind Python of many hands: a damaged file makes them raise nearly anything. The tuples
below were collected from the sources of Pillow 13, pillow-heif 1.8, rawpy 0.28, PyAV 18, pypdfium2 5 and from fuzzing
with truncated and flipped files (tests/extract/test_hostile.py). Anything that is not here is a bug of ours and crashes the worker.
"""

from __future__ import annotations

import struct
import zlib

from PIL import Image, UnidentifiedImageError

from havenfs.errors import SourceGone, Unreadable
from havenfs.extract.original import GONE, explain

DECODING = (
    UnidentifiedImageError,  # an OSError: the header is not what it promised
    OSError,  # truncated or broken data stream; FFmpegError of PyAV is one too
    SyntaxError,  # Pillow's plug-ins: "not a PNG file", broken chunk
    ValueError,  # sizes, modes, encodings; UnicodeError included
    struct.error,  # short fields in headers and EXIF
    zlib.error,  # compressed chunks (iCCP, zTXt) that are damaged
    EOFError,
    IndexError,  # palettes, IFDs and tables with less than they announce
    KeyError,  # unknown modes and compressions
    TypeError,  # tags of another type than the format says
    AttributeError,  # tags that are missing where a plug-in counts on them
    AssertionError,  # Pillow states its assumptions about data with assert
    ArithmeticError,  # zero denominators, overflow
    RuntimeError,  # libheif, pypdfium2; NotImplementedError and RecursionError included
    MemoryError,  # more pixels than the worker's cap allows
    Image.DecompressionBombError,
)
"""What Pillow, pillow-heif, PyAV and pypdfium2 raise about bad data."""


def reason(error: BaseException, what: str = "picture") -> Unreadable | SourceGone:
    """The error of ours for one of DECODING (or a library's own class)."""
    if isinstance(error, Unreadable | SourceGone):
        return error
    if isinstance(error, OSError) and error.errno in GONE:
        return explain(error)
    if isinstance(error, MemoryError):
        return Unreadable(f"not enough memory to decode this {what}")
    if isinstance(error, Image.DecompressionBombError):
        return Unreadable("it has too many pixels")
    if isinstance(error, UnidentifiedImageError):
        return Unreadable(f"it is damaged, or a sort of {what} that is not supported")
    text = " ".join(str(error).split()).lower()
    if any(
        word in text
        for word in ("truncat", "end of file", "unexpected eof", "eof", "incomplete", "premature")
    ):
        return Unreadable("the file is cut off")
    if "unsupported" in text or "not supported" in text or isinstance(error, NotImplementedError):
        return Unreadable(f"this sort of {what} is not supported")
    return Unreadable(f"it is damaged: the {what} cannot be decoded")
