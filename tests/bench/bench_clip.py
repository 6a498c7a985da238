"""Pictures and queries per second of the shipped model, its memory, and what reading text costs (NUMBERS: embedding, OCR).

Run: python tests/bench/bench_clip.py [rounds]      or with MODEL=DIR for another model directory

The towers are int8. Batches of 1 and of 8 alternate; medians are compared. Then ViT-B/32 with random weights
(`whole/vit.py`): our worker's settings on the int8 form beside the usual settings of a peer on the fp32 form of the same
weights: batch 1, two threads, arena, memory patterns and spinning threads, as Immich's machine learning service leaves
them; and beside the same without spinning, which is what of the difference is the model's and not the waiting's. Each
process runs one of them; they take turns. On a machine that others use too, believe the processor time.

A batch of 8 gains little over one picture: three quarters of the time are int8 products of 50 rows a picture, which is
enough rows to keep the units busy; what a batch saves is reading 85 MB of weights again for each picture. Tesseract's page
is compared with the same call without OMP_THREAD_LIMIT.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from skimage import data
from whole import vit

from havenfs.extract import ocr
from havenfs.extract.clip import BATCH, PictureEncoder, TextEncoder
from havenfs.models import registry

PROBE = """
import sys
from pathlib import Path
from PIL import Image
from havenfs.extract.clip import PictureEncoder, TextEncoder
from havenfs.models import registry
image = Image.new("RGB", (1440, 1080), (90, 120, 30))
def peak():  # not ru_maxrss: that one survives fork and exec, so it would show the parent's
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
before = peak()
model = registry.load(Path(sys.argv[1]))
if sys.argv[2] == "text":
    TextEncoder(model).encode("a dog on a beach")
else:
    PictureEncoder(model).encode([image] * int(sys.argv[2]))
print(peak() - before)
"""


def added_mib(directory: Path, what: str) -> float:
    """Memory that loading and running one tower adds to a fresh process that has the imports."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(directory), what],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return int(done.stdout) / 1024


def timed(work: object, rounds: int) -> float:
    """Median seconds of calling *work*."""
    assert callable(work)
    times: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


TOWER = """
import statistics, sys, time
from pathlib import Path
import numpy as np
from havenfs.extract import sessions
who, path, batch, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
before = peak()
if who == "ours":
    tower = sessions.session(path, 2).runs
else:
    options = sessions.ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = 2, 1
    if who == "calm":
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    provider = ("CPUExecutionProvider", {"arena_extend_strategy": "kSameAsRequested"})
    tower = sessions.ort.InferenceSession(str(path), options, providers=[provider])
side = tower.get_inputs()[0].shape[-1]
pixels = np.random.default_rng(0).standard_normal((batch, 3, side, side)).astype(np.float32)
run = lambda: tower.run(None, {tower.get_inputs()[0].name: pixels})
run()
times = []
for _ in range(rounds):
    start = time.process_time(), time.perf_counter()
    run()
    times.append((time.perf_counter() - start[1], time.process_time() - start[0]))
print(statistics.median(t for t, _ in times) / batch, statistics.median(c for _, c in times) / batch, peak() - before)
"""
"""A process that runs one image tower, with our settings or a peer's: seconds and processor seconds a picture, KiB added."""


def against_peer(rounds: int, scratch: Path) -> None:
    """The table of ViT-B/32: our worker beside the usual settings of a peer, same weights, in turns."""
    exact, small = scratch / "exact.onnx", scratch / "small.onnx"
    vit.write(exact, small)
    rows = {
        "fp32, 2 threads, batch 1 (peer)": ("peer", exact, 1),
        "the same, threads do not spin": ("calm", exact, 1),
        "our settings, fp32, batch 1": ("ours", exact, 1),
        "int8, batch 1 (ours)": ("ours", small, 1),
        f"int8, batch {BATCH} (ours)": ("ours", small, BATCH),
    }
    measured: dict[str, list[tuple[float, ...]]] = {name: [] for name in rows}
    for _ in range(max(rounds, 5)):
        for name, (who, path, batch) in rows.items():
            done = subprocess.run(
                [sys.executable, "-c", TOWER, who, str(path), str(batch), "5"],
                capture_output=True,
                text=True,
                check=True,
                timeout=300,
            )
            measured[name].append(tuple(float(figure) for figure in done.stdout.split()))
    print(
        f"\n{'ViT-B/32, random weights':36}{'ms':>8}{'cpu ms':>8}{'MiB':>7}   speed  cpu   memory"
    )
    medians = {
        name: [statistics.median(column) for column in zip(*figures, strict=True)]
        for name, figures in measured.items()
    }
    peer = next(iter(medians.values()))
    for name, (wall, cpu, memory) in medians.items():
        print(
            f"{name:36}{wall * 1e3:8.1f}{cpu * 1e3:8.1f}{memory / 1024:7.0f}"
            f"   {peer[0] / wall:4.1f}x {peer[1] / cpu:4.1f}x  {memory / peer[2]:5.2f}"
        )


def without_limit(page: Image.Image) -> None:
    """The same reading, with as many threads as tesseract likes."""
    del os.environ["OMP_THREAD_LIMIT"]
    page.format = "PPM"
    ocr.tesseract.image_to_data(page, lang="eng", config="--psm 3")


def main() -> None:
    """Print the tables."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    model = (
        registry.load(Path(os.environ["MODEL"])) if "MODEL" in os.environ else registry.builtin()
    )
    photo = Image.fromarray(data.coffee()).resize((1440, 960), Image.Resampling.BICUBIC)
    images = [photo] * 4 * BATCH

    print(f"{model.id}, {model.dimension} dimensions, {len(os.sched_getaffinity(0))} cores")
    print(f"{'pictures of 1440 px':36}{'pictures/s':>12}{'ms each':>10}")
    for threads in (1, 2):
        encoder = PictureEncoder(model, threads=threads)
        encoder.encode(images[:BATCH])
        one = timed(lambda e=encoder: [e.encode([image]) for image in images], rounds) / len(images)
        eight = timed(lambda e=encoder: e.encode(images), rounds) / len(images)
        print(f"{f'{threads} threads, batch 1':36}{1 / one:12.0f}{one * 1e3:10.2f}")
        print(f"{f'{threads} threads, batch {BATCH}':36}{1 / eight:12.0f}{eight * 1e3:10.2f}")
    fitting = timed(lambda: encoder._pixels.array(photo), rounds)
    print(f"{'  of it: to the size of the input':36}{'':12}{fitting * 1e3:10.2f}")
    texts = TextEncoder(model)
    texts.encode("warm")
    query = timed(lambda: texts.encode("a photo of a dog on a beach at night"), 20 * rounds)
    print(f"{'one query':36}{1 / query:12.0f}{query * 1e3:10.2f}")

    with tempfile.TemporaryDirectory() as scratch:
        against_peer(rounds, Path(scratch))

    print(f"\n{'memory added, MiB':36}{'':12}")
    for what, name in (
        ("1", "pictures, batch 1"),
        (str(BATCH), f"pictures, batch {BATCH}"),
        ("text", "text"),
    ):
        print(f"{name:36}{added_mib(model.directory, what):22.0f}")

    print(f"\n{'reading text':36}{'':12}{'ms':>10}")
    page = Image.new("L", (1240, 1754), 255)
    draw = ImageDraw.Draw(page)
    for line in range(38):
        draw.text(
            (90, 80 + 42 * line),
            "the quick brown fox and an invoice of the water board",
            20,
            ImageFont.load_default(26),
        )
    look = timed(lambda: ocr.likeness(photo), 5 * rounds)
    print(f"{'look at a photo (and skip it)':36}{look * 1e3:22.1f}")
    reading = timed(lambda: ocr.read(page), 3)
    print(f"{'read a page of A4':36}{reading * 1e3:22.0f}")
    unlimited = timed(lambda: without_limit(page), 1)
    print(
        f"{'  without OMP_THREAD_LIMIT':36}{unlimited * 1e3:22.0f}  we: {unlimited / reading:.1f}x"
    )
    print(
        f"\npeak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"
    )


if __name__ == "__main__":
    main()
