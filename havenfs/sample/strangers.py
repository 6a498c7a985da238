"""People who are nobody: the features of each drawn at random, so that none of the sample library's is ever trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from havenfs.sample.people import Colour, Person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

YEARS = 10
"""Over how many years the pictures of one person are spread, as in the sample library."""

_SKINS: tuple[Colour, ...] = (
    (252, 220, 196),
    (240, 198, 166),
    (226, 178, 140),
    (206, 154, 112),
    (170, 116, 78),
    (120, 78, 52),
    (84, 54, 38),
)
_HAIR: tuple[Colour, ...] = (
    (18, 16, 18),
    (58, 38, 26),
    (94, 58, 32),
    (150, 104, 60),
    (190, 80, 36),
    (226, 190, 110),
    (130, 116, 104),
)
_EYES: tuple[Colour, ...] = (
    (38, 24, 16),
    (84, 60, 36),
    (60, 120, 180),
    (70, 130, 80),
    (90, 120, 140),
)
_STYLES: tuple[Literal["bald", "crop", "short", "curly", "bob", "long", "ponytail", "bun"], ...] = (
    "bald",
    "crop",
    "short",
    "curly",
    "bob",
    "long",
    "ponytail",
    "bun",
)


def stranger(number: int, seed: int) -> tuple[Person, float]:
    """Stranger *number* of that seed and the age of the first picture; always the same."""
    rng = np.random.default_rng((seed, number))
    glasses: Literal["", "round", "square"] = ""
    if rng.random() < 0.28:
        glasses = "round" if rng.random() < 0.5 else "square"
    beard: Literal["", "full", "moustache", "goatee"] = ""
    if rng.random() < 0.22:
        beard = ("full", "moustache", "goatee")[int(rng.integers(3))]
    person = Person(
        name=f"stranger {number}",
        born=2000,
        skin=_near(_SKINS, 9, rng),
        hair=_near(_HAIR, 9, rng),
        style=_STYLES[int(rng.integers(len(_STYLES)))],
        eyes=_near(_EYES, 9, rng),
        lips=_near(((190, 80, 84), (176, 104, 96), (132, 58, 58)), 18, rng),
        shirt=_near(((128, 128, 128),), 110, rng),
        width=float(rng.uniform(0.66, 0.88)),
        jaw=float(rng.uniform(0.05, 0.9)),
        gap=float(rng.uniform(0.32, 0.46)),
        eye=float(rng.uniform(0.068, 0.132)),
        brow=float(rng.uniform(0.025, 0.09)),
        nose=float(rng.uniform(0.26, 0.47)),
        nostrils=float(rng.uniform(0.1, 0.2)),
        mouth=float(rng.uniform(0.31, 0.46)),
        glasses=glasses,
        beard=beard,
        freckles=bool(rng.random() < 0.12),
        mole=float(rng.choice((-1, 1)) * rng.uniform(0.3, 0.55)) if rng.random() < 0.2 else 0.0,
    )
    age = rng.uniform(0.5, 12) if rng.random() < 0.3 else rng.uniform(16, 72)
    return person, float(age)


def _near(colours: Sequence[Colour], spread: int, rng: Generator) -> Colour:
    base = colours[int(rng.integers(len(colours)))]
    red, green, blue = (
        int(np.clip(value + rng.integers(-spread, spread + 1), 4, 252)) for value in base
    )
    return red, green, blue
