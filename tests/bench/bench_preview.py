"""Decode and thumbnails of a 12-megapixel JPEG, against plain Pillow that decodes at full size (NUMBERS M5).

Run: python tests/bench/bench_preview.py [rounds]

Both make the same things: the 1440 px and 256 px WebP. "Plain" is what one writes first: open, load, resize each size from
the full picture with LANCZOS, save with WebP's default effort. Rounds alternate; medians of processor time are compared, so that other
work on the machine tells little. The second table
shows the parts, the third the memory that a 200-megapixel header without data costs.
"""

from __future__ import annotations

import io
import os
import resource
import statistics
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from skimage import data

from havenfs.errors import Unreadable
from havenfs.extract.decode import decode
from havenfs.extract.preview import METHOD, QUALITY, preview

if TYPE_CHECKING:
    from collections.abc import Callable


def photograph() -> bytes:
    """A 4000 x 3000 JPEG with a sensor's noise, 4:2:0, about 2 MB."""
    image = Image.fromarray(data.coffee()).resize((4000, 3000), Image.Resampling.BICUBIC)
    noisy = np.asarray(image, np.int16) + np.random.default_rng(0).normal(
        0, 4, (3000, 4000, 3)
    ).astype(np.int16)
    out = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=88)
    return out.getvalue()


def ours(path: bytes) -> None:
    """Everything that the preview stage makes: with thumbhash, perceptual hash and text likeness."""
    preview(decode(path, "image/jpeg"))


def plain(path: bytes, method: int = 4) -> None:
    """The two thumbnails only."""
    with Image.open(os.fsdecode(path)) as image:
        image.load()
        for side in (1440, 256):
            small = image.resize(
                (side, side * image.height // image.width), Image.Resampling.LANCZOS
            )
            small.save(io.BytesIO(), "WEBP", quality=QUALITY, method=method)


def full(path: bytes) -> None:
    """The full decode alone, without any thumbnail."""
    with Image.open(os.fsdecode(path)) as image:
        image.load()


def medians(rounds: int, *jobs: Callable[[], None]) -> list[float]:
    times: list[list[float]] = [[] for _ in jobs]
    for _ in range(rounds + 1):  # the first warms up
        for job, taken in zip(jobs, times, strict=True):
            started = time.process_time()
            job()
            taken.append(time.process_time() - started)
    return [statistics.median(taken[1:]) * 1000 for taken in times]


def bomb() -> bytes:
    """The header of a 16320 x 12240 JPEG and nothing behind it."""
    out = io.BytesIO()
    Image.fromarray(data.coffee()).save(out, "JPEG")
    raw = bytearray(out.getvalue())
    at = raw.index(b"\xff\xc0")
    raw[at + 5 : at + 9] = struct.pack(">HH", 12240, 16320)
    return bytes(raw[:3000])


def main() -> None:
    rounds = max(5, int(sys.argv[1])) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as directory:
        name = Path(directory) / "a.jpg"
        name.write_bytes(photograph())
        path = os.fsencode(name)
        mine, theirs, same, alone = medians(
            rounds,
            lambda: ours(path),
            lambda: plain(path),
            lambda: plain(path, METHOD),
            lambda: full(path),
        )
        picture = decode(path, "image/jpeg")
        decoding, making = medians(
            rounds, lambda: decode(path, "image/jpeg") and None, lambda: preview(picture) and None
        )
        print(
            f"12-megapixel JPEG, {name.stat().st_size / 1e6:.1f} MB, median of {rounds} rounds, processor time of one thread"
        )
        print(f"  HavenFS, decode + preview stage     {mine:7.1f} ms")
        print(
            f"  plain Pillow, both thumbnails       {theirs:7.1f} ms   ratio {theirs / mine:.2f} (M5: >= 3)"
        )
        print(f"  the same with our WebP effort       {same:7.1f} ms   ratio {same / mine:.2f}")
        print(f"  plain Pillow, full decode alone     {alone:7.1f} ms")
        print(f"  parts: decode {decoding:.1f} ms, thumbnails and hashes {making:.1f} ms")
        name.write_bytes(bomb())
        before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        try:
            decode(path, "image/jpeg")
        except Unreadable as error:
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print(f"200-megapixel header: {error}")
            print(
                f"  {(time.perf_counter() - started) * 1000:.1f} ms, peak memory + {after - before} KiB"
            )


if __name__ == "__main__":
    main()
