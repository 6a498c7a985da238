"""Searching: text or a parsed query in, ranked hits with reasons out.

A Searcher may be used by several threads at once: each call works on its thread's own connection, and what is
remembered (answers, the sample of the library) is guarded by one lock that is never held while anything is computed.
A call blocks for the text model (milliseconds once it is loaded) and for the catalog.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from havenfs import query as language
from havenfs.catalog import changes, filters, vectors, words
from havenfs.config import State
from havenfs.entities import Hit, ModelId
from havenfs.errors import EncoderUnavailable, ModelError
from havenfs.models import registry
from havenfs.models.calibration import Calibration
from havenfs.query import Query

from . import cutoff, phrases
from .evaluate import Evaluation, Look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from havenfs.catalog import Catalog
    from havenfs.catalog.filters import Connection
    from havenfs.entities import AssetId

    from .encoder import Encoder
    from .evaluate import Selection
    from .phrases import Phrase

log = logging.getLogger(__name__)

LIMIT = 200
"""Hits of an answer that does not say."""
REMEMBERED = 128
"""Answers kept; a file manager asks the same search many times over."""
FRESH_S = 60.0
"""How long an answer is kept at most: a model may have changed without the library changing."""
NO_PICTURES = "picture search is not available right now"
NOT_YET = (
    "no picture has been looked at yet by the model in use; pictures appear as indexing goes on"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a search found."""

    hits: tuple[Hit, ...]
    """Best first, or as `sort=` says."""
    notes: tuple[str, ...]
    """What the person should know about this answer."""
    generation: int
    """The state of the library that it speaks of (catalog.changes)."""


@dataclass(frozen=True, slots=True)
class _Sampled:
    generation: int
    at: float
    vectors: NDArray[np.int8]
    total: int
    """Vectors of the whole library."""


class Searcher:
    """Searches the library of *catalog*; without an *encoder*, by words and filters alone."""

    def __init__(self, catalog: Catalog, encoder: Encoder | None) -> None:
        self._catalog = catalog
        self._encoder = encoder
        self._state = State(root=catalog.path.parent)
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[str, int], tuple[float, Answer]] = OrderedDict()
        self._samples: dict[ModelId, _Sampled] = {}

    def search(
        self, text_or_query: str | Query, *, limit: int = LIMIT, path: bool = False
    ) -> Answer:
        """The answer; `limit=` in the query outranks *limit*. *path*: the text is the name of a folder.

        Raises InvalidQuery.
        """
        query = (
            text_or_query
            if isinstance(text_or_query, Query)
            else language.parse(text_or_query, path=path)
        )
        key = (str(query), limit)
        generation = self._catalog.read(changes.generation)
        known = self._remembered(key, generation)
        if known is not None:
            return known
        places = self._catalog.read(filters.places_named)
        people = self._catalog.read(filters.persons_named)
        asked = {
            text: phrases.understand(text, places, people) for text in phrases.bare(query.where)
        }
        looks, note = self._looks({phrase.look for phrase in asked.values()} - {""}, generation)
        picture = self._picture(generation) if "like=" in str(query) else None
        answer = self._catalog.read(
            _answer, query, asked, looks, picture, query.limit or limit, (note,) if note else ()
        )
        if not answer.notes:  # what could not be done now may be possible in a second
            self._remember(key, answer)
        return answer

    def _looks(self, wanted: set[str], generation: int) -> tuple[dict[str, Look], str | None]:
        """How the model sees each of the phrases, and what to tell the person when it does not."""
        if not wanted:
            return {}, None
        if self._encoder is None:
            return {}, NO_PICTURES
        calibration, _ = self._calibration()
        found: dict[str, Look] = {}
        try:
            for phrase in sorted(wanted):
                model, vector = self._encoder.encode(calibration.sentence(phrase))
                sample = self._sample(model, generation)
                if not sample.total:
                    return {}, NOT_YET
                found[phrase] = _look(model, vector, calibration, sample)
        except EncoderUnavailable as error:
            log.info("a search goes on without pictures: %s", error)
            return {}, NO_PICTURES
        return found, None

    def _picture(self, generation: int) -> Look | None:
        """The model that answers, else the one that has seen most of the library."""
        calibration, active = self._calibration()
        seen = [ModelId(name) for name, _ in self._catalog.read(vectors.models)]
        if not seen:
            return None
        model = active if active is not None and active in seen else seen[0]
        return _look(model, np.zeros(0, np.float32), calibration, self._sample(model, generation))

    def _calibration(self) -> tuple[Calibration, ModelId | None]:
        try:
            model = registry.answering(self._state)
        except ModelError as error:
            log.info("searching with default floors: %s", error)
            return Calibration(), None
        return model.calibration, model.id

    def _sample(self, model: ModelId, generation: int) -> _Sampled:
        """The crowd of *model*; while a large library grows, one of a minute ago does as well."""
        now = time.monotonic()
        with self._lock:
            known = self._samples.get(model)
        if known is not None and (
            known.generation == generation
            or (len(known.vectors) == cutoff.SAMPLE and now - known.at < FRESH_S)
        ):
            return known
        some = self._catalog.read(vectors.sample, model, cutoff.SAMPLE)
        sampled = _Sampled(generation, now, some, self._catalog.read(vectors.count, model))
        with self._lock:
            self._samples[model] = sampled
        return sampled

    def _remembered(self, key: tuple[str, int], generation: int) -> Answer | None:
        with self._lock:
            until, answer = self._answers.get(key, (0.0, None))
            if answer is None or answer.generation != generation or time.monotonic() > until:
                return None
            self._answers.move_to_end(key)
            return answer

    def _remember(self, key: tuple[str, int], answer: Answer) -> None:
        with self._lock:
            self._answers[key] = (time.monotonic() + FRESH_S, answer)
            self._answers.move_to_end(key)
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)


def _look(
    model: ModelId, vector: NDArray[np.float32], calibration: Calibration, sample: _Sampled
) -> Look:
    return Look(
        model=model,
        vector=vector,
        calibration=calibration,
        crowd=sample.vectors,
        total=sample.total,
    )


def _answer(
    db: Connection,
    query: Query,
    asked: dict[str, Phrase],
    looks: dict[str, Look],
    picture: Look | None,
    limit: int,
    notes: tuple[str, ...],
) -> Answer:
    """The whole search, in the caller's transaction."""
    selection = Evaluation(db, asked, looks, picture).select(query.where)
    ordered = _ordered(db, query, selection, limit)
    reasons = _reasons(db, selection, [asset_id for asset_id, _ in ordered])
    return Answer(
        hits=tuple(
            Hit(
                asset_id=asset_id,
                score=round(score, 4),
                reasons=tuple(dict.fromkeys(reasons[asset_id])),
            )
            for asset_id, score in ordered
        ),
        notes=notes,
        generation=changes.generation(db),
    )


def _ordered(
    db: Connection, query: Query, selection: Selection, limit: int
) -> list[tuple[AssetId, float]]:
    """At most *limit* assets with their scores, in the order that the query asks for."""
    scores = selection.scores
    passing = filters.keep(db, selection.test, scores) if scores else set[int]()
    ranked = sorted(((i, s) for i, s in scores.items() if i in passing), key=lambda hit: -hit[1])
    certain = (
        ranked[-1][1] if ranked else 1.0
    )  # of what passes unranked: never above what is ranked
    low = query.score.low if query.score and query.score.low is not None else 0.0
    high = query.score.high if query.score and query.score.high is not None else 1.0
    good = [(i, s) for i, s in ranked if low <= s <= high]
    unranked = not selection.ranked and low <= certain <= high
    rest = filters.all_of([selection.test, filters.negate(filters.among([i for i, _ in ranked]))])
    sort = query.sort
    if sort is not None and sort.word != "score":
        tests = [filters.among([i for i, _ in good])]
        if unranked:
            tests.append(rest)
        ids = filters.find(db, filters.any_of(tests), limit=limit, order=str(sort))
        return [(i, scores.get(i, certain)) for i in ids]
    if sort is not None and sort.reverse:
        good.reverse()
    if unranked and len(good) < limit:
        more = filters.find(db, rest, limit=limit - len(good))
        good = [*good, *((i, certain) for i in more)]
    return good[:limit]


def _reasons(
    db: Connection, selection: Selection, ids: Sequence[AssetId]
) -> dict[AssetId, tuple[str, ...]]:
    """Why each of *ids* is a hit: what it looks like, where the words stand, which filters it passed."""
    why = {asset_id: selection.reasons.get(asset_id, ()) for asset_id in ids}
    for expression in dict.fromkeys(selection.texts):
        for asset_id, (column, snippet) in words.explain(db, expression, ids).items():
            if column == "name":
                why[asset_id] += ("name",)
            elif column == "place":
                if not selection.because:
                    why[asset_id] += (f"in {snippet}",)
            else:
                why[asset_id] += (f"{'caption' if column == 'caption' else 'text'}: {snippet}",)
    for test, reason in selection.because:
        for asset_id in filters.keep(db, test, ids):
            why[asset_id] += (reason,)
    return why
