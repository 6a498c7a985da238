"""Words on pictures, read by tesseract; and a quick look whether there are any.

Reading costs a second of a core and looking costs milliseconds, so nobody reads what does not look like print. Not for
documents that carry their text inside (see documents). Tesseract runs as a child process on one thread, one per call;
calls may run in parallel. Its input goes through a temporary file in TMPDIR.
"""

from __future__ import annotations

import functools
import os
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytesseract
from PIL import Image

from havenfs.entities import Text, TextOrigin
from havenfs.errors import ModelError, Unreadable
from havenfs.settings import LANGUAGES_ENV

if TYPE_CHECKING:
    from numpy.typing import NDArray

tesseract = cast(Any, pytesseract)  # comes without types

GATE = 0.01
"""Least likeness that is worth reading. Measured on pictures of 1440 px: pages of print 0.53-0.86, one line of text on a
photo 0.012-0.03 (24 to 100 px high), 19 real photographs 0-0.015 but for three (a wall of windows, a workshop, coins)."""
LOOK = 720
"""Longer side, in pixels, at which `likeness` looks; text of 16 to 50 px in 1440 is found there, larger in a third of it."""
EDGE = 14
"""Difference of neighbouring grey values that counts as an edge: print in grey on grey has 30."""
STRIP = 48
HALF = 16
"""Windows are STRIP wide and 2 * HALF high, one at every HALF rows, so that no line of text falls between two."""

LANGUAGES = ("eng", "deu", "fra", "ita", "spa", "por", "nld")
"""Languages that are read of more than MOST_LANGUAGES that are installed, where the owner names none."""
MOST_LANGUAGES = 8
"""Each one costs time on every picture: a page in one takes 1.4 s, in seven 3 s."""
_NO_LANGUAGES = frozenset({"osd", "equ", "snum"})
TIMEOUT_S = 30
"""A full page takes 1.4 s; thirty seconds mean a picture that tesseract cannot come to terms with. On a busy machine, where
whoever stands behind others waits most of the time, it is that much longer: `_timeout`."""
MOST_PATIENCE = 20.0
CONFIDENCE = 60
"""Percent. What tesseract believes less is mostly leaves and brick walls."""
SURE = 80
"""Percent, for words that stand alone or without a layout around them."""
FEW = 3
"""Words of which fewer are no page."""
PRINT = 0.1
"""Likeness of a page: one that gives no words, or hardly any to believe, lies on its side or upside down."""
READ = 0.5
"""Share of words to believe: of pages that stand upright 0.9 and more, of others 0.3 and less."""
SMALL = 1000
"""Pictures whose longer side is shorter are doubled first: tesseract wants letters of 20 px and more."""
INSTALL = "install the Debian packages tesseract-ocr and tesseract-ocr-eng"

BOX = struct.Struct("<4HB")
"""One word's place; entities.Text.boxes."""
WORD = re.compile(r"\w{2,}")


def likeness(image: Image.Image) -> float:
    """Return how much of *image* looks like print, 0..1, upright or on its side; see GATE. About 6 ms for 1440 px, on one
    core.

    Print is lines: rows in which many strokes (an edge up and an edge down) follow each other, beside rows with none.
    Foliage, gravel and brick have the strokes but not the empty rows; this is what tells them apart.
    """
    scale = max(image.size) // LOOK
    if scale >= 2:
        image = image.reduce(scale)
    gray = image if image.mode == "L" else image.convert("L")
    if max(gray.size) > LOOK:
        factor = LOOK / max(gray.size)
        size = (max(int(gray.width * factor), 1), max(int(gray.height * factor), 1))
        gray = gray.resize(size, Image.Resampling.BOX)
    pixels, large = np.asarray(gray, np.int16), np.asarray(gray.reduce(3), np.int16)
    sideways = _print(np.ascontiguousarray(pixels.T), np.ascontiguousarray(large.T))
    return max(_print(pixels, large), sideways if sideways >= PRINT else 0.0)


def _print(pixels: NDArray[np.int16], large: NDArray[np.int16]) -> float:
    # A window is nine times as large there, so one or two are chance, and a word may lie across the border of two.
    coarse = max(_lines(large), _lines(large[:, STRIP // 2 :]))
    return max(_lines(pixels), coarse / 8)


def _lines(pixels: NDArray[np.int16]) -> float:
    """The share of windows that hold a piece of a line of text."""
    rows, strips = pixels.shape[0] // HALF, (pixels.shape[1] - 2) // STRIP
    if rows < 2 or strips < 1:
        return 0.0
    height, width = rows * HALF, strips * STRIP
    steps = np.diff(pixels[:height, : width + 2], axis=1)
    starts = np.array(range(0, width, STRIP), np.intp)

    def strokes(edge: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Edges that begin in each row of each strip."""
        return np.add.reduceat(edge[:, 1:] & ~edge[:, :-1], starts, axis=1, dtype=np.uint8)

    up, down = strokes(steps > EDGE), strokes(steps < -EDGE)

    def share(state: NDArray[np.bool_]) -> NDArray[np.float64]:
        halves = state.reshape(rows, HALF, strips).sum(1)
        return (halves[1:] + halves[:-1]) / (2 * HALF)

    busy, quiet = share((up >= 3) & (down >= 3)), share(up + down <= 1)
    return float(((busy >= 0.2) & (quiet >= 0.15) & (busy + quiet >= 0.65)).mean())


def read(image: Image.Image) -> Text | None:
    """Return the words on *image*, line by line; None when there is nothing that reads like text.

    Raises Unreadable when tesseract fails or takes longer than TIMEOUT_S, ModelError when it is not installed.
    """
    languages = "+".join(_languages())
    gray = image.convert("L")
    if max(gray.size) < SMALL:
        gray = gray.resize((gray.width * 2, gray.height * 2), Image.Resampling.BICUBIC)
    # Whole page with layout first: it hardly ever takes a wall for text, but it passes over two signs in three.
    page = _tesseract(gray, languages, 3)
    body, boxes = _body(page, CONFIDENCE)
    if (_poor(body) or _believed(page) < READ) and (turn := _turn(gray)):
        turned, places = _body(_tesseract(gray.transpose(_TURNS[turn]), languages, 3), CONFIDENCE)
        if not _poor(turned):
            return Text(origin=TextOrigin.OCR, body=turned, boxes=_turned_back(places, turn))
    if _poor(body):
        # Then all of it as one block, at half the size (3 times as fast; signs are large), and of either reading only the
        # words that tesseract is sure of. Of 36 pictures without text one gave a word.
        block = _tesseract(gray.reduce(2), languages, 6)
        body, boxes = max(
            _body(page, SURE, letters=3),
            _body(block, SURE, letters=3),
            key=lambda found: len(found[0]),
        )
        if _junk(body):
            return None
    return Text(origin=TextOrigin.OCR, body=body, boxes=boxes)


def _poor(body: str) -> bool:
    return len(body.split()) < FEW or _junk(body)


def _believed(found: dict[str, list[Any]]) -> float:
    """The share of its words that tesseract believes."""
    sure = [
        float(percent) >= CONFIDENCE
        for percent, text in zip(found["conf"], found["text"], strict=True)
        if str(text).strip()
    ]
    return sum(sure) / len(sure) if sure else 0.0


_TURNS = {
    90: Image.Transpose.ROTATE_270,  # Pillow turns the other way
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
"""Degrees clockwise that bring a page upright."""


def _turn(gray: Image.Image) -> int:
    """By how many degrees clockwise a page must be turned to be read; 0 where it is none, or stands upright. 0.3 s."""
    if likeness(gray) < PRINT:
        return 0
    try:
        found = tesseract.image_to_osd(
            gray, timeout=_timeout(), output_type=tesseract.Output.DICT, config="--psm 0"
        )
    except (pytesseract.TesseractError, RuntimeError):  # too few letters to tell, or no data for it
        return 0
    turn = int(found.get("rotate", 0))
    return turn if turn in _TURNS else 0


def _turned_back(boxes: bytes, turn: int) -> bytes:
    """Boxes of a page that was turned, as they lie on the picture."""
    back: list[bytes] = []
    for left, top, across, down, percent in BOX.iter_unpack(boxes):
        right, bottom = max(65535 - left - across, 0), max(65535 - top - down, 0)
        place = {
            90: (top, right, down, across),
            180: (right, bottom, across, down),
            270: (bottom, left, down, across),
        }[turn]
        back.append(BOX.pack(*place, percent))
    return b"".join(back)


def _timeout() -> float:
    """Seconds for one run of tesseract: TIMEOUT_S, as many times as it takes this process longer to get its work done than
    it would alone. The scheduler counts how long it ran and how long it waited for a processor (proc/self/schedstat)."""
    try:
        ran, waited, _ = map(int, Path("/proc/self/schedstat").read_bytes().split())
    except (OSError, ValueError):  # a kernel that does not count
        return TIMEOUT_S
    return TIMEOUT_S * min(MOST_PATIENCE, 1 + waited / max(ran, 1))


def _tesseract(gray: Image.Image, languages: str, layout: int) -> dict[str, list[Any]]:
    """The table of words that tesseract finds, column by column."""
    # Handed over uncompressed: making a PNG of 1440 px takes longer than reading a small text.
    gray.format = "PPM"
    # On its default, one thread per core, tesseract's threads wait for each other: a page takes 8 times as long.
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        return tesseract.image_to_data(
            gray,
            lang=languages,
            config=f"--psm {layout}",
            timeout=_timeout(),
            output_type=tesseract.Output.DICT,
        )
    except pytesseract.TesseractNotFoundError as error:
        _languages.cache_clear()
        reason = f"tesseract is not installed: {INSTALL}"
        raise ModelError(reason) from error
    except pytesseract.TesseractError as error:
        reason = f"reading the text failed: {' '.join(str(error.args[-1]).split())[:200]}"
        raise Unreadable(reason) from error
    except RuntimeError as error:  # that is how pytesseract says that the time is over
        reason = f"reading the text took longer than {TIMEOUT_S} s"  # of a machine of its own
        raise Unreadable(reason) from error


def _body(found: dict[str, list[Any]], confidence: int, letters: int = 1) -> tuple[str, bytes]:
    """The words of at least that confidence and length in their lines, an empty line between blocks; and their boxes
    (see Text.boxes)."""
    lines: dict[tuple[int, int, int], list[tuple[str, bytes]]] = {}
    width, height = (
        max(found["width"][0], 1),
        max(found["height"][0], 1),
    )  # the first row is the page
    columns = (
        found[key]
        for key in (
            "block_num",
            "par_num",
            "line_num",
            "conf",
            "text",
            "left",
            "top",
            "width",
            "height",
        )
    )
    for block, paragraph, line, percent, text, *box in zip(*columns, strict=True):
        word = "".join(str(text).split())
        if float(percent) >= confidence and sum(map(str.isalnum, word)) >= letters:
            lines.setdefault((int(block), int(paragraph), int(line)), []).append(
                (word, _packed(box, width, height, float(percent)))
            )
    parts: list[str] = []
    boxes: list[bytes] = []
    last = 0
    for (block, _, _), words in lines.items():
        if parts and block != last:
            parts.append("")
        parts.append(" ".join(word for word, _ in words))
        boxes += [box for _, box in words]
        last = block
    return "\n".join(parts), b"".join(boxes)


def _packed(box: list[Any], width: int, height: int, percent: float) -> bytes:
    left, top, across, down = (
        min(max(round(65535 * int(value) / side), 0), 65535)
        for value, side in zip(box, (width, height, width, height), strict=True)
    )
    return BOX.pack(left, top, across, down, min(max(round(percent), 0), 100))


def _junk(body: str) -> bool:
    """Whether *body* is what tesseract makes of textures: single letters, signs, hardly a word."""
    tokens = body.split()
    letters = sum(character.isalnum() for token in tokens for character in token)
    signs = sum(len(token) for token in tokens) - letters
    words = [token for token in tokens if WORD.search(token)]
    longest = max((len(match) for token in words for match in WORD.findall(token)), default=0)
    return longest < 3 or len(words) * 2 < len(tokens) or signs > letters


@functools.cache
def _languages() -> tuple[str, ...]:
    """The languages that are read: those that the owner names, else all that are installed. Raises ModelError."""
    try:
        there = cast("list[str]", tesseract.get_languages())
    except pytesseract.TesseractNotFoundError as error:
        reason = f"tesseract is not installed: {INSTALL}"
        raise ModelError(reason) from error
    named = tuple(filter(None, os.environ.get(LANGUAGES_ENV, "").split("+")))
    if lacking := [language for language in named if language not in there]:
        packages = " ".join(f"tesseract-ocr-{name.lower().replace('_', '-')}" for name in lacking)
        reason = f"tesseract has no data for {', '.join(lacking)}: install the Debian packages {packages}"
        raise ModelError(reason)
    known = tuple(sorted(set(there) - _NO_LANGUAGES))
    if len(known) > MOST_LANGUAGES:
        known = tuple(language for language in LANGUAGES if language in there)
    if not named and not known:
        reason = f"tesseract has no data for any language: {INSTALL}"
        raise ModelError(reason)
    return named or known
