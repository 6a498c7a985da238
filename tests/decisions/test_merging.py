"""Several operations become one: what holds, what undo and the journal say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from havenfs.catalog import Catalog, decided, given
from havenfs.decisions import Keeper, values
from havenfs.errors import Conflict, NotEmpty

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENTS = [bytes([n]) * 32 for n in range(4)]


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    with Catalog(tmp_path / "catalog.db") as catalog:
        made = Keeper(catalog, tmp_path / "decisions.jsonl")
        made.decide(values.MakeFolder(uid="a", folder=values.Folder.ALBUM, name="A"), by="me")
        made.decide(values.Fill(uid="a", contents=tuple(CONTENTS), inside=True), by="me")
        yield made


def members(keeper: Keeper) -> int:
    return len(keeper._catalog.read(given.rows, "member"))


def take_out(keeper: Keeper, *numbers: int, lazily: bool = True) -> list[str]:
    ids: list[str] = []
    for number in numbers:
        fill = values.Fill(uid="a", contents=(CONTENTS[number],), inside=False)
        done = keeper.decide(fill, by="me", lazily=lazily)
        assert done is not None
        ids.append(done.id)
    return ids


def test_what_is_put_off_holds_at_once_and_is_journaled_by_the_next_decision(
    keeper: Keeper,
) -> None:
    take_out(keeper, 0, 1)
    assert members(keeper) == 2
    assert len(keeper._catalog.read(decided.outbox)) == 2
    assert len(keeper.journal.read().operations) == 2
    take_out(keeper, 2, lazily=False)
    assert keeper._catalog.read(decided.outbox) == []
    assert len(keeper.journal.read().operations) == 5


def test_one_stands_for_all_of_them_and_takes_all_of_them_back(keeper: Keeper) -> None:
    ids = take_out(keeper, 0, lazily=False) + take_out(keeper, 1, 2)
    whole = values.Fill(uid="a", contents=tuple(CONTENTS[:3]), inside=False)
    done = keeper.merge(ids, whole, by="me", unchanged=True)
    assert done is not None
    assert done.words == "3 files taken out of the album “A”"
    assert next(listed.operation.id for listed in keeper.last()) == done.id
    assert len(keeper.last()) == 3
    assert members(keeper) == 1
    assert len(keeper.journal.read().operations) == 4
    keeper.revert(done.id, by="me")
    assert members(keeper) == 4


def test_a_folder_goes_with_what_was_taken_out_of_it(keeper: Keeper, tmp_path: Path) -> None:
    ids = take_out(keeper, 0, lazily=False) + take_out(keeper, 1, 2, 3)
    done = keeper.merge(ids, values.RemoveFolder(uid="a", filled=True), by="me")
    assert done is not None
    assert done.words == "dissolved the album “A”, with 4 files"
    with Catalog(tmp_path / "again.db") as catalog:
        Keeper(catalog, keeper.journal.path).recover()
        assert catalog.read(given.rows, "member") == catalog.read(given.rows, "collection") == []
        Keeper(catalog, keeper.journal.path).revert(done.id, by="me")
        assert len(catalog.read(given.rows, "member")) == 4
    keeper.recover()
    assert members(keeper) == 4


def test_nothing_is_merged_over_what_was_decided_since_and_what_fails_leaves_all_as_it_was(
    keeper: Keeper,
) -> None:
    ids = take_out(keeper, 0, 1)
    keeper.decide(values.Fill(uid="a", contents=(CONTENTS[0],), inside=True), by="you")
    whole = values.Fill(uid="a", contents=tuple(CONTENTS[:2]), inside=False)
    with pytest.raises(Conflict):
        keeper.merge(ids, whole, by="me", unchanged=True)

    def no(db: object) -> None:
        raise NotEmpty("there is more in it")

    with pytest.raises(NotEmpty):
        keeper.merge(ids, values.RemoveFolder(uid="a", filled=True), by="me", first=no)
    assert members(keeper) == 3
    assert len(keeper.last()) == 5


def test_what_was_taken_back_meanwhile_is_not_said_again(keeper: Keeper) -> None:
    ids = take_out(keeper, 0, 1)
    keeper.revert(ids[1], by="me")
    whole = values.Fill(uid="a", contents=tuple(CONTENTS[:2]), inside=False)
    with pytest.raises(Conflict):
        keeper.merge(ids, whole, by="me", unchanged=True)
    assert members(keeper) == 3
