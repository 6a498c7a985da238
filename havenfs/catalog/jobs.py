"""Jobs in SQL: which stages of which assets are still to be done. Durable; nothing running is stored as running."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from havenfs.entities import AssetId, JobState, Kind, ModelId, SourceId, Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import apsw

ARRIVED = 1 << 40
"""Priorities from here on, plus the moment in seconds, are of what somebody has just put here; the others are mtimes."""
CRASHES = 2  # workers that may die on one content before it is left alone


class Job(Struct, frozen=True, kw_only=True):
    """What is queued for one asset, with everything a visit to its primary file needs."""

    asset_id: AssetId
    hash: bytes
    """The content that the findings must be about."""
    stages: frozenset[Stage]
    source_id: SourceId
    root: bytes
    path: bytes
    """Relative to the root."""
    kind: Kind
    mime: str
    size: int
    mtime_ns: int


def enqueue(
    db: apsw.Connection, asset_id: AssetId, stages: Iterable[Stage], *, priority: int
) -> None:
    """Queue these stages, whether they were done before or not. Larger *priority* (mtime in seconds) goes first."""
    db.executemany(
        """
        INSERT INTO job (asset_id, stage, priority) VALUES (?, ?, ?)
        ON CONFLICT (asset_id, stage) DO UPDATE
           SET state = 'queued', priority = excluded.priority, crashes = 0, reason = NULL, finished = NULL
        """,
        [(asset_id, stage, priority) for stage in stages],
    )


def hasten(db: apsw.Connection, asset_id: AssetId) -> None:
    """Somebody has just put it here: what is queued for it goes before everything else, however old the photo is."""
    db.execute(
        "UPDATE job SET priority = ? WHERE asset_id = ? AND state = 'queued'",
        (ARRIVED + int(time.time()), asset_id),
    )


def queued(
    db: apsw.Connection,
    lead: Stage,
    together: Collection[Stage],
    *,
    limit: int,
    arrived: bool = False,
) -> list[Job]:
    """The assets of present sources for which *lead* is queued, newest first, with what of *together* is queued for
    them besides. *arrived*: only those that somebody is waiting for (`hasten`)."""
    jobs: list[Job] = []
    for row in db.execute(
        """
        SELECT j.asset_id, a.hash, f.source_id, s.root, f.path, a.kind, a.mime, f.size, f.mtime_ns,
               (SELECT group_concat(o.stage) FROM job o WHERE o.asset_id = j.asset_id AND o.state = 'queued')
          FROM job j JOIN asset a ON a.id = j.asset_id
          JOIN file f ON f.id = a.file_id JOIN source s ON s.id = f.source_id
         WHERE j.stage = ? AND j.state = 'queued' AND j.priority >= ? AND s.present AND f.state = 'known'
         ORDER BY j.priority DESC, j.asset_id LIMIT ?
        """,
        (lead, ARRIVED if arrived else -ARRIVED, limit),
    ):
        stages = {Stage(name) for name in row[9].split(",")}
        jobs.append(
            Job(
                asset_id=AssetId(row[0]),
                hash=row[1],
                stages=frozenset(stages & {lead, *together}),
                source_id=SourceId(row[2]),
                root=row[3],
                path=row[4],
                kind=Kind(row[5]),
                mime=row[6],
                size=row[7],
                mtime_ns=row[8],
            )
        )
    return jobs


def finish(
    db: apsw.Connection,
    asset_id: AssetId,
    stage: Stage,
    state: JobState,
    *,
    reason: str | None = None,
    model: ModelId | None = None,
) -> None:
    """The stage is DONE, SKIPPED or FAILED as of now."""
    db.execute(
        "UPDATE job SET state = ?, reason = ?, model = ?, finished = ? WHERE asset_id = ? AND stage = ?",
        (state, reason, model, int(time.time()), asset_id, stage),
    )


def crashed(db: apsw.Connection, asset_id: AssetId, stages: Iterable[Stage], reason: str) -> None:
    """A worker died over these stages. The CRASHES-th time they fail, for *reason*."""
    db.executemany(
        """
        UPDATE job SET crashes = crashes + 1,
               state = iif(crashes + 1 >= ?1, 'failed', state),
               reason = iif(crashes + 1 >= ?1, ?2, reason),
               finished = iif(crashes + 1 >= ?1, ?3, finished)
         WHERE asset_id = ?4 AND stage = ?5 AND state = 'queued'
        """,
        [(CRASHES, reason, int(time.time()), asset_id, stage) for stage in stages],
    )


def last(db: apsw.Connection) -> AssetId:
    """The highest asset there is a job for; 0 when there is none."""
    row = db.execute("SELECT coalesce(max(asset_id), 0) FROM job").fetchone()
    return AssetId(row[0] if row else 0)


def requeue_for_model(db: apsw.Connection, stage: Stage, model: ModelId, among: range) -> int:
    """Queue the stage again for those of these assets that another model did it for. Returns how many."""
    db.execute(
        """
        UPDATE job SET state = 'queued', crashes = 0, reason = NULL, finished = NULL
         WHERE asset_id >= ? AND asset_id < ? AND stage = ? AND state = 'done' AND model IS NOT ?
        """,
        (among.start, among.stop, stage, model),
    )
    return db.changes()


def embedding_left(db: apsw.Connection) -> bool:
    """Whether the model in use has pictures of present sources still to look at."""
    row = db.execute(
        """
        SELECT EXISTS (
            SELECT 1 FROM job j JOIN asset a ON a.id = j.asset_id
              JOIN file f ON f.id = a.file_id JOIN source s ON s.id = f.source_id
             WHERE j.stage = 'embed' AND j.state = 'queued' AND s.present
        )
        """
    ).fetchone()
    return row is not None and bool(row[0])


def retry(db: apsw.Connection) -> int:
    """Queue everything that failed once more, files included. Returns how many."""
    db.execute(
        "UPDATE job SET state = 'queued', crashes = 0, reason = NULL, finished = NULL WHERE state = 'failed'"
    )
    count = db.changes()
    db.execute("UPDATE file SET state = 'new', reason = NULL WHERE state = 'failed' AND size > 0")
    return count + db.changes()
