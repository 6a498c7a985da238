"""Sorting in SQL: what is known of the folders that files may be filed into, and the proposals that were made of it.

A folder is a directory of a writable source. Profiles are made of the rows here by `havenfs.sorting`; nothing here weighs
anything. Plain functions of a connection; a call holds the caller's transaction only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from havenfs.entities import AssetId, SourceId

from . import assets, inbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import apsw

    from havenfs.entities import Asset

TEXT = 2000
"""Characters of a text that are read: letterhead, sender and subject stand at its beginning."""
_SAID = "taken_source IS NOT NULL AND taken_source <> 'mtime'"


class Folder(NamedTuple):
    """A directory of originals."""

    source_id: SourceId
    path: bytes
    """Relative to the source's root; empty: the root."""


class Row(Struct, frozen=True, kw_only=True):
    """What is known of one asset, as far as it says where it belongs."""

    asset_id: AssetId
    path: bytes
    kind: str
    """entities.Kind, or "screenshot"."""
    taken: int | None
    """Wall-clock seconds; None: nobody said so."""
    camera: str | None
    place_id: int | None
    text: str
    clusters: tuple[int, ...]
    """Whose faces are in it."""
    vector: bytes | None
    """int8, of the model asked for."""


class Proposal(Struct, frozen=True, kw_only=True):
    """One place where an asset may belong."""

    folder: Folder
    fresh: bool
    """It is not there yet."""
    confidence: float
    """0..1."""
    reasons: tuple[str, ...]
    """In words for people, the best first."""
    rule: str | None = None
    """The rule of the owner that says so."""


class Proposed(Struct, frozen=True):
    """A proposal that holds, and what it is about."""

    asset: Asset
    source: str
    """Name of the source of the folder."""
    proposal: Proposal


# --- profiles ---------------------------------------------------------------------------------------------------


def folders(db: apsw.Connection) -> dict[AssetId, Folder]:
    """The folder of each visible asset in a writable source, the inbox aside."""
    place = inbox.place(db)
    if place is None:
        return {}
    rows = db.execute(
        "SELECT v.id, v.source_id, v.path FROM visible v JOIN source s ON s.id = v.source_id WHERE s.writable"
    )
    found: dict[AssetId, Folder] = {}
    known: dict[tuple[int, bytes], Folder] = {}  # one object a folder, not one an asset
    for id_, source_id, path in rows:
        if source_id == place.id and inbox.holds(path):
            continue
        key = (source_id, path.rpartition(b"/")[0])
        found[AssetId(id_)] = known.setdefault(key, Folder(SourceId(source_id), key[1]))
    return found


def where(db: apsw.Connection, ids: Sequence[AssetId]) -> dict[AssetId, Folder]:
    """The same of these assets only."""
    place = inbox.place(db)
    rows = db.execute(
        "SELECT v.id, v.source_id, v.path FROM json_each(?) j CROSS JOIN visible v ON v.id = j.value"
        " JOIN source s ON s.id = v.source_id WHERE s.writable",
        (json.dumps(ids),),
    )
    return {
        AssetId(id_): Folder(SourceId(source_id), path.rpartition(b"/")[0])
        for id_, source_id, path in rows
        if not (place is not None and source_id == place.id and inbox.holds(path))
    }


_ROW = f"""
    SELECT v.id, v.path, CASE WHEN v.screenshot THEN 'screenshot' ELSE v.kind END,
           CASE WHEN {_SAID} THEN v.taken_local END, v.camera, v.place_id,
           (SELECT substr(CASE WHEN w.document <> '' THEN w.document ELSE w.ocr END, 1, {TEXT})
              FROM words w WHERE w.rowid = v.id),
           (SELECT group_concat(DISTINCT c.cluster_id) FROM face f JOIN face_cluster c ON c.face_id = f.id
             WHERE f.asset_id = v.id AND c.cluster_id IS NOT NULL),
           (SELECT e.vector FROM embedding e WHERE e.asset_id = v.id AND e.model_id = :model ORDER BY e.frame_ms LIMIT 1)
"""  # noqa: S608


def members(db: apsw.Connection, folder: Folder, model: int | None) -> list[Row]:
    """The visible assets directly in a folder. One statement, which walks what lies below it in the index over paths."""
    prefix = folder.path + b"/" if folder.path else b""
    rows = db.execute(
        _ROW + " FROM file JOIN visible v ON v.file_id = file.id"
        " WHERE file.source_id = :source AND file.path >= :low AND file.path < :high"
        " AND instr(substr(file.path, :start), X'2F') = 0",
        {
            "model": model,
            "source": folder.source_id,
            "low": prefix,
            # To be found by the index, the end must be one: of the root, what no path comes after.
            "high": folder.path + b"0" if folder.path else b"\xff" * 8,
            "start": len(prefix) + 1,
        },
    )
    return [_row(row) for row in rows]


def some(db: apsw.Connection, ids: Iterable[AssetId], model: int | None) -> list[Row]:
    """The same of these assets."""
    rows = db.execute(
        _ROW + " FROM json_each(:ids) j CROSS JOIN visible v ON v.id = j.value",
        {"model": model, "ids": json.dumps(list(ids))},
    )
    return [_row(row) for row in rows]


def moments(db: apsw.Connection) -> dict[AssetId, int]:
    """When the visible assets were taken, wall-clock seconds, of those that say so."""
    rows = db.execute(
        f"SELECT id, taken_local FROM visible WHERE taken_local IS NOT NULL AND {_SAID}"  # noqa: S608
    )
    return {AssetId(row[0]): row[1] for row in rows}


def model(db: apsw.Connection) -> int | None:
    """The model that has embedded most of the library; None: nothing is embedded."""
    row = db.execute(
        "SELECT model_id FROM embedding GROUP BY model_id ORDER BY count(*) DESC, model_id LIMIT 1"
    ).fetchone()
    return int(row[0]) if row else None


def _row(row: Any) -> Row:
    return Row(
        asset_id=AssetId(row[0]),
        path=row[1],
        kind=row[2],
        taken=row[3],
        camera=row[4],
        place_id=row[5],
        text=row[6] or "",
        clusters=tuple(map(int, row[7].split(","))) if row[7] else (),
        vector=row[8],
    )


# --- proposals --------------------------------------------------------------------------------------------------


def put(db: apsw.Connection, proposals: Mapping[AssetId, Sequence[Proposal]]) -> int:
    """Replace all proposals by these, each list the best first. Returns how many assets have others now."""
    before = _all(db)
    changed = 0
    for asset_id in sorted(before.keys() | proposals.keys()):
        new = list(proposals.get(asset_id, ()))
        if before.get(asset_id, []) == new:
            continue
        changed += 1
        db.execute("DELETE FROM proposal WHERE asset_id = ?", (asset_id,))
        db.executemany(
            "INSERT INTO proposal (asset_id, rank, source_id, path, fresh, confidence, reasons, rule)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    asset_id,
                    rank,
                    *each.folder,
                    int(each.fresh),
                    each.confidence,
                    json.dumps(each.reasons, ensure_ascii=False),
                    each.rule,
                )
                for rank, each in enumerate(new)
            ],
        )
        db.execute("INSERT INTO change (asset_id) VALUES (?)", (asset_id,))
    return changed


def differing(db: apsw.Connection, proposals: Mapping[AssetId, Sequence[Proposal]]) -> int:
    """How many assets have other proposals than these."""
    before = _all(db)
    return sum(
        before.get(asset_id, []) != list(proposals.get(asset_id, ()))
        for asset_id in before.keys() | proposals.keys()
    )


def settled(db: apsw.Connection) -> set[AssetId]:
    """The assets with proposals of which nothing is left to be looked at, so that the proposals are what they will be."""
    rows = db.execute(
        "SELECT DISTINCT asset_id FROM proposal p WHERE NOT EXISTS ("
        " SELECT 1 FROM job j WHERE j.asset_id = p.asset_id AND j.state = 'queued')"
    )
    return {AssetId(row[0]) for row in rows}


def taken_back(db: apsw.Connection) -> set[bytes]:
    """Contents that were filed once and brought back: what is never filed again without being asked."""
    rows = db.execute(
        "SELECT DISTINCT json_extract(c.value, '$[3][0]') FROM operation o JOIN operation r ON r.reverts = o.id"
        " CROSS JOIN json_each(o.changes) c WHERE o.kind = 'FileAway'"
    )
    return {bytes.fromhex(row[0]) for row in rows if row[0] is not None}


def refused(db: apsw.Connection) -> set[tuple[bytes, str, bytes]]:
    """What was said no to: content, name of the source, path of the folder."""
    rows: list[Any] = db.execute("SELECT hash, source, path FROM filing_refused").fetchall()
    return {(row[0], row[1], row[2]) for row in rows}


_HOLDS = """
    FROM proposal p JOIN visible v ON v.id = p.asset_id JOIN source d ON d.id = p.source_id
   WHERE d.present AND d.writable AND v.source_id = :inbox AND v.path >= :low AND v.path < :high
     AND NOT EXISTS (SELECT 1 FROM filing_refused r WHERE r.hash = v.hash AND r.source = d.name AND r.path = p.path)
"""
_COLUMNS = ", ".join(f"v.{column}" for column in assets.COLUMNS.split(", "))
_PROPOSAL = "p.source_id, p.path, p.fresh, p.confidence, p.reasons, p.rule"


def proposed(db: apsw.Connection) -> list[Proposed]:
    """Every proposal that holds, by asset, the best first."""
    return _proposed(db, "", {})


def in_folder(db: apsw.Connection, folder: Folder) -> list[Proposed]:
    """The proposals for one folder, by name."""
    found = _proposed(
        db,
        " AND p.source_id = :source AND p.path = :path",
        {"source": folder.source_id, "path": folder.path},
    )
    return sorted(found, key=lambda each: each.asset.name)


def of_asset(db: apsw.Connection, asset_id: AssetId) -> list[Proposed]:
    """The proposals for one asset, the best first."""
    return _proposed(db, " AND p.asset_id = :asset", {"asset": asset_id})


def _proposed(db: apsw.Connection, more: str, bindings: dict[str, Any]) -> list[Proposed]:
    place = inbox.place(db)
    if place is None:
        return []
    rows = db.execute(
        f"SELECT d.name, {_PROPOSAL}, {_COLUMNS} {_HOLDS} {more} ORDER BY v.path, p.rank",
        {"inbox": place.id, "low": inbox.NAME + b"/", "high": inbox.NAME + b"0", **bindings},
    )
    return [Proposed(assets.from_row(row[7:]), row[0], _proposal(row[1:7])) for row in rows]


def _all(db: apsw.Connection) -> dict[AssetId, list[Proposal]]:
    found: dict[AssetId, list[Proposal]] = {}
    for row in db.execute(
        f"SELECT p.asset_id, {_PROPOSAL} FROM proposal p ORDER BY p.asset_id, p.rank"  # noqa: S608
    ):
        found.setdefault(AssetId(row[0]), []).append(_proposal(row[1:]))
    return found


def _proposal(row: Any) -> Proposal:
    return Proposal(
        folder=Folder(SourceId(row[0]), row[1]),
        fresh=bool(row[2]),
        confidence=row[3],
        reasons=tuple(json.loads(row[4])),
        rule=row[5],
    )
