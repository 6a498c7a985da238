"""Faces per second against insightface's FaceAnalysis as it comes, on the same files with the same weights.

Run: python tests/bench/bench_faces.py [rounds]      or with MODEL=DIR for a pack of insightface

The peer runs with its default settings: every file of the pack, two sizes of each picture, onnxruntime's default threads.
Ours looks once, on one thread and on two. Rounds alternate; medians are compared.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from havenfs.extract.faces import FaceFinder
from havenfs.models import packs, registry
from havenfs.models.manifest import ModelKind
from havenfs.sample.people import PEOPLE
from havenfs.sample.portraits import draw_person
from havenfs.sample.scenes import draw, random_scene

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

PICTURES = 12


def pictures() -> list[Image.Image]:
    """Drawings of one to four people at 1440 px, as the pipeline has them."""
    rng = np.random.default_rng(1)
    drawn: list[Image.Image] = []
    for number in range(PICTURES):
        image = draw(random_scene(rng), 1440, 1080, rng)
        many = 1 + number % 4
        for place in range(many):
            side = min(700.0, 1400 / many)
            left = 20 + 1400 / many * place
            person = PEOPLE[(number + place) % len(PEOPLE)]
            draw_person(image, person, (left, 1080 - side, left + side, 1080), 30, rng)
        drawn.append(image)
    return drawn


def timed(work: Callable[[], int]) -> tuple[float, int]:
    began = time.perf_counter()
    faces = work()
    return time.perf_counter() - began, faces


def main(rounds: int) -> None:
    from insightface.app import FaceAnalysis

    warnings.simplefilter("ignore", FutureWarning)
    model = (
        registry.load(Path(os.environ["MODEL"]))
        if "MODEL" in os.environ
        else registry.builtin(ModelKind.FACES)
    )
    images = pictures()
    with tempfile.TemporaryDirectory() as folder:
        directory = model.directory
        if (directory / packs.DETECTION).exists():  # insightface wants them side by side
            directory = Path(folder)
            shutil.copy(model.directory / packs.DETECTION, directory / "det.onnx")
            shutil.copy(model.directory / packs.RECOGNITION, directory / "w600k.onnx")
        with contextlib.redirect_stdout(io.StringIO()):
            peer: Any = FaceAnalysis(name=str(directory), providers=["CPUExecutionProvider"])
            peer.prepare(ctx_id=-1)
        one, two = FaceFinder(model, threads=1), FaceFinder(model, threads=2)
        works: dict[str, Callable[[], int]] = {
            "ours, 1 thread": lambda: sum(len(one.find(image)) for image in images),
            "ours, 2 threads": lambda: sum(len(two.find(image)) for image in images),
            "FaceAnalysis as it comes": lambda: sum(
                len(peer.get(np.asarray(image)[:, :, ::-1].copy())) for image in images
            ),
        }
        results: dict[str, list[tuple[float, int]]] = {name: [] for name in works}
        for turn in range(rounds + 1):
            for name, work in works.items():
                result = timed(work)
                if turn:  # the first round warms up
                    results[name].append(result)
    slowest = statistics.median(seconds for seconds, _ in results["FaceAnalysis as it comes"])
    for name, runs in results.items():
        seconds = statistics.median(seconds for seconds, _ in runs)
        print(
            f"{name:<26} {PICTURES / seconds:7.1f} pictures/s {runs[0][1] / seconds:7.1f} faces/s   x {slowest / seconds:.2f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
