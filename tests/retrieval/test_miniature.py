"""The whole search with the real miniature model, over drawings that it has never seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from havenfs.catalog import Catalog, vectors, words
from havenfs.entities import AssetId, Embedding
from havenfs.extract.clip import PictureEncoder
from havenfs.models import registry
from havenfs.retrieval.encoder import LocalEncoder
from havenfs.retrieval.search import Searcher
from havenfs.sample import scenes, truth

if TYPE_CHECKING:
    from pathlib import Path

    import apsw

PICTURES = 150


class Drawings:
    """A library of drawings and what is in each."""

    def __init__(self, catalog: Catalog) -> None:
        model = registry.builtin()
        rng = np.random.default_rng(20261120)
        drawn = [scenes.random_scene(rng) for _ in range(PICTURES)]
        pictures = [scenes.draw(scene, 192, 144, rng) for scene in drawn]
        rows = PictureEncoder(model).encode(pictures)
        self.labels = {
            AssetId(n): set(scenes.labels(scene)) for n, scene in enumerate(drawn, start=1)
        }
        catalog.write(_fill, rows, model.id)
        self.searcher = Searcher(catalog, LocalEncoder(model))

    def showing(self, word: str) -> set[AssetId]:
        """The drawings of which the word is true."""
        return {asset_id for asset_id, labels in self.labels.items() if word in labels}

    def found(self, text: str) -> list[AssetId]:
        """The hits of a search."""
        return [hit.asset_id for hit in self.searcher.search(text).hits]


def _fill(db: apsw.Connection, rows: Any, model: Any) -> None:
    db.execute("INSERT INTO source (name, root) VALUES ('drawings', x'2f')")
    for n, row in enumerate(rows, start=1):
        name, content = f"drawing-{n:03}.jpg", n.to_bytes(32, "big")
        db.execute(
            "INSERT INTO asset (id, hash, name, name_key, kind, mime, added) VALUES (?, ?, ?, ?, 'photo', 'x', 0)",
            (n, content, name, name),
        )
        db.execute(
            "INSERT INTO file (source_id, path, size, mtime_ns, device, inode, state, hash, asset_id)"
            " VALUES (1, ?, 1, 1, 1, ?, 'known', ?, ?)",
            (name.encode(), n, content, n),
        )
        db.execute("UPDATE asset SET file_id = ? WHERE id = ?", (db.last_insert_rowid(), n))
        words.put(db, AssetId(n), name=name)
        vectors.put(db, AssetId(n), [Embedding(model=model, vector=row.astype("<f4").tobytes())])


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """150 drawings, indexed."""
    directory: Path = tmp_path_factory.mktemp("drawings")
    with Catalog(directory / "catalog.db") as catalog:
        yield Drawings(catalog)


@pytest.mark.parametrize(
    "word", ["beach", "snow", "forest", "night", "sunset", "receipt", "fireworks"]
)
def test_a_setting_finds_its_drawings_and_hardly_any_others(drawings: Any, word: str) -> None:
    wanted, found = drawings.showing(word), drawings.found(word)
    assert len(wanted) >= 2
    assert len(wanted & set(found)) >= 0.7 * len(wanted)
    first = found[: min(5, len(wanted))]
    assert len(wanted & set(first)) >= 0.8 * len(first)


def test_things_come_first_when_one_asks_for_them(drawings: Any) -> None:
    words = ("dog", "cat", "horse", "car", "boat", "bird", "bicycle", "flower", "red car", "cake")
    right, asked = 0, 0
    for word in words:
        wanted = set.intersection(*(drawings.showing(part) for part in word.split()))
        first = drawings.found(word)[: min(5, len(wanted))]
        right += len(wanted & set(first))
        asked += min(5, len(wanted))
    assert asked > 20
    assert right >= 0.6 * asked


def test_things_that_are_not_there_are_answered_with_nothing(drawings: Any) -> None:
    absent = [query for query in truth.ABSENT if query not in ("Antarctica", "1962")]
    answered = [query for query in absent if drawings.found(query)]
    assert len(answered) <= 0.05 * len(absent), answered


def test_each_hit_says_what_it_looks_like(drawings: Any) -> None:
    hits = drawings.searcher.search("beach").hits
    assert hits
    assert all(hit.reasons == ("looks like 'beach'",) for hit in hits)
