"""Which tags a picture has, from its vector alone: zero-shot, as suggestions with scores.

A tag is given where the picture is as near to one of its phrases as an answer of a search must be, and nearer than to most
of what competes: its siblings and the sentences that are true of anything. Pure; the phrases are put into vectors by whoever
runs the text model (`sentences` says which), once a model and list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from havenfs.models.calibration import Calibration
    from havenfs.models.taxonomy import Taxonomy

ABOVE = 0.05
"""How much higher than a search's floor: an answer that nobody asked for must be right. On the 441 pictures of the sample
library, miniature model: at the floor precision 0.88 and recall 0.74, with this 0.95 and 0.64."""
SHARE = 0.3
"""The least share of a tag among its competitors, by softmax."""
SHARE_ALONE = 0.5
"""The same for models whose cosines mean nothing absolute: there this is all that speaks."""
SCALE, SCALE_ALONE = 30.0, 100.0
"""Of the softmax: for models with an absolute scale, and the one that CLIP was trained with (Radford et al. 2021)."""


class Tagger:
    """The tags of one list, as one model understands them."""

    def __init__(
        self, taxonomy: Taxonomy, calibration: Calibration, vectors: NDArray[np.float32]
    ) -> None:
        """*vectors*: unit, float32 [n, dimension], of `sentences` in that order."""
        self._names = [tag.name for tag in taxonomy.tags]
        self._vectors = vectors
        counts = [len(tag.phrases) for tag in taxonomy.tags]
        self._starts = np.cumsum([0, *counts[:-1]])
        self._phrases = sum(counts)
        sets = [tag.siblings for tag in taxonomy.tags]
        self._sets = [
            np.flatnonzero(np.array([one == name for one in sets])) for name in dict.fromkeys(sets)
        ]
        absolute = calibration.floor_cosine > -1.0
        self._floor = calibration.floor_cosine + ABOVE if absolute else -1.0
        self._share = SHARE if absolute else SHARE_ALONE
        self._scale = SCALE if absolute else SCALE_ALONE

    def tags(self, pictures: NDArray[np.float32]) -> list[list[tuple[str, float]]]:
        """Of each row of unit vectors the tags and their scores (softmax, 0..1), best first."""
        if not len(pictures):
            return []
        cosines = pictures @ self._vectors.T
        own = np.maximum.reduceat(cosines[:, : self._phrases], self._starts, axis=1)
        neutral = cosines[:, self._phrases :]
        shares = np.zeros_like(own)
        for members in self._sets:
            rivals = self._scale * np.concatenate([own[:, members], neutral], axis=1)
            odds = np.exp(rivals - rivals.max(axis=1, keepdims=True))
            shares[:, members] = (odds / odds.sum(axis=1, keepdims=True))[:, : len(members)]
        given = (own >= self._floor) & (shares >= self._share)
        return [
            sorted(
                ((self._names[tag], float(shares[row, tag])) for tag in np.flatnonzero(given[row])),
                key=lambda item: -item[1],
            )
            for row in range(len(pictures))
        ]


def sentences(taxonomy: Taxonomy, calibration: Calibration) -> list[str]:
    """What must be put into vectors: every phrase in the model's own sentence, then the neutral ones as they are."""
    said = [calibration.sentence(phrase) for tag in taxonomy.tags for phrase in tag.phrases]
    return [*said, *taxonomy.neutral]
