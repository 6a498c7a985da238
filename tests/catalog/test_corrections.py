"""Corrections in SQL: what people say holds everywhere, and what files say comes back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from havenfs.catalog import (
    Catalog,
    assets,
    browse,
    corrections,
    files,
    filters,
    findings,
    neighbours,
    sources,
    words,
)
from havenfs.catalog.browse import Condition
from havenfs.catalog.corrections import Spot
from havenfs.config import SourceConfig, State
from havenfs.decisions import Keeper, values
from havenfs.entities import (
    AssetId,
    DateSource,
    Findings,
    Identity,
    Kind,
    Locality,
    Metadata,
    SourceId,
    Stage,
    Taken,
)
from havenfs.errors import InvalidName
from havenfs.ingest import identity
from havenfs.query import Field, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

A, B = (bytes([n]) * 32 for n in (1, 2))
ROME = Locality(country="Italy", region="Lazio", city="Rome")
BONN = Locality(country="Germany", region="North Rhine-Westphalia", city="Bonn")
METADATA = frozenset({Stage.METADATA})


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


JULY, MAY = seconds("2019-07-14T10:00"), seconds("1987-05-02T12:00")
SAYS = Metadata(
    taken=Taken(local=JULY, offset=120, source=DateSource.EXIF),
    latitude=41.9,
    longitude=12.5,
    locality=ROME,
    rating=2,
    caption="a dog",
    keywords=("summer",),
)


class Desk:
    """A library whose files need not be opened, and a keeper."""

    def __init__(self, directory: Path) -> None:
        self.state = State(root=directory)
        self.open()

    def open(self) -> None:
        self.catalog = Catalog(self.state.catalog)
        self.keeper = Keeper(self.catalog, self.state.journal)
        self.keeper.recover()
        self.catalog.write(
            sources.configure, [SourceConfig(name="photos", root=self.state.root / "photos")]
        )

    def lose_catalog(self) -> None:
        self.catalog.close()
        for file in self.state.root.glob("catalog.db*"):
            file.unlink()
        self.open()

    def scan(self, content: bytes, *, path: bytes = b"IMG_1.jpg") -> AssetId:
        """What the indexer does with a file that has come or changed; its asset."""
        seen = files.Seen(path=path, size=10, mtime_ns=content[0], device=1, inode=path[4])
        known = self.catalog.read(files.by_path, SourceId(1), path)
        if known is None:
            self.catalog.write(files.add, SourceId(1), [seen])
        else:
            self.catalog.write(files.change, known.id, seen)
        file = self.catalog.read(files.by_path, SourceId(1), path)
        assert file is not None
        found = Identity(hash=content, size=10, mime="image/jpeg", kind=Kind.PHOTO)
        asset_id = self.catalog.write(identity.settle, file, found)
        assert asset_id is not None
        return asset_id

    def extract(self, asset_id: AssetId, content: bytes, said: Metadata = SAYS) -> None:
        found = Findings(metadata=said)
        assert self.catalog.write(findings.record, asset_id, content, METADATA, found)

    def decide(self, *decisions: values.Decision) -> None:
        for decision in decisions:
            self.keeper.decide(decision, by="me")

    def correct(self, content: bytes) -> None:
        every = (content,)
        self.decide(
            values.SetDate(contents=every, local=MAY),
            values.SetPosition(contents=every, position=(50.73, 7.1)),
            values.SetRating(contents=every, stars=5),
            values.SetCaption(contents=every, body="Nelly"),
        )
        spot = Spot(latitude=50.73, longitude=7.1, centre=False)
        self.catalog.write(corrections.locate, spot, BONN)

    def found(self, query: str) -> list[AssetId]:
        """What one field of the search language finds."""
        field = parse(query).where
        assert isinstance(field, Field)
        test = self.catalog.read(filters.compile_field, field)
        return self.catalog.read(filters.find, test, limit=10)

    def named(self, word: str) -> list[AssetId]:
        return [hit.asset_id for hit in self.catalog.read(words.match, f'"{word}"', 10)]

    def listed(self, test: str, value: int | None = None) -> list[AssetId]:
        return [asset.id for asset in self.catalog.read(browse.assets, (Condition(test, value),))]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.catalog.close()


def says_as_found(desk: Desk, asset_id: AssetId) -> None:
    """Everything is as the file says."""
    asset = desk.catalog.read(assets.get, asset_id)
    known = desk.catalog.read(browse.details, asset_id)
    assert (asset.taken_local, asset.taken_offset, asset.taken_source) == (
        JULY,
        120,
        DateSource.EXIF,
    )
    assert (known.latitude, known.longitude, known.place) == (41.9, 12.5, "Rome, Lazio, Italy")
    assert (known.rating, known.caption) == (2, "a dog")
    assert desk.listed("month", 201907) == [asset_id]
    assert desk.listed("month", 198705) == []
    for query in ("month=7", "place=Rome", "rating=2", "near=41.9;12.5;5", "before=2020"):
        assert desk.found(query) == [asset_id], query
    for word in ("dog", "summer", "Rome"):
        assert desk.named(word) == [asset_id], word
    assert desk.named("Nelly") == []


def says_what_people_say(desk: Desk, asset_id: AssetId) -> None:
    """Everything is as `Desk.correct` has it."""
    asset = desk.catalog.read(assets.get, asset_id)
    known = desk.catalog.read(browse.details, asset_id)
    assert (asset.taken_local, asset.taken_offset, asset.taken_source) == (
        MAY,
        None,
        DateSource.GIVEN,
    )
    assert (known.latitude, known.longitude) == (50.73, 7.1)
    assert known.place == "Bonn, North Rhine-Westphalia, Germany"
    assert (known.rating, known.caption) == (5, "Nelly")
    assert desk.listed("month", 198705) == [asset_id]
    assert desk.listed("month", 201907) == []
    assert desk.listed("undated") == []
    for query in (
        "month=5", "year=1987", "date=1987-05-02", "before=2000", "place=Bonn", "country=Germany",
        "city=Bonn", "near=50.7;7.1;10", "rating=5",
    ):  # fmt: skip
        assert desk.found(query) == [asset_id], query
    for query in ("after=2000", "place=Rome", "rating=2", "near=41.9;12.5;5"):
        assert desk.found(query) == [], query
    for word in ("Nelly", "summer", "Bonn"):
        assert desk.named(word) == [asset_id], word
    for word in ("dog", "Rome"):
        assert desk.named(word) == [], word


def test_what_is_corrected_holds_and_goes_back_when_that_is_taken_back(desk: Desk) -> None:
    asset_id = desk.scan(A)
    desk.extract(asset_id, A)
    says_as_found(desk, asset_id)
    desk.correct(A)
    says_what_people_say(desk, asset_id)
    assert desk.catalog.read(corrections.found, asset_id).caption == "a dog"
    for operation, _ in desk.keeper.last():
        desk.keeper.revert(operation.id, by="me")
    says_as_found(desk, asset_id)


def test_it_holds_when_the_file_is_looked_at_again_which_may_say_something_new(desk: Desk) -> None:
    asset_id = desk.scan(A)
    desk.extract(asset_id, A)
    desk.correct(A)
    desk.extract(asset_id, A, Metadata(caption="new words", keywords=("summer",)))
    says_what_people_say(desk, asset_id)
    every = (A,)
    desk.decide(
        values.SetDate(contents=every, local=None),
        values.SetPosition(contents=every, position=None),
        values.SetRating(contents=every, stars=None),
        values.SetCaption(contents=every, body=None),
    )
    known = desk.catalog.read(browse.details, asset_id)
    assert (known.caption, known.rating, known.latitude, known.place) == (
        "new words",
        None,
        None,
        None,
    )
    assert desk.listed("undated") == [asset_id]
    assert desk.listed("nowhere") == [asset_id]


def test_it_waits_for_content_that_nobody_has_scanned_yet(desk: Desk) -> None:
    desk.correct(A)
    asset_id = desk.scan(A)
    assert desk.listed("month", 198705) == [asset_id]
    desk.extract(asset_id, A)
    says_what_people_say(desk, asset_id)


def test_it_comes_back_from_the_journal_into_a_new_catalog(desk: Desk) -> None:
    desk.extract(desk.scan(A), A)
    desk.correct(A)
    desk.lose_catalog()
    asset_id = desk.scan(A)
    desk.extract(asset_id, A)
    waiting = desk.catalog.read(corrections.unlocated, 10)
    assert waiting == [Spot(latitude=50.73, longitude=7.1, centre=False)]
    assert desk.listed("nowhere") == [asset_id]
    desk.catalog.write(corrections.locate, waiting[0], BONN)
    assert desk.catalog.read(corrections.unlocated, 10) == []
    says_what_people_say(desk, asset_id)


def test_it_goes_along_with_a_file_that_is_edited(desk: Desk) -> None:
    asset_id = desk.scan(A)
    desk.extract(asset_id, A)
    desk.correct(A)
    assert desk.scan(B) == asset_id
    assert desk.listed("month", 198705) == [asset_id]
    desk.extract(asset_id, B)
    says_what_people_say(desk, asset_id)


def test_a_corrected_date_is_certain_though_the_file_has_none(desk: Desk) -> None:
    asset_id = desk.scan(A)
    guess = Taken(local=JULY, offset=None, source=DateSource.MTIME, confidence=0.2)
    desk.extract(asset_id, A, Metadata(taken=guess))
    assert desk.listed("undated") == [asset_id]
    assert desk.catalog.read(corrections.found, asset_id).estimated
    desk.decide(values.SetDate(contents=(A,), local=MAY, offset=60))
    assert desk.listed("undated") == []
    assert desk.found("is=undated") == []
    assert desk.found("date=any") == [asset_id]
    asset = desk.catalog.read(assets.get, asset_id)
    assert (asset.taken_local, asset.taken_offset) == (MAY, 60)
    assert desk.catalog.read(corrections.found, asset_id).estimated


def test_an_empty_caption_hides_the_one_of_the_file(desk: Desk) -> None:
    asset_id = desk.scan(A)
    desk.extract(asset_id, A)
    desk.decide(values.SetCaption(contents=(A,), body=""))
    assert desk.catalog.read(browse.details, asset_id).caption is None
    assert desk.named("dog") == []
    assert desk.named("summer") == [asset_id]


def test_a_position_is_suggested_no_more_once_it_is_given_and_a_centre_suggests_none(
    desk: Desk,
) -> None:
    lost, other = desk.scan(A), desk.scan(B, path=b"IMG_2.jpg")
    taken = Taken(local=JULY, offset=None, source=DateSource.EXIF)
    for asset_id, content in ((lost, A), (other, B)):
        desk.extract(asset_id, content, Metadata(taken=taken))
    desk.decide(values.SetPosition(contents=(B,), position=(50.73, 7.1), centre=True))
    assert desk.catalog.read(neighbours.suggestion, lost) is None
    desk.decide(values.SetPosition(contents=(B,), position=(50.73, 7.1)))
    assert desk.catalog.read(neighbours.suggestion, lost) is not None
    desk.decide(values.SetPosition(contents=(A,), position=(50.73, 7.1)))
    assert desk.catalog.read(neighbours.suggestion, lost) is None


@pytest.mark.parametrize(
    "wrong",
    [
        values.SetDate(contents=(A,), local=253_402_300_800),
        values.SetDate(contents=(A,), local=0, offset=1441),
        values.SetPosition(contents=(A,), position=(90.1, 0.0)),
        values.SetPosition(contents=(A,), position=(0.0, -180.1)),
        values.SetPosition(contents=(A,), position=(float("nan"), 0.0)),
        values.SetRating(contents=(A,), stars=6),
    ],
)
def test_what_nothing_can_be_is_refused(desk: Desk, wrong: values.Decision) -> None:
    with pytest.raises(InvalidName):
        desk.decide(wrong)
    assert desk.keeper.last() == []


def test_each_correction_is_told_to_who_caches(desk: Desk) -> None:
    asset_id = desk.scan(A)
    desk.extract(asset_id, A)

    def last(db: object) -> int:
        row = db.execute("SELECT max(seq) FROM change WHERE asset_id = ?", (asset_id,)).fetchone()  # type: ignore[attr-defined]
        return row[0]

    for decision in (
        values.SetDate(contents=(A,), local=MAY),
        values.SetPosition(contents=(A,), position=(50.73, 7.1)),
        values.SetRating(contents=(A,), stars=5),
        values.SetCaption(contents=(A,), body="Nelly"),
    ):
        before = desk.catalog.read(last)
        desk.decide(decision)
        assert desk.catalog.read(last) > before, decision
