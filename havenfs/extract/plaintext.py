"""Bytes of unknown encoding to text, and the text in web pages and RTF. Pure; any thread."""

from __future__ import annotations

import codecs
import re
import time
from html.parser import HTMLParser

from havenfs.errors import Unreadable

from . import encoding

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with the one of UTF-16 LE
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
META_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}charset=["']?([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE
)
HEAD = 2048  # bytes in which a page must name its encoding; the standard says 1024
STEP = 64 << 10  # characters fed between two looks at the clock
HTML_SECONDS = 10.0
BLANK = re.compile(r"\s+")

HIDDEN = frozenset({"script", "style", "template", "noscript", "svg"})
INLINE = frozenset(
    {
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "code",
        "em",
        "font",
        "i",
        "kbd",
        "mark",
        "q",
        "s",
        "small",
        "span",
        "strong",
    }
    | {"sub", "sup", "tt", "u", "var", "wbr"}
)


def decode(raw: bytes, charset: str | None = None) -> str:
    """Return *raw* as text: by its byte order mark, by *charset*, as UTF-8, as what its letters look like (see encoding),
    and at last as cp1252.

    The end may be cut in the middle of a character. cp1252 takes anything, so this never fails: better a few wrong letters
    than a document that cannot be found.
    """
    for mark, name in BOMS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(name, "replace")
    for name in (charset, encoding.wide(raw), "utf-8"):
        if name is None:
            continue
        try:
            return codecs.getincrementaldecoder(name)().decode(raw)
        except (
            LookupError,
            ValueError,
            TypeError,
        ):  # an unknown name, wrong bytes, a codec that is none for text
            continue
    return raw.decode(encoding.guess(raw) or "cp1252", "replace")


def from_html(raw: bytes, charset: str | None = None) -> str:
    """Return the text of a web page. Raises Unreadable for one that takes too long to take apart."""
    named = META_CHARSET.search(raw[:HEAD])
    if charset is None and named is not None:
        charset = named.group(1).decode("ascii")
    return strip(decode(raw, charset))


def strip(html: str) -> str:
    """Return the text of *html*, its blocks in lines of their own. Raises Unreadable."""
    parser = _Text()
    deadline = time.monotonic() + HTML_SECONDS
    for start in range(0, len(html), STEP):
        if time.monotonic() > deadline:
            reason = f"the page took longer than {HTML_SECONDS:.0f} s to take apart"
            raise Unreadable(reason)
        try:
            parser.feed(html[start : start + STEP])
        except (
            AssertionError
        ) as error:  # html.parser states what it expects of a declaration with assert
            reason = "the page is damaged"
            raise Unreadable(reason) from error
    return "".join(parser.parts)


class _Text(HTMLParser):
    """Collects what a reader sees."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN and self._hidden is None:
            self._hidden = tag
        for name, value in attrs:
            if name == "alt" and value and self._hidden is None:
                self.parts.append(f" {value} ")
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = None
        self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if self._hidden is None:
            self.parts.append(
                " ".join(data.split()) if not data.strip() else re.sub(r"\s+", " ", data)
            )

    def _break(self, tag: str) -> None:
        if tag not in INLINE:
            self.parts.append("\n" if tag not in {"td", "th"} else "\t")


RTF = re.compile(
    r"\\'([0-9a-fA-F]{2})|\\([a-z]{1,32})(-?\d{1,10})? ?|\\(.)|([{}])|[\r\n]+|([^\\{}\r\n]+)",
    re.DOTALL,
)
RTF_UNSEEN = frozenset(
    {
        "fonttbl",
        "colortbl",
        "stylesheet",
        "info",
        "pict",
        "object",
        "themedata",
        "datastore",
        "listtable",
        "generator",
    }
    | {"listoverridetable", "latentstyles", "rsidtbl", "xmlnstbl", "fldinst"}
)
RTF_BREAKS = {
    "par": "\n",
    "line": "\n",
    "row": "\n",
    "page": "\n",
    "sect": "\n",
    "tab": "\t",
    "cell": "\t",
}


def from_rtf(raw: bytes) -> str:
    """Return the text of an RTF document (Rich Text Format 1.9); letters outside ASCII as cp1252 or \\u."""
    parts: list[str] = []
    seen = [True]  # per open group
    skip = 0  # characters that repeat a \\u for old readers
    for code, word, number, sign, brace, plain in RTF.findall(raw.decode("latin-1")):
        if brace == "{":
            seen.append(seen[-1])
        elif brace == "}":
            if len(seen) > 1:
                seen.pop()
            skip = 0
        elif word in RTF_UNSEEN or sign == "*":
            seen[-1] = False
        elif not seen[-1]:
            continue
        elif code:
            if skip:
                skip -= 1
            else:
                parts.append(bytes.fromhex(code).decode("cp1252", "replace"))
        elif word == "u" and number:
            value = int(number) % 65536
            parts.append(chr(value) if not 0xD800 <= value < 0xE000 else "\ufffd")
            skip = 1
        elif word in RTF_BREAKS:
            parts.append(RTF_BREAKS[word])
        elif sign:
            parts.append(" " if sign in "~_" else sign if sign in "\\{}" else "")
        elif plain:
            parts.append(plain[skip:])
            skip = 0
    return "".join(parts)
