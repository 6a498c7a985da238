"""Findings and jobs in SQL: what a visit leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from msgspec.structs import replace

from havenfs.catalog import (
    Catalog,
    contents,
    files,
    findings,
    jobs,
    names,
    places,
    progress,
    sources,
)
from havenfs.config import SourceConfig
from havenfs.entities import (
    AssetId,
    DateSource,
    Embedding,
    Faces,
    Findings,
    Identity,
    JobState,
    Kind,
    Locality,
    Metadata,
    ModelId,
    PlaceKind,
    Preview,
    SourceId,
    Stage,
    Taken,
    Text,
    TextOrigin,
)
from havenfs.ingest import identity, queue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALL = frozenset(Stage) - {Stage.TAGS}  # which no visit does
PHOTOS = SourceId(1)
ROME = Locality(country="Italy", region="Lazio", city="Rome")


class Shelf:
    """A catalog with photos that nobody needs to open."""

    def __init__(self, tmp_path: Path) -> None:
        self.catalog = Catalog(tmp_path / "catalog.db")
        self.catalog.write(sources.configure, [SourceConfig(name="photos", root=tmp_path)])

    def add(self, path: str, *, mtime_s: int = 0, content: bytes | None = None) -> AssetId:
        seen = files.Seen(
            path=path.encode(),
            size=5,
            mtime_ns=mtime_s * 10**9,
            device=1,
            inode=hash(path) & 0xFFFF,
        )
        self.catalog.write(files.add, PHOTOS, [seen])
        file = self.catalog.read(files.by_path, PHOTOS, seen.path)
        assert file is not None
        found = Identity(
            hash=(content or path.encode()).ljust(32)[:32],
            size=5,
            mime="image/jpeg",
            kind=Kind.PHOTO,
        )
        asset_id = self.catalog.write(identity.settle, file, found)
        assert asset_id is not None
        return asset_id

    def row(self, statement: str, *arguments: Any) -> Any:
        return self.catalog.read(lambda db: db.execute(statement, arguments).fetchone())

    def record(self, asset_id: AssetId, found: Findings, stages: frozenset[Stage] = ALL) -> bool:
        content = self.row("SELECT hash FROM asset WHERE id = ?", asset_id)[0]
        return self.catalog.write(findings.record, asset_id, content, stages, found)

    def states(self, asset_id: AssetId) -> dict[str, str]:
        return dict(
            self.catalog.read(
                lambda db: list(
                    db.execute("SELECT stage, state FROM job WHERE asset_id = ?", (asset_id,))
                )
            )
        )


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    made.catalog.close()


def full() -> Findings:
    vector = np.zeros(8, "<f4")
    vector[0] = 1
    return Findings(
        metadata=Metadata(
            taken=Taken(local=1_562_000_000, offset=120, source=DateSource.EXIF),
            locality=ROME,
            latitude=41.9,
            longitude=12.5,
            caption="A cat on the steps",
            keywords=("holiday", "stone"),
            camera="Box",
        ),
        preview=Preview(
            width=40,
            height=30,
            small=b"s",
            large=b"l",
            thumbhash=b"t",
            phash=-5,
            inner=-5,
            grid=bytes(range(256)),
            text_likeness=0.1,
        ),
        embeddings=(Embedding(model=ModelId("m@1"), vector=vector.tobytes()),),
        faces=Faces(model=ModelId("f@1")),
        text=Text(origin=TextOrigin.OCR, body="WELCOME"),
    )


def test_a_full_visit_fills_the_asset_its_place_its_words_and_its_jobs(shelf: Shelf) -> None:
    asset_id = shelf.add("trip/a.jpg")
    assert shelf.record(asset_id, full())
    assert shelf.row("SELECT month, width, height, camera, keywords, phash FROM asset") == (
        *(201907, 40, 30, "Box"),
        *('["holiday", "stone"]', -5),
    )
    place_id = shelf.row("SELECT place_id FROM asset")[0]
    lineage = shelf.catalog.read(places.lineage, place_id)
    assert [(p.kind, p.name) for p in lineage] == [
        (PlaceKind.COUNTRY, "Italy"),
        (PlaceKind.REGION, "Lazio"),
        (PlaceKind.CITY, "Rome"),
    ]
    for words in ("trip", "rome", "cat", "stone", "welcome"):
        assert shelf.row("SELECT rowid FROM words WHERE words MATCH ?", words) == (asset_id,)
    states = shelf.states(asset_id)
    assert states.pop("tags") == "queued"
    assert set(states.values()) == {"done"}
    assert shelf.row("SELECT model FROM job WHERE stage = 'embed'") == ("m@1",)
    assert shelf.row("SELECT model FROM job WHERE stage = 'faces'") == ("f@1",)


def test_stages_end_as_they_went_and_silence_is_a_failure(shelf: Shelf) -> None:
    asset_id = shelf.add("a.jpg")
    shelf.record(
        asset_id,
        Findings(
            metadata=Metadata(),
            skipped={Stage.TEXT: "no text in the picture"},
            failed={Stage.PREVIEW: "the file is cut off"},
        ),
    )
    assert shelf.states(asset_id) == {
        "metadata": "done",
        "preview": "failed",
        "embed": "failed",
        "faces": "failed",
        "text": "skipped",
        "tags": "queued",
    }
    trouble = shelf.catalog.read(progress.trouble)
    assert {(t.stage, t.reason) for t in trouble} == {
        (Stage.PREVIEW, "the file is cut off"),
        (Stage.EMBED, "nothing came back"),
    }


@pytest.mark.parametrize(("cut", "compared"), [(100, True), (40, False)])
def test_a_picture_that_is_cut_off_says_so_and_half_of_one_is_nobodys_copy(
    shelf: Shelf, cut: int, compared: bool
) -> None:
    asset_id = shelf.add("a.jpg")
    whole = full()
    assert whole.preview is not None
    made = replace(whole.preview, cut=cut)
    shelf.record(asset_id, Findings(preview=made), frozenset({Stage.PREVIEW}))
    state, reason = shelf.row("SELECT state, reason FROM job WHERE stage = 'preview'")
    assert (state, "cut off" in reason) == ("done", True)
    assert shelf.row("SELECT phash IS NOT NULL FROM asset") == (compared,)
    assert shelf.row("SELECT count(*) FROM look") == (compared,)


def test_findings_about_an_older_content_are_dropped(shelf: Shelf) -> None:
    asset_id = shelf.add("a.jpg")
    assert not shelf.catalog.write(findings.record, asset_id, bytes(32), ALL, full())
    assert set(shelf.states(asset_id).values()) == {"queued"}


def test_a_new_version_forgets_what_the_old_one_said(shelf: Shelf) -> None:
    asset_id = shelf.add("a.jpg")
    shelf.record(asset_id, full())
    file = shelf.catalog.read(files.by_path, PHOTOS, b"a.jpg")
    assert file is not None
    found = Identity(hash=b"new".ljust(32), size=5, mime="image/png", kind=Kind.PHOTO)
    shelf.catalog.write(contents.renew, asset_id, file, found, Kind.PHOTO)
    assert set(shelf.states(asset_id).values()) == {"queued"}
    assert shelf.row("SELECT count(*) FROM embedding") == (0,)
    assert shelf.row("SELECT rowid FROM words WHERE words MATCH 'welcome OR cat'") is None
    assert shelf.row("SELECT name, mime FROM asset") == ("a.jpg", "image/png")


def test_the_same_place_is_made_once(shelf: Shelf) -> None:
    first = shelf.catalog.write(places.ensure, ROME)
    assert shelf.catalog.write(places.ensure, ROME) == first
    city = shelf.catalog.write(places.ensure, Locality(country="Monaco", region="", city="Monaco"))
    assert city is not None
    assert [p.kind for p in shelf.catalog.read(places.lineage, city)] == [
        PlaceKind.COUNTRY,
        PlaceKind.CITY,
    ]
    assert shelf.catalog.write(places.ensure, Locality(country="", region="", city="x")) is None


def test_two_crashes_leave_a_content_alone_and_a_retry_gives_it_another_chance(
    shelf: Shelf,
) -> None:
    asset_id = shelf.add("a.jpg")
    stages = [Stage.PREVIEW, Stage.EMBED]
    shelf.catalog.write(jobs.crashed, asset_id, stages, "crashed the decoder twice")
    assert shelf.states(asset_id)["preview"] == "queued"
    shelf.catalog.write(jobs.crashed, asset_id, stages, "crashed the decoder twice")
    assert shelf.states(asset_id) == {
        "metadata": "queued",
        "preview": "failed",
        "embed": "failed",
        "faces": "queued",
        "text": "queued",
        "tags": "queued",
    }
    assert shelf.catalog.write(jobs.retry) == 2
    assert shelf.states(asset_id)["preview"] == "queued"


def test_the_passes_follow_each_other_newest_first(shelf: Shelf) -> None:
    old, new = shelf.add("old.jpg", mtime_s=10), shelf.add("new.jpg", mtime_s=20)
    done: list[tuple[AssetId, frozenset[Stage]]] = []
    while chosen := shelf.catalog.read(queue.visits, besides=[], stages=ALL, limit=1):
        (job,) = chosen
        done.append((job.asset_id, job.stages))
        for stage in job.stages:
            shelf.catalog.write(jobs.finish, job.asset_id, stage, JobState.DONE)
    seeing = frozenset([Stage.PREVIEW, Stage.EMBED])
    assert done == [
        (asset_id, stages)
        for stages in (
            frozenset([Stage.METADATA]),
            seeing,
            frozenset([Stage.FACES]),
            frozenset([Stage.TEXT]),
        )
        for asset_id in (new, old)
    ]


def test_what_is_under_way_is_not_chosen_again(shelf: Shelf) -> None:
    one, two = shelf.add("1.jpg", mtime_s=1), shelf.add("2.jpg", mtime_s=2)
    chosen = shelf.catalog.read(queue.visits, besides=[two], stages=ALL, limit=5)
    assert [job.asset_id for job in chosen] == [one]


def test_without_a_model_embedding_waits_and_the_rest_goes_on(shelf: Shelf) -> None:
    asset_id = shelf.add("1.jpg")
    stages = ALL - {Stage.EMBED}
    while chosen := shelf.catalog.read(queue.visits, besides=[], stages=stages, limit=5):
        for job in chosen:
            for stage in job.stages:
                shelf.catalog.write(jobs.finish, job.asset_id, stage, JobState.DONE)
    assert shelf.states(asset_id) == {
        "metadata": "done",
        "preview": "done",
        "embed": "queued",
        "faces": "done",
        "text": "done",
        "tags": "queued",
    }


def test_assets_of_a_disk_that_is_away_wait(shelf: Shelf) -> None:
    shelf.add("1.jpg")
    shelf.catalog.write(sources.set_present, PHOTOS, False)
    assert shelf.catalog.read(queue.visits, besides=[], stages=ALL, limit=5) == []
    assert shelf.catalog.read(progress.progress).idle


def test_names_are_taken_by_hidden_assets_too(shelf: Shelf) -> None:
    shelf.add("a/x.jpg")
    file = shelf.catalog.read(files.by_path, PHOTOS, b"a/x.jpg")
    assert file is not None
    shelf.catalog.write(files.remove, [(file.id, file.path)])
    second = shelf.add("b/x.jpg")
    name = shelf.row("SELECT name FROM asset WHERE id = ?", second)[0]
    assert name.startswith("x~")
    assert names.legal(name) == name
