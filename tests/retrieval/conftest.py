"""A library of invented looks: each word is a direction, each picture points along the words that are true of it."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from havenfs.catalog import places, vectors, words
from havenfs.entities import AssetId, Embedding, Locality, ModelId
from havenfs.errors import EncoderUnavailable
from havenfs.models import registry
from havenfs.retrieval.search import Searcher

if TYPE_CHECKING:
    from collections.abc import Iterable

    import apsw
    from numpy.typing import NDArray

    from havenfs.catalog import Catalog

D = 256
KNOWN = ("dog", "cat", "beach", "snow", "car", "red")
FILLERS = {"a", "photo", "of", "on", "the", "in"}


class Eye:
    """A model of two towers: random directions for words, pictures as noisy sums of them, one direction for "photo".

    Like a real one it has an opinion about words that it was never taught.
    """

    model = ModelId("eye@0123456789ab")

    def __init__(self) -> None:
        self.noise = np.random.default_rng(42)
        self.open = True
        self.asked: list[str] = []

    def encode(self, text: str) -> tuple[ModelId, NDArray[np.float32]]:
        """The text tower."""
        if not self.open:
            raise EncoderUnavailable("closed")
        self.asked.append(text)
        return self.model, _unit(
            sum((_direction(w) for w in text.split() if w not in FILLERS), 0.6 * _direction(""))
        )

    def picture(self, words: Iterable[str]) -> Embedding:
        """The picture tower."""
        vector = sum((_direction(w) for w in words), 0.8 * _direction(""))
        vector = _unit(vector + self.noise.normal(size=D) * 0.8 / np.sqrt(D))
        return Embedding(model=self.model, vector=vector.astype("<f4").tobytes())


def _direction(word: str) -> NDArray[np.float64]:
    vector = np.random.default_rng(zlib.crc32(word.encode())).normal(size=D)
    return vector / np.linalg.norm(vector)


def _unit(vector: Any) -> NDArray[np.float32]:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class Gallery:
    """The library, its eye and its searcher."""

    def __init__(self, shelf: Any) -> None:
        self.shelf = shelf
        self.catalog: Catalog = shelf.catalog
        self.eye = Eye()
        self.searcher = Searcher(shelf.catalog, self.eye)
        self.truth: dict[AssetId, set[str]] = {}

    def add(self, name: str, *seen: str, **columns: Any) -> AssetId:
        """A picture that shows *seen*."""
        asset_id = self.shelf.add(name, **columns)
        self.catalog.write(vectors.put, asset_id, [self.eye.picture(seen)])
        self.truth[asset_id] = set(seen)
        return asset_id

    def showing(self, *words: str) -> set[AssetId]:
        """The pictures that show all of *words*."""
        return {asset_id for asset_id, seen in self.truth.items() if set(words) <= seen}

    def ids(self, text: str, **options: Any) -> list[AssetId]:
        """The hits of a search."""
        return [hit.asset_id for hit in self.searcher.search(text, **options).hits]


@pytest.fixture
def gallery(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> Gallery:
    """300 pictures: animals and cars in settings, in four years and three cities, some with nothing to name."""
    # An installation without models: what is in use has default floors.
    monkeypatch.setattr(registry, "active", _no_model)
    made = Gallery(shelf)
    made.truth = shelf.catalog.write(_fill, made.eye)
    return made


CITIES = (("Italy", "Lazio", "Rome"), ("Germany", "Bavaria", "Munich"), ("France", "", "Nice"))


def _fill(db: apsw.Connection, eye: Eye) -> dict[AssetId, set[str]]:
    """All in one transaction and without originals: a search never opens one."""
    truth: dict[AssetId, set[str]] = {}
    for thing in ("dog", "cat", "car", ""):
        for setting in ("beach", "snow", ""):
            for copy in range(6 if thing or setting else 234):
                n = len(truth)
                seen = [w for w in (thing, setting) if w] or [
                    f"thing{copy % 40}",
                    f"place{copy % 23}",
                ]
                asset_id = AssetId(n + 1)
                truth[asset_id] = set(seen)
                name, content = f"IMG_{n:04}.jpg", n.to_bytes(32, "big")
                country, region, city = CITIES[n % 3]
                place = places.ensure(db, Locality(country=country, region=region, city=city))
                taken = datetime(2016 + n % 4, n % 12 + 1, 5, 12, tzinfo=UTC).timestamp()
                db.execute(
                    "INSERT INTO asset (id, hash, name, name_key, kind, mime, added, taken_local, taken_source,"
                    " place_id) VALUES (?, ?, ?, ?, 'photo', 'image/jpeg', 0, ?, 'exif', ?)",
                    (
                        asset_id,
                        content,
                        name,
                        name.casefold(),
                        int(taken),
                        place if n % 5 else None,
                    ),
                )
                db.execute(
                    "INSERT INTO file (source_id, path, size, mtime_ns, device, inode, state, hash, asset_id)"
                    " VALUES (1, ?, 1, 1, 1, ?, 'known', ?, ?)",
                    (name.encode(), n, content, asset_id),
                )
                db.execute(
                    "UPDATE asset SET file_id = ? WHERE id = ?", (db.last_insert_rowid(), asset_id)
                )
                words.put(db, asset_id, name=name)
                vectors.put(db, asset_id, [eye.picture(seen)])
    return truth


def _no_model(_: Any) -> registry.Model:
    raise registry.ModelError("none is installed")
