"""The two towers of a CLIP model on onnxruntime: pictures and texts to unit vectors in one space.

Loads any directory of the published layout, whatever its graphs call and type their inputs and whether their batch is
fixed. Not the place where a model is chosen (havenfs.models) or kept in memory (the workers, the encoder's process).

A tower may be used by several threads at a time, but each run already uses the threads it was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from havenfs.errors import ModelError
from havenfs.models import manifest as manifests

from .pixels import Pixels
from .sessions import FAULTS, session
from .tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

    from havenfs.models.registry import Model

T = TypeVar("T")

BATCH = 8
"""Pictures per run. ViT-B/32 in int8 takes 15.4 ms a picture at 8 instead of 18.2 ms at 1 (one thread); larger batches
cost memory for nothing."""
THREADS = 2
"""Threads of one run when the caller does not say. Two make ViT-B/32 1.8 times as fast; more leave nothing for the NAS."""

DTYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}


class _Tower:
    """One ONNX graph with one output of vectors."""

    def __init__(self, path: Path, dimension: int, threads: int) -> None:
        loaded = session(path, threads)
        self._session = loaded.runs
        self.device, self.note = loaded.device, loaded.note
        self.path = path
        self.inputs: dict[str, Any] = {}
        self.shapes: dict[str, list[Any]] = {}
        for item in self._session.get_inputs():
            if item.type not in DTYPES:
                reason = f"{path}: the input {item.name!r} has the type {item.type}, which is not supported"
                raise ModelError(reason)
            self.inputs[item.name] = DTYPES[item.type]
            self.shapes[item.name] = list(item.shape)
        self._output: str = self._session.get_outputs()[0].name
        self._dimension = dimension
        first = next(iter(self.shapes.values()))[0]
        self.fixed = first if isinstance(first, int) else None
        """Rows that each run must have, None when any number is taken."""

    def run(self, feeds: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Return unit vectors, float32 [n, dimension]. Raises ModelError."""
        rows = len(next(iter(feeds.values())))
        if (
            self.fixed is not None and rows < self.fixed
        ):  # fill up with the last row, cut the answer
            fill = self.fixed - rows
            feeds = {
                name: np.concatenate([array, array[-1:].repeat(fill, 0)])
                for name, array in feeds.items()
            }
        try:
            output = self._session.run([self._output], feeds)[0]
        except FAULTS as error:
            reason = f"{self.path} cannot be run: {error}"
            raise ModelError(reason) from error
        vectors = np.asarray(output, np.float32)[:rows]
        if vectors.shape != (rows, self._dimension):
            reason = f"{self.path} gave {vectors.shape} instead of {(rows, self._dimension)}"
            raise ModelError(reason)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not (lengths > 0).all():
            reason = f"{self.path} gave a vector that is no number"
            raise ModelError(reason)
        return vectors / lengths


class PictureEncoder:
    """The image tower of *model*."""

    def __init__(self, model: Model, *, threads: int = THREADS) -> None:
        """Load the graph: tens of milliseconds for the miniature, seconds and hundreds of MB for a full one.

        Raises ModelError.
        """
        self.model = model.id
        self.dimension = model.dimension
        directory = model.directory
        self._pixels = Pixels(
            manifests.decode(directory / manifests.PREPROCESS, manifests.PREPROCESSES)
        )
        self._tower = _Tower(directory / manifests.VISUAL, model.dimension, threads)
        self.device, self.note = self._tower.device, self._tower.note
        if len(self._tower.inputs) != 1:
            reason = (
                f"{self._tower.path} has {len(self._tower.inputs)} inputs instead of one picture"
            )
            raise ModelError(reason)
        ((self._name, self._dtype),) = self._tower.inputs.items()

    def encode(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Return unit vectors, float32 [n, dimension], one per image, in order. Raises ModelError."""
        runs = [
            self._tower.run({self._name: np.stack([self._array(image) for image in chunk])})
            for chunk in _chunks(images, self._tower.fixed or BATCH)
        ]
        return np.concatenate([np.empty((0, self.dimension), np.float32), *runs])

    def _array(self, image: Image.Image) -> NDArray[Any]:
        if self._dtype is not np.uint8:
            return self._pixels.array(image).astype(self._dtype, copy=False)
        # Exports that normalise inside the graph take bytes, with the channels last unless the shape says otherwise.
        pixels = np.asarray(self._pixels.fit(image))
        return pixels.transpose(2, 0, 1) if self._tower.shapes[self._name][1] == 3 else pixels


class TextEncoder:
    """The text tower of *model*."""

    def __init__(self, model: Model, *, threads: int = THREADS) -> None:
        """Load graph and tokenizer. Raises ModelError."""
        self.model = model.id
        self.dimension = model.dimension
        self._tokens = Tokens(model.directory)
        self._tower = _Tower(model.directory / manifests.TEXTUAL, model.dimension, threads)
        names = list(self._tower.inputs)
        self._mask = "attention_mask" if "attention_mask" in names else None
        others = [name for name in names if name != self._mask]
        if len(others) != 1:
            reason = f"{self._tower.path} has the inputs {', '.join(names)} instead of one text"
            raise ModelError(reason)
        self._name = others[0]
        length = self._tower.shapes[self._name][-1]
        if isinstance(length, int) and length != self._tokens.context_length:
            reason = f"{self._tower.path} takes {length} tokens, the configuration says {self._tokens.context_length}"
            raise ModelError(reason)

    def encode(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of *text*, float32 [dimension]. Raises ModelError."""
        return self.encode_all([text])[0]

    def encode_all(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, float32 [n, dimension], one per text, in order. Raises ModelError."""
        parts = [np.empty((0, self.dimension), np.float32)]
        for chunk in _chunks(texts, self._tower.fixed or BATCH):
            ids, mask = self._tokens.encode(chunk)
            feeds = {self._name: ids.astype(self._tower.inputs[self._name], copy=False)}
            if self._mask is not None:
                feeds[self._mask] = mask.astype(self._tower.inputs[self._mask], copy=False)
            parts.append(self._tower.run(feeds))
        return np.concatenate(parts)


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
