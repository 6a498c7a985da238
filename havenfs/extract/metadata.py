"""Every fact about a file that is not its pixels: gathers EXIF, XMP, containers, names and folders, and decides who wins.

Dates by provenance: EXIF, XMP, Takeout, container, name, folder, mtime. Words (rating, caption, keywords) prefer the sidecar, where
people edit. Never fails for a damaged file: its name and times are facts too.
"""

from __future__ import annotations

import os
import re
import unicodedata
import warnings
from typing import TYPE_CHECKING

from msgspec.structs import replace
from PIL import Image

from havenfs.entities import DateSource, Kind, Metadata, Taken
from havenfs.errors import Unreadable
from havenfs.extract import (
    apple,
    authored,
    dates,
    exif,
    geography,
    jxl,
    moments,
    motion,
    takeout,
    tiff,
    video,
    xmp,
)
from havenfs.extract.decode import FORMATS
from havenfs.extract.exif import first_of, valid_position
from havenfs.extract.failures import DECODING
from havenfs.extract.original import GONE, explain, opened

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


def read(path: bytes, relative: bytes, *, kind: Kind, mime: str, mtime_ns: int) -> Metadata:
    """The facts of the file at *path* (absolute), which lies at *relative* in its source. Raises SourceGone only."""
    inside, packet = _inside(path, kind, mime)
    beside = xmp.sidecars(path) if kind is not Kind.DOCUMENT else Metadata()
    exported = takeout.beside(path) if kind is not Kind.DOCUMENT else Metadata()
    merged = first_of(inside, beside, packet, exported)
    words = first_of(beside, exported, packet, inside)
    if merged.latitude is not None and not valid_position(merged.latitude, merged.longitude or 0.0):
        merged = replace(merged, latitude=None, longitude=None)
    zone: ZoneInfo | None = None
    locality = None
    if merged.latitude is not None and merged.longitude is not None:
        zone = geography.zone(merged.latitude, merged.longitude)
        locality = geography.locality(merged.latitude, merged.longitude)
    name = os.path.basename(relative)  # noqa: PTH119 -- bytes
    return replace(
        merged,
        taken=_taken(merged, relative, mtime_ns, zone, position=inside.latitude is not None),
        locality=locality,
        rating=words.rating,
        caption=words.caption,
        keywords=words.keywords,
        screenshot=kind is not Kind.DOCUMENT
        and (merged.screenshot or _screenshot(merged, name, mime)),
        raw=exif.is_raw(mime),
        adjusted=apple.adjusted(path) if kind is not Kind.DOCUMENT else None,
    )


def _inside(path: bytes, kind: Kind, mime: str) -> tuple[Metadata, Metadata]:
    """What the file itself says: its own format's facts, and its XMP packet."""
    try:
        if kind is Kind.VIDEO:
            return video.facts(path, mime), Metadata()
        if kind is Kind.DOCUMENT:
            return authored.facts(path, mime), Metadata()
        return _picture(path, mime)
    except Unreadable:
        return Metadata(), Metadata()


def _picture(path: bytes, mime: str) -> tuple[Metadata, Metadata]:
    with opened(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about sloppy tags
        if exif.is_raw(mime):
            return exif.of_raw(file, mime), Metadata()
        try:
            if mime == "image/jxl":
                known = jxl.header(file, os.fstat(file.fileno()).st_size)
                return exif.of_jxl(known), xmp.parse(known.xmp)
            with Image.open(file, formats=FORMATS) as image:
                if image.format == "TIFF":
                    tiff.seek_picture(image)
                packet = _packet(image)
                size = os.fstat(file.fileno()).st_size
                found = replace(
                    exif.of_image(image, file), live=motion.film(file, size, packet) is not None
                )
                return found, xmp.parse(packet)
        except DECODING as error:
            if isinstance(error, OSError) and error.errno in GONE:
                raise explain(error) from error
            return Metadata(), Metadata()


def _packet(image: Image.Image) -> bytes:
    """The XMP packet in an opened *image*; empty without one."""
    for key in ("xmp", "XML:com.adobe.xmp", "Raw profile type xmp"):
        packet = image.info.get(key)
        if packet:
            return packet.encode() if isinstance(packet, str) else bytes(packet)
    tags = getattr(image, "tag_v2", None)  # TIFF keeps it as a tag
    packet = tags.get(700) if tags is not None else None
    return packet if isinstance(packet, bytes) else b""


def _taken(
    found: Metadata, relative: bytes, mtime_ns: int, zone: ZoneInfo | None, *, position: bool
) -> Taken | None:
    """The best date, with the offset of its place where only the position tells it. *position*: the file's own, not one
    that somebody has given it since."""
    text = relative.decode("utf-8", "replace")
    *folders, name = text.split("/")
    stem = name.rpartition(".")[0] or name
    named = dates.in_name(stem)
    taken = moments.choose(
        found.taken,
        named=named,
        folder=dates.in_folders(folders),
        mtime_ns=mtime_ns,
        camera=found.exposure_s is not None or found.camera is not None,
        position=position,
    )
    if taken is None or taken.source is DateSource.MTIME:
        return taken
    if taken.offset == 0 and taken.source in (DateSource.CONTAINER, DateSource.TAKEOUT):
        return _localised(taken, named, zone, found.duration_ms or 0)
    if taken.offset is None and zone is not None:
        return replace(taken, offset=geography.offset_at(zone, taken.local))
    return taken


def _localised(
    taken: Taken, named: tuple[int, int | None] | None, zone: ZoneInfo | None, duration_ms: int
) -> Taken:
    """Cameras write containers in UTC: on the clock of the place where the position, or the camera's own name for the
    file, tells which one that was."""
    if zone is not None:
        minutes = geography.offset_from_utc(zone, taken.local)
        return replace(taken, local=taken.local + minutes * 60, offset=minutes)
    if named is not None and named[1] is None:
        minutes = round((named[0] - taken.local) / 900) * 15
        # the container may say when recording ended
        slack = min(duration_ms / 1000, 400) + 10
        if abs(minutes) <= 14 * 60 and abs(named[0] - taken.local - minutes * 60) <= slack:
            return replace(taken, local=taken.local + minutes * 60, offset=minutes)
    return taken


_SCREENSHOT = re.compile(
    "screen[ _-]?shot|screen[ _-]?capture|screen[ _-]?recording|bildschirmfoto|bildschirmaufnahme|"
    "capture[ _-]d.e?cran|capture[ _-]d.écran|captura[ _-]de[ _-](?:pantalla|ecr)|schermafbeelding|"
    "schermata|skärmavbild|^scrn?[ _-]?\\d|^snapshot[ _-]\\d{4}",
    re.IGNORECASE,
)
_SCREENS = frozenset(
    {
        (1280, 720), (1366, 768), (1440, 900), (1600, 900), (1680, 1050), (1920, 1080), (1920, 1200), (2560, 1440),
        (2560, 1600), (2880, 1800), (3024, 1964), (3456, 2234), (3840, 2160), (5120, 2880),  # computers
        (1136, 640), (1334, 750), (1792, 828), (2208, 1242), (2340, 1080), (2400, 1080), (2436, 1125), (2532, 1170),
        (2556, 1179), (2622, 1206), (2688, 1242), (2778, 1284), (2796, 1290), (2868, 1320), (2160, 1080), (2280, 1080),
        (2310, 1080), (2960, 1440), (3040, 1440), (3088, 1440), (3120, 1440), (3200, 1440), (2992, 1344),  # phones
        (2048, 1536), (2160, 1620), (2224, 1668), (2360, 1640), (2388, 1668), (2732, 2048),  # tablets
    }
)  # fmt: skip
"""Sizes of screens, longer side first. Only pictures without a camera and in PNG count by size."""


def _screenshot(found: Metadata, name: bytes, mime: str) -> bool:
    if _SCREENSHOT.search(unicodedata.normalize("NFC", name.decode("utf-8", "replace"))):
        return True
    if (
        mime != "image/png"
        or found.camera is not None
        or found.width is None
        or found.height is None
    ):
        return False
    return (max(found.width, found.height), min(found.width, found.height)) in _SCREENS
