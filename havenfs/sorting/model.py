"""All folders weighed against each other: naive Bayes over the observations of `traits`, with the patterns of folder names and the
files taken before and after. Every sum can be taken apart again, which is where reasons come from.

Rows are the folders that exist, then one for each pattern: what its next folder would be. Immutable; any thread. For 2,000 folders
about a millisecond a file (tests/bench/bench_sorting.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from havenfs.catalog import names
from havenfs.catalog.sorting import Folder

from . import clues, patterns, reasons as reasoning
from .clues import DATE, GAPS, LENT, LOOKS, NEIGHBOURS, PRIOR, UNSEEN, WEIGHTS
from .profile import Profile, add

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .traits import Traits

MATCHING = 0.6
"""Share of a folder's dated files whose dates its name must agree with for the name to mean that."""
FOLLOWED = 0.9
"""How often a file lies where the pattern says, at most; the rest was put elsewhere on purpose."""


@dataclass(frozen=True, slots=True)
class Series:
    """Folders that follow one pattern."""

    source_id: int
    template: str
    rows: tuple[int, ...]
    """Of the folders."""
    says: tuple[str, ...]
    """The date in the name of each, as `patterns.span`."""
    total: Profile
    rate: float
    """Share of their dated files that lie where the pattern says."""
    dense: float
    """Share of the months, years or days for which there is a folder: of events most have none."""


class Candidate(NamedTuple):
    """A folder that a file may belong into."""

    folder: Folder
    fresh: bool
    score: float
    """Natural logarithm of how much more likely it is than chance."""
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Weighed:
    """One file against all rows."""

    total: NDArray[np.float64]
    parts: list[tuple[str, str, NDArray[np.float64]]] = field(
        default_factory=list[tuple[str, str, "NDArray[np.float64]"]]
    )
    """Family, observation, and what it says for each row."""


class Model:
    """What the folders of a library say."""

    def __init__(self, profiles: Mapping[Folder, Profile]) -> None:
        self.folders = sorted(profiles)
        self._profiles = [profiles[folder] for folder in self.folders]
        self.size = sum(profile.size for profile in self._profiles)
        self.series = self._found_series()
        self._row = {folder: row for row, folder in enumerate(self.folders)}
        rows = [*self._profiles, *(each.total for each in self.series)]
        self._sizes = np.array([profile.size for profile in rows], float)
        # What a new folder of a pattern lends from: the row of its pattern; no pattern, nothing.
        self._lender = np.full(len(rows), -1)
        for number, each in enumerate(self.series):
            self._lender[list(each.rows)] = len(self.folders) + number
            self._lender[len(self.folders) + number] = len(self.folders) + number
        self._index = _index(rows)
        self._library = add(self._profiles)
        self._time(rows)
        self._looks(rows)
        self._prior = PRIOR * np.log((self._sizes + 1) / (self.size / max(len(rows), 1) + 1))
        # A new folder is as large as the others were once, one file; and there may be none for this time at all.
        self._prior[len(self.folders) :] = PRIOR * np.log(2 / (self.size / max(len(rows), 1) + 1))
        self._prior[len(self.folders) :] += [np.log(min(each.dense, 1.0)) for each in self.series]

    # --- what is known ------------------------------------------------------------------------------------------

    def _found_series(self) -> list[Series]:
        paths = [names.text(folder.path) for folder in self.folders]
        found: dict[tuple[int, str], list[int]] = {}
        for row, (folder, profile) in enumerate(zip(self.folders, self._profiles, strict=True)):
            template = _template(paths[row], profile)
            if template is not None:
                found.setdefault((folder.source_id, template), []).append(row)
        taken: set[int] = set()
        series: list[Series] = []
        for (source_id, template), sure in sorted(found.items(), key=lambda each: -len(each[1])):
            if len(sure) < 2:
                continue
            # Folders whose own files are undated, or are few and wrong, follow it by their names alone.
            rows = [
                row
                for row, path in enumerate(paths)
                if row not in taken
                and self.folders[row].source_id == source_id
                and (row in sure or patterns.read(template, path) is not None)
            ]
            if len(rows) < 2:
                continue
            taken.update(rows)
            members = [self._profiles[row] for row in rows]
            says = [patterns.read(template, paths[row]) or "" for row in rows]
            dated = sum(len(profile.taken) for profile in members)
            right = sum(_within(text, profile) for text, profile in zip(says, members, strict=True))
            different = sorted(set(says))
            series.append(
                Series(
                    source_id,
                    template,
                    tuple(rows),
                    tuple(says),
                    add(members),
                    min(FOLLOWED, (right + FOLLOWED) / (dated + 1)),
                    len(different) / patterns.periods(template, different[0], different[-1]),
                )
            )
        return series

    def _time(self, rows: Sequence[Profile]) -> None:
        everything = self._library.taken
        self._span = float(everything[-1] - everything[0]) + clues.DAY if len(everything) else 1.0
        spreads = [clues.spread(profile, self._span) for profile in rows]
        self._first, self._last, self._fall, self._dense = (
            (np.array(column, float) for column in zip(*spreads, strict=True))
            if spreads
            else (np.zeros(0),) * 4
        )
        # Rows whose names say the date are asked what the name says, not when their files were taken.
        self._named = np.zeros(len(rows), bool)
        self._said: list[dict[str, list[int]]] = []
        """Of each pattern: a date as its folders' names say it -> those folders."""
        for number, each in enumerate(self.series):
            said: dict[str, list[int]] = {}
            for row, text in zip(each.rows, each.says, strict=True):
                said.setdefault(text, []).append(row)
            self._said.append(said)
            if patterns.span(each.template, 0) is not None:
                self._named[[*each.rows, len(self.folders) + number]] = True
        count = len(self.folders)
        owners = np.repeat(np.arange(count), [len(profile.taken) for profile in self._profiles])
        moments = (
            np.concatenate([p.taken for p in self._profiles]) if count else np.zeros(0, np.int64)
        )
        order = np.argsort(moments, kind="stable")
        self._moments, self._owners = moments[order], owners[order]
        self._same = self._neighbourly()

    def _neighbourly(self) -> list[float]:
        """How often a file lies where its neighbour in time does, by how far apart they are: what the owner did so far."""
        gaps = np.diff(self._moments)
        same = self._owners[1:] == self._owners[:-1]
        rates: list[float] = []
        low = -1
        for high in GAPS:
            chosen = (gaps > low) & (gaps <= high)
            count = int(chosen.sum())
            # One file of each answer besides, so that three neighbours prove nothing.
            rates.append((int(same[chosen].sum()) + 1) / (count + 2))
            low = high
        return rates

    def _looks(self, rows: Sequence[Profile]) -> None:
        width = next((len(p.looks) for p in rows if p.looks is not None), 0)
        self._means = np.zeros((len(rows), width), np.float32)
        self._trusted = np.zeros(len(rows))
        for row, profile in enumerate(rows):
            if profile.looks is not None and len(profile.looks) == width and profile.embedded:
                mean = profile.looks / profile.embedded
                self._means[row] = mean / max(float(np.linalg.norm(mean)), 1e-9)
                self._trusted[row] = profile.embedded / (profile.embedded + 3)
        looks = self._library.looks
        self._mean = (
            looks / max(float(np.linalg.norm(looks)), 1e-9) if looks is not None and width else None
        )

    def _series(self, row: int) -> Series:
        return self.series[row - len(self.folders)]

    # --- weighing -----------------------------------------------------------------------------------------------

    def weigh(self, traits: Traits) -> Weighed:
        """What everything that is seen of a file says for each row."""
        weighed = Weighed(self._prior.copy())
        sums: dict[str, NDArray[np.float64]] = {}
        for observation in traits.seen:
            family = observation.partition(":")[0]
            if family in WEIGHTS and (said := self._counted(observation)) is not None:
                said = said * WEIGHTS[family].weight
                weighed.parts.append((family, observation, said))
                sums[family] = sums[family] + said if family in sums else said
        for family, total in sums.items():
            weighed.total += np.clip(total, WEIGHTS[family].low, WEIGHTS[family].high)
        if traits.taken is not None and len(self._moments):
            self._weigh_time(weighed, traits.taken)
        if (
            traits.vector is not None
            and self._mean is not None
            and len(traits.vector) == len(self._mean)
        ):
            near = self._means @ traits.vector - float(self._mean @ traits.vector)
            said = (
                np.clip(clues.SHARPNESS * near * LOOKS.weight, LOOKS.low, LOOKS.high)
                * self._trusted
            )
            weighed.parts.append(("looks", "", said))
            weighed.total += said
        return weighed

    def _counted(self, observation: str) -> NDArray[np.float64] | None:
        """How much more often a row's files show it than the library's; None: hardly any do."""
        known = self._index.get(observation)
        if known is None:
            return None
        rows, counts = known
        everywhere = self._library.counts.get(observation, 0) / max(self.size, 1)
        if not everywhere:
            return None
        shown = np.zeros(len(self._sizes) + 1)  # the last one: of those who lend nothing
        shown[rows] = counts
        lends = self._lender >= 0
        lender = np.where(lends, self._lender, 0)
        lent = np.where(lends, shown[lender] / np.maximum(self._sizes[lender], 1), 0.0)
        weight = np.where(lends, LENT, 0.0)
        share = (shown[:-1] + weight * lent + UNSEEN * everywhere) / (self._sizes + weight + UNSEEN)
        return np.log(share / everywhere)

    def _weigh_time(self, weighed: Weighed, moment: int) -> None:
        said = clues.dates(moment, self._first, self._last, self._fall, self._dense)
        said = np.where(self._named, 0.0, said)
        for number, each in enumerate(self.series):
            wanted = patterns.span(each.template, moment)
            if wanted is None:
                continue
            inside = np.searchsorted(self._library.taken, _bounds(wanted))
            share = (int(inside[1] - inside[0]) + 1) / (len(self._library.taken) + 2)
            against = (1 - each.rate) / (1 - min(share, 0.99))
            said[list(each.rows)] = np.clip(np.log(against) * DATE.weight, DATE.low, DATE.high)
            right = [*self._said[number].get(wanted, ()), len(self.folders) + number]
            said[right] = np.clip(np.log(each.rate / share) * DATE.weight, DATE.low, DATE.high)
        weighed.parts.append(("date", "", said))
        weighed.total += said
        self._weigh_neighbours(weighed, moment)

    def _weigh_neighbours(self, weighed: Weighed, moment: int) -> None:
        at = int(np.searchsorted(self._moments, moment))
        said = np.zeros(len(self._sizes))
        for place in (at - 1, at):
            if not 0 <= place < len(self._moments):
                continue
            gap = abs(int(self._moments[place]) - moment)
            bin_ = int(np.searchsorted(GAPS, gap))
            if bin_ == len(GAPS):
                continue
            row = int(self._owners[place])
            rate, chance = self._same[bin_], (self._sizes[row] + 1) / (self.size + 2)
            ratio = (rate + (1 - rate) * chance) / chance
            value = float(np.clip(np.log(ratio) * NEIGHBOURS.weight, 0.0, NEIGHBOURS.high))
            said[row] = max(said[row], value)
        if said.any():
            weighed.parts.append(("neighbours", "", said))
            weighed.total += said

    # --- answers ------------------------------------------------------------------------------------------------

    def candidates(self, traits: Traits, most: int, *, told: int = 0) -> list[Candidate]:
        """The *most* likely folders, the best first; folders that are not there yet among them. The first *told* have
        reasons."""
        if not self.folders:
            return []
        weighed = self.weigh(traits)
        found: list[Candidate] = []
        for row in np.argsort(-weighed.total).tolist():
            folder, fresh = self._folder(row, traits), row >= len(self.folders)
            if folder is None or (fresh and folder in self._row):
                continue
            score = float(weighed.total[row])
            reasons = self._reasons(weighed, row, traits) if len(found) < told else ()
            found.append(Candidate(folder, fresh, score, reasons))
            if len(found) == most:
                break
        return found

    def _folder(self, row: int, traits: Traits) -> Folder | None:
        if row < len(self.folders):
            return self.folders[row]
        series = self._series(row)
        path = patterns.written(series.template, traits.taken, traits.place)
        return (
            None if path is None else Folder(self.folders[series.rows[0]].source_id, path.encode())
        )

    def _reasons(self, weighed: Weighed, row: int, traits: Traits) -> tuple[str, ...]:
        lender = int(self._lender[row])
        series = self._series(lender) if lender >= 0 else None
        rows = (*self._profiles, *(each.total for each in self.series))
        view = reasoning.View(
            traits=traits,
            profile=rows[row],
            template=series.template if series is not None else None,
            fresh=row >= len(self.folders),
            siblings=len(series.rows) if series is not None else 0,
            named=bool(self._named[row]),
        )
        said = [(family, seen, float(values[row])) for family, seen, values in weighed.parts]
        return reasoning.told(said, view)


def _index(rows: Sequence[Profile]) -> dict[str, tuple[NDArray[np.intp], NDArray[np.float64]]]:
    """Observation -> rows that show it, and how often. One that only a single file shows says nothing."""
    found: dict[str, tuple[list[int], list[int]]] = {}
    for row, profile in enumerate(rows):
        for observation, count in profile.counts.items():
            where = found.setdefault(observation, ([], []))
            where[0].append(row)
            where[1].append(count)
    return {
        observation: (np.array(where, np.intp), np.array(counts, float))
        for observation, (where, counts) in found.items()
        if max(counts) > 1 or len(counts) > 1
    }


def _template(path: str, profile: Profile) -> str | None:
    """The pattern that a folder follows, as far as its files bear that out."""
    place = max(profile.places, key=lambda key: profile.places[key], default=())
    if place and profile.places[place] < MATCHING * sum(profile.places.values()):
        place = ()
    moment = int(profile.taken[len(profile.taken) // 2]) if len(profile.taken) else None
    template = patterns.pattern(path, moment, place) if path else None
    if template is None:
        return None
    said = patterns.read(template, path)
    enough = _within(said, profile) >= MATCHING * len(profile.taken) if said else True
    return template if enough else None


def _within(span: str | None, profile: Profile) -> int:
    """How many files were taken on a date as `patterns.span` has it."""
    if not span:
        return len(profile.taken)
    try:
        low, high = _bounds(span)
    except ValueError:  # a month 13
        return 0
    inside = np.searchsorted(profile.taken, (low, high))
    return int(inside[1] - inside[0])


def _bounds(span: str) -> tuple[int, int]:
    """First second of a year, month or day, and of the next one."""
    first = np.datetime64(span)
    seconds = np.array([first, first + 1]).astype("datetime64[s]").astype(np.int64)
    return int(seconds[0]), int(seconds[1])
