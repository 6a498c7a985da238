"""Training: pictures towards every sentence that is true of them, away from all others and from words of absent things.

The truth of each sentence about each drawing is known, so that a batch has no false negatives: "sand" is true of the
beach and of the desert beside it. Two losses: contrastive over the batch (which picture, which sentence) and sigmoid
over the pairs (is it true), which gives similarities a meaning of their own: a word without pictures stays low everywhere.
Linear heads that are thrown away afterwards ask the image tower for thing, colour and setting of every drawing: sentences
alone teach settings for minutes before they teach things, because a thing is a small part of a picture.

Two processes of one thread each train on batches of their own and average their gradients: two threads in one process do
1.4 times the work of one on these small layers, two processes 1.9 times. They meet through loopback only.
"""

# torch, onnx and open_clip are an extra and come without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import logging
import math
import os
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import distributed
from torch.nn import functional

from havenfs.miniature import clip
from havenfs.miniature.absent import TAUGHT
from havenfs.miniature.clip import MEAN, STD
from havenfs.miniature.drawings import Truth
from havenfs.miniature.tokenizer import END, START, build
from havenfs.sample.scenes import describe, facts
from havenfs.sample.vocabulary import COLOURS, PLACES, THINGS, WORDS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from havenfs.miniature.drawings import Drawings

logger = logging.getLogger(__name__)

BATCH = 128
ABSENT = 32
"""Sentences about absent things in each batch."""
PATIENCE = timedelta(seconds=600)
"""How long one process waits for the other, on a busy machine too, before the training fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """How the training went."""

    seconds: float
    """Processor time of each process."""
    steps: int
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long and how fast."""

    steps: int
    """Batches of each process: the same model comes out on a busy machine, only later."""
    rate: float = 3e-3
    """Highest learning rate."""
    seed: int = 0
    processes: int = 2


def train(
    model: Any, config: dict[str, Any], tokenizer: Tokenizer, drawings: Drawings, schedule: Schedule
) -> Trained:
    """Train the model, which has that configuration, in place."""
    torch.set_num_threads(1)
    if schedule.processes == 1:
        return _run(model, tokenizer, drawings, schedule)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{folder}/meeting"
        start = {name: value.numpy() for name, value in model.state_dict().items()}
        partners = [
            get_context("spawn").Process(
                target=_partner,
                args=(rank, meeting, config, start, drawings, schedule),
                daemon=True,
            )
            for rank in range(1, schedule.processes)
        ]
        for partner in partners:
            partner.start()
        _meet(meeting, 0, schedule.processes)
        try:
            return _run(model, tokenizer, drawings, schedule)
        finally:
            distributed.destroy_process_group()
            for partner in partners:
                partner.join(30)


def _partner(
    rank: int,
    meeting: str,
    config: dict[str, Any],
    start: dict[str, NDArray[Any]],
    drawings: Drawings,
    schedule: Schedule,
) -> None:
    """Another process of the same training."""
    torch.set_num_threads(1)
    model = clip.create(config)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in start.items()})
    _meet(meeting, rank, schedule.processes)
    _run(model, build(clip.CONTEXT), drawings, schedule)
    distributed.destroy_process_group()


def _meet(meeting: str, rank: int, processes: int) -> None:
    distributed.init_process_group(
        "gloo", init_method=meeting, rank=rank, world_size=processes, timeout=PATIENCE
    )


def _run(model: Any, tokenizer: Tokenizer, drawings: Drawings, schedule: Schedule) -> Trained:
    together = distributed.is_initialized()
    rng = np.random.default_rng((schedule.seed, distributed.get_rank() if together else 0))
    torch.manual_seed(schedule.seed)  # the heads start alike in every process
    truth = Truth(drawings.scenes)
    pixels = torch.from_numpy(drawings.pixels).permute(0, 3, 1, 2)
    model.visual.to(
        memory_format=torch.channels_last
    )  # with bfloat16 twice the drawings per second
    half = has_bfloat16()
    heads = _Heads(model.visual.output_dim, drawings)
    sharpness = torch.nn.Parameter(torch.tensor([math.log(8.0), -4.0]))
    parameters = [*model.parameters(), *heads.parameters(), sharpness]
    optimiser = torch.optim.AdamW(
        [
            {"params": [value for value in parameters if value.ndim >= 2], "weight_decay": 0.05},
            {"params": [value for value in parameters if value.ndim < 2], "weight_decay": 0.0},
        ],
        lr=schedule.rate, betas=(0.9, 0.98),
    )  # fmt: skip
    strange = _strange_words(tokenizer)
    model.train()
    worked, loss = time.process_time(), torch.zeros(())
    for step in range(schedule.steps):
        done = step / schedule.steps
        rate = schedule.rate * min(1, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * done))
        for group in optimiser.param_groups:
            group["lr"] = rate + 1e-6
        rows = rng.integers(0, len(drawings.scenes), BATCH)
        said = [describe(drawings.scenes[row], rng) for row in rows]
        texts = [sentence.text for sentence in said] + [
            _absent(strange, rng) for _ in range(ABSENT)
        ]
        claims = [*(sentence.claims for sentence in said), *([("?",)] * ABSENT)]
        matches = torch.from_numpy(truth.of(claims, rows)).float().T
        ids = torch.tensor([encoding.ids for encoding in tokenizer.encode_batch(texts)])
        images = _augmented(pixels[rows], rng).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            pictures = model.encode_image(images)
        pictures = pictures.float()
        loss = _loss(model, pictures, model.encode_text(ids), matches, sharpness) + heads.loss(
            pictures, rows
        )
        optimiser.zero_grad()
        loss.backward()
        if together:
            _average(parameters)
        optimiser.step()
        if step % 100 == 99:
            logger.info("step %d of %d, loss %.3f", step + 1, schedule.steps, loss.item())
    model.eval()
    seconds = time.process_time() - worked
    return Trained(seconds=seconds, steps=schedule.steps, loss=float(loss.item()))


class _Heads(torch.nn.Module):
    """Which things, which colours of which things, which settings: linear in the picture's vector."""

    def __init__(self, width: int, drawings: Drawings) -> None:
        super().__init__()
        pairs = [f"{colour} {name}" for name, thing in THINGS.items() for colour in thing.colours]
        shown = [facts(scene) for scene in drawings.scenes]
        where = [scene.settings for scene in drawings.scenes]
        self._targets = [
            torch.tensor(
                [[fact in found for fact in group] for found in known], dtype=torch.float32
            )
            for group, known in ((THINGS, shown), (pairs, shown), (COLOURS, shown), (PLACES, where))
        ]
        self._linear = torch.nn.ModuleList(
            torch.nn.Linear(width, targets.shape[1]) for targets in self._targets
        )

    def loss(self, pictures: torch.Tensor, rows: NDArray[np.intp]) -> torch.Tensor:
        total = torch.zeros(())
        for linear, targets in zip(self._linear, self._targets, strict=True):
            wanted = targets[rows]
            some = wanted.sum(1) > 0
            shares = wanted[some] / wanted[some].sum(1, keepdim=True)
            total = (
                total - (shares * functional.log_softmax(linear(pictures[some]), 1)).sum(1).mean()
            )
        return 0.5 * total


def _average(parameters: list[torch.nn.Parameter]) -> None:
    """Average the gradients over the processes."""
    grads = [
        value.grad if value.grad is not None else torch.zeros_like(value) for value in parameters
    ]
    flat = torch.cat([grad.reshape(-1) for grad in grads])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    at = 0
    for value, grad in zip(parameters, grads, strict=True):
        value.grad = flat[at : at + grad.numel()].reshape(grad.shape).clone()
        at += grad.numel()


def has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16; emulated, it is slower than float32."""
    flags = Path("/proc/cpuinfo")
    return flags.exists() and "avx512_bf16" in flags.read_text()


def _loss(
    model: Any,
    pictures: torch.Tensor,
    sentences: torch.Tensor,
    matches: torch.Tensor,
    sharpness: torch.Tensor,
) -> torch.Tensor:
    """`matches`: [images, texts], 1 where the text is true of the image; the last ABSENT texts match nothing."""
    cosines = functional.normalize(pictures, dim=-1) @ functional.normalize(sentences, dim=-1).T
    logits = model.logit_scale.exp().clamp(max=100) * cosines
    to_text = matches / matches.sum(1, keepdim=True)
    true_texts = matches[:, :-ABSENT].T
    to_image = true_texts / true_texts.sum(1, keepdim=True)
    which = -(to_text * functional.log_softmax(logits, 1)).sum(1).mean()
    which -= (to_image * functional.log_softmax(logits[:, :-ABSENT].T, 1)).sum(1).mean()
    pairs = sharpness[0].exp() * cosines + sharpness[1]
    whether = (
        functional.binary_cross_entropy_with_logits(pairs, matches, reduction="none").sum(1).mean()
    )
    return 0.5 * which + 0.1 * whether


def _augmented(pixels: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Mirrored, shifted and zoomed a little, then as cameras and their light differ; normalised."""
    count = len(pixels)
    theta = torch.zeros(count, 2, 3)
    zoom = torch.from_numpy(rng.uniform(0.82, 1.06, (count, 2))).float()
    theta[:, 0, 0] = zoom[:, 0] * torch.from_numpy(rng.choice([-1.0, 1.0], count)).float()
    theta[:, 1, 1] = zoom[:, 1]
    theta[:, :, 2] = torch.from_numpy(rng.uniform(-0.06, 0.06, (count, 2))).float()
    grid = functional.affine_grid(theta, [count, 3, *pixels.shape[2:]], align_corners=False)
    moved = functional.grid_sample(
        pixels.float() / 255, grid, padding_mode="reflection", align_corners=False
    )
    return (_as_photographed(moved, rng) - MEAN) / STD


def _as_photographed(images: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Each under another light and lens: contrast, cast, shade across it, patches of light, blur, noise. In 0..1."""
    count, side = len(images), images.shape[-1]

    def each(low: float, high: float, channels: int = 1, often: float = 1.0) -> torch.Tensor:
        """A number for every picture and channel, 0 for those that are left alone."""
        left = rng.random((count, 1, 1, 1)) >= often
        drawn = np.where(left, 0, rng.uniform(low, high, (count, channels, 1, 1)))
        return torch.from_numpy(drawn).float()

    across = torch.linspace(-1, 1, side)
    shade = each(-0.3, 0.3, often=0.5) * across + each(-0.3, 0.3, often=0.5) * across[:, None]
    coarse = rng.standard_normal((count, 1, 6, 6), dtype=np.float32)
    patches = functional.interpolate(torch.from_numpy(coarse), size=(side, side), mode="bilinear")
    light = 1 + shade + each(0, 0.14, often=0.4) * patches
    images = images * light * (1 + each(-0.05, 0.05, 3))
    images = (images - 0.5) * each(0.7, 1.25) + 0.5 + each(-0.1, 0.1)
    soft = functional.avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
    images = images + each(0, 1, often=0.35) * (soft - images)
    # One grain for all, moved for each: a million numbers by chance cost as much as a tenth of a step.
    tile = torch.from_numpy(rng.standard_normal((3, 2 * side, 2 * side), dtype=np.float32))
    grain = torch.stack(
        [tile[:, y : y + side, x : x + side] for y, x in rng.integers(0, side, (count, 2)).tolist()]
    )
    return (images + each(0, 0.06, often=0.5) * grain).clamp(0, 1)


def _strange_words(tokenizer: Tokenizer) -> list[str]:
    """The tokenizer's whole words but for those that a caption may use."""
    used = " ".join([*WORDS, *(thing.plural for thing in THINGS.values()), *_ORDINARY])
    known = set(tokenizer.encode(used, add_special_tokens=False).tokens)
    tokenizer_words = (
        word for word in tokenizer.get_vocab() if word.endswith("</w>") and word not in {START, END}
    )
    return sorted(
        word[:-4] for word in tokenizer_words
        if len(word) > 6 and word[:-4].isascii() and word[:-4].isalpha() and word not in known
    )  # fmt: skip


_ORDINARY = [
    "one",
    "two",
    "three",
    "and",
    "with",
    "next",
    "to",
    "photo",
    "photos",
    "picture",
    "pictures",
    "image",
    "images",
    "showing",
    "show",
    "me",
    "find",
    "my",
    "our",
    "the",
    "some",
    "nice",
    "beautiful",
    "great",
    "holiday",
    "from",
    "look",
    "this",
    "that",
    "there",
    "old",
    "new",
    "little",
    "big",
    "small",
    "playing",
    "standing",
    "lying",
    "going",
    "down",
    "snowy",
    "day",
    "wooden",
    "living",
    "town",
    "among",
    "under",
    "front",
    "summer",
    "morning",
    "happy",
    "family",
    "snap",
    "shot",
    "view",
]
"""Words of captions and of people's manners, which say nothing about what is to be seen."""


def _absent(strange: list[str], rng: np.random.Generator) -> str:
    pool = TAUGHT if rng.random() < 0.5 else strange
    word = pool[int(rng.integers(len(pool)))]
    form = rng.random()
    if form < 0.1:
        word = f"{rng.choice(tuple(COLOURS))} {word}"
    elif form < 0.25:
        word = f"{word} {strange[int(rng.integers(len(strange)))]}"
    return str(
        rng.choice(["{}", "{}", "a {}", "the {}", "a photo of a {}", "a picture of {}", "{} photo"])
    ).format(word)


def encode_images(model: Any, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Unit rows [n, d] by torch, the reference of the exported towers."""
    with torch.no_grad():
        parts = [
            model.encode_image(
                (torch.from_numpy(pixels[at : at + 256]).permute(0, 3, 1, 2).float() / 255 - MEAN)
                / STD,
                normalize=True,
            )
            for at in range(0, len(pixels), 256)
        ]
    return torch.cat(parts).numpy()


def encode_texts(model: Any, tokenizer: Tokenizer, texts: list[str]) -> NDArray[np.float32]:
    """Unit rows [n, d] by torch."""
    with torch.no_grad():
        ids = torch.tensor([encoding.ids for encoding in tokenizer.encode_batch(texts)])
        return model.encode_text(ids, normalize=True).numpy()
