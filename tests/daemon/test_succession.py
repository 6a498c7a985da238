"""What happens twenty minutes after one model has taken over from another, or after a start when none has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import trio
import trio.testing

from havend.succession import STALE_S, Succession
from havenfs.catalog import faces, vectors
from havenfs.config import State
from havenfs.entities import Embedding, Face, Faces, ModelId, Region
from havenfs.models import registry
from havenfs.models.manifest import ModelKind

if TYPE_CHECKING:
    from pathlib import Path

    import apsw

VECTOR = np.eye(128, dtype="<f4")[0].tobytes()


async def test_only_predecessors_are_forgotten_and_only_once(
    shelf: Any, tmp_path: Path, autojump_clock: trio.testing.MockClock
):
    state = State(root=tmp_path / "none")
    model, of_faces = registry.builtin(), registry.builtin(ModelKind.FACES)
    asset = shelf.add("a.jpg")
    for name in (ModelId("old@000000000000"), model.id):
        shelf.catalog.write(vectors.put, asset, [Embedding(model=name, vector=VECTOR, frame_ms=0)])
    face = Face(
        region=Region(0, 0.1, 0.2, 0.3, 0.5),
        points=(0.5,) * 10,
        score=0.9,
        size=90,
        sharpness=1.0,
        frontal=1.0,
        vector=VECTOR,
    )
    shelf.catalog.write(faces.put, asset, Faces(model=of_faces.id, found=(face,)))

    succession = Succession(state, shelf.catalog)
    await succession.settle(model)
    assert len(shelf.catalog.read(vectors.models)) == 2
    await trio.sleep(STALE_S)
    await succession.settle(model)
    assert dict(shelf.catalog.read(vectors.models)) == {model.id: 1}

    def known(db: apsw.Connection) -> list[Any]:
        return db.execute("SELECT m.name FROM face_vector v JOIN model m ON m.id = v.model_id").fetchall()  # fmt: skip

    assert shelf.catalog.read(known) == [(of_faces.id,)]

    def written() -> dict[str, tuple[int, int]]:
        found = shelf.catalog.path.parent.glob(f"{shelf.catalog.path.name}*")
        return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in found}

    before = written()
    await trio.sleep(STALE_S)
    await succession.settle(model)
    assert written() == before
