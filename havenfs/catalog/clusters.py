"""Clusters of faces in SQL: which faces are of one person, how surely, and how that was found. DERIVED, all of it.

Two sides. Who clusters takes all that is known out with `restore`, puts back what it touched with `keep`, and asks for what
is new. Who shows people asks for a face's cluster, a cluster's faces, the unnamed ones, and what a person should look at.
Numbers of clusters outlive a pass, another model and another version of the algorithm; they are never used again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NewType

from msgspec import Struct

from havenfs.entities import AssetId, FaceId, ModelId

if TYPE_CHECKING:
    import apsw
    import numpy as np
    from numpy.typing import NDArray

    from havenfs.identity import Clusterer, Constraints, Gallery, Rules

ClusterId = NewType("ClusterId", int)

DOUBTFUL = 0.2
"""Confidence below which a person should have a look. Of a synthetic family's faces (tests/identity) 2 to 4 % are below, and
eight to ten in ten of those that are with the wrong person."""
FRAMES = 1 << 31
"""Positions in a video, in ms, that an asset may have: a picture is (asset, position) as one number."""


class Cluster(Struct, frozen=True, kw_only=True):
    """Faces of one person."""

    id: ClusterId
    person: str | None
    """UID; None: nobody has said who it is."""
    size: int
    """Faces in visible assets."""


class Member(Struct, frozen=True, kw_only=True):
    """A face in a cluster."""

    face_id: FaceId
    asset_id: AssetId
    cluster_id: ClusterId
    confidence: float
    """0..1; 1: a person has said so."""


class Made(Struct, frozen=True, kw_only=True):
    """How the clusters were made."""

    algorithm: int
    """`identity.VERSION`"""
    model: ModelId
    same_person: float
    strangers: float
    """Cosines: see `identity.Rules`."""
    settings: str
    """What the owner had set."""
    faces: int
    """That the last pass over all of them looked at."""
    changed: int
    """Faces that have come, gone or been moved since."""
    finished: int
    """Seconds since 1970, of that pass."""


# --- for who shows people -----------------------------------------------------------------------------------


def of_face(db: apsw.Connection, face_id: FaceId) -> Member | None:
    """Where a face belongs; None: nowhere, or not looked at yet."""
    found = _members(db, "WHERE m.face_id = ? AND m.cluster_id IS NOT NULL", (face_id,))
    return found[0] if found else None


def of_asset(db: apsw.Connection, asset_id: AssetId) -> list[Member]:
    """The faces of an asset that belong somewhere, as `faces.of_asset` orders them."""
    return _members(
        db,
        "WHERE f.asset_id = ? AND m.cluster_id IS NOT NULL ORDER BY f.frame_ms, f.x0, f.id",
        (asset_id,),
    )


def members(
    db: apsw.Connection, cluster_id: ClusterId, *, limit: int = -1, offset: int = 0
) -> list[Member]:
    """The cluster's faces in visible assets, the surest first, ties by face."""
    return _members(
        db,
        """
          JOIN visible v ON v.id = f.asset_id
         WHERE m.cluster_id = ? ORDER BY m.confidence DESC, m.face_id LIMIT ? OFFSET ?
        """,
        (cluster_id, limit, offset),
    )


def of_person(db: apsw.Connection, person: str) -> ClusterId | None:
    """The cluster of a person."""
    row = db.execute("SELECT id FROM cluster WHERE person = ?", (person,)).fetchone()
    return None if row is None else ClusterId(row[0])


def unnamed(db: apsw.Connection, *, limit: int = -1) -> list[Cluster]:
    """The clusters that nobody has named and that can be seen somewhere, largest first, ties by number."""
    rows: list[Any] = db.execute(
        """
        SELECT c.id, count(*) AS seen
          FROM cluster c JOIN face_cluster m ON m.cluster_id = c.id
          JOIN face f ON f.id = m.face_id JOIN visible v ON v.id = f.asset_id
         WHERE c.person IS NULL
         GROUP BY c.id ORDER BY seen DESC, c.id LIMIT ?
        """,
        (limit,),
    ).fetchall()
    return [Cluster(id=ClusterId(id_), person=None, size=size) for id_, size in rows]


def is_unnamed(db: apsw.Connection, cluster_id: ClusterId) -> bool:
    """Whether there is this cluster, nobody has named it, and it can be seen somewhere."""
    row = db.execute(
        """
        SELECT 1 FROM cluster c JOIN face_cluster m ON m.cluster_id = c.id
          JOIN face f ON f.id = m.face_id JOIN visible v ON v.id = f.asset_id
         WHERE c.id = ? AND c.person IS NULL LIMIT 1
        """,
        (cluster_id,),
    ).fetchone()
    return row is not None


def _members(db: apsw.Connection, clause: str, values: tuple[Any, ...]) -> list[Member]:
    rows: list[Any] = db.execute(
        f"""
        SELECT m.face_id, f.asset_id, m.cluster_id, m.confidence
          FROM face_cluster m JOIN face f ON f.id = m.face_id {clause}
        """,  # noqa: S608 -- clauses of this module
        values,
    ).fetchall()
    return [
        Member(
            face_id=FaceId(row[0]),
            asset_id=AssetId(row[1]),
            cluster_id=ClusterId(row[2]),
            confidence=row[3],
        )
        for row in rows
    ]


# --- for who clusters ---------------------------------------------------------------------------------------


def made(db: apsw.Connection) -> Made | None:
    """How the clusters were made; None before the first pass."""
    row: Any = db.execute(
        "SELECT algorithm, model, same_person, strangers, settings, faces, changed, finished FROM clustering"
    ).fetchone()
    if row is None:
        return None
    return Made(
        algorithm=row[0],
        model=ModelId(row[1]),
        same_person=row[2],
        strangers=row[3],
        settings=row[4],
        faces=row[5],
        changed=row[6],
        finished=row[7],
    )


def compared(db: apsw.Connection) -> int:
    """Faces that have been compared with the others: falls when one goes or is looked at again."""
    row: Any = db.execute(
        "SELECT (SELECT count(*) FROM face_cluster) - (SELECT count(*) FROM face_cluster WHERE fresh = 0)"
    ).fetchone()
    return int(row[0])


def gallery(db: apsw.Connection, model: ModelId, *, smallest: int) -> Gallery:
    """Every face that *model* looked at last, of assets that are not visible too: a disk that is away comes back. Those of
    less than *smallest* px count as of no quality, and so do mates': a photo, its RAW and its edited copy are one look at
    somebody, not three."""
    return _gallery(db, model, smallest)


def waiting(db: apsw.Connection, model: ModelId, limit: int, *, smallest: int) -> Gallery:
    """At most *limit* faces that were not compared since *model* looked at them."""
    return _gallery(
        db,
        model,
        smallest,
        "AND f.id IN (SELECT face_id FROM face_cluster WHERE fresh = 0)",
        limit=limit,
    )


def others(db: apsw.Connection, model: ModelId) -> bool:
    """Whether there are faces that another model than *model* looked at last."""
    row = db.execute(
        "SELECT 1 FROM face_vector e JOIN model m ON m.id = e.model_id WHERE m.name <> ? LIMIT 1",
        (model,),
    ).fetchone()
    return row is not None


def restore(
    db: apsw.Connection, model: ModelId, rules: Rules, said: Constraints, *, smallest: int
) -> Clusterer:
    """Who is who, as it was kept. Exemplars of another model than *model* are left out: nothing can be compared with them."""
    import numpy as np  # late: the mount, which only reads what is known, starts without

    from havenfs.identity import Clusterer, Directions, Member as Place
    from havenfs.identity.gallery import unit

    dimension = _dimension(db, model)
    row: Any = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'cluster'").fetchone()
    clusterer = Clusterer(rules, dimension, unused=(int(row[0]) if row else 0) + 1)
    stored: list[Any] = db.execute(
        "SELECT id, person, exemplars FROM cluster ORDER BY id"
    ).fetchall()
    how = made(db)
    ours = stored if how is not None and how.model == model else []
    lengths = [len(blob) // dimension for *_, blob in ours]
    rows = np.frombuffer(b"".join(blob for *_, blob in ours), np.int8).reshape(-1, dimension)
    owners = np.repeat(np.array([id_ for id_, *_ in ours], np.int64), lengths)
    compared: list[Any] = db.execute(
        """
        SELECT m.face_id, m.cluster_id, m.confidence, f.asset_id * ? + f.frame_ms
          FROM face_cluster m JOIN face f ON f.id = m.face_id WHERE m.fresh = 1 OR m.cluster_id IS NOT NULL
        """,
        (FRAMES,),
    ).fetchall()
    clusterer.restore(
        {face: Place(cluster, sure) for face, cluster, sure, _ in compared if cluster is not None},
        {id_: person for id_, person, _ in stored if person is not None},
        Directions(unit(rows.astype(np.float32)), owners),
        said,
        {face: picture for face, *_, picture in compared},
        _gallery(
            db,
            model,
            smallest,
            "AND f.id IN (SELECT face_id FROM face_cluster WHERE cluster_id IS NULL AND fresh = 1)",
        ),
    )
    return clusterer


def keep(db: apsw.Connection, clusterer: Clusterer) -> None:
    """Write what the clusterer has touched since the last time. Faces that are gone by now are not brought back."""

    from .vectors import quantise

    directions = clusterer.directions
    gone = sorted(clusterer.touched_clusters - clusterer.clusters.keys())
    there = sorted(clusterer.touched_clusters & clusterer.clusters.keys())
    db.executemany(
        "UPDATE cluster SET person = NULL WHERE id = ?", [(id_,) for id_ in gone + there]
    )
    for cluster in there:
        mine: NDArray[np.float32] = directions.vectors[directions.clusters == cluster]
        blob = b"".join(quantise(vector).tobytes() for vector in mine)
        db.execute(
            """
            INSERT INTO cluster (id, person, exemplars) VALUES (?1, ?2, ?3)
            ON CONFLICT (id) DO UPDATE SET person = ?2, exemplars = ?3
            """,
            (cluster, clusterer.persons.get(cluster), blob),
        )
    for face in sorted(clusterer.touched_faces):
        place = clusterer.members.get(face)
        _put(db, face, place.cluster if place else None, place.confidence if place else 0.0)
    db.executemany("DELETE FROM cluster WHERE id = ? AND size = 0", [(id_,) for id_ in gone])
    clusterer.touched_faces.clear()
    clusterer.touched_clusters.clear()


def _put(db: apsw.Connection, face: int, cluster: int | None, confidence: float) -> None:
    row: Any = db.execute(
        """
        SELECT f.asset_id, m.face_id, m.cluster_id, m.confidence, m.fresh
          FROM face f LEFT JOIN face_cluster m ON m.face_id = f.id WHERE f.id = ?
        """,
        (face,),
    ).fetchone()
    if row is None:
        return
    asset_id, compared, *before = row
    if compared is None:
        db.execute(
            "INSERT INTO face_cluster (face_id, cluster_id, confidence) VALUES (?, ?, ?)",
            (face, cluster, confidence),
        )
    elif before != [cluster, confidence, 1]:
        db.execute(
            "UPDATE face_cluster SET cluster_id = ?, confidence = ?, fresh = 1 WHERE face_id = ?",
            (cluster, confidence, face),
        )
    if before[0] != cluster:
        db.execute("INSERT INTO change (asset_id) VALUES (?)", (asset_id,))


def finish(
    db: apsw.Connection,
    model: ModelId,
    rules: Rules,
    *,
    algorithm: int,
    settings: str,
    faces: int,
) -> None:
    """A pass over all faces is kept."""
    db.execute(
        """
        INSERT OR REPLACE INTO clustering
            (id, algorithm, model, same_person, strangers, settings, faces, changed, finished)
        VALUES (1, ?, ?, ?, ?, ?, ?, 0, ?)
        """,
        (
            algorithm,
            model,
            rules.same_person,
            rules.strangers,
            settings,
            faces,
            int(time.time()),
        ),
    )


def _dimension(db: apsw.Connection, model: ModelId) -> int:
    row: Any = db.execute("SELECT dimension FROM model WHERE name = ?", (model,)).fetchone()
    return 0 if row is None else int(row[0])


def _gallery(
    db: apsw.Connection, model: ModelId, smallest: int, clause: str = "", *, limit: int = -1
) -> Gallery:
    import numpy as np

    from havenfs.identity import gallery as ordered

    rows: list[Any] = db.execute(
        f"""
        SELECT f.id, iif(f.size < ? OR a.primary_id IS NOT NULL, 0.0, f.quality), f.asset_id * ? + f.frame_ms, e.vector
          FROM face_vector e JOIN face f ON f.id = e.face_id JOIN asset a ON a.id = f.asset_id
         WHERE e.model_id = (SELECT id FROM model WHERE name = ?) {clause}
         ORDER BY f.id LIMIT ?
        """,  # noqa: S608 -- clauses of this module
        (smallest, FRAMES, model, limit),
    ).fetchall()
    ids, quality, pictures, vectors = zip(*rows, strict=True) if rows else ((), (), (), ())
    return ordered(
        np.array(ids, np.int64),
        np.frombuffer(b"".join(vectors), np.int8).reshape(len(rows), _dimension(db, model)),
        np.array(quality, np.float32),
        np.array(pictures, np.int64),
    )
