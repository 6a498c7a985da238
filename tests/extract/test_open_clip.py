"""Our preprocessing and towers beside open_clip's own, for random weights. Needs the training extra."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from havenfs.extract.clip import PictureEncoder, TextEncoder
from havenfs.extract.pixels import Pixels
from havenfs.models import registry
from havenfs.models.manifest import Preprocess

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.training,
    # torch's exporter and onnxscript announce changes in themselves that are no business of ours
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
    ),
]

SIZES = [(1440, 1080), (300, 777), (64, 64), (65, 64), (1000, 999), (50, 41), (2000, 31)]


def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [
        Image.fromarray(
            rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3), np.uint8)
        ).resize((width, height))
        for width, height in SIZES
    ]


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", [64, (48, 80)])
@pytest.mark.parametrize("mode", ["shortest", "squash", "longest"])
def test_pixels_equal_open_clips_transform(
    mode: str, size: int | tuple[int, int], interpolation: str
):
    from havenfs.miniature import clip

    clip._let_torchvision_load()
    transforms = importlib.import_module("open_clip.transform")
    theirs = transforms.image_transform(
        size, is_train=False, resize_mode=mode, interpolation=interpolation, fill_color=7
    )
    ours = Pixels(
        Preprocess(size=size, resize_mode=mode, interpolation=interpolation, fill_color=7)
    )
    for image in pictures():
        np.testing.assert_allclose(ours.array(image), theirs(image).numpy(), rtol=0, atol=1e-5)


def test_an_exported_model_gives_open_clips_vectors(tmp_path: Path):
    from havenfs.miniature import clip, export, package, tokenizer

    settings = clip.config(width=16)
    model = clip.create(settings).eval()
    tokens = tokenizer.build(clip.CONTEXT)
    package.write_settings(tmp_path / "random", settings, tokens)
    export.export(
        model, tmp_path / "random/visual/model.onnx", tmp_path / "random/textual/model.onnx"
    )
    ours = registry.load(tmp_path / "random")
    torch = importlib.import_module(
        "torch"
    )  # by name: type checking must pass where the extra is missing
    transforms = importlib.import_module("open_clip.transform")
    preprocess = json.loads((tmp_path / "random/visual/preprocess_cfg.json").read_text())
    transform = transforms.image_transform(
        tuple(preprocess["size"]),
        is_train=False,
        mean=tuple(preprocess["mean"]),
        std=tuple(preprocess["std"]),
        resize_mode=preprocess["resize_mode"],
    )
    texts = ["a photo of a dog", "Two red cars at night!", "beach " * 60]
    with torch.no_grad():
        images = model.encode_image(
            torch.stack([transform(image) for image in pictures()]), normalize=True
        )
        ids = torch.tensor([encoding.ids for encoding in tokens.encode_batch(texts)])
        words = model.encode_text(ids, normalize=True)
    np.testing.assert_allclose(PictureEncoder(ours).encode(pictures()), images.numpy(), atol=1e-4)
    np.testing.assert_allclose(TextEncoder(ours).encode_all(texts), words.numpy(), atol=1e-4)
