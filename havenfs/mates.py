"""Which files of one folder belong together, by their names alone: what cameras, phones and exports agree on.

Knows names; opens nothing, asks no catalog. Names are bytes, as the kernel gives them. Pure; any thread.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

Span = tuple[bytes, bytes]
"""From a name on, up to but without another, in the order of bytes: what an index over paths finds at once."""

_LAST = b"\xff"  # beyond any UTF-8
# "C." and "C-...": the characters from "-" up to "/", which no name has.
_FROM, _TO = b"-", b"/"

# None is compiled before it is asked about (re keeps it then): 1 ms of a mount's start.
# Google's exports name an edited copy in the language of the account.
_EDITED = (
    "-(?:edited|bearbeitet|modifi\u00e9|editado|ha editado|modificato|bewerkt|edytowane|redigerad|redigeret|redigert|muokattu"
    "|\u7de8\u96c6\u6e08\u307f)(?P<number>\\(\\d+\\))?$".encode()
)
_APPLE_EDITED = rb"(?P<before>IMG_)E(?P<number>\d{4,})$"
_APPLE = rb"(?P<before>IMG_)(?P<number>\d{4,})$"
_BURST = rb"(?P<before>.*_BURST)(?P<frame>\d{1,4})(?P<cover>_COVER)?$"
_OLD_BURST = (
    rb"(?P<frame>\d{5})(?P<kind>[A-Za-z]+)_(?P=frame)_BURST(?P<moment>\d{12,})(?P<cover>_COVER)?$"
)
_COUNTED = rb"(?P<before>.*?)(?P<number>\d+)$"
_NUMBERED = rb"(?P<before>.*)\(\d+\)$"


class Name(Struct, frozen=True):
    """What the name of a picture or a video says of its mates."""

    stem: bytes
    """Equal for files that belong together: without extension, "edited" and the number in a burst."""
    edited: bool = False
    burst: bool = False
    cover: bool = False
    """The frame of a burst that its camera, or its owner, chose."""


def read(name: bytes) -> Name:
    """*name* (of a file, without folders) taken apart."""
    stem = name.rpartition(b".")[0] or name
    if match := re.match(_OLD_BURST, stem):
        return Name(
            match["kind"] + b"_BURST" + match["moment"], burst=True, cover=bool(match["cover"])
        )
    if match := re.match(_BURST, stem):
        return Name(match["before"], burst=True, cover=bool(match["cover"]))
    if match := re.search(_EDITED, stem):
        return Name(_still(stem[: match.start()]) + (match["number"] or b""), edited=True)
    if match := re.match(_APPLE_EDITED, stem):
        return Name(match["before"] + match["number"], edited=True)
    return Name(_still(stem))


def _still(stem: bytes) -> bytes:
    """Pixel phones name a motion photo PXL_1.MP.jpg; Takeout puts its film beside it, as PXL_1.MP."""
    return stem.removesuffix(b".MP") or stem


def spans(name: bytes) -> Iterator[Span]:
    """Where names with the stem of *name* stand among the names of its folder. Others stand there too."""
    mine = read(name)
    if mine.burst:
        match = re.match(_OLD_BURST, name.rpartition(b".")[0])
        if match is None:
            yield mine.stem, mine.stem + _LAST
        else:  # counted from 00000; a frame or two may have been thrown away
            frame = int(match["frame"])
            for number in range(max(0, frame - 4), frame + 5):
                start = b"%05d%s_%05d_BURST%s" % (number, match["kind"], number, match["moment"])
                yield start, start + _LAST
        return
    yield mine.stem + _FROM, mine.stem + _TO
    if match := re.match(_NUMBERED, mine.stem):  # IMG_1(1).jpg and IMG_1-edited(1).jpg
        yield match["before"] + _FROM, match["before"] + b"."
    if match := re.match(_APPLE, mine.stem):
        edited = match["before"] + b"E" + match["number"]
        yield edited + _FROM, edited + _TO


def step(name: bytes, by: int) -> Span | None:
    """Where the picture stands that the camera took *by* pictures after *name* (before it, if negative). None: it does
    not count its pictures."""
    match = re.match(_COUNTED, name.rpartition(b".")[0])
    if match is None:
        return None
    number = int(match["number"]) + by
    width = len(match["number"])
    if number < 0 or len(str(number)) > width:
        return None
    start = match["before"] + b"%0*d" % (width, number)
    return start + b".", start + _TO


_LONG = 40  # exports cut the names of sidecars at 46 characters, those of numbered ones before


def is_sidecar(name: bytes) -> bool:
    """Whether a file of this name may say something about a picture beside it."""
    if name[-5:].lower() == b".json":  # that of a picture: IMG_1.jpg.json, or cut
        return b"." in name[:-5] or len(name) - 5 >= _LONG
    return name[-4:].lower() in (b".xmp", b".aae")


def owners(name: bytes) -> Span:
    """Where the pictures stand that the sidecar *name* may be about: rather too many than too few."""
    base = name.rpartition(b".")[0]
    if name[-5:].lower() == b".json":
        base = re.split(rb"[.(]", base, maxsplit=1)[0] or base
        if len(base) >= _LONG:
            return base, base + _LAST
    return base, base + _TO


_RAW = frozenset(
    b"3fr arw cr2 cr3 crw dcr dng erf fff iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f".split()
)
_FILM = frozenset(b"3gp avi m4v mkv mov mp mp4 mts".split())
_NOTES = frozenset(b"xmp json aae txt thm".split())


def sidecar_names(name: bytes) -> list[bytes]:
    """What XMP sidecars of *name* are called; those of its stem may be another file's (`sidecars`)."""
    stem = name.rpartition(b".")[0]
    ends = (b".xmp", b".XMP")
    return [name + end for end in ends] + [stem + end for end in ends if stem]


def sidecars(name: bytes, present: Collection[bytes]) -> list[bytes]:
    """The XMP sidecars of *name* among the names *present* in its folder, the most exact first.

    darktable and digiKam write `IMG_1.jpg.xmp`. Lightroom writes `IMG_1.xmp`, which is the RAW's where there is one (what
    it knows of the JPEG, it writes into that), and the still's beside the film of a live photo.
    """
    exact = [name + end for end in (b".xmp", b".XMP") if name + end in present]
    stem = name.rpartition(b".")[0]
    shared = [stem + end for end in (b".xmp", b".XMP") if stem and stem + end in present]
    if not shared:
        return exact
    mates = [other for other in present if other.rpartition(b".")[0] == stem]
    claims = [claim for other in mates if (claim := _claim(other)) is not None]
    mine = _claim(name)
    return exact + (shared if mine is not None and mine == min(claims, default=mine) else [])


def _claim(name: bytes) -> int | None:
    """How good a claim the file has to a sidecar of its stem, best first; None: it is a sidecar itself."""
    extension = name.rpartition(b".")[2].lower()
    if extension in _NOTES:
        return None
    return 0 if extension in _RAW else 2 if extension in _FILM else 1


_CUT = 46  # characters of the name of Takeout's JSON before .json
_SUPPLEMENTAL = ".supplemental-metadata"  # since 2024; cut with the rest, down to "." alone
_NUMBER = r"(?P<stem>.*)(?P<number>\(\d+\))$"
_STILLS = (".HEIC", ".heic", ".JPG", ".jpg", ".JPEG", ".jpeg")
_FILMS = frozenset({".mp4", ".mov", ".mp"})


def exported(name: bytes) -> Iterator[bytes]:
    """The names that Google Takeout's JSON about the picture *name* may have, most exact first.

    Takeout cuts, numbers and translates them by rules that nobody wrote down; those here were collected from exports and
    from the programs that undo them.
    """
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return
    own = read(name)
    stem, extension = os.path.splitext(text)  # noqa: PTH122 -- a name
    stems = [stem]
    if own.edited:  # the JSON is the original's
        stems.append(own.stem.decode("utf-8", "replace"))
    for each in stems:
        yield from _exported(each, extension)
    if extension.lower() in _FILMS:  # the film of a live photo has none: the photo's is about both
        for each in stems:
            for still in _STILLS:
                yield from _exported(each, still)
                if extension == ".MP":
                    yield from _exported(each, extension + still)


def _exported(stem: str, extension: str) -> Iterator[bytes]:
    """IMG(1).jpg has IMG.jpg(1).json, or IMG.jpg.supplemental-metadata(1).json."""
    match = re.match(_NUMBER, stem)
    plain, number = (match["stem"], match["number"]) if match else (stem, "")
    full = plain + extension
    for base in (full + _SUPPLEMENTAL, full):
        for cut in (len(base), _CUT, _CUT - len(number)):
            yield f"{base[:cut]}{number}.json".encode()
    if number:  # whose own name has the brackets
        for base in (stem + extension + _SUPPLEMENTAL, stem + extension):
            yield f"{base[:_CUT]}.json".encode()


def beside(name: bytes, present: Collection[bytes]) -> list[bytes]:
    """All sidecars of *name* among the names *present* in its folder: XMP, Apple's .aae, Takeout's JSON."""
    stem = name.rpartition(b".")[0] or name
    others = (stem + b".aae", stem + b".AAE", *exported(name))
    return list(dict.fromkeys([*sidecars(name, present), *(o for o in others if o in present)]))


def near(name: bytes) -> Span:
    """Where the sidecars of *name*, and whoever else has a claim to them, stand among the names of its folder."""
    start = re.split(rb"[.(]", name, maxsplit=1)[0] or name
    if len(start) >= _LONG:  # Takeout may have cut it there
        return start[: _LONG - 1], start[: _LONG - 1] + _LAST
    return start, start + _TO
