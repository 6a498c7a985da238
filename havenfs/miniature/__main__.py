"""`python -m havenfs.miniature --out DIR`: draw, train, export, quantise, measure, and write the model's directory."""

# torch, onnx and open_clip are an extra and come without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

import torch

from havenfs.export import quantise
from havenfs.export.probe import probe
from havenfs.export.towers import export
from havenfs.miniature import clip, package, tokenizer as tokenizers
from havenfs.miniature.absent import KEPT_BACK, TAUGHT
from havenfs.miniature.drawings import SIZE, draw_many
from havenfs.miniature.evaluation import CLASSES, agree, calibrate, recognise, retrieve, trials
from havenfs.miniature.photographs import read_photographs
from havenfs.miniature.towers import OnnxTowers, TorchTowers, normalised
from havenfs.miniature.training import Schedule, train

logger = logging.getLogger("havenfs.miniature")


def make(
    out: Path,
    *,
    steps: int,
    seed: int,
    images: int,
    measure: int = 300,
    width: int = 16,
    workers: int = 2,
) -> package.Figures:
    """Make a model from nothing and write it to `out`. Returns its figures."""
    torch.manual_seed(seed)
    began = time.monotonic()
    drawings = draw_many(images, seed=seed + 1, anything=True, workers=workers)
    drawn = time.monotonic() - began
    logger.info("%d drawings in %.0f s", images, drawn)
    config = clip.config(width=width)
    model, tokenizer = clip.create(config), tokenizers.build(clip.CONTEXT)
    trained = train(
        model, config, tokenizer, drawings, Schedule(steps=steps, seed=seed, processes=workers)
    )
    package.write_settings(out, config, tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        visual, textual = Path(folder) / "visual.onnx", Path(folder) / "textual.onnx"
        export(model, visual, textual, size=(SIZE, SIZE), context=clip.CONTEXT)
        # Of the stem (three convolutions of 8 and 16 channels) nothing; and the ranges of 64 drawings: those of 1,000 are as wide
        # as their oddest ones, which costs 1 top-10 hit in 200.
        quantise.visual(
            visual, out / package.VISUAL, normalised(drawings.pixels[:64]), keep_convolutions=3
        )
        quantise.textual(textual, out / package.TEXTUAL)
        probe(out)
        reference, exact = TorchTowers(model, tokenizer), OnnxTowers(visual, textual, tokenizer)
        small = OnnxTowers(out / package.VISUAL, out / package.TEXTUAL, tokenizer)
        logger.info("exported and loaded; measuring")
        kept = trials(number=measure, workers=workers)
        floors, alone = calibrate(small, kept.tuning, TAUGHT)
        figures = package.measured(
            {
                name: (recognise(towers, kept.fresh), recognise(towers, kept.heldout))
                for name, towers in (("torch", reference), ("fp32", exact), ("int8", small))
            },
            retrieve(small, kept.library, KEPT_BACK, floors, alone),
            {"fp32": agree(exact, reference, kept.library), "int8": agree(small, reference, kept.library)},
            classes=len(CLASSES), library=len(kept.library.scenes), drawings=images, drawing_seconds=drawn,
            training_seconds=trained.seconds, steps=trained.steps, seed=seed,
        )  # fmt: skip
        package.write_readme(out, figures, floors, read_photographs(small))
        package.write_manifest(out, figures, floors)
    logger.info("all of it took %.0f s", time.monotonic() - began)
    return figures


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m havenfs.miniature", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory to write the model to")
    parser.add_argument(
        "--steps",
        type=int,
        default=2000,
        help="batches of 128 drawings for each of two cores (default 2000)",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--images", type=int, default=30000, help="how many drawings to train on (default 30000)"
    )
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logger.setLevel(logging.INFO)
    make(given.out, steps=given.steps, seed=given.seed, images=given.images)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
