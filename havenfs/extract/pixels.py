"""A picture to the numbers that a model's image tower was trained on. Pillow and numpy only.

Follows open_clip's evaluation transform (open_clip/transform.py, torchvision's Resize and CenterCrop) step by step,
rounding included, because a tower that sees pixels other than those it was trained on is quietly worse. Pure; any thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from havenfs.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from havenfs.models.manifest import Preprocess

INTERPOLATIONS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "random": Image.Resampling.BICUBIC,  # a training setting; evaluation uses bicubic
}
RESIZE_MODES = ("shortest", "squash", "longest")


class Pixels:
    """The preprocessing that *config* describes."""

    def __init__(self, config: Preprocess) -> None:
        """Raises ModelError for settings that are not known here."""
        if config.mode != "RGB" or config.interpolation not in INTERPOLATIONS:
            reason = f"pictures of mode {config.mode!r}, interpolation {config.interpolation!r} are not supported"
            raise ModelError(reason)
        if config.resize_mode not in RESIZE_MODES:
            reason = (
                f"the resize mode {config.resize_mode!r} is not one of {', '.join(RESIZE_MODES)}"
            )
            raise ModelError(reason)
        if min(config.std) <= 0:
            reason = "a standard deviation of the pixels is not positive"
            raise ModelError(reason)
        self.height, self.width = config.height_width
        self._mode = config.resize_mode
        self._filter = INTERPOLATIONS[config.interpolation]
        self._fill = config.fill_color
        self._mean = np.array(config.mean, np.float32)
        self._std = np.array(config.std, np.float32)

    def fit(self, image: Image.Image) -> Image.Image:
        """Return *image* in RGB at the size of the model's input."""
        image = image if image.mode == "RGB" else image.convert("RGB")
        if self._mode == "squash":
            return self._resized(image, self.width, self.height)
        if self._mode == "longest":
            return self._padded(self._by_ratio(image, longest=True))
        if self.width == self.height:
            # torchvision's Resize of the shorter side cuts the fraction of the longer one off; it does not round.
            side = self.width
            if image.width <= image.height:
                image = self._resized(image, side, int(side * image.height / image.width))
            else:
                image = self._resized(image, int(side * image.width / image.height), side)
        else:
            image = self._by_ratio(image, longest=False)
        return self._cropped(self._padded(image))

    def array(self, image: Image.Image) -> NDArray[np.float32]:
        """Return *image* as normalised float32 [3, height, width]."""
        pixels = np.asarray(self.fit(image), np.float32) / np.float32(255)
        return np.ascontiguousarray(((pixels - self._mean) / self._std).transpose(2, 0, 1))

    def _resized(self, image: Image.Image, width: int, height: int) -> Image.Image:
        size = (max(width, 1), max(height, 1))
        return image if image.size == size else image.resize(size, self._filter)

    def _by_ratio(self, image: Image.Image, *, longest: bool) -> Image.Image:
        """Scale so that one side fits: the longer one inside the input, or the shorter one to cover it."""
        ratios = (image.height / self.height, image.width / self.width)
        ratio = max(ratios) if longest else min(ratios)
        # Without a square, open_clip leaves the filter at its default, bicubic, whatever the configuration says.
        size = (max(round(image.width / ratio), 1), max(round(image.height / ratio), 1))
        if image.size == size:
            return image
        return image.resize(size, self._filter if longest else Image.Resampling.BICUBIC)

    def _padded(self, image: Image.Image) -> Image.Image:
        across, down = max(self.width - image.width, 0), max(self.height - image.height, 0)
        if not across and not down:
            return image
        border = (across // 2, down // 2, (across + 1) // 2, (down + 1) // 2)
        fill = self._fill if self._mode == "longest" else 0
        return ImageOps.expand(image, border, fill=(fill, fill, fill))

    def _cropped(self, image: Image.Image) -> Image.Image:
        left = round((image.width - self.width) / 2)  # half to even, as torchvision's rounding
        top = round((image.height - self.height) / 2)
        return image.crop((left, top, left + self.width, top + self.height))
