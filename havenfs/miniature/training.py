"""Training: pictures towards every sentence that is true of them, away from all others and from words of absent things.

The truth of each sentence about each drawing is known, so that a batch has no false negatives: "sand" is true of the
beach and of the desert beside it. Two losses: contrastive over the batch (which picture, which sentence) and sigmoid
over the pairs (is it true), which gives similarities a meaning of their own: a word without pictures stays low everywhere.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from havenfs.miniature.absent import TAUGHT
from havenfs.miniature.clip import MEAN, STD
from havenfs.miniature.drawings import Truth
from havenfs.miniature.tokenizer import END, START
from havenfs.sample.scenes import describe
from havenfs.sample.vocabulary import COLOURS, THINGS, WORDS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from havenfs.miniature.drawings import Drawings

logger = logging.getLogger(__name__)

BATCH = 128
ABSENT = 48
"""Sentences about absent things in each batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """How the training went."""

    seconds: float
    steps: int
    loss: float


def train(
    model: Any,
    tokenizer: Tokenizer,
    drawings: Drawings,
    *,
    seconds: float,
    seed: int,
    rate: float = 2e-3,
) -> Trained:
    """Train the model in place for that long."""
    rng = np.random.default_rng(seed)
    truth = Truth(drawings.scenes)
    pixels = torch.from_numpy(drawings.pixels).permute(0, 3, 1, 2)
    model.visual.to(
        memory_format=torch.channels_last
    )  # with bfloat16 twice the drawings per second
    half = _has_bfloat16()
    sharpness = torch.nn.Parameter(torch.tensor([math.log(8.0), -4.0]))
    weights = [value for value in model.parameters() if value.ndim >= 2]
    others = [value for value in model.parameters() if value.ndim < 2]
    optimiser = torch.optim.AdamW(
        [{"params": weights, "weight_decay": 0.1}, {"params": [*others, sharpness], "weight_decay": 0.0}],
        lr=rate, betas=(0.9, 0.98),
    )  # fmt: skip
    strange = _strange_words(tokenizer)
    model.train()
    began, step, loss = time.monotonic(), 0, torch.zeros(())
    while (spent := time.monotonic() - began) < seconds:
        for group in optimiser.param_groups:
            group["lr"] = (
                rate * min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * spent / seconds))
                + 1e-6
            )
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
        loss = _loss(model, pictures.float(), model.encode_text(ids), matches, sharpness)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        step += 1
        if step % 200 == 0:
            logger.info(
                "step %d, loss %.3f, %.0f drawings/s",
                step,
                loss.item(),
                step * BATCH / (time.monotonic() - began),
            )
    model.eval()
    return Trained(seconds=time.monotonic() - began, steps=step, loss=float(loss.item()))


def _has_bfloat16() -> bool:
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
    """Mirrored, shifted and zoomed a little; normalised."""
    count = len(pixels)
    theta = torch.zeros(count, 2, 3)
    zoom = torch.from_numpy(rng.uniform(0.86, 1.06, (count, 2))).float()
    theta[:, 0, 0] = zoom[:, 0] * torch.from_numpy(rng.choice([-1.0, 1.0], count)).float()
    theta[:, 1, 1] = zoom[:, 1]
    theta[:, :, 2] = torch.from_numpy(rng.uniform(-0.06, 0.06, (count, 2))).float()
    grid = functional.affine_grid(theta, [count, 3, *pixels.shape[2:]], align_corners=False)
    moved = functional.grid_sample(
        pixels.float() / 255, grid, padding_mode="reflection", align_corners=False
    )
    return (moved - MEAN) / STD


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


_ORDINARY = (
    "one two three and with next to photo photos picture pictures image images showing show me find my our the some nice "
    "beautiful great holiday from look this that there old new little big small playing standing lying going down snowy day "
    "wooden living town among under front summer morning happy family snap shot view"
).split()
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
