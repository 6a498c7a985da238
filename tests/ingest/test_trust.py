"""What a worker says is checked for sense."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from havenfs.entities import (
    DateSource,
    Embedding,
    Face,
    Faces,
    Findings,
    Identity,
    Kind,
    Metadata,
    ModelId,
    Preview,
    Region,
    Stage,
    Taken,
    Text,
    TextOrigin,
)
from havenfs.errors import Unreadable
from havenfs.ingest import trust

ALL = frozenset(Stage)
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 "
UNIT = np.eye(1, 4, dtype="<f4").tobytes()
PREVIEW = Preview(
    width=4,
    height=3,
    small=WEBP,
    large=WEBP,
    thumbhash=b"t",
    phash=1,
    inner=1,
    grid=bytes(256),
    text_likeness=0.5,
)
EMBEDDING = Embedding(model=ModelId("m@1"), vector=UNIT)
GOOD = Findings(
    metadata=Metadata(latitude=1.0, longitude=2.0),
    preview=PREVIEW,
    embeddings=(EMBEDDING,),
    text=Text(origin=TextOrigin.OCR, body="x"),
)


FACE = Face(
    region=Region(0, 0.1, 0.2, 0.3, 0.5),
    points=(0.2,) * 10,
    score=0.9,
    size=80,
    sharpness=0.5,
    frontal=1.0,
    vector=UNIT,
)


def seen(*found: Face) -> Findings:
    return Findings(faces=Faces(model=ModelId("f@1"), found=found))


def test_honest_faces_pass_and_none_are_an_answer_too() -> None:
    for answer in (seen(), seen(FACE, FACE)):
        assert trust.findings(answer, ALL, dimension=None, face_dimension=4) is answer


@pytest.mark.parametrize(
    "lie",
    [
        replace(FACE, vector=UNIT[:12]),
        replace(FACE, vector=bytes(16)),
        replace(FACE, region=Region(0, 0.3, 0.2, 0.1, 0.5)),
        replace(FACE, region=Region(0, 0.1, 0.2, 1.5, 0.5)),
        replace(FACE, region=Region(-1, 0.1, 0.2, 0.3, 0.5)),
        replace(FACE, region=Region(0, float("nan"), 0.2, 0.3, 0.5)),
        replace(FACE, points=(0.2,) * 9),
        replace(FACE, points=(float("inf"),) * 10),
        replace(FACE, score=1.5),
        replace(FACE, sharpness=float("nan")),
        replace(FACE, size=-1),
    ],
)
def test_faces_that_cannot_be_are_refused(lie: Face) -> None:
    with pytest.raises(Unreadable, match="makes no sense"):
        trust.findings(seen(FACE, lie), ALL, dimension=None, face_dimension=4)


def test_faces_that_nobody_asked_for_or_too_many_are_refused() -> None:
    for answer, stages, length in (
        (seen(FACE), ALL - {Stage.FACES}, 4),
        (seen(FACE), ALL, None),
        (seen(*[FACE] * 1025), ALL, 4),
    ):
        with pytest.raises(Unreadable, match="makes no sense"):
            trust.findings(answer, stages, dimension=None, face_dimension=length)


def test_an_honest_answer_passes_unchanged() -> None:
    assert trust.findings(GOOD, ALL, dimension=4) is GOOD


@pytest.mark.parametrize(
    "lie",
    [
        replace(GOOD, metadata=Metadata(latitude=91.0)),
        replace(GOOD, metadata=Metadata(latitude=float("nan"))),
        replace(GOOD, metadata=Metadata(rating=6)),
        replace(GOOD, metadata=Metadata(camera="x" * 5000)),
        replace(
            GOOD, metadata=Metadata(taken=Taken(local=1 << 60, offset=None, source=DateSource.EXIF))
        ),
        replace(GOOD, preview=replace(PREVIEW, small=b"<html>")),
        replace(GOOD, preview=replace(PREVIEW, large=WEBP + bytes(5 << 20))),
        replace(GOOD, preview=replace(PREVIEW, phash=1 << 63)),
        replace(GOOD, preview=replace(PREVIEW, width=0)),
        replace(GOOD, embeddings=(replace(EMBEDDING, vector=UNIT[:12]),)),
        replace(GOOD, embeddings=(replace(EMBEDDING, vector=np.full(4, np.nan, "<f4").tobytes()),)),
        replace(GOOD, embeddings=(EMBEDDING, EMBEDDING)),
        replace(GOOD, text=Text(origin=TextOrigin.OCR, body="x" * (5 << 20))),
        replace(GOOD, failed={Stage.TEXT: ""}),
    ],
)
def test_nonsense_is_refused(lie: Findings) -> None:
    with pytest.raises(Unreadable, match="makes no sense"):
        trust.findings(lie, ALL, dimension=4)


def test_an_answer_about_what_was_not_asked_is_refused() -> None:
    with pytest.raises(Unreadable):
        trust.findings(GOOD, ALL - {Stage.PREVIEW}, dimension=4)
    with pytest.raises(Unreadable):
        trust.findings(Findings(failed={Stage.TEXT: "no"}), frozenset([Stage.PREVIEW]), dimension=4)


@pytest.mark.parametrize(
    "lie",
    [
        Identity(hash=b"short", size=1, mime="image/jpeg", kind=Kind.PHOTO),
        Identity(hash=bytes(32), size=0, mime="image/jpeg", kind=Kind.PHOTO),
        Identity(hash=bytes(32), size=1, mime="a\nb", kind=None),
    ],
)
def test_an_impossible_identity_is_refused(lie: Identity) -> None:
    with pytest.raises(Unreadable):
        trust.identity(lie)


def test_a_size_that_only_a_damaged_header_says_harms_nothing_else() -> None:
    found = replace(GOOD, metadata=Metadata(width=160, height=1_048_696))
    assert trust.findings(found, ALL, dimension=4) is found


def ocr(body: str, boxes: int, origin: TextOrigin = TextOrigin.OCR) -> Findings:
    return Findings(text=Text(origin=origin, body=body, boxes=bytes(9 * boxes)))


def test_places_of_all_words_or_of_the_first_page_s_are_honest() -> None:
    for found in (
        ocr("a b\n\nc", 3),
        ocr("a b\n\nc", 2),
        ocr("a\nb\n\nc\n\nd e", 3),
        ocr("a b", 0),
    ):
        assert trust.findings(found, ALL, dimension=4) is found


@pytest.mark.parametrize(
    "lie",
    [
        ocr("a b\n\nc", 4),
        ocr("a b\n\nc", 1),
        ocr("", 1),
        ocr("a b", 2, TextOrigin.DOCUMENT),
        Findings(text=Text(origin=TextOrigin.OCR, body="a", boxes=bytes(10))),
    ],
)
def test_places_of_words_that_are_not_there_are_refused(lie: Findings) -> None:
    with pytest.raises(Unreadable, match="makes no sense"):
        trust.findings(lie, ALL, dimension=4)
