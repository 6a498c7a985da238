"""What Apple's cameras and Photos write beside the picture itself: the maker note in EXIF, and .aae files.

The maker note ties a live photo to its film and a frame to its burst. An .aae says that the picture was edited, in terms
that only Apple's programs can carry out: that it is there is a fact, what it does is not done.
"""

from __future__ import annotations

import os
import plistlib
from typing import Any, NamedTuple, cast
from xml.parsers.expat import ExpatError

from havenfs.errors import SourceGone, Unreadable
from havenfs.extract.original import opened

MAX_BYTES = 4 << 20
_SIGN = b"Apple iOS\0"
_ENTRIES = 200  # of a maker note; iOS writes about 60
_BURST, _CONTENT = 0x000B, 0x0011
_ASCII = 2


class MakerNote(NamedTuple):
    """The two facts of it that are used here."""

    content_id: str | None = None
    burst_id: str | None = None


def maker_note(data: bytes) -> MakerNote:
    """Read EXIF's MakerNote; empty for those of others. A TIFF directory whose offsets count from the note's start."""
    if not data.startswith(_SIGN) or len(data) < 16:
        return MakerNote()
    order = "little" if data[12:14] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    found: dict[int, str] = {}
    for index in range(min(number(14, 2), _ENTRIES)):
        at = 16 + index * 12
        tag, kind, count = number(at, 2), number(at + 2, 2), number(at + 4, 4)
        if kind != _ASCII or tag not in (_BURST, _CONTENT) or not 4 < count <= 256:
            continue
        start = number(at + 8, 4)
        text = data[start : start + count].split(b"\0")[0].decode("ascii", "replace").strip()
        if text:
            found[tag] = text
    return MakerNote(found.get(_CONTENT), found.get(_BURST))


def adjusted(path: bytes) -> str | None:
    """The program that edited the picture at *path*, by the .aae beside it; None without one."""
    stem = os.path.splitext(path)[0]  # noqa: PTH122 -- bytes
    for name in (stem + b".AAE", stem + b".aae"):
        try:
            with opened(name) as file:
                data = file.read(MAX_BYTES + 1)
        except (SourceGone, Unreadable):
            continue
        try:
            known: Any = plistlib.loads(data) if len(data) <= MAX_BYTES else {}
        except (
            plistlib.InvalidFileException,
            ExpatError,
            ValueError,
            IndexError,
            KeyError,
            TypeError,
            AttributeError,
            OverflowError,
            RecursionError,
        ):
            continue
        if not isinstance(known, dict):
            continue
        facts = cast("dict[str, Any]", known)
        editor = facts.get("adjustmentEditorBundleID") or facts.get("adjustmentFormatIdentifier")
        if editor:
            return str(editor)[:200]
    return None
