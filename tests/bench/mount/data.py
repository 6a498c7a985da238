"""The files that every subject shows, and the catalog of them that ours mounts.

Below the source: `many/` 10,000 files of 4 KiB in one folder, `mb/` 256 files of 1 MiB, `big/` one of 1 GiB, `tree/` 200
folders of 1,000 empty files. In the catalog each folder is a time of its own, so that a view shows the same files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from havenfs.catalog import Catalog, names

if TYPE_CHECKING:
    import apsw

TREE_YEARS = range(1990, 2010)  # 200 folders over 20 years of ten months


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much of each kind."""

    many: int = 10_000
    mb: int = 256
    big_mib: int = 1024
    folders: int = 200
    per_folder: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a subject shows each kind."""

    many: Path
    mb: Path
    big: Path
    trees: tuple[Path, ...]
    """Tops of what `find` walks."""


MANY = "IMG_%06d.jpg"
MB = "MB_%06d.jpg"
BIG = "BIG.mov"


def on_disk(root: Path) -> Places:
    """As the files lie, or as a plain pass-through shows them."""
    return Places(
        many=root / "many", mb=root / "mb", big=root / "big" / BIG, trees=(root / "tree",)
    )


def in_view(mount: Path, sizes: Sizes) -> Places:
    """As `by-date/` shows them."""
    dates = mount / "by-date"
    years = sorted({_month(number)[0] for number in range(sizes.folders)})
    return Places(
        many=dates / "2019/07",
        mb=dates / "2018/03",
        big=dates / "2017/01" / BIG,
        trees=tuple(dates / str(year) for year in years),
    )


def write(root: Path, sizes: Sizes) -> None:
    """Make the files, unless they are there."""
    done = root / ".done"
    if done.exists() and done.read_text() == repr(sizes):
        return
    block = os.urandom(1 << 20)
    for folder in ("many", "mb", "big"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for number in range(sizes.many):
        (root / "many" / (MANY % number)).write_bytes(block[:4096])
    for number in range(sizes.mb):
        (root / "mb" / (MB % number)).write_bytes(block)
    with (root / "big" / BIG).open("wb") as big:
        for _ in range(sizes.big_mib):
            big.write(block)
    for folder in range(sizes.folders):
        directory = root / "tree" / f"{folder:03}"
        directory.mkdir(parents=True, exist_ok=True)
        for number in range(sizes.per_folder):
            (directory / f"T{folder:03}_{number:05}.jpg").touch()
    os.sync()
    done.write_text(repr(sizes))


def index(state: Path, root: Path) -> None:
    """Make the catalog that an indexer would have made of the files, but for what pictures show."""
    with Catalog(state / "catalog.db") as catalog:
        catalog.write(_fill, root)


def warm(root: Path) -> None:
    """Have the bytes and the inodes in memory: what is measured is file systems, not the disk."""
    for directory, _, files in os.walk(root):
        for name in files:
            path = Path(directory, name)
            if path.stat().st_size:
                with path.open("rb", buffering=0) as opened:
                    while opened.read(1 << 20):
                        pass


def _month(folder: int) -> tuple[int, int]:
    return TREE_YEARS[folder // 10], folder % 10 + 1


def _taken(folder: str, number: str) -> int:
    match folder:
        case "many":
            year, month = 2019, 7
        case "mb":
            year, month = 2018, 3
        case "big":
            year, month = 2017, 1
        case _:
            year, month = _month(int(number))
    return int(datetime(year, month, 2, tzinfo=UTC).timestamp())


def _fill(db: apsw.Connection, root: Path) -> None:
    db.execute("INSERT INTO source (name, root) VALUES ('photos', ?)", (bytes(root),))
    for path in sorted(root.rglob("*.*")):
        if path.name.startswith("."):
            continue
        status, relative = path.stat(), path.relative_to(root)
        digest = blake2b(bytes(relative), digest_size=32).digest()
        db.execute(
            "INSERT INTO file (source_id, path, size, mtime_ns, device, inode, state, hash)"
            " VALUES (1, ?, ?, ?, ?, ?, 'known', ?)",
            (
                bytes(relative),
                status.st_size,
                status.st_mtime_ns,
                status.st_dev,
                status.st_ino,
                digest,
            ),
        )
        file_id = db.last_insert_rowid()
        db.execute(
            "INSERT INTO asset (hash, name, name_key, kind, mime, file_id, taken_local, taken_source, added)"
            " VALUES (?, ?, ?, 'photo', 'image/jpeg', ?, ?, 'exif', 0)",
            (
                digest,
                path.name,
                names.key(path.name),
                file_id,
                _taken(relative.parts[0], relative.parts[1]),
            ),
        )
        db.execute("UPDATE file SET asset_id = ? WHERE id = ?", (db.last_insert_rowid(), file_id))
    db.execute("DELETE FROM change")
