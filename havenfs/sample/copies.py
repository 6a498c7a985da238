"""Duplicates: byte for byte copies as backups make them, and near ones as messengers and editors make them.

Reads pictures that are already written. Process-safe.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageOps

from havenfs.sample import photos

if TYPE_CHECKING:
    from collections.abc import Sequence

    from havenfs.sample.shots import Shot
    from havenfs.sample.truth import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy to be made."""

    path: str
    of: str
    how: Literal["exact", "recompressed", "resized", "cropped"]


def plan(shots: Sequence[Shot], exact: int, near: int, seed: int) -> list[Copy]:
    """Return *exact* byte for byte copies and *near* altered ones, as far as there are JPEGs with EXIF to copy."""
    rng = np.random.default_rng([seed, 5])
    able = [
        shot.path
        for shot in shots
        if shot.dated == "exif"
        and shot.path.lower().endswith(".jpg")
        and not shot.sidecar
        and shot.size[0] < 2000
    ]
    chosen = [able[int(index)] for index in rng.permutation(len(able))]
    copies = [Copy(path=f"Backup/{path}", of=path, how="exact") for path in chosen[:exact]]
    ways: tuple[Literal["recompressed", "resized", "cropped"], ...] = (
        "recompressed",
        "resized",
        "cropped",
    )
    for place, path in enumerate(chosen[exact : exact + near]):
        copies.append(Copy(path=f"Shared/photo ({place + 1}).jpg", of=path, how=ways[place % 3]))
    return copies


def make(directory: str, copy: Copy, known: Known) -> list[tuple[str, Known]]:
    """Make the copy below *directory*, of the file about which *known* is true; return the truth about the copy."""
    source, target = Path(directory, copy.of), Path(directory, copy.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if copy.how == "exact":
        shutil.copy2(source, target)
        return [(copy.path, replace(known, same_as=copy.of))]
    with Image.open(source) as original:
        exif = original.getexif()
        image = ImageOps.exif_transpose(original)
    faces = known.faces
    kept = copy.how == "recompressed"  # editors keep the EXIF, messengers strip it
    if copy.how == "resized":
        image = image.resize(
            (image.width * 5 // 8, image.height * 5 // 8), Image.Resampling.LANCZOS
        )
    elif copy.how == "cropped":
        left, top = round(image.width * 0.04), round(image.height * 0.03)
        image = image.crop((left, top, image.width - left, image.height - top))
        faces = ()
    exif[0x0112] = 1
    photos.save(image, target, exif=exif if kept else None, quality=60 if kept else 78)
    if kept:
        status = source.stat()
        os.utime(target, (status.st_atime, status.st_mtime))
    else:
        photos.stamp(target, None, None)
    changed = replace(known, near=copy.of, faces=faces)
    if not kept:
        changed = replace(changed, taken=None, city=None, country=None)
    return [(copy.path, changed)]
