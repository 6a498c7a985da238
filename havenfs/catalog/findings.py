"""Findings into SQL: what one visit brought back, and where that leaves the stages it was for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from havenfs.entities import JobState, Stage, TextOrigin

from . import (
    contents,
    corrections,
    duplicates,
    faces,
    jobs,
    neighbours,
    places,
    readings,
    vectors,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    import apsw

    from havenfs.entities import AssetId, Findings, Metadata, Preview, Text


def record(
    db: apsw.Connection,
    asset_id: AssetId,
    content: bytes,
    stages: Collection[Stage],
    findings: Findings,
) -> bool:
    """Write what a visit for *stages* found about the content with that hash, and finish those stages.

    False, and nothing is written, when the asset has other content by now: then its stages are queued anew anyway.
    Previews themselves go to `thumbnails` first, so that a PREVIEW that is done can be shown.
    """
    row = db.execute(
        """
        SELECT f.path FROM asset a LEFT JOIN file f ON f.id = a.file_id WHERE a.id = ? AND a.hash = ?
        """,
        (asset_id, content),
    ).fetchone()
    if row is None:
        return False
    if findings.metadata is not None:
        _metadata(db, asset_id, findings.metadata)
        if row[0] is not None:
            words.put(db, asset_id, name=contents.path_words(row[0]))
    if findings.preview is not None:
        _preview(db, asset_id, findings.preview)
    if findings.embeddings:
        vectors.put(db, asset_id, findings.embeddings)
    if findings.faces is not None:
        faces.put(db, asset_id, findings.faces)
    if findings.preview is not None or findings.embeddings:
        duplicates.settle(db, asset_id)
    if Stage.TEXT in stages:
        _text(db, asset_id, findings.text)
    for stage in stages:
        if stage in findings.failed:
            jobs.finish(db, asset_id, stage, JobState.FAILED, reason=findings.failed[stage])
        elif stage in findings.skipped:
            jobs.finish(db, asset_id, stage, JobState.SKIPPED, reason=findings.skipped[stage])
        elif stage is Stage.EMBED and findings.embeddings:
            jobs.finish(db, asset_id, stage, JobState.DONE, model=findings.embeddings[0].model)
        elif stage is Stage.FACES and findings.faces is not None:
            jobs.finish(db, asset_id, stage, JobState.DONE, model=findings.faces.model)
        elif _delivered(stage, findings):
            jobs.finish(db, asset_id, stage, JobState.DONE, reason=_damage(stage, findings))
        else:
            jobs.finish(db, asset_id, stage, JobState.FAILED, reason="nothing came back")
    return True


def _damage(stage: Stage, findings: Findings) -> str | None:
    """What is to be said of a stage that is done nevertheless."""
    made = findings.preview
    if stage is not Stage.PREVIEW or made is None or made.cut is None:
        return None
    return "the file is cut off: it shows what is there"


def _delivered(stage: Stage, findings: Findings) -> bool:
    match stage:
        case Stage.METADATA:
            return findings.metadata is not None
        case Stage.PREVIEW:
            return findings.preview is not None
        case Stage.EMBED:
            return bool(findings.embeddings)
        case Stage.FACES:
            return findings.faces is not None
        case Stage.TEXT:
            return findings.text is not None
        case Stage.TAGS:
            return False  # never a visit's


def _metadata(db: apsw.Connection, asset_id: AssetId, found: Metadata) -> None:
    place_id = places.ensure(db, found.locality) if found.locality is not None else None
    taken = found.taken
    db.execute(
        """
        UPDATE asset SET
            taken_local = ?, taken_offset = ?, taken_source = ?, taken_confidence = ?, latitude = ?, longitude = ?, place_id = ?,
            width = coalesce(?, width), height = coalesce(?, height), orientation = ?, duration_ms = ?,
            camera = ?, lens = ?, iso = ?, aperture = ?, focal_mm = ?, exposure_s = ?,
            rating = ?, caption = ?, keywords = ?, screenshot = ?, raw = ?, live = ?,
            content_id = ?, burst_id = ?, adjusted = ?, hdr = ?
         WHERE id = ?
        """,
        (
            taken.local if taken else None,
            taken.offset if taken else None,
            taken.source if taken else None,
            taken.confidence if taken else None,
            found.latitude,
            found.longitude,
            place_id,
            found.width,
            found.height,
            found.orientation,
            found.duration_ms,
            found.camera,
            found.lens,
            found.iso,
            found.aperture,
            found.focal_mm,
            found.exposure_s,
            found.rating,
            found.caption,
            json.dumps(found.keywords, ensure_ascii=False) if found.keywords else None,
            found.screenshot,
            found.raw,
            found.live,
            found.content_id,
            found.burst_id,
            found.adjusted,
            found.hdr,
            asset_id,
        ),
    )
    corrections.renewed(db, asset_id)
    neighbours.settle(db, asset_id)


def _preview(db: apsw.Connection, asset_id: AssetId, found: Preview) -> None:
    db.execute(
        """
        UPDATE asset SET thumbhash = ?, phash = ?, text_likeness = ?,
               width = coalesce(width, ?), height = coalesce(height, ?) WHERE id = ?
        """,
        (
            found.thumbhash,
            None
            if found.partial
            else found.phash,  # it is nobody's copy: pictures with one sky are alike
            found.text_likeness,
            found.width,
            found.height,
            asset_id,
        ),
    )
    if not found.partial:
        duplicates.put(db, asset_id, inner=found.inner, grid=found.grid)


def _text(db: apsw.Connection, asset_id: AssetId, found: Text | None) -> None:
    """Both columns, so that the words of an older content go."""
    body = found.body if found is not None else ""
    origin = found.origin if found is not None else None
    words.put(
        db,
        asset_id,
        ocr=body if origin is TextOrigin.OCR else "",
        document=body if origin is TextOrigin.DOCUMENT else "",
    )
    readings.put(db, asset_id, found)
