"""A parsed query against the catalog: each node becomes a Selection, each operator an operation on Selections.

A Selection is a test that SQL can run plus scores for the few assets that were ranked; so sets may be as large as the
library (`-beach`) without being listed, and order comes from the ranked ones. One Evaluation serves one search, inside
one read transaction, on one thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from havenfs.catalog import filters, vectors, words
from havenfs.catalog.filters import EVERYTHING, NOTHING, Test
from havenfs.query import And, Field, Name, Not, Or, Words

from . import cutoff
from .fusion import fuse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from havenfs.catalog.filters import Connection
    from havenfs.entities import AssetId, ModelId
    from havenfs.models.calibration import Calibration
    from havenfs.query import Node

    from .phrases import Phrase

NEAREST = 1000
"""Frames that a picture search looks at: five times the usual answer. The cost of vec0 grows with it."""
TEXT_HITS = 5000
FEW = 4000
"""Up to so many assets left by the filters, each of them is compared (1.4 ms a thousand) instead of the nearest ones."""
ALIKE = 200
"""Answers to `like=`."""
ALIKE_SD = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A phrase as the model sees it."""

    model: ModelId
    vector: NDArray[np.float32]
    calibration: Calibration
    crowd: NDArray[np.int8]
    """Vectors of a sample of the whole library."""
    total: int
    """How many vectors the library has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Assets, some of them ranked."""

    test: Test
    scores: dict[AssetId, float] = field(default_factory=dict["AssetId", float])
    reasons: dict[AssetId, tuple[str, ...]] = field(
        default_factory=dict["AssetId", tuple[str, ...]]
    )
    because: tuple[tuple[Test, str], ...] = ()
    """Reasons that hold for whatever passes a test."""
    ranked: bool = False
    """Only assets with a score can pass."""
    texts: tuple[str, ...] = ()
    """FTS5 expressions that explain hits."""


class Evaluation:
    """One search."""

    def __init__(
        self,
        db: Connection,
        phrases: Mapping[str, Phrase],
        looks: Mapping[str, Look],
        picture: Look | None,
    ) -> None:
        self._db = db
        self._phrases = phrases
        """Text of bare words -> what they ask for."""
        self._looks = looks
        """Phrase.look -> how the model sees it; what is missing is not looked for."""
        self._picture = picture
        """Model and crowd for `like=`; its vector says nothing."""

    def select(self, node: Node | None, around: Sequence[Test] = ()) -> Selection:
        """What *node* asks for. *around*: filters that hold anyway, so that rankings need not look beyond them."""
        if node is None:
            return Selection(test=EVERYTHING)
        if isinstance(node, Words):
            return self._quoted(node.text) if node.quoted else self._bare(node.text, around)
        if isinstance(node, Field):
            return self._field(node, around)
        if isinstance(node, Not):
            return Selection(test=filters.negate(self.select(node.item).test))
        if isinstance(node, Or):
            return _or([self.select(item, around) for item in node.items])
        return self._and(node, around)

    def _and(self, node: And, around: Sequence[Test]) -> Selection:
        """Filters first: what they leave may be so little that all of it can be compared."""
        plain = [self.select(item) for item in node.items if _plain(item)]
        inner = [*around, *(selection.test for selection in plain)]
        rest = [self.select(item, inner) for item in node.items if not _plain(item)]
        return _and([*plain, *rest])

    def _field(self, node: Field, around: Sequence[Test]) -> Selection:
        if node.key == "like":
            return _or(
                [self._like(value.text, around) for value in node.values if isinstance(value, Name)]
            )
        test = filters.compile_field(self._db, node)
        return Selection(test=test, because=((test, _say(node)),))

    def _quoted(self, text: str) -> Selection:
        expression = words.phrase(text)
        if expression is None:
            return Selection(test=NOTHING, ranked=True)
        return self._ranking(fuse(self._matches(expression)), expression)

    def _bare(self, text: str, around: Sequence[Test]) -> Selection:
        phrase = self._phrases[text]
        expression = words.all_words(phrase.words)
        read = self._matches(expression) if expression else []
        there = (
            *((filters.place(self._db, name), f"in {name}") for name in phrase.places),
            *((filters.person(self._db, name), f"{name} is in it") for name in phrase.people),
        )
        named = [test for test, _ in there]
        if named and not phrase.look:
            passing = filters.all_of(named)
            there_first = filters.find(self._db, passing, limit=NEAREST)
            text_hits = self._ranking(fuse(there_first, read), expression)
            return Selection(
                test=filters.any_of([passing, text_hits.test]),
                scores=text_hits.scores,
                because=there,
                texts=text_hits.texts,
            )
        look = self._looks.get(phrase.look)
        seen = self._looking(look, [*around, *named]) if look else []
        texts = [expression]
        if named:
            inside = filters.keep(self._db, filters.all_of(named), seen)
            seen = [asset_id for asset_id in seen if asset_id in inside]
            beside = words.all_words(phrase.rest)
            also = self._matches(beside) if beside else []
            inside = filters.keep(self._db, filters.all_of(named), also) - set(read)
            read += [asset_id for asset_id in also if asset_id in inside]
            texts.append(beside)
        found = self._ranking(fuse(read, seen), *texts)
        reason = f"looks like '{phrase.look}'"
        return Selection(
            test=found.test,
            scores=found.scores,
            reasons=dict.fromkeys(seen, (reason,)),
            because=there,
            ranked=True,
            texts=found.texts,
        )

    def _looking(self, look: Look, around: Sequence[Test]) -> list[AssetId]:
        """The assets that look like it, best first, down to the cut."""
        near, among = self._near(look, look.vector, around, NEAREST)
        crowd = cutoff.crowd(
            vectors.cosines(look.crowd, look.vector) if look.crowd.size else look.vector[:0]
        )
        count = cutoff.kept([cosine for _, cosine in near], crowd, look.calibration, among)
        return [asset_id for asset_id, _ in near[:count]]

    def _like(self, name: str, around: Sequence[Test]) -> Selection:
        """What looks like the asset of this name, itself first. Nothing when there is no such asset."""
        itself = filters.find(self._db, _named(name), limit=1, order="name")
        look = self._picture
        vector = vectors.of_asset(self._db, look.model, itself[0]) if itself and look else None
        if look is None or vector is None:
            return Selection(
                test=filters.among(itself), scores=dict.fromkeys(itself, 1.0), ranked=True
            )
        near, _ = self._near(look, vector, around, ALIKE)
        crowd = cutoff.crowd(vectors.cosines(look.crowd, vector))
        floor = crowd.mean + ALIKE_SD * crowd.sd if crowd.count >= cutoff.FEW else -1.0
        alike = [asset_id for asset_id, cosine in near if cosine >= floor and asset_id != itself[0]]
        found = self._ranking(fuse([*itself, *alike]))
        reason = f"looks like {name}"
        return Selection(
            test=found.test,
            scores=found.scores,
            reasons=dict.fromkeys(alike, (reason,)),
            ranked=True,
        )

    def _near(
        self, look: Look, vector: NDArray[np.float32], around: Sequence[Test], k: int
    ) -> tuple[list[tuple[AssetId, float]], int]:
        """The nearest, and among how many."""
        if around:
            inside = filters.find(self._db, filters.all_of(around), limit=FEW + 1)
            if len(inside) <= FEW:
                return vectors.within(self._db, look.model, vector, inside), len(inside)
        return vectors.nearest(self._db, look.model, vector, k), look.total

    def _matches(self, expression: str) -> list[AssetId]:
        return [hit.asset_id for hit in words.match(self._db, expression, TEXT_HITS)]

    def _ranking(self, scores: dict[AssetId, float], *expressions: str | None) -> Selection:
        return Selection(
            test=filters.among(scores),
            scores=scores,
            ranked=True,
            texts=tuple(text for text in expressions if text),
        )


def _plain(node: Node) -> bool:
    """Whether nothing in it is ranked."""
    if isinstance(node, Not):
        return _plain(node.item)
    if isinstance(node, And | Or):
        return all(map(_plain, node.items))
    return isinstance(node, Field) and node.key != "like"


def _and(parts: Sequence[Selection]) -> Selection:
    """What is in all *parts*; the score is the mean over the parts that rank."""
    ranking = [part for part in parts if part.scores]
    scores: dict[AssetId, float] = {}
    for part in ranking:
        for asset_id, score in part.scores.items():
            scores[asset_id] = scores.get(asset_id, 0.0) + score / len(ranking)
    test = filters.all_of([part.test for part in parts])
    return _joined(parts, test, scores, ranked=any(part.ranked for part in parts))


def _or(parts: Sequence[Selection]) -> Selection:
    """What is in any of *parts*, with its best score."""
    if not parts:
        return Selection(test=NOTHING, ranked=True)
    scores: dict[AssetId, float] = {}
    for part in parts:
        for asset_id, score in part.scores.items():
            scores[asset_id] = max(score, scores.get(asset_id, 0.0))
    test = filters.any_of([part.test for part in parts])
    return _joined(parts, test, scores, ranked=all(part.ranked for part in parts))


def _joined(
    parts: Sequence[Selection], test: Test, scores: dict[AssetId, float], *, ranked: bool
) -> Selection:
    """A selection with the reasons of all *parts*."""
    reasons: dict[AssetId, tuple[str, ...]] = {}
    for part in parts:
        for asset_id, why in part.reasons.items():
            reasons[asset_id] = reasons.get(asset_id, ()) + why
    return Selection(
        test=test,
        scores=scores,
        reasons=reasons,
        because=tuple(why for part in parts for why in part.because),
        ranked=ranked,
        texts=tuple(text for part in parts for text in part.texts),
    )


def _say(node: Field) -> str:
    """Why a hit of this filter is a hit."""
    if node.key == "date" and node.said:
        return f"date: {node.said}"
    return f"{node.key}: {', '.join(value.text if isinstance(value, Name) else str(value) for value in node.values)}"


def _named(name: str) -> Test:
    """Has exactly this name, or this content (the start of its hash in hex, 8 digits or more)."""
    if len(name) >= 8 and all(c in "0123456789abcdefABCDEF" for c in name):
        return Test(
            "lower(hex(hash)) LIKE ? OR name_key = ?", (f"{name.lower()}%", name.casefold())
        )
    return Test("name_key = ?", (name.casefold(),))
