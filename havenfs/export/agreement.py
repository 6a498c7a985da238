"""How far the vectors of two forms of one model agree, and what each costs. Arrays in, figures out; any thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOP = 10
COSINE, OVERLAP = 0.98, 0.85
"""Means of an int8 tower with its fp32 form below which it is not put to use. Trained weights that quantise well have more
than 0.99 and 0.9; what has less is an outlier that the recipe does not suit."""

TEXTS = (
    "a photo of a dog", "a photo of a cat", "a photo of a beach at sunset", "a photo of a birthday party",
    "a photo of a red car", "a photo of a document with a table", "a photo of mountains in the snow",
    "a photo of a child on a swing", "a photo of a cup of coffee", "a photo of the night sky", "a screenshot",
    "a photo of a brick wall", "a photo of flowers", "a photo of a church", "a drawing of a horse", "a photo of a rocket",
    "Strand im Sommer", "un chat noir", "una foto de una boda", "a photo of two people smiling",
)  # fmt: skip


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Of one form with a reference."""

    cosine_mean: float
    cosine_min: float
    centred_mean: float
    """Cosine after subtracting the mean picture: vectors of one model all lean one way, which flatters the plain cosine."""
    text_cosine_mean: float
    text_cosine_min: float
    like_overlap: float
    """Of the ten pictures most like a picture, how many are the same."""
    text_overlap: float
    """Of the ten pictures that fit a text best, how many are the same."""


class Vectors(msgspec.Struct, frozen=True, kw_only=True):
    """What one form of a model says: unit rows."""

    images: NDArray[np.float32]
    texts: NDArray[np.float32]


def agree(reference: Vectors, other: Vectors) -> Agreement:
    """How far *other* agrees with *reference*, row by row."""
    cosines = (reference.images * other.images).sum(axis=1)
    words = (reference.texts * other.texts).sum(axis=1)
    centred = (_centred(reference.images) * _centred(other.images)).sum(axis=1)
    alike = [
        _nearest(v.images @ v.images.T - 2 * np.eye(len(v.images))) for v in (reference, other)
    ]
    fitting = [_nearest(v.texts @ v.images.T) for v in (reference, other)]
    return Agreement(
        cosine_mean=_figure(cosines.mean()),
        cosine_min=_figure(cosines.min()),
        centred_mean=_figure(centred.mean()),
        text_cosine_mean=_figure(words.mean()),
        text_cosine_min=_figure(words.min()),
        like_overlap=_overlap(*alike),
        text_overlap=_overlap(*fitting),
    )


def _centred(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = rows - rows.mean(axis=0)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def _nearest(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.argsort(-scores, axis=1)[:, :TOP]


def _overlap(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    same = [
        len(set(a) & set(b)) / len(a) for a, b in zip(first.tolist(), second.tolist(), strict=True)
    ]
    return _figure(np.mean(same))


def _figure(value: float | np.floating) -> float:
    return round(float(value), 6)
