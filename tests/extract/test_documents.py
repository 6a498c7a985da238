"""Documents of every sort that is read, honest and hostile, made here byte by byte."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from havenfs.entities import Findings, Stage, Text, TextOrigin
from havenfs.errors import ModelError, SourceGone, Unreadable
from havenfs.extract import documents, mail, ocr, office, plaintext
from havenfs.ingest import trust

if TYPE_CHECKING:
    from pathlib import Path

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
ODT = "application/vnd.oasis.opendocument.text"
EPUB = "application/epub+zip"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def read(directory: Path, content: bytes, mime: str) -> str | None:
    path = directory / "document"
    path.write_bytes(content)
    text = documents.read(os.fsencode(path), mime)
    if text is None:
        return None
    assert text.origin is TextOrigin.DOCUMENT
    return text.body


def archive(parts: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return buffer.getvalue()


def pdf(pages: list[str], trailer: str = "") -> bytes:
    """A PDF with one line of Helvetica per page."""
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for index, line in enumerate(pages):
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {5 + 2 * index} 0 R >>"
        )
        stream = f"BT /F1 14 Tf 72 720 Td ({line}) Tj ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    body = b"%PDF-1.4\n"
    offsets: list[int] = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n".encode()
    start = len(body)
    body += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    body += b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
    root = f"<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>"
    return body + f"trailer\n{root}\nstartxref\n{start}\n%%EOF\n".encode()


def test_the_text_layer_of_every_page_of_a_pdf_is_read(tmp_path: Path):
    body = read(
        tmp_path,
        pdf(["Rental agreement for the garden", "Signed in Winterthur"]),
        "application/pdf",
    )
    assert body == "Rental agreement for the garden\n\nSigned in Winterthur"


def test_a_pdf_with_a_password_says_so(tmp_path: Path):
    secret = "<" + "5a" * 32 + ">"
    locked = (
        f"/Encrypt << /Filter /Standard /V 1 /R 2 /O {secret} /U {secret} /P -44 >> /ID [<00> <00>]"
    )
    with pytest.raises(Unreadable, match="protected by a password"):
        read(tmp_path, pdf(["x"], locked), "application/pdf")


def test_a_damaged_pdf_says_so(tmp_path: Path):
    with pytest.raises(Unreadable, match="the PDF is damaged"):
        read(tmp_path, b"%PDF-1.7\n" + b"junk" * 100, "application/pdf")


def scan(*lines: str) -> Image.Image:
    """An A4 page of print, at 150 dpi."""
    page = Image.new("L", (1240, 1754), 255)
    draw = ImageDraw.Draw(page)
    for index, line in enumerate(lines):
        draw.text((120, 200 + 90 * index), line, fill=10, font=ImageFont.load_default(size=44))
    return page


def bound(*pages: str | Image.Image) -> bytes:
    """A PDF of typed lines and of scans."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(595, 842))
    for page in pages:
        if isinstance(page, str):
            canvas.drawString(72, 720, page)
        else:
            canvas.drawImage(ImageReader(page), 0, 0, 595, 842)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def text_of(directory: Path, content: bytes) -> Text:
    path = directory / "document"
    path.write_bytes(content)
    text = documents.read(os.fsencode(path), "application/pdf")
    assert text is not None
    trust.findings(Findings(text=text), frozenset([Stage.TEXT]), dimension=None)
    return text


INVOICE = ("Invoice number 4711", "Amount due 129.50", "Thank you for your order")


def test_a_scanned_pdf_is_read_like_a_picture(tmp_path: Path):
    page = scan(*INVOICE)
    page.save(tmp_path / "scan.pdf", resolution=150, save_all=True, append_images=[page])
    text = text_of(tmp_path, (tmp_path / "scan.pdf").read_bytes())
    assert text.origin is TextOrigin.OCR
    first, second = text.body.split("Invoice number 4711")[1:]
    assert "129.50" in first
    assert "129.50" in second
    boxes = list(ocr.BOX.iter_unpack(text.boxes))
    assert len(boxes) == len(first.split()) + 3, (
        "where the words of the first page stand, which is the one that is shown"
    )
    assert all(left < 0.6 * 65535 and top < 0.3 * 65535 for left, top, *_ in boxes)


def test_the_scanned_pages_of_a_pdf_with_a_typed_cover_are_read(tmp_path: Path):
    text = text_of(
        tmp_path,
        bound("The insurance of our house, collected in 2019", scan(*INVOICE), "Typed at the end"),
    )
    assert text.origin is TextOrigin.DOCUMENT
    assert text.boxes == b"", "the page that is shown has no words that were read off it"
    assert text.body.startswith("The insurance of our house, collected in 2019\n\nInvoice number")
    assert text.body.endswith("Typed at the end")


def test_a_scanned_cover_keeps_the_places_of_its_words_before_typed_pages(tmp_path: Path):
    text = text_of(tmp_path, bound(scan(*INVOICE), "A typed page with more than that"))
    assert text.origin is TextOrigin.OCR
    read, typed = text.body.split("A typed page")
    assert len(text.boxes) // ocr.BOX.size == len(read.split()) > 0
    assert typed


def test_a_page_that_cannot_be_read_takes_nothing_from_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fails(_: Image.Image) -> None:
        raise ModelError("tesseract is not installed")

    monkeypatch.setattr(ocr, "read", fails)
    text = text_of(tmp_path, bound("Rental agreement for the garden", scan(*INVOICE)))
    assert text.body == "Rental agreement for the garden"
    with pytest.raises(ModelError, match="tesseract"):
        text_of(tmp_path, bound(scan(*INVOICE), scan(*INVOICE)))


def test_few_words_of_a_page_outweigh_none_that_are_read_off_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def mistaken(_: Image.Image) -> Text:
        return Text(origin=TextOrigin.OCR, body="Annua1")

    monkeypatch.setattr(ocr, "GATE", 0.0)
    monkeypatch.setattr(ocr, "read", mistaken)
    assert text_of(tmp_path, bound("Annual report")).body == "Annual report"


def test_a_blank_pdf_has_no_text(tmp_path: Path):
    assert read(tmp_path, pdf([""]), "application/pdf") is None


def test_word_documents_keep_paragraphs_tabs_and_breaks_and_drop_what_is_not_shown(tmp_path: Path):
    document = (
        f'<w:document {W} xmlns:mc="m"><w:body>'
        "<w:p><w:r><w:t>Dear </w:t></w:r><w:r><w:t>Ms Äsch</w:t></w:r></w:p>"
        "<w:p><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t><w:br/><w:t>three</w:t></w:r></w:p>"
        '<w:p><w:r><w:instrText>HYPERLINK "secret"</w:instrText><w:t>a link</w:t><w:delText>gone</w:delText></w:r></w:p>'
        "<w:p><mc:Fallback><w:p><w:r><w:t>twice</w:t></w:r></w:p></mc:Fallback></w:p>"
        "</w:body></w:document>"
    )
    notes = f"<w:footnotes {W}><w:p><w:r><w:t>a footnote</w:t></w:r></w:p></w:footnotes>"
    content = archive({"word/footnotes.xml": notes, "word/document.xml": document})
    assert read(tmp_path, content, WORD) == "Dear Ms Äsch\none two\nthree\na link\n\na footnote"


def test_the_numbered_parts_that_web_programs_write_are_read(tmp_path: Path):
    document = f"<w:document {W}><w:p><w:t>{{}}</w:t></w:p></w:document>"
    content = archive(
        {
            "word/footnotes2.xml": document.format("a note"),
            "word/document2.xml": document.format("a letter"),
        }
    )
    assert read(tmp_path, content, WORD) == "a letter\na note"


def test_sheets_are_read_row_by_row_with_shared_and_own_strings_and_numbers(tmp_path: Path):
    content = archive(
        {
            "xl/workbook.xml": '<workbook><sheets><sheet name="Budget"/></sheets></workbook>',
            "xl/sharedStrings.xml": "<sst><si><t>Rent</t></si><si><r><t>Gro</t></r><r><t>ceries</t></r></si></sst>",
            "xl/worksheets/sheet10.xml": '<worksheet><row><c t="inlineStr"><is><t>tenth</t></is></c></row></worksheet>',
            "xl/worksheets/sheet2.xml": (
                '<worksheet><sheetData><row><c t="s"><v>0</v></c><c><v>1450.5</v></c></row>'
                '<row><c t="s"><v>1</v></c><c><f>SUM(A1)</f><v>600</v></c><c t="s"><v>99</v></c></row></sheetData></worksheet>'
            ),
        }
    )
    assert read(tmp_path, content, SHEET) == "Budget\nRent 1450.5\nGroceries 600\ntenth"


def test_slides_come_in_the_order_of_their_numbers(tmp_path: Path):
    slide = '<p:sld xmlns:p="p" xmlns:a="a"><a:p><a:r><a:t>{}</a:t></a:r></a:p></p:sld>'
    parts: dict[str, str | bytes] = {
        f"ppt/slides/slide{n}.xml": slide.format(f"slide {n}") for n in (10, 2, 1)
    }
    assert read(tmp_path, archive(parts), SLIDES) == "slide 1\nslide 2\nslide 10"


def test_open_documents_are_read_with_their_spaces(tmp_path: Path):
    content = (
        '<o:c xmlns:o="o" xmlns:text="t"><text:h>Travel plan</text:h>'
        "<text:p>from<text:s/>Bern<text:tab/>to <text:span>Rome</text:span> by train</text:p></o:c>"
    )
    assert (
        read(tmp_path, archive({"content.xml": content}), ODT)
        == "Travel plan\nfrom Bern to Rome by train"
    )


def test_an_open_document_with_a_password_says_so(tmp_path: Path):
    manifest = "<manifest><file-entry><encryption-data/></file-entry></manifest>"
    content = archive({"META-INF/manifest.xml": manifest, "content.xml": b"\x93\x01random"})
    with pytest.raises(Unreadable, match="protected by a password"):
        read(tmp_path, content, ODT)


def test_an_archive_whose_index_lies_before_its_beginning_is_damaged_in_words(tmp_path: Path):
    content = bytearray(archive({"word/document.xml": "<w/>"}))
    end = content.rindex(b"PK\5\6")
    content[end + 16 : end + 20] = (0x7FFFFFFF).to_bytes(4, "little")  # where the index begins
    with pytest.raises(Unreadable, match="points outside of itself"):
        read(tmp_path, bytes(content), WORD)


def test_a_zip_bomb_is_refused_by_its_ratio(tmp_path: Path):
    bomb = archive({"word/document.xml": b" " * (30 << 20)})
    assert len(bomb) < 40_000
    with pytest.raises(Unreadable, match="zip bomb"):
        read(tmp_path, bomb, WORD)


def test_many_small_parts_that_unpack_to_too_much_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(office, "MOST_UNPACKED", 1 << 20)
    chapter = f"<html><style>{os.urandom(20_000).hex()}</style></html>"
    content = archive({f"chapter{n}.html": chapter for n in range(40)})
    with pytest.raises(Unreadable, match="unpacks to more than 1 MB"):
        read(tmp_path, content, EPUB)


def test_a_part_that_lies_about_its_size_is_stopped_while_unpacking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(office, "MOST_UNPACKED", 1 << 20)
    content = bytearray(
        archive({"word/document.xml": b"<a>" + os.urandom(900_000).hex().encode() + b"</a>"})
    )
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 10)
    with pytest.raises(Unreadable):
        read(tmp_path, bytes(content), WORD)


def test_entities_in_office_files_are_refused(tmp_path: Path):
    xml = f'<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><w:document {W}><w:p>&b;</w:p></w:document>'
    with pytest.raises(Unreadable, match="the document is damaged"):
        read(tmp_path, archive({"word/document.xml": xml}), WORD)


def test_tags_nested_without_end_are_refused(tmp_path: Path):
    with pytest.raises(Unreadable, match="the document is damaged"):
        read(tmp_path, archive({"word/document.xml": "<a>" * 5000 + "</a>" * 5000}), WORD)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_office_file_is_damaged(tmp_path: Path, cut: float):
    whole = archive(
        {"word/document.xml": f"<w:document {W}><w:p>{'long ' * 500}</w:p></w:document>"}
    )
    with pytest.raises(Unreadable, match="the document is damaged"):
        read(tmp_path, whole[: int(len(whole) * cut)], WORD)


RUSSIAN = "Договор аренды квартиры заключён в Москве. Оплатить до пятницы."
GREEK = "Αγαπητή γιαγιά, σου γράφουμε από τη Θεσσαλονίκη."
JAPANESE = "請求書の番号は 4711 です。金曜日までにお支払いください。"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Grüße aus Zürich".encode(), "Grüße aus Zürich"),
        (b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe", "Grüße"),
        ("Grüße".encode("utf-16"), "Grüße"),
        ("Grüße aus Zürich".encode("utf-16-le"), "Grüße aus Zürich"),
        ("Grüße".encode("utf-32"), "Grüße"),
        (b"Gr\xfc\xdfe \x96 10 \x80", "Grüße – 10 €"),
        ("日本語のメモ".encode(), "日本語のメモ"),
        *(
            (RUSSIAN.encode(code), RUSSIAN)
            for code in ("cp1251", "koi8-r", "utf-16-le", "utf-16-be")
        ),
        ("Договор аренды квартиры".encode("koi8-r"), "Договор аренды квартиры"),
        (GREEK.encode("iso8859-7"), GREEK),
        (JAPANESE.encode("shift-jis"), JAPANESE),
        (JAPANESE.encode("utf-16-le"), JAPANESE),
        ("親愛的奶奶,我們在台北度假。".encode("big5"), "親愛的奶奶,我們在台北度假。"),
        (b"line one with a nul\0\0\nand more\n", "line one with a nul\nand more"),
        ("cut in the middle: ü".encode()[:-1], "cut in the middle:"),
    ],
)
def test_plain_text_is_read_in_the_encoding_it_has(tmp_path: Path, raw: bytes, expected: str):
    assert read(tmp_path, raw, "text/plain") == expected


def test_control_characters_and_runs_of_blanks_go_out(tmp_path: Path):
    assert read(tmp_path, b"a\x00b  \t c\r\n\r\n\r\n\r\nd\x1b", "text/markdown") == "ab c\n\nd"


def test_a_text_of_blanks_is_none(tmp_path: Path):
    assert read(tmp_path, b" \n\t\r\n ", "text/plain") is None


def test_a_very_long_text_is_cut_at_a_million_characters(tmp_path: Path):
    body = read(tmp_path, b"word " * 1_000_000, "text/plain")
    assert body is not None
    assert len(body) == documents.CHARACTERS


def test_web_pages_show_what_a_reader_sees(tmp_path: Path):
    page = (
        b'<html><head><meta charset="iso-8859-1"><title>Caf\xe9</title><style>p{color:red}</style></head><body>'
        b"<script>var hidden = '<p>no</p>';</script><p>One <b>two</b>&nbsp;three &amp; four</p>"
        b'<ul><li>first<li>second</ul><img src=x alt="a red boat"><table><tr><td>l</td><td>r</td></tr></table></body>'
    )
    assert (
        read(tmp_path, page, "text/html")
        == "Café\n\nOne two three & four\n\nfirst\nsecond\na red boat\n\nl r"
    )


def test_a_long_page_in_another_script_is_read_though_its_mark_up_is_ascii(tmp_path: Path):
    page = "<html><style>p {color: red}</style>" + f"<p>{RUSSIAN}</p>\n" * 2000
    body = read(tmp_path, page.encode("koi8-r"), "text/html")
    assert body is not None
    assert body.count(RUSSIAN) == 2000


def test_a_mail_with_bare_bytes_in_its_headers_is_read(tmp_path: Path):
    raw = f"From - Mon Jul 15 10:15:00 2019\nSubject: {RUSSIAN}\nFrom: a@b.c\n\n{RUSSIAN}\n"
    body = read(tmp_path, raw.encode("cp1251"), "message/rfc822")
    assert body == f"Subject: {RUSSIAN}\nFrom: a@b.c\n\n{RUSSIAN}"


def test_mails_give_headers_text_and_the_names_of_attachments(tmp_path: Path):
    message = EmailMessage()
    message["Subject"] = "Fahrkarten für Köln"
    message["From"] = "Jörg <joerg@example.org>"
    message["To"] = "family@example.org"
    message.set_content("Der Zug fährt um 9.")
    message.add_alternative("<p>Der Zug fährt um <b>9</b>.</p>", subtype="html")
    message.add_attachment(
        b"%PDF", maintype="application", subtype="pdf", filename="Fahrkarte Köln.pdf"
    )
    body = read(tmp_path, bytes(message), "message/rfc822")
    assert body is not None
    assert body.splitlines()[0] == "Subject: Fahrkarten für Köln"
    assert "Jörg" in body
    assert body.count("Der Zug fährt um 9.") == 1
    assert body.endswith("Fahrkarte Köln.pdf")


def test_a_mail_in_html_alone_is_read_as_text(tmp_path: Path):
    raw = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nContent-Type: text/html; charset=latin-1\n\n<p>Sch\xf6n</p>"
    assert read(tmp_path, raw, "message/rfc822") == "Subject: Grüße\n\nSchön"


def test_rich_text_is_read_without_its_tables(tmp_path: Path):
    raw = (
        rb"{\rtf1\ansi{\fonttbl{\f0 Helvetica;}}{\*\generator X;}\f0\fs24 Hello \b world\b0 !\par "
        rb"Z\'fcrich \u8364? \{braces\}}"
    )
    assert read(tmp_path, raw, "application/rtf") == "Hello world!\nZürich € {braces}"


def test_a_type_that_nothing_reads_has_no_text(tmp_path: Path):
    assert read(tmp_path, b"\x00\x01", "application/octet-stream") is None


def test_a_document_that_went_away_is_not_its_own_fault(tmp_path: Path):
    with pytest.raises(SourceGone):
        documents.read(os.fsencode(tmp_path / "gone"), "text/plain")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_some_text(raw: bytes):
    assert isinstance(plaintext.decode(raw), str)
    assert isinstance(plaintext.from_html(b"<" + raw), str)
    assert isinstance(plaintext.from_rtf(b"{\\rtf1 " + raw), str)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_mail_is_text_or_unreadable(raw: bytes):
    try:
        assert isinstance(
            mail.text(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + raw), str
        )
        assert isinstance(mail.text(b"Subject: =?" + raw), str)
    except Unreadable as error:
        assert str(error)  # noqa: PT017 -- either way is right, anything else is not


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    position=st.integers(0, 10_000),
    value=st.integers(0, 255),
    mime=st.sampled_from([WORD, SHEET, SLIDES, ODT, EPUB]),
)
def test_one_wrong_byte_in_an_archive_is_text_or_unreadable(
    position: int, value: int, mime: str, tmp_path: Path
):
    xml = f"<w:document {W}><w:p><w:t>words &amp; more</w:t></w:p></w:document>"
    names = (
        "word/document.xml",
        "xl/sharedStrings.xml",
        "xl/worksheets/sheet1.xml",
        "ppt/slides/slide1.xml",
        "content.xml",
        "a.html",
    )
    content = bytearray(archive(dict.fromkeys(names, xml)))
    content[position % len(content)] = value
    (tmp_path / "document").write_bytes(content)
    try:
        found = documents.read(os.fsencode(tmp_path / "document"), mime)
    except Unreadable as error:
        assert str(error)  # noqa: PT017 -- either way is right, anything else is not
    else:
        assert found is None or isinstance(found, Text)
