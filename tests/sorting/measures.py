"""How good proposals are: files taken out of their folders and asked for again, and what a simple rule would have said."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from havenfs.sorting import calibration, traits
from havenfs.sorting.calibration import CONSIDERED, Asked
from havenfs.sorting.model import Model
from havenfs.sorting.profile import Profile
from havenfs.sorting.sorter import LEAST, MOST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from havenfs.catalog.sorting import Folder
    from havenfs.sorting.traits import Traits
    from tests.sorting.households import Household


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Shares of all files that were asked for, 0..1."""

    asked: int
    possible: float
    """Whose folder was there, or was the next one of a pattern that is."""
    first: float
    """Right with the best guess, however unsure."""
    third: float
    """Right with one of the three best."""
    covered: float
    """For which anything was proposed."""
    precision: float
    """Of the best proposals: right."""
    sure: float
    """Share of files with a proposal of 0.9 or more."""
    sure_precision: float
    baseline: float
    """Right by "where most files of this type and year lie"."""
    baseline_third: float
    commonest: float
    """Right by "where most files lie"."""


def measure(household: Household, *, late: bool, seed: int = 3) -> Measured:
    """*late*: hold out the last eight months, as if they came now, a third of the household's last year left; else one file in
    eight, as stragglers."""
    everything = [(folder, traits.of(row, household.gazetteer)) for folder, row in household.rows]
    held, kept = split(everything, late=late, seed=seed)
    return score(kept, held)


def split(
    everything: Sequence[tuple[Folder, Traits]], *, late: bool, seed: int
) -> tuple[list[tuple[Folder, Traits]], list[tuple[Folder, Traits]]]:
    """What is asked for, and what is left to learn from."""
    if late:
        moments = sorted(t.taken for _, t in everything if t.taken is not None)
        border = moments[-1] - 8 * 30 * 86_400
        held = [pair for pair in everything if (pair[1].taken or 0) > border]
    else:
        held = random.Random(seed).sample(list(everything), len(everything) // 8)
    gone = {t.asset_id for _, t in held}
    return held, [pair for pair in everything if pair[1].asset_id not in gone]


def model_of(pairs: Sequence[tuple[Folder, Traits]]) -> Model:
    members: dict[Folder, list[Traits]] = {}
    for folder, each in pairs:
        members.setdefault(folder, []).append(each)
    return Model({folder: Profile.of(some) for folder, some in members.items()})


def scale_of(pairs: Sequence[tuple[Folder, Traits]]) -> calibration.Scale:
    ids = set(calibration.hidden([(t.asset_id, t.taken) for _, t in pairs]))
    left = [pair for pair in pairs if pair[1].asset_id not in ids]
    asked = [pair for pair in pairs if pair[1].asset_id in ids]
    model = model_of(left)
    return calibration.fitted(
        [Asked(candidates=model.candidates(t, CONSIDERED), truth=folder) for folder, t in asked]
    )


def score(kept: Sequence[tuple[Folder, Traits]], held: Sequence[tuple[Folder, Traits]]) -> Measured:
    model, scale = model_of(kept), scale_of(kept)
    possible = first = third = covered = right = sure = sure_right = 0
    for truth, each in held:
        found = model.candidates(each, CONSIDERED)
        shares = scale.shares([candidate.score for candidate in found])
        places = [candidate.folder for candidate in found]
        possible += truth in places or truth in model.folders
        first += places[:1] == [truth]
        third += truth in places[:MOST]
        if shares and shares[0] >= LEAST:
            covered += 1
            right += places[0] == truth
        if shares and shares[0] >= 0.9:
            sure += 1
            sure_right += places[0] == truth
    simple = _Simple(kept)
    count = len(held)
    return Measured(
        asked=count,
        possible=possible / count,
        first=first / count,
        third=third / count,
        covered=covered / count,
        precision=right / max(covered, 1),
        sure=sure / count,
        sure_precision=sure_right / max(sure, 1),
        baseline=sum(simple.best(t)[:1] == [f] for f, t in held) / count,
        baseline_third=sum(f in simple.best(t) for f, t in held) / count,
        commonest=sum(simple.commonest == f for f, _ in held) / count,
    )


class _Simple:
    """Same type and year, else same type, else the most common folder."""

    def __init__(self, kept: Sequence[tuple[Folder, Traits]]) -> None:
        self._known: dict[object, Counter[Folder]] = {}
        for folder, each in kept:
            for key in ((each.kind, _year(each)), each.kind, None):
                self._known.setdefault(key, Counter())[folder] += 1
        self.commonest = self._known[None].most_common(1)[0][0]

    def best(self, each: Traits) -> list[Folder]:
        for key in ((each.kind, _year(each)), each.kind, None):
            if key in self._known:
                return [folder for folder, _ in self._known[key].most_common(MOST)]
        return []


def _year(each: Traits) -> int | None:
    return None if each.taken is None else each.taken // 31_556_952
