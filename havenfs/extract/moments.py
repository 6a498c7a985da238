"""Which of several dates is the one: by provenance, and by what speaks against it.

A camera's record wins, unless its clock was never set or it is a scanner's; what others say then changes how sure the
answer is, 0..1. Parses nothing (`dates` does that), knows no time zones (`geography` does).
"""

from __future__ import annotations

from msgspec.structs import replace

from havenfs.entities import DateSource, Taken
from havenfs.extract import dates

_DAY = 86_400
APART = 2 * _DAY
"""Two dates that differ by more are not about one moment: time zones explain 26 hours, and names are put at noon."""
SURE = {
    DateSource.EXIF: 0.95,
    DateSource.XMP: 0.9,
    DateSource.TAKEOUT: 0.9,
    DateSource.CONTAINER: 0.85,
    DateSource.NAME: 0.8,
    DateSource.FOLDER: 0.5,
    DateSource.MTIME: 0.2,
}
"""How likely each is right when nothing speaks for or against it: an estimate of what family archives are like."""
CONFIRMED = 0.99
DOUBTED = 0.6
"""Two sources differ and one had to be believed."""


def choose(
    written: Taken | None,
    *,
    named: tuple[int, int | None] | None,
    folder: int | None,
    mtime_ns: int,
    camera: bool,
) -> Taken | None:
    """The date to believe, with its confidence. *written* stands in the file or its sidecar; *camera*: there is a record
    of the exposure, so that the file is no scan."""
    others = [
        Taken(local=named[0], offset=named[1], source=DateSource.NAME) if named else None,
        Taken(local=folder, offset=None, source=DateSource.FOLDER) if folder is not None else None,
    ]
    found = [taken for taken in others if taken is not None]
    if written is None:
        return _with(found[0], found[1:]) if found else _of_mtime(mtime_ns)
    against = [taken for taken in found if abs(taken.local - written.local) > APART]
    if against and dates.is_new_year(written.local):
        # What a clock says that starts anew when the battery was out. People celebrate then, so alone it proves nothing.
        return replace(against[0], confidence=DOUBTED)
    stamped = written.source in (DateSource.EXIF, DateSource.CONTAINER) and not camera
    if against and stamped and against[0].local < written.local:
        # A scan, or a picture that a program has saved anew: the older date is that of the event.
        return replace(against[0], confidence=DOUBTED)
    return _with(written, found)


def _with(taken: Taken, others: list[Taken]) -> Taken:
    """Surer where another source agrees, less sure where all differ or where the clock may never have been set."""
    sure = SURE[taken.source]
    if dates.is_new_year(taken.local):
        sure = min(sure, DOUBTED)
    if any(abs(other.local - taken.local) <= APART for other in others):
        sure = CONFIRMED if sure >= SURE[DateSource.NAME] else SURE[DateSource.NAME]
    elif any(other.source is DateSource.NAME for other in others):
        sure = min(sure, DOUBTED)  # folders hold pictures of many days; a name is about one
    return replace(taken, confidence=sure)


def _of_mtime(mtime_ns: int) -> Taken | None:
    own = dates.of_mtime(mtime_ns)
    if own is None:
        return None
    sure = SURE[DateSource.MTIME]
    return Taken(local=own[0], offset=own[1], source=DateSource.MTIME, confidence=sure)
