"""Vectors: what pictures look like to a model, kept as int8 and searched by angle.

The table `embedding` is the truth; one vec0 table per model, made on first use, is the index over it (its rowid is
`embedding.id`). Vectors of different models are never compared. A vector is stored as int8 with a scale of its own
(its largest component becomes +-127), which keeps every bit for flat vectors and leaves the angle untouched: half a
percent of cosine at most. The scale itself is not stored, for nothing here needs the length.

Plain functions of a connection; a call holds the caller's transaction only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from havenfs.entities import AssetId

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import apsw
    from numpy.typing import NDArray

    from havenfs.entities import Embedding, ModelId

MAX_K = 4096
"""sqlite-vec refuses a larger k."""
HASH_FACTOR = 2654435761
"""Knuth's multiplicative hash: orders ids as if at random, and the same way each time."""


def quantise(vector: NDArray[np.float32]) -> NDArray[np.int8]:
    """*vector* scaled so that its largest component is +-127. A zero vector stays zero."""
    peak = float(np.abs(vector).max(initial=0.0))
    if peak == 0.0 or not np.isfinite(peak):
        return np.zeros(vector.shape, np.int8)
    return np.rint(vector * (127.0 / peak)).astype(np.int8)


def cosines(matrix: NDArray[np.int8], vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine of each int8 row with *vector*; 0 where a row is zero."""
    rows = matrix.astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows)) * float(np.linalg.norm(vector))
    dots = rows @ vector.astype(np.float32)
    return np.divide(dots, lengths, out=np.zeros_like(dots), where=lengths > 0)


def put(db: apsw.Connection, asset_id: AssetId, embeddings: Sequence[Embedding]) -> None:
    """Replace the asset's vectors of the models that occur in *embeddings*; other models' vectors stay."""
    for name in sorted({e.model for e in embeddings}):
        mine = [e for e in embeddings if e.model == name]
        model_id = _ensure(db, name, dimension=len(mine[0].vector) // 4)
        db.execute(
            "DELETE FROM embedding WHERE asset_id = ? AND model_id = ?", (asset_id, model_id)
        )
        for e in mine:
            blob = quantise(np.frombuffer(e.vector, "<f4")).tobytes()
            db.execute(
                "INSERT INTO embedding (asset_id, model_id, frame_ms, vector) VALUES (?, ?, ?, ?)",
                (asset_id, model_id, e.frame_ms, blob),
            )
            db.execute(
                f"INSERT INTO vectors_{model_id} (rowid, vector) VALUES (?, vec_int8(?))",  # noqa: S608
                (db.last_insert_rowid(), blob),
            )


def dimension(db: apsw.Connection, model: ModelId) -> int | None:
    """Length of that model's vectors; None when it has made none here."""
    row = db.execute("SELECT dimension FROM model WHERE name = ?", (model,)).fetchone()
    return None if row is None else int(row[0])


def nearest(
    db: apsw.Connection, model: ModelId, vector: NDArray[np.float32], k: int
) -> list[tuple[AssetId, float]]:
    """The assets whose frames are among the *k* nearest to *vector*, with the cosine of their best frame.

    Best first, ties by id. At most MAX_K frames are looked at, so an asset of many frames counts for several.
    """
    model_id = _find(db, model, vector)
    if model_id is None or k < 1:
        return []
    rows: list[Any] = db.execute(
        f"""
        WITH near AS MATERIALIZED (
            SELECT rowid FROM vectors_{model_id} WHERE vector MATCH vec_int8(?) AND k = ?
        )
        SELECT e.asset_id, e.vector
          FROM near
          JOIN embedding e ON e.id = near.rowid
          JOIN visible v ON v.id = e.asset_id
        """,  # noqa: S608
        (quantise(vector).tobytes(), min(k, MAX_K)),
    ).fetchall()
    return _best(rows, vector)


def within(
    db: apsw.Connection, model: ModelId, vector: NDArray[np.float32], asset_ids: Collection[AssetId]
) -> list[tuple[AssetId, float]]:
    """As `nearest`, but every one of *asset_ids* that has a vector: for small sets of which all are visible."""
    model_id = _find(db, model, vector)
    if model_id is None or not asset_ids:
        return []
    rows: list[Any] = db.execute(
        """
        SELECT e.asset_id, e.vector
          FROM json_each(?) j CROSS JOIN embedding e ON e.asset_id = j.value AND e.model_id = ?
        """,
        ("[" + ",".join(map(str, sorted(asset_ids))) + "]", model_id),
    ).fetchall()
    return _best(rows, vector)


def sample(db: apsw.Connection, model: ModelId, n: int, seed: int = 0) -> NDArray[np.int8]:
    """At most *n* vectors of the library, as int8 rows: the same ones each time, most of them after it has grown."""
    row = db.execute("SELECT id, dimension FROM model WHERE name = ?", (model,)).fetchone()
    if row is None:
        return np.zeros((0, 0), np.int8)
    blobs: list[Any] = db.execute(
        """
        WITH some AS (
            SELECT e.id FROM embedding e JOIN visible v ON v.id = e.asset_id
             WHERE e.model_id = ?
             ORDER BY (e.id * ? + ?) % 4294967296, e.id LIMIT ?
        )
        SELECT e.vector FROM some JOIN embedding e ON e.id = some.id ORDER BY e.id
        """,
        (row[0], HASH_FACTOR, seed * 40503, n),
    ).fetchall()
    return np.frombuffer(b"".join(b for (b,) in blobs), np.int8).reshape(len(blobs), row[1])


def count(db: apsw.Connection, model: ModelId) -> int:
    """How many vectors that model has made here."""
    row = db.execute(
        "SELECT COUNT(*) FROM embedding WHERE model_id = (SELECT id FROM model WHERE name = ?)",
        (model,),
    ).fetchone()
    return int(row[0]) if row else 0


def of_asset(db: apsw.Connection, model: ModelId, asset_id: AssetId) -> NDArray[np.float32] | None:
    """The unit vector of the asset's first frame, for "more like this"; None without one."""
    row = db.execute(
        """
        SELECT e.vector FROM embedding e JOIN model m ON m.id = e.model_id
         WHERE e.asset_id = ? AND m.name = ? ORDER BY e.frame_ms LIMIT 1
        """,
        (asset_id, model),
    ).fetchone()
    if row is None:
        return None
    vector = np.frombuffer(row[0], np.int8).astype(np.float32)
    length = float(np.linalg.norm(vector))
    return vector / length if length else None


def models(db: apsw.Connection) -> list[tuple[str, int]]:
    """Each model that has vectors here, with how many assets it has seen; most first."""
    return [
        (name, count)
        for name, count in db.execute(
            """
            SELECT m.name, COUNT(DISTINCT e.asset_id) FROM model m JOIN embedding e ON e.model_id = m.id
             GROUP BY m.id ORDER BY 2 DESC, m.id DESC
            """
        )
    ]


def forget(db: apsw.Connection, keep: Collection[ModelId], limit: int = 5000) -> bool:
    """Delete up to *limit* vectors of models other than *keep*, and a model with its index once it has none left. Returns
    whether there are more: a million in one transaction would hold everybody else up. Models without an index here are those
    of faces, which are none of its business."""
    for model_id, name in db.execute(
        "SELECT id, name FROM model WHERE EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'vectors_' || model.id)"
    ).fetchall():
        if name in keep:
            continue
        db.execute(
            "DELETE FROM embedding WHERE id IN (SELECT id FROM embedding WHERE model_id = ? LIMIT ?)",
            (model_id, limit),
        )
        if db.execute("SELECT 1 FROM embedding WHERE model_id = ? LIMIT 1", (model_id,)).fetchone():
            return True
        db.execute(f"DROP TRIGGER vectors_{model_id}_gone")
        db.execute(f"DROP TABLE vectors_{model_id}")
        db.execute("DELETE FROM model WHERE id = ?", (model_id,))
    return False


def _find(db: apsw.Connection, model: ModelId, vector: NDArray[np.float32]) -> int | None:
    row = db.execute("SELECT id, dimension FROM model WHERE name = ?", (model,)).fetchone()
    if row is None:
        return None
    if row[1] != vector.shape[0]:
        raise ValueError(f"{model} has {row[1]} dimensions, the vector {vector.shape[0]}")
    return int(row[0])


def _ensure(db: apsw.Connection, model: ModelId, dimension: int) -> int:
    """The row id of *model*, whose index and the trigger that keeps it in step are made if new."""
    row = db.execute("SELECT id, dimension FROM model WHERE name = ?", (model,)).fetchone()
    if row is not None:
        if row[1] != dimension:
            raise ValueError(f"{model} has {row[1]} dimensions, the vector {dimension}")
        return int(row[0])
    db.execute("INSERT INTO model (name, dimension) VALUES (?, ?)", (model, dimension))
    model_id = db.last_insert_rowid()
    db.execute(
        f"CREATE VIRTUAL TABLE vectors_{model_id} USING vec0 (vector int8[{dimension}] distance_metric=cosine)"
    )
    # Rows of `embedding` also go by ON DELETE CASCADE: a trigger sees those, a caller would not.
    db.execute(
        f"""
        CREATE TRIGGER vectors_{model_id}_gone AFTER DELETE ON embedding WHEN old.model_id = {model_id} BEGIN
            DELETE FROM vectors_{model_id} WHERE rowid = old.id;
        END
        """  # noqa: S608
    )
    return model_id


def _best(
    rows: list[tuple[int, bytes]], vector: NDArray[np.float32]
) -> list[tuple[AssetId, float]]:
    """Rows of (asset, int8 vector) as (asset, best cosine), best first."""
    if not rows:
        return []
    matrix = np.frombuffer(b"".join(blob for _, blob in rows), np.int8).reshape(len(rows), -1)
    best: dict[int, float] = {}
    for (asset_id, _), cosine in zip(rows, cosines(matrix, vector).tolist(), strict=True):
        if cosine > best.get(asset_id, -2.0):
            best[asset_id] = cosine
    return [(AssetId(i), c) for i, c in sorted(best.items(), key=lambda item: (-item[1], item[0]))]
