"""Which model suits a machine and its library: arithmetic over the catalogue and what was measured. Any thread.

Also the owner's answer to being asked: `<state>/models/declined` is there when they do not want to be asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import catalogue, measured
from .manifest import ModelKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from havenfs.config import State

    from .catalogue import Choice
    from .measured import Machine

DECLINED = "declined"
BUSY = 3 * 24 * 3600
"""Seconds that looking at a whole library may take: longer than a weekend is not what a first try should cost."""
SHARE = 0.5
"""Of the memory, for models; the rest is for the page cache that makes a NAS fast."""
TYPICAL = 20_000
"""Pictures of a household, for who has none indexed yet."""
REST = 1.05
"""A whole tower beside its matrix products alone. ViT-B/32 in fp32 took 1.01 to 1.06 times as much processor time a gigaflop as
the yardstick, in the same process (2026-11-26)."""
FITTING = 1.9
"""Gigaflops that take as long as reading a picture's preview again and bringing it to the size of the input: 20 ms beside 11 ms
a gigaflop, on the same core."""
POINT_S = 3600
"""An hour more of work on the whole library must bring a point of recall more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a choice would cost here."""

    choice: Choice
    picture_s: float
    """For one picture."""
    library_s: float
    """For the whole library, once."""
    fits: bool
    """Whether the memory is enough."""


def estimate(choices: Sequence[Choice], machine: Machine, pictures: int) -> list[Estimate]:
    """What each of *choices* would cost on *machine* for a library of *pictures*, the best first: those that fit and are
    free, by what they bring for their time."""
    found = [
        Estimate(
            choice=choice,
            picture_s=(one := (choice.gigaflops * REST + FITTING) * machine.gigaflop_ms / 1000),
            library_s=one * pictures,
            fits=choice.memory <= machine.memory * SHARE,
        )
        for choice in choices
    ]

    def worth(e: Estimate) -> tuple[bool, bool, float]:
        late = max(0.0, e.library_s - BUSY) * 10
        points = e.choice.quality - (e.library_s + late) / POINT_S
        # A model that understands a household's own language is worth more than any point of English.
        return e.fits, e.choice.free, points + (3 if e.choice.languages.startswith("about") else 0)

    return sorted(found, key=worth, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A full model for who has only the miniature."""

    choice: Choice
    pictures: int
    """Of the library, or of a typical one where nothing is indexed yet."""
    library_s: float | None
    """How long it would look at so many; None before the machine was measured."""


def offer(state: State, pictures: int) -> Offer | None:
    """What to offer to the owner of a library of *pictures*; nothing to who wants none. Raises ModelError when the catalogue
    is damaged."""
    if declined(state):
        return None
    clip = [choice for choice in catalogue.choices() if choice.kind is ModelKind.CLIP]
    machine = measured.read(state).machine
    pictures = pictures or TYPICAL
    if machine is None:  # the first of the catalogue is made for weak machines
        return Offer(choice=clip[0], pictures=pictures, library_s=None)
    first = estimate(clip, machine, pictures)[0]
    return Offer(choice=first.choice, pictures=pictures, library_s=first.library_s)


def declined(state: State) -> bool:
    """Whether the owner wants no offers."""
    return (state.models / DECLINED).exists()


def decline(state: State, *, offers: bool = False) -> None:
    """Make no more offers, or (*offers*) make them again. Raises OSError."""
    path = state.models / DECLINED
    if offers:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
