"""Faces in the catalog: what stays when another model looks, what is counted, what is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw
import numpy as np
import pytest

from havenfs.catalog import (
    Catalog,
    changes,
    contents,
    faces,
    files,
    filters,
    jobs,
    sources,
    vectors,
)
from havenfs.catalog.schema import MIGRATIONS
from havenfs.config import SourceConfig
from havenfs.entities import (
    AssetId,
    Embedding,
    Face,
    Faces,
    Identity,
    JobState,
    Kind,
    ModelId,
    Region,
    SourceId,
    Stage,
)
from havenfs.ingest import identity
from havenfs.query import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OURS, THEIRS = ModelId("ours@1"), ModelId("theirs@1")
LEFT, RIGHT = Region(0, 0.1, 0.2, 0.3, 0.5), Region(0, 0.6, 0.2, 0.8, 0.5)


def face(region: Region, *, direction: int = 0, size: int = 90, score: float = 0.9) -> Face:
    return Face(
        region=region,
        points=(0.5,) * 10,
        score=score,
        size=size,
        sharpness=1.0,
        frontal=1.0,
        vector=np.eye(4, dtype="<f4")[direction].tobytes(),
    )


def moved(region: Region, by: float) -> Region:
    return Region(
        region.frame_ms, region.left + by, region.top, region.right + by, region.bottom + by / 2
    )


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / "catalog.db") as opened:
        opened.write(sources.configure, [SourceConfig(name="photos", root=tmp_path)])
        yield opened


def add(catalog: Catalog, path: bytes) -> AssetId:
    seen = files.Seen(path=path, size=5, mtime_ns=10**9, device=1, inode=hash(path) & 0xFFFF)
    catalog.write(files.add, SourceId(1), [seen])
    file = catalog.read(files.by_path, SourceId(1), path)
    assert file is not None
    found = Identity(hash=path.ljust(32)[:32], size=5, mime="image/jpeg", kind=Kind.PHOTO)
    asset_id = catalog.write(identity.settle, file, found)
    assert asset_id is not None
    return asset_id


def found(catalog: Catalog, query: str) -> list[AssetId]:
    (field,) = [node for node in [parse(query).where] if node is not None]
    return catalog.read(
        lambda db: filters.find(db, filters.compile_field(db, field), limit=9)  # pyright: ignore[reportArgumentType]
    )


def test_a_face_keeps_its_id_when_another_model_draws_its_box_a_little_differently(
    catalog: Catalog,
) -> None:
    asset = add(catalog, b"a.jpg")
    catalog.write(faces.put, asset, Faces(model=OURS, found=(face(LEFT), face(RIGHT))))
    before = catalog.read(faces.of_asset, asset)
    theirs = (face(moved(RIGHT, 0.03), direction=2), face(moved(LEFT, -0.02), direction=3))
    catalog.write(faces.put, asset, Faces(model=THEIRS, found=theirs))
    after = catalog.read(faces.of_asset, asset)
    assert [known.id for known in after] == [known.id for known in before]
    assert [known.region for known in after] == [theirs[1].region, theirs[0].region]


def test_a_face_that_is_no_longer_found_goes_and_a_new_one_gets_a_new_id(catalog: Catalog) -> None:
    asset = add(catalog, b"a.jpg")
    catalog.write(faces.put, asset, Faces(model=OURS, found=(face(LEFT), face(RIGHT))))
    first, second = catalog.read(faces.of_asset, asset)
    middle = Region(0, 0.4, 0.6, 0.5, 0.9)
    catalog.write(faces.put, asset, Faces(model=OURS, found=(face(middle), face(LEFT))))
    after = {known.region: known.id for known in catalog.read(faces.of_asset, asset)}
    assert after[LEFT] == first.id
    assert after[middle] not in {first.id, second.id}
    assert len(after) == 2


def test_of_two_boxes_over_one_face_the_better_one_takes_its_id(catalog: Catalog) -> None:
    asset = add(catalog, b"a.jpg")
    catalog.write(faces.put, asset, Faces(model=OURS, found=(face(LEFT),)))
    (before,) = catalog.read(faces.of_asset, asset)
    both = (face(moved(LEFT, 0.05)), face(moved(LEFT, 0.01)))
    catalog.write(faces.put, asset, Faces(model=OURS, found=both))
    after = {known.region: known.id for known in catalog.read(faces.of_asset, asset)}
    assert after[both[1].region] == before.id
    assert after[both[0].region] != before.id


def test_faces_of_different_frames_are_different_faces() -> None:
    assert LEFT.overlap(LEFT) == pytest.approx(1)
    assert LEFT.overlap(Region(500, *LEFT[1:])) == 0
    assert LEFT.overlap(RIGHT) == 0


def test_vectors_are_those_of_one_model_and_only_of_faces_good_enough(catalog: Catalog) -> None:
    one, two = add(catalog, b"a.jpg"), add(catalog, b"b.jpg")
    poor = face(RIGHT, direction=1, size=8)
    catalog.write(faces.put, one, Faces(model=OURS, found=(face(LEFT), poor)))
    catalog.write(faces.put, two, Faces(model=THEIRS, found=(face(LEFT, direction=2),)))
    ids, matrix = catalog.read(faces.vectors, OURS)
    assert [known.id for known in catalog.read(faces.of_asset, one)] == ids
    assert matrix.tolist() == [[127, 0, 0, 0], [0, 127, 0, 0]]
    ids, matrix = catalog.read(lambda db: faces.vectors(db, OURS, quality=0.3))
    assert (len(ids), matrix.tolist()) == (1, [[127, 0, 0, 0]])
    assert catalog.read(faces.vectors, ModelId("nobody@1"))[0] == []


def test_vectors_of_faces_are_not_among_those_of_pictures(catalog: Catalog) -> None:
    asset = add(catalog, b"a.jpg")
    catalog.write(faces.put, asset, Faces(model=OURS, found=(face(LEFT),)))
    picture = Embedding(model=THEIRS, vector=np.eye(1, 4, dtype="<f4").tobytes())
    catalog.write(vectors.put, asset, [picture])
    assert catalog.read(vectors.models) == [(THEIRS, 1)]
    assert catalog.read(vectors.count, OURS) == 0


def test_searches_know_how_many_faces_there_are(catalog: Catalog) -> None:
    nobody, alone, pair, unseen = (add(catalog, b"%d.jpg" % number) for number in range(4))
    catalog.write(faces.put, nobody, Faces(model=OURS))
    catalog.write(faces.put, alone, Faces(model=OURS, found=(face(LEFT),)))
    catalog.write(faces.put, pair, Faces(model=OURS, found=(face(LEFT), face(RIGHT))))
    assert set(found(catalog, "has=face")) == {alone, pair}
    assert set(found(catalog, "faces=2..")) == {pair}
    assert set(found(catalog, "faces=0")) == {nobody}
    assert set(found(catalog, "faces=none")) == {unseen}


def test_a_video_counts_the_most_faces_of_one_frame(catalog: Catalog) -> None:
    asset = add(catalog, b"a.mp4")
    later = Region(2000, *LEFT[1:])
    catalog.write(faces.put, asset, Faces(model=OURS, found=(face(LEFT), face(RIGHT), face(later))))
    assert found(catalog, "faces=2") == [asset]
    assert len(catalog.read(faces.of_asset, asset)) == 3


def test_searches_are_told_when_the_number_changes_and_only_then(catalog: Catalog) -> None:
    asset = add(catalog, b"a.jpg")
    catalog.write(faces.put, asset, Faces(model=OURS, found=(face(LEFT),)))
    before = catalog.read(changes.generation)
    catalog.write(faces.put, asset, Faces(model=THEIRS, found=(face(moved(LEFT, 0.01)),)))
    assert catalog.read(changes.generation) == before
    catalog.write(faces.put, asset, Faces(model=THEIRS))
    assert catalog.read(changes.generation) == before + 1


def test_new_content_forgets_the_faces_of_the_old(catalog: Catalog) -> None:
    asset = add(catalog, b"a.jpg")
    catalog.write(faces.put, asset, Faces(model=OURS, found=(face(LEFT),)))
    file = catalog.read(files.by_path, SourceId(1), b"a.jpg")
    assert file is not None
    other = Identity(hash=bytes(32), size=5, mime="image/jpeg", kind=Kind.PHOTO)
    catalog.write(contents.renew, asset, file, other, Kind.PHOTO)
    assert catalog.read(faces.of_asset, asset) == []
    assert found(catalog, "faces=none") == [asset]
    assert catalog.read(faces.vectors, OURS)[0] == []


def test_another_model_looks_again_at_pictures_without_faces_too_and_at_nothing_else(
    catalog: Catalog,
) -> None:
    asset = add(catalog, b"a.jpg")
    catalog.write(jobs.finish, asset, Stage.FACES, JobState.DONE, model=OURS)
    catalog.write(jobs.finish, asset, Stage.EMBED, JobState.DONE, model=OURS)
    assert catalog.write(jobs.requeue_for_model, Stage.FACES, THEIRS, range(asset + 1)) == 1
    assert catalog.write(jobs.requeue_for_model, Stage.EMBED, OURS, range(asset + 1)) == 0
    (job,) = catalog.read(lambda db: jobs.queued(db, Stage.FACES, [], limit=9))
    assert job.asset_id == asset


def test_a_library_from_before_has_its_faces_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    old = apsw.Connection(str(path))
    for _ in old.execute((MIGRATIONS / "0001_library.sql").read_text()):
        pass
    old.execute(
        "INSERT INTO asset (hash, name, name_key, kind, mime, added) VALUES (x'00', 'a', 'a', 'photo', 'image/jpeg', 0)"
    )
    old.execute("INSERT INTO job (asset_id, stage, state, priority) VALUES (1, 'embed', 'done', 7)")
    old.pragma("user_version", 1)
    old.close()
    with Catalog(path) as opened:
        rows = opened.read(
            lambda db: db.execute(
                "SELECT state, priority FROM job WHERE stage = 'faces'"
            ).fetchall()
        )
    assert rows == [("queued", 7)]
