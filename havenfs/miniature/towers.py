"""A pair of encoders over arrays: by torch (the reference) or by onnxruntime (what ships)."""

# torch, onnx and open_clip are an extra and come without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from havenfs.miniature.clip import MEAN, STD
from havenfs.miniature.training import encode_images, encode_texts

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from tokenizers import Tokenizer


def normalised(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 [n, side, side, 3] as the image tower's input."""
    return np.ascontiguousarray(
        ((pixels.astype(np.float32) / 255 - MEAN) / STD).transpose(0, 3, 1, 2)
    )


class TorchTowers:
    """The model as trained."""

    def __init__(self, model: Any, tokenizer: Tokenizer) -> None:
        self._model, self._tokenizer = model, tokenizer

    def images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Unit rows [n, d]."""
        return encode_images(self._model, pixels)

    def texts(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit rows [n, d]."""
        return encode_texts(self._model, self._tokenizer, texts)


class OnnxTowers:
    """Exported files."""

    def __init__(self, visual: Path, textual: Path, tokenizer: Tokenizer) -> None:
        self._visual, self._textual, self._tokenizer = _open(visual), _open(textual), tokenizer

    def images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Unit rows [n, d]."""
        return np.concatenate(
            [
                self._visual.run(None, {"image": normalised(pixels[at : at + 64])})[0]
                for at in range(0, len(pixels), 64)
            ]
        )

    def texts(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit rows [n, d]."""
        ids = np.asarray(
            [encoding.ids for encoding in self._tokenizer.encode_batch(texts)], np.int32
        )
        return np.concatenate(
            [
                self._textual.run(None, {"text": ids[at : at + 256]})[0]
                for at in range(0, len(ids), 256)
            ]
        )


def _open(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
