"""Drawings for training and measuring, as pixels of the model's size, and which texts are true of which drawings.

Each worker process draws its own share; the result depends only on the seed and the number.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from havenfs.sample.scenes import Scene, draw, facts, random_scene, random_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

SIZE = 64
"""Side of the square that the image tower sees, px. The whole picture is squashed into it, as `squash` asks for."""
SUBJECTS = 0.35
"""Share of drawings that one subject fills: about as many of each as of each setting."""
COLOURLESS = 0.1
"""Share of drawings in black and white, of which nobody would name a colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawings:
    """Pictures and what they show."""

    pixels: NDArray[np.uint8]
    """[n, SIZE, SIZE, 3]."""
    scenes: tuple[Scene, ...]


def draw_many(
    number: int,
    *,
    seed: int,
    heldout: bool = False,
    single: bool = False,
    anything: bool = False,
    workers: int = 2,
) -> Drawings:
    """That many random drawings; `single`: only such that show one thing once, for telling classes apart.

    With `anything`, subjects, parts of larger pictures and photographs without colour are among them, as training wants it;
    without, they are as the sample library has them.
    """
    wanted = _Wanted(heldout=heldout, single=single, anything=anything)
    share = 250
    jobs = [(min(share, number - at), (seed, at), wanted) for at in range(0, number, share)]
    if workers <= 1:
        parts = [_draw_share(*job) for job in jobs]
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            parts = list(pool.map(_draw_share, *zip(*jobs, strict=True)))
    return Drawings(
        pixels=np.concatenate([part.pixels for part in parts]),
        scenes=tuple(scene for part in parts for scene in part.scenes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What `draw_many` was asked for."""

    heldout: bool
    single: bool
    anything: bool


def _draw_share(number: int, seed: tuple[int, int], wanted: _Wanted) -> Drawings:
    rng = np.random.default_rng(seed)
    pixels = np.empty((number, SIZE, SIZE, 3), np.uint8)
    scenes: list[Scene] = []
    while len(scenes) < number:
        if wanted.anything and rng.random() < SUBJECTS:
            scene = random_subject(rng)
        else:
            scene = random_scene(rng, heldout=wanted.heldout)
        if wanted.single and (
            len(scene.things) != 1 or scene.count != 1 or len(scene.settings) != 1
        ):
            continue
        short = int(rng.integers(320, 520)) if rng.random() < 0.12 else int(rng.integers(88, 150))
        long = int(short * rng.choice([1.0, 1.25, 4 / 3, 4 / 3, 1.5, 16 / 9]))
        size = (long, short) if rng.random() < 0.72 else (short, long)
        image = draw(scene, *size, rng)
        if wanted.anything and not scene.things and rng.random() < 0.5:
            image = _part(image, rng)
        if wanted.anything and "sunset" not in scene.settings and rng.random() < COLOURLESS:
            image = image.convert("L")
            scene = replace(scene, colours=("",) * len(scene.things))
        pixels[len(scenes)] = squashed(image)
        scenes.append(scene)
    return Drawings(pixels=pixels, scenes=tuple(scenes))


def _part(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A piece of at least half of each side: what fills a picture fills its pieces."""
    wide, tall = (int(side * rng.uniform(0.5, 1)) for side in image.size)
    left, top = (
        int(rng.integers(image.width - wide + 1)),
        int(rng.integers(image.height - tall + 1)),
    )
    return image.crop((left, top, left + wide, top + tall))


def squashed(image: Image.Image) -> NDArray[np.uint8]:
    """The picture as the image tower sees it, before normalisation: uint8 [SIZE, SIZE, 3]."""
    return np.asarray(image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC))


class Truth:
    """Of which scenes a set of claims is true."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        known = [facts(scene) for scene in scenes]
        self._columns = {
            fact: place
            for place, fact in enumerate(sorted({fact for found in known for fact in found}))
        }
        self._lacks = np.ones((len(scenes), len(self._columns)), np.float32)
        for row, found in enumerate(known):
            self._lacks[row, [self._columns[fact] for fact in found]] = 0

    def of(
        self, claims: Sequence[Iterable[str]], rows: NDArray[np.intp] | None = None
    ) -> NDArray[np.bool_]:
        """[texts, scenes]: whether everything that the text claims is true of the scene (of those `rows`)."""
        asked = np.zeros((len(claims), len(self._columns)), np.float32)
        possible = np.ones(len(claims), bool)
        for row, claim in enumerate(claims):
            places = [self._columns.get(fact, -1) for fact in claim]
            possible[row] = min(places) >= 0
            asked[row, [place for place in places if place >= 0]] = 1
        lacks = self._lacks if rows is None else self._lacks[rows]
        return (asked @ lacks.T == 0) & possible[:, None]
