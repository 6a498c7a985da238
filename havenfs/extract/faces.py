"""The faces in a decoded picture: where, how well to be seen, and whose vector. Chooses no model and keeps nothing.

One thread, one picture at a time. Boxes and landmarks come back as shares of the upright picture, so that they mean the
same on the original, on a preview and to another model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from havenfs.entities import Face, Faces, Region
from havenfs.errors import ModelError
from havenfs.models import packs

from .detectors import detector
from .recognisers import FaceRecogniser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from havenfs.models.registry import Model

MOST = 200
"""Faces of one picture, the surest: a class photo has 40, a crowd is nobody's family."""
FRAMES = 4
"""Frames of a video in which faces are looked for."""
THIN = 64
"""How many times longer than wide a picture may be: detectors bring the longer side to 640 px at most, and a face on the
remaining ten is none. To no pixel at all they cannot bring it."""
SHARP = 60.0
"""Variance of the Laplacian of an aligned face in grey (0..255) at which it counts as half sharp."""


class FaceFinder:
    """The two graphs of a model of kind FACES."""

    def __init__(self, model: Model, *, threads: int) -> None:
        """Load them: tens of milliseconds for the miniature after half a second for insightface. Raises ModelError."""
        import cv2

        pack = packs.find(model.directory)
        if pack is None:
            reason = f"{model.directory} has no detector or no recogniser of faces"
            raise ModelError(reason)
        self.model = model.id
        self.dimension = model.dimension
        self._cv2: Any = cv2
        self._cv2.setNumThreads(threads)
        self._score = model.calibration.face_score
        self._detector = detector(pack, model.calibration.face_side, threads)
        self._recogniser = FaceRecogniser(pack, model.dimension, threads)

    def look(self, images: Sequence[Image.Image], frames_ms: Sequence[int]) -> Faces:
        """The faces in a picture, or in those FRAMES frames of a video that differ most. Raises ModelError."""
        return Faces(
            model=self.model,
            found=tuple(
                face
                for index in distinct(images, FRAMES)
                for face in self.find(images[index], frames_ms[index])
            ),
        )

    def find(self, image: Image.Image, frame_ms: int = 0) -> tuple[Face, ...]:
        """The faces in *image*, surest first. Raises ModelError."""
        # Not pixels[:, :, ::-1]: turning 1440 px round in numpy takes 5 ms, here half of one.
        rgb = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
        height, width = rgb.shape[:2]
        if min(height, width) * THIN < max(height, width):
            return ()
        pixels = self._cv2.cvtColor(rgb, self._cv2.COLOR_RGB2BGR)
        found = self._detector.detect(pixels, self._score)
        numbers = np.concatenate([found.boxes, found.points.reshape(-1, 10)], 1)
        good = np.isfinite(numbers).all(1) & (found.boxes[:, :2] < found.boxes[:, 2:]).all(1)
        chosen = np.flatnonzero(good)[:MOST]
        crops = [self._recogniser.aligned(pixels, found.points[index]) for index in chosen]
        vectors = self._recogniser.encode(crops)
        whole = np.array([width, height], np.float32)
        faces: list[Face] = []
        for index, crop, vector in zip(chosen, crops, vectors, strict=True):
            box = np.clip(found.boxes[index].reshape(2, 2) / whole, 0, 1).ravel().tolist()
            if box[0] >= box[2] or box[1] >= box[3]:
                continue  # wholly outside the picture
            points: NDArray[np.float32] = found.points[index]
            faces.append(
                Face(
                    region=Region(frame_ms, *box),
                    points=tuple(np.clip(points / whole, -1, 2).ravel().tolist()),
                    score=min(1.0, max(0.0, float(found.scores[index]))),
                    size=int(min(found.boxes[index][2:] - found.boxes[index][:2])),
                    sharpness=self._sharpness(crop),
                    frontal=frontal(points.tolist()),
                    vector=vector.astype("<f4").tobytes(),
                )
            )
        return tuple(faces)

    def _sharpness(self, crop: NDArray[np.uint8]) -> float:
        grey = self._cv2.cvtColor(crop, self._cv2.COLOR_BGR2GRAY)
        spread = float(self._cv2.Laplacian(grey, self._cv2.CV_32F).var())
        return spread / (spread + SHARP)


def frontal(points: Sequence[Sequence[float]]) -> float:
    """0..1, how straight the face looks at the camera: 1 when the nose is in the middle between the eyes and halfway down
    to the mouth, 0 in profile. *points*: the five landmarks, in any unit with square pixels."""
    left, right, nose, mouth_left, mouth_right = (np.asarray(point, float) for point in points)
    across = right - left
    apart = float(np.hypot(*across))
    mouth = (mouth_left + mouth_right) / 2
    eyes = (left + right) / 2
    down = mouth - eyes
    long = float(np.hypot(*down))
    if apart < 1e-6 or long < 1e-6:
        return 0.0
    sideways = abs(float((nose - eyes) @ across) / apart**2)  # 0 in the middle, 0.5 at an eye
    share = float((nose - eyes) @ down) / long**2  # about 0.55 of the way down
    nodding = abs(share - 0.55)
    narrow = min(1.0, apart / (0.75 * long))  # eyes come together as the head turns
    return max(0.0, 1 - 2 * sideways) * max(0.0, 1 - 2 * nodding) * narrow


def distinct(images: Sequence[Image.Image], most: int) -> list[int]:
    """The indices of at most *most* images, as different from each other as can be, in order; the first is among them.

    By their colours at 16 x 16 px, so that the choice does not depend on any model.
    """
    if len(images) == 1:
        return [0]
    small = [
        np.asarray(image.convert("RGB").resize((16, 16), Image.Resampling.BOX), np.float32).ravel()
        for image in images
    ]
    chosen: list[int] = [0] if small else []
    while len(chosen) < min(most, len(small)):
        away = [min(float(np.abs(one - small[index]).mean()) for index in chosen) for one in small]
        farthest = int(np.argmax(away))
        if away[farthest] < 1:  # of 255: nothing else is to be seen
            break
        chosen.append(farthest)
    return sorted(chosen)
