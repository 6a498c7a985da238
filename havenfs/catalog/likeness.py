"""Which of a few faces is most like a person: one look at the person's exemplars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from havenfs.entities import FaceId

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw


def likest(db: apsw.Connection, person: str, faces: Sequence[FaceId]) -> FaceId | None:
    """Of *faces* the one most like *person*, those aside that the clusters' model has not seen. None: nothing to compare
    with, or nothing to be compared."""
    row: Any = db.execute(
        "SELECT c.exemplars, k.model FROM cluster c JOIN clustering k WHERE c.person = ?", (person,)
    ).fetchone()
    if row is None or not row[0]:
        return None
    exemplars, model = row
    marks = ", ".join("?" * len(faces))
    rows: list[Any] = db.execute(
        f"""
        SELECT e.face_id, e.vector FROM face_vector e JOIN model m ON m.id = e.model_id
         WHERE m.name = ? AND e.face_id IN ({marks}) ORDER BY e.face_id
        """,  # noqa: S608 -- question marks
        (model, *faces),
    ).fetchall()
    if not rows:
        return None

    import numpy as np  # late: who never compares does without

    theirs = np.frombuffer(exemplars, np.int8).reshape(-1, len(rows[0][1])).astype(np.float32)
    mine = np.stack([np.frombuffer(vector, np.int8) for _, vector in rows]).astype(np.float32)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    mine /= np.linalg.norm(mine, axis=1, keepdims=True)
    return FaceId(rows[int((mine @ theirs.T).max(axis=1).argmax())][0])
