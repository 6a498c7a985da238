"""The twelve people of the sample library: what stays the same about each of them, whatever their age.

Values only; `havenfs.sample.portraits` draws them. The features are chosen so that any two people differ in several
of them at once (skin, hair, head shape, distance of the eyes, glasses, beard), as real people do. Thread-safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Colour = tuple[int, int, int]
"""Red, green, blue, 0..255."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One drawn person. Lengths are shares of the half height (eyes, nose) or half width (gap, mouth) of the face."""

    name: str
    born: int
    """Year of birth; with the date of a picture it gives the age."""
    skin: Colour
    hair: Colour
    style: Literal["bald", "crop", "short", "curly", "bob", "long", "ponytail", "bun"]
    eyes: Colour
    lips: Colour
    shirt: Colour
    """The favourite colour to wear."""
    width: float
    """Width of the grown-up face by its height."""
    jaw: float
    """0 pointed chin .. 1 square chin."""
    gap: float
    """From the middle of the face to each eye."""
    eye: float
    brow: float
    """Thickness."""
    nose: float
    """Length."""
    nostrils: float
    """Width of the nose."""
    mouth: float
    """Half width of the mouth."""
    glasses: Literal["", "round", "square"] = ""
    beard: Literal["", "full", "moustache", "goatee"] = ""
    """Worn from the age of 20."""
    freckles: bool = False
    mole: float = 0.0
    """Side (sign) and height of a mark on the cheek; 0 for none."""


PEOPLE: tuple[Person, ...] = (
    Person(
        name="Anna",
        born=1984,
        skin=(238, 198, 168),
        hair=(92, 56, 32),
        style="long",
        eyes=(70, 110, 60),
        lips=(190, 80, 84),
        shirt=(40, 120, 130),
        width=0.72,
        jaw=0.15,
        gap=0.40,
        eye=0.115,
        brow=0.035,
        nose=0.34,
        nostrils=0.11,
        mouth=0.36,
        mole=0.5,
    ),
    Person(
        name="Ben",
        born=1982,
        skin=(226, 178, 142),
        hair=(58, 38, 26),
        style="short",
        eyes=(84, 60, 36),
        lips=(172, 96, 88),
        shirt=(52, 72, 120),
        width=0.80,
        jaw=0.85,
        gap=0.36,
        eye=0.085,
        brow=0.075,
        nose=0.42,
        nostrils=0.16,
        mouth=0.40,
        beard="full",
    ),
    Person(
        name="Clara",
        born=2012,
        skin=(250, 216, 192),
        hair=(188, 78, 34),
        style="ponytail",
        eyes=(60, 140, 110),
        lips=(206, 100, 96),
        shirt=(232, 180, 50),
        width=0.76,
        jaw=0.2,
        gap=0.44,
        eye=0.125,
        brow=0.03,
        nose=0.28,
        nostrils=0.10,
        mouth=0.38,
        freckles=True,
    ),
    Person(
        name="David",
        born=2015,
        skin=(246, 208, 178),
        hair=(222, 184, 104),
        style="short",
        eyes=(52, 110, 190),
        lips=(204, 110, 104),
        shirt=(196, 54, 48),
        width=0.84,
        jaw=0.5,
        gap=0.37,
        eye=0.11,
        brow=0.025,
        nose=0.27,
        nostrils=0.12,
        mouth=0.44,
    ),
    Person(
        name="Elif",
        born=1985,
        skin=(214, 164, 122),
        hair=(22, 18, 18),
        style="bob",
        eyes=(50, 34, 22),
        lips=(176, 44, 60),
        shirt=(150, 60, 120),
        width=0.70,
        jaw=0.35,
        gap=0.43,
        eye=0.105,
        brow=0.06,
        nose=0.40,
        nostrils=0.12,
        mouth=0.34,
        glasses="round",
    ),
    Person(
        name="Farid",
        born=1979,
        skin=(176, 122, 82),
        hair=(26, 22, 20),
        style="crop",
        eyes=(44, 30, 20),
        lips=(146, 84, 74),
        shirt=(226, 226, 214),
        width=0.74,
        jaw=0.6,
        gap=0.33,
        eye=0.085,
        brow=0.09,
        nose=0.46,
        nostrils=0.18,
        mouth=0.38,
        beard="moustache",
    ),
    Person(
        name="Greta",
        born=1951,
        skin=(244, 212, 194),
        hair=(170, 120, 80),
        style="bun",
        eyes=(70, 120, 170),
        lips=(186, 96, 100),
        shirt=(128, 104, 170),
        width=0.82,
        jaw=0.3,
        gap=0.39,
        eye=0.085,
        brow=0.03,
        nose=0.36,
        nostrils=0.14,
        mouth=0.32,
        glasses="round",
    ),
    Person(
        name="Henry",
        born=1948,
        skin=(236, 184, 160),
        hair=(120, 110, 100),
        style="bald",
        eyes=(80, 120, 150),
        lips=(180, 110, 104),
        shirt=(86, 110, 70),
        width=0.78,
        jaw=0.7,
        gap=0.35,
        eye=0.08,
        brow=0.08,
        nose=0.44,
        nostrils=0.19,
        mouth=0.36,
        beard="full",
    ),
    Person(
        name="Imani",
        born=1990,
        skin=(112, 72, 48),
        hair=(24, 16, 14),
        style="curly",
        eyes=(40, 24, 16),
        lips=(136, 52, 56),
        shirt=(240, 120, 40),
        width=0.76,
        jaw=0.25,
        gap=0.42,
        eye=0.12,
        brow=0.045,
        nose=0.32,
        nostrils=0.18,
        mouth=0.42,
    ),
    Person(
        name="Jun",
        born=1988,
        skin=(240, 206, 164),
        hair=(20, 20, 26),
        style="short",
        eyes=(36, 24, 18),
        lips=(188, 116, 104),
        shirt=(60, 60, 66),
        width=0.86,
        jaw=0.45,
        gap=0.45,
        eye=0.07,
        brow=0.055,
        nose=0.33,
        nostrils=0.14,
        mouth=0.33,
        glasses="square",
    ),
    Person(
        name="Kofi",
        born=2017,
        skin=(88, 56, 38),
        hair=(16, 12, 12),
        style="crop",
        eyes=(34, 20, 14),
        lips=(122, 62, 58),
        shirt=(70, 170, 90),
        width=0.80,
        jaw=0.4,
        gap=0.40,
        eye=0.13,
        brow=0.045,
        nose=0.27,
        nostrils=0.19,
        mouth=0.45,
    ),
    Person(
        name="Lucia",
        born=1997,
        skin=(232, 190, 150),
        hair=(230, 200, 120),
        style="long",
        eyes=(90, 70, 40),
        lips=(210, 60, 90),
        shirt=(230, 110, 150),
        width=0.68,
        jaw=0.05,
        gap=0.38,
        eye=0.13,
        brow=0.04,
        nose=0.30,
        nostrils=0.10,
        mouth=0.40,
        mole=-0.35,
    ),
)
"""A household of three generations, with its friends."""
