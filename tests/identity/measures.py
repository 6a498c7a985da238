"""How well a partition agrees with the truth: B-cubed (Bagga and Baldwin 1998, Amigo et al. 2009) and pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Agreement(NamedTuple):
    """Each 0..1, best 1."""

    precision: float
    recall: float
    """Of B-cubed: per face, the share of its cluster that is of its person, and of its person that is in its cluster."""
    f: float
    pair_precision: float
    pair_recall: float
    pair_f: float
    """Of pairs of faces."""


def agreement(clusters: NDArray[np.int64], people: NDArray[np.int64]) -> Agreement:
    """*clusters* and *people* [n]; a face whose number is negative is alone."""
    cluster, person = _numbered(clusters), _numbered(people)
    both, cells = np.unique(cluster * (person.max() + 1) + person, return_counts=True)
    sizes, owns = np.bincount(cluster), np.bincount(person)
    size, own = sizes[both // (person.max() + 1)], owns[both % (person.max() + 1)]
    n = len(people)
    precision = float((cells**2 / size).sum() / n)
    recall = float((cells**2 / own).sum() / n)
    right = float((cells * (cells - 1.0)).sum())
    pair_precision = right / max(float((sizes * (sizes - 1.0)).sum()), 1.0)
    pair_recall = right / max(float((owns * (owns - 1.0)).sum()), 1.0)
    return Agreement(
        precision,
        recall,
        2 * precision * recall / (precision + recall),
        pair_precision,
        pair_recall,
        2 * pair_precision * pair_recall / max(pair_precision + pair_recall, 1e-9),
    )


def _numbered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    whole = labels.astype(np.int64).copy()
    alone = whole < 0
    whole[alone] = whole.max(initial=0) + 1 + np.arange(alone.sum())
    return np.unique(whole, return_inverse=True)[1].astype(np.int64)
