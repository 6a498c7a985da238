"""How far indexing is, and what went wrong. Counts are those that triggers keep (0011_tally.sql)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from havenfs.entities import AssetId, Kind, Stage

if TYPE_CHECKING:
    import apsw

WINDOW_S = 60  # rates look back this far


class StageProgress(Struct, frozen=True, kw_only=True):
    """How many assets one stage has behind and before it."""

    queued: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0
    rate: float = 0.0
    """Assets a second over the last minute."""

    @property
    def eta_s(self) -> float | None:
        """Seconds until the queue is empty at the present rate; 0 when it is, None when nothing moves."""
        if not self.queued:
            return 0.0
        return self.queued / self.rate if self.rate else None


class Progress(Struct, frozen=True, kw_only=True):
    """Counts over the sources whose disks are there, as of one moment."""

    files: int
    """Known paths on disk, without those that are not ours to show."""
    identifying: int
    """Of these, waiting to be hashed."""
    skipped: int
    """Paths that are not ours to show (symlinks, unknown types)."""
    failed: int
    """Paths that ought to be ours but cannot be read."""
    assets: int
    """Things that views show."""
    stages: dict[Stage, StageProgress]

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do."""
        return not self.identifying and not any(s.queued for s in self.stages.values())

    @property
    def eta_s(self) -> float | None:
        """Seconds until everything is done at the present rates; None while unknown."""
        if self.identifying:
            return None
        total = 0.0
        for stage in self.stages.values():
            eta = stage.eta_s
            if eta is None:
                return None
            total += eta  # stages follow one another
        return total


class Brought(Struct, frozen=True, kw_only=True):
    """What looking at pictures has brought so far, beyond dates and places."""

    tagged: int
    """Assets with suggested tags."""
    copies: int
    """Photos of which there is another copy, not counting files of equal bytes."""
    groups: int
    """Of these."""
    read: int
    """Pictures on which text was read."""


class Trouble(Struct, frozen=True, kw_only=True):
    """One thing that could not be indexed, for the owner to see."""

    source: str
    """Name of the source."""
    path: bytes
    """Relative to the source's root. A directory when it was a directory that could not be listed."""
    reason: str
    stage: Stage | None = None
    """One of those that failed for this reason; None when the file itself could not be read."""
    asset_id: AssetId | None = None


def progress(db: apsw.Connection) -> Progress:
    """Counts of everything, and rates over the last minute."""
    states = dict.fromkeys(("new", "known", "skipped", "failed"), 0)
    states |= dict(
        db.execute(
            "SELECT state, sum(number) FROM file_tally"
            " WHERE source_id IN (SELECT id FROM source WHERE present) GROUP BY state"
        )
    )
    counts: dict[str, dict[str, int]] = {}
    for stage, state, number in db.execute(
        "SELECT stage, state, sum(number) FROM job_tally"
        " WHERE source_id IN (SELECT id FROM source WHERE present) GROUP BY stage, state"
    ):
        counts.setdefault(stage, {})[state] = number
    now = int(time.time())
    # A stage that has just begun is measured since then: its first minute is no reason to promise an hour.
    rates: dict[str, float] = dict(
        db.execute(
            "SELECT stage, 1.0 * sum(number) / max(1, ?2 - min(finished)) FROM pace"
            " WHERE finished > ?1 AND finished <= ?2 GROUP BY stage",
            (now - WINDOW_S, now),
        )
    )
    return Progress(
        files=states["new"] + states["known"] + states["failed"],
        identifying=states["new"],
        skipped=states["skipped"],
        failed=states["failed"],
        assets=sum(visible(db).values()),
        stages={
            stage: StageProgress(**counts.get(stage, {}), rate=rates.get(stage, 0.0))
            for stage in Stage
        },
    )


def visible(db: apsw.Connection) -> dict[Kind, int]:
    """How many assets of each kind views show; kinds with none are there with 0."""
    found = dict(
        db.execute(
            "SELECT kind, sum(number) FROM asset_tally"
            " WHERE primary_ AND source_id IN (SELECT id FROM source WHERE present) GROUP BY kind"
        )
    )
    return {kind: found.get(kind, 0) for kind in Kind}


def found(db: apsw.Connection) -> Brought:
    """Counts of what was found, of all sources."""
    row: Any = db.execute(
        """
        SELECT (SELECT number FROM tagged_tally),
               (SELECT count(*) FROM duplicate), (SELECT count(DISTINCT group_id) FROM duplicate),
               (SELECT ifnull(sum(number), 0) FROM job_tally
                 WHERE stage = ? AND state = 'done' AND kind = 'photo')
        """,
        (Stage.TEXT,),
    ).fetchone()
    tagged, copies, groups, read = row
    return Brought(tagged=tagged, copies=copies, groups=groups, read=read)


def trouble(db: apsw.Connection, limit: int = 200) -> list[Trouble]:
    """What could not be indexed in the sources that are there, files before stages."""
    found = [
        Trouble(source=source, path=path, reason=reason or "unknown")
        for source, path, reason in db.execute(
            """
            SELECT s.name, f.path, f.reason FROM file f JOIN source s ON s.id = f.source_id
             WHERE f.state IN ('skipped', 'failed')  -- said as the index file_trouble has it, or a million are looked through
               AND f.state = 'failed' AND s.present ORDER BY s.name, f.path LIMIT ?
            """,
            (limit,),
        )
    ]
    found += [
        Trouble(
            source=source,
            path=path,
            stage=Stage(stage),
            reason=reason or "unknown",
            asset_id=AssetId(asset),
        )
        for source, path, stage, reason, asset in db.execute(
            """
            SELECT s.name, f.path, min(j.stage), j.reason, a.id  -- one reason usually fails several stages: said once
              FROM job j JOIN asset a ON a.id = j.asset_id
              JOIN file f ON f.id = a.file_id JOIN source s ON s.id = f.source_id
             WHERE j.state = 'failed' AND s.present
             GROUP BY a.id, j.reason ORDER BY s.name, f.path LIMIT ?
            """,
            (limit - len(found),),
        )
    ]
    return found
