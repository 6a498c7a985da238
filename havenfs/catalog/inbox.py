"""The inbox in SQL: where it lies, what stands in it, and which files go along with one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from havenfs import mates
from havenfs.entities import AssetId

from . import assets, sources, stacks

if TYPE_CHECKING:
    import apsw

    from havenfs.entities import Asset, Source

NAME = b"Inbox"
"""The directory of the upload source in which new files wait to be filed."""
_BELOW = "source_id = ? AND path >= ? AND path < ?"


class Companion(Struct, frozen=True):
    """A file that is moved along with another one."""

    content: bytes
    """BLAKE3; of a sidecar that of the picture that it is about."""
    path: bytes


def place(db: apsw.Connection) -> Source | None:
    """The source in which the inbox lies; None: there is nowhere to put new files."""
    return sources.uploads(db)


def holds(path: bytes) -> bool:
    """Whether a path of the upload source is one of the inbox, or the inbox itself."""
    return path == NAME or path.startswith(NAME + b"/")


def standing(db: apsw.Connection) -> list[Asset]:
    """The visible assets that lie in the inbox and nowhere else, by path."""
    source = place(db)
    if source is None:
        return []
    low, high = NAME + b"/", NAME + b"0"
    rows = db.execute(
        f"SELECT {assets.COLUMNS} FROM visible WHERE {_BELOW} AND NOT EXISTS ("  # noqa: S608
        " SELECT 1 FROM file f JOIN source s ON s.id = f.source_id WHERE f.asset_id = visible.id AND s.present"
        f" AND NOT (f.source_id = ? AND f.path >= ? AND f.path < ?)) ORDER BY path",
        (source.id, low, high, source.id, low, high),
    )
    return [assets.from_row(row) for row in rows]


def companions(db: apsw.Connection, asset: Asset) -> list[Companion]:
    """What goes along with an asset: the members of its stack in the same folder, and sidecars of any of them."""
    above, _, _ = asset.path.rpartition(b"/")
    found: dict[bytes, bytes] = {}
    for mate in stacks.of(db, AssetId(asset.id)):
        other = assets.get(db, mate.asset_id)
        if other.source_id == asset.source_id and other.path.rpartition(b"/")[0] == above:
            found[other.path] = other.hash
    contents = {asset.path: asset.hash, **found}
    prefix = above + b"/"
    rows = db.execute(
        "SELECT path FROM file WHERE source_id = ? AND path >= ? AND path < ? ORDER BY path",
        (asset.source_id, prefix, above + b"0"),
    )
    for (path,) in rows:
        name = path[len(prefix) :]
        if b"/" in name or path in contents or not mates.is_sidecar(name):
            continue
        low, high = mates.owners(name)
        owned = [p for p in contents if low <= p[len(prefix) :] < high]
        if owned:
            found[path] = contents[owned[0]]
    return [Companion(content, path) for path, content in found.items()]
