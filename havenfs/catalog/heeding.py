"""Clusters follow what people decide, in the same transaction: whoever looks next sees it, also while no indexer runs.

The indexer's clustering comes to the same within seconds, with vectors at hand. What is here needs none: a group of faces of
which one is somebody's becomes that person's, whoever contradicts the cluster it is in leaves it, and a cluster whose person is
gone has no name any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import clusters
from .clusters import ClusterId
from .persons import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from .given import Change


def heed(db: apsw.Connection, changes: Sequence[Change]) -> None:
    """Let the clusters be as *changes* of the GIVEN tables want them; the tables have been changed already."""
    for change in changes:
        if change.table == "person" and change.after is None:
            db.execute("UPDATE cluster SET person = NULL WHERE person = ?", change.key)
    faces = [change for change in changes if change.table == "face_said"]
    for content in dict.fromkeys(str(change.key[0]) for change in faces):
        said: list[Any] = db.execute(
            f"""
            SELECT v.face_id, v.person FROM {VERDICTS} v JOIN asset a ON a.id = v.asset_id
             WHERE a.hash = ? AND v.is_it ORDER BY v.face_id
            """,  # noqa: S608 -- constants
            (bytes.fromhex(content),),
        ).fetchall()
        for face, person in said:
            _claim(db, face, person)
    if any(change.before == (1,) and change.after != (1,) for change in faces):
        # Whom a face brought along can only be told by comparing all: have that done soon.
        db.execute("UPDATE clustering SET changed = max(changed, faces)")


def _claim(db: apsw.Connection, face: int, person: str) -> None:
    """The face is that person's, and with it the group that is nobody's yet."""
    row: Any = db.execute(
        """
        SELECT c.id, c.person FROM face_cluster m LEFT JOIN cluster c ON c.id = m.cluster_id WHERE m.face_id = ?
        """,
        (face,),
    ).fetchone()
    if row is None:  # no model has compared it yet; what people say holds without
        return
    mine, owner = row
    theirs = clusters.of_person(db, person)
    if mine is not None and owner is None:
        _changed(db, mine)
        if theirs is None:
            db.execute("UPDATE cluster SET person = ? WHERE id = ?", (person, mine))
        else:
            _absorb(db, mine, into=theirs)
    elif mine is None or mine != theirs:
        _move(db, face, theirs if theirs is not None else _found(db, face, person))
    db.execute(
        "UPDATE face_cluster SET confidence = 1 WHERE face_id = ? AND confidence < 1", (face,)
    )


def _absorb(db: apsw.Connection, cluster: int, *, into: ClusterId) -> None:
    db.execute("UPDATE face_cluster SET cluster_id = ? WHERE cluster_id = ?", (into, cluster))
    both: list[Any] = db.execute(
        "SELECT exemplars FROM cluster WHERE id IN (?, ?)", (into, cluster)
    ).fetchall()
    exemplars = b"".join(blob for (blob,) in both)  # SQL's || would make text of it
    db.execute("UPDATE cluster SET exemplars = ? WHERE id = ?", (exemplars, into))
    db.execute("DELETE FROM cluster WHERE id = ?", (cluster,))


def _found(db: apsw.Connection, face: int, person: str) -> ClusterId:
    """A cluster for somebody who has none: it is like this face, if that has been seen by the model of all the others."""
    row: Any = db.execute(
        """
        SELECT e.vector FROM face_vector e JOIN model m ON m.id = e.model_id JOIN clustering k ON k.model = m.name
         WHERE e.face_id = ?
        """,
        (face,),
    ).fetchone()
    db.execute(
        "INSERT INTO cluster (person, exemplars) VALUES (?, ?)", (person, row[0] if row else b"")
    )
    return ClusterId(db.last_insert_rowid())


def _move(db: apsw.Connection, face: int, cluster: ClusterId) -> None:
    before: Any = db.execute(
        "SELECT cluster_id FROM face_cluster WHERE face_id = ?", (face,)
    ).fetchone()
    db.execute("UPDATE face_cluster SET cluster_id = ? WHERE face_id = ?", (cluster, face))
    db.execute("DELETE FROM cluster WHERE id = ? AND size = 0", before)


def _changed(db: apsw.Connection, cluster: int) -> None:
    """Whoever caches searches is told of everybody in it."""
    db.execute(
        """
        INSERT INTO change (asset_id)
        SELECT DISTINCT f.asset_id FROM face_cluster m JOIN face f ON f.id = m.face_id WHERE m.cluster_id = ?
        """,
        (cluster,),
    )
