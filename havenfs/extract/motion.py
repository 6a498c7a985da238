"""Motion photos: the short film that a phone puts behind a still in one file. Says where it lies; plays nothing.

Google's MicroVideo (2017) and Motion Photo format 1.0 (developer.android.com), in JPEG and in HEIC; Samsung's older
marker. A flag alone is not believed: editors keep it and drop the film.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from havenfs.extract.extent import boxes

if TYPE_CHECKING:
    from typing import BinaryIO

_OFFSET = re.compile(rb"GCamera:MicroVideoOffset(?:=[\"']|>)\s*(\d{1,10})")
_ITEM = re.compile(
    rb"<Container:Item\b[^>]*|<rdf:li\b[^>]*parseType=[\"']Resource[\"'][^>]*>.*?</rdf:li>", re.S
)
_LENGTH = re.compile(rb"Item:Length(?:=[\"']|>)\s*(\d{1,10})")
_PADDING = re.compile(rb"Item:Padding(?:=[\"']|>)\s*(\d{1,10})")
_SAMSUNG = b"MotionPhoto_Data"
_TAIL = 24 << 20  # bytes before the end in which Samsung's film begins: 3 s of full HD have 8 MB


def film(file: BinaryIO, size: int, packet: bytes) -> tuple[int, int] | None:
    """First byte and length of the film in a picture of *size* bytes, whose XMP is *packet*; None without one."""
    for length in _lengths(packet):
        if 8 < length < size and _is_film(file, size - length):
            return size - length, length
    file.seek(0)
    head = file.read(12)
    if head[4:8] == b"ftyp":
        for name, start, length in boxes(file, size):
            if name == b"mpvd" and start + length <= size and _is_film(file, start + 8):
                return start + 8, length - 8
    elif head[:2] == b"\xff\xd8":
        return _samsung(file, size)
    return None


def _lengths(packet: bytes) -> list[int]:
    """How many bytes before the end of the file the film may begin, as the packet says."""
    found = [int(match[1]) for match in _OFFSET.finditer(packet)]
    behind = (
        0  # items lie one behind the other, the film last but for what Ultra HDR or others append
    )
    for item in reversed(_ITEM.findall(packet)):
        length = _LENGTH.search(item)
        if length is None:
            continue
        padding = _PADDING.search(item)
        behind += int(length[1]) + (int(padding[1]) if padding else 0)
        if b"MotionPhoto" in item:
            found += [behind, int(length[1])]
    return found


def _is_film(file: BinaryIO, at: int) -> bool:
    file.seek(at)
    return file.read(8)[4:] == b"ftyp"


def _samsung(file: BinaryIO, size: int) -> tuple[int, int] | None:
    file.seek(max(0, size - 4))
    if file.read(4) != b"SEFT":
        return None
    start = max(0, size - _TAIL)
    file.seek(start)
    at = file.read(_TAIL).rfind(_SAMSUNG + b"\0\0\0")
    if at < 0:
        return None
    begin = start + at + len(_SAMSUNG)
    return (begin, size - begin) if _is_film(file, begin) else None
