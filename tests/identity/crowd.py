"""A few people in pictures of a small library, as vectors: seen by a model that is told who they are, clustered for real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from havenfs.catalog import clusters, faces
from havenfs.entities import Face, Faces, ModelId, Region
from havenfs.identity import VERSION, Clusterer, Constraints, Rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from havenfs.entities import AssetId
    from tests.conftest import Shelf

OURS, THEIRS = ModelId("ours@1"), ModelId("theirs@1")
RULES = Rules(same_person=0.5)
NOTHING = Constraints()
SPACE = np.linalg.qr(np.random.default_rng(0).standard_normal((32, 32)))[0]


def seen(person: int, picture: int, *, size: int = 90, dimension: int = 32) -> Face:
    """A face of that person: at 0.9 from what is typical of him, in a direction of its own."""
    vector: NDArray[Any] = np.zeros(dimension)
    vector[:32] = 0.95 * SPACE[person] + 0.3 * SPACE[8 + picture % 24]
    left = 0.1 * person
    return Face(
        region=Region(0, left, 0.2, left + 0.08, 0.4),
        points=(0.5,) * 10,
        score=0.9,
        size=size,
        sharpness=1.0,
        frontal=1.0,
        vector=(vector / np.linalg.norm(vector)).astype("<f4").tobytes(),
    )


def look(shelf: Shelf, asset_id: AssetId, *found: Face, model: ModelId = OURS) -> list[int]:
    shelf.catalog.write(faces.put, asset_id, Faces(model=model, found=found))
    return [known.id for known in shelf.catalog.read(faces.of_asset, asset_id)]


def whole_pass(shelf: Shelf, said: Constraints = NOTHING, model: ModelId = OURS) -> Clusterer:
    def keep(db: Any) -> Clusterer:
        clusterer = clusters.restore(db, model, RULES, said, smallest=40)
        found = clusters.gallery(db, model, smallest=40)
        clusterer.consolidate(found, said, RULES)
        clusters.keep(db, clusterer)
        clusters.finish(db, model, RULES, algorithm=VERSION, settings="none", faces=len(found))
        return clusterer

    return shelf.catalog.write(keep)


def compare(shelf: Shelf, said: Constraints = NOTHING) -> int:
    """Give what waits to somebody, as the indexer does; returns how many waited."""

    def step(db: Any) -> int:
        clusterer = clusters.restore(db, OURS, RULES, said, smallest=40)
        clusterer.constrain(said)
        new = clusters.waiting(db, OURS, 100, smallest=40)
        for row, face in enumerate(new.ids.tolist()):
            clusterer.add(
                face,
                new.vectors[row],
                quality=float(new.quality[row]),
                picture=int(new.pictures[row]),
            )
        clusters.keep(db, clusterer)
        return len(new)

    return shelf.catalog.write(step)


def crowd(shelf: Shelf) -> list[AssetId]:
    """Fill a library: C001 is in six pictures, C002 in the first four of them, a third person in the last one; nobody is in
    `plain.jpg`."""
    ids = [shelf.add(f"{number}.jpg") for number in range(6)]
    for number, asset_id in enumerate(ids):
        people = [0] + ([1] if number < 4 else []) + ([2] if number == 5 else [])
        look(shelf, asset_id, *(seen(person, number) for person in people))
    shelf.add("plain.jpg")
    whole_pass(shelf)
    return ids
