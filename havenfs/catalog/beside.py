"""Sidecars in SQL: which files beside an asset say something about it. A file that is a sidecar has a row and no asset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from havenfs import mates
from havenfs.entities import Kind

from . import files

if TYPE_CHECKING:
    import apsw

    from havenfs.entities import Asset

LARGEST = 4 << 20
"""Bytes; what is larger is not read by any extractor either."""


class Sidecar(Struct, frozen=True):
    """One file, as last seen on disk."""

    path: bytes
    """Relative to the root of the asset's source."""
    size: int
    mtime_ns: int


def of(db: apsw.Connection, asset: Asset) -> list[Sidecar]:
    """The sidecars in the folder of the asset's primary file, the most exact first. One range of an index, 30 us."""
    if asset.kind is Kind.DOCUMENT:
        return []
    above, slash, name = asset.path.rpartition(b"/")
    prefix = above + slash
    low, high = mates.near(name)
    found = {
        path[len(prefix) :]: Sidecar(path, size, mtime_ns)
        for path, size, mtime_ns in db.execute(
            "SELECT path, size, mtime_ns FROM file WHERE source_id = ? AND path >= ? AND path < ? AND reason IS NOT ?",
            (asset.source_id, prefix + low, prefix + high, files.LINK),
        )
        if path.find(b"/", len(prefix)) < 0
    }
    sidecars = (found[other] for other in mates.beside(name, found))
    return [sidecar for sidecar in sidecars if sidecar.size <= LARGEST]
