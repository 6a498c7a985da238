"""How fast a library is indexed, stage by stage, each beside the plain way to do the same work on the same files.

    python tests/bench/bench_index.py [--photos 120] [--rounds 5] [--files 600] [--peer 100] [--whole] [--library DIR]

Prints files a second for each stage on one core and the ratio to its reference (medians of the rounds), then the
whole indexer over --files files of a household (`whole/household.py`) beside a plain loop over --peer pictures among them:
files a second, for each second of a core, and the peak memory of all processes and of the largest. --whole leaves the stages
out; --library draws into DIR, or takes what was drawn there before. Bar M6 is stated for --files 10000: 16 GB, and about
an hour of a core.

References: identify = hashlib.sha256 of the same files; metadata = `exiftool -json` on all of them at once, when it is
installed; preview = Pillow decoding every pixel, then two LANCZOS thumbnails as WebP; embed = the same model one
picture at a time.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from whole import household, processes

from havenfs.catalog import Catalog, progress
from havenfs.config import State
from havenfs.entities import Kind, Stage
from havenfs.errors import HavenError
from havenfs.extract.clip import PictureEncoder
from havenfs.extract.identify import identify
from havenfs.extract.visit import Visit, visit
from havenfs.models import registry
from havenfs.sample import library

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
PICTURES = (".jpg", ".heic", ".webp", ".png")
"""What the plain loop reads."""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=600)
    parser.add_argument("--peer", type=int, default=100)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--library", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if not options.whole:
            root = Path(scratch) / "library"
            library.write(root, photos=options.photos, seed=7)
            os.sched_setaffinity(0, {0})
            photos = photos_in(root)
            print(f"{len(photos)} photos, one core, medians of {options.rounds} rounds\n")
            stages(photos, options.rounds)
            os.sched_setaffinity(0, range(os.cpu_count() or 1))
        root = options.library or Path(scratch) / "household"
        whole(Path(scratch), root, options.files, options.peer)


def photos_in(root: Path) -> list[tuple[Visit, Path]]:
    """Every file below *root* that is a photo, as the indexer visits it."""
    found: list[tuple[Visit, Path]] = []
    for path in sorted(
        p for p in root.rglob("*") if p.is_file() and not p.is_symlink() and "hard" not in p.parts
    ):
        try:
            identity = identify(os.fsencode(path))
        except HavenError:
            continue
        if identity.kind is Kind.PHOTO and not identity.mime.startswith("image/x-"):
            request = Visit(
                path=os.fsencode(path),
                relative=os.fsencode(path.relative_to(root)),
                kind=Kind.PHOTO,
                mime=identity.mime,
                mtime_ns=path.stat().st_mtime_ns,
                stages=frozenset(),
            )
            found.append((request, path))
    return found


def stages(photos: list[tuple[Visit, Path]], rounds: int) -> None:
    """Print the rate of each stage beside its reference."""
    encoder = PictureEncoder(registry.builtin())
    pictures = [opened(path) for _, path in photos]

    def ours(stage: Stage) -> Callable[[], object]:
        return lambda: [
            visit(
                Visit(
                    path=r.path, relative=r.relative, kind=r.kind, mime=r.mime, mtime_ns=r.mtime_ns,
                    stages=frozenset({stage}),
                ),
                encoder,
            )
            for r, _ in photos
        ]  # fmt: skip

    pairs: list[tuple[str, Callable[[], object], Callable[[], object] | None]] = [
        (
            "identify",
            lambda: [identify(r.path) for r, _ in photos],
            lambda: [hashlib.sha256(p.read_bytes()).digest() for _, p in photos],
        ),
        (
            "metadata",
            ours(Stage.METADATA),
            (lambda: exiftool(photos)) if shutil.which("exiftool") else None,
        ),
        ("preview", ours(Stage.PREVIEW), lambda: [plain_preview(p) for _, p in photos]),
        (
            "embed (model)",
            lambda: [encoder.encode(pictures[i : i + 8]) for i in range(0, len(pictures), 8)],
            lambda: [encoder.encode([picture]) for picture in pictures],
        ),
    ]
    print(f"{'stage':<14} {'files/s':>9} {'reference':>10} {'ratio':>6}")
    for name, run, reference in pairs:
        mine: list[float] = []
        theirs: list[float] = []
        for _ in range(rounds):  # in turn, so that a drifting machine drifts for both
            mine.append(seconds(run))
            if reference:
                theirs.append(seconds(reference))
        rate = len(photos) / statistics.median(mine)
        if theirs:
            other = len(photos) / statistics.median(theirs)
            print(f"{name:<14} {rate:9.1f} {other:10.1f} {rate / other:6.2f}")
        else:
            print(f"{name:<14} {rate:9.1f} {'-':>10} {'-':>6}")


def whole(scratch: Path, root: Path, count: int, peers: int) -> None:
    """Index *count* files with the real command, every so many of their pictures by the plain loop, and print both."""
    began = time.process_time(), os.times()
    if not root.is_dir():
        household.write(root, count)
        drawing = os.times().children_user - began[1].children_user + time.process_time() - began[0]
        print(f"\ndrawn in {drawing:.0f} s of a core")
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    pictures = [path for path in paths if path.suffix.lower() in PICTURES]
    state = scratch / "state"
    command = [sys.executable, "-m", "havend", "index", "run", "--once", "--budget", "full"]
    ours = processes.run(
        [*command, "--source", root, "--state", state], timeout_s=60 + 10 * len(paths)
    )
    some = pictures[:: max(1, len(pictures) // peers)][:peers] if peers else []
    cores = os.cpu_count() or 1
    size = sum(path.stat().st_size for path in paths)
    print(
        f"\n{len(paths)} files, {size / 1e9:.2f} GB, end to end, all stages with OCR, {cores} cores"
    )
    print(f"{'':<14} {'files':>9} {'/s':>8} {'/s of core':>11} {'MiB, all':>9} {'MiB, one':>9}")
    _row("ours", len(paths), ours)
    if some:
        command = [sys.executable, HERE / "whole/peer.py", scratch / "peer.db", *some]
        peer = processes.run(command, timeout_s=60 + 120 * len(some))
        _row("plain loop", len(some), peer)
        speed = len(paths) / ours.seconds * peer.seconds / len(some)
        work = len(paths) / ours.cpu * peer.cpu / len(some)
        print(f"{'ratio':<14} {'':9} {speed:8.2f} {work:11.2f} {ours.memory / peer.memory:9.2f}")
    with Catalog(State(root=state).catalog) as catalog:
        now = catalog.read(progress.progress)
    kept = sum(p.stat().st_size for p in state.glob("*.db"))
    print(
        f"{now.files} files known, {now.failed} failed, {now.assets} shown;"
        f" {sum(s.failed for s in now.stages.values())} stages failed"
        f"\ncatalog and previews {kept / 2**20:.1f} MiB; bar M6: <= 1.2 GiB of memory, all processes"
    )


def _row(name: str, number: int, cost: processes.Cost) -> None:
    print(
        f"{name:<14} {number:9} {number / cost.seconds:8.2f} {number / cost.cpu:11.2f}"
        f" {cost.memory:9.0f} {cost.largest:9.0f}",
        flush=True,
    )


def seconds(run: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run()
    return time.perf_counter() - began


def opened(path: Path) -> Image.Image:
    """The picture at 512 px, as the encoder is given previews."""
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((512, 512))
    return small


def plain_preview(path: Path) -> None:
    """What a straightforward program does for two sizes."""
    with Image.open(path) as image:
        full = image.convert("RGB")
    for side in (1440, 256):
        sized = full.copy()
        sized.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=None)
        sized.save(io.BytesIO(), "webp", quality=80)


def exiftool(photos: list[tuple[Visit, Path]]) -> None:
    """All facts of all files by the field's standard tool, one start for all."""
    subprocess.run(
        ["exiftool", "-json", "-q", "-q", *(str(p) for _, p in photos)],
        stdout=subprocess.DEVNULL,
        check=False,
        timeout=600,
    )


if __name__ == "__main__":
    import pillow_heif

    pillow_heif.register_heif_opener()
    main()
