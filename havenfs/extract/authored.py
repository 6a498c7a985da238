"""When a document was made, from inside it: PDF, office files, mail. Reads no text; `documents` does that."""

from __future__ import annotations

import email.utils
import io
import zipfile
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING, Any, cast
from xml.etree.ElementTree import ParseError

import pypdfium2
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from havenfs.entities import DateSource, Metadata, Taken
from havenfs.extract import archives, dates
from havenfs.extract.failures import DECODING
from havenfs.extract.original import opened

if TYPE_CHECKING:
    from typing import BinaryIO

MAX_XML = 1 << 20


def facts(path: bytes, mime: str) -> Metadata:
    """The date in the document at *path*; empty when it has none or is damaged. Raises SourceGone, Unreadable (no access)."""
    found: tuple[int, int | None] | None = None
    with opened(path) as file:
        try:
            if mime == "application/pdf":
                found = _pdf(file)
            elif mime.startswith("application/vnd.openxmlformats"):
                found = _xml_date(
                    file, "docProps/core.xml", ("{http://purl.org/dc/terms/}created",)
                )
            elif mime.startswith("application/vnd.oasis.opendocument"):
                found = _xml_date(
                    file,
                    "meta.xml",
                    (
                        "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}creation-date",
                        "{http://purl.org/dc/elements/1.1/}date",
                    ),
                )
            elif mime == "message/rfc822":
                found = _mail(file)
        except (pypdfium2.PdfiumError, *archives.FAULTS, *DECODING) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            found = None
    if found is None:
        return Metadata()
    return Metadata(taken=Taken(local=found[0], offset=found[1], source=DateSource.CONTAINER))


def _pdf(file: BinaryIO) -> tuple[int, int | None] | None:
    document = cast(Any, pypdfium2.PdfDocument(file))  # comes without types
    try:
        return dates.pdf(document.get_metadata_value("CreationDate"))
    finally:
        document.close()


def _xml_date(file: BinaryIO, member: str, names: tuple[str, ...]) -> tuple[int, int | None] | None:
    with zipfile.ZipFile(file) as archive:
        if archive.getinfo(member).file_size > MAX_XML:
            return None
        body = archive.read(member)
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException):
        return None
    for name in names:
        for node in root.iter(name):
            found = dates.stamp(node.text or "")
            if found is not None:
                return found
    return None


def _mail(file: BinaryIO) -> tuple[int, int | None] | None:
    """The Date header (RFC 5322)."""
    header = BytesHeaderParser().parse(io.BytesIO(file.read(MAX_XML))).get("Date")
    if not header:
        return None
    moment = email.utils.parsedate_to_datetime(str(header))
    shift = moment.utcoffset()
    found = dates.stamp(f"{moment:%Y-%m-%dT%H:%M:%S}")
    return (
        None
        if found is None
        else (found[0], None if shift is None else int(shift.total_seconds()) // 60)
    )
