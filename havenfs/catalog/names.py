"""Names of assets: legal on every system that mounts the share, unique in the library, given once.

The text rules are pure functions. `legal` makes any text a name that POSIX, Windows and SMB accept: forbidden
characters become their full-width twins, so that people still read what was written and `original` can undo it.
`assign` picks a free name inside the transaction that makes the asset; the stored name is never computed again.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import apsw

LIMIT = (
    255  # bytes of UTF-8: NAME_MAX of Linux, and more than the 255 UTF-16 units of Windows allow
)
UNNAMED = "unnamed"

_TWINS = {ord(c): chr(ord(c) + 0xFEE0) for c in '\\/:*?"<>|'}
_CONTROLS = {c: chr(0x2400 + c) for c in range(0x20)} | {
    0x7F: "\u2421"
}  # Unicode's pictures of them
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")  # halves: no UTF-8 can hold them
_LEGAL = _TWINS | _CONTROLS | _SURROGATES
_ORIGINAL = {ord(twin): chr(plain) for plain, twin in (_TWINS | _CONTROLS).items()}
_LAST = {".": "\uff0e", " ": "\u2420"}  # only the end of a name: Windows drops them there
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"]
)
_TWIN = 3  # bytes of a twin in place of one
_EXTENSION = 32  # bytes, dot included; anything longer after a dot is prose, not an extension


def text(raw: bytes) -> str:
    """The text of a name on disk. Bytes that are not UTF-8 are read as Windows-1252, what old disks hold; where
    other characters of the name are good UTF-8, only the broken ones become U+FFFD."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        mended = raw.decode("utf-8", "replace")
        if all(c < "\x80" or c == "\ufffd" for c in mended):
            return raw.decode("cp1252", "replace")
        return mended


def legal(name: str) -> str:
    """The same name in letters that every system allows: NFC, no separators, no control characters, no trailing dot
    or space, no device name, 1 to 255 bytes with its extension kept. A legal name comes back unchanged."""
    name = _mapped(name)
    name = shorten(name, LIMIT) or UNNAMED
    if name[-1] in _LAST:
        name = shorten(name[:-1], LIMIT - _TWIN) + _LAST[name[-1]]
    if _is_device(name):
        name = shorten(chr(ord(name[0]) + 0xFEE0) + name[1:], LIMIT)
    return name


def fits(name: str) -> bool:
    """Whether `legal` keeps the whole of it: it has 255 bytes at most, each twin among them."""
    name = _mapped(name)
    twins = (name[-1:] in _LAST) + _is_device(name)
    return len(name.encode()) + twins * (_TWIN - 1) <= LIMIT


def _mapped(name: str) -> str:
    return unicodedata.normalize("NFC", name).translate(_LEGAL)


def _is_device(name: str) -> bool:
    return name.split(".", 1)[0].rstrip(" ").casefold() in _DEVICES


def original(name: str) -> str:
    """What `legal` was given: the twins become the forbidden characters again. Exact for texts (NFC, up to 255 bytes)
    that held no such twin themselves."""
    if "\uff01" <= name[:1] <= "\uff5e":
        plain = chr(ord(name[0]) - 0xFEE0) + name[1:]
        if _is_device(plain):
            name = plain
    for plain, twin in _LAST.items():
        if name.endswith(twin):
            name = name[:-1] + plain
    return name.translate(_ORIGINAL)


def key(name: str) -> str:
    """What must be unique: names that a case-insensitive client cannot tell apart have one key."""
    return unicodedata.normalize("NFC", name).casefold()


def fold(name: bytes) -> str:
    """The key of a name on disk, which need not be UTF-8."""
    return key(name.decode(errors="surrogateescape"))


def split(name: str) -> tuple[str, str]:
    """Stem and extension with its dot; no extension is "". A leading dot begins no extension."""
    stem, dot, extension = name.rpartition(".")
    if not stem.strip(".") or not extension or " " in extension:
        return name, ""
    if len(extension.encode()) >= _EXTENSION:
        return name, ""
    return stem, dot + extension


def shorten(name: str, limit: int) -> str:
    """*name* in at most *limit* bytes of UTF-8, the stem cut between graphemes, the extension kept."""
    if len(name.encode()) <= limit:
        return name
    stem, extension = split(name)
    room = limit - len(extension.encode())
    cut = stem.encode()[: max(room, 0)].decode("utf-8", "ignore")
    at = len(cut)
    while at and _joined(stem, at):
        at -= 1
    # A grapheme of more than 255 bytes is somebody's joke; then any cut between characters will do.
    return (stem[:at] or cut).rstrip(". ") + extension


def assign(db: apsw.Connection, wanted: str, content: bytes) -> str:
    """A free legal name for a new asset whose file is called *wanted*: that name, or with `~` and 4 or more base32
    characters of *content* (its BLAKE3) before the extension. The caller's transaction inserts it."""
    name = legal(wanted)
    if not _taken(db, name):
        return name
    stem, extension = split(name)
    import base64  # two contents of one name are seldom: 1 ms of a mount's start

    code = base64.b32encode(content).decode().rstrip("=").lower()
    for length in range(4, len(code) + 1):
        suffix = f"~{code[:length]}{extension}"
        candidate = legal(shorten(stem, LIMIT - len(suffix.encode())) + suffix)
        if not _taken(db, candidate):
            break
    else:
        raise AssertionError(f"52 characters of the hash of {name!r} are taken")
    return candidate


def _taken(db: apsw.Connection, name: str) -> bool:
    row = db.execute("SELECT 1 FROM asset WHERE name_key = ?", (key(name),)).fetchone()
    return row is not None


def _joined(s: str, at: int) -> bool:
    """Whether a reader would see the characters before and after *at* as one (UAX #29, what matters of it)."""
    if at >= len(s):
        return False
    before, after = s[at - 1], s[at]
    if unicodedata.category(after)[0] == "M" or after == "\u200d" or before == "\u200d":
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff":  # skin tones
        return True
    if _regional(after) and _regional(before):  # flags are pairs
        run = 0
        while run < at and _regional(s[at - 1 - run]):
            run += 1
        return run % 2 == 1
    return False


def _regional(c: str) -> bool:
    return "\U0001f1e6" <= c <= "\U0001f1ff"
