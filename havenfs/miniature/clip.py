"""The miniature CLIP: an open_clip model of the smallest useful size."""

# torch, onnx and open_clip are an extra and come without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from havenfs.export.original import let_torchvision_load
from havenfs.miniature.drawings import SIZE
from havenfs.miniature.tokenizer import VOCABULARY

CONTEXT = 20
"""Ids per text with both ends: some 16 words."""
NAME = "havenfs-mini-clip"
MEAN, STD = 0.5, 0.25
"""Per channel, of pixels in 0..1."""


def config(
    *, width: int = 24, layers: tuple[int, int, int, int] = (1, 1, 1, 1), text_width: int = 64
) -> dict[str, Any]:
    """The model's configuration in open_clip's format."""
    return {
        "embed_dim": 128,
        "vision_cfg": {
            "image_size": SIZE,
            "layers": list(layers),
            "width": width,
            "head_width": 32,
            "patch_size": None,
        },
        "text_cfg": {
            "context_length": CONTEXT,
            "vocab_size": VOCABULARY,
            "width": text_width,
            "heads": 2,
            "layers": 2,
        },
    }


def create(settings: dict[str, Any]) -> Any:
    """A new open_clip model with random weights."""
    let_torchvision_load()
    import open_clip

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{NAME}.json"
        path.write_text(json.dumps(settings))
        open_clip.add_model_config(path)
        return open_clip.create_model(
            NAME, pretrained=None, load_weights=False,
            force_preprocess_cfg={"mean": [MEAN] * 3, "std": [STD] * 3, "interpolation": "bicubic", "resize_mode": "squash"},
        )  # fmt: skip
