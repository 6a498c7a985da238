"""What the fuzzing starts from: a few small good files of every type that the indexer opens, and the hard ones."""

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pillow_heif
import reportlab.pdfgen.canvas as reportlab
import tifffile
from PIL import Image, ImageDraw
from skimage import data

from havenfs.sample import library

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = (
    400_000  # bytes: larger seeds are slow, and damage of a few bytes hardly meets their structure
)
EACH = 4  # files of one extension from the drawn library


def corpus(directory: Path, *, photos: int = 24) -> dict[str, list[bytes]]:
    """Extension to the bytes of good files; *directory* takes a drawn library."""
    found: dict[str, list[bytes]] = {}
    library.write(directory, photos=photos, seed=7)
    for path in sorted(p for p in directory.rglob("*") if p.is_file() and not p.is_symlink()):
        extension = path.suffix.lower().lstrip(".") or "bin"
        kept = found.setdefault(extension, [])
        if len(kept) < EACH and 0 < path.stat().st_size <= LARGEST and os.access(path, os.R_OK):
            kept.append(path.read_bytes())
    for extension, body in _made(directory):
        found.setdefault(extension, []).append(body)
    return {extension: bodies for extension, bodies in sorted(found.items()) if bodies}


def _made(scratch: Path) -> list[tuple[str, bytes]]:
    pillow_heif.register_heif_opener()
    photo = Image.fromarray(data.astronaut()).resize((160, 120))
    return [
        *_pictures(photo),
        *[(name, _film(scratch / f"film.{name}", photo, codec)) for name, codec in FILMS],
        *_documents(scratch),
    ]


FILMS = (
    ("mp4", "libx264"),
    ("mov", "mjpeg"),
    ("mkv", "libx264"),
    ("webm", "libvpx"),
    ("avi", "mpeg4"),
    ("3gp", "mpeg4"),
    ("ts", "mpeg2video"),
    ("mpg", "mpeg2video"),
    ("wmv", "wmv2"),
)


def _pictures(photo: Image.Image) -> list[tuple[str, bytes]]:
    tags = Image.Exif()
    tags[0x010F] = "Canon"
    tags[0x0112] = 6
    tags.get_ifd(0x8769)[0x9003] = "2019:07:14 10:15:00"
    gps = tags.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (41.0, 53.0, 24.7), "E", (12.0, 29.0, 31.9)
    page = Image.new("L", (600, 200), "white")
    ImageDraw.Draw(page).text((20, 60), "Rechnung Nr. 1234 vom 14. Juli 2019", fill=0, font_size=30)

    def saved(image: Image.Image, form: str, **options: Any) -> bytes:
        out = io.BytesIO()
        image.save(out, form, **options)
        return out.getvalue()

    def tiff(array: Any, **options: Any) -> bytes:
        out = io.BytesIO()
        tifffile.imwrite(out, array, metadata=None, **options)
        return out.getvalue()

    pixels = np.asarray(photo)
    frames = [photo.rotate(angle) for angle in (0, 90, 180)]
    return [
        ("jpg", saved(photo, "JPEG", exif=tags)),
        ("jpg", saved(photo, "JPEG", progressive=True)),
        ("jpg", saved(photo.convert("CMYK"), "JPEG")),
        ("jpg", saved(page, "JPEG")),
        ("png", saved(photo, "PNG", exif=tags)),
        ("png", saved(photo.convert("P"), "PNG")),
        ("png", saved(photo.convert("RGBA"), "PNG", save_all=True, append_images=frames)),
        ("webp", saved(photo, "WEBP", exif=tags)),
        ("webp", saved(photo, "WEBP", lossless=True, save_all=True, append_images=frames)),
        ("gif", saved(photo, "GIF", save_all=True, append_images=frames)),
        ("bmp", saved(photo, "BMP")),
        ("tif", saved(photo, "TIFF", compression="tiff_lzw")),
        ("tif", saved(photo, "TIFF", compression="jpeg")),
        ("tif", tiff(pixels.astype(np.uint16) * 257, tile=(64, 64))),
        ("heic", saved(photo, "HEIF", exif=tags)),
        ("avif", saved(photo, "AVIF", exif=tags)),
        ("dng", tiff(pixels)),
    ]


def _film(path: Path, photo: Image.Image, codec: str) -> bytes:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=10 if codec != "mpeg2video" else 25)
        stream.width, stream.height = photo.size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if path.suffix == ".3gp":
            stream.width, stream.height = 176, 144
            photo = photo.resize((176, 144))
        for turn in range(12):
            frame = av.VideoFrame.from_image(photo.rotate(turn * 15))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()


def _documents(scratch: Path) -> list[tuple[str, bytes]]:
    sheet = scratch / "sheet.pdf"
    canvas = reportlab.Canvas(str(sheet), pagesize=(300, 200))
    canvas.drawString(10, 150, "a letter about badgers")
    canvas.drawInlineImage(Image.fromarray(data.astronaut()).resize((40, 40)), 10, 10)
    canvas.showPage()
    canvas.drawString(10, 150, "its second page")
    canvas.save()
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    cells = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    slide = "http://schemas.openxmlformats.org/drawingml/2006/main"
    text = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    core = "<c><created>2019-07-14T10:15:00Z</created><title>Badgers</title></c>"
    return [
        ("pdf", sheet.read_bytes()),
        (
            "docx",
            _zip(
                {
                    "word/document.xml": f'<w:document xmlns:w="{word}"><w:body><w:p><w:r><w:t>badgers</w:t></w:r></w:p></w:body></w:document>',
                    "docProps/core.xml": core,
                }
            ),
        ),
        (
            "xlsx",
            _zip(
                {
                    "xl/workbook.xml": f'<workbook xmlns="{cells}"><sheets><sheet name="a"/></sheets></workbook>',
                    "xl/sharedStrings.xml": f'<sst xmlns="{cells}"><si><t>badgers</t></si></sst>',
                    "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{cells}"><sheetData><row><c t="s"><v>0</v></c></row></sheetData></worksheet>',
                    "docProps/core.xml": core,
                }
            ),
        ),
        (
            "pptx",
            _zip(
                {
                    "ppt/presentation.xml": "<p/>",
                    "ppt/slides/slide1.xml": f'<p xmlns:a="{slide}"><a:p><a:r><a:t>badgers</a:t></a:r></a:p></p>',
                }
            ),
        ),
        (
            "odt",
            _zip(
                {
                    "mimetype": "application/vnd.oasis.opendocument.text",
                    "content.xml": f'<o:document-content xmlns:o="{office}" xmlns:t="{text}"><o:body><o:text><t:p>badgers</t:p></o:text></o:body></o:document-content>',
                    "meta.xml": core,
                }
            ),
        ),
        (
            "eml",
            (
                b"From: a@b.c\nTo: d@e.f\nSubject: badgers\nDate: Sun, 14 Jul 2019 10:15:00 +0200\n"
                b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/html\n"
                b"Content-Transfer-Encoding: base64\n\nPHA+YmFkZ2VyczwvcD4=\n\n--x--\n"
            ),
        ),
        (
            "html",
            b"<!doctype html><html><title>Badgers</title><p>They dig.<script>x</script></html>",
        ),
        ("md", b"# Badgers\n\nThey *dig*, and [so on](https://example.org).\n" * 20),
        ("txt", "Über Dachse: sie graben.\n".encode("cp1252") * 30),
        ("csv", b"name;count\nbadger;12\n" * 40),
    ]


def _zip(members: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            how = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(name, body, how)
    return out.getvalue()
