"""Stacks in SQL: which assets are one thing to a person, which of them stands for it, and what the others are to that one.

Triggers note whose stack may have become another (`loose`) and which sidecars moved (`stirred`); `settle` makes both good
at the end of the transaction that moved them, so no reader ever sees half a stack. Identity is untouched: a mate stays an
asset with its own content, name and id, only not shown beside its primary.

Mates lie in one folder of one source, and are told by names, by what cameras write into both, and by time. What ties two
assets is looked up, never stored: a few ranges in the index over paths, 0.2 ms an asset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from havenfs import mates
from havenfs.entities import AssetId, Kind, Role, Stage

from . import jobs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import apsw

FILM_MS = 6_000
"""A video of a photo's name is the film of a live photo up to here: Apple's last 3 s, Google's up to 4, cut ones less."""
BURST_S = 1
"""Three pictures counted one after the other, by one camera, within this many seconds are a burst."""
MOST = 200  # members of a stack: cameras stop at 100 frames


class Mate(Struct, frozen=True, kw_only=True):
    """One member of a stack besides its primary."""

    asset_id: AssetId
    name: str
    role: Role


class _Member(Struct, frozen=True, kw_only=True):
    """What decides about an asset's mates. One that is hidden has no files."""

    id: AssetId
    kind: Kind
    raw: bool
    """By its type, before its metadata say so: the types of raw files are those that begin with image/x-."""
    duration_ms: int | None
    camera: str | None
    taken: int | None
    """Seconds, when a camera wrote it."""
    content_id: str | None
    burst_id: str | None
    source_id: int
    files: tuple[tuple[bytes, bytes], ...]
    """Folder and name of each of its files in the source of its primary file, that one first."""


def settle(db: apsw.Connection) -> None:
    """Make up anew what has come loose, and have read again what stirred sidecars are about. 3 us when nothing has."""
    if db.execute("SELECT 1 FROM stirred LIMIT 1").fetchone():
        _reread(db)
    if not db.execute("SELECT 1 FROM loose LIMIT 1").fetchone():
        return
    # Those, and whoever was in one stack with them.
    ids: list[AssetId] = [
        AssetId(row[0])
        for row in db.execute(
            """
            WITH top (id) AS (
                SELECT ifnull(a.primary_id, a.id) FROM loose l JOIN asset a ON a.id = l.asset_id)
            SELECT id FROM top UNION SELECT asset_id FROM loose UNION
            SELECT m.id FROM top JOIN asset m ON m.primary_id = top.id
            """
        )
    ]
    db.execute("DELETE FROM loose")
    settled: set[AssetId] = set()
    known: dict[AssetId, _Member | None] = {}
    for asset_id in sorted(ids):
        if asset_id not in settled:
            stack = _stack(db, asset_id, known, settled)
            settled.add(asset_id)
            settled.update(member.id for member in stack)
            _record(db, asset_id, stack)


def of(db: apsw.Connection, asset_id: AssetId) -> list[Mate]:
    """The other members of the asset's stack, by name; their roles are to the primary, whose own is PRIMARY."""
    return [
        Mate(asset_id=AssetId(row[0]), name=row[1], role=Role(row[2] or Role.PRIMARY))
        for row in db.execute(
            """
            WITH top (id) AS (SELECT ifnull(primary_id, id) FROM asset WHERE id = ?1)
            SELECT m.id, m.name, m.role FROM asset m, top
             WHERE (m.id = top.id OR m.primary_id = top.id) AND m.id <> ?1 ORDER BY m.name
            """,
            (asset_id,),
        )
    ]


# --- who belongs to whom --------------------------------------------------------------------------------------


def _stack(
    db: apsw.Connection,
    asset_id: AssetId,
    known: dict[AssetId, _Member | None],
    others: set[AssetId],
) -> list[_Member]:
    """Everybody that is tied to the asset, directly or through others; none of *others*. Empty if it is hidden."""
    first = _member(db, asset_id, known)
    if first is None:
        return []
    found = {asset_id: first}
    waiting = [first]
    while waiting and len(found) < MOST:
        for mate in _mates(db, waiting.pop(), known):
            if mate.id not in found and mate.id not in others and len(found) < MOST:
                found[mate.id] = mate
                waiting.append(mate)
    return list(found.values())


def _mates(
    db: apsw.Connection, one: _Member, known: dict[AssetId, _Member | None]
) -> Iterator[_Member]:
    for folder, name in one.files:
        mine = mates.read(name)
        for other_name, other_id in _between(db, one.source_id, folder, mates.spans(name)):
            other = _member(db, other_id, known) if other_id != one.id else None
            if other is not None and _tied(one, mine, other, mates.read(other_name)):
                yield other
        yield from _taken_at_once(db, one, folder, name, known)
    for column in ("content_id", "burst_id"):
        value = getattr(one, column)
        if value is not None:
            rows: list[Any] = db.execute(
                f"SELECT id FROM asset WHERE {column} = ? LIMIT ?",  # noqa: S608
                (value, MOST),
            ).fetchall()
            for (other_id,) in rows:
                other = _member(db, AssetId(other_id), known)
                if other is not None and other.source_id == one.source_id and other.id != one.id:
                    yield other


def _tied(one: _Member, mine: mates.Name, other: _Member, theirs: mates.Name) -> bool:
    """Whether two assets whose names stand close to each other are one thing."""
    if mine.stem != theirs.stem:
        return False
    if one.kind is not other.kind:
        film = one if one.kind is Kind.VIDEO else other
        photo = other if film is one else one
        if film.content_id is not None and photo.content_id is not None:
            return film.content_id == photo.content_id
        return film.duration_ms is not None and film.duration_ms <= FILM_MS
    if mine.burst and theirs.burst:
        return True
    return mine.edited != theirs.edited or one.raw != other.raw


def _taken_at_once(
    db: apsw.Connection,
    one: _Member,
    folder: bytes,
    name: bytes,
    known: dict[AssetId, _Member | None],
) -> Iterator[_Member]:
    """The pictures just before and after *one*, where three in a row were taken within BURST_S."""
    if one.kind is not Kind.PHOTO or one.camera is None or one.taken is None:
        return
    near: dict[int, list[_Member]] = {0: [one]}
    for by in (-1, 1, -2, 2):
        if abs(by) == 2 and not near.get(by // 2):
            continue
        span = mates.step(name, by)
        if span is None:
            continue
        found = (
            _member(db, other_id, known)
            for _, other_id in _between(db, one.source_id, folder, [span])
        )
        near[by] = [
            other
            for other in found
            if other is not None
            and other.kind is Kind.PHOTO
            and other.camera == one.camera
            and other.taken is not None
            and abs(other.taken - one.taken) <= BURST_S
        ]
    for by in (-1, 1):
        for third in (by * 2, -by):
            row = [
                min(m.taken or 0 for m in near[step]) for step in (0, by, third) if near.get(step)
            ]
            if len(row) == 3 and max(row) - min(row) <= BURST_S:
                yield from near[by]
                break


def _between(
    db: apsw.Connection, source_id: int, folder: bytes, spans: Iterable[mates.Span]
) -> list[tuple[bytes, AssetId]]:
    """Name and asset of the files of *folder* whose names lie in one of *spans*."""
    start = folder + b"/" if folder else b""
    found: list[tuple[bytes, AssetId]] = []
    for low, high in spans:
        rows = db.execute(
            "SELECT path, asset_id FROM file WHERE source_id = ? AND path >= ? AND path < ? AND asset_id IS NOT NULL",
            (source_id, start + low, start + high),
        )
        found += [
            (path[len(start) :], AssetId(asset))
            for path, asset in rows
            if path.find(b"/", len(start)) < 0
        ]
    return found


def _member(
    db: apsw.Connection, asset_id: AssetId, known: dict[AssetId, _Member | None]
) -> _Member | None:
    """The asset, if it is a picture or a video with a file."""
    if asset_id in known:
        return known[asset_id]
    rows: list[Any] = db.execute(
        """
        SELECT a.kind, a.raw OR a.mime LIKE 'image/x-%', a.duration_ms, a.camera,
               -- whatever people say: it is about which shots belong together
               CASE WHEN n.asset_id IS NULL THEN iif(a.taken_source IN ('exif', 'xmp'), a.taken_local, NULL)
                    ELSE iif(n.taken_source IN ('exif', 'xmp'), n.taken_local, NULL) END,
               a.content_id, a.burst_id, p.source_id, f.path
          FROM asset a JOIN file p ON p.id = a.file_id LEFT JOIN as_found n ON n.asset_id = a.id
          -- +: by the asset's few files, never by the source's many
          JOIN file f ON f.asset_id = a.id AND +f.source_id = p.source_id
         WHERE a.id = ? AND a.kind IN ('photo', 'video') ORDER BY f.id <> p.id, f.id LIMIT 20
        """,
        (asset_id,),
    ).fetchall()
    member = None
    if rows:
        kind, raw, duration_ms, camera, taken, content_id, burst_id, source_id, _ = rows[0]
        places = [row[-1].rpartition(b"/") for row in rows]
        member = _Member(
            id=asset_id,
            kind=Kind(kind),
            raw=bool(raw),
            duration_ms=duration_ms,
            camera=camera,
            taken=taken,
            content_id=content_id,
            burst_id=burst_id,
            source_id=source_id,
            files=tuple((folder, name) for folder, _, name in places),
        )
    known[asset_id] = member
    return member


# --- what follows ---------------------------------------------------------------------------------------------


def _record(db: apsw.Connection, asset_id: AssetId, stack: list[_Member]) -> None:
    """Write who stands for the stack and what the others are to it, where that has changed."""
    if not stack:  # hidden, or a document: it stands for itself and has no mates
        _write(db, asset_id, None, None)
        return
    primary, *rest = sorted(stack, key=_rank)
    raw = any(mate.raw for mate in rest)
    film = primary.kind is Kind.PHOTO and any(mate.kind is Kind.VIDEO for mate in rest)
    _write(db, primary.id, None, None, raw=raw, film=film)
    edited = {mates.read(member.files[0][1]).stem for member in stack if _edited(member)}
    for mate in rest:
        name = mates.read(mate.files[0][1])
        if mate.kind is Kind.VIDEO and primary.kind is Kind.PHOTO:
            role = Role.FILM
        elif mate.raw and not primary.raw:
            role = Role.RAW
        elif name.stem in edited and not name.edited:
            role = Role.ORIGINAL
        else:
            role = Role.FRAME
        _write(db, mate.id, primary.id, role)


def _rank(member: _Member) -> tuple[Any, ...]:
    """Smallest first: what people mean when they say "the picture"."""
    folder, name = member.files[0]
    return (
        member.kind is Kind.VIDEO,
        not _edited(member),
        member.raw,
        not mates.read(name).cover,
        member.taken if member.taken is not None else 1 << 62,
        folder,
        name,
    )


def _edited(member: _Member) -> bool:
    return mates.read(member.files[0][1]).edited


def _write(
    db: apsw.Connection,
    asset_id: AssetId,
    primary: AssetId | None,
    role: Role | None,
    *,
    raw: bool = False,
    film: bool = False,
) -> None:
    db.execute(
        """
        UPDATE asset SET primary_id = ?2, role = ?3, with_raw = ?4, with_film = ?5 WHERE id = ?1
           AND (primary_id IS NOT ?2 OR role IS NOT ?3 OR with_raw <> ?4 OR with_film <> ?5)
        """,
        (asset_id, primary, role, raw, film),
    )


def _reread(db: apsw.Connection) -> None:
    """Queue METADATA for the pictures that stirred sidecars may be about."""
    stirred: list[Any] = db.execute("SELECT source_id, path FROM stirred").fetchall()
    db.execute("DELETE FROM stirred")
    for source_id, path in stirred:
        folder, _, name = path.rpartition(b"/")
        if not mates.is_sidecar(name):
            continue
        for _, asset_id in _between(db, source_id, folder, [mates.owners(name)]):
            row = db.execute(
                "SELECT f.mtime_ns / 1000000000 FROM asset a JOIN file f ON f.id = a.file_id"
                " WHERE a.id = ? AND a.kind IN ('photo', 'video')",
                (asset_id,),
            ).fetchone()
            if row is not None:
                jobs.enqueue(db, asset_id, [Stage.METADATA], priority=row[0])
