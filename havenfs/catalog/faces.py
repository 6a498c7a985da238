"""Faces in SQL: where each is, how well it can be seen, and its vector as int8 with the model that made it.

A face is known by its asset and region. When another model (or another version of the picture's decoder) finds a face in
the same place, the row keeps its id and only what was seen of it changes, so that whatever hangs on the id goes on; what
hangs on the region (every decision of a person) finds the face again through `Region.overlap` even after the catalog was
lost. Vectors of two models are never compared: `vectors` asks for one.

Plain functions of a connection; a call holds the caller's transaction only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from havenfs.entities import AssetId, FaceId, Region

if TYPE_CHECKING:
    import apsw
    import numpy as np
    from numpy.typing import NDArray

    from havenfs.entities import Face, Faces, ModelId

SAME_PLACE = 0.4
"""Intersection over union from which two regions are one face. Two detectors draw the box of one face to 0.6 or more of
each other (with or without forehead and ears); faces side by side overlap by less than 0.1."""


class Known(Struct, frozen=True, kw_only=True):
    """A face of the catalog."""

    id: FaceId
    asset_id: AssetId
    region: Region
    score: float
    size: int
    quality: float


def put(db: apsw.Connection, asset_id: AssetId, faces: Faces) -> None:
    """Let the asset have exactly these faces. Those in the place of an earlier one keep its id."""
    import numpy as np  # late: the mount, which only reads what is known, starts without

    from .vectors import quantise

    before = {known.id: known.region for known in of_asset(db, asset_id)}
    for face_id, face in _matched(before, faces.found):
        if face_id is None:
            db.execute(
                """
                INSERT INTO face (asset_id, frame_ms, x0, y0, x1, y1, points, score, size, sharpness, frontal, quality)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                (asset_id, *_columns(face)),
            )
            row = db.last_insert_rowid()
        else:
            row = face_id
            db.execute(
                """
                UPDATE face SET frame_ms = ?, x0 = ?, y0 = ?, x1 = ?, y1 = ?, points = ?, score = ?, size = ?,
                       sharpness = ?, frontal = ?, quality = ? WHERE id = ?
                """,
                (*_columns(face), row),
            )
            del before[face_id]
        db.execute(
            "INSERT OR REPLACE INTO face_vector (face_id, model_id, vector) VALUES (?, ?, ?)",
            (
                row,
                _model(db, faces.model, dimension=len(face.vector) // 4),
                quantise(np.frombuffer(face.vector, "<f4")).tobytes(),
            ),
        )
    db.executemany("DELETE FROM face WHERE id = ?", [(face_id,) for face_id in before])
    frames = [face.region.frame_ms for face in faces.found]
    most = max((frames.count(frame) for frame in set(frames)), default=0)
    db.execute("UPDATE asset SET faces = ? WHERE id = ?", (most, asset_id))


def forget(db: apsw.Connection, asset_id: AssetId) -> None:
    """The asset has other content: nothing is known of its faces."""
    db.execute("DELETE FROM face WHERE asset_id = ?", (asset_id,))
    db.execute("UPDATE asset SET faces = NULL WHERE id = ?", (asset_id,))


def of_asset(db: apsw.Connection, asset_id: AssetId) -> list[Known]:
    """The asset's faces, frame by frame, from left to right."""
    return [
        Known(
            id=FaceId(row[0]),
            asset_id=asset_id,
            region=Region(*row[1:6]),
            score=row[6],
            size=row[7],
            quality=row[8],
        )
        for row in db.execute(
            """
            SELECT id, frame_ms, x0, y0, x1, y1, score, size, quality FROM face
             WHERE asset_id = ? ORDER BY frame_ms, x0, id
            """,
            (asset_id,),
        )
    ]


def vectors(
    db: apsw.Connection, model: ModelId, *, quality: float = 0.0
) -> tuple[list[FaceId], NDArray[np.int8]]:
    """The faces of visible assets that *model* looked at, of at least that quality, and their vectors as int8 rows
    [n, dimension]: to be compared by angle, and with each other only."""
    import numpy as np

    row = db.execute("SELECT id, dimension FROM model WHERE name = ?", (model,)).fetchone()
    if row is None:
        return [], np.zeros((0, 0), np.int8)
    rows: list[Any] = db.execute(
        """
        SELECT f.id, e.vector
          FROM face_vector e JOIN face f ON f.id = e.face_id JOIN visible v ON v.id = f.asset_id
         WHERE e.model_id = ? AND f.quality >= ? ORDER BY f.id
        """,
        (row[0], quality),
    ).fetchall()
    matrix = np.frombuffer(b"".join(vector for _, vector in rows), np.int8)
    return [FaceId(face_id) for face_id, _ in rows], matrix.reshape(len(rows), row[1])


def _matched(
    before: dict[FaceId, Region], found: tuple[Face, ...]
) -> list[tuple[FaceId | None, Face]]:
    """Each face with the id of the earlier one in its place, if any: those that fit best choose first."""
    pairs = sorted(
        (
            (face.region.overlap(region), face_id, place)
            for place, face in enumerate(found)
            for face_id, region in before.items()
        ),
        key=lambda pair: (-pair[0], pair[1:]),
    )
    ids: dict[int, FaceId] = {}
    for overlap, face_id, place in pairs:
        if overlap >= SAME_PLACE and place not in ids and face_id not in ids.values():
            ids[place] = face_id
    return [(ids.get(place), face) for place, face in enumerate(found)]


def _columns(face: Face) -> tuple[float | str, ...]:
    return (
        *face.region,
        json.dumps([round(value, 5) for value in face.points]),
        face.score,
        face.size,
        face.sharpness,
        face.frontal,
        face.quality,
    )


def _model(db: apsw.Connection, model: ModelId, dimension: int) -> int:
    """The row id of *model*."""
    row = db.execute("SELECT id, dimension FROM model WHERE name = ?", (model,)).fetchone()
    if row is None:
        db.execute("INSERT INTO model (name, dimension) VALUES (?, ?)", (model, dimension))
        return db.last_insert_rowid()
    if row[1] != dimension:
        raise ValueError(f"{model} has {row[1]} dimensions, the vector {dimension}")
    return int(row[0])
