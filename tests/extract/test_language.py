"""The language of a text, and the places of its words on a picture."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFont

from havenfs.extract import language, ocr


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sehr geehrte Damen und Herren, anbei die Rechnung über die gelieferte Ware", "de"),
        ("Total amount due 12.50 EUR, thank you for shopping with us today", "en"),
        ("Chère Madame, veuillez trouver ci-joint la facture du mois de mars", "fr"),
        ("Gentile cliente, la ringraziamo per il suo acquisto presso il nostro negozio", "it"),
        ("ESPRESSO 2.20", None),
        ("qwzrtk 12 334 hunfz", None),
        ("", None),
    ],
)
def test_a_language_is_told_from_a_sentence_and_not_from_a_word(
    text: str, code: str | None
) -> None:
    assert language.detect(text) == code


def test_each_word_has_its_place_on_the_picture() -> None:
    image = Image.new("RGB", (1200, 600), "white")
    font = ImageFont.truetype("DejaVuSans.ttf", 48)
    draw = ImageDraw.Draw(image)
    draw.text((60, 60), "Invoice for the month of March", "black", font)
    draw.text((60, 420), "Total amount payable", "black", font)
    found = ocr.read(image)
    assert found is not None
    words = found.body.split()
    places = dict(zip(words, ocr.BOX.iter_unpack(found.boxes), strict=True))
    left, top, width, height, percent = places["Total"]
    assert abs(left / 65535 * 1200 - 60) < 12
    assert abs(top / 65535 * 600 - 430) < 15
    assert 100 < width / 65535 * 1200 < 160
    assert 25 < height / 65535 * 600 < 60
    assert percent >= ocr.CONFIDENCE
    assert places["Invoice"][1] < top
