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
LOOSE = 31 * _DAY
"""A folder contradicts what lies farther outside of its days: a trip goes on for weeks after the date it is named for, a
month's folder takes the next days too."""
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
_CLOCKS = (DateSource.EXIF, DateSource.CONTAINER)


def choose(
    written: Taken | None,
    *,
    named: tuple[int, int | None] | None,
    folder: dates.Span | None,
    mtime_ns: int,
    camera: bool,
    position: bool = False,
) -> Taken | None:
    """The date to believe, with its confidence. *written* stands in the file or its sidecar; *camera*: there is a record
    of the exposure, so that the file is no scan; *position*: who took it knew where it was, and so the time.

    *written* gives way only to the best of the others that contradicts it, where a better one does not agree with it.
    """
    name = Taken(local=named[0], offset=named[1], source=DateSource.NAME) if named else None
    if written is None:
        if name is not None:
            return _with(name, None, folder, unset=dates.is_new_year(name.local))
        if folder is not None:
            return _of_folder(folder, SURE[DateSource.FOLDER])
        return _of_mtime(mtime_ns)
    unset = _unset(written, position=position)
    other: Taken | None = None
    if name is not None:
        if not _agree(name, written):
            other = replace(name, confidence=DOUBTED)
    elif folder is not None and folder.apart(written.local) > LOOSE:
        other = _of_folder(folder, DOUBTED)
    if other is not None:
        # A clock that was never set is behind by years. A scan, or what a program has saved anew, is younger than the event.
        if unset and other.local > written.local:
            return other
        if written.source in _CLOCKS and not camera and other.local < written.local:
            return other
    return _with(written, name, folder, unset=unset)


def _unset(written: Taken, *, position: bool) -> bool:
    """Whether that may be the time of a clock that starts anew when the battery was out: on New Year's Day. People
    celebrate then, so alone it proves nothing. Phones and cameras with a receiver know better, and say so."""
    if written.source not in _CLOCKS or not dates.is_new_year(written.local) or position:
        return False
    # containers are in UTC whoever wrote them
    return written.offset is None or (written.source is DateSource.CONTAINER and not written.offset)


def _agree(one: Taken, other: Taken) -> bool:
    return abs(one.local - other.local) <= APART


def _with(taken: Taken, name: Taken | None, folder: dates.Span | None, *, unset: bool) -> Taken:
    """Surer where another source agrees, less sure where a name differs or where the clock may never have been set."""
    sure = min(SURE[taken.source], DOUBTED) if unset else SURE[taken.source]
    if (name is not None and _agree(name, taken)) or (
        folder is not None and folder.apart(taken.local) <= APART
    ):
        sure = CONFIRMED if sure >= SURE[DateSource.NAME] else SURE[DateSource.NAME]
    elif name is not None:
        sure = min(sure, DOUBTED)  # folders hold pictures of many days; a name is about one
    return replace(taken, confidence=sure)


def _of_folder(folder: dates.Span, sure: float) -> Taken:
    return Taken(local=folder.first, offset=None, source=DateSource.FOLDER, confidence=sure)


def _of_mtime(mtime_ns: int) -> Taken | None:
    own = dates.of_mtime(mtime_ns)
    if own is None:
        return None
    sure = SURE[DateSource.MTIME]
    return Taken(local=own[0], offset=own[1], source=DateSource.MTIME, confidence=sure)
