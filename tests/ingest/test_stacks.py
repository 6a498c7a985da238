"""Stacks and sidecars on a real disk: what arrives, moves and goes, through the mount's way and through a scan."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import Catalog, changes, files, findings, sources
from havenfs.config import SourceConfig
from havenfs.entities import Findings, Kind, Metadata, Stage
from havenfs.extract.identify import identify
from havenfs.ingest import identity, walk
from havenfs.ingest.arrival import Arrivals
from havenfs.ingest.scan import scan
from tests.conftest import agree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from havenfs.entities import Source

JPEG = b"\xff\xd8\xff\xe0"
CR2 = b"II*\0\x10\0\0\0CR\x02\0"
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
MOV = b"\0\0\0\x14ftypqt  \0\0\0\0qt  "


class Home:
    """A source, its catalog, and both ways by which files get in."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "photos"
        self.root.mkdir()
        self.catalog = Catalog(tmp_path / "catalog.db")
        self.arrivals = Arrivals(self.catalog)
        self.source: Source = self.catalog.write(
            sources.configure, [SourceConfig(name="photos", root=self.root, writable=True)]
        )[0]

    def write(self, path: str, head: bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(head + path.encode())

    def put(self, path: str, head: bytes) -> None:
        self.write(path, head)
        self.arrivals.written(self.source, path.encode())

    def rename(self, old: str, new: str, *, directory: bool = False) -> None:
        (self.root / new).parent.mkdir(exist_ok=True)
        os.rename(self.root / old, self.root / new)
        self.arrivals.renamed(
            self.source, old.encode(), self.source, new.encode(), directory=directory
        )

    def unlink(self, path: str) -> None:
        (self.root / path).unlink()
        self.arrivals.removed(self.source, path.encode(), directory=False)

    def index(self) -> None:
        """Scan, hash, and finish METADATA of everything."""
        scan(self.catalog, self.source)
        for file, root in self.catalog.read(files.new, 1000):
            found = identify(walk.joined(root, file.path))
            self.catalog.write(identity.settle, file, found)
        self.finish()

    def finish(self) -> None:
        for asset_id, content, kind in self.rows("SELECT id, hash, kind FROM present"):
            facts = Metadata(duration_ms=3000 if kind == Kind.VIDEO else None)
            self.catalog.write(
                findings.record, asset_id, content, [Stage.METADATA], Findings(metadata=facts)
            )

    def rows(self, statement: str) -> list[Any]:
        return self.catalog.read(lambda db: db.execute(statement).fetchall())

    def shown(self) -> set[str]:
        return {os.fsdecode(row[0]) for row in self.rows("SELECT path FROM visible")}

    def queued(self) -> set[str]:
        """Whose metadata are to be read."""
        return {
            os.fsdecode(row[0])
            for row in self.rows(
                "SELECT p.path FROM job j JOIN present p ON p.id = j.asset_id"
                " WHERE j.stage = 'metadata' AND j.state = 'queued'"
            )
        }


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    agree(made.catalog)
    made.catalog.close()


def test_what_is_written_through_the_mount_is_stacked_before_it_is_told(home: Home):
    home.put("a/IMG_1.CR2", CR2)
    assert home.shown() == {"a/IMG_1.CR2"}
    home.put("a/IMG_1.JPG", JPEG)
    assert home.shown() == {"a/IMG_1.JPG"}
    home.unlink("a/IMG_1.JPG")
    assert home.shown() == {"a/IMG_1.CR2"}


def test_a_mate_that_is_renamed_leaves_and_one_that_gets_the_name_joins(home: Home):
    home.put("a/IMG_1.CR2", CR2)
    home.put("a/IMG_1.JPG", JPEG)
    home.rename("a/IMG_1.CR2", "a/IMG_2.CR2")
    assert home.shown() == {"a/IMG_1.JPG", "a/IMG_2.CR2"}
    home.rename("a/IMG_1.JPG", "a/IMG_2.JPG")
    assert home.shown() == {"a/IMG_2.JPG"}
    home.rename("a/IMG_2.CR2", "raws/IMG_2.CR2")
    assert home.shown() == {"a/IMG_2.JPG", "raws/IMG_2.CR2"}


def test_a_folder_that_is_renamed_keeps_its_stacks_as_they_are(home: Home):
    home.put("a/IMG_1.CR2", CR2)
    home.put("a/IMG_1.JPG", JPEG)
    start = home.catalog.read(changes.generation)
    home.rename("a", "b", directory=True)
    assert home.shown() == {"b/IMG_1.JPG"}
    assert home.rows("SELECT * FROM loose") == []
    moved = home.catalog.read(changes.since, start)
    assert moved is not None
    assert all(change.before == change.after for change in moved)


def test_a_new_catalog_comes_to_the_same_stacks(home: Home, tmp_path: Path):
    for name, head in {"IMG_1.CR2": CR2, "IMG_1.JPG": JPEG, "IMG_2.JPG": JPEG, "IMG_2.MOV": MOV, "IMG_E2.JPG": JPEG, "IMG_3.MOV": MOV}.items():  # fmt: skip
        home.put(name, head)
    home.finish()
    assert home.shown() == {"IMG_1.JPG", "IMG_2.JPG", "IMG_E2.JPG", "IMG_3.MOV"}
    assert home.rows("SELECT path FROM visible WHERE with_film") == [(b"IMG_2.JPG",)]
    other = object.__new__(Home)
    other.root, other.catalog = home.root, Catalog(tmp_path / "other.db")
    other.source = other.catalog.write(
        sources.configure, [SourceConfig(name="photos", root=home.root)]
    )[0]
    other.index()
    assert other.shown() == home.shown()
    other.catalog.close()


def test_a_pixels_motion_photo_and_the_film_that_takeout_puts_beside_it_are_one(home: Home):
    names = {"PXL_20230714_101500123.MP.jpg": JPEG, "PXL_20230714_101500123.MP": MP4,
             "PXL_20230714_101500123.MP-edited.jpg": JPEG, "PXL_20230714_101500999.MP": MP4}  # fmt: skip
    for name, head in names.items():
        home.put(name, head)
    home.finish()
    assert home.shown() == {"PXL_20230714_101500123.MP-edited.jpg", "PXL_20230714_101500999.MP"}


@pytest.mark.parametrize(
    ("photo", "sidecar"),
    [
        ("IMG_1.jpg", "IMG_1.xmp"),
        ("IMG_1.jpg", "IMG_1.jpg.xmp"),
        ("IMG_1.jpg", "IMG_1.AAE"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metada.json"),
        ("IMG_1(2).jpg", "IMG_1.jpg(2).json"),
        ("IMG_1-edited.jpg", "IMG_1.jpg.json"),
    ],
)
def test_a_sidecar_that_comes_changes_or_goes_has_its_picture_read_again(
    home: Home, photo: str, sidecar: str
):
    head = b"{}" if sidecar.endswith("json") else b"<?xml version='1.0'?>"
    home.write(f"x/{photo}", JPEG)
    home.write("x/IMG_12.jpg", JPEG)
    home.write(f"y/{photo}", JPEG + b"elsewhere")
    home.index()
    assert home.queued() == set()
    home.write(f"x/{sidecar}", head)
    scan(home.catalog, home.source)
    assert home.queued() == {f"x/{photo}"}
    home.index()
    (row,) = home.rows("SELECT state, reason FROM file WHERE state = 'skipped'")
    assert row == ("skipped", "a sidecar: it is read with the picture that it is about")
    home.write(f"x/{sidecar}", head + b" ")
    scan(home.catalog, home.source)
    assert home.queued() == {f"x/{photo}"}
    home.index()
    (home.root / f"x/{sidecar}").unlink()
    scan(home.catalog, home.source)
    assert home.queued() == {f"x/{photo}"}
