"""Exemplars joined into people: where enough of one cluster's are like the other's and nothing speaks against it. Pure; numpy.

Single linkage, because a child is like itself a year ago and not ten; of exemplars instead of faces, because the noise of
single faces is what makes chains between siblings; with a quorum, because one bad exemplar must not be a bridge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .groups import Groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from .constraints import Constraints
    from .exemplars import Exemplars
    from .gallery import Gallery
    from .rules import Rules

BLOCK = 1024


def link(
    rows: Sequence[NDArray[np.int64]],
    found: Exemplars,
    faces: Gallery,
    said: Constraints,
    rules: Rules,
) -> Groups:
    """The exemplars in groups, by place; *rows* are the faces of each."""
    groups = Groups(
        [faces.ids[some].tolist() for some in rows],
        [faces.pictures[some].tolist() for some in rows],
        said,
    )
    groups.join_persons()
    sizes = [0] * len(rows)
    for place in range(len(rows)):
        sizes[groups.find(place)] += 1
    usual = found.usual(rules.same_person)
    base = rules.strangers / usual
    least = base + rules.alike * (1 - base)
    support = _Support()
    for a, b in _alike(found.cleaned(usual), np.flatnonzero(found.counts > 1), least):
        one, other = groups.find(a), groups.find(b)
        if one == other:
            continue
        seen = support.more(one, other)
        if seen < rules.quorum * min(sizes[one], sizes[other]):
            continue
        fewer = min(len(groups.pictures[one]), len(groups.pictures[other]))
        if groups.together(one, other) > rules.shared * fewer or not groups.permitted(one, other):
            continue
        size = sizes[one] + sizes[other]
        root = groups.join(one, other)
        sizes[root] = size
        support.joined(root, other if root == one else one)
    return groups


class _Support:
    """How many likenesses between each two groups have been seen."""

    def __init__(self) -> None:
        self._seen: dict[int, dict[int, int]] = {}

    def more(self, a: int, b: int) -> int:
        """Count one between two groups; returns how many there are."""
        mine = self._seen.setdefault(a, {})
        mine[b] = self._seen.setdefault(b, {})[a] = mine.get(b, 0) + 1
        return mine[b]

    def joined(self, root: int, gone: int) -> None:
        """The second is part of the first now."""
        mine = self._seen.setdefault(root, {})
        for other, seen in self._seen.pop(gone, {}).items():
            del self._seen[other][gone]
            if other != root:
                mine[other] = self._seen[other][root] = mine.get(other, 0) + seen


def _alike(
    vectors: NDArray[np.float32], rows: NDArray[np.int64], least: float
) -> Iterator[tuple[int, int]]:
    """Pairs of *rows* with a product of *least* or more, greatest first; ties by row."""
    chosen = vectors[rows]
    firsts: list[NDArray[np.int64]] = []
    seconds: list[NDArray[np.int64]] = []
    products: list[NDArray[np.float32]] = []
    for start in range(0, len(rows), BLOCK):
        tile = chosen[start : start + BLOCK] @ chosen[start:].T
        first, second = np.nonzero(tile >= least)
        upper = second > first
        first, second = first[upper], second[upper]
        firsts.append(first + start)
        seconds.append(second + start)
        products.append(tile[first, second])
    if not firsts:
        return iter(())
    a, b, product = np.concatenate(firsts), np.concatenate(seconds), np.concatenate(products)
    order = np.lexsort((b, a, -product))
    return zip(rows[a[order]].tolist(), rows[b[order]].tolist(), strict=True)
