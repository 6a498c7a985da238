"""Recognisers of faces: a picture and five landmarks to a unit vector whose angle to another says "the same person".

ArcFace and SFace cut the face out alike, by insightface's alignment to the same five points at 112 px; they differ in what
they make of its pixels. As for detectors: insightface is imported when one is made, and one thread uses it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from havenfs.errors import ModelError
from havenfs.models.packs import Recogniser

from .sessions import FAULTS, session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from havenfs.models.packs import Pack

BATCH = 8
"""Faces of one run: more cost memory for nothing."""


class FaceRecogniser:
    """The recogniser of a pack, through insightface's ArcFaceONNX."""

    def __init__(self, pack: Pack, dimension: int, threads: int) -> None:
        """Load the graph. Raises ModelError."""
        from insightface.model_zoo.arcface_onnx import ArcFaceONNX
        from insightface.utils import face_align

        self._path, self._dimension = pack.recognition, dimension
        loaded = session(pack.recognition, threads).runs
        if len(loaded.get_outputs()) != 1:
            reason = (
                f"{pack.recognition} has {len(loaded.get_outputs())} outputs instead of one vector"
            )
            raise ModelError(reason)
        first, _, rows, columns = loaded.get_inputs()[0].shape
        if not isinstance(rows, int) or rows != columns or rows % 16:
            reason = f"{pack.recognition} takes {rows} x {columns} px, which is no aligned face"
            raise ModelError(reason)
        self._side: int = rows
        self._fixed = first if isinstance(first, int) else None
        self._arcface: Any = ArcFaceONNX(str(pack.recognition), loaded)
        if pack.recogniser is Recogniser.SFACE:  # takes the pixels as they are
            self._arcface.input_mean, self._arcface.input_std = 0.0, 1.0
        self._align: Any = face_align

    def aligned(self, pixels: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The face with these landmarks [5, 2], turned upright and cut out: uint8 [side, side, 3], blue first."""
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", FutureWarning
            )  # scikit-image's, about how insightface calls it
            return self._align.norm_crop(pixels, points, self._side)

    def encode(self, faces: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Unit vectors, float32 [n, dimension], of aligned faces, in order. Raises ModelError."""
        parts = [np.empty((0, self._dimension), np.float32)]
        batch = self._fixed or BATCH
        for start in range(0, len(faces), batch):
            chunk = faces[start : start + batch]
            filled = chunk + chunk[-1:] * (batch - len(chunk) if self._fixed else 0)
            try:
                rows = np.asarray(self._arcface.get_feat(filled), np.float32)[: len(chunk)]
            except FAULTS as error:
                reason = f"{self._path} cannot be run: {error}"
                raise ModelError(reason) from error
            if rows.shape != (len(chunk), self._dimension):
                reason = (
                    f"{self._path} gave {rows.shape} instead of {(len(chunk), self._dimension)}"
                )
                raise ModelError(reason)
            parts.append(rows)
        vectors = np.concatenate(parts)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not (lengths > 0).all():
            reason = f"{self._path} gave a vector that is no number"
            raise ModelError(reason)
        return vectors / lengths
