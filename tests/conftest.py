"""What tests of several packages share: a small library, made without decoders or models."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from havenfs.catalog import Catalog, names, places, words
from havenfs.config import State
from havenfs.entities import AssetId, Locality

if TYPE_CHECKING:
    from collections.abc import Iterator

    import apsw


# For nights: `pytest --hypothesis-profile=long`. What it finds it prints with a line that plays it again.
settings.register_profile("long", max_examples=5000, deadline=None, print_blob=True)


class Shelf:
    """A catalog whose originals lie in `root`, filled one asset at a time.

    `root` is the source `photos`, read-only unless *writable*; `source` adds others.
    """

    def __init__(self, directory: Path, *, writable: bool = False) -> None:
        self.state = State(root=directory / "state")
        self.catalog = Catalog(self.state.catalog)
        self._sources: dict[str, tuple[int, Path]] = {}
        self.root = self.source("photos", directory / "originals", writable=writable)

    def source(self, name: str, root: Path, *, writable: bool = False) -> Path:
        """Make one more directory of originals; returns it."""
        root.mkdir()
        self._sources[name] = self.catalog.write(_source, name, bytes(root), writable), root
        return root

    def add(
        self,
        path: str,
        data: bytes | None = None,
        *,
        source: str = "photos",
        taken: str | None = None,
        place: tuple[str, str, str] | None = None,
        caption: str | None = None,
        text: str | None = None,
        **columns: Any,
    ) -> AssetId:
        """Write an original and index it; *taken* is ISO without a zone, *place* country, region, city."""
        source_id, root = self._sources[source]
        original = root / path
        original.parent.mkdir(parents=True, exist_ok=True)
        original.write_bytes(path.encode() * 100 if data is None else data)
        return self.catalog.write(_add, source_id, root, path, taken, place, caption, text, columns)

    def put_words(self, asset_id: AssetId, text: str) -> None:
        """Say what stands in a document, as its reader does."""
        self.catalog.write(lambda db: words.put(db, asset_id, document=text))

    def edit(self, asset_id: AssetId, data: bytes) -> None:
        """Write other bytes to an original and record that, as the indexer does: the asset stays, its content moves on."""
        self.catalog.write(_edit, dict(self._sources.values()), asset_id, data)

    def remove(self, asset_id: AssetId) -> None:
        """Take an asset out of every view, as the indexer does when its last file is gone."""
        self.catalog.write(_remove, asset_id)

    def put(self, asset_id: AssetId, **columns: Any) -> None:
        """Change columns of an asset."""
        self.catalog.write(_put, asset_id, columns)


def _source(db: apsw.Connection, name: str, root: bytes, writable: bool) -> int:
    db.execute("INSERT INTO source (name, root, writable) VALUES (?, ?, ?)", (name, root, writable))
    return db.last_insert_rowid()


def _add(
    db: apsw.Connection,
    source_id: int,
    root: Path,
    path: str,
    taken: str | None,
    place: tuple[str, str, str] | None,
    caption: str | None,
    text: str | None,
    columns: dict[str, Any],
) -> AssetId:
    content = (root / path).read_bytes()
    status = (root / path).lstat()
    digest = blake2b(content, digest_size=32).digest()
    db.execute(
        "INSERT INTO file (source_id, path, size, mtime_ns, device, inode, state, hash)"
        " VALUES (?, ?, ?, ?, ?, ?, 'known', ?)",
        (
            source_id,
            path.encode(),
            status.st_size,
            status.st_mtime_ns,
            status.st_dev,
            status.st_ino,
            digest,
        ),
    )
    file_id = db.last_insert_rowid()
    name = names.assign(db, Path(path).name, digest)
    values: dict[str, Any] = {
        "hash": digest,
        "name": name,
        "name_key": names.key(name),
        "kind": "photo",
        "mime": "image/jpeg",
        "added": 0,
        "caption": caption,
        **columns,
    }
    if taken is not None:
        values["taken_local"] = int(datetime.fromisoformat(taken + "+00:00").timestamp())
        values.setdefault("taken_source", "exif")
    if place is not None:
        country, region, city = place
        values["place_id"] = places.ensure(db, Locality(country=country, region=region, city=city))
    db.execute(
        f"INSERT INTO asset ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
        tuple(values.values()),
    )
    asset_id = AssetId(db.last_insert_rowid())
    db.execute("UPDATE file SET asset_id = ? WHERE id = ?", (asset_id, file_id))
    db.execute("UPDATE asset SET file_id = ? WHERE id = ?", (file_id, asset_id))
    words.put(db, asset_id, name=name, caption=caption, ocr=text)
    return asset_id


def _edit(db: apsw.Connection, roots: dict[int, Path], asset_id: AssetId, data: bytes) -> None:
    file_id, source_id, path = db.execute(
        "SELECT id, source_id, path FROM file WHERE asset_id = ?", (asset_id,)
    ).fetchone() or (0, 0, b"")
    original = roots[source_id] / path.decode()
    original.write_bytes(data)
    status = original.lstat()
    digest = blake2b(data, digest_size=32).digest()
    db.execute(
        "UPDATE file SET size = ?, mtime_ns = ?, hash = ? WHERE id = ?",
        (status.st_size, status.st_mtime_ns, digest, file_id),
    )
    db.execute("UPDATE asset SET hash = ? WHERE id = ?", (digest, asset_id))


def _remove(db: apsw.Connection, asset_id: AssetId) -> None:
    db.execute("UPDATE asset SET file_id = NULL WHERE id = ?", (asset_id,))


def _put(db: apsw.Connection, asset_id: AssetId, columns: dict[str, Any]) -> None:
    assignments = ", ".join(f"{column} = ?" for column in columns)
    db.execute(f"UPDATE asset SET {assignments} WHERE id = ?", (*columns.values(), asset_id))


def agree(catalog: Catalog) -> None:
    """The counts that triggers keep are those of the tables, whatever a test has done to them."""
    for kept, counted in catalog.read(_counts):
        assert kept == counted


def _counts(db: apsw.Connection) -> list[tuple[list[Any], list[Any]]]:
    source = "ifnull((SELECT source_id FROM file f WHERE f.id = a.file_id), 0)"
    pairs = [
        ("source_id, state", "file_tally", "source_id, state", "file"),
        ("source_id, kind, primary_", "asset_tally", f"{source}, kind, primary_id IS NULL", "asset a"),
        ("source_id, kind, stage, state", "job_tally", f"{source}, a.kind, j.stage, j.state", "job j JOIN asset a ON a.id = j.asset_id"),
    ]  # fmt: skip
    found: list[tuple[list[Any], list[Any]]] = [
        (
            db.execute(f"SELECT {keys}, number FROM {tally} WHERE number ORDER BY {keys}").fetchall(),
            db.execute(f"SELECT {same}, count(*) FROM {rows} GROUP BY {same} ORDER BY {same}").fetchall(),
        )
        for keys, tally, same, rows in pairs
    ]  # fmt: skip
    tagged = "SELECT count(DISTINCT asset_id) FROM suggested_tag"
    kept = db.execute("SELECT number FROM tagged_tally").fetchall()
    return [*found, (kept, db.execute(tagged).fetchall())]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    """An empty library."""
    made = Shelf(tmp_path)
    yield made
    agree(made.catalog)
    made.catalog.close()


def furnish(shelf: Shelf) -> Shelf:
    """Something in every view."""
    rome = ("Italy", "Lazio", "Rome")
    shelf.add(
        "2019/rome/IMG_0001.jpg",
        taken="2019-07-14T10:00:00",
        place=rome,
        latitude=41.9,
        longitude=12.5,
        caption="a dog at the fountain",
        camera="Pixel 3",
        rating=4,
        keywords='["dog","summer"]',
        taken_offset=120,
    )
    shelf.add("2019/rome/IMG_0002.jpg", taken="2019-07-14T11:00:00", place=rome, caption="a cat")
    shelf.add(
        "2019/IMG_0001.jpg",
        taken="2019-12-24T20:00:00",
        place=("Germany", "Bavaria", "Munich"),
        caption="snow",
    )
    shelf.add(
        "2020/clip.mp4",
        taken="2020-01-01T00:00:00",
        kind="video",
        mime="video/mp4",
        place=("Italy", "", ""),
    )
    shelf.add("old/scan.jpg", taken="2021-03-01T00:00:00", taken_source="mtime", raw=1)
    shelf.add(
        "papers/invoice.pdf", kind="document", mime="application/pdf", text="invoice for a dog"
    )
    shelf.add("shots/screen.png", taken="2020-01-02T00:00:00", screenshot=1, mime="image/png")
    shelf.add("usa/a.jpg", place=("United States", "Illinois", "Springfield"), live=1)
    shelf.add("usa/b.jpg", place=("United States", "Ohio", "Springfield"))
    return shelf


@pytest.fixture
def household(shelf: Shelf) -> Shelf:
    """A library with something in every view."""
    return furnish(shelf)


@pytest.fixture
def open_house(tmp_path: Path) -> Path:
    """tmp_path, into which others may walk: pytest closes the folders that it makes to them."""
    folder = tmp_path
    while not folder.stat().st_mode & 0o001:
        folder.chmod(0o711)
        folder = folder.parent
    return tmp_path


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Shelf]:
    """The same library, to be worked in: `photos` is writable, so is an empty `desk`; `archive` is read-only."""
    made = furnish(Shelf(tmp_path, writable=True))
    made.source("desk", tmp_path / "desk", writable=True)
    made.source("archive", tmp_path / "archive")
    made.add("1999/negative.jpg", source="archive", taken="1999-05-05T05:05:05")
    yield made
    made.catalog.close()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """The same library, for the tests of a module that do not change it."""
    made = furnish(Shelf(tmp_path_factory.mktemp("standing")))
    yield made
    made.catalog.close()


SENDERS = {
    "Waterworks": "waterworks meter reading bill consumption cubic metres",
    "Bank": "bank account statement balance transfer interest",
    "School": "school pupil timetable teacher lesson excursion",
    "Doctor": "doctor patient appointment prescription surgery invoice",
    "Landlord": "landlord rent deposit heating tenancy flat",
    "Insurance": "insurance policy premium claim damage cover",
    "Club": "club member training match season fee",
    "Telephone": "telephone tariff minutes roaming contract number",
}


class Papers(Shelf):
    """Letters of eight senders, eight each, in `papers`, which can be written to; `photos` cannot."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        super().__init__(directory)
        self.papers = self.source("papers", directory / "papers", writable=True)
        for sender, body in SENDERS.items():
            for number in range(8):
                self.add(
                    f"Letters/{sender}/{number}.txt",
                    source="papers",
                    kind="document",
                    mime="text/plain",
                    text=f"{body} {number}",
                )


@pytest.fixture
def shelf_of_papers(tmp_path: Path) -> Iterator[Papers]:
    """Letters, sorted by their senders."""
    made = Papers(tmp_path / "desk")
    yield made
    made.catalog.close()
