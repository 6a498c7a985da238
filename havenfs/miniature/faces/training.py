"""Training the two networks, each in a process of one thread: on two cores both are done in the time of one.

The detector learns by focal loss which places are a face, by the overlap of boxes where it ends, and by distance where
its landmarks are; each place at one of three strides, by the size of the face. The recogniser learns to put the faces of
one person at one angle (CosFace, https://arxiv.org/abs/1801.09414).
"""

# torch is an extra and comes without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import logging
import math
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from havenfs.miniature.training import has_bfloat16

from .drawings import SMALLEST, VIEW
from .nets import ANCHORS, DIMENSION, STRIDES, Detector, Recogniser

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from havenfs.miniature.training import Schedule

    from .drawings import Lessons

logger = logging.getLogger(__name__)

SIZES = ((0, 30), (26, 64), (56, 9999))
"""Heights of faces in px for which each stride is answerable; where two are, both."""
MARGIN, SCALE = 0.3, 24.0
"""Of CosFace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """Two networks and how their training went."""

    detector: Detector
    recogniser: Recogniser
    seconds: float
    """Processor time of each."""


def train(lessons: Lessons, schedule: Schedule) -> Trained:
    """Train both, side by side where the schedule has two processes."""
    jobs: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (_detector, (lessons.views, lessons.faces, schedule)),
        (_recogniser, (lessons.crops, lessons.identities, schedule)),
    ]
    if schedule.processes <= 1:
        results = [work(*arguments) for work, arguments in jobs]
    else:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            results = [
                future.result() for future in [pool.submit(work, *given) for work, given in jobs]
            ]
    nets: list[nn.Module] = [Detector(), Recogniser()]
    for net, (weights, _) in zip(nets, results, strict=True):
        net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        net.eval()
    return Trained(
        detector=nets[0],
        recogniser=nets[1],
        seconds=max(seconds for _, seconds in results),
    )


def _run(
    net: nn.Module,
    more: list[nn.Parameter],
    loss_of: Callable[[np.random.Generator, float], torch.Tensor],
    schedule: Schedule,
) -> tuple[dict[str, NDArray[Any]], float]:
    """Descend until the schedule ends. Returns the weights and the processor time."""
    parameters = [*net.parameters(), *more]
    optimiser = torch.optim.AdamW(parameters, lr=schedule.rate, weight_decay=5e-4)
    rng = np.random.default_rng(schedule.seed)
    net.train()
    worked = time.process_time()
    for step in range(schedule.steps):
        done = step / schedule.steps
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate * 0.5 * (1 + math.cos(math.pi * done)) + 1e-5
        loss = loss_of(rng, done)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 250 == 249:
            done_so_far = (type(net).__name__, step + 1, schedule.steps, loss.item())
            logger.info("%s: step %d of %d, loss %.3f", *done_so_far)
    weights = {name: value.numpy() for name, value in net.state_dict().items()}
    return weights, time.process_time() - worked


def _detector(
    views: NDArray[np.uint8], faces: tuple[NDArray[np.float32], ...], schedule: Schedule
) -> tuple[dict[str, NDArray[Any]], float]:
    torch.set_num_threads(1)
    torch.manual_seed(schedule.seed)
    net, half = Detector().to(memory_format=torch.channels_last), has_bfloat16()
    pixels = torch.from_numpy(views).permute(0, 3, 1, 2)

    def loss_of(rng: np.random.Generator, _: float) -> torch.Tensor:
        rows = rng.integers(0, len(views), 32)
        image = pixels[rows].float()
        image = image * torch.from_numpy(rng.uniform(0.85, 1.15, (32, 3, 1, 1))).float()
        image = (image.clamp(0, 255) - 127.5) / 128
        mirrored = rng.random() < 0.5
        if mirrored:
            image = image.flip(3)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            outputs = net(image.contiguous(memory_format=torch.channels_last))
        outputs = tuple(output.float() for output in outputs)
        wanted = [targets(_mirrored(faces[row]) if mirrored else faces[row]) for row in rows]
        return _detection_loss(outputs, wanted)

    return _run(net, [], loss_of, schedule)


Target = tuple["NDArray[np.float32]", "NDArray[np.float32]", "NDArray[np.float32]"]
"""Of one stride: [places] 1 face, 0 none, -1 does not count; boxes [places, 4]; landmarks [places, 10]."""


def targets(faces: NDArray[np.float32]) -> list[Target]:
    """What each place of a view should say."""
    wanted: list[Target] = []
    for stride, (low, high) in zip(STRIDES, SIZES, strict=True):
        side = VIEW // stride
        rows, columns = np.mgrid[:side, :side]
        places = np.stack([columns, rows], -1).reshape(-1, 2).astype(np.float32) * stride
        places = np.repeat(places, ANCHORS, 0)
        is_face = np.zeros(len(places), np.float32)
        boxes = np.zeros((len(places), 4), np.float32)
        points = np.zeros((len(places), 10), np.float32)
        for face in faces:
            height = face[3] - face[1]
            near = np.abs(places - (face[:2] + face[2:4]) / 2)
            if height < SMALLEST:
                is_face[(near <= stride + height).all(1) & (is_face == 0)] = -1
                continue
            if not low <= height < high:
                continue
            inside = (near <= max(stride * 0.8, height * 0.16)).all(1)
            is_face[inside] = 1
            boxes[inside] = (
                np.concatenate([places[inside] - face[:2], face[2:4] - places[inside]], 1) / stride
            )
            points[inside] = (face[4:] - np.tile(places[inside], 5)) / stride
        wanted.append((is_face, boxes, points))
    return wanted


def _mirrored(faces: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same faces in the mirrored view: left and right change places, of the landmarks too."""
    turned = faces.copy()
    turned[:, 0], turned[:, 2] = VIEW - 1 - faces[:, 2], VIEW - 1 - faces[:, 0]
    for ours, theirs in ((0, 1), (1, 0), (2, 2), (3, 4), (4, 3)):
        turned[:, 4 + 2 * ours] = VIEW - 1 - faces[:, 4 + 2 * theirs]
        turned[:, 5 + 2 * ours] = faces[:, 5 + 2 * theirs]
    return turned


def _detection_loss(outputs: tuple[torch.Tensor, ...], wanted: list[list[Target]]) -> torch.Tensor:
    total = torch.zeros(())
    strides = len(STRIDES)
    stacked = [
        [torch.from_numpy(np.stack([one[level][part] for one in wanted])) for part in range(3)]
        for level in range(strides)
    ]
    count = sum(float((level[0] > 0).sum()) for level in stacked) or 1.0
    for level, (is_face, boxes, points) in enumerate(stacked):
        logits = outputs[level][..., 0]
        sure = logits.sigmoid().detach()
        weight = torch.where(is_face > 0, (1 - sure) ** 2, sure**2 * 0.75) * (is_face >= 0)
        entropy = functional.binary_cross_entropy_with_logits(
            logits, is_face.clamp(min=0), reduction="none"
        )
        total = total + 2 * (weight * entropy).sum() / count
        at = is_face > 0
        if not at.any():
            continue
        ours, theirs = outputs[level + strides][at], boxes[at]
        width = torch.min(ours[:, 0], theirs[:, 0]) + torch.min(ours[:, 2], theirs[:, 2])
        height = torch.min(ours[:, 1], theirs[:, 1]) + torch.min(ours[:, 3], theirs[:, 3])
        both = width * height
        either = _area(ours) + _area(theirs) - both
        total = total + 2 * (1 - both / either.clamp(min=1e-6)).sum() / count
        # By the face's height: how far the recogniser's picture is off does not depend on the stride.
        height = (theirs[:, 1] + theirs[:, 3])[:, None]
        distance = functional.smooth_l1_loss(
            outputs[level + 2 * strides][at] / height,
            points[at] / height,
            reduction="sum",
            beta=0.03,
        )
        total = total + 3 * distance / count
    return total


def _area(box: torch.Tensor) -> torch.Tensor:
    return (box[:, 0] + box[:, 2]) * (box[:, 1] + box[:, 3])


def _recogniser(
    crops: NDArray[np.uint8], identities: NDArray[np.int64], schedule: Schedule
) -> tuple[dict[str, NDArray[Any]], float]:
    torch.set_num_threads(1)
    torch.manual_seed(schedule.seed)
    net, half = Recogniser().to(memory_format=torch.channels_last), has_bfloat16()
    people = int(identities.max()) + 1
    centres = nn.Parameter(torch.randn(people, DIMENSION) * 0.01)
    pixels, who = torch.from_numpy(crops).permute(0, 3, 1, 2), torch.from_numpy(identities)

    def loss_of(rng: np.random.Generator, done: float) -> torch.Tensor:
        rows = rng.integers(0, len(crops), 64)
        image = _varied((pixels[rows].float() - 127.5) / 127.5, rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            vectors = net(image.contiguous(memory_format=torch.channels_last))
        cosines = functional.normalize(vectors.float()) @ functional.normalize(centres).T
        margin = MARGIN * min(1.0, done / 0.3)
        logits = SCALE * (cosines - margin * functional.one_hot(who[rows], people))
        return functional.cross_entropy(logits, who[rows])

    return _run(net, [centres], loss_of, schedule)


def _varied(image: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Mirrored, moved and turned a little, brighter or darker."""
    count = len(image)
    angle, zoom = rng.normal(0, 0.07, count), 1 + rng.normal(0, 0.06, count)
    theta = np.zeros((count, 2, 3), np.float32)
    side = rng.choice((-1.0, 1.0), count)
    theta[:, 0, 0], theta[:, 0, 1] = zoom * np.cos(angle) * side, -np.sin(angle)
    theta[:, 1, 0], theta[:, 1, 1] = np.sin(angle) * side, zoom * np.cos(angle)
    theta[:, :, 2] = rng.normal(0, 0.05, (count, 2))
    grid = functional.affine_grid(torch.from_numpy(theta), list(image.shape), align_corners=False)
    moved = functional.grid_sample(image, grid, padding_mode="border", align_corners=False)
    gain = torch.from_numpy(rng.uniform(0.9, 1.1, (count, 3, 1, 1))).float()
    return (moved * gain).clamp(-1, 1)
