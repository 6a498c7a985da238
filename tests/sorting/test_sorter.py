"""Proposals over a catalog: learned ones, the owner's rules, and what was said no to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from havenfs import settings
from havenfs.catalog import inbox, sorting
from havenfs.decisions import Keeper, values
from havenfs.errors import ConfigError
from havenfs.settings import Config
from havenfs.sorting.sorter import Sorter

if TYPE_CHECKING:
    from havenfs.catalog.sorting import Proposed

FILE = Path("/etc/havenfs/havenfs.toml")
BILL = "waterworks meter reading bill cubic metres"


def drop(shelf: Any, name: str, text: str = BILL, **known: Any) -> int:
    return shelf.add(
        f"Inbox/{name}", source="papers", kind="document", mime="text/plain", text=text, **known
    )


def proposed(shelf: Any, config: Config | None = None) -> list[Proposed]:
    Sorter(shelf.catalog).sort(config or Config())
    return shelf.catalog.read(sorting.proposed)


def places(found: list[Proposed]) -> list[bytes]:
    return [each.proposal.folder.path for each in found]


def test_a_letter_goes_where_letters_say_the_same_and_the_reason_says_so(
    shelf_of_papers: Any,
) -> None:
    drop(shelf_of_papers, "new.txt")
    (found,) = proposed(shelf_of_papers)
    assert (found.source, found.proposal.folder.path) == ("papers", b"Letters/Waterworks")
    assert found.proposal.confidence > 0.6  # 0.72: seven folders are little to compare with
    assert any("8 there" in reason and "says “" in reason for reason in found.proposal.reasons)


def test_of_what_is_like_nothing_nothing_is_said(shelf_of_papers: Any) -> None:
    drop(shelf_of_papers, "poem.odt", "shall I compare thee")
    assert proposed(shelf_of_papers) == []


def test_an_empty_inbox_and_one_without_a_writable_source_cost_nothing(
    shelf_of_papers: Any, household: Any
) -> None:
    assert Sorter(shelf_of_papers.catalog).sort(Config()).standing == 0
    assert Sorter(household.catalog).sort(Config()).standing == 0


def test_photos_go_to_their_neighbours_and_to_a_month_that_has_no_folder_yet(
    shelf_of_papers: Any,
) -> None:
    for month in range(1, 9):
        for day in (3, 4, 20):
            shelf_of_papers.add(
                f"Photos/2019/2019-{month:02}/{day}.jpg",
                source="papers",
                taken=f"2019-{month:02}-{day:02}T10:00:00",
            )
    shelf_of_papers.add("Inbox/a.jpg", source="papers", taken="2019-05-20T10:04:00")
    shelf_of_papers.add("Inbox/b.jpg", source="papers", taken="2019-09-01T10:00:00")
    found = {each.asset.name: each.proposal for each in reversed(proposed(shelf_of_papers))}
    assert found["a.jpg"].folder.path == b"Photos/2019/2019-05"
    assert "taken 4 minutes after 1 there" in found["a.jpg"].reasons
    assert found["b.jpg"].folder.path == b"Photos/2019/2019-09"
    assert found["b.jpg"].fresh
    assert "from September 2019, for which there is no folder yet" in found["b.jpg"].reasons[0]


def _twin(db: Any) -> None:
    db.execute(
        "INSERT INTO file (source_id, path, size, mtime_ns, device, inode, state, hash, asset_id)"
        " SELECT source_id, CAST('Letters/new.txt' AS BLOB), size, mtime_ns, device, inode + 1, state, hash, asset_id"
        " FROM file WHERE path = CAST('Inbox/new.txt' AS BLOB)"
    )


def test_a_copy_of_what_is_filed_already_is_left_alone(shelf_of_papers: Any) -> None:
    drop(shelf_of_papers, "new.txt")
    shelf_of_papers.catalog.write(_twin)
    assert shelf_of_papers.catalog.read(inbox.standing) == []
    assert proposed(shelf_of_papers) == []


def test_a_refusal_holds_until_it_is_taken_back(shelf_of_papers: Any) -> None:
    drop(shelf_of_papers, "new.txt")
    (found,) = proposed(shelf_of_papers)
    keeper = Keeper(shelf_of_papers.catalog, shelf_of_papers.state.journal)
    refusal = values.RefuseFiling(
        content=found.asset.hash, source="papers", path=b"Letters/Waterworks"
    )
    done = keeper.decide(refusal, by="me")
    assert done is not None
    assert shelf_of_papers.catalog.read(sorting.proposed) == []  # at once
    assert b"Letters/Waterworks" not in places(proposed(shelf_of_papers))
    keeper.revert(done.id, by="me")
    assert b"Letters/Waterworks" in places(proposed(shelf_of_papers))


def test_a_sorter_that_goes_on_sees_what_came_moved_and_went(shelf_of_papers: Any) -> None:
    sorter = Sorter(shelf_of_papers.catalog)
    first = drop(shelf_of_papers, "new.txt")
    assert sorter.sort(Config()).changed == 1
    assert sorter.sort(Config()).changed == 0
    for number in range(12):
        shelf_of_papers.add(
            f"Recipes/{number}.txt",
            source="papers",
            kind="document",
            mime="text/plain",
            text=f"flour butter sugar oven {number}",
        )
    drop(shelf_of_papers, "cake.txt", "flour butter sugar eggs")
    assert sorter.sort(Config()).changed >= 1
    found = shelf_of_papers.catalog.read(sorting.proposed)
    assert b"Recipes" in places([each for each in found if each.asset.name == "cake.txt"])
    shelf_of_papers.remove(first)
    sorter.sort(Config())
    assert {each.asset.name for each in shelf_of_papers.catalog.read(sorting.proposed)} == {
        "cake.txt"
    }


def rule(query: str, to: str) -> Config:
    return settings.parse(f"[[sort.rule]]\nname = 'mine'\nquery = '{query}'\nto = '{to}'\n", FILE)


def test_a_rule_of_the_owner_outranks_what_was_learned_and_says_so(shelf_of_papers: Any) -> None:
    drop(shelf_of_papers, "new.txt", taken="2026-03-02T09:00:00")
    drop(shelf_of_papers, "bank.txt", "bank account statement balance")
    config = rule('type:document "meter"', "files/papers/Bills/{year}/{kind}")
    found = {each.asset.name: each.proposal for each in proposed(shelf_of_papers, config)}
    assert found["new.txt"].folder.path == b"Bills/2026/document"
    assert found["new.txt"].fresh
    assert found["new.txt"].reasons == ("your rule “mine” says so",)
    assert found["bank.txt"].folder.path == b"Letters/Bank"


def test_a_rule_without_what_it_asks_for_or_without_its_source_leaves_it_to_the_folders(
    shelf_of_papers: Any,
) -> None:
    drop(shelf_of_papers, "new.txt")
    for to in ("files/papers/Bills/{city}", "files/nowhere/x", "files/photos/x"):
        assert places(proposed(shelf_of_papers, rule('"meter"', to))) == [b"Letters/Waterworks"]


def test_a_rule_that_cannot_be_understood_is_told_with_its_place(shelf_of_papers: Any) -> None:
    with pytest.raises(ConfigError, match=r"havenfs\.toml, line 1: sort\.rule “mine”: .*colour"):
        Sorter(shelf_of_papers.catalog).sort(rule("colour:red", "files/papers/x"))
