"""Some thousand files as a family has them, to be indexed: sorts, sizes and formats in their proportions.

A few hundred pictures are drawn by the sample library's generator. Each photo is then another cut of one of them, at the
size, quality and grain of its camera, with that camera's EXIF: another content, other pixels, the decoder's full work, in a
tenth of the time that drawing takes. Videos and papers are drawn one by one. What the proportions are is in SORTS.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageChops, ImageOps

from havenfs.sample import cameras, documents, library, photos, raw, videos
from havenfs.sample.cities import HOME, JOURNEYS, City

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

DRAWN = 300
EVENT = 40
"""Photos of one camera in one folder: an afternoon, a journey."""
FIRST_YEAR, YEARS = 2009, 16
LARGEST = (6016, 4016)
GRAIN = 9.0
"""Standard deviation of a sensor's noise in grey values: a 12-megapixel JPEG comes to 4 MB, as from a phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """Files that one device makes."""

    share: float
    """Of all files."""
    size: tuple[int, int] = (0, 0)
    """Pixels, lying."""
    camera: str = ""
    """Its name among `cameras.CAMERAS`; none: no EXIF."""
    folder: str = ""
    """Where they lie; those of events have none."""
    extension: str = ".jpg"
    quality: tuple[int, int] = (82, 92)
    of: Literal["scene", "print"] = "scene"
    raw: int = 0
    """One in so many has a RAW beside it."""


SORTS: tuple[Sort, ...] = (
    Sort(share=0.26, size=(4032, 3024), camera="phone"),
    Sort(share=0.03, size=(4032, 3024), camera="tablet", extension=".heic"),
    Sort(share=0.03, size=LARGEST, camera="reflex", extension=".JPG", raw=4),
    Sort(share=0.13, size=(3264, 2448), camera="compact"),
    Sort(share=0.16, size=(2048, 1536), camera="old", extension=".JPG"),
    Sort(share=0.17, size=(1600, 1200), folder="WhatsApp Images", quality=(62, 75)),
    Sort(share=0.05, size=(1440, 1080), folder="Downloads", extension=".webp"),
    Sort(share=0.04, size=(1560, 720), folder="Screenshots", extension=".png", of="print"),
    Sort(share=0.05, size=(2016, 1512), folder="Receipts", camera="phone", of="print"),
)
"""Of photos; VIDEOS and PAPERS are the rest. No survey, but what four phones, two cameras and a messenger leave in 16 years."""
VIDEOS, PAPERS = 0.02, 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One photo to be cut."""

    path: Path
    sort: Sort
    seed: tuple[int, int]
    taken: datetime
    city: City


def write(root: Path, count: int, *, seed: int = 7) -> list[Path]:
    """Write *count* files below *root* and return their paths. 10,000 take 16 GB and half an hour of a core."""
    drawn = root.with_name(root.name + ".drawn")
    truth = library.write(drawn, photos=min(DRAWN, count), seed=seed)
    known = {
        path: found
        for path, found in truth.assets.items()
        if found.kind == "photo" and path.lower().endswith((".jpg", ".png", ".tif"))
        if not path.startswith("hard/")
    }
    bases = {
        "scene": sorted(drawn / path for path, found in known.items() if not found.text),
        "print": sorted(drawn / path for path, found in known.items() if found.text),
    }
    clips = videos.plan(round(count * VIDEOS), seed + 1)
    papers = documents.plan(round(count * PAPERS), seed + 1)
    work: dict[Path, list[Frame]] = {}
    for number, frame in enumerate(frames(root, count - len(clips) - len(papers), seed)):
        among = bases[frame.sort.of]
        work.setdefault(among[number % len(among)], []).append(frame)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=context) as pool:
        cut = pool.map(develop, work, work.values())
        made = pool.map(library.make, *zip(*((str(root), item) for item in (*clips, *papers)), strict=True))  # fmt: skip
        paths = [path for several in cut for path in several]
        paths += [root / path for found in made for path, _ in found]
    shutil.rmtree(drawn)
    return paths


def frames(root: Path, count: int, seed: int) -> Iterator[Frame]:
    """*count* photos, event by event."""
    rng = np.random.default_rng([seed, 9])
    whole = sum(sort.share for sort in SORTS)
    done = 0
    for sort in SORTS:
        many = round(count * sort.share / whole) if sort is not SORTS[-1] else count - done
        day, city = _event(rng)
        for number in range(many):
            if number and number % EVENT == 0:
                day, city = _event(rng)
            day += timedelta(seconds=int(rng.integers(7, 400)))
            folder = sort.folder or f"{day.year}/{day.year}-{day.month:02} {city.name}"
            name = f"{sort.camera or 'IMG'}_{day:%Y%m%d}_{done + number:05}{sort.extension}"
            yield Frame(
                path=root / folder / name,
                sort=sort,
                seed=(seed, done + number),
                taken=day,
                city=city,
            )
        done += many


def _event(rng: np.random.Generator) -> tuple[datetime, City]:
    """When and where one begins."""
    new_year = datetime(FIRST_YEAR, 1, 1)  # noqa: DTZ001 - a wall clock
    day = new_year + timedelta(days=int(rng.integers(365 * YEARS)), hours=int(rng.integers(8, 20)))
    journey = JOURNEYS[int(rng.integers(len(JOURNEYS)))]
    return day, journey[int(rng.integers(len(journey)))] if rng.random() < 0.5 else HOME


@functools.cache
def _grain(*, tall: bool) -> Image.Image:
    """Noise of a sensor's size, around 128."""
    width, height = LARGEST
    size = (height, width) if tall else LARGEST
    return Image.merge("RGB", [Image.effect_noise(size, GRAIN) for _ in range(3)])


def develop(base: Path, wanted: Sequence[Frame]) -> list[Path]:
    """Cut and write the photos that come of one drawn picture; returns their paths, RAWs included."""
    with Image.open(base) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    return [path for frame in wanted for path in _photo(upright, frame)]


def _photo(drawn: Image.Image, frame: Frame) -> list[Path]:
    rng = np.random.default_rng(frame.seed)
    sort = frame.sort
    image = _cut(drawn, sort, rng)
    exif, orientation = None, 1
    camera = cameras.CAMERAS.get(sort.camera)
    number = frame.seed[1]
    offset = frame.city.minutes(frame.taken.month)
    if image.height > image.width and frame.path.suffix.lower() == ".jpg" and camera is not None:
        orientation, image = 6, image.transpose(Image.Transpose.ROTATE_90)
    if camera is not None:
        near = (float(rng.uniform(-0.02, 0.02)), float(rng.uniform(-0.02, 0.02)))
        where = frame.city if camera.located else None
        exif = cameras.exif(camera, frame.taken, offset, where, near, orientation, number)
    frame.path.parent.mkdir(parents=True, exist_ok=True)
    photos.save(image, frame.path, exif=exif, quality=int(rng.integers(*sort.quality)))
    photos.stamp(frame.path, frame.taken, offset)
    if not sort.raw or number % sort.raw or camera is None:
        return [frame.path]
    beside = frame.path.with_suffix(".DNG")
    sensor = image.resize((2016, 1344), Image.Resampling.BOX)
    beside.write_bytes(raw.dng(sensor, camera.make, camera.model, frame.taken, 200))
    photos.stamp(beside, frame.taken, offset)
    return [frame.path, beside]


def _cut(drawn: Image.Image, sort: Sort, rng: np.random.Generator) -> Image.Image:
    """A part of *drawn*, mirrored or not, at the sort's size, with grain where a sensor made it."""
    tall = drawn.height > drawn.width
    width, height = sort.size[::-1] if tall else sort.size
    if (
        sort.of == "print"
    ):  # all of it but the rim, and as it is: text that is cut off or mirrored is another text
        height = round(width * drawn.height / drawn.width)
        rim = rng.uniform(0, 6, 4)
        box = (rim[0], rim[1], drawn.width - rim[2], drawn.height - rim[3])
    else:
        if rng.random() < 0.5:
            drawn = drawn.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        scale = min(drawn.width / width, drawn.height / height) * rng.uniform(0.5, 1.0)
        left = rng.uniform(0, drawn.width - width * scale)
        top = rng.uniform(0, drawn.height - height * scale)
        box = (left, top, left + width * scale, top + height * scale)
    image = drawn.resize((width, height), Image.Resampling.BILINEAR, box=box)
    if not sort.camera:
        return image
    grain = _grain(tall=tall)
    left = int(rng.integers(0, grain.width - width + 1))
    top = int(rng.integers(0, grain.height - height + 1))
    return ImageChops.add(image, grain.crop((left, top, left + width, top + height)), 1.0, -128)
