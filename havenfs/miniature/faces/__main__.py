"""`python -m havenfs.miniature.faces --out DIR`: draw, train, export, quantise, measure, and write the model's directory."""

# torch and onnx are an extra and come without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from havenfs.miniature.training import Schedule
from havenfs.models import packs, registry

from . import package
from .drawings import gallery, lessons
from .evaluation import agreement, measure
from .export import export, quantise
from .training import train

logger = logging.getLogger("havenfs.miniature")


def make(
    out: Path,
    *,
    steps: int,
    seed: int,
    drawings: int,
    people: int = 900,
    measured: int = 500,
    workers: int = 2,
) -> package.Figures:
    """Make a model from nothing and write it to `out`. Returns its figures."""
    began = time.monotonic()
    lesson = lessons(drawings, people=people, seed=2 * seed + 1, workers=workers)
    logger.info("%d drawings in %.0f s", drawings, time.monotonic() - began)
    trained = train(lesson, Schedule(steps=steps, rate=2e-3, seed=seed, processes=workers))
    strangers = gallery(measured, people=80, seed=2 * seed + 2, workers=workers)
    with tempfile.TemporaryDirectory() as folder:
        exact = Path(folder)
        for directory in (exact, out):
            for part in (packs.DETECTION, packs.RECOGNITION):
                (directory / part).parent.mkdir(parents=True, exist_ok=True)
        export(
            trained.detector,
            trained.recogniser,
            exact / packs.DETECTION,
            exact / packs.RECOGNITION,
        )
        quantise(exact / packs.DETECTION, out / packs.DETECTION, lesson.views[:200], 128)
        quantise(exact / packs.RECOGNITION, out / packs.RECOGNITION, lesson.crops[:300], 127.5)
        logger.info("exported; loading and measuring")
        forms = {}
        for form, directory in (("fp32", exact), ("int8", out)):
            package.write_manifest(directory, {}, same_person=0.5)
            forms[form] = measure(registry.load(directory), strangers)
    figures = package.figures(
        forms, agreement=agreement(forms["int8"], forms["fp32"]), gallery=measured, drawings=drawings, people=people,
        steps=steps, training_seconds=trained.seconds, seed=seed,
    )  # fmt: skip
    package.write_readme(out, figures)
    package.write_manifest(out, figures, same_person=forms["int8"].verification.cosine)
    logger.info("all of it took %.0f s", time.monotonic() - began)
    return figures


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m havenfs.miniature.faces", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory to write the model to")
    parser.add_argument(
        "--steps",
        type=int,
        default=2000,
        help="batches for each network, side by side (default 2000)",
    )
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument(
        "--drawings", type=int, default=7500, help="how many to train on (default 7500)"
    )
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logger.setLevel(logging.INFO)
    make(given.out, steps=given.steps, seed=given.seed, drawings=given.drawings)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
