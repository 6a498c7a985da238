"""Dating and placing by putting files into by-date/ and places/: what it decides, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import assets, browse
from havenfs.decisions import Keeper
from havenfs.entities import DateSource
from havenfs.errors import Conflict, Exists, InvalidName, NotPermitted
from havenfs.retrieval.search import Searcher
from havenfs.views import open_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.views import Folder

RIGHTS: Any = None
SCAN, CLIP, PICTURE = b"scan.jpg", b"clip.mp4", b"IMG_0001.jpg"


@pytest.fixture
def keeper(household: Any) -> Keeper:
    return Keeper(household.catalog, household.state.journal)


@pytest.fixture
def tree(household: Any, keeper: Keeper) -> Folder:
    return open_tree(household.catalog, Searcher(household.catalog, None), keeper=keeper)


def walk(tree: Folder, path: str) -> Any:
    node: Any = tree
    for step in filter(None, path.split("/")):
        node = node.lookup(step.encode())
    return node


def listed(tree: Folder, path: str) -> list[str]:
    return [name.decode() for name, _ in walk(tree, path).entries()]


def refused(error: type[Exception], operation: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(error):
        operation(*arguments)


def run(db: Any, statement: str, values: tuple[object, ...] = ()) -> list[Any]:
    return db.execute(statement, values).fetchall()


def taken(household: Any, name: str) -> tuple[datetime, DateSource]:
    asset = household.catalog.read(browse.asset, (), name)
    return datetime.fromtimestamp(asset.taken_local, UTC), asset.taken_source


def test_what_is_undated_is_dated_by_moving_it_into_a_month(tree: Folder, household: Any) -> None:
    undated = walk(tree, "by-date/_undated")
    undated.rename(SCAN, walk(tree, "by-date/2019/07"), SCAN, 0, RIGHTS)
    assert "scan.jpg" in listed(tree, "by-date/2019/07")
    assert taken(household, "scan.jpg") == (datetime(2019, 7, 1, 12, tzinfo=UTC), DateSource.GIVEN)
    july, december = walk(tree, "by-date/2019/07"), walk(tree, "by-date/2019/12")
    july.rename(SCAN, december, SCAN, 0, RIGHTS)  # the file itself still says nothing
    assert "scan.jpg" in listed(tree, "by-date/2019/12")
    assert "scan.jpg" not in listed(tree, "by-date/2019/07")


def test_day_and_time_of_the_disk_are_kept_in_their_own_month(tree: Folder, household: Any) -> None:
    walk(tree, "by-date").mkdir(b"2021", 0, RIGHTS)
    year = walk(tree, "by-date/2021")
    year.mkdir(b"03", 0, RIGHTS)
    year.lookup(b"03").link(SCAN, walk(tree, "by-date/_undated").lookup(SCAN), RIGHTS)
    assert taken(household, "scan.jpg") == (datetime(2021, 3, 1, tzinfo=UTC), DateSource.GIVEN)


def test_a_date_that_was_written_down_stays(tree: Folder, household: Any) -> None:
    december = walk(tree, "by-date/2019/12")
    leaf = walk(tree, "by-date/2019/07/IMG_0001.jpg")
    refused(NotPermitted, december.link, PICTURE, leaf, RIGHTS)
    refused(
        NotPermitted, walk(tree, "by-date/2019/07").rename, PICTURE, december, PICTURE, 0, RIGHTS
    )
    for source, may in (("folder", True), ("name", False), ("xmp", False), ("container", False)):
        asset_id = household.add(f"{source}.jpg", taken="2010-05-05T10:00:00", taken_source=source)
        node = walk(tree, f"by-date/2010/05/{source}.jpg")
        if may:
            december.link(node.asset.name.encode(), node, RIGHTS)
            assert f"{source}.jpg" in listed(tree, "by-date/2019/12")
        else:
            refused(NotPermitted, december.link, b"x", node, RIGHTS)
            assert household.catalog.read(assets.get, asset_id).taken_source == source
    refused(NotPermitted, december.unlink, b"folder.jpg", RIGHTS)
    refused(NotPermitted, december.rename, b"folder.jpg", december, b"other.jpg", 0, RIGHTS)


def test_what_nobody_has_looked_at_yet_may_have_a_date_of_its_own(
    tree: Folder, household: Any
) -> None:
    asset_id = household.add("new.jpg")
    household.catalog.write(
        run, "INSERT INTO job (asset_id, stage) VALUES (?, 'metadata')", (asset_id,)
    )
    node = walk(tree, "by-date/_undated/new.jpg")
    refused(Conflict, walk(tree, "by-date/2019/07").link, b"new.jpg", node, RIGHTS)


def test_a_month_is_made_and_waits_until_something_is_there(tree: Folder) -> None:
    top = walk(tree, "by-date")
    top.mkdir(b"1987", 0, RIGHTS)
    year = top.lookup(b"1987")
    assert listed(tree, "by-date/1987") == ["README.txt"]
    year.mkdir(b"05", 0, RIGHTS)
    assert listed(tree, "by-date/1987") == ["05"]
    refused(NotPermitted, top.rmdir, b"1987", RIGHTS)
    refused(Exists, year.mkdir, b"05", 0, RIGHTS)
    refused(Exists, top.mkdir, b"2019", 0, RIGHTS)
    for wrong in (b"87", b"0000", b"19870", b"May", b"\xff"):
        refused(InvalidName, top.mkdir, wrong, 0, RIGHTS)
    for wrong in (b"5", b"13", b"00", b"May"):
        refused(InvalidName, year.mkdir, wrong, 0, RIGHTS)
    refused(NotPermitted, year.lookup(b"05").mkdir, b"12", 0, RIGHTS)
    refused(NotPermitted, year.rmdir, b"05", RIGHTS)
    refused(NotPermitted, walk(tree, "by-date/2019").rmdir, b"07", RIGHTS)
    refused(NotPermitted, walk(tree, "places/Italy/@by-date").mkdir, b"1990", 0, RIGHTS)


def test_taking_it_back_brings_it_back(tree: Folder, keeper: Keeper) -> None:
    undated = walk(tree, "by-date/_undated")
    undated.rename(SCAN, walk(tree, "by-date/2019/07"), SCAN, 0, RIGHTS)
    keeper.revert(keeper.last(1)[0].operation.id, by="me")
    assert "scan.jpg" in listed(tree, "by-date/_undated")
    assert "scan.jpg" not in listed(tree, "by-date/2019/07")


def test_what_lies_nowhere_is_placed_in_the_middle_of_a_city(tree: Folder, household: Any) -> None:
    nowhere = walk(tree, "places/_nowhere")
    rome = walk(tree, "places/Italy/Rome")
    nowhere.rename(SCAN, rome, SCAN, 0, RIGHTS)
    assert "scan.jpg" in listed(tree, "places/Italy/Rome")
    assert "scan.jpg" not in listed(tree, "places/_nowhere")
    asset = household.catalog.read(browse.asset, (), "scan.jpg")
    known = household.catalog.read(browse.details, asset.id)
    assert (known.latitude, known.longitude) == (41.89193, 12.51133)
    assert known.place == "Rome, Lazio, Italy"
    given = household.catalog.read(run, "SELECT centre FROM given_position")
    assert given == [(1,)]
    refused(NotPermitted, rome.unlink, SCAN, RIGHTS)
    rome.rename(SCAN, walk(tree, "places/Germany/Munich"), SCAN, 0, RIGHTS)
    assert "scan.jpg" in listed(tree, "places/Germany/Munich")
    assert "scan.jpg" not in listed(tree, "places/Italy/Rome")


def test_a_position_that_a_file_has_stays(tree: Folder) -> None:
    munich = walk(tree, "places/Germany/Munich")
    leaf = walk(tree, "places/Italy/Rome/IMG_0001.jpg")
    refused(NotPermitted, munich.link, PICTURE, leaf, RIGHTS)
    refused(
        NotPermitted, walk(tree, "places/Italy").link, SCAN, walk(tree, "by-date/_undated/scan.jpg"), RIGHTS
    )  # fmt: skip


def test_a_place_that_is_known_is_made(tree: Folder, household: Any) -> None:
    top = walk(tree, "places")
    for wrong in (b"Italien", b"italy", b"Atlantiz", b"_nowhere2"):
        refused(InvalidName, top.mkdir, wrong, 0, RIGHTS)
    refused(Exists, top.mkdir, b"Italy", 0, RIGHTS)
    states = walk(tree, "places/United States")
    for wrong in (b"Atlantiz", b"Rome [Lazio]", b"springfield", b"Springfield"):
        refused(InvalidName, states.mkdir, wrong, 0, RIGHTS)  # the last one would be any of several
    states.mkdir(b"Springfield [Missouri]", 0, RIGHTS)
    top.mkdir(b"France", 0, RIGHTS)
    france = walk(tree, "places/France")
    france.mkdir(b"Paris", 0, RIGHTS)
    assert listed(tree, "places/France") == ["Paris"]
    paris = walk(tree, "places/France/Paris")
    paris.link(SCAN, walk(tree, "by-date/_undated/scan.jpg"), RIGHTS)
    assert listed(tree, "places/France/Paris") == ["scan.jpg"]
    refused(NotPermitted, france.rmdir, b"Paris", RIGHTS)
    walk(tree, "places/Italy").mkdir(b"Siena", 0, RIGHTS)
    assert listed(tree, "places/Italy/Siena") == ["README.txt"]
    refused(NotPermitted, walk(tree, "places/Italy").rmdir, b"Siena", RIGHTS)


def test_an_album_keeps_what_is_moved_on_into_a_month(tree: Folder) -> None:
    walk(tree, "albums").mkdir(b"Old", 0, RIGHTS)
    album = walk(tree, "albums/Old")
    album.link(SCAN, walk(tree, "by-date/_undated/scan.jpg"), RIGHTS)
    album.rename(SCAN, walk(tree, "by-date/2019/07"), SCAN, 0, RIGHTS)
    assert listed(tree, "albums/Old") == ["scan.jpg"]
    assert "scan.jpg" in listed(tree, "by-date/2019/07")
