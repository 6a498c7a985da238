"""Paths in the tree as the page shows them, ready to copy into a file dialog.

Only says where things are; what the folders mean is `havenfs.views`. Without a mount the paths start at the tree's
root, `/search/...`, as a share shows them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from havenfs.catalog import browse
from havenfs.entities import DateSource
from havenfs.errors import InvalidQuery
from havenfs.query import parse

from .pictures import locality

if TYPE_CHECKING:
    from pathlib import Path

    import apsw

    from havenfs.entities import Asset

QUOTED = re.compile(r"\"([^\"']*)\"|'[^']*'")
FIELD = re.compile(r"(?<![\w\"'])([a-z]+):(?=\S)")
ILLEGAL = re.compile(r"[\x00-\x1f\\/:*?\"<>|]")
"""What Windows and SMB forbid in a name."""
NAME_BYTES = 255


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

    Fields take "=" for ":", phrases take ' for ": those are the forms that are legal on Windows.
    """
    parts: list[str] = []
    at = 0
    for quoted in QUOTED.finditer(query):
        parts.append(FIELD.sub(r"\1=", query[at : quoted.start()]))
        parts.append(quoted[0].replace('"', "'"))
        at = quoted.end()
    parts.append(FIELD.sub(r"\1=", query[at:]))
    name = " ".join("".join(parts).split())
    if ILLEGAL.search(name) or name.endswith(".") or len(name.encode()) > NAME_BYTES:
        return None
    try:
        parse(name, path=True)
    except InvalidQuery:
        return None
    return f"{base}/search/{name}"


def of_asset(db: apsw.Connection, asset: Asset, base: str) -> list[Folder]:
    """Where this asset stands, the most telling folder first."""
    found: list[Folder] = []
    if asset.taken_local is not None and asset.taken_source is not DateSource.MTIME:
        month = datetime.fromtimestamp(asset.taken_local, UTC)  # the wall clock, counted as UTC
        found.append(Folder(view="by-date", path=f"{base}/by-date/{month:%Y/%m}"))
    city, country = locality(asset, browse.gazetteer(db))
    if city and country:
        found.append(Folder(view="places", path=f"{base}/places/{country}/{city}"))
    for source in browse.sources(db):
        if source.id == asset.source_id:
            above = asset.path.rpartition(b"/")[0].decode("utf-8", "replace")
            path = "/".join(part for part in (base, "files", source.name, above) if part)
            found.append(Folder(view="files", path=path if base else f"/{path}"))
    return found
