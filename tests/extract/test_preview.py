"""Thumbnails, placeholders and perceptual hashes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter
from skimage import data

from havenfs.errors import Unreadable
from havenfs.extract import thumbhash
from havenfs.extract.decode import finish
from havenfs.extract.phash import distance, phash
from havenfs.extract.preview import preview, reopened

PHOTOS = {
    name: Image.fromarray(getattr(data, name)()).convert("RGB")
    for name in ("astronaut", "chelsea", "coffee", "camera", "coins", "rocket")
}


@pytest.mark.parametrize("name", PHOTOS)
def test_a_preview_has_two_sizes_and_keeps_the_ratio(name: str) -> None:
    photo = PHOTOS[name].resize((1400, 1400 * PHOTOS[name].height // PHOTOS[name].width))
    made = preview(finish(photo, 4 * photo.width, 4 * photo.height))
    small, large = Image.open(io.BytesIO(made.small)), Image.open(io.BytesIO(made.large))
    assert (small.format, large.format) == ("WEBP", "WEBP")
    assert max(small.size) == 256
    assert large.size == photo.size
    assert abs(small.width / small.height - photo.width / photo.height) < 0.02
    assert (made.width, made.height) == (4 * photo.width, 4 * photo.height)
    assert len(made.small) < 30_000
    assert 20 <= len(made.thumbhash) <= 25
    assert 0.0 <= made.text_likeness <= 1.0
    assert -(2**63) <= made.phash < 2**63


def test_a_tiny_picture_stays_tiny() -> None:
    made = preview(finish(Image.new("RGB", (3, 1), (9, 9, 9)), 3, 1))
    assert Image.open(io.BytesIO(made.large)).size == (3, 1)
    assert Image.open(io.BytesIO(made.small)).size == (3, 1)


def test_a_stored_preview_is_reopened_and_anything_else_refused() -> None:
    made = preview(finish(PHOTOS["coffee"], 600, 400))
    assert reopened(made.large).size == PHOTOS["coffee"].size
    for body in (b"", b"nonsense", made.large[:200]):
        with pytest.raises(Unreadable):
            reopened(body)


@pytest.mark.parametrize("name", PHOTOS)
def test_a_thumbhash_looks_like_the_picture_from_afar(name: str) -> None:
    photo = PHOTOS[name]
    blurred = thumbhash.decode(thumbhash.encode(photo))
    wanted = np.asarray(
        photo.resize(blurred.size, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(2)),
        np.float64,
    )
    found = np.asarray(blurred, np.float64)
    assert np.abs(found - wanted).mean() < 26
    assert np.abs(found.mean((0, 1)) - wanted.mean((0, 1))).max() < 12
    assert abs(blurred.width / blurred.height - photo.width / photo.height) < 0.25
    assert np.corrcoef(found.mean(-1).ravel(), wanted.mean(-1).ravel())[0, 1] > 0.8


def test_the_thumbhash_of_a_plain_colour_is_that_colour() -> None:
    for colour in ((255, 0, 0), (0, 128, 0), (10, 20, 200), (255, 255, 255), (0, 0, 0)):
        for size in ((100, 100), (300, 100), (100, 300)):
            found = np.asarray(
                thumbhash.decode(thumbhash.encode(Image.new("RGB", size, colour))), np.float64
            )
            assert np.abs(found - colour).max() < 14, (colour, size)


@pytest.mark.parametrize("name", PHOTOS)
def test_near_duplicates_have_near_hashes(name: str) -> None:
    photo = PHOTOS[name]
    own = phash(photo)
    packed = io.BytesIO()
    photo.save(packed, "JPEG", quality=30)
    for other in (
        photo.resize((photo.width // 2, photo.height // 2)),
        Image.open(packed).convert("RGB"),
        ImageEnhance.Brightness(photo).enhance(1.15),
        photo.filter(ImageFilter.GaussianBlur(1)),
    ):
        assert distance(own, phash(other)) <= 8


def test_different_pictures_have_distant_hashes() -> None:
    hashes = {name: phash(photo) for name, photo in PHOTOS.items()}
    for one in hashes:
        for other in hashes:
            assert (one == other) or distance(hashes[one], hashes[other]) > 14
