"""The table `[trash]`: for how long what was removed is kept. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from .setting import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Trash:
    """The table `[trash]`."""

    keep_days: int = 30
    """0: for ever."""


def _days(value: Any) -> int:
    if type(value) is int and 0 <= value <= 36_500:
        return value
    raise ValueError("give a number of days, or 0 for ever")


SETTINGS: Final = (
    Setting(
        table="trash",
        name="keep_days",
        default="30",
        help="Days for which removed originals are kept in the trash; then they are deleted for good. 0: for ever.",
        read=_days,
    ),
)
