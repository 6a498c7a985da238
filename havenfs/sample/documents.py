"""The family's papers: PDFs with a text layer, scanned PDFs, Word documents, plain text and Markdown.

Writers by hand for what the library needs, no more: PDF 1.4 with the Latin-1 standard fonts, Office Open XML with
paragraphs (ECMA-376). Process-safe.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np

from havenfs.sample import photos, prints
from havenfs.sample.shots import FIRST_YEAR, YEARS
from havenfs.sample.truth import Known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One document to be written."""

    path: str
    """Its extension says how: .pdf (below Scans/ as a picture), .docx, .txt, .md."""
    seed: tuple[int, int]
    title: str
    lines: tuple[str, ...]
    created: datetime
    """UTC."""


_INVOICES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Electricity", "Northern Power Cooperative", ("Meter reading {a}{b} kilowatt hours", "Standing charge {b}.50", "Please pay within fourteen days")),
    ("Telephone", "Bluebird Telecom", ("Broadband subscription", "Calls abroad {b}.20", "Your contract ends in {a} months")),
    ("Insurance", "Evergreen Mutual Insurance", ("Household insurance policy {a}-{b}", "Burglary and storm damage are covered", "Premium {b}0.00")),
    ("Plumber", "Drip and Sons Plumbing", ("Repair of the kitchen faucet", "Labour {a} hours", "Gasket and pipe {b}.80")),
    ("Dentist", "Dr. Molar, Dental Surgery", ("Check-up and cleaning", "One filling", "Amount due {b}5.00")),
    ("Heating", "District Heating Works", ("Annual maintenance of the boiler", "Filter replaced", "Total {a}{b}.00")),
)  # fmt: skip

_LETTERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Rental agreement", ("The landlord lets the flat on the second floor to the tenant.", "Deposit: three monthly rents.", "Notice period: three months.")),
    ("Application", ("Dear Sir or Madam,", "I apply for the position of a librarian.", "My curriculum vitae is enclosed.", "Kind regards, Anna")),
    ("School trip", ("Dear parents,", "we go hiking on Thursday.", "Please pack sandwiches and a raincoat.", "The class teacher")),
    ("Last will", ("I, Henry, leave the stamp collection to Clara and the accordion to David.", "The notary keeps a copy.")),
    ("Choir programme", ("Rehearsals on Tuesdays", "Requiem and three madrigals", "Concert in December")),
)  # fmt: skip

_NOTES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Pancakes", ("# Pancakes", "", "- 250 g flour", "- 4 eggs", "- half a litre of milk", "", "Whisk, rest, fry in butter. Serve with maple syrup.")),
    ("Packing list", ("# Packing list", "", "- passports", "- toothbrushes", "- swimsuits", "- mosquito spray", "- phone charger")),
    ("Garden diary", ("# Garden diary", "", "Sowed radishes and lettuce. The compost smells.", "Slugs ate the dahlias.")),
    ("Network", ("# Home network", "", "Router in the cellar, printer on the second shelf.", "The NAS wakes at six.")),
    ("Book club", ("# Book club", "", "Next month: a Norwegian saga and a detective novel.", "Bring biscuits.")),
    ("Lasagne", ("# Lasagne", "", "Bechamel, ragout, parmesan, nutmeg.", "Forty minutes at 180 degrees.")),
)  # fmt: skip


def plan(count: int, seed: int) -> list[Paper]:
    """Return *count* documents with unique paths, of each sort in turn."""
    rng = np.random.default_rng([seed, 4])
    papers: list[Paper] = []
    for place in range(count):
        day = datetime(FIRST_YEAR, 1, 1) + timedelta(  # noqa: DTZ001 - UTC by definition of the field
            days=int(rng.integers(365 * YEARS)), seconds=int(rng.integers(8 * 3600, 20 * 3600))
        )
        turn = place // 6
        match place % 6:
            case 0 | 3:
                topic, sender, body = _INVOICES[(turn * 2 + place % 6 // 3) % len(_INVOICES)]
                a, b = int(rng.integers(2, 10)), int(rng.integers(11, 99))
                lines = (
                    sender,
                    f"Invoice {topic.lower()} number {rng.integers(10000, 99999)}",
                    *(line.format(a=a, b=b) for line in body),
                )
                path, title = f"Documents/Invoices/{topic} {place + 1:03}.pdf", f"{topic} invoice"
            case 1:
                title, lines = _LETTERS[turn % len(_LETTERS)]
                path = f"Documents/Letters/{title} {place + 1:03}.docx"
            case 2:
                title, lines = _NOTES[turn % len(_NOTES)]
                path = f"Documents/Notes/{title} {place + 1:03}.md"
            case 4:
                title, lines = _NOTES[(turn + 3) % len(_NOTES)]
                path, lines = (
                    f"Documents/Notes/{title} {place + 1:03}.txt",
                    tuple(line.removeprefix("# ") for line in lines),
                )
            case _:
                found = prints.letter(rng)
                title, lines = found.lines[0].strip(","), found.lines
                path = f"Scans/Papers/{title} {place + 1:03}.pdf"
        papers.append(
            Paper(path=path, seed=(seed, 2_000_000 + place), title=title, lines=lines, created=day)
        )
    return papers


def write(directory: str, paper: Paper) -> list[tuple[str, Known]]:
    """Write the document below *directory* and return the truth about it."""
    path = Path(directory, paper.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scanned = paper.path.startswith("Scans/")
    dated = path.suffix in (".pdf", ".docx")
    match path.suffix:
        case ".pdf" if scanned:
            path.write_bytes(scanned_pdf(paper, np.random.default_rng(paper.seed)))
        case ".pdf":
            path.write_bytes(text_pdf(paper.title, paper.lines, paper.created))
        case ".docx":
            path.write_bytes(docx(paper.title, paper.lines, paper.created))
        case _:
            path.write_text("\n".join(paper.lines) + "\n", "utf-8")
    photos.stamp(path, paper.created if dated else None, 0)
    known = Known(
        kind="document",
        labels=("document",),
        taken=photos.written(paper.created, 0) if dated else None,
        text="\n".join(paper.lines),
    )
    return [(paper.path, known)]


def scanned_pdf(paper: Paper, rng: Generator) -> bytes:
    """Return a PDF whose only page is the picture of a letter: its words are there for OCR alone."""
    page = prints.draw(prints.Print(form="letter", lines=paper.lines), 900, 1270, rng)
    memory = io.BytesIO()
    moment = paper.created.timetuple()
    page.save(
        memory,
        "PDF",
        resolution=110,
        quality=75,
        title=paper.title,
        creationDate=moment,
        modDate=moment,
    )
    return memory.getvalue()


def text_pdf(title: str, lines: Sequence[str], created: datetime) -> bytes:
    """Return a one-page PDF with a real text layer (PDF 1.4, ISO 32000-1). *created* is UTC."""

    def string(text: str) -> bytes:
        raw = text.encode("cp1252", "replace")
        return b"(" + raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)") + b")"

    content = b"BT /F2 20 Tf 72 760 Td " + string(title) + b" Tj /F1 12 Tf 0 -40 Td 18 TL\n"
    content += b"\n".join(string(line) + b" Tj T*" for line in lines) + b"\nET"
    font = b"<< /Type /Font /Subtype /Type1 /Encoding /WinAnsiEncoding /BaseFont /%s >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        font % b"Helvetica",
        font % b"Helvetica-Bold",
        b"<< /Title %s /CreationDate (D:%s+00'00') >>"
        % (string(title), created.strftime("%Y%m%d%H%M%S").encode()),
    ]
    file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    places: list[int] = []
    for number, body in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer << /Size %d /Root 1 0 R /Info 7 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        len(file),
    )
    return file + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer


_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def docx(title: str, lines: Sequence[str], created: datetime) -> bytes:
    """Return a Word document of plain paragraphs. *created* is UTC."""
    paragraphs = "".join(
        f'<w:p><w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>'
        for line in (title, "", *lines)
    )
    return archive(
        {
            "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
            f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{_WORD}"/>'
            f'<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>',
            "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'
            f'<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>',
            "word/document.xml": f'{_HEAD}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
            f"<w:body>{paragraphs}<w:sectPr/></w:body></w:document>",
            "docProps/core.xml": f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties"'
            ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
            ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            f"<dc:title>{escape(title)}</dc:title>"
            f'<dcterms:created xsi:type="dcterms:W3CDTF">{created:%Y-%m-%dT%H:%M:%SZ}</dcterms:created></cp:coreProperties>',
        }
    )


def archive(members: dict[str, str]) -> bytes:
    """Return a zip of these texts whose bytes depend on nothing else."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        for name, body in members.items():
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, body.encode())
    return memory.getvalue()
