"""Google Takeout's JSON beside a picture, as partial Metadata: date, position and what people wrote in Google Photos.

Which JSON belongs to which picture is only in the names (`havenfs.mates`). Bounded; never fails.
"""

from __future__ import annotations

import json
import os
from typing import Any, cast

from havenfs import mates
from havenfs.entities import DateSource, Metadata, Taken
from havenfs.errors import SourceGone, Unreadable
from havenfs.extract import dates
from havenfs.extract.exif import valid_position
from havenfs.extract.original import opened

MAX_BYTES = 1 << 20


def beside(path: bytes) -> Metadata:
    """What Takeout exported about the picture at *path*; empty without a JSON that is about a picture."""
    folder, name = os.path.split(path)
    for candidate in dict.fromkeys(mates.exported(name)):
        try:
            with opened(os.path.join(folder, candidate)) as file:  # noqa: PTH118 -- bytes
                found = parse(file.read(MAX_BYTES + 1))
        except (SourceGone, Unreadable):
            continue
        if found is not None:
            return found
    return Metadata()


def parse(data: bytes) -> Metadata | None:
    """The facts in Takeout's JSON; None when it is anything else."""
    if len(data) > MAX_BYTES:
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    known = _object(value)
    stamp = _object(known.get("photoTakenTime")).get("timestamp")
    if stamp is None or not isinstance(known.get("title"), str):
        return None
    position = _position(known)
    description = known.get("description")
    return Metadata(
        taken=_taken(stamp),
        latitude=position[0] if position else None,
        longitude=position[1] if position else None,
        caption=description.strip()[:4000] or None if isinstance(description, str) else None,
    )


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _taken(stamp: Any) -> Taken | None:
    """An instant in UTC; whoever knows the position puts it on the clock of the place."""
    try:
        seconds = int(stamp)
    except (TypeError, ValueError):
        return None
    if not dates.plausible(seconds):
        return None
    return Taken(local=seconds, offset=0, source=DateSource.TAKEOUT)


def _position(known: dict[str, Any]) -> tuple[float, float] | None:
    """What people set in Google Photos, else what was in the file. 0, 0 stands for nothing."""
    for key in ("geoData", "geoDataExif"):
        data = _object(known.get(key))
        try:
            latitude, longitude = float(data["latitude"]), float(data["longitude"])
        except (KeyError, TypeError, ValueError):
            continue
        if valid_position(latitude, longitude):
            return latitude, longitude
    return None
