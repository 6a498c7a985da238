"""The look for print and the reading of it, on real photographs and drawn text, with the real tesseract."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from havenfs.entities import TextOrigin
from havenfs.errors import ModelError, Unreadable
from havenfs.extract import ocr
from havenfs.settings import LANGUAGES_ENV

PHOTOS = Path(skimage.__file__).parent / "data"
WITHOUT_TEXT = ("chelsea", "brick", "grass", "gravel", "horse", "clock_motion", "coffee")


def photo(name: str) -> Image.Image:
    image = Image.open(PHOTOS / f"{name}.png").convert("RGB")
    scale = 1440 / max(image.size)
    return image.resize(
        (round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC
    )


def page(lines: list[str], size: int = 28, ink: int = 20, paper: int = 255) -> Image.Image:
    image = Image.new("L", (1018, 1440), paper)
    draw = ImageDraw.Draw(image)
    for index, line in enumerate(lines):
        draw.text(
            (80, 80 + index * size * 1.7), line, fill=ink, font=ImageFont.load_default(size=size)
        )
    return image.convert("RGB")


def sign(size: int) -> Image.Image:
    image = photo("coffee")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=size)
    left, top, right, bottom = draw.textbbox((120, 300), "WELCOME HOME 1987", font=font)
    draw.rectangle((left - size, top - size, right + size, bottom + size), fill=(250, 250, 240))
    draw.text((120, 300), "WELCOME HOME 1987", fill=(10, 10, 60), font=font)
    return image.filter(ImageFilter.GaussianBlur(0.8))


@pytest.mark.parametrize("name", WITHOUT_TEXT)
def test_photographs_without_text_are_not_worth_reading(name: str):
    assert ocr.likeness(photo(name)) < ocr.GATE


@pytest.mark.parametrize("seed", [1, 2])
def test_noise_gradients_and_stripes_are_not_worth_reading(seed: int):
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (1080, 1440, 3), np.uint8)
    gradient = np.broadcast_to(np.linspace(0, 255, 1440, dtype=np.uint8), (1080, 1440))
    stripes = np.broadcast_to(
        (np.arange(1440) // (10 * seed) % 2 * 255).astype(np.uint8), (1080, 1440)
    )
    for pixels in (noise, gradient, stripes):
        assert ocr.likeness(Image.fromarray(np.ascontiguousarray(pixels))) < ocr.GATE


@pytest.mark.parametrize(("ink", "paper"), [(20, 255), (220, 30), (110, 190)])
def test_pages_are_full_of_print_whatever_their_colours(ink: int, paper: int):
    lines = ["the quick brown fox jumps over the lazy dog near the river"] * 25
    assert ocr.likeness(page(lines, ink=ink, paper=paper)) > 0.3


@pytest.mark.parametrize("size", [24, 40, 64, 100])
def test_one_line_on_a_photograph_is_worth_reading(size: int):
    assert ocr.likeness(sign(size)) >= ocr.GATE


@pytest.mark.parametrize("size", [(1, 1), (20, 3000), (33, 33), (100, 40)])
def test_pictures_of_any_size_can_be_looked_at(size: tuple[int, int]):
    assert ocr.likeness(Image.new("RGB", size, "white")) == 0


def test_looking_takes_milliseconds():
    image = photo("astronaut")
    times: list[float] = []
    for _ in range(9):
        start = time.perf_counter()
        ocr.likeness(image)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.02  # 3 ms measured; reading takes 200 at least


def test_a_receipt_is_read_line_by_line():
    text = ocr.read(
        page(["Bakery Muster", "Bread 4.80", "Butter 3.20", "Total 8.00", "Thank you"], size=36)
    )
    assert text is not None
    assert text.origin is TextOrigin.OCR
    assert [line for line in text.body.splitlines() if line] == [
        "Bakery Muster",
        "Bread 4.80",
        "Butter 3.20",
        "Total 8.00",
        "Thank you",
    ]


def test_a_small_picture_of_text_is_read():
    small = Image.new("RGB", (300, 90), "white")
    ImageDraw.Draw(small).text(
        (12, 30), "Gate B42 boarding", fill="black", font=ImageFont.load_default(size=20)
    )
    text = ocr.read(small)
    assert text is not None
    assert "boarding" in text.body


@pytest.mark.parametrize("size", [40, 64, 100])
def test_a_sign_on_a_photograph_is_read(size: int):
    text = ocr.read(sign(size))
    assert text is not None
    assert {"WELCOME", "HOME", "1987"} & set(text.body.split())


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_page_is_read_whichever_way_it_lies(turned: int):
    lines = ["Bakery Muster", "Bread and butter 4.80", "Thank you for coming"] * 5
    upright = ocr.read(page(lines, size=32))
    lying = page(lines, size=32).rotate(turned, expand=True)
    text = ocr.read(lying)
    assert text is not None
    assert upright is not None
    assert text.body == upright.body
    left, top, across, down, _ = next(ocr.BOX.iter_unpack(text.boxes))
    word = lying.crop(
        (
            left * lying.width // 65535 - 4,
            top * lying.height // 65535 - 4,
            (left + across) * lying.width // 65535 + 4,
            (top + down) * lying.height // 65535 + 4,
        )
    ).rotate(-turned, expand=True)
    assert word.width > 2 * word.height
    around = Image.new("RGB", (400, 200), "white")
    around.paste(word, (100, 80))
    found = ocr.read(around)
    assert found is not None
    assert found.body == "Bakery"


def test_languages_are_those_that_the_owner_names(monkeypatch: pytest.MonkeyPatch):
    ocr._languages.cache_clear()
    assert "osd" not in ocr._languages()
    assert "eng" in ocr._languages()
    ocr._languages.cache_clear()
    monkeypatch.setenv(LANGUAGES_ENV, "eng+tlh")
    with pytest.raises(
        ModelError, match="no data for tlh: install the Debian packages tesseract-ocr-tlh"
    ):
        ocr.read(page(["x"]))
    monkeypatch.setenv(LANGUAGES_ENV, "eng")
    assert ocr._languages() == ("eng",)
    ocr._languages.cache_clear()


@pytest.mark.parametrize("name", ["astronaut", "coins"])
def test_a_photograph_without_text_gives_none_even_when_it_is_read(name: str):
    assert ocr.read(photo(name)) is None


def test_tesseract_runs_on_one_thread(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    real = shutil.which("tesseract")
    spy = tmp_path / "tesseract"
    spy.write_text(f'#!/bin/sh\necho "$OMP_THREAD_LIMIT" > "{tmp_path}/limit"\nexec {real} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert ocr.read(page(["Some words to read"], size=40)) is not None
    assert (tmp_path / "limit").read_text().strip() == "1"


def test_reading_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    slow = tmp_path / "tesseract"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    assert ocr._languages()  # known before the slow one takes its place
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(ocr, "TIMEOUT_S", 1)
    monkeypatch.setattr(ocr, "MOST_PATIENCE", 1.0)  # this machine may be a busy one
    start = time.monotonic()
    with pytest.raises(Unreadable, match="reading the text took longer than 1 s"):
        ocr.read(page(["x"]))
    assert time.monotonic() - start < 10


def test_a_missing_tesseract_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    ocr._languages.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelError, match="tesseract-ocr-eng"):
        ocr.read(page(["x"]))
