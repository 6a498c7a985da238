"""Suggested tags in SQL, and the vectors of the words that they are made from. DERIVED: what people say comes elsewhere.

The job of stage TAGS names the model and the list of words that did it, so that either may change.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from havenfs.entities import AssetId, ModelId, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import apsw
    import numpy as np
    from numpy.typing import NDArray

UNANSWERED = """
    NOT EXISTS (SELECT 1 FROM tag_refused r WHERE r.hash = {hash} AND r.tag = {tag})
    AND NOT EXISTS (SELECT 1 FROM member m JOIN collection c ON c.uid = m.collection
         WHERE m.hash = {hash} AND c.kind = 'tag' AND (c.name = {tag} OR c.name_key = lower({tag})))"""
"""Whether a suggested {tag} is still a question: nobody has said no to it for the content {hash}, and nobody has given it a tag
of that name, wherever that stands. Asked of one content after the other: each has few tags, a tag may have very many members."""


def words(db: apsw.Connection, by: ModelId) -> NDArray[np.float32] | None:
    """The vectors of a list of words by a model, float32 [n, dimension]; None when they have not been made here."""
    import numpy as np  # late: the mount, which only reads suggestions, starts without

    row: Any = db.execute(
        "SELECT vectors, dimension FROM tag_words WHERE made_by = ?", (by,)
    ).fetchone()
    return None if row is None else np.frombuffer(row[0], "<f4").reshape(-1, row[1])


def keep_words(db: apsw.Connection, by: ModelId, vectors: NDArray[np.float32]) -> None:
    """Keep them, and no others: a list of another model is made again in seconds."""
    db.execute("DELETE FROM tag_words")
    db.execute(
        "INSERT INTO tag_words (made_by, dimension, vectors) VALUES (?, ?, ?)",
        (by, vectors.shape[1], vectors.astype("<f4").tobytes()),
    )


def skip(db: apsw.Connection) -> int:
    """Let go of what nothing was embedded of: there is nothing to tag."""
    db.execute(
        """
        UPDATE job SET state = 'skipped', reason = 'nothing to see in it', finished = ?1
         WHERE stage = ?2 AND state = 'queued' AND EXISTS (
            SELECT 1 FROM job e WHERE e.asset_id = job.asset_id AND e.stage = ?3 AND e.state IN ('skipped', 'failed'))
        """,
        (int(time.time()), Stage.TAGS, Stage.EMBED),
    )
    return db.changes()


def waiting(db: apsw.Connection, model: ModelId, limit: int) -> dict[AssetId, NDArray[np.float32]]:
    """Assets to tag next, newest first, with the unit vectors of their frames by *model*, float32 [frames, dimension]."""
    rows: list[Any] = db.execute(
        """
        WITH some AS (
            SELECT j.asset_id, j.priority FROM job j JOIN job e ON e.asset_id = j.asset_id AND e.stage = ?2
             WHERE j.stage = ?1 AND j.state = 'queued' AND e.state = 'done' AND e.model = ?3
             ORDER BY j.priority DESC, j.asset_id LIMIT ?4
        )
        SELECT some.asset_id, e.vector FROM some JOIN embedding e ON e.asset_id = some.asset_id
          JOIN model m ON m.id = e.model_id AND m.name = ?3
         ORDER BY some.priority DESC, some.asset_id, e.frame_ms
        """,
        (Stage.TAGS, Stage.EMBED, model, limit),
    ).fetchall()
    frames: dict[AssetId, list[bytes]] = {}
    for asset_id, vector in rows:
        frames.setdefault(AssetId(asset_id), []).append(vector)
    return {asset_id: _unit(vectors) for asset_id, vectors in frames.items()}


def put(
    db: apsw.Connection, by: ModelId, found: Mapping[AssetId, Sequence[tuple[str, float]]]
) -> None:
    """Replace the suggestions of these assets, and finish their stage."""
    now = int(time.time())
    for asset_id, tags in found.items():
        db.execute("DELETE FROM suggested_tag WHERE asset_id = ?", (asset_id,))
        db.executemany(
            "INSERT INTO suggested_tag (asset_id, tag, score) VALUES (?, ?, ?)",
            [(asset_id, tag, round(score, 3)) for tag, score in tags],
        )
        db.execute("INSERT INTO change (asset_id) VALUES (?)", (asset_id,))
        db.execute(
            "UPDATE job SET state = 'done', reason = NULL, model = ?, finished = ? WHERE asset_id = ? AND stage = ?",
            (by, now, asset_id, Stage.TAGS),
        )


def of_asset(db: apsw.Connection, asset_id: AssetId) -> list[tuple[str, float]]:
    """What is suggested for an asset and not answered yet, best first."""
    unanswered = UNANSWERED.format(hash="a.hash", tag="s.tag")
    return [
        (tag, score)
        for tag, score in db.execute(
            "SELECT s.tag, s.score FROM suggested_tag s JOIN asset a ON a.id = s.asset_id"  # noqa: S608 -- a constant
            f" WHERE s.asset_id = ? AND {unanswered} ORDER BY s.score DESC, s.tag",
            (asset_id,),
        )
    ]


def suggested(db: apsw.Connection) -> list[str]:
    """Every tag that is suggested for a visible asset and not answered yet, by name."""
    unanswered = UNANSWERED.format(hash="v.hash", tag="s.tag")
    return [
        tag
        for (tag,) in db.execute(
            f"""
            WITH RECURSIVE step (tag) AS (
                SELECT min(tag) FROM suggested_tag UNION ALL
                SELECT (SELECT min(tag) FROM suggested_tag WHERE tag > step.tag) FROM step WHERE tag IS NOT NULL)
            SELECT tag FROM step WHERE EXISTS (
                SELECT 1 FROM suggested_tag s JOIN visible v ON v.id = s.asset_id WHERE s.tag = step.tag
                  AND {unanswered})
            """  # noqa: S608 -- a constant
        )
    ]


def _unit(vectors: Sequence[bytes]) -> NDArray[np.float32]:
    import numpy as np

    rows = np.frombuffer(b"".join(vectors), np.int8).reshape(len(vectors), -1).astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
