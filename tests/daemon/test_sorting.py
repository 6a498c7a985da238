"""`havenfs sort`, filing with what belongs together, and the indexer's own filing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from havend import cli, decisions, sorting as program
from havend.arrivals import Arrivals
from havenfs import settings
from havenfs.catalog import browse, inbox, sorting, sources
from havenfs.decisions import Keeper
from havenfs.errors import Conflict
from havenfs.settings import Config, Sorting

if TYPE_CHECKING:
    from pathlib import Path

BILL = "waterworks meter reading bill cubic metres"


@pytest.fixture
def desk(shelf_of_papers: Any) -> Any:
    """With one letter in the inbox."""
    shelf_of_papers.add(
        "Inbox/new.txt", source="papers", kind="document", mime="text/plain", text=BILL
    )
    return shelf_of_papers


def havenfs(desk: Any, *arguments: str) -> int:
    return cli.main([*arguments, "--state", str(desk.state.root)])


def test_the_command_says_where_why_and_how_sure(
    desk: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert havenfs(desk, "sort") == 0
    said = capsys.readouterr().out
    assert "new.txt" in said
    assert "% files/papers/Letters/Waterworks/" in said.replace("  ", " ")
    assert "like 8 there" in said
    assert "havenfs sort --accept ID" in said


def test_it_files_what_it_is_told_to_and_undo_brings_it_back(
    desk: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert havenfs(desk, "sort", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["proposals"]
    assert (found["file"], found["to"], found["rule"]) == (
        "new.txt",
        "files/papers/Letters/Waterworks",
        None,
    )
    assert havenfs(desk, "sort", "--accept", found["id"], "--dry-run") == 0
    assert "Would file" in capsys.readouterr().out
    assert (desk.papers / "Inbox/new.txt").exists()
    assert havenfs(desk, "sort", "--accept", found["id"]) == 0
    assert "new.txt -> files/papers/Letters/Waterworks/" in capsys.readouterr().out
    assert (desk.papers / "Letters/Waterworks/new.txt").exists()
    assert desk.catalog.read(browse.asset, (), "new.txt").path == b"Letters/Waterworks/new.txt"
    assert havenfs(desk, "sort") == 0
    assert "The inbox is empty." in capsys.readouterr().out
    assert havenfs(desk, "undo") == 0
    assert (desk.papers / "Inbox/new.txt").exists()
    assert desk.catalog.read(browse.asset, (), "new.txt").path == b"Inbox/new.txt"
    assert havenfs(desk, "sort", "--accept", "ffff0000") == 1
    assert havenfs(desk, "sort", "--all", "--above", "7") == 2


def test_only_what_is_sure_is_filed(desk: Any) -> None:
    assert havenfs(desk, "sort", "--all", "--above", "1") == 0
    assert (desk.papers / "Inbox/new.txt").exists()
    assert havenfs(desk, "sort", "--all", "--above", "0.5") == 0
    assert not (desk.papers / "Inbox/new.txt").exists()


def test_what_holds_the_name_stays_and_so_does_the_file(
    desk: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk.papers / "Letters/Waterworks/new.txt").write_text("somebody else's")
    assert havenfs(desk, "sort", "--all") == 1
    assert "Not filed: new.txt" in capsys.readouterr().out
    assert (desk.papers / "Inbox/new.txt").exists()
    assert (desk.papers / "Letters/Waterworks/new.txt").read_text() == "somebody else's"


def test_a_raw_and_the_sidecar_go_along_and_come_back(shelf_of_papers: Any) -> None:
    desk = shelf_of_papers
    for day in range(1, 9):
        desk.add(
            f"Pictures/{day}.jpg", source="papers", taken=f"2019-05-20T10:0{day}:00", camera="Canon"
        )
    for name, mime, raw in (("IMG_1.jpg", "image/jpeg", 0), ("IMG_1.cr2", "image/x-canon-cr2", 1)):
        desk.add(
            f"Inbox/{name}",
            source="papers",
            taken="2019-05-20T10:04:30",
            camera="Canon",
            mime=mime,
            raw=raw,
        )
    (desk.papers / "Inbox/IMG_1.xmp").write_text("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    desk.catalog.write(_sidecar, desk.papers)
    (standing,) = desk.catalog.read(inbox.standing)
    names = {companion.path for companion in desk.catalog.read(inbox.companions, standing)}
    assert names == {b"Inbox/IMG_1.cr2", b"Inbox/IMG_1.xmp"} - {standing.path}
    assert havenfs(desk, "sort", "--all") == 0
    there = {path.name for path in (desk.papers / "Pictures").iterdir()}
    assert {"IMG_1.jpg", "IMG_1.cr2", "IMG_1.xmp"} <= there
    assert list((desk.papers / "Inbox").iterdir()) == []
    assert havenfs(desk, "undo") == 0
    back = {path.name for path in (desk.papers / "Inbox").iterdir()}
    assert back == {"IMG_1.jpg", "IMG_1.cr2", "IMG_1.xmp"}


def _recorded(db: Any) -> int:
    return db.execute("SELECT count(*) FROM filed").get


def _sidecar(db: Any, root: Path) -> None:
    status = (root / "Inbox/IMG_1.xmp").stat()
    db.execute(
        "INSERT INTO file (source_id, path, size, mtime_ns, device, inode, state)"
        " SELECT id, CAST('Inbox/IMG_1.xmp' AS BLOB), ?, ?, ?, ?, 'skipped' FROM source WHERE name = 'papers'",
        (status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino),
    )


def test_to_another_source_it_is_copied_and_the_copy_is_the_same(desk: Any, tmp_path: Path) -> None:
    archive = desk.source("archive", tmp_path / "archive", writable=True)
    config = settings.parse(
        "[[sort.rule]]\nname = 'a'\nquery = '\"meter\"'\nto = 'files/papers/Bills'\n",
        tmp_path / "x",
    )
    # The first writable source by name is the one with the inbox: the archive, from now on.
    (archive / "Inbox").mkdir()
    (archive / "Inbox/scan.txt").write_text("the meter was read")
    arrivals = Arrivals(desk.catalog, desk.state)
    source = desk.catalog.read(sources.by_name, "archive")
    arrivals.written(source, b"Inbox/scan.txt")
    arrivals.close()
    asset = desk.catalog.read(browse.asset, (), "scan.txt")
    desk.put_words(asset.id, "the meter was read")
    before = (archive / "Inbox/scan.txt").stat()
    found = program.sort(desk.state, config, accept=program.Which(everything=True))
    assert [each.asset.name for each in found.filed] == ["scan.txt"]
    after = (desk.papers / "Bills/scan.txt").stat()
    assert (after.st_size, after.st_mtime_ns, after.st_mode) == (
        before.st_size,
        before.st_mtime_ns,
        before.st_mode,
    )
    assert not (archive / "Inbox/scan.txt").exists()
    there = desk.catalog.read(browse.asset, (), "scan.txt")
    assert (there.id, there.path) == (asset.id, b"Bills/scan.txt")
    decisions.undo(desk.state, None, rest=False)
    assert (archive / "Inbox/scan.txt").exists()
    assert not (desk.papers / "Bills/scan.txt").exists()


def test_an_undo_that_was_killed_behind_the_move_can_be_done_once_more(desk: Any) -> None:
    assert havenfs(desk, "sort", "--all") == 0
    (desk.papers / "Letters/Waterworks/new.txt").rename(desk.papers / "Inbox/new.txt")
    assert havenfs(desk, "undo") == 0
    assert (desk.papers / "Inbox/new.txt").exists()
    assert desk.catalog.read(_recorded) == 0


def test_an_undo_does_not_move_another_file_and_does_not_overwrite(desk: Any) -> None:
    assert havenfs(desk, "sort", "--all") == 0
    (desk.papers / "Inbox/new.txt").write_text("a newer one of that name")
    with pytest.raises(Conflict, match="there already"):
        decisions.undo(desk.state, None, rest=False)
    assert (desk.papers / "Letters/Waterworks/new.txt").exists()
    (desk.papers / "Inbox/new.txt").unlink()
    (desk.papers / "Letters/Waterworks/new.txt").unlink()
    with pytest.raises(Conflict, match="not there any more"):
        decisions.undo(desk.state, None, rest=False)
    assert desk.catalog.read(_recorded) == 1


def test_without_a_mover_files_are_not_taken_back(desk: Any) -> None:
    assert havenfs(desk, "sort", "--all") == 0
    keeper = Keeper(desk.catalog, desk.state.journal)
    with pytest.raises(Conflict, match="havenfs undo"):
        keeper.revert(keeper.last(1)[0].operation.id, by="me")


async def test_the_indexer_files_by_itself_only_when_told_to_and_not_again_what_was_brought_back(
    desk: Any,
) -> None:
    config = [Config()]
    filing = program.Filing(desk.catalog, desk.state, lambda: config[0])
    await filing.catch_up()
    assert len(desk.catalog.read(sorting.proposed)) == 1
    assert (desk.papers / "Inbox/new.txt").exists()
    config[0] = Config(sort=Sorting(automatic_above=0.5))
    await filing.catch_up()
    assert (desk.papers / "Letters/Waterworks/new.txt").exists()
    decisions.undo(desk.state, None, rest=False)
    await filing.catch_up()
    await program.Filing(desk.catalog, desk.state, lambda: config[0]).catch_up()
    assert (desk.papers / "Inbox/new.txt").exists()
    assert len(desk.catalog.read(sorting.proposed)) == 1
