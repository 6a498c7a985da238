"""Why a file may belong into a folder, in words for people. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import patterns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .profile import Profile
    from .traits import Traits

LEAST = 0.5
"""Of the logarithm of a likelihood ratio, weighted: what says less is no reason."""
MOST = 3
NEAR_S = 6 * 3600
"""Files taken so much before or after are counted in a reason."""
WORDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What reasons are told from."""

    traits: Traits
    profile: Profile
    """Of the folder; of one that is not there yet: of all that follow its pattern."""
    template: str | None
    fresh: bool
    siblings: int
    """Folders that follow the pattern."""
    named: bool
    """The folder's name says the date."""


def told(said: Sequence[tuple[str, str, float]], view: View) -> tuple[str, ...]:
    """The best reasons, from (family, observation, how much it says)."""
    found: list[tuple[float, str]] = []
    words: list[tuple[float, str]] = []
    for family, observation, value in said:
        if value < LEAST and not (family == "word" and value >= LEAST / 2):
            continue
        if family == "word":
            words.append((value, observation))
        elif text := _one(family, observation, view):
            found.append((value, text))
    if words:
        words.sort(reverse=True)
        found.append((min(sum(value for value, _ in words), 7.0), _words(words, view)))
    found.sort(key=lambda each: -each[0])
    return tuple(text for _, text in found[:MOST])


def _one(family: str, observation: str, view: View) -> str | None:
    value = observation.partition(":")[2]
    count = view.profile.counts.get(observation, 0)
    match family:
        case "neighbours":
            return _neighbours(view)
        case "date":
            return _date(view)
        case "city":
            return f"taken in {value} like {_files(count, view)}"
        case "camera":
            return f"from the {value} like {_files(count, view)}"
        case "shape":
            return f"named like {_files(count, view)}: {value}"
        case "name":
            return f"“{value}” in its name like {_files(count, view)}"
        case "face":
            return f"shows somebody who is in {_files(count, view)}"
        case "kind":
            return f"a {value} like {_files(count, view)}"
        case "looks":
            return "looks like what lies there"
        case _:
            return None


def _words(words: Sequence[tuple[float, str]], view: View) -> str:
    best = [observation for _, observation in words[:WORDS]]
    said = " and ".join(f"“{view.traits.spelt.get(w[5:], w[5:])}”" for w in best)
    count = min(view.profile.counts.get(observation, 0) for observation in best)
    return f"says {said} like {_files(count, view)}"


def _neighbours(view: View) -> str | None:
    moment = view.traits.taken
    taken = view.profile.taken
    if moment is None or not len(taken):
        return None
    near = np.abs(taken - moment)
    count = int((near <= NEAR_S).sum())
    side = int(taken[int(near.argmin())])
    gap = _said(int(near.min()))
    if count and (taken < moment).any() and (taken > moment).any():
        before, after = taken[taken < moment].max(), taken[taken > moment].min()
        if after - before <= 2 * NEAR_S:
            return f"taken amid {_files(count, view)}, {gap} from the nearest"
    return f"taken {gap} {'before' if side > moment else 'after'} {_files(max(count, 1), view)}"


def _date(view: View) -> str | None:
    moment = view.traits.taken
    if moment is None:
        return None
    if view.named and view.template is not None:
        when = patterns.in_words(view.template, moment)
        if view.fresh:
            return f"a {view.traits.kind} from {when}, for which there is no folder yet, as there are {view.siblings} of {view.template}"
        return f"a {view.traits.kind} from {when}"
    return "from the same time as what lies there"


def _files(count: int, view: View) -> str:
    where = "in the folders beside it" if view.fresh else "there"
    return f"{count:,} {where}"


def _said(seconds: int) -> str:
    if seconds < 100:
        return f"{seconds} seconds"
    if seconds < 100 * 60:
        return f"{round(seconds / 60)} minutes"
    if seconds < 48 * 3600:
        return f"{round(seconds / 3600)} hours"
    return f"{round(seconds / 86400)} days"
