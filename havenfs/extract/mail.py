"""A saved mail: who wrote what to whom, its text, the names of what is attached. Any thread.

Uses the library's older policy: the newer one raises a different exception for each sort of malformed header.
"""

from __future__ import annotations

import email
from email.errors import HeaderParseError
from email.header import decode_header
from email.policy import compat32
from typing import TYPE_CHECKING

from havenfs.errors import Unreadable

from . import plaintext

if TYPE_CHECKING:
    from email.message import Message

HEADERS = ("Subject", "From", "To", "Cc", "Date")
MOST_PARTS = 200


def text(raw: bytes) -> str:
    """Return the words of the mail *raw*. Raises Unreadable."""
    try:
        message = email.message_from_bytes(raw, policy=compat32)
        parts = list(message.walk())
    except (RecursionError, ValueError, TypeError, LookupError) as error:
        reason = "the mail is damaged"
        raise Unreadable(reason) from error
    values: dict[str, str] = {}
    for name, value in message.raw_items():
        values.setdefault(name.lower(), str(value))
    lines = [
        f"{name}: {_header(values[name.lower()])}" for name in HEADERS if name.lower() in values
    ]
    bodies: list[tuple[str, str]] = []
    attached: list[str] = []
    for part in parts[:MOST_PARTS]:
        name = part.get_filename()
        if name:
            attached.append(_header(name))
        elif part.get_content_maintype() == "text":
            bodies.append((part.get_content_subtype(), _payload(part)))
    plain = [body for subtype, body in bodies if subtype != "html"]
    html = [body for subtype, body in bodies if subtype == "html"]
    chosen = (
        plain if any(body.strip() for body in plain) else html
    )  # most mails say everything twice
    return "\n\n".join(["\n".join(lines), *chosen, "\n".join(attached)])


def _payload(part: Message) -> str:
    try:
        raw = part.get_payload(decode=True)
        charset = part.get_content_charset()
    except (ValueError, TypeError, LookupError):  # broken transfer encodings and parameters
        return ""
    if not isinstance(raw, bytes):
        return ""
    if part.get_content_subtype() == "html":
        return plaintext.from_html(raw, charset)
    return plaintext.decode(raw, charset)


def _header(value: str) -> str:
    if not value.isascii():  # bytes that name no encoding, as the library keeps them
        value = plaintext.decode(value.encode("utf-8", "surrogateescape"))
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(
        piece if isinstance(piece, str) else plaintext.decode(piece, charset)
        for piece, charset in pieces
    )
