"""Vectors: nearest by angle, replaced and removed without leaving anything behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from havenfs.catalog import changes, vectors
from havenfs.entities import AssetId, Embedding, ModelId

if TYPE_CHECKING:
    import apsw
    from numpy.typing import NDArray

MODEL = ModelId("test@000000000000")
OTHER = ModelId("other@00000000000")
D = 48


def unit(*, seed: int, d: int = D) -> NDArray[np.float32]:
    vector = np.random.default_rng(seed).normal(size=d)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def embedding(vector: NDArray[np.float32], frame_ms: int = 0, model: ModelId = MODEL) -> Embedding:
    return Embedding(model=model, vector=vector.astype("<f4").tobytes(), frame_ms=frame_ms)


@pytest.fixture
def pictures(shelf: Any) -> Any:
    """Sixty pictures of random looks."""
    ids = [shelf.add(f"p{n}.jpg") for n in range(60)]
    for n, asset_id in enumerate(ids):
        shelf.catalog.write(vectors.put, asset_id, [embedding(unit(seed=n))])
    shelf.ids = ids
    return shelf


def test_int8_keeps_the_angle_to_half_a_percent() -> None:
    for seed in range(20):
        a, b = unit(seed=seed, d=512), unit(seed=seed + 100, d=512)
        mixed = ((a + b) / np.linalg.norm(a + b)).astype(np.float32)
        matrix = vectors.quantise(mixed)[None]
        assert abs(matrix).max() == 127
        assert vectors.cosines(matrix, a)[0] == pytest.approx(float(a @ mixed), abs=0.005)


def test_a_vector_without_direction_is_like_nothing() -> None:
    assert not vectors.quantise(np.zeros(4, np.float32)).any()
    assert vectors.cosines(np.zeros((1, 4), np.int8), np.ones(4, np.float32))[0] == 0


def test_the_nearest_come_first_in_the_order_of_exact_arithmetic(pictures: Any) -> None:
    query = unit(seed=7) + 0.3 * unit(seed=8)
    exact = sorted(pictures.ids, key=lambda i: -float(unit(seed=pictures.ids.index(i)) @ query))
    found = pictures.catalog.read(vectors.nearest, MODEL, query, 5)
    assert [i for i, _ in found] == exact[:5]
    assert found[0][1] == pytest.approx(
        float(unit(seed=7) @ query / np.linalg.norm(query)), abs=0.01
    )


def test_a_small_set_is_searched_whole_with_the_same_scores(pictures: Any) -> None:
    query = unit(seed=500)
    everything = dict(pictures.catalog.read(vectors.nearest, MODEL, query, 60))
    some = pictures.ids[10:20]
    found = pictures.catalog.read(vectors.within, MODEL, query, some)
    assert {i for i, _ in found} == set(some)
    assert [c for _, c in found] == pytest.approx(
        sorted((everything[i] for i in some), reverse=True)
    )


def test_a_film_counts_with_its_best_frame(pictures: Any) -> None:
    film = pictures.ids[0]
    frames = [embedding(unit(seed=900), 0), embedding(unit(seed=901), 5000)]
    pictures.catalog.write(vectors.put, film, frames)
    found = pictures.catalog.read(vectors.nearest, MODEL, unit(seed=901), 60)
    assert found[0] == (film, pytest.approx(1.0, abs=0.001))
    assert len(found) == len({i for i, _ in found}) == 60


def test_new_vectors_replace_the_old_ones_of_that_model_only(pictures: Any) -> None:
    first = pictures.ids[0]
    pictures.catalog.write(vectors.put, first, [embedding(unit(seed=1, d=8), model=OTHER)])
    pictures.catalog.write(vectors.put, first, [embedding(unit(seed=777))])
    assert pictures.catalog.read(vectors.nearest, MODEL, unit(seed=777), 1)[0][0] == first
    assert pictures.catalog.read(vectors.nearest, OTHER, unit(seed=1, d=8), 9)[0][0] == first
    assert pictures.catalog.read(_count) == (61, 60, 1)
    assert pictures.catalog.read(vectors.models) == [(MODEL, 60), (OTHER, 1)]


def _count(db: apsw.Connection) -> Any:
    sql = "SELECT (SELECT COUNT(*) FROM embedding), (SELECT COUNT(*) FROM vectors_1), (SELECT COUNT(*) FROM vectors_2)"
    return db.execute(sql).fetchone()


def test_what_is_gone_is_not_found_and_leaves_no_vector(pictures: Any) -> None:
    gone, deleted = pictures.ids[3], pictures.ids[4]
    pictures.remove(gone)
    pictures.catalog.write(_delete, deleted)
    found = {i for i, _ in pictures.catalog.read(vectors.nearest, MODEL, unit(seed=3), 60)}
    assert found == set(pictures.ids) - {gone, deleted}
    assert pictures.catalog.read(vectors.within, MODEL, unit(seed=3), [deleted]) == []
    assert pictures.catalog.read(_indexed) == (59,)


def _delete(db: apsw.Connection, asset_id: AssetId) -> None:
    db.execute("UPDATE file SET asset_id = NULL WHERE asset_id = ?", (asset_id,))
    db.execute("DELETE FROM asset WHERE id = ?", (asset_id,))


def test_a_sample_is_the_same_each_time_and_mostly_after_growth(pictures: Any) -> None:
    before = pictures.catalog.read(vectors.sample, MODEL, 20)
    assert before.shape == (20, D)
    assert (pictures.catalog.read(vectors.sample, MODEL, 20) == before).all()
    for n in range(60, 66):
        pictures.catalog.write(vectors.put, pictures.add(f"p{n}.jpg"), [embedding(unit(seed=n))])
    after = pictures.catalog.read(vectors.sample, MODEL, 20)
    kept = {row.tobytes() for row in before} & {row.tobytes() for row in after}
    assert len(kept) >= 14
    assert len(pictures.catalog.read(vectors.sample, MODEL, 1000)) == 66


def test_a_model_that_has_seen_nothing_finds_nothing(shelf: Any) -> None:
    assert shelf.catalog.read(vectors.nearest, MODEL, unit(seed=1), 5) == []
    assert shelf.catalog.read(vectors.within, MODEL, unit(seed=1), [AssetId(1)]) == []
    assert len(shelf.catalog.read(vectors.sample, MODEL, 5)) == 0
    assert shelf.catalog.read(vectors.of_asset, MODEL, AssetId(1)) is None
    assert shelf.catalog.read(vectors.dimension, MODEL) is None


def test_a_vector_of_another_length_is_a_bug(pictures: Any) -> None:
    with pytest.raises(ValueError, match="48 dimensions"):
        pictures.catalog.read(vectors.nearest, MODEL, unit(seed=1, d=8), 5)
    with pytest.raises(ValueError, match="48 dimensions"):
        pictures.catalog.write(vectors.put, pictures.ids[0], [embedding(unit(seed=1, d=8))])


def test_the_vector_of_an_asset_points_where_it_did(pictures: Any) -> None:
    vector = pictures.catalog.read(vectors.of_asset, MODEL, pictures.ids[5])
    assert float(vector @ unit(seed=5)) > 0.999


def test_a_write_that_fails_leaves_no_vector_and_no_index(shelf: Any) -> None:
    asset_id = shelf.add("a.jpg")
    with pytest.raises(RuntimeError):
        shelf.catalog.write(_put_and_fail, asset_id)
    assert shelf.catalog.read(vectors.models) == []
    shelf.catalog.write(vectors.put, asset_id, [embedding(unit(seed=1))])
    assert len(shelf.catalog.read(vectors.nearest, MODEL, unit(seed=1), 5)) == 1


def _put_and_fail(db: apsw.Connection, asset_id: AssetId) -> None:
    vectors.put(db, asset_id, [embedding(unit(seed=1))])
    raise RuntimeError


def test_a_new_vector_moves_the_generation(pictures: Any) -> None:
    before = pictures.catalog.read(changes.generation)
    pictures.catalog.write(vectors.put, pictures.ids[0], [embedding(unit(seed=1))])
    assert pictures.catalog.read(changes.generation) > before


def _indexed(db: apsw.Connection) -> Any:
    return db.execute("SELECT COUNT(*) FROM vectors_1").fetchone()
