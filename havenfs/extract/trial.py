"""Tries a model out: loads it as a worker does, runs it, and says how fast it was and what it took.

A graph that is damaged or malicious can end the process that loads it: `havend.trial` starts one for this and nothing else.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from havenfs.errors import ModelError
from havenfs.models import packs
from havenfs.models.manifest import ModelKind
from havenfs.models.measured import Trial

from .clip import BATCH, PictureEncoder, TextEncoder
from .sessions import FAULTS, session

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.models.registry import Model

ROUNDS = 5
YARDSTICK = Path(__file__).with_name("yardstick.onnx")
"""Three feed-forward blocks of ViT-B/32 in fp32, written by `havenfs.export.yardstick`."""
YARDSTICK_GIGAFLOPS = 3 * 2 * 50 * 12 * 768**2 / 1e9
YARDSTICK_INPUT = (1, 50, 768)


def run(model: Model, *, threads: int) -> Trial:
    """Load and run *model*. Raises ModelError."""
    if model.kind is ModelKind.FACES:
        pack = packs.find(model.directory)
        assert pack is not None
        loaded = [session(path, threads) for path in (pack.detection, pack.recognition)]
        return Trial(memory=_peak(), device=loaded[0].device, note=loaded[0].note)
    photo = Image.effect_noise((1440, 1080), 60).convert("RGB")
    one, eight, device, note = _pictures(PictureEncoder(model, threads=threads), photo)
    # The picture tower is gone by now: the two live in different processes.
    texts = TextEncoder(model, threads=threads)
    text = _ms(lambda: texts.encode("a photo of a dog on a beach"))
    return Trial(
        picture_ms=one, batch_ms=eight, text_ms=text, memory=_peak(), device=device, note=note
    )


def _pictures(encoder: PictureEncoder, photo: Image.Image) -> tuple[float, float, str, str | None]:
    """Milliseconds of one alone and of each of a batch; what ran them, and why nothing faster."""
    one = _ms(lambda: encoder.encode([photo]))
    eight = _ms(lambda: encoder.encode([photo] * BATCH)) / BATCH
    return one, eight, encoder.device, encoder.note


def yardstick(*, threads: int) -> float:
    """Milliseconds that this machine takes for a gigaflop of a model in fp32, one picture at a time."""
    block = session(YARDSTICK, threads).runs
    rows = np.random.default_rng(0).standard_normal(YARDSTICK_INPUT).astype(np.float32)
    try:
        return _ms(lambda: block.run(None, {"rows": rows})) / YARDSTICK_GIGAFLOPS
    except FAULTS as error:
        raise ModelError(f"{YARDSTICK} cannot be run: {error}") from error


def _ms(work: Callable[[], object]) -> float:
    work()
    times: list[float] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def _peak() -> int:
    """MiB. Not ru_maxrss: that one survives fork and exec, so it would show the parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(status.split("VmHWM:")[1].split()[0]) // 1024
