"""The table `[index]`: how much of the machine the indexer takes, and when. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from havenfs.config import Budget

from .setting import Setting, flag

DAY = 24 * 60  # minutes
LANGUAGES_ENV: Final = "HAVENFS_OCR_LANGUAGES"
"""How workers are told of Indexing.languages: in tesseract's own form, `deu+eng`."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the day in minutes since midnight, from *start* until *end*; over midnight when *end* comes first."""

    start: int
    end: int

    def left(self, minute: int) -> int | None:
        """Minutes from *minute* until it ends; None outside."""
        length = (self.end - self.start) % DAY or DAY
        since = (minute - self.start) % DAY
        return length - since if since < length else None


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours in which the indexer rests."""

    spans: tuple[Span, ...] = ()

    def until(self, now: datetime) -> datetime | None:
        """When the rest that *now* lies in is over; None outside of it. Of spans that meet, the last one's end."""
        end: datetime | None = None
        at = now.replace(second=0, microsecond=0)
        for _ in self.spans:
            left = max((s.left(at.hour * 60 + at.minute) or 0 for s in self.spans), default=0)
            if not left:
                break
            at = end = at + timedelta(minutes=left)
        return end


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexing:
    """The table `[index]`. Its fields are explained in SETTINGS."""

    budget: Budget = Budget.BALANCED
    quiet: Quiet = Quiet()
    workers: int | None = None
    memory: int = 1536 << 20
    """Bytes."""
    wake_disks: bool = False
    languages: tuple[str, ...] = ()
    """Of printed text, by tesseract's names; none: all that are installed."""


def _budget(value: Any) -> Budget:
    try:
        return Budget(value)
    except ValueError:
        raise ValueError('give "background", "balanced" or "full"') from None


_SPAN = re.compile(r"\s*(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)\s*")


def _quiet(value: Any) -> Quiet:
    spans: list[Span] = []
    for part in str(value).split(",") if value != "" else ():
        match = _SPAN.fullmatch(part)
        times = [int(number) for number in match.groups()] if match else []
        if not match or times[0] > 24 or times[2] > 24 or times[1] > 59 or times[3] > 59:
            raise ValueError(f'{part.strip()!r} are no hours; give some such as "22:00-07:00"')
        spans.append(Span((times[0] * 60 + times[1]) % DAY, (times[2] * 60 + times[3]) % DAY))
    return Quiet(tuple(spans))


def _workers(value: Any) -> int | None:
    if type(value) is int and 0 <= value <= 64:
        return value or None
    raise ValueError("give a number from 1 to 64, or 0 for as many as the budget says")


_UNITS: Final = {"M": 1 << 20, "G": 1 << 30}
LEAST_MEMORY = 512 << 20
"""Every decoder and a full model loaded, and a photo of 24 megapixels."""


def _memory(value: Any) -> int:
    match = re.fullmatch(r"(\d+)\s*([MG])(?:i?B)?", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('give a size such as "1536M" or "2G"')
    size = int(match[1]) * _UNITS[match[2]]
    if size < LEAST_MEMORY:
        raise ValueError(
            f"that is too little to decode photos; give at least {LEAST_MEMORY >> 20}M"
        )
    return size


def _languages(value: Any) -> tuple[str, ...]:
    names = re.split(r"[\s,+]+", value.strip()) if isinstance(value, str) else ["?"]
    if any(name and not re.fullmatch(r"[A-Za-z][\w-]*(/[A-Za-z]+)?", name) for name in names):
        raise ValueError('give names of tesseract such as "eng, deu, chi_sim"')
    return tuple(filter(None, names))


SETTINGS: Final = (
    Setting(
        table="index",
        name="budget",
        default='"balanced"',
        help="How much of the machine the indexer takes.\n"
        '"background": only what nobody else wants. One process at the lowest priority; it pauses while others use the\n'
        "disk, the processor or the memory, and while somebody searches.\n"
        '"balanced": behind everybody else, on all cores but one; it pauses while the disk or the memory is short.\n'
        '"full": all cores, and no pauses: for the first night with a large library.\n'
        "What somebody has just put in through the mount is looked at in any case.",
        read=_budget,
    ),
    Setting(
        table="index",
        name="quiet",
        default='""',
        help='Hours in which the indexer rests, so that disks may sleep: "22:00-07:00". Several are separated by commas.\n'
        'To index at night only, name the day: "07:00-23:00".',
        read=_quiet,
    ),
    Setting(
        table="index",
        name="workers",
        default="0",
        help="Processes that decode and look; 0: as many as the budget says.",
        read=_workers,
    ),
    Setting(
        table="index",
        name="memory",
        default='"1536M"',
        help="Memory that each of these processes may have of its own. What a file needs beyond is refused, with a reason.",
        read=_memory,
    ),
    Setting(
        table="index",
        name="wake_disks",
        default="false",
        help="Whether the full scan every six hours may wake a disk that sleeps. Without, it waits until somebody uses the\n"
        "disk: nothing changes on one that nobody touches. Network disks are always scanned.",
        read=flag,
    ),
    Setting(
        table="index",
        name="languages",
        default='""',
        help='Languages in which printed text on pictures is read, as tesseract calls them: "eng, deu, chi_sim". Empty: all\n'
        "that are installed (the Debian packages tesseract-ocr-*). Each one makes reading slower.",
        read=_languages,
    ),
)
