"""The two networks, with the inputs and outputs of SCRFD and ArcFace (insightface)."""

# torch is an extra and comes without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

STRIDES = (8, 16, 32)
ANCHORS = 2
"""At each place, as SCRFD has them; both say the same here."""
DIMENSION = 128


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Detector(nn.Module):
    """Scores, boxes and landmarks at three strides. Input [n, 3, h, w], (pixel - 127.5) / 128, h and w multiples of 32.

    Returns for each stride the scores [n, places, 1] (logits while training), then the distances to the edges of the box
    [n, places, 4], then the offsets of the landmarks [n, places, 10], both in strides.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _block(3, width, 2),
            _block(width, 2 * width, 2),
            _block(2 * width, 2 * width),
        )
        self.levels = nn.ModuleList(
            [
                nn.Sequential(_block(2 * width, 3 * width, 2), _block(3 * width, 3 * width)),
                nn.Sequential(_block(3 * width, 4 * width, 2), _block(4 * width, 4 * width)),
                nn.Sequential(_block(4 * width, 4 * width, 2), _block(4 * width, 4 * width)),
            ]
        )
        self.lateral = nn.ModuleList([nn.Conv2d(n * width, 32, 1) for n in (3, 4, 4)])
        self.heads = nn.ModuleList([_block(32, 32) for _ in STRIDES])
        self.scores = nn.ModuleList([nn.Conv2d(32, ANCHORS, 1) for _ in STRIDES])
        self.boxes = nn.ModuleList([nn.Conv2d(32, 4 * ANCHORS, 1) for _ in STRIDES])
        self.points = nn.ModuleList([nn.Conv2d(32, 10 * ANCHORS, 1) for _ in STRIDES])
        for layer in self.scores:
            nn.init.constant_(layer.bias, -4.0)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        at = self.stem(image)
        found = []
        for level in self.levels:
            at = level(at)
            found.append(at)
        found = [lateral(one) for lateral, one in zip(self.lateral, found, strict=True)]
        for small, large in ((2, 1), (1, 0)):
            found[large] = found[large] + functional.interpolate(
                found[small], scale_factor=2.0, mode="nearest"
            )
        found = [head(one) for head, one in zip(self.heads, found, strict=True)]
        scores = [_rows(layer(one), 1) for layer, one in zip(self.scores, found, strict=True)]
        if not self.training:
            scores = [score.sigmoid() for score in scores]
        boxes = [
            _rows(functional.softplus(layer(one)), 4)
            for layer, one in zip(self.boxes, found, strict=True)
        ]
        points = [_rows(layer(one), 10) for layer, one in zip(self.points, found, strict=True)]
        return (*scores, *boxes, *points)


def _rows(maps: torch.Tensor, numbers: int) -> torch.Tensor:
    return maps.permute(0, 2, 3, 1).reshape(maps.shape[0], -1, numbers)


class OnePicture(nn.Module):
    """The detector as SCRFD is published: one picture at a time, and outputs without the dimension for it."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(rows.reshape(-1, rows.shape[-1]) for rows in self.detector(image))


class Recogniser(nn.Module):
    """Aligned faces [n, 3, 112, 112], (pixel - 127.5) / 127.5, to vectors [n, DIMENSION] whose angles tell people apart."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _block(3, width, 2),
            _block(width, 2 * width, 2),
            _block(2 * width, 2 * width),
            _block(2 * width, 4 * width, 2),
            _block(4 * width, 4 * width),
            _block(4 * width, 6 * width, 2),
            _block(6 * width, 6 * width),
        )
        self.places = nn.Conv2d(6 * width, 6 * width, 7, groups=6 * width, bias=False)
        self.between = nn.BatchNorm2d(6 * width)
        self.last = nn.Linear(6 * width, DIMENSION, bias=False)
        self.out = nn.BatchNorm1d(DIMENSION)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.out(self.last(self.between(self.places(self.body(image))).flatten(1)))
