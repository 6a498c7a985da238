"""How long a file says that it is: the sizes written in RIFF and ISO base media containers against the bytes that are there.

Tells "half of it was copied" from "damaged". Reads headers only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BOXES = 10_000


def boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and length of each top-level box (ISO/IEC 14496-12) of a file of *size* bytes.

    The last one may reach beyond the end. Stops at the first that makes no sense.
    """
    at = 0
    for _ in range(MAX_BOXES):
        file.seek(at)
        header = file.read(16)
        if len(header) < 8:
            return
        length = int.from_bytes(header[:4])
        if length == 1:
            length = int.from_bytes(header[8:16])
        elif length == 0:  # to the end of the file
            length = size - at
        if length < 8:
            return
        yield header[4:8], at, length
        at += length


def share(file: BinaryIO, size: int) -> int | None:
    """Percent of the promised bytes that are there, when it is less than all; None for whole files and other formats."""
    file.seek(0)
    head = file.read(12)
    promised = size
    if head[:4] == b"RIFF":
        promised = int.from_bytes(head[4:8], "little") + 8
    elif head[4:8] == b"ftyp":
        promised = max((start + length for _, start, length in boxes(file, size)), default=size)
    return max(0, min(99, 100 * size // promised)) if promised > size else None
