"""The type of a file from its first bytes. Knows signatures; opens nothing, except the table of contents of a zip.

The extension never decides: it only refines a family that the bytes have already proved (plain text to Markdown,
TIFF to a camera's raw format). Of a file that is called a text fewer proofs are asked: there is no signature for KOI8-R.
Pure functions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from havenfs.entities import Kind
from havenfs.errors import Unreadable
from havenfs.extract import encoding

if TYPE_CHECKING:
    from typing import BinaryIO

HEAD = 64 * 1024
"""Bytes from the start that `sniff` wants to see."""
UNKNOWN = "application/octet-stream"
ZIP = "application/zip"
OLE = "application/x-ole-storage"
"""Word up to 2003 and its kin; and what an office program makes of a document that gets a password."""

RAW = frozenset(
    {
        "image/x-adobe-dng",
        "image/x-canon-cr2",
        "image/x-canon-cr3",
        "image/x-canon-crw",
        "image/x-fuji-raf",
        "image/x-kodak-dcr",
        "image/x-nikon-nef",
        "image/x-olympus-orf",
        "image/x-panasonic-rw2",
        "image/x-pentax-pef",
        "image/x-samsung-srw",
        "image/x-sigma-x3f",
        "image/x-sony-arw",
    }
)
"""Types that a camera's raw decoder reads."""

_RAW_EXTENSION = {
    b".dng": "image/x-adobe-dng",
    b".cr2": "image/x-canon-cr2",
    b".dcr": "image/x-kodak-dcr",
    b".kdc": "image/x-kodak-dcr",
    b".nef": "image/x-nikon-nef",
    b".nrw": "image/x-nikon-nef",
    b".pef": "image/x-pentax-pef",
    b".srw": "image/x-samsung-srw",
    b".arw": "image/x-sony-arw",
    b".sr2": "image/x-sony-arw",
    b".srf": "image/x-sony-arw",
}

_TEXT_EXTENSION = {
    b".md": "text/markdown",
    b".markdown": "text/markdown",
    b".csv": "text/csv",
    b".tsv": "text/csv",
}

_PAGES = frozenset({b".html", b".htm", b".xhtml"})
_TEXTS = frozenset({b".txt", b".text", b".log", b".eml", *_TEXT_EXTENSION, *_PAGES})
"""Names of texts, of which fewer proofs are asked than of others."""
_NOTES_OF_PROGRAMS = frozenset({b".xmp", b".aae"})
"""XML, or what is left of it: never a document."""

_PREFIX: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"FUJIFILMCCD-RAW", "image/x-fuji-raf"),
    (b"FOVb", "image/x-sigma-x3f"),
    (b"IIRO\x08\x00", "image/x-olympus-orf"),
    (b"IIRS\x08\x00", "image/x-olympus-orf"),
    (b"MMOR\x00\x08", "image/x-olympus-orf"),
    (b"IIU\x00", "image/x-panasonic-rw2"),
    (b"II\x1a\x00\x00\x00HEAPCCDR", "image/x-canon-crw"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"{\\rtf", "application/rtf"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x7fELF", "application/x-executable"),
)

# Major and compatible brands of ISO base media files (ISO/IEC 14496-12, 23008-12, mp4ra.org).
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_AVIF = frozenset({b"avif", b"avis"})
_QUICKTIME_ATOMS = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})

DOCUMENTS = frozenset(
    {
        "application/pdf",
        "application/rtf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.presentation",
        "application/epub+zip",
        "message/rfc822",
        "text/csv",
        "text/html",
        "text/markdown",
        "text/plain",
    }
)

OFFICE = {
    b".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    b".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    b".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    b".odt": "application/vnd.oasis.opendocument.text",
    b".ods": "application/vnd.oasis.opendocument.spreadsheet",
    b".odp": "application/vnd.oasis.opendocument.presentation",
    b".epub": "application/epub+zip",
}
"""What a zip is that is called so, for who must not open it."""

# Microsoft's web programs number it: document2.xml.
_MAIN_PART = re.compile(r"(word/document|xl/workbook|ppt/presentation)\d*\.xml")
_HEADER_LINE = re.compile(rb"[A-Za-z][A-Za-z0-9-]{1,40}:[ \t]")
_MAIL = re.compile(
    rb"^(from|received|return-path|delivered-to|message-id|mime-version|date|to|subject):",
    re.I | re.M,
)
_HIGH = bytes(range(0x80, 0x100))


def kind(mime: str) -> Kind | None:
    """What a person would call it; None when it is none of ours."""
    if mime.startswith("image/") and mime != "image/svg+xml":
        return Kind.PHOTO
    if mime.startswith("video/"):
        return Kind.VIDEO
    return Kind.DOCUMENT if mime in DOCUMENTS else None


def sniff(head: bytes, file: BinaryIO | None, extension: bytes) -> str:
    """The type of the file that begins with *head* (its first HEAD bytes, or all of it).

    *extension* is lower case with its dot. *file* is only read when the head is that of a zip; None: a zip is a ZIP,
    whatever is in it.
    """
    for prefix, mime in _PREFIX:
        if head.startswith(prefix):
            return mime
    if (
        head[:2] == b"BM"
        and len(head) >= 26
        and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124)
    ):
        return "image/bmp"
    if head[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return _tiff(head, extension)
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}.get(head[8:12], UNKNOWN)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head[4:8] in _QUICKTIME_ATOMS and int.from_bytes(head[:4]) >= 8:
        return "video/quicktime"
    if head[:4] in (b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3"):
        return "video/mpeg"
    if head[:1] == b"\x47" and head[188:189] == b"\x47" and head[376:377] == b"\x47":
        return "video/mp2t"
    if head[4:5] == b"\x47" and head[196:197] == b"\x47" and head[388:389] == b"\x47":
        return "video/mp2t"  # AVCHD: 4 bytes of time code before each packet
    if head[:16] == b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c":
        return "video/x-ms-asf"
    if b"%PDF-" in head[:1024]:  # readers tolerate junk before it, and real files have some
        return "application/pdf"
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return ZIP if file is None else _zip(file)
    return _text(head, extension)


def _tiff(head: bytes, extension: bytes) -> str:
    """Plain TIFF or one of the raw formats that are TIFFs, whose makers are only known from inside."""
    if head[8:10] == b"CR":
        return "image/x-canon-cr2"
    return _RAW_EXTENSION.get(extension, "image/tiff")


def _iso_media(head: bytes) -> str:
    size = min(max(int.from_bytes(head[:4]), 16), 256)
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, size, 4))]
    if brands[0] == b"crx ":
        return "image/x-canon-cr3"
    if brands[0] in _AVIF or (brands[0] in (b"mif1", b"msf1") and _AVIF & set(brands)):
        return "image/avif"
    if brands[0] in _HEIC:
        return "image/heic"
    if brands[0] in (b"mif1", b"msf1"):
        return "image/heic" if _HEIC & set(brands) else "image/heif"
    if brands[0] == b"qt  ":
        return "video/quicktime"
    if brands[0][:3] in (b"3gp", b"3g2"):
        return "video/3gpp"
    if brands[0] in (b"M4A ", b"M4B ", b"M4P "):
        return "audio/mp4"
    return "video/mp4"


def _zip(file: BinaryIO) -> str:
    """Office documents by what they contain; any other archive is a plain zip."""
    import zipfile  # by workers only: the mount, which sniffs too, opens no archive

    from havenfs.extract import archives

    declared = ""
    try:
        with archives.reading():
            file.seek(0)
            with zipfile.ZipFile(file) as archive:
                names = archive.namelist()
                if "mimetype" in names and archive.getinfo("mimetype").file_size < 256:
                    declared = archive.read("mimetype").decode("ascii", "replace").strip()
    except Unreadable:
        return ZIP
    if declared in DOCUMENTS:
        return declared
    parts = {match[1] for name in names if (match := _MAIN_PART.fullmatch(name))}
    office = "application/vnd.openxmlformats-officedocument."
    if "word/document" in parts:
        return office + "wordprocessingml.document"
    if "xl/workbook" in parts:
        return office + "spreadsheetml.sheet"
    if "ppt/presentation" in parts:
        return office + "presentationml.presentation"
    return ZIP


def _text(head: bytes, extension: bytes) -> str:
    """A kind of text, or unknown. Structured data of programs (JSON, XML and with it XMP sidecars) is no document."""
    text = _as_text(head, extension)
    if text is None:
        return UNKNOWN
    if extension in _NOTES_OF_PROGRAMS:
        return "application/xml"
    start = _start(text)
    low = start.lower()
    if _is_page(low):
        return "text/html"
    if low.startswith(
        (b"<?xml", b"<?xpacket", b"<x:xmpmeta", b"<svg", b"<rdf:", b"<!doctype plist")
    ):
        return "image/svg+xml" if b"<svg" in low else "application/xml"
    if start[:1] in (b"{", b"[") and extension in (b".json", b".geojson", b".ipynb", b".map"):
        return "application/json"
    if extension in _PAGES:  # many begin with any tag, or with none
        return "text/html"
    if _is_mail(text, extension):
        return "message/rfc822"
    return _TEXT_EXTENSION.get(extension, "text/plain")


def _start(text: bytes) -> bytes:
    return text[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")[:1024]


def _is_page(low: bytes) -> bool:
    return low.startswith((b"<!doctype html", b"<html")) or (
        low.startswith(b"<?xml") and b"<html" in low
    )


def _is_mail(text: bytes, extension: bytes) -> bool:
    """Whether headers of a mail come first; a file that is called a mail needs fewer of them, which may stand farther down
    and begin with the line that parts the mails of an mbox."""
    start = text[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    named = extension == b".eml"
    if named and start.startswith(b"From "):
        start = start.partition(b"\n")[2]
    if _HEADER_LINE.match(start) is None:
        return False
    found = {match.lower() for match in _MAIL.findall(text if named else text[:4096])}
    return len(found) >= (1 if named else 3)


def _as_text(head: bytes, extension: bytes) -> bytes | None:
    """*head* as UTF-8 or nearly ASCII when it can be text, else None.

    In UTF-8, UTF-16 with a mark or an old 8-bit code of western Europe whatever it is called; in any other code where
    its name, or its beginning, says that it is text.
    """
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return head[: len(head) & ~1].decode("utf-16").encode()
        except UnicodeDecodeError as error:
            # a surrogate pair that the end of the head cuts in two is no damage
            return (
                head[: error.start].decode("utf-16").encode()
                if error.start >= len(head) - 4
                else None
            )
    if len(head) < HEAD:
        head = encoding.ended(head)
    if encoding.CONTROLS.search(head) is None and _is_western(head):
        return head
    if extension in _TEXTS and (wide := encoding.wide(head)) is not None:
        return head[: len(head) & ~1].decode(wide, "replace").encode()
    named = extension in _TEXTS or _is_page(_start(head).lower()) or _is_mail(head, b"")
    return head if named and encoding.is_text(head) else None


def _is_western(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) == HEAD and error.start >= len(head) - 4:
            return True
        # an 8-bit code is mostly ASCII, compressed data is not
        return len(head) - len(head.translate(None, _HIGH)) <= len(head) * 0.3
    return True
