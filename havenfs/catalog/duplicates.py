"""Duplicates in SQL: groups of copies, kept as photos are looked at, and which copy is the best.

A photo is compared with the few whose hashes lie near its own, found by four indexes of 16 bits each (hashes that differ in
at most seven bits differ in at most one of some part): milliseconds in a library of a million. A group is what was joined
one by one; a photo joins only where it is of another moment than no member. Files of equal bytes are one asset
already: such an asset is a group of its own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from havenfs.entities import AssetId, Kind

from .resemblance import CROPPED, NEAR, Look, copies, differing, flat, of_different_moments

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import apsw

PARTS = 4
MOST = 500
"""Rows looked at for one part of a hash: a thousand black frames are a wall that nobody needs to search."""
_NEIGHBOURS = (0, *(1 << bit for bit in range(16)))
_PLAIN = ("image/jpeg", "image/webp", "image/gif")
"""Types in which copies are passed on; of equal pictures the other one is the original."""


class Copy(Struct, frozen=True, kw_only=True):
    """One member of a group, and why it stands where it does."""

    asset_id: AssetId
    name: str
    paths: tuple[str, ...]
    """`<source>/<path>` of each file with these bytes."""
    reason: str


def put(db: apsw.Connection, asset_id: AssetId, *, inner: int, grid: bytes) -> None:
    """Keep what finds and proves copies of a photo."""
    db.execute(
        """
        INSERT INTO look (asset_id, inner, grid) VALUES (?, ?, ?)
        ON CONFLICT (asset_id) DO UPDATE SET inner = excluded.inner, grid = excluded.grid
        """,
        (asset_id, inner, grid),
    )


def settle(db: apsw.Connection, asset_id: AssetId) -> None:
    """Put a photo that was looked at, perhaps anew, into the group of the copy that it is most like, or into none."""
    leave(db, asset_id)
    found = _looks(db, [asset_id])
    if not found or flat(found[0]):
        return
    (mine,) = found
    near = _near(db, mine)
    others = {look.asset_id: look for look in _looks(db, near)}
    for other_id in sorted(others, key=lambda id_: (near[id_], id_)):
        if copies(mine, others[other_id]) and _join(db, mine, other_id):
            return


def leave(db: apsw.Connection, asset_id: AssetId) -> None:
    """Take an asset out of its group; one that would be left alone leaves too."""
    row = db.execute("SELECT group_id FROM duplicate WHERE asset_id = ?", (asset_id,)).fetchone()
    if row is None:
        return
    rest = [id_ for id_ in _ids(db, row[0]) if id_ != asset_id]
    db.execute("DELETE FROM duplicate WHERE asset_id = ?", (asset_id,))
    _name(db, rest)


def forget(db: apsw.Connection, asset_id: AssetId) -> None:
    """The asset has other content now, which nobody has looked at."""
    leave(db, asset_id)
    db.execute("DELETE FROM look WHERE asset_id = ?", (asset_id,))


def groups(db: apsw.Connection) -> list[AssetId]:
    """Each group with something to choose from, by the asset that names it, the oldest that is visible: two visible
    members, or one with two files."""
    return [
        AssetId(id_)
        for (id_,) in db.execute(
            """
            SELECT min(v.id) FROM duplicate d JOIN visible v ON v.id = d.asset_id
             GROUP BY d.group_id HAVING count(*) > 1
            UNION
            SELECT f.asset_id FROM file f JOIN source s ON s.id = f.source_id JOIN visible v ON v.id = f.asset_id
             WHERE f.state = 'known' AND s.present GROUP BY f.asset_id
            HAVING count(*) > 1 AND f.asset_id NOT IN (SELECT asset_id FROM duplicate)
             ORDER BY 1
            """
        )
    ]


def names_group(db: apsw.Connection, asset_id: AssetId) -> bool:
    """Whether the asset is one of `groups`."""
    row = db.execute(
        """
        SELECT CASE WHEN d.group_id IS NULL
               THEN (SELECT count(*) FROM file f JOIN source s ON s.id = f.source_id
                      WHERE f.asset_id = v.id AND f.state = 'known' AND s.present)
               ELSE (SELECT CASE WHEN min(w.id) = v.id THEN count(*) END FROM duplicate o
                       JOIN visible w ON w.id = o.asset_id WHERE o.group_id = d.group_id) END
          FROM visible v LEFT JOIN duplicate d ON d.asset_id = v.id WHERE v.id = ?
        """,
        (asset_id,),
    ).fetchone()
    return row is not None and (row[0] or 0) > 1


def group_of(db: apsw.Connection, asset_id: AssetId) -> list[AssetId]:
    """The visible members of the asset's group, itself alone when it is in none; in the order of their ids."""
    return [
        AssetId(id_)
        for (id_,) in db.execute(
            """
            SELECT v.id FROM visible v WHERE v.id = ?1 OR v.id IN (
                SELECT asset_id FROM duplicate
                 WHERE group_id = (SELECT group_id FROM duplicate WHERE asset_id = ?1))
             ORDER BY v.id
            """,
            (asset_id,),
        )
    ]


def ranked(db: apsw.Connection, ids: Collection[AssetId]) -> list[Copy]:
    """These copies of one thing, the best first: most pixels, then most known of it, then the type that is no copy's,
    then most bytes."""
    rows: list[Any] = db.execute(
        """
        SELECT id, name, ifnull(width * height, 0), mime, size, ifnull(taken_source IN ('given', 'exif', 'xmp'), 0),
               latitude IS NOT NULL, camera IS NOT NULL,
               (SELECT json_group_array(s.name || '/' || CAST(f.path AS TEXT)) FROM file f
                  JOIN source s ON s.id = f.source_id
                 WHERE f.asset_id = visible.id AND f.state = 'known' AND s.present)
          FROM visible WHERE id IN (SELECT value FROM json_each(?))
        """,
        (json.dumps(sorted(ids)),),
    ).fetchall()
    rows.sort(key=_merit, reverse=True)
    return [
        Copy(
            asset_id=AssetId(row[0]),
            name=row[1],
            paths=tuple(sorted(json.loads(row[8]))),
            reason=_reason(row, rows),
        )
        for row in rows
    ]


def _merit(row: Sequence[Any]) -> tuple[int, int, bool, int, int]:
    return row[2], row[5] + row[6] + row[7], row[3] not in _PLAIN, row[4], -row[0]


def _reason(row: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str:
    """What sets a copy apart from the best one, or the best one from the next."""
    best = rows[0]
    first = row is best
    other = (rows[1] if len(rows) > 1 else best) if first else best
    said: list[str] = []
    if row[2] != other[2]:
        said.append(f"{row[2] / 1e6:.1f} megapixels")
    for column, what in ((5, "date"), (6, "position"), (7, "camera")):
        if row[column] and (not other[column] if first else False):
            said.append(f"has the {what}")
        elif not first and best[column] and not row[column]:
            said.append(f"has lost the {what}")
    if not said and row[3] != other[3]:
        said.append(row[3].partition("/")[2].upper())
    if not said:
        said.append(f"{row[4] / 1e3:.0f} kB" if row[4] != other[4] else "the first of equals")
    return ("best: " if first else "copy: ") + ", ".join(said)


def _join(db: apsw.Connection, mine: Look, other_id: AssetId) -> bool:
    """Join the group of the other, or make one with it. False where a member is of another moment, or somebody has said
    that it is no copy."""
    row = db.execute("SELECT group_id FROM duplicate WHERE asset_id = ?", (other_id,)).fetchone()
    members = _ids(db, row[0]) if row else [other_id]
    if _told_apart(db, mine.asset_id, members):
        return False
    if any(of_different_moments(mine, look) for look in _looks(db, members)):
        return False
    _name(db, [*members, mine.asset_id])
    return True


def _told_apart(db: apsw.Connection, asset_id: AssetId, members: Sequence[AssetId]) -> bool:
    """Whether somebody has said that the asset is no copy of one of these."""
    row = db.execute(
        """
        SELECT EXISTS (SELECT 1 FROM asset m JOIN json_each(?2) j JOIN asset o ON o.id = j.value JOIN not_duplicate n
            ON n.first = min(m.hash, o.hash) AND n.second = max(m.hash, o.hash) WHERE m.id = ?1)
        """,
        (asset_id, json.dumps(members)),
    ).fetchone()
    return bool(row and row[0])


def _name(db: apsw.Connection, members: Sequence[AssetId]) -> None:
    """These and no others are a group, named for the smallest id; one alone is none."""
    listed = json.dumps(sorted(members))
    if len(members) < 2:
        db.execute(
            "DELETE FROM duplicate WHERE asset_id IN (SELECT value FROM json_each(?))", (listed,)
        )
        return
    db.execute(
        """
        INSERT INTO duplicate (asset_id, group_id) SELECT value, ?2 FROM json_each(?1) WHERE TRUE
        ON CONFLICT (asset_id) DO UPDATE SET group_id = excluded.group_id
        """,
        (listed, min(members)),
    )


def _ids(db: apsw.Connection, group_id: int) -> list[AssetId]:
    rows = db.execute(
        "SELECT asset_id FROM duplicate WHERE group_id = ? ORDER BY asset_id", (group_id,)
    )
    return [AssetId(id_) for (id_,) in rows]


def _near(db: apsw.Connection, mine: Look) -> dict[AssetId, int]:
    """Assets whose hashes lie near, with the bits that differ: whole by whole, and either whole by the other's
    inner one."""
    near: dict[AssetId, int] = {}
    for table, mask, reach in (
        ("phash", mine.phash, NEAR),
        ("phash", mine.inner, CROPPED),
        ("inner", mine.phash, CROPPED),
    ):
        for id_, bits in _probed(db, table, mask):
            distance = differing(bits, mask)
            if distance <= reach and id_ != mine.asset_id and distance < near.get(id_, 65):
                near[id_] = distance
    return near


def _probed(db: apsw.Connection, kind: str, bits: int) -> Iterable[tuple[AssetId, int]]:
    """(asset, hash) of those that share a part of the hash but for one bit."""
    for part in range(PARTS):
        value = bits >> (16 * part) & 0xFFFF
        wanted = json.dumps([value ^ flip for flip in _NEIGHBOURS])
        yield from db.execute(_PROBES[kind, part], (wanted, MOST))


_SHIFTS = ("", " >> 16", " >> 32", " >> 48")
_PROBES = {
    ("phash", part): "SELECT a.id, a.phash FROM json_each(?) j"  # noqa: S608
    f" CROSS JOIN asset a ON (a.phash{shift} & 65535) = j.value WHERE a.phash IS NOT NULL LIMIT ?"
    for part, shift in enumerate(_SHIFTS)
} | {
    ("inner", part): "SELECT l.asset_id, l.inner FROM json_each(?) j"  # noqa: S608
    f" CROSS JOIN look l ON (l.inner{shift} & 65535) = j.value LIMIT ?"
    for part, shift in enumerate(_SHIFTS)
}
"""One statement for each part of either hash; their expressions are those of the indexes, to the letter."""


def _looks(db: apsw.Connection, ids: Iterable[AssetId]) -> list[Look]:
    """The looks of those that are visible photos."""
    listed = json.dumps(sorted(ids))
    vectors: dict[int, dict[int, bytes]] = {}
    for asset, model, vector in db.execute(
        "SELECT asset_id, model_id, vector FROM embedding"
        " WHERE asset_id IN (SELECT value FROM json_each(?)) AND frame_ms = 0",
        (listed,),
    ):
        vectors.setdefault(asset, {})[model] = vector
    return [
        Look(
            asset_id=AssetId(row[0]),
            phash=row[1],
            inner=row[2],
            grid=row[3],
            width=row[4],
            height=row[5],
            raw=bool(row[6]),
            moment=row[7],
            text_likeness=row[8],
            vectors=vectors.get(row[0], {}),
        )
        for row in db.execute(
            """
            SELECT v.id, v.phash, l.inner, l.grid, v.width, v.height, v.raw,
                   -- the camera's, whatever people say: a burst is no set of copies
                   CASE WHEN n.asset_id IS NULL THEN iif(v.taken_source IN ('exif', 'xmp'), v.taken_local, NULL)
                        ELSE iif(n.taken_source IN ('exif', 'xmp'), n.taken_local, NULL) END, ifnull(v.text_likeness, 0)
              FROM json_each(?1) j CROSS JOIN visible v ON v.id = j.value JOIN look l ON l.asset_id = v.id
              LEFT JOIN as_found n ON n.asset_id = v.id
             WHERE v.phash IS NOT NULL AND v.kind = ?2 AND v.width > 0 AND v.height > 0
            """,
            (listed, Kind.PHOTO),
        )
    ]
