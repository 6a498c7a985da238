"""Our preprocessing beside open_clip's own. Needs the training extra."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from PIL import Image

from havenfs.extract.pixels import Pixels
from havenfs.models.manifest import Preprocess

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
    from havenfs.export import original

    original.let_torchvision_load()
    transforms = importlib.import_module("open_clip.transform")
    theirs = transforms.image_transform(
        size, is_train=False, resize_mode=mode, interpolation=interpolation, fill_color=7
    )
    ours = Pixels(
        Preprocess(size=size, resize_mode=mode, interpolation=interpolation, fill_color=7)
    )
    for image in pictures():
        np.testing.assert_allclose(ours.array(image), theirs(image).numpy(), rtol=0, atol=1e-5)
