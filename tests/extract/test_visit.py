"""One visit: what each stage brings back for photos, videos, documents and bad files."""

from __future__ import annotations

import io
import os
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np
import pytest
import reportlab.pdfgen.canvas as reportlab
import skimage
import sklearn
from PIL import Image, ImageDraw, ImageFont

from havenfs.entities import Findings, Kind, ModelId, Region, Stage
from havenfs.errors import SourceGone
from havenfs.extract import visit as visiting
from havenfs.extract.faces import FaceFinder
from havenfs.extract.identify import identify
from havenfs.extract.visit import Visit, visit
from havenfs.models import registry
from havenfs.models.manifest import ModelKind
from havenfs.sample.portraits import PEOPLE, draw_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from havenfs.extract.clip import PictureEncoder
    from havenfs.extract.decode import Picture

ALL = frozenset(Stage)


class MeanColour:
    """An encoder with three dimensions: the mean colour, as a unit vector."""

    model = ModelId("mean-colour@000000000000")

    def encode(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        rows = np.array(
            [np.asarray(image, np.float32).mean((0, 1)) + 1 for image in images], np.float32
        )
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


ENCODER = cast("PictureEncoder", MeanColour())


@lru_cache
def finder() -> FaceFinder:
    """The built-in one, loaded once."""
    return FaceFinder(registry.builtin(ModelKind.FACES), threads=1)


def go(
    path: Path, stages: frozenset[Stage] = ALL, large: bytes | None = None, *, blind: bool = False
) -> Findings:
    name = os.fsencode(path)
    found = identify(name)
    assert found.kind is not None
    request = Visit(
        path=name,
        relative=os.fsencode(path.name),
        kind=found.kind,
        mime=found.mime,
        mtime_ns=10**18,
        stages=stages,
        large=large,
    )
    return visit(request, None if blind else ENCODER, None if blind else finder())


def blue(path: Path) -> Path:
    Image.new("RGB", (2000, 1500), (20, 30, 200)).save(path)
    return path


def shipped() -> list[Path]:
    """The photographs inside the wheels of scikit-image and scikit-learn."""
    folders = [
        Path(skimage.__file__).parent / "data",
        Path(sklearn.__file__).parent / "datasets" / "images",
    ]
    strange = {"multipage_rgb.tif"}  # in planes, which Pillow does not know
    endings = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".gif"}
    return sorted(
        path
        for folder in folders
        for path in folder.iterdir()
        if path.suffix.lower() in endings and path.name not in strange
    )


def test_a_photo_is_decoded_once_for_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decodes: list[bytes] = []
    decode = visiting.decode

    def counting(path: bytes, mime: str, *, partial: bool = False) -> Picture:
        decodes.append(path)
        return decode(path, mime, partial=partial)

    monkeypatch.setattr(visiting, "decode", counting)
    found = go(blue(tmp_path / "a.jpg"))
    assert len(decodes) == 1
    assert found.failed == {}
    assert found.metadata is not None
    assert (found.metadata.width, found.metadata.height) == (2000, 1500)
    assert found.preview is not None
    assert (found.preview.width, found.preview.height) == (2000, 1500)
    assert len(found.embeddings) == 1
    vector = np.frombuffer(found.embeddings[0].vector, "<f4")
    assert vector.argmax() == 2
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)
    assert found.embeddings[0].model == ENCODER.model
    assert found.skipped == {Stage.TEXT: "no text in the picture"}


def test_a_stored_preview_spares_the_second_decode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = blue(tmp_path / "a.jpg")
    first = go(path, frozenset({Stage.PREVIEW}))
    assert first.preview is not None
    assert (first.metadata, first.embeddings, first.skipped) == (None, (), {})
    monkeypatch.setattr(visiting, "decode", pytest.fail)
    found = go(path, frozenset({Stage.EMBED, Stage.TEXT}), first.preview.large)
    assert len(found.embeddings) == 1
    assert found.preview is None
    assert found.skipped == {Stage.TEXT: "no text in the picture"}


def test_without_a_stored_preview_the_original_is_decoded(tmp_path: Path) -> None:
    assert len(go(blue(tmp_path / "a.jpg"), frozenset({Stage.EMBED})).embeddings) == 1
    assert (
        "damaged"
        in go(blue(tmp_path / "a.jpg"), frozenset({Stage.EMBED}), b"junk").failed[Stage.EMBED]
    )


def test_faces_are_found_in_the_decoded_picture_and_in_the_stored_one_alike(tmp_path: Path) -> None:
    image = Image.new("RGB", (1200, 900), (60, 120, 60))
    rng = np.random.default_rng(1)
    drawn = [
        draw_person(image, person, (80 + 560 * place, 300, 600 + 560 * place, 900), 35, rng)
        for place, person in enumerate(PEOPLE[:2])
    ]
    image.save(tmp_path / "a.png")
    found = go(tmp_path / "a.png")
    assert found.faces is not None
    assert found.faces.model == registry.builtin(ModelKind.FACES).id
    whole = np.array([1200, 900] * 2)
    for face, truth in zip(
        sorted(found.faces.found, key=lambda face: face.region.left), drawn, strict=True
    ):
        place = Region(0, *(np.array(truth.box) / whole).tolist())
        assert face.region.overlap(place) > 0.5
        assert face.size > 150
    assert found.preview is not None
    again = go(tmp_path / "a.png", frozenset({Stage.FACES}), found.preview.large)
    assert again.faces is not None
    assert len(again.faces.found) == 2


def test_a_picture_without_faces_was_looked_at_all_the_same(tmp_path: Path) -> None:
    found = go(blue(tmp_path / "a.jpg"), frozenset({Stage.FACES}))
    assert found.faces is not None
    assert found.faces.found == ()
    assert found.skipped == {}


def test_without_a_model_embedding_is_skipped(tmp_path: Path) -> None:
    found = go(blue(tmp_path / "a.jpg"), blind=True)
    assert found.skipped[Stage.EMBED] == "no model for pictures"
    assert found.skipped[Stage.FACES] == "no model for faces"
    assert found.preview is not None


def test_print_on_a_picture_is_read(tmp_path: Path) -> None:
    page = Image.new("RGB", (1200, 1500), "white")
    font = ImageFont.load_default(40)
    for line in range(20):
        ImageDraw.Draw(page).text(
            (80, 80 + 60 * line), "Invoice number 1987 for the family holiday", "black", font
        )
    page.save(tmp_path / "a.png")
    found = go(tmp_path / "a.png")
    assert found.failed == {}
    assert found.text is not None
    assert "Invoice" in found.text.body
    assert found.preview is not None
    again = go(tmp_path / "a.png", frozenset({Stage.TEXT}), found.preview.large)
    assert again.text is not None
    assert "holiday" in again.text.body


def test_a_bad_photo_fails_each_stage_with_the_reason_and_keeps_its_facts(tmp_path: Path) -> None:
    path = tmp_path / "IMG_20190714_101500.png"
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (600, 800, 3), np.uint8))
    noise.save(path)
    path.write_bytes(path.read_bytes()[:100_000])
    found = go(path)
    assert set(found.failed) == {Stage.PREVIEW, Stage.EMBED, Stage.FACES, Stage.TEXT}
    assert all(
        reason.startswith("the file is cut off after about") for reason in found.failed.values()
    )
    assert found.metadata is not None
    assert found.metadata.taken is not None
    assert (found.preview, found.embeddings, found.text) == (None, (), None)


def test_what_there_is_of_half_a_photo_is_shown_and_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.effect_noise((900, 600), 90).convert("RGB").save(path, quality=90)
    body = path.read_bytes()
    path.write_bytes(body[: len(body) // 2])
    found = go(path)
    assert found.preview is not None
    assert 40 <= (found.preview.cut or 0) <= 60
    assert found.failed.keys() == {Stage.EMBED, Stage.FACES, Stage.TEXT}
    assert "cut off after about" in found.failed[Stage.EMBED]
    path.write_bytes(body[:-2])
    found = go(path)
    assert (found.preview and found.preview.cut, bool(found.embeddings)) == (100, True)
    assert not found.failed


def test_a_file_that_vanished_is_nobodys_fault(tmp_path: Path) -> None:
    for kind, mime in (
        (Kind.PHOTO, "image/jpeg"),
        (Kind.VIDEO, "video/mp4"),
        (Kind.DOCUMENT, "application/pdf"),
    ):
        for stage in Stage:
            if stage is Stage.TAGS or (kind, stage) in {
                (Kind.VIDEO, Stage.TEXT),
                (Kind.DOCUMENT, Stage.FACES),
            }:
                continue  # nothing is opened for it
            request = Visit(
                path=os.fsencode(tmp_path / "a"),
                relative=b"a",
                kind=kind,
                mime=mime,
                mtime_ns=0,
                stages=frozenset({stage}),
            )
            with pytest.raises(SourceGone):
                visit(request, ENCODER, finder())


def test_a_video_has_a_poster_and_several_embeddings(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(40):
            pixels = np.full((120, 160, 3), (index * 6, 40, 250 - index * 6), np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    found = go(tmp_path / "a.mp4")
    assert found.failed == {}
    assert found.preview is not None
    assert (found.preview.width, found.preview.height) == (160, 120)
    assert found.metadata is not None
    assert found.metadata.duration_ms == 4000
    assert len({embedding.frame_ms for embedding in found.embeddings}) == 8
    assert found.preview.strip is not None
    assert found.skipped == {Stage.TEXT: "videos are not read"}
    again = go(tmp_path / "a.mp4", frozenset({Stage.EMBED}), found.preview.large)
    assert {e.frame_ms for e in again.embeddings} == {e.frame_ms for e in found.embeddings}
    assert go(tmp_path / "a.mp4", frozenset({Stage.TEXT})).skipped == {
        Stage.TEXT: "videos are not read"
    }


def pdf(path: Path, text: str) -> Path:
    canvas = reportlab.Canvas(str(path), pagesize=(400, 600))
    canvas.setFont("Helvetica", 20)
    canvas.drawString(50, 500, text)
    canvas.save()
    return path


def test_a_pdf_shows_its_first_page_and_its_text(tmp_path: Path) -> None:
    found = go(pdf(tmp_path / "a.pdf", "Rental agreement for the cottage"))
    assert found.failed == {}
    assert set(found.skipped) == {Stage.FACES}
    assert found.preview is not None
    assert Image.open(io.BytesIO(found.preview.large)).size == (960, 1440)
    assert found.text is not None
    assert "cottage" in found.text.body
    assert len(found.embeddings) == 1


def test_a_document_of_words_is_drawn_for_the_eye_and_read_but_not_looked_at(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.txt").write_text("Dear diary, today we saw the Colosseum.")
    found = go(tmp_path / "a.txt")
    assert found.failed == {}
    assert set(found.skipped) == {Stage.EMBED, Stage.FACES}
    assert found.preview is not None
    assert found.text is not None
    assert "Colosseum" in found.text.body
    again = go(tmp_path / "a.txt", frozenset({Stage.EMBED}), found.preview.large)
    assert set(again.skipped) == {Stage.EMBED}
    (tmp_path / "b.txt").write_text(" \n ")
    assert set(go(tmp_path / "b.txt").skipped) == {
        Stage.PREVIEW,
        Stage.EMBED,
        Stage.FACES,
        Stage.TEXT,
    }


def test_damaged_documents_fail_with_a_reason(tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", "x")
    path.write_bytes(path.read_bytes()[:60])
    found = go(path)
    assert {Stage.PREVIEW, Stage.EMBED} <= set(found.failed)
    assert Stage.TEXT in {*found.failed, *found.skipped}
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr("word/document.xml", "<broken")
    found = go(tmp_path / "a.docx", frozenset({Stage.TEXT}))
    assert Stage.TEXT in {*found.failed, *found.skipped}


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.name)
def test_photographs_as_people_have_them(path: Path) -> None:
    found = go(path, ALL - {Stage.TEXT})
    assert found.failed == {}
    assert found.preview is not None
    assert found.metadata is not None
    assert (found.metadata.width, found.metadata.height) == (
        found.preview.width,
        found.preview.height,
    )
    assert len(found.embeddings) == 1
    assert found.metadata.taken is not None


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_damaged_parts_of_an_office_file_are_no_crash_however_they_are_packed(
    tmp_path: Path, method: int
) -> None:
    parts = ("docProps/thumbnail.png", "docProps/core.xml", "word/document.xml")
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in parts:
            archive.writestr(name, f"<x>{name * 50}</x>")
        starts = [archive.getinfo(name).header_offset + 30 + len(name) for name in parts]
    whole = path.read_bytes()
    for at in range(1, 24):
        content = bytearray(whole)
        for start in starts:
            content[start + at] ^= 0xFF
        path.write_bytes(content)
        found = go(path)
        assert found.metadata is not None
        assert Stage.TEXT in {*found.failed, *found.skipped} or found.text is not None
