"""Scans of real directories: new, changed, moved, gone, away, unreadable."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from havenfs.catalog import Catalog, files, progress, sources
from havenfs.config import SourceConfig
from havenfs.entities import File, FileState, Identity, Kind, Source, Stage
from havenfs.ingest import identity, walk
from havenfs.ingest.scan import Report, scan
from tests.conftest import agree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Home:
    """A source with a catalog, and hashing without a worker: the content is its own hash."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "photos"
        self.root.mkdir()
        self.catalog = Catalog(tmp_path / "catalog.db")
        self.source: Source = self.catalog.write(
            sources.configure, [SourceConfig(name="photos", root=self.root)]
        )[0]

    def put(self, path: str, content: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
        return target

    def scan(self, directory: bytes = b"", *, deep: bool = True) -> Report:
        return scan(self.catalog, self.source, directory, deep=deep)

    def settle(self) -> None:
        """Hash everything that is new."""
        for file, root in self.catalog.read(files.new, 1000):
            with open(walk.joined(root, file.path), "rb") as opened:
                content = opened.read()
            found = Identity(
                hash=content.ljust(32, b".")[:32],
                size=len(content),
                mime="image/jpeg",
                kind=Kind.PHOTO,
            )
            self.catalog.write(identity.settle, file, found)

    def index(self) -> Report:
        report = self.scan()
        self.settle()
        return report

    def file(self, path: str) -> File | None:
        return self.catalog.read(files.by_path, self.source.id, path.encode())

    def shown(self) -> dict[str, tuple[int, str]]:
        """What views show: path -> asset id and name."""
        return self.catalog.read(
            lambda db: {
                row[1].decode(): (row[0], row[2])
                for row in db.execute("SELECT id, path, name FROM visible")
            }
        )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    agree(made.catalog)
    made.catalog.close()


def test_a_second_scan_of_a_quiet_library_writes_nothing(home: Home) -> None:
    home.put("2019/07/a.jpg", "A")
    home.put("2019/b.jpg", "B")
    assert home.index().new == 2
    before = home.catalog.read(lambda db: db.execute("SELECT max(seq) FROM change").fetchone())
    other = Catalog(home.catalog.path)
    version = other.version()
    report = scan(home.catalog, home.source, b"2019")
    assert (report.seen, report.news) == (2, False)
    assert other.version() == version
    assert before == home.catalog.read(
        lambda db: db.execute("SELECT max(seq) FROM change").fetchone()
    )
    other.close()


def test_a_moved_file_keeps_its_asset_without_being_read_again(home: Home) -> None:
    old = home.put("a.jpg", "A")
    home.index()
    (asset,) = home.shown().values()
    (home.root / "new").mkdir()
    old.rename(home.root / "new" / "b.jpg")
    report = home.scan()
    assert (report.moved, report.new, report.gone) == (1, 0, 0)
    assert home.shown() == {"new/b.jpg": asset}


def test_a_renamed_folder_moves_all_its_files(home: Home) -> None:
    for i in range(20):
        home.put(f"trip/{i}.jpg", f"{i}")
    home.index()
    before = {path.rpartition("/")[2]: asset for path, asset in home.shown().items()}
    (home.root / "trip").rename(home.root / "Rome")
    report = home.scan(b"", deep=False)
    assert (report.moved, report.new, report.gone) == (20, 0, 0)
    assert {path.removeprefix("Rome/"): asset for path, asset in home.shown().items()} == before


def test_an_edited_file_is_a_new_version_of_the_same_asset(home: Home) -> None:
    home.put("a.jpg", "A")
    home.index()
    (asset,) = home.shown().values()
    home.put("a.jpg", "edited")
    assert home.scan().changed == 1
    assert home.shown() == {"a.jpg": asset}  # shown meanwhile
    home.settle()
    assert home.shown() == {"a.jpg": asset}
    states = home.catalog.read(lambda db: [row[0] for row in db.execute("SELECT state FROM job")])
    assert states == ["queued"] * len(Stage)


def test_a_file_that_is_empty_for_a_moment_keeps_its_asset(home: Home) -> None:
    home.put("a.jpg", "A")
    home.index()
    (asset,) = home.shown().values()
    home.put("a.jpg", "")
    home.index()
    file = home.file("a.jpg")
    assert file is not None
    assert (file.state, file.reason) == (FileState.FAILED, "the file is empty")
    home.put("a.jpg", "written at last")
    home.index()
    assert home.shown() == {"a.jpg": asset}


def test_a_copy_is_no_second_asset_and_takes_over_when_the_first_goes(home: Home) -> None:
    first = home.put("a.jpg", "A")
    home.index()
    (asset,) = home.shown().values()
    home.put("copy.jpg", "A")
    home.index()
    assert home.shown() == {"a.jpg": asset}
    first.unlink()
    assert home.scan().gone == 1
    assert home.shown() == {"copy.jpg": asset}


def test_editing_one_of_two_copies_makes_a_new_asset_of_it(home: Home) -> None:
    home.put("a.jpg", "A")
    home.put("b.jpg", "A")
    home.index()
    assert len(home.shown()) == 1
    home.put("a.jpg", "other")
    home.index()
    assert set(home.shown()) == {"a.jpg", "b.jpg"}


def test_what_was_deleted_comes_back_under_its_id_and_name(home: Home) -> None:
    home.put("a.jpg", "A")
    home.index()
    (asset,) = home.shown().values()
    (home.root / "a.jpg").unlink()
    home.put("other.jpg", "B")
    assert home.index().gone == 1
    assert set(home.shown()) == {"other.jpg"}
    home.put("restored/x.jpg", "A")
    home.index()
    assert home.shown()["restored/x.jpg"] == asset


def test_overwriting_a_photo_with_a_known_one_shows_the_known_one_there(home: Home) -> None:
    home.put("a.jpg", "A")
    home.put("b.jpg", "B")
    home.index()
    b = home.shown()["b.jpg"]
    os.replace(home.root / "b.jpg", home.root / "a.jpg")
    home.index()
    assert home.shown() == {"a.jpg": b}


@pytest.mark.parametrize("away", ["missing", "empty", "another"])
def test_a_disk_that_is_away_deletes_nothing_and_comes_back(home: Home, away: str) -> None:
    home.put("x/a.jpg", "A")
    home.index()
    before = home.shown()
    hidden = home.root.with_name("unplugged")
    home.root.rename(hidden)
    if away != "missing":
        home.root.mkdir()
    if away == "another":
        home.put("y/a.jpg", "B")
    report = home.index()
    assert (report.present, report.gone) == (False, 0)
    assert home.shown() == {}
    assert home.file("x/a.jpg") is not None
    if away != "missing":
        shutil.rmtree(home.root)
    hidden.rename(home.root)
    assert home.index().present
    assert home.shown() == before


def test_a_disk_that_was_copied_to_another_one_is_the_same_source(home: Home) -> None:
    home.put("x/a.jpg", "A")
    home.put("x/b.jpg", "B")
    home.index()
    old = home.root.with_name("old")
    home.root.rename(old)
    shutil.copytree(old, home.root)
    (home.root / "x/b.jpg").unlink()
    report = home.index()
    assert (report.present, report.gone) == (True, 1)
    (home.root / "x/a.jpg").unlink()  # as many as there are: this disk is known by now
    home.put("new.jpg", "N")
    report = home.index()
    assert (report.present, report.gone) == (True, 1)


def test_an_empty_folder_that_was_never_anything_else_is_there(home: Home) -> None:
    assert home.scan().present


def test_a_stopped_scan_deletes_nothing(home: Home) -> None:
    home.put("a/a.jpg", "A")
    home.put("b/b.jpg", "B")
    home.index()
    (home.root / "a" / "a.jpg").unlink()
    asked = iter([False, False, True])
    report = scan(home.catalog, home.source, stop=lambda: next(asked))
    assert report.gone == 0
    assert home.file("a/a.jpg") is not None


def test_what_is_not_a_file_is_passed_over_with_a_reason(home: Home) -> None:
    target = home.put("a.jpg", "A")
    (home.root / "link.jpg").symlink_to(target)
    (home.root / "up").symlink_to(home.root.parent)
    os.mkfifo(home.root / "pipe.jpg")
    home.put(".hidden.jpg", "H")
    home.put(".trash/x.jpg", "T")
    home.put("@eaDir/a.jpg/thumb.jpg", "T")
    home.index()
    assert set(home.shown()) == {"a.jpg"}
    reasons = {p: f.reason for p in ("link.jpg", "up", "pipe.jpg") if (f := home.file(p))}
    assert reasons == {
        "link.jpg": "a symbolic link",
        "up": "a symbolic link",
        "pipe.jpg": "not a regular file",
    }
    assert home.catalog.read(lambda db: db.execute("SELECT count(*) FROM file").fetchone()) == (4,)


def test_a_file_replaced_by_a_link_leaves_its_asset(home: Home) -> None:
    home.put("b.jpg", "B")
    path = home.put("a.jpg", "A")
    home.index()
    path.unlink()
    path.symlink_to("b.jpg")
    home.index()
    assert set(home.shown()) == {"b.jpg"}


def test_a_folder_that_cannot_be_listed_is_told_and_keeps_what_is_known(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.put("closed/a.jpg", "A")
    home.put("b.jpg", "B")
    home.index()
    before = home.shown()
    real = walk.listing

    def denied(
        root: bytes, directory: bytes
    ) -> walk.Listing:  # root may list everything, so chmod cannot do it
        if directory == b"closed":
            raise PermissionError(13, "Permission denied")
        return real(root, directory)

    monkeypatch.setattr(walk, "listing", denied)
    for _ in range(2):
        report = home.index()
        assert (report.unlisted, report.gone) == (1, 0)
        assert home.shown() == before
        (trouble,) = home.catalog.read(progress.trouble)
        assert (trouble.path, trouble.reason) == (
            b"closed",
            "the folder cannot be read (Permission denied)",
        )
    monkeypatch.setattr(walk, "listing", real)
    home.index()
    assert home.catalog.read(progress.trouble) == []
    assert home.shown() == before


def test_names_in_any_bytes_and_with_any_neighbours_are_told_apart(home: Home) -> None:
    names = [
        b"a",
        b"a b",
        b"a-b",
        b"a.b",
        b"a0",
        b"\xff\xfe",
        "日本".encode(),
        b"new\nline",
        b"z" * 255,
    ]
    for name in names:
        directory = os.path.join(os.fsencode(home.root), b"d", name)
        os.makedirs(directory)
        with open(os.path.join(directory, b"f.jpg"), "wb") as file:
            file.write(name)
        with open(directory + b"x" if len(name) < 255 else directory[:-1] + b"y", "wb") as file:
            file.write(name + b"x")
    assert home.index().new == 2 * len(names)
    report = home.scan()
    assert (report.seen, report.news) == (2 * len(names), False)
    children = home.catalog.read(files.children, home.source.id, b"d")
    assert children.directories == {b"d/" + name for name in names}
    assert len(children.files) == len(names)
    assert home.scan(b"d", deep=False).seen == len(names)


def test_a_shallow_scan_looks_only_where_something_is_unknown(home: Home) -> None:
    home.put("known/a.jpg", "A")
    home.index()
    home.put("known/unseen.jpg", "U")
    home.put("fresh/deep/b.jpg", "B")
    report = home.scan(b"", deep=False)
    assert report.new == 1
    assert home.file("fresh/deep/b.jpg") is not None
    assert home.file("known/unseen.jpg") is None


def test_a_remounted_disk_with_other_numbers_is_not_read_again(home: Home) -> None:
    home.put("a.jpg", "A")
    home.index()
    home.catalog.write(
        lambda db: db.execute("UPDATE file SET device = device + 1, inode = inode + 7")
    )
    report = home.scan()
    assert report.changed == 0
    file = home.file("a.jpg")
    assert file is not None
    assert file.inode == (home.root / "a.jpg").stat().st_ino


def test_another_file_with_the_same_size_and_time_is_noticed_by_its_inode(home: Home) -> None:
    path = home.put("a.jpg", "AAAA")
    home.index()
    info = path.stat()
    fresh = home.put("b.tmp", "BBBB")
    os.utime(fresh, ns=(info.st_atime_ns, info.st_mtime_ns))
    fresh.rename(path)
    assert home.scan().changed == 1
