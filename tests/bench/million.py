"""A catalog of a million assets, made by SQL alone: for what lists and stats, the originals need not exist.

    python tests/bench/million.py STATE ROOT [--assets 1000000] [--words]

Asset *n* (from 1) is named by `name(n)` and is the same on every machine. A tenth of them stand in one folder,
by-date/2019/07 (and in files/ under that path, as far as anybody makes those files); the rest spread over the months of
2000 to 2018, with every 50th undated, and over 40 countries of 5 cities, with every 25th nowhere. Of 20, 17 are photos
(one a screenshot), two videos and one a document; every tenth is raw, every thirteenth live.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from havenfs.catalog import Catalog

if TYPE_CHECKING:
    import apsw

COUNTRIES = 40
CITIES = 5
CROWDED = "by-date/2019/07"
"""The folder that holds a tenth of all."""
TAKEN = """
CASE WHEN i % 10 = 0 THEN unixepoch('2019-07-01') + i % 2600000
     WHEN i % 50 <> 7 THEN unixepoch('2000-01-01') + i % 228 * 2629746 + i % 2000000 END"""
"""Wall-clock seconds of asset *i*: 228 months of 19 years, 2,629,746 s each."""


def name(number: int) -> str:
    """The file name of an asset."""
    return f"IMG_{number:07}.jpg"


def write(state: Path, root: Path, assets: int = 1_000_000, *, words: bool = False) -> None:
    """Make the catalog below *state*, with one source, `photos`, at *root*. *words* indexes the names for searches.

    Takes about 10 s and 0.6 GB for a million on two cores; words double both. Leaves no change rows: whoever reads
    the log starts at the end.
    """
    root.mkdir(parents=True, exist_ok=True)
    with Catalog(state / "catalog.db") as catalog:
        catalog.write(_fill, bytes(root), assets)
        if words:
            catalog.write(_words)
        catalog.connection().pragma("wal_checkpoint(truncate)")


def _fill(db: apsw.Connection, root: bytes, assets: int) -> None:
    # A row in `change` for each asset would double the work, and no reader could follow it anyway.
    trigger = db.execute("SELECT sql FROM sqlite_master WHERE name = 'asset_added'").fetchone()
    assert trigger is not None
    db.execute("DROP TRIGGER asset_added")
    db.pragma("defer_foreign_keys", 1)  # file and asset name each other
    db.execute("INSERT INTO source (name, root) VALUES ('photos', ?)", (root,))
    db.execute(
        "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " INSERT INTO place (id, kind, name) SELECT i, 'country', printf('Country %02d', i) FROM n",
        (COUNTRIES,),
    )
    db.execute(
        "WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n WHERE i < ?1 * ?2 - 1)"
        " INSERT INTO place (id, kind, name, parent_id)"
        " SELECT 1001 + i, 'city', printf('City %03d', 1 + i), 1 + i / ?2 FROM n",
        (COUNTRIES, CITIES),
    )
    db.execute(
        """
        WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
        INSERT INTO file (id, source_id, path, size, mtime_ns, device, inode, state, hash, asset_id)
        SELECT i, 1,
               CAST(CASE WHEN i % 10 = 0 THEN printf('by-date/2019/07/IMG_%07d.jpg', i)
                         ELSE printf('%03d/IMG_%07d.jpg', i % 400, i) END AS BLOB),
               1000 + i % 5000000, 1563100000000000000 + i * 1000, 64769, 10000000 + i, 'known',
               CAST(printf('%08x%024d', i * 2654435761 % 4294967296, i) AS BLOB), i
          FROM n
        """,
        (assets,),
    )
    db.execute(
        f"""
        WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
        INSERT INTO asset (id, hash, name, name_key, kind, mime, file_id, taken_local, taken_source, place_id,
                           width, height, screenshot, raw, live, added)
        SELECT i, CAST(printf('%08x%024d', i * 2654435761 % 4294967296, i) AS BLOB),
               printf('IMG_%07d.jpg', i), printf('img_%07d.jpg', i),
               CASE WHEN i % 20 IN (3, 4) THEN 'video' WHEN i % 20 = 5 THEN 'document' ELSE 'photo' END,
               CASE WHEN i % 20 IN (3, 4) THEN 'video/mp4' WHEN i % 20 = 5 THEN 'application/pdf'
                    ELSE 'image/jpeg' END,
               i, {TAKEN}, CASE WHEN {TAKEN} IS NULL THEN NULL ELSE 'exif' END,
               CASE WHEN i % 25 <> 9 THEN 1001 + i * 7919 % {COUNTRIES * CITIES} END,
               4032, 3024, i % 20 = 6, i % 10 = 1, i % 13 = 1, 1563100000
          FROM n
        """,
        (assets,),
    )
    db.execute(trigger[0])


def _words(db: apsw.Connection) -> None:
    db.execute("INSERT INTO words (rowid, name) SELECT id, name FROM asset")


def main() -> None:
    """Make one, for a person to mount."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("state", type=Path)
    parser.add_argument("root", type=Path)
    parser.add_argument("--assets", type=int, default=1_000_000)
    parser.add_argument("--words", action="store_true")
    options = parser.parse_args()
    write(options.state, options.root, options.assets, words=options.words)


if __name__ == "__main__":
    main()
