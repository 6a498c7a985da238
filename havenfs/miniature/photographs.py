"""Real photographs that ship inside scikit-image and scikit-learn: how far words learnt from drawings carry over.

Not a training set and not a claim: about a dozen pictures, named here with the words that a person would use.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from havenfs.miniature.drawings import squashed
from havenfs.sample.vocabulary import PLACES, THINGS

if TYPE_CHECKING:
    from havenfs.miniature.evaluation import Towers

PHOTOGRAPHS: dict[str, tuple[str, ...]] = {
    "skimage/data/astronaut.png": ("person", "people", "portrait", "face"),
    "skimage/data/chelsea.png": ("cat", "animal", "pet", "fur"),
    "skimage/data/coffee.png": ("cup", "mug", "table"),
    "skimage/data/rocket.jpg": ("sky", "night"),
    "skimage/data/brick.png": ("brick", "bricks", "wall"),
    "skimage/data/grass.png": ("grass", "meadow", "lawn"),
    "skimage/data/page.png": ("document", "text", "page"),
    "skimage/data/text.png": ("text", "document"),
    "skimage/data/camera.png": ("person", "people", "field"),
    "skimage/data/coins.png": (),
    "skimage/data/horse.png": ("horse", "animal"),
    "skimage/data/motorcycle_left.png": ("motorcycle", "motorbike"),
    "skimage/data/logo.png": (),
    "skimage/data/hubble_deep_field.jpg": ("stars", "night", "dark"),
    "skimage/data/moon.png": ("moon",),
    "skimage/data/gravel.png": ("gravel", "stones", "rocks"),
    "sklearn/datasets/images/china.jpg": ("architecture", "buildings", "building", "house"),
    "sklearn/datasets/images/flower.jpg": ("flower", "blossom", "plant"),
}
"""File below site-packages, and the words of our vocabulary that a person would call true of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the model says about one photograph."""

    name: str
    wanted: tuple[str, ...]
    rank: int | None
    """Of the best wanted word among all words for settings and things, 1 is best; None when nothing is wanted."""
    best: tuple[tuple[str, float], ...]
    """The three most similar words, with the cosine."""


def read_photographs(towers: Towers) -> list[Reading]:
    """What the model says about those photographs that are installed."""
    words = sorted({word for entry in (*PLACES.values(), *THINGS.values()) for word in entry.words})
    texts = towers.texts([f"a photo of {word}" for word in words])
    readings: list[Reading] = []
    for file, wanted in PHOTOGRAPHS.items():
        path = _find(file)
        if path is None:
            continue
        with Image.open(path) as image:
            picture = towers.images(squashed(image.convert("RGB"))[None])[0]
        similar = texts @ picture
        order = [words[at] for at in np.argsort(-similar)]
        readings.append(
            Reading(
                name=path.name,
                wanted=wanted,
                rank=min((order.index(word) + 1 for word in wanted), default=None),
                best=tuple(
                    (word, round(float(similar[words.index(word)]), 2)) for word in order[:3]
                ),
            )
        )
    return readings


def _find(file: str) -> Path | None:
    package, _, rest = file.partition("/")
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / rest
    return path if path.exists() else None
