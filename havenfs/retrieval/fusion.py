"""Several rankings made one: reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from havenfs.entities import AssetId

K = 60
"""Of the paper: how slowly ranks lose weight."""


def fuse(*rankings: Sequence[AssetId]) -> dict[AssetId, float]:
    """Asset -> score, 0..1, best first: 1 for what leads every ranking that has anything to say.

    Of equals, the one from the earlier ranking comes first.
    """
    speaking = [ranking for ranking in rankings if ranking]
    scores: dict[AssetId, float] = {}
    for ranking in speaking:
        for rank, asset_id in enumerate(ranking, start=1):
            scores[asset_id] = scores.get(asset_id, 0.0) + (K + 1) / (K + rank) / len(speaking)
    return dict(sorted(scores.items(), key=lambda item: -item[1]))
