"""What is known of the text of an asset besides its words: where they stand on a picture, their language, the keywords.

Keywords by tf-idf against the library's own index of words: what is frequent here and rare elsewhere. DERIVED.
"""

from __future__ import annotations

import json
import math
import struct
from collections import Counter
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from . import words

if TYPE_CHECKING:
    from collections.abc import Collection

    import apsw

    from havenfs.entities import AssetId, Text

KEYWORDS = 8
SHORTEST = 4
"""Letters of a keyword: shorter words are grammar in most languages."""
READ = 20_000
"""Characters in which keywords are looked for: what a document is about, it says early."""
CANDIDATES = 60
"""Words whose rarity is looked up: the most frequent ones."""
KNOWN_FROM = 20
"""Texts in the library from which on rarity means anything."""
_BOX = struct.Struct("<4HB")


class Mark(Struct, frozen=True, kw_only=True):
    """Where a word stands on the picture, as shares of its sides, 0..1."""

    left: float
    top: float
    width: float
    height: float


class Reading(Struct, frozen=True, kw_only=True):
    """What is known of a text."""

    language: str | None
    keywords: tuple[str, ...]


def put(db: apsw.Connection, asset_id: AssetId, text: Text | None) -> None:
    """Replace what is known, after the words themselves have been put."""
    if text is None:
        db.execute("DELETE FROM reading WHERE asset_id = ?", (asset_id,))
        return
    found = _keywords(db, text.body)
    db.execute(
        "INSERT OR REPLACE INTO reading (asset_id, language, keywords, boxes) VALUES (?, ?, ?, ?)",
        (
            asset_id,
            text.language,
            json.dumps(found, ensure_ascii=False) if found else None,
            text.boxes or None,
        ),
    )


def of_asset(db: apsw.Connection, asset_id: AssetId) -> Reading | None:
    """What is known of the asset's text; None without text."""
    row: Any = db.execute(
        "SELECT language, keywords FROM reading WHERE asset_id = ?", (asset_id,)
    ).fetchone()
    if row is None:
        return None
    return Reading(language=row[0], keywords=tuple(json.loads(row[1])) if row[1] else ())


def marks(db: apsw.Connection, asset_id: AssetId, wanted: Collection[str]) -> list[Mark]:
    """Where words of *wanted* stand on the picture, case and diacritics aside; empty for documents."""
    row: Any = db.execute(
        "SELECT r.boxes, w.ocr FROM reading r JOIN words w ON w.rowid = r.asset_id WHERE r.asset_id = ?",
        (asset_id,),
    ).fetchone()
    if row is None or not row[0]:
        return []
    sought = {words.fold(token) for word in wanted for token in words.tokens(word)}
    found: list[Mark] = []
    for word, box in zip(row[1].split(), _BOX.iter_unpack(row[0]), strict=False):
        if not sought.isdisjoint(words.fold(token) for token in words.tokens(word)):
            left, top, width, height = (value / 65535 for value in box[:4])
            found.append(Mark(left=left, top=top, width=width, height=height))
    return found


def _keywords(db: apsw.Connection, body: str) -> list[str]:
    """The words that tell this text from the others, as it spells them, best first."""
    counts: Counter[str] = Counter()
    spelt: dict[str, Counter[str]] = {}
    for token in words.tokens(body[:READ]):
        if len(token) >= SHORTEST and token.isalpha():
            key = words.fold(token)
            counts[key] += 1
            spelt.setdefault(key, Counter())[token] += 1
    (texts,) = db.execute("SELECT count(*) FROM reading").fetchone() or (0,)
    total = max(int(texts), KNOWN_FROM)
    scores: dict[str, float] = {}
    for key, count in counts.most_common(CANDIDATES):
        row: Any = db.execute("SELECT doc FROM words_seen WHERE term = ?", (key,)).fetchone()
        rarity = math.log((total + 1) / (min(row[0] if row else 1, total)))
        scores[key] = (1 + math.log(count)) * rarity
    best = sorted(scores, key=lambda key: (-scores[key], key))[:KEYWORDS]
    return [spelt[key].most_common(1)[0][0] for key in best if scores[key] > 0]
