"""Short H.264 videos for the sample library: a camera pans over a drawn scene, out of black and back into it.

MP4 and QuickTime through PyAV, with creation time (UTC) and position (ISO 6709) as phones write them. Process-safe.
"""

# PyAV leaves parameters of encode, mux and from_image untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from havenfs.sample import photos, scenes
from havenfs.sample.cameras import clock
from havenfs.sample.cities import HOME, JOURNEYS, City
from havenfs.sample.shots import FEATURED, FIRST_YEAR, YEARS
from havenfs.sample.truth import Known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from PIL import Image

RATE = 15
"""Frames per second."""
_SIZE = (640, 360)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One video to be drawn."""

    path: str
    seed: tuple[int, int]
    scene: scenes.Scene
    seconds: float
    taken: datetime
    """Wall clock at the place."""
    offset: int
    """Minutes east of UTC there."""
    city: City | None


def plan(count: int, seed: int) -> list[Clip]:
    """Return *count* clips, alternately MP4 and MOV, half of them with a position."""
    rng = np.random.default_rng([seed, 3])
    clips: list[Clip] = []
    for place in range(count):
        city = JOURNEYS[place % len(JOURNEYS)][0] if place % 4 in (1, 2) else HOME
        new_year = datetime(FIRST_YEAR + place * 3 % YEARS, 1, 1)  # noqa: DTZ001 - a wall clock
        day = new_year + timedelta(days=int(rng.integers(360)))
        taken = day + timedelta(seconds=int(rng.integers(8 * 3600, 21 * 3600)))
        name = (
            f"Phone/Camera/VID_{taken:%Y%m%d_%H%M%S}.mp4"
            if place % 2 == 0
            else f"Phone/Old phone/DCIM/100APPLE/IMG_{place + 1:04}.MOV"
        )
        scene = FEATURED[place % len(FEATURED)] if place % 3 else scenes.random_scene(rng)
        clips.append(
            Clip(
                path=name,
                seed=(seed, 1_000_000 + place),
                scene=scene,
                seconds=float(rng.uniform(2, 5)),
                taken=taken,
                offset=city.minutes(taken.month),
                city=city if place % 2 or place % 4 == 2 else None,
            )
        )
    return clips


def film(directory: str, clip: Clip) -> list[tuple[str, Known]]:
    """Write the video below *directory* and return the truth about it."""
    rng = np.random.default_rng(clip.seed)
    width, height = _SIZE
    picture = scenes.draw(clip.scene, round(width * 1.15), round(height * 1.15), rng)
    path = Path(directory, clip.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    quicktime = path.suffix == ".MOV"
    utc = clip.taken - timedelta(minutes=clip.offset)
    tags = {"creation_time": utc.isoformat() + ".000000Z"}
    position = f"{clip.city.latitude:+08.4f}{clip.city.longitude:+09.4f}/" if clip.city else ""
    if position:
        tags["location"] = position
    options = {"movflags": "+faststart"}
    if quicktime:  # the keys that an iPhone writes: the only ones with the local time zone
        options["movflags"] += "+use_metadata_tags"
        tags["com.apple.quicktime.make"] = "Apple"
        tags["com.apple.quicktime.model"] = "iPhone 12"
        tags["com.apple.quicktime.creationdate"] = clip.taken.isoformat() + clock(
            clip.offset
        ).replace(":", "")
        if position:
            tags["com.apple.quicktime.location.ISO6709"] = position
    count = max(2, round(clip.seconds * RATE))
    shown = (_frame(picture, number / (count - 1)) for number in range(count))
    encode(path, shown, _SIZE, tags, options)
    photos.stamp(path, clip.taken, clip.offset)
    labels = scenes.labels(clip.scene)
    known = Known(
        kind="video",
        labels=labels,
        facts=tuple(sorted(scenes.facts(clip.scene) - set(labels))),
        taken=photos.written(clip.taken, clip.offset),
        city=clip.city.name if clip.city else None,
        country=clip.city.country if clip.city else None,
    )
    return [(clip.path, known)]


def encode(
    path: Path,
    frames: Iterable[Image.Image],
    size: tuple[int, int],
    tags: Mapping[str, str],
    options: dict[str, str],
) -> None:
    """Write *frames* of that *size* (even sides) as an MP4, or as QuickTime where the name ends in .MOV."""
    kind = "mov" if path.suffix == ".MOV" else "mp4"
    with av.open(str(path), "w", format=kind, options=options) as container:
        container.metadata.update(tags)
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        # One thread: the same bytes on every machine.
        stream.options = {
            "preset": "ultrafast",
            "crf": "26",
            "threads": "1",
            "x264-params": "threads=1",
        }
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())


def _frame(picture: Image.Image, share: float) -> Image.Image:
    """The picture at that *share* of the clip: panned, and dark for the first and the last eighth."""
    width, height = _SIZE
    left = round((picture.width - width) * share)
    frame = picture.crop(
        (
            left,
            round((picture.height - height) / 2),
            left + width,
            round((picture.height - height) / 2) + height,
        )
    )
    lit = min(1.0, share * 8, (1 - share) * 8)
    return frame if lit >= 1 else frame.point([round(value * lit) for value in range(256)] * 3)
