"""Duplicates and mates: byte for byte copies as backups make them, near ones as messengers and editors make them, films of
live photos, edited copies beside their originals.

Reads pictures that are already written. Process-safe.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pillow_jxl
from PIL import Image, ImageOps

from havenfs.sample import photos, videos
from havenfs.sample.truth import Known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from havenfs.sample.shots import Shot


assert pillow_jxl  # importing it teaches Pillow to write JPEG XL
MATES = 2  # of each sort
_FILM = (320, 240)  # pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy to be made."""

    path: str
    of: str
    how: Literal["exact", "recompressed", "resized", "cropped", "packed", "edited", "film"]


def plan(shots: Sequence[Shot], exact: int, near: int, seed: int) -> list[Copy]:
    """Return *exact* byte for byte copies, *near* altered ones and a few mates, as far as there are JPEGs with EXIF to
    copy."""
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
    alone = {shot.path for shot in shots if not shot.raw}
    rest = [path for path in chosen[exact + near :] if path in alone][: 2 * MATES + 1]
    for place, path in enumerate(rest):
        stem = path.rpartition(".")[0]
        if place == 2 * MATES:
            copies.append(Copy(path="Shared/photo.jxl", of=path, how="packed"))
        elif place % 2:
            copies.append(Copy(path=f"{stem}.MOV", of=path, how="film"))
        else:
            copies.append(Copy(path=f"{stem}-edited.jpg", of=path, how="edited"))
    return copies


def make(directory: str, copy: Copy, known: Known) -> list[tuple[str, Known]]:
    """Make the copy below *directory*, of the file about which *known* is true; return the truth about the copy, and what
    is now true of the file itself where that is another."""
    source, target = Path(directory, copy.of), Path(directory, copy.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if copy.how == "exact":
        shutil.copy2(source, target)
        return [(copy.path, replace(known, same_as=copy.of))]
    if copy.how == "packed":  # without loss: the JPEG comes out of it again
        with Image.open(source) as jpeg:
            jpeg.save(target, "JXL", lossless_jpeg=True)
        shutil.copystat(source, target)
        return [(copy.path, replace(known, near=copy.of))]
    if copy.how == "film":
        return [(copy.path, _film(source, target, copy.of, known))]
    with Image.open(source) as original:
        exif = original.getexif()
        image = ImageOps.exif_transpose(original)
    faces = known.faces
    kept = copy.how in ("recompressed", "edited")  # editors keep the EXIF, messengers strip it
    if copy.how == "edited":
        image = ImageOps.autocontrast(image, cutoff=2)
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
    if copy.how == "edited":
        return [(copy.path, known), (copy.of, replace(known, mate=copy.path))]
    changed = replace(known, near=copy.of, faces=faces)
    if not kept:
        changed = replace(changed, taken=None, city=None, country=None)
    return [(copy.path, changed)]


def _film(source: Path, target: Path, of: str, known: Known) -> Known:
    """The two seconds around a photo: the camera comes down to it."""
    with Image.open(source) as original:
        picture = ImageOps.exif_transpose(original).convert("RGB")
    width, height = _FILM if picture.width > picture.height else _FILM[::-1]
    tall = ImageOps.fit(picture, (width, height + 40))
    frames = [tall.crop((0, top, width, top + height)) for top in range(0, 40, 2)]
    videos.encode(target, frames, (width, height), {}, {"movflags": "+faststart"})
    shutil.copystat(source, target)
    named = known.taken if target.stem[:3] in ("IMG", "PXL") and "_20" in target.stem else None
    return Known(kind="video", labels=known.labels, facts=known.facts, taken=named, mate=of)
