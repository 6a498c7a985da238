"""What to do next: the order of indexing. Reads the catalog; keeps nothing.

Five passes, each newest first, each useful alone: every new file is hashed; then every asset has its date and place;
then it can be seen and searched by looks (one decode for both); then its faces are looked for, in the stored picture,
because a full detector takes longer than all before; text comes last, because reading a page takes a second.
A photo that arrives during a later pass goes through the earlier ones at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from havenfs.catalog import files, jobs
from havenfs.entities import Stage

if TYPE_CHECKING:
    from collections.abc import Collection

    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.jobs import Job
    from havenfs.entities import AssetId, File, FileId

PASSES: Final[tuple[tuple[Stage, frozenset[Stage]], ...]] = (
    (Stage.METADATA, frozenset()),
    (Stage.PREVIEW, frozenset([Stage.EMBED])),
    (Stage.EMBED, frozenset([Stage.PREVIEW])),
    (Stage.FACES, frozenset()),
    (Stage.TEXT, frozenset()),
)
"""The stage that leads a pass, and what is done in the same visit."""


def unidentified(
    db: Connection, *, besides: Collection[FileId], limit: int
) -> list[tuple[File, bytes]]:
    """Files to hash next with their sources' roots, none of *besides*."""
    found = files.new(db, limit + len(besides))
    return [(file, root) for file, root in found if file.id not in besides][:limit]


def visits(
    db: Connection,
    *,
    besides: Collection[AssetId],
    stages: Collection[Stage],
    limit: int,
    arrived: bool = False,
) -> list[Job]:
    """Assets to visit next, none of *besides*, all of one pass, each with its queued *stages* of that pass; only those
    that came through the mount if *arrived*: they go through all passes before anything else is even hashed."""
    for lead, together in PASSES:
        if lead not in stages:
            continue
        found = jobs.queued(
            db,
            lead,
            together.intersection(stages),
            limit=limit + len(besides),
            arrived=arrived,
        )
        if waiting := [job for job in found if job.asset_id not in besides]:
            return waiting[:limit]
    return []
