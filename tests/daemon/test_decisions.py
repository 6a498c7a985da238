"""`havenfs index rebuild` and `havenfs undo`, with the real programs on real files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import Catalog, browse, given
from havenfs.config import State
from havenfs.decisions import Keeper, new_uid, values

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.catalog.given import Row


def havenfs_command(*arguments: str | Path, code: int = 0) -> str:
    """What the real command prints, to standard error if it fails, as it must when *code* is not 0."""
    result = subprocess.run(
        [sys.executable, "-m", "havend", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert result.returncode == code, result.stderr
    return result.stderr if code else result.stdout


class Home:
    """A folder of documents, indexed, with an album and a favorite."""

    def __init__(self, directory: Path) -> None:
        self.state = State(root=directory / "state")
        self.documents = directory / "documents"
        self.documents.mkdir()
        for name in ("a", "b", "c"):
            (self.documents / f"{name}.txt").write_text(f"the badger {name} lives in the wood")
        self.where = ("--state", self.state.root)
        havenfs_command("index", "run", "--once", "--source", self.documents, *self.where)
        with Catalog(self.state.catalog) as catalog:
            rows: Any = catalog.read(lambda db: db.execute("SELECT hash FROM asset").fetchall())
            contents = tuple(bytes(row[0]) for row in rows)
            keeper = Keeper(catalog, self.state.journal)
            album = values.MakeFolder(uid=new_uid(), folder=values.Folder.ALBUM, name="Badgers")
            keeper.decide(album, by="alice")
            keeper.decide(values.Fill(uid=album.uid, contents=contents, inside=True), by="alice")
            keeper.decide(values.SetFavorite(contents=contents[:1], favorite=True), by="bob")

    def tables(self) -> dict[str, list[Row]]:
        with Catalog(self.state.catalog) as catalog:
            return {table: catalog.read(given.rows, table) for table in given.TABLES}

    def library(self) -> str:
        """The random id that a database has from its making."""
        with Catalog(self.state.catalog) as catalog:
            return catalog.read(browse.library)

    def filled(self) -> list[tuple[str, str]]:
        """Album and name of the asset, of everything that is in an album and on the disk."""
        query = """
            SELECT c.name, a.name FROM collection c JOIN member m ON m.collection = c.uid JOIN visible a ON a.hash = m.hash
             ORDER BY 1, 2
            """
        with Catalog(self.state.catalog) as catalog:
            found = catalog.read(lambda db: db.execute(query).fetchall())
        return [(str(album), str(name)) for album, name in found]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


ALL = [("Badgers", f"{name}.txt") for name in "abc"]


def test_a_rebuild_brings_back_every_decision_also_about_files_that_moved(home: Home) -> None:
    before = home.tables()
    old = home.library()
    (home.documents / "deep").mkdir()
    (home.documents / "a.txt").rename(home.documents / "deep" / "moved.txt")
    havenfs_command("index", "rebuild", "--source", home.documents, *home.where)
    assert home.library() != old
    assert home.tables() == before
    assert home.filled() == [("Badgers", f"{name}.txt") for name in ("b", "c", "moved")]


def test_what_is_away_during_a_rebuild_has_its_decisions_when_it_comes_back(home: Home) -> None:
    away = home.state.root.parent / "away.txt"
    (home.documents / "a.txt").rename(away)
    havenfs_command("index", "rebuild", "--source", home.documents, *home.where)
    assert home.filled() == ALL[1:]
    shutil.move(away, home.documents / "a.txt")
    havenfs_command("index", "run", "--once", "--source", home.documents, *home.where)
    assert home.filled() == ALL


def test_a_database_that_is_deleted_or_damaged_costs_no_decision(home: Home) -> None:
    before = home.tables()
    for file in home.state.root.glob("catalog.db*"):
        file.unlink()
    havenfs_command("index", "run", "--once", "--source", home.documents, *home.where)
    assert (home.tables(), home.filled()) == (before, ALL)
    for file in home.state.root.glob("catalog.db-*"):
        file.unlink()
    home.state.catalog.write_bytes(b"no database" * 1000)
    havenfs_command("index", "rebuild", "--source", home.documents, *home.where)
    assert (home.tables(), home.filled()) == (before, ALL)


def test_a_database_that_is_in_use_is_not_deleted(home: Home) -> None:
    with Catalog(home.state.catalog) as catalog:
        catalog.read(lambda db: db.execute("SELECT count(*) FROM asset").fetchone())
        said = havenfs_command("index", "rebuild", "--source", home.documents, *home.where, code=2)
        assert "is in use. Stop the mount" in said
    assert home.filled() == ALL


def test_undo_lists_and_takes_back_the_last_thing_or_any_other(home: Home) -> None:
    listed = havenfs_command("undo", "--list", *home.where).splitlines()
    assert [line.split("  ")[2] for line in listed] == [
        "bob: 1 file made a favorite",
        "alice: 3 files put into the album “Badgers”",
        "alice: made the album “Badgers”",
    ]
    assert havenfs_command("undo", *home.where).startswith("Took back: 1 file made a favorite. To")
    assert home.tables()["favorite"] == []
    made = listed[2].split()[0]
    said = havenfs_command("undo", made, *home.where, code=1)
    assert f"since then: {listed[1].split()[0]} 3 files put into" in said
    assert home.filled() == ALL
    done = json.loads(havenfs_command("undo", "--json", *home.where))["operation"]
    assert done["assets"] == 3
    assert home.filled() == []
    havenfs_command("undo", done["id"], *home.where)
    assert home.filled() == ALL
    told = json.loads(havenfs_command("undo", "--list", "--json", *home.where))["operations"]
    assert [one["undone"] for one in told] == [False, True, False, True, False, False]
    assert "no operation 'zz'" in havenfs_command("undo", "zz", *home.where, code=1)


def test_the_user_who_takes_back_is_named(home: Home) -> None:
    havenfs_command("undo", *home.where)
    told = json.loads(havenfs_command("undo", "--list", "--json", *home.where))["operations"]
    assert (
        told[0]["by"]
        == (
            subprocess.run(["id", "-un", str(os.getuid())], capture_output=True, text=True)
        ).stdout.strip()
    )
