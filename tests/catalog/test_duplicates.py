"""Groups of copies: who joins, who does not, who is best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from havenfs.catalog import assets, duplicates, vectors
from havenfs.catalog.resemblance import differing
from havenfs.decisions import Keeper, values
from havenfs.entities import AssetId, Embedding, ModelId

if TYPE_CHECKING:
    import apsw

NOISE = np.random.default_rng(11)
SCENE = NOISE.integers(0, 256, 256).astype(np.uint8)


def photo(
    shelf: Any,
    name: str,
    *,
    scene: Any = SCENE,
    phash: int = 0x1234_5678_9ABC_DEF0,
    inner: int = -77,
    vector: Any = None,
    **columns: Any,
) -> AssetId:
    """An asset that was looked at, and settled."""
    values = {"width": 1200, "height": 900, "text_likeness": 0.0, **columns}
    asset_id = shelf.add(name, phash=phash, **values)

    def look(db: apsw.Connection) -> None:
        grid = np.clip(scene, 0, 255).astype(np.uint8).tobytes()
        duplicates.put(db, asset_id, inner=inner, grid=grid)
        if vector is not None:
            found = (np.asarray(vector) / np.linalg.norm(vector)).astype("<f4")
            embedding = Embedding(model=ModelId("m@1"), vector=found.tobytes())
            vectors.put(db, asset_id, [embedding])
        duplicates.settle(db, asset_id)

    shelf.catalog.write(look)
    return asset_id


def group(shelf: Any, asset_id: AssetId) -> list[AssetId]:
    return shelf.catalog.read(duplicates.group_of, asset_id)


def best_first(shelf: Any, asset_id: AssetId) -> list[Any]:
    def query(db: apsw.Connection) -> list[Any]:
        return list(duplicates.ranked(db, duplicates.group_of(db, asset_id)))

    return shelf.catalog.read(query)


def test_a_smaller_copy_joins_its_original(shelf: Any) -> None:
    original = photo(shelf, "a.jpg", taken="2019-07-14T10:00:00")
    copy = photo(
        shelf, "b.jpg", scene=SCENE * 0.99, width=640, height=480, phash=0x1234_5678_9ABC_DEF1
    )
    assert group(shelf, original) == group(shelf, copy) == [original, copy]
    assert shelf.catalog.read(duplicates.groups) == [original]


def test_the_best_copy_comes_first_and_says_why(shelf: Any) -> None:
    photo(shelf, "small.jpg", width=640, height=480)
    original = photo(shelf, "large.jpg", taken="2019-07-14T10:00:00", camera="Pixel 3")
    first, second = best_first(shelf, original)
    assert (first.name, second.name) == ("large.jpg", "small.jpg")
    assert first.reason == "best: 1.1 megapixels, has the date, has the camera"
    assert "has lost the date" in second.reason
    assert first.paths == ("photos/large.jpg",)


def test_two_takes_are_no_copies_however_alike(shelf: Any) -> None:
    first = photo(shelf, "a.jpg", taken="2019-07-14T10:00:00")
    second = photo(shelf, "b.jpg", taken="2019-07-14T10:00:01")
    assert group(shelf, first) == [first]
    assert group(shelf, second) == [second]


def test_a_copy_without_a_date_never_joins_two_takes_into_one_group(shelf: Any) -> None:
    first = photo(shelf, "a.jpg", taken="2019-07-14T10:00:00")
    copy = photo(shelf, "copy.jpg")
    second = photo(shelf, "b.jpg", taken="2019-07-14T10:00:01")
    assert group(shelf, first) == [first, copy]
    assert group(shelf, second) == [second]


def test_something_that_moved_makes_another_take_where_no_date_says_so(shelf: Any) -> None:
    moved = SCENE.astype(np.int16).copy()
    moved[100:103] += 40
    first = photo(shelf, "a.jpg")
    photo(shelf, "b.jpg", scene=moved)
    assert group(shelf, first) == [first]


def test_a_raw_and_its_picture_are_mates_and_no_copies(shelf: Any) -> None:
    photo(shelf, "a.dng", raw=1, taken="2019-07-14T10:00:00")
    picture = photo(shelf, "a.jpg", taken="2019-07-14T10:00:00")
    assert group(shelf, picture) == [picture]
    elsewhere = photo(shelf, "b.dng", raw=1, taken="2019-07-14T10:00:00")
    assert group(shelf, elsewhere) == [elsewhere]


def test_a_crop_is_found_by_the_inner_hash_and_believed_where_the_model_agrees(shelf: Any) -> None:
    looks = NOISE.normal(size=64)
    other = NOISE.integers(0, 256, 256)
    original = photo(shelf, "a.jpg", vector=looks)
    crop = photo(
        shelf, "b.jpg", scene=other, phash=-78, inner=5, width=1100, height=820, vector=looks + 0.05
    )
    page = photo(shelf, "c.jpg", scene=other[::-1], phash=-78, inner=5, width=1100, height=820)
    assert group(shelf, original) == [original, crop]
    assert page not in group(shelf, original)


def test_walls_and_black_frames_are_copies_of_nothing(shelf: Any) -> None:
    black = np.zeros(256)
    first = photo(shelf, "a.jpg", scene=black)
    photo(shelf, "b.jpg", scene=black)
    assert group(shelf, first) == [first]


def test_files_of_equal_bytes_are_a_group_of_one_asset(shelf: Any) -> None:
    asset_id = photo(shelf, "a.jpg")
    shelf.catalog.write(_another_file, asset_id)
    assert shelf.catalog.read(duplicates.groups) == [asset_id]
    (only,) = best_first(shelf, asset_id)
    assert only.paths == ("photos/Backup/a.jpg", "photos/a.jpg")


def test_other_content_leaves_the_group(shelf: Any) -> None:
    first, second, third = (photo(shelf, name) for name in ("a.jpg", "b.jpg", "c.jpg"))
    shelf.catalog.write(duplicates.forget, first)
    assert group(shelf, second) == [second, third]
    assert shelf.catalog.read(duplicates.groups) == [second]
    shelf.catalog.write(duplicates.forget, second)
    assert shelf.catalog.read(duplicates.groups) == []


@pytest.mark.parametrize("flips", [1, 3, 5, 7])
def test_every_hash_within_reach_is_found(shelf: Any, flips: int) -> None:
    for trial in range(20):
        bits = int(NOISE.integers(-(1 << 63), 1 << 63))
        mask = sum(1 << int(bit) for bit in NOISE.choice(63, flips, replace=False))
        assert differing(bits, bits ^ mask) == flips
        first = photo(shelf, f"{trial}.jpg", phash=bits, scene=NOISE.integers(0, 256, 256))
        scene = np.frombuffer(_grid(shelf, first), np.uint8)
        second = photo(shelf, f"{trial}b.jpg", phash=bits ^ mask, scene=scene)
        assert group(shelf, first) == [first, second]


def _grid(shelf: Any, asset_id: AssetId) -> bytes:
    db = shelf.catalog.connection()
    return db.execute("SELECT grid FROM look WHERE asset_id = ?", (asset_id,)).fetchone()[0]


def _another_file(db: apsw.Connection, asset_id: AssetId) -> None:
    db.execute(
        "INSERT INTO file (source_id, path, size, mtime_ns, device, inode, state, asset_id)"
        " SELECT source_id, CAST('Backup/a.jpg' AS BLOB), size, mtime_ns, device, 0, 'known', asset_id"
        " FROM file WHERE asset_id = ?",
        (asset_id,),
    )


def test_what_people_told_apart_is_no_group_and_is_one_again_when_that_is_taken_back(
    shelf: Any,
) -> None:
    keeper = Keeper(shelf.catalog, shelf.state.journal)
    ids = [photo(shelf, f"{name}.jpg") for name in "abc"]
    hashes = [asset.hash for asset in shelf.catalog.read(assets.many, ids)]
    done = keeper.decide(values.Distinguish(contents=(hashes[0], hashes[1])), by="me")
    assert done is not None
    groups = [group(shelf, asset_id) for asset_id in ids]
    assert groups == [[ids[0], ids[2]], [ids[1]], [ids[0], ids[2]]]
    shelf.catalog.write(duplicates.settle, ids[1])  # looked at once more
    assert group(shelf, ids[1]) == [ids[1]]
    keeper.revert(done.id, by="me")
    assert group(shelf, ids[1]) == ids


def test_a_group_is_named_for_the_oldest_that_is_there(shelf: Any) -> None:
    ids = [photo(shelf, f"{name}.jpg") for name in "abc"]
    assert shelf.catalog.read(duplicates.groups) == [ids[0]]
    shelf.remove(ids[0])
    assert shelf.catalog.read(duplicates.groups) == [ids[1]]
    assert shelf.catalog.read(duplicates.names_group, ids[1])
    assert not shelf.catalog.read(duplicates.names_group, ids[2])
