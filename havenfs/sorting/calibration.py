"""How sure a score is: learned from files that lie in folders already, by hiding some and asking where they belong.

Half of the hidden files are hidden one by one, as a straggler comes; the other half with everything of the same day, as a new
event comes, of whose folder nothing may be left. For these "nowhere" is the right answer, so confidence is lost for each pattern
that the library does not really follow.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .clues import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from havenfs.catalog.sorting import Folder
    from havenfs.entities import AssetId

    from .model import Candidate

HIDDEN = 400
"""Files that are asked for; from 200 on the scale hardly moves between samples."""
SHARE = 0.1
"""Of the library at most, so that what is asked is still the library."""
FEWEST = 30
"""Below that nothing is learned, and the scale of larger libraries is taken."""
CONSIDERED = 12  # candidates of a file; the others have no share in what is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From scores to shares of certainty."""

    temperature: float = 1.4
    """Scores are divided by it: observations are not as independent as they are added up."""
    nowhere: float = 2.0
    """The score of "in none of these folders"."""

    def shares(self, scores: Sequence[float]) -> list[float]:
        """How sure each candidate is, 0..1; together with "nowhere" they are 1."""
        top = max([self.nowhere, *scores])
        parts = [math.exp((score - top) / self.temperature) for score in scores]
        total = sum(parts) + math.exp((self.nowhere - top) / self.temperature)
        return [part / total for part in parts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was found for a hidden file, and where it really lies."""

    candidates: Sequence[Candidate]
    truth: Folder


def fitted(answers: Sequence[Asked]) -> Scale:
    """The scale under which the truth was the least surprising; the usual one when too little was asked."""
    if len(answers) < FEWEST:
        return Scale()
    scales = [
        Scale(temperature=temperature, nowhere=nowhere)
        for temperature in (0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6)
        for nowhere in (-2.0, 0.0, 2.0, 4.0, 6.0, 8.0)
    ]
    return min(scales, key=lambda scale: _surprise(scale, answers))


def _surprise(scale: Scale, answers: Sequence[Asked]) -> float:
    total = 0.0
    for asked in answers:
        shares = scale.shares([candidate.score for candidate in asked.candidates])
        right = [
            share
            for share, candidate in zip(shares, asked.candidates, strict=True)
            if candidate.folder == asked.truth
        ]
        total -= math.log(max(right[0] if right else 1 - sum(shares), 1e-4))
    return total


def hidden(members: Sequence[tuple[AssetId, int | None]]) -> list[AssetId]:
    """Which files to hide, of these with the moments they were taken at. The same for the same library."""
    most = min(HIDDEN, int(len(members) * SHARE))
    order = list(range(len(members)))
    random.Random(len(members)).shuffle(order)
    chosen: dict[int, None] = dict.fromkeys(order[: most // 2])
    days: dict[int, list[int]] = {}
    for number, (_, taken) in enumerate(members):
        if taken is not None:
            days.setdefault(taken // DAY, []).append(number)
    for number in order[most // 2 :]:
        if len(chosen) >= most:
            break
        taken = members[number][1]
        together = days[taken // DAY] if taken is not None else [number]
        if len(together) <= most // 4:
            chosen.update(dict.fromkeys(together))
    return [members[number][0] for number in list(chosen)[:most]]
