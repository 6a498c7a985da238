"""Papers: real readers find the words and dates in what we write by hand."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pypdfium2

from havenfs.sample import documents, fonts, prints

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from havenfs.sample.truth import Truth

CREATED = datetime(2019, 3, 4, 5, 6, 7)  # noqa: DTZ001 - UTC by definition of the field


def test_a_pdf_has_a_text_layer_and_a_date() -> None:
    with pypdfium2.PdfDocument(
        documents.text_pdf("Title (1)", ("First \\ line", "Zürich costs 5 €"), CREATED)
    ) as pdf:
        page = pdf[0].get_textpage()
        words = page.get_text_range()
        assert pdf.get_metadata_value("CreationDate") == "D:20190304050607+00'00'"
        page.close()
    assert "Title (1)" in words
    assert "First \\ line" in words
    assert "Zürich costs 5 €" in words


def test_a_word_document_is_valid_xml_with_its_paragraphs() -> None:
    with zipfile.ZipFile(io.BytesIO(documents.docx("A & B", ("x < y",), CREATED))) as archive:
        assert archive.testzip() is None
        parts = {name: ET.fromstring(archive.read(name)) for name in archive.namelist()}
    assert "".join(parts["word/document.xml"].itertext()) == "A & Bx < y"
    assert "2019-03-04T05:06:07Z" in "".join(parts["docProps/core.xml"].itertext())


def test_the_words_of_the_truth_stand_in_the_documents(drawn: Truth, directory: Path) -> None:
    papers = [
        (path, known.text)
        for path, known in drawn.assets.items()
        if known.kind == "document" and path not in drawn.hard
    ]
    assert len(papers) == 12
    for path, text in papers:
        assert text
        if path.endswith(".pdf") and not path.startswith("Scans"):
            with pypdfium2.PdfDocument(directory / path) as pdf:
                page = pdf[0].get_textpage()
                assert text.splitlines()[0] in page.get_text_range()
                page.close()
        elif path.endswith((".txt", ".md")):
            assert (directory / path).read_text("utf-8").strip() == text.strip()


def test_a_machine_without_fonts_still_draws_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(use: str) -> tuple[Path, ...]:
        return ()

    monkeypatch.setattr(fonts, "available", nothing)
    fonts.font.cache_clear()
    image = prints.draw(
        prints.Print(form="letter", lines=("Hello",)), 300, 400, np.random.default_rng(1)
    )
    fonts.font.cache_clear()
    assert np.asarray(image.convert("L")).min() < 110
