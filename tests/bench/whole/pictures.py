"""As many different pictures as are asked for, from a few drawn ones."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from havenfs.sample import library

if TYPE_CHECKING:
    from pathlib import Path

DRAWN = 120


def write(root: Path, count: int, *, seed: int = 7) -> list[Path]:
    """Write *count* JPEGs below *root* and return their paths: drawn ones, and copies that differ in a few bytes behind the
    picture, so that each is another content and costs what a photo costs."""
    drawn = root.with_name(root.name + ".drawn")
    library.write(drawn, photos=min(count, DRAWN), seed=seed)
    originals = sorted(
        path
        for path in drawn.rglob("*")
        if path.suffix.lower() in (".jpg", ".jpeg") and "hard" not in path.parts and path.is_file()
    )
    made: list[Path] = []
    for number in range(count):
        original = originals[number % len(originals)]
        copy = root / f"{number // 500:03}" / f"IMG_{number:05}.jpg"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(original.read_bytes() + number.to_bytes(8, "big"))
        moment = 1_500_000_000 + 60 * number
        os.utime(copy, (moment, moment))
        made.append(copy)
    shutil.rmtree(drawn)
    return made
