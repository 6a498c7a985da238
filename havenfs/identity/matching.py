"""Clusters of today under the numbers that they had before, so that nobody's folder changes its name over night. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def matched(
    before: Mapping[int, int],
    now: Mapping[int, int],
    persons_before: Mapping[int, str],
    persons_now: Mapping[int, str],
    *,
    unused: int,
) -> dict[int, int]:
    """For each cluster of *now* (face -> cluster) the number of the one of *before* that it is: of the same person, else that
    with the most faces in common, those with most choosing first. New ones are numbered from *unused* on, largest first."""
    sizes = Counter(now.values())
    numbers: dict[int, int] = {}
    owners = {person: cluster for cluster, person in persons_before.items()}
    for cluster, person in persons_now.items():
        if person in owners:
            numbers[cluster] = owners[person]
    taken = set(numbers.values())
    common = Counter((cluster, before[face]) for face, cluster in now.items() if face in before)
    for (cluster, old), _ in sorted(
        common.items(), key=lambda item: (-item[1], item[0][1], item[0][0])
    ):
        if cluster in numbers or old in taken or old in persons_before:
            continue
        numbers[cluster] = old
        taken.add(old)
    first: dict[int, int] = {}
    for face, cluster in now.items():
        first[cluster] = min(face, first.get(cluster, face))
    for cluster in sorted(sizes, key=lambda cluster: (-sizes[cluster], first[cluster])):
        if cluster not in numbers:
            numbers[cluster] = unused
            unused += 1
    return numbers
