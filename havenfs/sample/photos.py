"""Draws planned shots and writes them as cameras, phones and scanners do: format, EXIF, orientation, sidecar, RAW.

`develop` runs in worker processes and touches only the files of its shot. Process-safe.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from xml.sax.saxutils import escape

import numpy as np
import pillow_heif
from PIL import Image

from havenfs.sample import cameras, prints, raw, scenes
from havenfs.sample.portraits import draw_person
from havenfs.sample.truth import Face, Known

if TYPE_CHECKING:
    from numpy.random import Generator

    from havenfs.sample.shots import Shot

UNDATED = datetime(2024, 2, 3, 12, tzinfo=UTC)
"""Modification time of files that nobody can date: when the family bought its NAS."""

_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation -> how the upright picture is turned before it is stored (the inverse of showing it)."""


def develop(directory: str, shot: Shot) -> list[tuple[str, Known]]:
    """Write the files of *shot* below *directory*; return the truth about each picture: itself, and its RAW if any."""
    rng = np.random.default_rng(shot.seed)
    image, faces = _draw(shot, rng)
    path = Path(directory, shot.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    shift = (float(rng.uniform(-0.002, 0.002)), float(rng.uniform(-0.002, 0.002)))
    exif = None
    if shot.camera is not None and shot.dated == "exif" and shot.taken is not None:
        exif = cameras.exif(
            shot.camera, shot.taken, shot.offset, shot.city, shift, shot.orientation, shot.number
        )
    stored = image.transpose(_STORED[shot.orientation]) if shot.orientation > 1 else image
    save(stored, path, exif=exif, quality=shot.quality)
    known = _truth(shot, faces)
    if shot.sidecar:
        known = _annotate(shot, known, path)
    stamp(path, shot.taken if shot.dated else None, shot.offset)
    found = [(shot.path, known)]
    if shot.raw and shot.camera is not None and shot.taken is not None:
        found.append(_raw(shot, image, known, path))
    return found


def save(
    image: Image.Image, path: Path, *, exif: Image.Exif | None = None, quality: int = 85
) -> None:
    """Write *image* in the format that its extension names."""
    block = exif.tobytes() if exif is not None else None
    options: dict[str, Any] = {} if block is None else {"exif": block}
    match path.suffix.lower():
        case ".jpg":
            image.save(path, "JPEG", quality=quality, **options)
        case ".png":
            image.save(path, "PNG", compress_level=3, **options)
        case ".webp":
            image.save(path, "WEBP", quality=quality, method=2, **options)
        case ".avif":
            image.save(path, "AVIF", quality=quality, speed=9, max_threads=1, **options)
        case ".tif":
            image.save(path, "TIFF", compression="tiff_lzw")
        case ".heic":
            file = cast(Any, pillow_heif.from_pillow(image))  # untyped: save(fp, **kwargs)
            file.save(
                str(path), quality=quality - 15, exif=block, enc_params={"preset": "ultrafast"}
            )
        case other:
            raise ValueError(f"no writer for {other}")


def stamp(path: Path, taken: datetime | None, offset: int | None) -> None:
    """Set the modification time to the date taken, as a camera leaves it; to UNDATED where there is none."""
    moment = (
        UNDATED if taken is None else taken.replace(tzinfo=UTC) - timedelta(minutes=offset or 0)
    )
    os.utime(path, (moment.timestamp(), moment.timestamp()))


def written(taken: datetime | None, offset: int | None, *, day_only: bool = False) -> str | None:
    """Return a date as the truth file has it."""
    if taken is None:
        return None
    if day_only:
        return taken.date().isoformat()
    return taken.isoformat(timespec="seconds") + (
        cameras.clock(offset) if offset is not None else ""
    )


def _draw(shot: Shot, rng: Generator) -> tuple[Image.Image, tuple[Face, ...]]:
    width, height = shot.size
    if shot.print is not None and shot.print.form != "sign":
        return prints.draw(shot.print, width, height, rng), ()
    image = scenes.draw(shot.scene, width, height, rng)
    if shot.print is not None:
        return prints.draw(shot.print, width, height, rng, behind=image), ()
    return image, tuple(_people(image, shot, rng))


def _people(image: Image.Image, shot: Shot, rng: Generator) -> list[Face]:
    """Draw the people side by side, each in a column of the picture."""
    if not shot.people or shot.taken is None:
        return []
    width, height = image.size
    many = len(shot.people)
    faces: list[Face] = []
    column = width * 0.96 / many
    for place, person in enumerate(shot.people):
        age = max(0.4, shot.taken.year + shot.taken.month / 12 - person.born - 0.5)
        middle = width * 0.02 + column * (place + 0.5)
        if shot.pose == "bust":
            side = min(column * 1.06, height * 0.74) * rng.uniform(0.8, 1)
            middle += (column - side) * rng.uniform(-0.4, 0.4) if side < column else 0
            box = (middle - side / 2, height - side, middle + side / 2, float(height))
        else:
            tall = height * rng.uniform(0.5, 0.72) * (0.5 + 0.5 * min(1.0, age / 16))
            wide = tall * 0.42
            middle += max(0.0, column - wide) * rng.uniform(-0.4, 0.4)
            foot = height * rng.uniform(0.9, 0.98)
            box = (middle - wide / 2, foot - tall, middle + wide / 2, foot)
        left, top, right, bottom = draw_person(image, person, box, age, rng).box
        shares = (left / width, top / height, right / width, bottom / height)
        x0, y0, x1, y1 = (round(min(1.0, max(0.0, share)), 4) for share in shares)
        faces.append(Face(name=person.name, box=(x0, y0, x1, y1)))
    return faces


def _truth(shot: Shot, faces: tuple[Face, ...]) -> Known:
    labels: list[str] = []
    facts: frozenset[str] = frozenset()
    if shot.print is None or shot.print.form == "sign":
        labels += scenes.labels(shot.scene)
        facts = scenes.facts(shot.scene) - set(labels)
    if shot.print is not None:
        labels += prints.labels(shot.print)
    if shot.people:
        labels += ["person", "people"]
    return Known(
        kind="photo",
        labels=tuple(dict.fromkeys(labels)),
        facts=tuple(sorted(facts)),
        people=tuple(person.name for person in shot.people),
        faces=faces,
        taken=written(shot.taken, shot.offset, day_only=shot.day_only) if shot.dated else None,
        city=shot.city.name if shot.city else None,
        country=shot.city.country if shot.city else None,
        text=shot.print.text if shot.print else None,
    )


_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:exif="http://ns.adobe.com/exif/1.0/" xmp:Rating="{rating}"{date}>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">{caption}</rdf:li></rdf:Alt></dc:description>
   <dc:subject><rdf:Bag>{keywords}</rdf:Bag></dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def sidecar(shot: Shot) -> str:
    """Return the path of the sidecar of *shot*."""
    stem = shot.path if shot.sidecar == "full" else shot.path.rpartition(".")[0]
    return stem + ".xmp"


def _annotate(shot: Shot, known: Known, path: Path) -> Known:
    """Write the sidecar; return the truth with what it says."""
    rng = np.random.default_rng((*shot.seed, 2))
    caption = scenes.caption(shot.scene, rng) if shot.print is None else "kept for the tax office"
    keywords = tuple(known.labels[:2])
    rating = int(rng.integers(1, 6))
    date = (
        f'\n    exif:DateTimeOriginal="{shot.taken.isoformat()}"'
        if shot.dated == "xmp" and shot.taken
        else ""
    )
    items = "".join(f"<rdf:li>{escape(word)}</rdf:li>" for word in keywords)
    body = _XMP.format(rating=rating, date=date, caption=escape(caption), keywords=items)
    beside = path.parent / sidecar(shot).rpartition("/")[2]
    beside.write_text(body, "utf-8")
    stamp(beside, shot.taken, shot.offset)
    return replace(known, caption=caption, keywords=keywords, rating=rating)


def raw_path(shot: Shot) -> str:
    """Return the path of the RAW of *shot*."""
    return shot.path.rpartition(".")[0] + ".DNG"


def _raw(shot: Shot, image: Image.Image, known: Known, path: Path) -> tuple[str, Known]:
    if shot.camera is None or shot.taken is None:
        raise ValueError("a RAW needs a camera and a date")
    beside = path.with_suffix(".DNG")
    beside.write_bytes(raw.dng(image, shot.camera.make, shot.camera.model, shot.taken, 200))
    stamp(beside, shot.taken, shot.offset)
    mate = replace(
        known,
        mate=shot.path,
        taken=written(shot.taken, None),
        city=None,
        country=None,
        caption=None,
        keywords=(),
        rating=None,
    )
    return raw_path(shot), mate
