"""What the two networks are worth: measured as the pipeline runs them, on drawings of people never trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from havenfs.entities import Region
from havenfs.extract.faces import FaceFinder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from havenfs.entities import Face
    from havenfs.models.registry import Model

    from .drawings import Drawing

OVERLAP = 0.5
"""Intersection over union from which a found face is the drawn one."""
READABLE = 24
"""Height in px from which a face is asked whose it is."""
FALSE_ACCEPTS = 1e-3
"""The share of pairs of two people that may be taken for one, at which recognition is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """How well faces are found."""

    average_precision: float
    recall: float
    precision: float
    """The last two at the model's own score."""
    landmark_error: float
    """Mean distance of a landmark, as a share of the face's height."""
    faces: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How well two faces of one person are told from those of two."""

    accepted: float
    """Share of pairs of one person that are accepted where FALSE_ACCEPTS of the others are."""
    accuracy: float
    """At the best cosine, both kinds of pairs counting alike."""
    cosine: float
    """The one at FALSE_ACCEPTS."""
    faces: int
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One form of the model on one gallery."""

    detection: Detection
    verification: Verification
    found: tuple[tuple[Face, ...], ...]
    """Per drawing, from a score of 0.2 up."""


def measure(model: Model, gallery: Sequence[Drawing], *, threads: int = 2) -> Measured:
    """Look for every face and compare all that were found."""
    anything = replace(model, calibration=replace(model.calibration, face_score=0.2))
    finder = FaceFinder(anything, threads=threads)
    found = tuple(finder.find(Image.fromarray(drawing.pixels)) for drawing in gallery)
    matches = [_match(faces, drawing) for faces, drawing in zip(found, gallery, strict=True)]
    return Measured(
        detection=_detection(found, matches, gallery, model.calibration.face_score),
        verification=_verification(found, matches, gallery, model.calibration.face_score),
        found=found,
    )


def regions(drawing: Drawing) -> list[Region]:
    """Where the faces were drawn."""
    height, width = drawing.pixels.shape[:2]
    whole = np.array([width, height, width, height])
    return [Region(0, *np.clip(face[:4] / whole, 0, 1).tolist()) for face in drawing.faces]


def _match(faces: tuple[Face, ...], drawing: Drawing) -> list[int | None]:
    """For each found face, surest first, which drawn one it is."""
    drawn = regions(drawing)
    free = set(range(len(drawn)))
    matched: list[int | None] = []
    for face in faces:
        best = max(free, key=lambda index: face.region.overlap(drawn[index]), default=None)
        if best is not None and face.region.overlap(drawn[best]) >= OVERLAP:
            free.discard(best)
            matched.append(best)
        else:
            matched.append(None)
    return matched


def _detection(
    found: tuple[tuple[Face, ...], ...],
    matches: list[list[int | None]],
    gallery: Sequence[Drawing],
    score: float,
) -> Detection:
    drawn = sum(len(drawing.faces) for drawing in gallery)
    answers = sorted(
        (
            (face.score, index is not None)
            for faces, matched in zip(found, matches, strict=True)
            for face, index in zip(faces, matched, strict=True)
        ),
        reverse=True,
    )
    right = np.cumsum([good for _, good in answers])
    recall, precision = right / max(1, drawn), right / np.arange(1, len(answers) + 1)
    sure = sum(1 for value, _ in answers if value >= score)
    return Detection(
        average_precision=float(np.sum(np.diff(recall, prepend=0) * precision)),
        recall=float(recall[sure - 1]) if sure else 0.0,
        precision=float(precision[sure - 1]) if sure else 0.0,
        landmark_error=_landmark_error(found, matches, gallery, score),
        faces=drawn,
    )


def _landmark_error(
    found: tuple[tuple[Face, ...], ...],
    matches: list[list[int | None]],
    gallery: Sequence[Drawing],
    score: float,
) -> float:
    errors: list[float] = []
    for faces, matched, drawing in zip(found, matches, gallery, strict=True):
        height, width = drawing.pixels.shape[:2]
        for face, index in zip(faces, matched, strict=True):
            if index is None or face.score < score:
                continue
            drawn = drawing.faces[index]
            ours = np.array(face.points).reshape(5, 2) * (width, height)
            away = np.hypot(*(ours - drawn[4:].reshape(5, 2)).T)
            errors.append(float(away.mean() / (drawn[3] - drawn[1])))
    return float(np.mean(errors)) if errors else 1.0


def _verification(
    found: tuple[tuple[Face, ...], ...],
    matches: list[list[int | None]],
    gallery: Sequence[Drawing],
    score: float,
) -> Verification:
    vectors: list[NDArray[np.float32]] = []
    people: list[int] = []
    for faces, matched, drawing in zip(found, matches, gallery, strict=True):
        for face, index in zip(faces, matched, strict=True):
            if index is None or face.score < score:
                continue
            if drawing.faces[index][3] - drawing.faces[index][1] >= READABLE:
                vectors.append(np.frombuffer(face.vector, "<f4"))
                people.append(drawing.identities[index])
    return verify(np.array(vectors), np.array(people))


def verify(vectors: NDArray[np.float32], people: NDArray[Any]) -> Verification:
    """Compare every two unit vectors [n, d] of so many people [n]."""
    first, second = np.triu_indices(len(people), 1)
    same = people[first] == people[second]
    if not same.any() or same.all():  # too few were found to say anything
        return Verification(
            accepted=0.0,
            accuracy=0.5,
            cosine=1.0,
            faces=len(people),
            people=len(set(people.tolist())),
        )
    cosines = (vectors @ vectors.T)[first, second]
    ours, others = cosines[same], cosines[~same]
    cosine = float(np.quantile(others, 1 - FALSE_ACCEPTS))
    steps = np.linspace(-0.5, 1, 301)
    return Verification(
        accepted=float((ours > cosine).mean()),
        accuracy=max(float(((ours > step).mean() + (others <= step).mean()) / 2) for step in steps),
        cosine=cosine,
        faces=len(people),
        people=len(set(people.tolist())),
    )


def agreement(ours: Measured, reference: Measured) -> dict[str, float]:
    """Cosines between the vectors of the faces that both found."""
    cosines = [
        float(np.frombuffer(one.vector, "<f4") @ np.frombuffer(other.vector, "<f4"))
        for mine, theirs in zip(ours.found, reference.found, strict=True)
        for one in mine
        for other in theirs
        if one.score >= 0.5 and other.score >= 0.5 and one.region.overlap(other.region) >= OVERLAP
    ]
    if not cosines:
        return {"cosine_mean": 0.0, "cosine_min": 0.0}
    return {"cosine_mean": float(np.mean(cosines)), "cosine_min": float(np.min(cosines))}
