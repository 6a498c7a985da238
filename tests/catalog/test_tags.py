"""Suggested tags in SQL: what waits, what is replaced, what another model does anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from havenfs.catalog import browse, filters, jobs, tags, vectors
from havenfs.catalog.browse import Condition
from havenfs.decisions import Keeper, values
from havenfs.entities import AssetId, Embedding, JobState, ModelId, Stage
from havenfs.query import Field, parse

if TYPE_CHECKING:
    import apsw

MODEL, BY, LATER = ModelId("m@1"), ModelId("m@1+words"), ModelId("m@1+others")


def embedded(shelf: Any, name: str, *frames: int) -> AssetId:
    asset_id = shelf.add(name)

    def fill(db: apsw.Connection) -> None:
        jobs.enqueue(db, asset_id, [Stage.EMBED, Stage.TAGS], priority=0)
        unit = np.eye(1, 4, dtype="<f4").tobytes()
        vectors.put(db, asset_id, [Embedding(model=MODEL, vector=unit, frame_ms=f) for f in frames])
        jobs.finish(db, asset_id, Stage.EMBED, JobState.DONE, model=MODEL)

    shelf.catalog.write(fill)
    return asset_id


def search(shelf: Any, text: str) -> list[AssetId]:
    node = parse(text).where
    assert isinstance(node, Field)

    def run(db: apsw.Connection) -> list[AssetId]:
        return filters.find(db, filters.compile_field(db, node), limit=10)

    return shelf.catalog.read(run)


def test_what_is_embedded_waits_with_the_vectors_of_its_frames(shelf: Any) -> None:
    photo, video = embedded(shelf, "a.jpg", 0), embedded(shelf, "b.mp4", 0, 5000)
    found = shelf.catalog.read(tags.waiting, MODEL, 10)
    assert {id_: rows.shape for id_, rows in found.items()} == {photo: (1, 4), video: (2, 4)}
    assert np.allclose(found[photo], [[1, 0, 0, 0]])
    assert shelf.catalog.read(tags.waiting, ModelId("other@1"), 10) == {}


def test_suggestions_are_found_and_replaced(shelf: Any) -> None:
    asset_id = embedded(shelf, "a.jpg", 0)
    shelf.catalog.write(tags.put, BY, {asset_id: [("dog", 0.9), ("beach", 0.7)]})
    assert shelf.catalog.read(tags.of_asset, asset_id) == [("dog", 0.9), ("beach", 0.7)]
    assert shelf.catalog.read(tags.suggested) == ["beach", "dog"]
    assert search(shelf, "tag=Dog") == [asset_id]
    assert shelf.catalog.read(tags.waiting, MODEL, 10) == {}
    shelf.catalog.write(tags.put, BY, {asset_id: [("cat", 0.8)]})
    assert shelf.catalog.read(tags.suggested) == ["cat"]
    assert search(shelf, "tag=dog") == []


def test_a_suggestion_is_gone_once_somebody_has_said_yes_or_no(shelf: Any) -> None:
    pictures = {name: embedded(shelf, name, 0) for name in ("a.jpg", "b.jpg", "c.jpg")}
    found = [("dog", 0.9), ("QR code", 0.7)]
    shelf.catalog.write(tags.put, BY, dict.fromkeys(pictures.values(), found))
    contents = {name: shelf.catalog.read(browse.asset, (), name).hash for name in pictures}
    keeper = Keeper(shelf.catalog, shelf.state.journal)

    def suggested(tag: str) -> list[str]:
        dogs = (Condition("suggested", tag),)
        listed = [one.name for one in shelf.catalog.read(browse.assets, dogs)]
        assert shelf.catalog.read(browse.count, dogs) == len(listed)
        for name, asset_id in pictures.items():
            assert (tag in dict(shelf.catalog.read(tags.of_asset, asset_id))) is (name in listed)
            assert (shelf.catalog.read(browse.name_of, dogs, name) == name) is (name in listed)
        assert (tag in shelf.catalog.read(tags.suggested)) is bool(listed)
        return listed

    def say(decision: Any) -> str:
        done = keeper.decide(decision, by="tester")
        assert done is not None
        return done.id

    for uid, folder, name, parent in (
        ("1", values.Folder.TAG, "animals", None),
        ("2", values.Folder.TAG, "Dog", "1"),
        ("3", values.Folder.ALBUM, "dog", None),
        ("4", values.Folder.TAG, "qr CODE", None),
    ):
        say(values.MakeFolder(uid=uid, folder=folder, name=name, parent=parent))
    say(values.Fill(uid="1", contents=tuple(contents.values()), inside=True))
    say(values.Fill(uid="3", contents=tuple(contents.values()), inside=True))
    assert suggested("dog") == ["a.jpg", "b.jpg", "c.jpg"], "another tag and an album say nothing"
    yes = say(values.Fill(uid="2", contents=(contents["a.jpg"],), inside=True))
    assert suggested("dog") == ["b.jpg", "c.jpg"]
    say(values.RefuseTag(contents=(contents["b.jpg"], contents["c.jpg"]), tag="dog"))
    assert suggested("dog") == []
    assert search(shelf, "tag=dog") == [pictures["a.jpg"]]
    keeper.revert(yes, by="tester")
    assert suggested("dog") == ["a.jpg"]
    assert suggested("QR code") == ["a.jpg", "b.jpg", "c.jpg"]
    say(values.Fill(uid="4", contents=tuple(contents.values()), inside=True))
    assert suggested("QR code") == []


def test_other_words_do_it_again(shelf: Any) -> None:
    asset_id = embedded(shelf, "a.jpg", 0)
    shelf.catalog.write(tags.put, BY, {asset_id: []})
    assert shelf.catalog.write(jobs.requeue_for_model, Stage.TAGS, BY, range(asset_id + 1)) == 0
    assert shelf.catalog.write(jobs.requeue_for_model, Stage.TAGS, LATER, range(asset_id + 1)) == 1
    assert list(shelf.catalog.read(tags.waiting, MODEL, 10)) == [asset_id]


def test_what_cannot_be_seen_is_not_waited_for(shelf: Any) -> None:
    asset_id = shelf.add("a.txt")

    def fill(db: apsw.Connection) -> None:
        jobs.enqueue(db, asset_id, [Stage.EMBED, Stage.TAGS], priority=0)
        jobs.finish(db, asset_id, Stage.EMBED, JobState.SKIPPED, reason="no picture of it")

    shelf.catalog.write(fill)
    assert shelf.catalog.write(tags.skip) == 1
    assert shelf.catalog.write(tags.skip) == 0


def test_the_words_of_one_model_are_kept(shelf: Any) -> None:
    made = np.arange(8, dtype=np.float32).reshape(2, 4)
    shelf.catalog.write(tags.keep_words, BY, made)
    kept = shelf.catalog.read(tags.words, BY)
    assert np.array_equal(kept, made)
    shelf.catalog.write(tags.keep_words, LATER, made)
    assert shelf.catalog.read(tags.words, BY) is None
