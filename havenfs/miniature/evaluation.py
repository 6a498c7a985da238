"""What a model can do, measured on drawings that it has never seen: telling apart, finding, and staying silent.

Works on arrays of unit rows, whoever made them (torch, fp32 ONNX, int8), so that the same figures compare all three.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from havenfs.miniature.drawings import Truth, draw_many
from havenfs.models.calibration import Calibration
from havenfs.retrieval import cutoff
from havenfs.sample.vocabulary import SETTINGS, THINGS, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from havenfs.miniature.drawings import Drawings
    from havenfs.sample.scenes import Scene


class Towers(Protocol):
    """Both towers of a model."""

    def images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Unit rows [n, d]."""
        ...

    def texts(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit rows [n, d]."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Drawings kept for measuring."""

    fresh: Drawings
    """One thing each, combinations as in training."""
    heldout: Drawings
    """One thing each, combinations that training never drew."""
    library: Drawings
    """As training draws them: a small library to search in."""
    tuning: Drawings
    """Another such library, to set the floors by."""


def trials(*, number: int = 800, seed: int = 900_001, workers: int = 2) -> Trials:
    """The measuring drawings; always the same ones for the same arguments."""
    return Trials(
        fresh=draw_many(number, seed=seed, single=True, workers=workers),
        heldout=draw_many(number, seed=seed + 1, heldout=True, single=True, workers=workers),
        library=draw_many(2 * number, seed=seed + 2, anything=True, workers=workers),
        tuning=draw_many(2 * number, seed=seed + 3, anything=True, workers=workers),
    )


def sentence(thing: str, colour: str, setting: str) -> str:
    """The sentence by which a class is recognised: "a photo of a red car on the road"."""
    noun = f"{colour} {thing}".strip()
    return (
        f"a photo of {'an' if noun[0] in 'aeiou' else 'a'} {noun} {SETTINGS[setting].phrases[0][0]}"
    )


CLASSES: tuple[tuple[str, str, str], ...] = tuple(
    (thing, colour, setting)
    for thing, known in THINGS.items() for colour in (known.colours or ("",))
    for setting, place in SETTINGS.items() if place.things
)  # fmt: skip
"""Every thing in every colour in every setting: what the strictest test chooses among."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """Shares of drawings recognised, 0..1."""

    all_of_it: float
    """Thing, colour and setting together, the best of all CLASSES."""
    within_five: float
    """As before, right one among the five best."""
    thing: float
    """The best of "a photo of a <thing>"."""
    colour: float
    """The best of "a <colour> <thing>" for the right thing."""
    setting: float


def recognise(towers: Towers, drawings: Drawings) -> Recognition:
    """How many of the drawings (one thing each) the model names rightly."""
    pictures = towers.images(drawings.pixels)
    best = np.argsort(
        -(pictures @ towers.texts([sentence(*parts) for parts in CLASSES]).T), axis=1
    )[:, :5]
    right = [_parts(scene) for scene in drawings.scenes]
    named = [[CLASSES[int(place)] for place in row] for row in best]
    names = list(THINGS)
    by_thing = (
        pictures
        @ towers.texts(
            [f"a photo of {'an' if name[0] in 'aeiou' else 'a'} {name}" for name in names]
        ).T
    )
    places = [name for name, setting in SETTINGS.items() if setting.things]
    by_place = (
        pictures @ towers.texts([f"a photo {SETTINGS[name].phrases[0][0]}" for name in places]).T
    )
    asked = {
        name: towers.texts([f"a {colour} {name}" for colour in THINGS[name].colours])
        for name in names
        if THINGS[name].colours
    }
    coloured = [
        THINGS[parts[0]].colours[int((asked[parts[0]] @ picture).argmax())] == parts[1]
        for picture, parts in zip(pictures, right, strict=True) if parts[1]
    ]  # fmt: skip
    return Recognition(
        all_of_it=_share(first[0] == parts for first, parts in zip(named, right, strict=True)),
        within_five=_share(parts in first for first, parts in zip(named, right, strict=True)),
        thing=_share(
            names[at] == parts[0] for at, parts in zip(by_thing.argmax(1), right, strict=True)
        ),
        colour=float(np.mean(coloured)),
        setting=_share(
            places[at] == parts[2] for at, parts in zip(by_place.argmax(1), right, strict=True)
        ),
    )


def _share(hits: Iterable[bool]) -> float:
    return float(np.mean(list(hits)))


def _parts(scene: Scene) -> tuple[str, str, str]:
    return scene.things[0], scene.colours[0], scene.settings[0]


PROMPT = "a photo of {}"
"""The sentence that a search makes of its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """Searching a library of drawings for words, as `havenfs.retrieval.cutoff` ends answers; shares 0..1."""

    ndcg10: float
    """Mean over words and coloured things that are there; of the ranking alone, nothing cut off."""
    answered: float
    """Of the queries for what is there, those with any answer."""
    precision: float
    recall: float
    f1: float
    """Of the answers, means over the same queries; no answer counts as 0 (precision: is left out)."""
    absent_empty: float
    """Of the words for what is not there, those that are answered with nothing."""
    f1_sd_alone: float
    absent_empty_sd_alone: float
    """The same without a floor for the cosine, with the best floor in standard deviations."""
    highest_present: tuple[float, float, float]
    highest_absent: tuple[float, float, float]
    """Best cosine of a query: 5 %, 50 % and 95 % of the queries lie below."""


def questions(scenes: Sequence[Scene]) -> tuple[list[str], NDArray[np.bool_]]:
    """Words and coloured things of which at least two drawings show something, and which [queries, scenes] show it."""
    pairs = {f"{colour} {name}" for name, thing in THINGS.items() for colour in thing.colours}
    asked = sorted(WORDS | pairs)
    truth = Truth(scenes).of(
        [tuple({query, *query.split()}) if query in pairs else (query,) for query in asked]
    )
    some = truth.sum(1) >= 2
    return [query for query, there in zip(asked, some, strict=True) if there], truth[some]


def calibrate(
    towers: Towers, library: Drawings, absent: Sequence[str]
) -> tuple[Calibration, Calibration]:
    """The floors with the best sum of F1 (words that are there) and silence (words that are not).

    Second: the best floor in standard deviations when there is no floor for the cosine.
    """
    asked = _ask(towers, library, absent)

    def worth(calibration: Calibration) -> float:
        kept, heard = _kept(asked.similar, calibration), _kept(asked.nothing, calibration)
        return float(np.mean(_f1(kept, asked.truth)) + np.mean(heard.sum(1) == 0))

    both = [_floors(sd, cosine) for sd in (0, 1, 2, 3) for cosine in np.arange(0.15, 0.8, 0.05)]
    alone = [_floors(sd, -1.0) for sd in np.arange(1, 5, 0.5)]
    return max(both, key=worth), max(alone, key=worth)


def _floors(sd: float, cosine: float) -> Calibration:
    return Calibration(
        floor_sd=round(float(sd), 2), floor_cosine=round(float(cosine), 2), prompt=PROMPT
    )


def retrieve(
    towers: Towers,
    library: Drawings,
    absent: Sequence[str],
    calibration: Calibration,
    alone: Calibration,
) -> Retrieval:
    """How well words find their drawings, and how silent absent words are, with those floors."""
    asked = _ask(towers, library, absent)
    kept, truth = _kept(asked.similar, calibration), asked.truth
    right, some = (kept & truth).sum(1), kept.sum(1) > 0
    return Retrieval(
        ndcg10=float(
            np.mean([_ndcg(row, wanted) for row, wanted in zip(asked.similar, truth, strict=True)])
        ),
        answered=_share(some),
        precision=float(np.mean(right[some] / kept.sum(1)[some])) if some.any() else 0.0,
        recall=float(np.mean(right / truth.sum(1))),
        f1=float(np.mean(_f1(kept, truth))),
        absent_empty=_share(_kept(asked.nothing, calibration).sum(1) == 0),
        f1_sd_alone=float(np.mean(_f1(_kept(asked.similar, alone), truth))),
        absent_empty_sd_alone=_share(_kept(asked.nothing, alone).sum(1) == 0),
        highest_present=_three(asked.similar),
        highest_absent=_three(asked.nothing),
    )


def _three(cosines: NDArray[np.float32]) -> tuple[float, float, float]:
    """Of each query the best cosine; of these the 5 %, 50 % and 95 % quantile."""
    best = np.sort(cosines.max(1))
    low, middle, high = (
        round(float(best[int(share * (len(best) - 1))]), 3) for share in (0.05, 0.5, 0.95)
    )
    return low, middle, high


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    truth: NDArray[np.bool_]
    """[queries, pictures]"""
    similar: NDArray[np.float32]
    nothing: NDArray[np.float32]
    """Cosines [queries, pictures] of what is there and of what is not."""


def _ask(towers: Towers, library: Drawings, absent: Sequence[str]) -> _Asked:
    present, truth = questions(library.scenes)
    pictures = towers.images(library.pixels).T
    similar, nothing = (
        towers.texts([PROMPT.format(query) for query in queries]) @ pictures
        for queries in (present, absent)
    )
    return _Asked(truth=truth, similar=similar, nothing=nothing)


def _kept(cosines: NDArray[np.float32], calibration: Calibration) -> NDArray[np.bool_]:
    """[queries, pictures]: the answers, as a search would give them."""
    kept = np.zeros(cosines.shape, bool)
    for row, values in zip(kept, cosines, strict=True):
        order = np.argsort(-values)
        best = [float(value) for value in values[order]]
        row[order[: cutoff.kept(best, cutoff.crowd(values), calibration, len(values))]] = True
    return kept


def _f1(kept: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    return 2 * (kept & truth).sum(1) / np.maximum(1, kept.sum(1) + truth.sum(1))


def _ndcg(row: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    discount = 1 / np.log2(np.arange(2, 12))
    found = right[np.argsort(-row)[:10]]
    return float(
        (found * discount[: len(found)]).sum() / discount[: min(10, int(right.sum()))].sum()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How near a model is to its reference on the same drawings."""

    cosine_mean: float
    cosine_min: float
    text_cosine_min: float
    top10_overlap: float
    """Of the ten best drawings for a query, the share that both name; mean over queries."""


def agree(towers: Towers, reference: Towers, library: Drawings) -> Agreement:
    """Compare the rows and the rankings of two models."""
    present, _ = questions(library.scenes)
    pictures, others = towers.images(library.pixels), reference.images(library.pixels)
    texts, other_texts = towers.texts(present), reference.texts(present)
    near = (pictures * others).sum(1)
    first, second = (
        np.argsort(-(left @ right.T), axis=1)[:, :10]
        for left, right in ((texts, pictures), (other_texts, others))
    )
    overlap = [
        len(set(left.tolist()) & set(right.tolist())) / 10
        for left, right in zip(first, second, strict=True)
    ]
    return Agreement(
        cosine_mean=float(near.mean()),
        cosine_min=float(near.min()),
        text_cosine_min=float((texts * other_texts).sum(1).min()),
        top10_overlap=float(np.mean(overlap)),
    )
