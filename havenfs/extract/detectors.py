"""Detectors of faces: a picture to boxes, scores and five landmarks each.

SCRFD runs through insightface's own class. YuNet's outputs are read here: OpenCV's FaceDetectorYN gives the same numbers
(a test compares them), but runs them in a second engine with threads and memory of its own. Both take the picture as
OpenCV has it, uint8 [height, width, 3], blue first.

insightface and OpenCV are imported when a detector is made: 80 MB and half a second that nobody without faces pays. The
modules are for one thread at a time, because SCRFD keeps a cache of places without a lock.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from havenfs.errors import ModelError
from havenfs.models.packs import Detector, Pack

from .sessions import FAULTS, session

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

OVERLAP = 0.4
"""Of two boxes with a larger intersection over union one is left: insightface's."""
YUNET_OVERLAP = 0.3
"""The same of OpenCV's FaceDetectorYN."""
STRIDES = (8, 16, 32)
CANDIDATES = 5000
"""The surest places that are looked at, as in OpenCV."""


class Detected(NamedTuple):
    """Faces in pixels of the picture, surest first."""

    boxes: NDArray[np.float32]
    """[n, 4]: left, top, right, bottom."""
    scores: NDArray[np.float32]
    """[n], 0..1."""
    points: NDArray[np.float32]
    """[n, 5, 2]: the eye on the left of the picture, the one on the right, nose, corners of the mouth left and right."""


class FaceDetector(Protocol):
    """What finds faces."""

    def detect(self, pixels: NDArray[np.uint8], score: float) -> Detected:
        """The faces of which the detector is at least so sure. Raises ModelError."""
        ...


def detector(pack: Pack, side: int, threads: int) -> FaceDetector:
    """The detector of *pack*, for pictures brought to a longer side of *side* px. Raises ModelError."""
    if pack.detector is Detector.YUNET:
        return YuNet(pack.detection, side, threads)
    return Scrfd(pack.detection, side, threads)


class Scrfd:
    """insightface's SCRFD (https://github.com/deepinsight/insightface, detection/scrfd)."""

    def __init__(self, path: Path, side: int, threads: int) -> None:
        from insightface.model_zoo.scrfd import SCRFD

        loaded = session(path, threads).runs
        outputs = len(loaded.get_outputs())
        if outputs not in (9, 15):
            reason = f"{path} has {outputs} outputs, a detector with landmarks 9 or 15"
            raise ModelError(reason)
        self._path, self._side = path, side
        # A session for each size, as insightface would make them, needs the model's memory twice and is no faster here.
        self._scrfd: Any = SCRFD(str(path), loaded, static_shape_sessions=False)
        self._scrfd.nms_thresh = OVERLAP

    def detect(self, pixels: NDArray[np.uint8], score: float) -> Detected:
        """The faces, surest first. Raises ModelError."""
        try:
            found, points = self._scrfd.detect(
                pixels, input_size=(self._side, self._side), det_thresh=score
            )
        except FAULTS as error:
            reason = f"{self._path} cannot be run: {error}"
            raise ModelError(reason) from error
        return Detected(found[:, :4], found[:, 4], points)


class YuNet:
    """OpenCV's YuNet (https://github.com/opencv/opencv_zoo, face_detection_yunet)."""

    def __init__(self, path: Path, side: int, threads: int) -> None:
        import cv2

        self._cv2: Any = cv2
        self._path, self._side = path, side
        self._session = session(path, threads).runs
        taken = self._session.get_inputs()[0]
        self._input: str = taken.name
        height, width = taken.shape[2:4]
        self._fixed = (
            (height, width) if isinstance(height, int) and isinstance(width, int) else None
        )
        names = {output.name for output in self._session.get_outputs()}
        self._outputs = [
            f"{part}_{stride}" for part in ("cls", "obj", "bbox", "kps") for stride in STRIDES
        ]
        if missing := sorted(set(self._outputs) - names):
            reason = f"{path} is no YuNet of 2023 or later: it has no {', '.join(missing)}"
            raise ModelError(reason)

    def detect(self, pixels: NDArray[np.uint8], score: float) -> Detected:
        """The faces, surest first. Raises ModelError."""
        height, width = pixels.shape[:2]
        longer = min(self._fixed) if self._fixed else self._side
        scale = min(1.0, longer / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = self._cv2.resize(pixels, size, interpolation=self._cv2.INTER_AREA)
        rows, columns = self._fixed or tuple(math.ceil(n / 32) * 32 for n in small.shape[:2])
        image = np.zeros((1, 3, rows, columns), np.float32)
        image[0, :, : size[1], : size[0]] = small.transpose(2, 0, 1)
        try:
            outputs = self._session.run(self._outputs, {self._input: image})
        except FAULTS as error:
            reason = f"{self._path} cannot be run: {error}"
            raise ModelError(reason) from error
        found = decoded(outputs, rows, columns, score)
        keep = apart(found, YUNET_OVERLAP)
        ratio = np.array([width / size[0], height / size[1]], np.float32)
        return Detected(
            found.boxes[keep] * np.tile(ratio, 2), found.scores[keep], found.points[keep] * ratio
        )


def decoded(outputs: list[NDArray[np.float32]], rows: int, columns: int, score: float) -> Detected:
    """YuNet's twelve outputs for a picture of that size as the faces that are at least so sure, before any is dropped
    for another. A score is the geometric mean of "a face" and "something"; sizes are logarithms."""
    boxes: list[NDArray[np.float32]] = []
    scores: list[NDArray[np.float32]] = []
    points: list[NDArray[np.float32]] = []
    for level, stride in enumerate(STRIDES):
        kind, thing, box, five = (
            outputs[part * len(STRIDES) + level].reshape(-1, numbers)
            for part, numbers in enumerate((1, 1, 4, 10))
        )
        sure = np.sqrt(np.clip(kind[:, 0], 0, 1) * np.clip(thing[:, 0], 0, 1))
        at = np.flatnonzero(sure >= score)
        wide = columns // stride
        place = np.stack([at % wide, at // wide], 1).astype(np.float32)
        centre = (place + box[at, :2]) * stride
        size = np.exp(box[at, 2:]) * stride
        boxes.append(np.concatenate([centre - size / 2, centre + size / 2], 1, dtype=np.float32))
        scores.append(sure[at])
        points.append((five[at].reshape(-1, 5, 2) + place[:, None]) * stride)
    every = np.concatenate(scores)
    order = np.argsort(-every, kind="stable")[:CANDIDATES]
    return Detected(np.concatenate(boxes)[order], every[order], np.concatenate(points)[order])


def apart(found: Detected, most: float) -> list[int]:
    """Of faces that overlap more than *most* (intersection over union), the surest; in whole pixels, as OpenCV counts."""
    kept: list[int] = []
    left, top = np.trunc(found.boxes[:, :2]).T
    right, bottom = (
        np.trunc(found.boxes[:, :2]) + np.trunc(found.boxes[:, 2:] - found.boxes[:, :2])
    ).T
    areas = (right - left) * (bottom - top)
    rest = np.arange(len(found.scores))
    while len(rest):
        first, rest = rest[0], rest[1:]
        kept.append(int(first))
        width = np.minimum(right[first], right[rest]) - np.maximum(left[first], left[rest])
        height = np.minimum(bottom[first], bottom[rest]) - np.maximum(top[first], top[rest])
        both = np.clip(width, 0, None) * np.clip(height, 0, None)
        rest = rest[both <= most * (areas[first] + areas[rest] - both)]
    return kept
