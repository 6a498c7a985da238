"""Languages, keywords and places of words."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from havenfs.catalog import filters, readings, words
from havenfs.entities import AssetId, Text, TextOrigin
from havenfs.query import Field, parse

if TYPE_CHECKING:
    import apsw


def read(
    shelf: Any, name: str, body: str, *, language: str | None = None, boxes: bytes = b""
) -> AssetId:
    asset_id = shelf.add(name)

    def put(db: apsw.Connection) -> None:
        words.put(db, asset_id, ocr=body)
        text = Text(origin=TextOrigin.OCR, body=body, language=language, boxes=boxes)
        readings.put(db, asset_id, text)

    shelf.catalog.write(put)
    return asset_id


def search(shelf: Any, text: str) -> list[AssetId]:
    node = parse(text).where
    assert isinstance(node, Field)

    def run(db: apsw.Connection) -> list[AssetId]:
        return filters.find(db, filters.compile_field(db, node), limit=10, order="name")

    return shelf.catalog.read(run)


def test_texts_are_found_by_their_language(shelf: Any) -> None:
    german, unknown = read(shelf, "a.jpg", "Rechnung", language="de"), read(shelf, "b.jpg", "12.50")
    assert search(shelf, "lang=DE") == [german]
    assert search(shelf, "lang=none") == [unknown]
    assert search(shelf, "lang=any") == [german]


def test_the_words_that_match_are_marked_where_they_stand(shelf: Any) -> None:
    pack = struct.Struct("<4HB").pack
    boxes = pack(0, 0, 6553, 655, 95) + pack(32768, 0, 655, 655, 90) + pack(0, 32768, 6553, 655, 80)
    asset_id = read(shelf, "a.jpg", "Café total:\n\nCAFE", boxes=boxes)
    found = shelf.catalog.read(readings.marks, asset_id, ["cafe"])
    assert [(round(mark.left, 2), round(mark.top, 2)) for mark in found] == [(0.0, 0.0), (0.0, 0.5)]
    (total,) = shelf.catalog.read(readings.marks, asset_id, ["total"])
    assert (round(total.left, 2), round(total.width, 2)) == (0.5, 0.01)
    assert shelf.catalog.read(readings.marks, asset_id, ["tot", ""]) == []


def test_keywords_are_what_is_frequent_here_and_rare_elsewhere(shelf: Any) -> None:
    for n in range(30):
        read(shelf, f"{n}.jpg", "thank you for your visit, the total amount is due")
    asset_id = read(
        shelf,
        "x.jpg",
        "The total amount: Photovoltaic panels, thank you. Photovoltaic panels on the roof; roof and panels.",
    )
    found = shelf.catalog.read(readings.of_asset, asset_id).keywords
    assert found[:3] == ("panels", "Photovoltaic", "roof")
    assert not {"total", "thank", "amount"} & set(found[:3])


def test_a_text_that_is_gone_leaves_nothing(shelf: Any) -> None:
    asset_id = read(shelf, "a.jpg", "Rechnung", language="de")
    shelf.catalog.write(readings.put, asset_id, None)
    assert shelf.catalog.read(readings.of_asset, asset_id) is None
