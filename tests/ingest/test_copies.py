"""Copies among real decodes: drawn pictures and photographs, each as messengers, editors and cameras multiply them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import skimage
import sklearn
from PIL import Image, ImageDraw

from havenfs.catalog import findings
from havenfs.entities import AssetId, Kind, Stage
from havenfs.extract.clip import PictureEncoder
from havenfs.extract.visit import Visit, visit
from havenfs.models import registry
from havenfs.sample import scenes

if TYPE_CHECKING:
    import apsw

DRAWN = 24
PHOTOGRAPHS = (
    "astronaut.png",
    "coffee.png",
    "chelsea.png",
    "rocket.jpg",
    "china.jpg",
    "flower.jpg",
)
STAGES = frozenset([Stage.PREVIEW, Stage.EMBED])


def originals() -> list[Image.Image]:
    rng = np.random.default_rng(3)
    drawn = [scenes.draw(scenes.random_scene(rng), 800, 600, rng) for _ in range(DRAWN)]
    folders = (
        Path(skimage.__file__).parent / "data",
        Path(sklearn.__file__).parent / "datasets/images",
    )
    real = [
        Image.open(folder / name).convert("RGB")
        for name in PHOTOGRAPHS
        for folder in folders
        if (folder / name).is_file()
    ]
    return [*drawn, *real]


def resized(image: Image.Image) -> Image.Image:
    return image.resize((image.width * 5 // 8, image.height * 5 // 8), Image.Resampling.LANCZOS)


def cropped(image: Image.Image) -> Image.Image:
    left, top = round(image.width * 0.04), round(image.height * 0.03)
    return image.crop((left, top, image.width - left, image.height - top))


def next_take(image: Image.Image) -> Image.Image:
    """A moment later: the hand has moved a little, and somebody walks in."""
    moved = image.rotate(
        0.8, Image.Resampling.BICUBIC, fillcolor=(120, 120, 120), translate=(9, -6)
    )
    x, y = image.width // 3, image.height // 2
    ImageDraw.Draw(moved).ellipse(
        (x, y, x + image.width // 8, y + image.height // 4), fill=(40, 30, 90)
    )
    return moved


@pytest.fixture(scope="module")
def encoder() -> PictureEncoder:
    return PictureEncoder(registry.builtin())


def look_at(
    shelf: Any, encoder: PictureEncoder, name: str, image: Image.Image, quality: int
) -> AssetId:
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=quality)
    asset_id = shelf.add(name, packed.getvalue(), width=image.width, height=image.height)
    path = shelf.root / name
    found = visit(
        Visit(
            path=bytes(path),
            relative=name.encode(),
            kind=Kind.PHOTO,
            mime="image/jpeg",
            mtime_ns=0,
            stages=STAGES,
        ),
        encoder,
    )
    assert not found.failed

    def record(db: apsw.Connection) -> None:
        row = db.execute("SELECT hash FROM asset WHERE id = ?", (asset_id,)).fetchone()
        assert row is not None
        assert findings.record(db, asset_id, row[0], STAGES, found)

    shelf.catalog.write(record)
    return asset_id


def test_copies_are_found_and_other_takes_are_not(shelf: Any, encoder: PictureEncoder) -> None:
    true: set[frozenset[AssetId]] = set()
    for n, image in enumerate(originals()):
        first = look_at(shelf, encoder, f"{n}.jpg", image, 92)
        same = [
            look_at(shelf, encoder, f"{n} recompressed.jpg", image, 60),
            look_at(shelf, encoder, f"{n} resized.jpg", resized(image), 78),
            look_at(shelf, encoder, f"{n} cropped.jpg", cropped(image), 78),
        ]
        look_at(shelf, encoder, f"{n} next take.jpg", next_take(image), 92)
        true |= {frozenset((first, other)) for other in same}
        true |= {frozenset((one, other)) for one in same for other in same if one != other}
    grouped: dict[int, list[AssetId]] = {}
    rows = shelf.catalog.connection().execute("SELECT asset_id, group_id FROM duplicate")
    for asset_id, group in rows:
        grouped.setdefault(group, []).append(asset_id)
    found = {frozenset((a, b)) for m in grouped.values() for a in m for b in m if a < b}
    precision, recall = len(found & true) / len(found), len(found & true) / len(true)
    print(f"precision {precision:.3f} recall {recall:.3f} of {len(true)} pairs")
    assert precision >= 0.99
    assert recall >= 0.75
