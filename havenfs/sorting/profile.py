"""What the files of one folder have in common: counts, dates and what they look like. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from .traits import Traits


@dataclass(frozen=True, slots=True)
class Profile:
    """Sums over the files directly in a folder, so that files can be taken out again."""

    size: int
    """Files."""
    counts: Mapping[str, int]
    """Observation -> files that show it."""
    taken: NDArray[np.int64]
    """Wall-clock seconds of those that are dated, sorted."""
    looks: NDArray[np.float32] | None
    """The sum of their vectors, each of length 1; None: nothing is embedded."""
    embedded: int
    """How many vectors that is the sum of."""
    places: Mapping[tuple[str, ...], int]
    """City, region, country -> files that were taken there."""

    def without(self, gone: Sequence[Traits]) -> Profile:
        """The folder as it was before these files of it came."""
        return add([self], [Profile.of(gone)])

    @classmethod
    def of(cls, members: Iterable[Traits]) -> Profile:
        """The profile of these files."""
        counts: Counter[str] = Counter()
        places: Counter[tuple[str, ...]] = Counter()
        taken: list[int] = []
        looks: NDArray[np.float32] | None = None
        size = embedded = 0
        for traits in members:
            size += 1
            counts.update(traits.seen)
            if traits.taken is not None:
                taken.append(traits.taken)
            if traits.place:
                places[traits.place] += 1
            if traits.vector is not None:
                looks = traits.vector.copy() if looks is None else looks + traits.vector
                embedded += 1
        return cls(
            size, dict(counts), np.sort(np.array(taken, np.int64)), looks, embedded, dict(places)
        )


def add(profiles: Iterable[Profile], gone: Iterable[Profile] = ()) -> Profile:
    """The profile of all files of *profiles*, without those of *gone*."""
    counts: Counter[str] = Counter()
    places: Counter[tuple[str, ...]] = Counter()
    dates: list[NDArray[np.int64]] = []
    lost: list[int] = []
    looks: NDArray[np.float32] | None = None
    size = embedded = 0
    for sign, several in ((1, profiles), (-1, gone)):
        for each in several:
            size += sign * each.size
            embedded += sign * each.embedded
            for total, part in ((counts, each.counts), (places, each.places)):
                for key, count in part.items():
                    total[key] += sign * count  # pyright: ignore[reportArgumentType]
            if sign > 0:
                dates.append(each.taken)
            else:
                lost += each.taken.tolist()
            if each.looks is not None:
                looks = sign * each.looks if looks is None else looks + sign * each.looks
    taken = np.sort(np.concatenate(dates)) if dates else np.zeros(0, np.int64)
    if lost:
        left = Counter(taken.tolist())
        left.subtract(lost)
        taken = np.array(sorted(left.elements()), np.int64)
    return Profile(size, dict(+counts), taken, looks, embedded, dict(+places))
