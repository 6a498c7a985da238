"""Dates out of strings: EXIF, XMP, file names, folder names. Parses; decides nothing about which one wins.

A wall-clock time is an integer of seconds counted as if that clock were UTC (entities.Taken.local). What cannot be a
photo's date (before photography, after tomorrow, a clock that was never set) is None. Pure functions.
"""

from __future__ import annotations

import calendar
import re
import time
from datetime import UTC, datetime, timedelta

from msgspec import Struct

FIRST_YEAR = 1826
"""Niépce's view from the window; scans of old prints are dated by hand."""
_DAY = 86_400
_WRITTEN = (
    1_795_219_200  # 2026-11-21: a box without a battery starts in 1970 and does not know better
)


def wall(
    year: int, month: int, day: int, hour: int = 12, minute: int = 0, second: int = 0
) -> int | None:
    """Seconds of that wall-clock time, or None where it cannot be a date of something.

    A date without a time is put at noon: in the middle of that day's other pictures.
    """
    if year < FIRST_YEAR or not (
        1 <= month <= 12 and 0 <= hour <= 24 and 0 <= minute < 60 and 0 <= second <= 60
    ):
        return None
    if not 1 <= day <= calendar.monthrange(min(year, 9999), month)[1] or year > 9999:
        return None
    seconds = calendar.timegm((year, month, day, hour, minute, second))
    return seconds if plausible(seconds) else None


def plausible(seconds: int) -> bool:
    """Not in the far future, and no clock that starts at an epoch (1970, QuickTime's 1904) in whatever time zone."""
    if seconds > max(time.time(), _WRITTEN) + 2 * _DAY:
        return False
    return not any(
        abs(seconds - epoch) <= 14 * 3600 and seconds % 900 == 0 for epoch in (0, -2_082_844_800)
    )


def is_new_year(seconds: int) -> bool:
    """Whether that is the first of January."""
    moment = time.gmtime(seconds)
    return (moment.tm_mon, moment.tm_mday) == (1, 1)


_STAMP = re.compile(
    r"\s*(\d{4})[:/.-](\d{1,2})[:/.-](\d{1,2})(?:[T ]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:[.,]\d+)?)?"
    r"\s*(Z|UTC|[+-]\d{2}:?\d{2})?"
)
_OFFSET = re.compile(r"\s*(?:(Z|UTC)|([+-])(\d{1,2}):?(\d{2}))\s*$")


def stamp(text: str) -> tuple[int, int | None] | None:
    """Wall-clock seconds and offset (minutes east, None if not said) of an EXIF or ISO 8601 date and time."""
    match = _STAMP.match(text)
    if not match:
        return None
    year, month, day = (int(part) for part in match.group(1, 2, 3))
    if match[4] is None:
        found = wall(year, month, day)
    else:
        found = wall(year, month, day, int(match[4]), int(match[5]), int(match[6] or 0))
    return None if found is None else (found, offset(match[7] or ""))


def offset(text: str) -> int | None:
    """Minutes east of UTC in "+02:00", "-0530" or "Z"; None when there is none that exists on Earth."""
    match = _OFFSET.match(text)
    if not match:
        return None
    if match[1]:
        return 0
    minutes = int(match[3]) * 60 + int(match[4])
    if int(match[4]) >= 60 or minutes > 14 * 60:
        return None
    return -minutes if match[2] == "-" else minutes


_PDF = re.compile(
    r"D:(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:(Z)|([+-]\d{2})'?(\d{2})?'?)?"
)


def pdf(text: str) -> tuple[int, int | None] | None:
    """As `stamp`, for "D:20190714101500+02'00'" (ISO 32000-1, 7.9.4)."""
    match = _PDF.match(text.strip())
    if not match:
        return stamp(text)
    year, month, day, hour, minute, second = (
        int(part) if part else default
        for part, default in zip(match.groups()[:6], (0, 1, 1, 12, 0, 0), strict=True)
    )
    found = wall(year, month, day, hour, minute, second)
    if found is None:
        return None
    zone = "Z" if match[7] else f"{match[8]}:{match[9] or '00'}" if match[8] else ""
    return found, offset(zone)


_YEAR = r"(?P<year>(?:19|20)\d{2})"
_MONTH = r"(?P<month>0[1-9]|1[0-2])"
_DAY_OF_MONTH = r"(?P<day>0[1-9]|[12]\d|3[01])"
_CLOCK = (
    # An hour of one digit (macOS and WhatsApp, with twelve hours) only after a blank and with all its separators
    r"(?P<hour>[01]\d|2[0-3]|(?<=[\s_])\d(?=[-_.:h]\d\d[-_.:m]\d\d))(?P<colon>[-_.:h]?)(?P<minute>[0-5]\d)"
    r"(?:[-_.:m]?(?P<second>[0-5]\d))(?:[-_.]?\d{3})?(?!\d)(?:[\s\u202f]*(?P<half>[AaPp])\.?[Mm]\b)?"
)
_DATES = (
    rf"(?<!\d){_YEAR}(?P<dash>[-_.: ]?){_MONTH}(?P=dash){_DAY_OF_MONTH}",
    # Without leading zeros only between hyphens: 2019.1.2 is a version, DSC_2019_1_2 a count
    rf"(?<!\d)(?<!\d-){_YEAR}-(?P<month>0?[1-9]|1[0-2])-(?P<day>0?[1-9]|[12]\d|3[01])",
    rf"(?:(?P<at>@)|(?<!\d)(?<!\d[-.])){_DAY_OF_MONTH}(?P<dash>[-.]){_MONTH}(?P=dash){_YEAR}",
)
"""Year first; the same without leading zeros; day first: 14.07.2019, 14-07-2019."""
_MOMENTS = tuple(re.compile(rf"{date}(?:[-_. T]|,? at | um | à )*{_CLOCK}") for date in _DATES)
_DAYS = tuple(re.compile(rf"{date}(?!\d)") for date in _DATES)
_MILLISECONDS = re.compile(r"(?:^|FB_IMG_|mmexport|wx_camera_)(1\d{12})(?:\D|$)")


def in_name(name: str) -> tuple[int, int | None] | None:
    """Wall-clock seconds (and offset, where known) in the name of a file, as phones and programs write them.

    IMG_20190714_101500, PXL_20190714_101500123, 2019-07-14 10.15.00, Screenshot 2019-07-14 at 9.15.00 PM,
    VID-20190714-WA0003, 14.07.2019, photo_5@14-07-2019_10-15-00, FB_IMG_1563099300000.
    """
    for pattern in _MOMENTS:
        match = pattern.search(name)
        if match and not _ambiguous(match):
            hour = int(match["hour"])
            if match["half"] and 1 <= hour <= 12:
                hour = hour % 12 + (12 if match["half"] in "Pp" else 0)
            found = wall(*_day(match), hour, int(match["minute"]), int(match["second"]))
            if found is not None:
                return found, None
    days = _days_in(name)
    if days:
        return days[0], None
    match = _MILLISECONDS.search(name)
    if match and plausible(int(match[1]) // 1000):
        return int(match[1]) // 1000, 0
    return None


def _day(match: re.Match[str]) -> tuple[int, int, int]:
    return int(match["year"]), int(match["month"]), int(match["day"])


def _ambiguous(match: re.Match[str]) -> bool:
    """Whether that may be month first: Americans write 07-04-2019 for a day in July. Telegram (@) never does."""
    parts = match.groupdict()
    day, month = int(parts["day"]), int(parts["month"])
    hyphens = "at" in parts and not parts["at"] and parts["dash"] == "-"
    return hyphens and day <= 12 and day != month


def _days_in(text: str) -> list[int]:
    """Noon of each day that is written in *text*, all in one manner."""
    for pattern in _DAYS:
        matches = (match for match in pattern.finditer(text) if not _ambiguous(match))
        found = [noon for match in matches if (noon := wall(*_day(match))) is not None]
        if found:
            return found
    return []


class Span(Struct, frozen=True):
    """The days that the name of a folder is about, both included: noon of each, wall-clock seconds."""

    first: int
    last: int

    def apart(self, local: int) -> int:
        """Seconds between *local* and the nearest of these noons, 0 within."""
        return max(self.first - local, local - self.last, 0)


_FOLDER_MONTH = re.compile(rf"(?<!\d){_YEAR}[-_. ]?{_MONTH}(?!\d)")
_FOLDER_YEAR = re.compile(r"^(?:19|20)\d{2}$")
_FOLDER_PART = re.compile(r"^(\d{1,2})(?!\d)")


def in_folders(folders: list[str]) -> Span | None:
    """The days in the names of *folders*, outermost first: 2019-07-14 Rome, 2019-07-10 to 2019-07-20, 2019/07/14,
    2019/07 - July, 2019-07.

    The innermost date wins. A month without a day is all of it; a year alone says too little.
    """
    for index in range(len(folders) - 1, -1, -1):
        days = _days_in(folders[index])
        if days:
            return Span(min(days), max(days))
        match = _FOLDER_MONTH.search(folders[index])
        if match:
            return _month(int(match["year"]), int(match["month"]), folders[index + 1 :])
        if _FOLDER_YEAR.match(folders[index]) and index + 1 < len(folders):
            month = _FOLDER_PART.match(folders[index + 1])
            if month and 1 <= int(month[1]) <= 12:
                return _month(int(folders[index]), int(month[1]), folders[index + 2 :])
    return None


def _month(year: int, month: int, below: list[str]) -> Span | None:
    """That month, or the day of it that the folder *below* is named for."""
    day, count = 1, calendar.monthrange(year, month)[1]
    if below and re.fullmatch(r"[0-3]?\d", below[0]) and int(below[0]) > 0:
        day, count = int(below[0]), 1
    first = wall(year, month, day)
    return None if first is None else Span(first, first + (count - 1) * _DAY)


def of_mtime(mtime_ns: int) -> tuple[int, int] | None:
    """Wall-clock seconds and offset of a file's time, on the clock of this machine."""
    try:
        local = datetime.fromtimestamp(mtime_ns // 1_000_000_000, tz=UTC).astimezone()
    except (OverflowError, ValueError, OSError):
        return None
    shift = local.utcoffset() or timedelta()
    return mtime_ns // 1_000_000_000 + int(shift.total_seconds()), int(shift.total_seconds()) // 60
