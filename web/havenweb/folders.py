"""Paths in the tree as the page shows them, ready to copy into a file dialog.

Only says where things are; what the folders mean is `havenfs.views`. Without a mount the paths start at the tree's
root, `/search/...`, as a share shows them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from havenfs.catalog import names, places, sources
from havenfs.entities import DateSource, PlaceKind
from havenfs.errors import InvalidQuery
from havenfs.query import parse

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.catalog.catalog import Connection
    from havenfs.entities import Asset

QUOTED = re.compile(r"\"([^\"']*)\"|'[^']*'")
FIELD = re.compile(r"(?<![\w\"'])([a-z]+):(?!\s)")


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """One place where an asset stands."""

    view: str
    """The top-level folder: by-date, places, files."""
    path: str
    """Of the folder that holds it."""


def base(mount: Path | None) -> str:
    """What every path begins with."""
    return str(mount).rstrip("/") if mount else ""


def of_search(query: str, base: str) -> str | None:
    """The folder with the answer to *query*; None where the query has no form that a path can carry.

    Fields take "=" for ":", phrases take ' for ": those are the forms that are legal on Windows. The words stay as they
    were typed where that means the same, so that "last summer" is still true next year. Raises InvalidQuery.
    """
    meant = parse(query)
    for name in (_as_typed(query), str(meant)):
        if names.legal(name) != name:
            continue
        try:
            if parse(name, path=True) == meant:
                return f"{base}/search/{name}"
        except InvalidQuery:
            continue
    return None


def _as_typed(query: str) -> str:
    parts: list[str] = []
    at = 0
    for quoted in QUOTED.finditer(query):
        parts.append(FIELD.sub(r"\1=", query[at : quoted.start()]))
        parts.append(quoted[0].replace('"', "'"))
        at = quoted.end()
    parts.append(FIELD.sub(r"\1=", query[at:]))
    return " ".join("".join(parts).split())


def of_asset(db: Connection, asset: Asset, base: str) -> list[Folder]:
    """Where this asset stands, the most telling folder first."""
    found: list[Folder] = []
    if asset.taken is not None and asset.taken_source is not DateSource.MTIME:
        found.append(Folder(view="by-date", path=f"{base}/by-date/{asset.taken:%Y/%m}"))
    line = places.lineage(db, asset.place_id) if asset.place_id is not None else []
    by_kind = {place.kind: names.legal(place.name) for place in line}
    if PlaceKind.COUNTRY in by_kind and PlaceKind.CITY in by_kind:
        country, city = by_kind[PlaceKind.COUNTRY], by_kind[PlaceKind.CITY]
        found.append(Folder(view="places", path=f"{base}/places/{country}/{city}"))
    source = sources.get(db, asset.source_id)
    above = asset.path.rpartition(b"/")[0].decode("utf-8", "replace")
    path = "/".join(part for part in ("files", source.name, above) if part)
    found.append(Folder(view="files", path=f"{base}/{path}"))
    return found
