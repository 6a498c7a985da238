"""In which encoding bytes are text, where they do not say. Guesses by what letters stand beside each other.

Pure; any thread. `is_text` and `wide` are for whoever sniffs, the mount too, and cost microseconds; `guess` is for
workers.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
RECORD = 128
"""Bytes: CP/M and DOS end a text with 0x1A, and fill up to a whole record."""
MOST_CONTROLS = 0.02
"""Of a text with slips: a NUL in a log, a form's lines. Of bytes by chance a tenth are control characters."""
MOST_IN_UTF8 = 0.1  # which bytes by chance are not in
SLIPS = 2  # of a text of any length
WIDE = 4096  # bytes that are looked at for UTF-16

_RUN = re.compile(rb"[\x80-\xff]{3,}")
_SHORTEST = 12
"""Letters outside ASCII that stand three or more together: so do those of other scripts, while "Grüße" has two."""
_SAMPLE = 16 << 10
_HIGH = bytes(range(0x80, 0x100))
_ENCODINGS = [
    *("cp1251", "koi8_r", "cp1253", "cp932", "big5", "gb18030", "euc_jp", "euc_kr", "cp1255"),
    *("cp1256", "koi8_u", "cp866", "iso8859_5", "iso8859_7", "cp874", "cp949", "cp1252"),
]
"""Of a few words that may be in several the first one is taken. By that, of 150 pieces of 16 to 100 letters in 13 scripts
and encodings 18 are mistaken, 14 of them the shortest; by charset-normalizer's own order 43."""


def ended(raw: bytes) -> bytes:
    """A whole text without what DOS put behind it; all of *raw* where that is something else."""
    text = raw.rstrip(b"\x00\x1a")
    dos = text and raw.startswith(b"\x1a", len(text)) and len(raw) - len(text) <= RECORD
    return text if dos else raw


def is_text(head: bytes) -> bool:
    """Whether a file that is called a text, and begins with *head*, can be one, in any encoding of single bytes or ASCII
    and pairs."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the end may be cut
        most = MOST_IN_UTF8
    except UnicodeDecodeError:
        most = MOST_CONTROLS
    return len(CONTROLS.findall(head)) <= max(SLIPS, most * len(head))


def wide(raw: bytes) -> str | None:
    """The UTF-16 that *raw* is in without a mark that says so, None: it is in none."""
    head = raw[:WIDE] if len(raw) > WIDE else raw[: len(raw) & ~1]
    if is_text(head):  # every script of UTF-16 has bytes that are control characters alone
        return None
    found: dict[int, str] = {}
    for encoding, upper in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        text = _decoded(head, encoding)
        if text and _written(text):
            found.setdefault(len(set(upper)), encoding)  # an alphabet has two or three of those
    return found[min(found)] if found else None


def _decoded(head: bytes, encoding: str) -> str | None:
    try:
        return head.decode(encoding)
    except UnicodeDecodeError as error:
        # a surrogate pair that the end of the head cuts in two is no damage
        return head[: error.start].decode(encoding) if error.start >= len(head) - 2 else None


def _written(text: str) -> bool:
    """Whether all of *text* is characters that somebody may have typed, and some of it blanks or signs of ASCII."""
    if not any("\t" <= character < "\x7f" for character in text):
        return False
    strange = sum(
        unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs") and character not in "\t\n\r\f"
        for character in text.rstrip("\x00\x1a")
    )
    return strange * 50 <= len(text)


def guess(raw: bytes) -> str | None:
    """The encoding of a text in another script than Latin; None for Latin, whose encodings differ in few letters, and
    where nothing can be told."""
    foreign = sum(map(len, _RUN.findall(raw)))
    if foreign < _SHORTEST or foreign * 2 < len(raw) - len(raw.translate(None, _HIGH)):
        return None
    from charset_normalizer import from_bytes  # 54 ms, which few files need

    sample = b"\n".join(line for line in raw.splitlines() if not line.isascii())
    if len(sample) > _SAMPLE:
        # Before a blank or a sign: the second byte of a pair is never below "0".
        cut = max(sample.rfind(sign, 0, _SAMPLE) for sign in (b" ", b"\n", b",", b"."))
        sample = sample[: cut if cut > 0 else _SAMPLE]
    found = min(
        from_bytes(sample, cp_isolation=_ENCODINGS),
        key=lambda match: (
            round(match.chaos, 2),
            -round(match.coherence, 1),
            _ENCODINGS.index(match.encoding),
        ),
        default=None,
    )
    return found.encoding if found is not None else None
