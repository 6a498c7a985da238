"""The table `[guard]`: who is stopped from removing too much at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from .setting import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """The table `[guard]`. Why these numbers is said in `views.guard`."""

    removals: int = 200
    percent: float = 5.0


def _removals(value: Any) -> int:
    if type(value) is int and (value == 0 or 20 <= value <= 1_000_000):
        return value
    raise ValueError("give a number from 20 on, or 0 for no guard")


def _percent(value: Any) -> float:
    if type(value) in (int, float) and 0 <= value <= 100:
        return float(value)
    raise ValueError("give a number from 0 to 100")


SETTINGS: Final = (
    Setting(
        table="guard",
        name="removals",
        default="200",
        help="A user who removes more originals than this within a minute can remove nothing more, until somebody says that\n"
        "it was meant: havenfs guard lift. All of them are in the trash. 0: no guard.",
        read=_removals,
    ),
    Setting(
        table="guard",
        name="percent",
        default="5.0",
        help="The same for a share of the library, in percent, whichever comes first; but it never stops anybody below 50.\n"
        "0: only the number counts.",
        read=_percent,
    ),
)
