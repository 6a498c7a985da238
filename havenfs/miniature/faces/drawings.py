"""Drawings of people for training and measuring: whole pictures with their faces, views of them, and aligned faces.

Made as the pipeline makes them: a picture is drawn large, the detector sees it small, the recogniser sees the faces cut
from the large one by insightface's own alignment. The result depends only on the seed and the number.
"""

# insightface and OpenCV come without types:
# pyright: basic

from __future__ import annotations

import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np
from insightface.utils import face_align

from havenfs.sample import prints
from havenfs.sample.portraits import draw_person
from havenfs.sample.scenes import draw, labels, random_scene, random_subject
from havenfs.sample.strangers import YEARS, stranger

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray
    from PIL import Image

    from havenfs.sample.looks import Face
    from havenfs.sample.scenes import Scene

T = TypeVar("T")

LONG = 448
"""Longer side of a drawing, px."""
VIEW = 160
"""Side of what the detector is trained on, px: at SIDE px a face of the sample library has 14 to 130."""
SIDE = 320
"""Longer side to which the pipeline brings a picture for this detector, px."""
CROP = 112
"""Side of an aligned face, px: ArcFace's."""
MANY = (0.3, 0.3, 0.2, 0.12, 0.08)
"""How often a drawing has no person, one, ... With 0.12 without, a detector took lines of print for faces."""
SMALLEST = 9
"""Height in px of a face in a view below which nobody could tell it from a ball: neither a face nor none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One picture, whole."""

    pixels: NDArray[np.uint8]
    """[height, width, 3], RGB."""
    faces: NDArray[np.float32]
    """[n, 14]: left, top, right, bottom, and the five landmarks, in px."""
    identities: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What is trained on."""

    views: NDArray[np.uint8]
    """[n, VIEW, VIEW, 3]."""
    faces: tuple[NDArray[np.float32], ...]
    """As in Drawing, one array per view."""
    crops: NDArray[np.uint8]
    """[m, CROP, CROP, 3]."""
    identities: NDArray[np.int64]
    """[m], 0 .. people - 1."""


def lessons(number: int, *, people: int, seed: int, workers: int = 2) -> Lessons:
    """Draw *number* pictures of so many people and cut them up."""
    share = 50
    jobs = [(min(share, number - at), people, seed, at) for at in range(0, number, share)]
    parts = _spread(_share, jobs, workers)
    return Lessons(
        views=np.concatenate([part.views for part in parts]),
        faces=tuple(faces for part in parts for faces in part.faces),
        crops=np.concatenate([part.crops for part in parts]),
        identities=np.concatenate([part.identities for part in parts]),
    )


def gallery(number: int, *, people: int, seed: int, workers: int = 2) -> list[Drawing]:
    """*number* whole pictures, of other people for another *seed*."""
    share = 50
    jobs = [(min(share, number - at), people, seed, at) for at in range(0, number, share)]
    return [drawing for part in _spread(_gallery, jobs, workers) for drawing in part]


def _spread(work: Callable[..., T], jobs: list[tuple[int, ...]], workers: int) -> list[T]:
    if workers <= 1:
        return [work(*job) for job in jobs]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, *zip(*jobs, strict=True)))


def _gallery(number: int, people: int, seed: int, at: int) -> list[Drawing]:
    rng = np.random.default_rng((seed, at))
    return [drawing(people, seed, rng) for _ in range(number)]


def _share(number: int, people: int, seed: int, at: int) -> Lessons:
    rng = np.random.default_rng((seed, at))
    views, faces, crops, identities = [], [], [], []
    for _ in range(number):
        whole = drawing(people, seed, rng)
        for _ in range(2):
            pixels, seen = _view(whole, rng)
            views.append(pixels)
            faces.append(seen)
        for face, identity in zip(whole.faces, whole.identities, strict=True):
            if face[3] - face[1] >= 24:
                off = rng.uniform(0.01, 0.05) * (face[3] - face[1])  # as far as the detector may be
                jitter = rng.normal(0, off, (5, 2))
                crops.append(aligned(whole.pixels, face[4:].reshape(5, 2) + jitter))
                identities.append(identity)
    return Lessons(
        views=np.stack(views),
        faces=tuple(faces),
        crops=np.stack(crops) if crops else np.zeros((0, CROP, CROP, 3), np.uint8),
        identities=np.array(identities, np.int64),
    )


def aligned(pixels: NDArray[np.uint8], points: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The face with these landmarks as a recogniser sees it: [CROP, CROP, 3]."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FutureWarning
        )  # of scikit-image, about a call of insightface
        return face_align.norm_crop(pixels, np.asarray(points, np.float32), CROP)


def drawing(people: int, seed: int, rng: Generator) -> Drawing:
    """A scene with up to four of these people in it: figures, or heads and shoulders; or anything else without people."""
    short = round(LONG * float(rng.choice([0.56, 0.67, 0.75, 0.75, 1.0])))
    width, height = (LONG, short) if rng.random() < 0.65 else (short, LONG)
    many = int(rng.choice(len(MANY), p=MANY))
    image = (_scene if many or rng.random() < 0.4 else _other)(width, height, rng)
    faces: list[NDArray[np.float32]] = []
    identities: list[int] = []
    column = width * 0.96 / max(1, many)
    bust = rng.random() < 0.55
    for place in range(many):
        number = int(rng.integers(people))
        person, first = stranger(number, seed)
        age = first + float(rng.uniform(0, YEARS))
        middle = width * 0.02 + column * (place + 0.5)
        if bust:
            side = min(column * 1.06, height * 0.78) * rng.uniform(0.55, 1)
            middle += rng.uniform(-0.4, 0.4) * max(0.0, column - side)
            foot = height + side * rng.uniform(0, 0.25)
            box = (middle - side / 2, foot - side, middle + side / 2, foot)
        else:
            tall = height * rng.uniform(0.45, 0.95) * (0.5 + 0.5 * min(1.0, age / 16))
            middle += rng.uniform(-0.4, 0.4) * max(0.0, column - tall * 0.42)
            foot = height * rng.uniform(0.9, 1.1)
            box = (middle - tall * 0.21, foot - tall, middle + tall * 0.21, foot)
        face = _numbers(draw_person(image, person, box, age, rng))
        covered = [_overlap(face, other) for other in faces]
        if covered and max(covered) > 0.25:  # whose face is behind is nobody's lesson
            keep = [index for index, share in enumerate(covered) if share <= 0.25]
            faces = [faces[index] for index in keep]
            identities = [identities[index] for index in keep]
        faces.append(face)
        identities.append(number)
    pixels = _developed(image, rng)
    inside = [
        index for index, face in enumerate(faces)
        if face[0] > -0.2 * (face[2] - face[0]) and face[2] < width + 0.2 * (face[2] - face[0])
        and face[1] > -0.2 * (face[3] - face[1]) and face[3] < height + 0.2 * (face[3] - face[1])
    ]  # fmt: skip
    return Drawing(
        pixels=pixels,
        faces=np.array([faces[index] for index in inside], np.float32).reshape(-1, 14),
        identities=tuple(identities[index] for index in inside),
    )


def _scene(width: int, height: int, rng: Generator) -> Image.Image:
    """A scene with nobody in it."""
    return draw(_unpeopled(random_scene, rng), width, height, rng)


def _other(width: int, height: int, rng: Generator) -> Image.Image:
    """What a household photographs besides people: animals, buildings, and whatever is printed."""
    form = rng.choice(
        ("subject", "receipt", "sign", "screen", "letter"), p=(0.4, 0.15, 0.15, 0.15, 0.15)
    )
    match form:
        case "receipt":
            return prints.draw(prints.receipt(date(2020, 1, 1), rng), width, height, rng)
        case "sign":
            return prints.draw(prints.sign(rng), width, height, rng, _scene(width, height, rng))
        case "screen":
            return prints.draw(prints.screen(rng), width, height, rng)
        case "letter":
            return prints.draw(prints.letter(rng), width, height, rng)
        case _:
            return draw(_unpeopled(random_subject, rng), width, height, rng)


def _unpeopled(choose: Callable[[Generator], Scene], rng: Generator) -> Scene:
    """The first scene without people, of whose faces nothing would be known."""
    return next(scene for scene in iter(lambda: choose(rng), None) if "person" not in labels(scene))


def _numbers(face: Face) -> NDArray[np.float32]:
    return np.array([*face.box, *(value for point in face.points for value in point)], np.float32)


def _overlap(front: NDArray[np.float32], behind: NDArray[np.float32]) -> float:
    """How much of the face *behind* is covered."""
    width = min(front[2], behind[2]) - max(front[0], behind[0])
    height = min(front[3], behind[3]) - max(front[1], behind[1])
    area = (behind[2] - behind[0]) * (behind[3] - behind[1])
    return float(max(0.0, width) * max(0.0, height) / max(area, 1e-6))


def _developed(image: Image.Image, rng: Generator) -> NDArray[np.uint8]:
    """Light, colour, a little blur and the loss of a JPEG."""
    pixels = np.asarray(image, np.float32)
    gain = rng.uniform(0.75, 1.2) * (1 + rng.normal(0, 0.03, 3))
    pixels = np.clip(pixels * gain + rng.normal(0, rng.uniform(0, 5), pixels.shape), 0, 255)
    if rng.random() < 0.25:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.4))
    _, packed = cv2.imencode(
        ".jpg", pixels.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 95))]
    )
    return cv2.imdecode(packed, cv2.IMREAD_COLOR)


def _view(whole: Drawing, rng: Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A square part of the picture made smaller, black where the picture ends, as insightface lays it out."""
    height, width = whole.pixels.shape[:2]
    scale = float(np.exp(rng.uniform(np.log(0.36), np.log(0.9))))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(whole.pixels, size)  # without smoothing, as insightface does it
    at = [int(rng.integers(0, max(1, side - VIEW + 1))) if side > VIEW else 0 for side in size]
    part = small[at[1] : at[1] + VIEW, at[0] : at[0] + VIEW]
    view = np.zeros((VIEW, VIEW, 3), np.uint8)
    view[: part.shape[0], : part.shape[1]] = part
    faces = whole.faces * scale
    faces[:, 0::2] -= at[0]
    faces[:, 1::2] -= at[1]
    centre = (faces[:, 0:2] + faces[:, 2:4]) / 2
    return view, faces[((centre > 2) & (centre < VIEW - 2)).all(1)]
