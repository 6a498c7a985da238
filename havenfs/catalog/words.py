"""Words: the full-text index over names, places, captions, what OCR read, and documents.

One FTS5 row per asset, rowid = asset id. Names are indexed as written and cut where letters, digits and capitals meet,
so that each part finds them. Makes FTS5 expressions too, so that nothing else needs to know their syntax.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from msgspec import Struct

from havenfs.entities import AssetId

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

COLUMNS = ("name", "place", "caption", "ocr", "document")
"""In the order of the table. Best evidence first, which is also the order in which a reason is looked for."""

STOP_WORDS = frozenset(
    "a an and are as at by for from in into is it its my of on or our some that the their this to with your".split()  # noqa: SIM905 - a sentence reads better
)
"""Words that no text hit depends on: "dog on a beach" asks for dog and beach."""

PREFIX_CHARS = 3
"""From this length on, a word also finds names that begin a part with it; the index has prefixes of 2 and 3."""
OPEN, CLOSE = "\x02", "\x03"


class Match(Struct, frozen=True, kw_only=True):
    """An asset whose words match, with how well."""

    asset_id: AssetId
    score: float
    """bm25, weighted by column; larger is better, comparable within one answer."""


def fold(text: str) -> str:
    """*text* without case and diacritics: `Zürich` and `ZURICH` are one place."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))


def put(
    db: apsw.Connection,
    asset_id: AssetId,
    *,
    name: str | None = None,
    place: str | None = None,
    caption: str | None = None,
    ocr: str | None = None,
    document: str | None = None,
) -> None:
    """Set the given columns of the asset's words. None leaves a column as it is, "" empties it."""
    name = None if name is None else name_words(name)
    row = db.execute(
        "SELECT name, place, caption, ocr, document FROM words WHERE rowid = ?", (asset_id,)
    ).fetchone()
    if row is None:
        if any((name, place, caption, ocr, document)):
            db.execute(
                "INSERT INTO words (rowid, name, place, caption, ocr, document) VALUES (?, ?, ?, ?, ?, ?)",
                (asset_id, name or "", place or "", caption or "", ocr or "", document or ""),
            )
            _say_so(db, asset_id)
        return
    given = (name, place, caption, ocr, document)
    new = tuple(old if value is None else value for old, value in zip(row, given, strict=True))
    if new != row:  # an update rewrites all postings of the row: not for nothing
        db.execute(
            "UPDATE words SET name = ?, place = ?, caption = ?, ocr = ?, document = ? WHERE rowid = ?",
            (*new, asset_id),
        )
        _say_so(db, asset_id)


def remove(db: apsw.Connection, asset_id: AssetId) -> None:
    """Forget the asset's words."""
    db.execute("DELETE FROM words WHERE rowid = ?", (asset_id,))
    if db.changes():
        _say_so(db, asset_id)


def name_words(name: str) -> str:
    """*name* with its parts spelled out: `MyInvoice2019.pdf` gives `MyInvoice2019.pdf My Invoice 2019 pdf`."""
    name = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    apart = re.sub(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])", " ", name)
    return name if apart == name else f"{name} {apart}"


def tokens(text: str) -> list[str]:
    """The runs of letters and digits in *text*, as the index's tokenizer cuts them."""
    runs: list[str] = []
    run = ""
    for char in unicodedata.normalize("NFC", text):
        category = unicodedata.category(char)
        if category[0] in "LN" or category == "Co" or (run and category[0] == "M"):
            run += char
        elif run:
            runs.append(run)
            run = ""
    return [*runs, run] if run else runs


def phrase(text: str, columns: Sequence[str] = ()) -> str | None:
    """The expression for *text* word by word in this order; None when it holds no letter or digit."""
    found = tokens(text)
    if not found:
        return None
    scope = "{" + " ".join(columns) + "} : " if columns else ""
    return f'{scope}"{" ".join(found)}"'


def all_words(words: Sequence[str]) -> str | None:
    """The expression for "each of these words": anywhere as a whole, or at the start of a part of the name.

    Stop words count only when there is nothing else. None when no letter or digit is asked for.
    """
    parts = [(word, found) for word in words if (found := tokens(word))]
    strong = [(w, f) for w, f in parts if w.casefold() not in STOP_WORDS] or parts
    terms: list[str] = []
    for word, found in strong:
        exact = " ".join(found)
        forms = [f'"{exact}"']
        if len(found) == 1 and (other := _other_number(exact)):
            forms.append(f'"{other}"')
        if len(word) >= PREFIX_CHARS:
            forms.append(f'name : "{exact}" *')
        terms.append("(" + " OR ".join(forms) + ")")
    return " AND ".join(terms) or None


def match(db: apsw.Connection, expression: str, limit: int) -> list[Match]:
    """The visible assets that match the FTS5 *expression*, best first, at most *limit*; ties by id.

    A name or a place says more than a word somewhere in a long document: hence the weights.
    """
    return [
        Match(asset_id=AssetId(row[0]), score=-row[1])
        for row in db.execute(
            """
            SELECT words.rowid, bm25(words, 10.0, 8.0, 6.0, 3.0, 1.0) AS cost
              FROM words JOIN visible v ON v.id = words.rowid
             WHERE words MATCH ? ORDER BY cost, words.rowid LIMIT ?
            """,
            (expression, limit),
        )
    ]


def explain(
    db: apsw.Connection, expression: str, ids: Sequence[AssetId]
) -> dict[AssetId, tuple[str, str]]:
    """For those of *ids* that match: the first column of COLUMNS that does, and the words around the match."""
    found: dict[AssetId, tuple[str, str]] = {}
    for row in db.execute(
        """
        SELECT rowid,
               snippet(words, 0, char(2), char(3), '…', 12), snippet(words, 1, char(2), char(3), '…', 12),
               snippet(words, 2, char(2), char(3), '…', 12), snippet(words, 3, char(2), char(3), '…', 12),
               snippet(words, 4, char(2), char(3), '…', 12)
          FROM words WHERE words MATCH ? AND rowid IN (SELECT value FROM json_each(?))
        """,
        (expression, "[" + ",".join(map(str, ids)) + "]"),
    ):
        for column, text in zip(COLUMNS, row[1:], strict=True):
            if text and OPEN in text:
                plain = " ".join(text.replace(OPEN, "").replace(CLOSE, "").split())
                found[AssetId(row[0])] = (column, plain)
                break
    return found


def _say_so(db: apsw.Connection, asset_id: AssetId) -> None:
    """Answers change with the words, but a virtual table has no triggers that could say so."""
    db.execute("INSERT INTO change (asset_id) VALUES (?)", (asset_id,))


def _other_number(word: str) -> str | None:
    """The plural of a singular and the reverse, by the one rule of English that is nearly always right."""
    if len(word) < 4 or not word.isalpha():
        return None
    if word.endswith("s"):
        return None if word.endswith("ss") else word[:-1]
    return word + "s"
