"""Decode and thumbnails of a 12-megapixel JPEG, against plain Pillow that decodes at full size (NUMBERS M5).

Run: python tests/bench/bench_preview.py [rounds]

Both make the same things: the 1440 px and 256 px WebP. "Plain" is what one writes first: open, load, resize each size from
the full picture with LANCZOS, save with WebP's default effort. Rounds alternate; medians of processor time are compared, so that other
work on the machine tells little. The second table
shows the parts, the third the memory that a 200-megapixel header without data costs, the last one every other format: decode,
thumbnails and hashes of ours against open and both thumbnails through the format's own straightforward way.
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
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pillow_jxl
import rawpy
import tifffile
from PIL import Image
from skimage import data

from havenfs.errors import Unreadable
from havenfs.extract import video
from havenfs.extract.decode import decode
from havenfs.extract.identify import identify
from havenfs.extract.preview import METHOD, QUALITY, preview
from havenfs.sample.raw import dng

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


assert pillow_jxl  # importing it teaches Pillow JPEG XL


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


def save(image: Image.Image) -> None:
    """Both thumbnails, as `plain` makes them."""
    for side in (1440, 256):
        small = image.resize((side, side * image.height // image.width), Image.Resampling.LANCZOS)
        small.convert("RGB").save(io.BytesIO(), "WEBP", quality=QUALITY)


def opened(path: Path) -> Image.Image:
    """Pillow, with the plug-in of the format where it has one."""
    with Image.open(path) as image:
        image.load()
        return image


def developed(path: Path) -> Image.Image:
    """rawpy with its defaults."""
    with rawpy.imread(str(path)) as raw:
        return Image.fromarray(raw.postprocess(use_camera_wb=True))


def floats(path: Path) -> Image.Image:
    """tifffile and numpy."""
    return Image.fromarray((tifffile.imread(path) * 255).astype(np.uint8))


def read_through(path: Path) -> Image.Image:
    """PyAV: every frame decoded, one in twelve made a picture."""
    with av.open(str(path)) as container:
        shown = [
            frame.to_image() for at, frame in enumerate(container.decode(video=0)) if at % 12 == 0
        ]
    return shown[0]


def samples(directory: Path) -> Iterator[tuple[Path, Callable[[Path], Image.Image]]]:
    """A picture of 12 megapixels in each format (a video of 10 s in full HD), and the straightforward way to open it."""
    image = Image.open(io.BytesIO(photograph())).convert("RGB")
    written: dict[str, dict[str, Any]] = {
        "a.png": {"compress_level": 1},
        "a.webp": {"quality": 80, "method": 0},
        "a.avif": {"speed": 10},
        "a.heic": {"quality": 60},
        "a.tif": {"compression": "tiff_lzw"},
        "a.bmp": {},
        "a.gif": {},
        "a.jxl": {"format": "JXL", "effort": 1},
    }
    for name, options in written.items():
        image.save(directory / name, **options)
        yield directory / name, opened
    tifffile.imwrite(directory / "deep.tif", np.asarray(image, np.uint16) * 257, photometric="rgb")
    yield directory / "deep.tif", opened
    tifffile.imwrite(
        directory / "float.tif", np.asarray(image, np.float32) / 255, photometric="rgb"
    )
    yield directory / "float.tif", floats
    (directory / "a.dng").write_bytes(dng(image, "Bench", "One", datetime(2020, 1, 1), 100))  # noqa: DTZ001
    yield directory / "a.dng", developed
    with av.open(str(directory / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 1920, 1080, "yuv420p", 30
        stream.options = {"preset": "ultrafast"}
        wide = image.resize((2220, 1665))
        for at in range(300):
            frame = av.VideoFrame.from_image(wide.crop((at, 0, at + 1920, 1080)))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    yield directory / "a.mp4", read_through


def looked_at(path: Path) -> None:
    """The preview stage of any file."""
    name = os.fsencode(path)
    mime = identify(name).mime
    if mime.startswith("video/"):
        film = video.look(name, mime)
        preview(film.frames[0].picture, film.strip)
    else:
        preview(decode(name, mime))


def straight(way: Callable[[Path], Image.Image], path: Path) -> None:
    """A peer's way, and both thumbnails."""
    save(way(path))


def formats(directory: Path, rounds: int) -> None:
    """The table of every format."""
    print("every format, decode + preview stage, processor time, median of", rounds, "rounds")
    for path, peer in samples(directory):
        mine, theirs = medians(rounds, partial(looked_at, path), partial(straight, peer, path))
        print(
            f"  {path.name:10} {path.stat().st_size / 1e6:6.1f} MB  HavenFS {mine:7.1f} ms,"
            f" {peer.__name__} {theirs:7.1f} ms   ratio {theirs / mine:.2f}"
        )
        path.unlink()


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
        name.unlink()
        formats(Path(directory), max(3, rounds // 3))


if __name__ == "__main__":
    main()
