"""The table `[people]`: which faces make a person. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from .setting import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The table `[people]`. Its fields are explained in SETTINGS."""

    smallest: int = 40
    """Pixels: recognisers see 112 px, and below a third of that most of a face is invented."""
    quality: float = 0.2
    """As `entities.Face.quality` says. Of a synthetic family's faces (tests/identity) 7 % are below, nearly all of strangers behind."""
    faces: int = 3
    """Two alike are found by chance in a large library, three hardly ever; and who is there twice is seldom looked for."""
    same_person: float | None = None


def _pixels(value: Any) -> int:
    if type(value) is int and 0 <= value <= 1440:
        return value
    raise ValueError("give a number of pixels from 0 to 1440")


def _share(value: Any) -> float:
    if type(value) in (int, float) and 0 <= value <= 1:
        return float(value)
    raise ValueError("give a number from 0 to 1")


def _faces(value: Any) -> int:
    if type(value) is int and 2 <= value <= 100:
        return value
    raise ValueError("give a number from 2 to 100")


def _cosine(value: Any) -> float | None:
    if type(value) in (int, float) and 0 <= value < 1:
        return float(value) or None
    raise ValueError("give a cosine from 0.1 to 0.9, or 0 for the model's own")


SETTINGS: Final = (
    Setting(
        table="people",
        name="smallest",
        default="40",
        help="Height or width in pixels, of a picture brought to 1440, from which on a face may be the first of a person.\n"
        "Smaller ones, of people in the background mostly, only join somebody who is known.",
        read=_pixels,
    ),
    Setting(
        table="people",
        name="quality",
        default="0.2",
        help="The same for how well a face can be seen, 0 to 1: sharp, large, and turned to the camera.",
        read=_share,
    ),
    Setting(
        table="people",
        name="faces",
        default="3",
        help="How many faces make a person whom nobody has named. More for less to look through, fewer for rare guests.",
        read=_faces,
    ),
    Setting(
        table="people",
        name="same_person",
        default="0",
        help="How alike two faces must be to be of one person, as the cosine of their vectors. Higher if different people\n"
        "are taken for one, lower if one is taken for several. 0: as the model says that looked at them, or less where\n"
        "strangers are less alike than it expects.",
        read=_cosine,
    ),
)
