"""Arrivals on a real disk: what was written, renamed, linked, deleted is in the catalog when the call returns."""

from __future__ import annotations

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from havenfs.catalog import Catalog, catalog as catalogs, changes, files, jobs, sources
from havenfs.config import SourceConfig
from havenfs.entities import FileState, Source, Stage
from havenfs.errors import SourceGone
from havenfs.extract import identify
from havenfs.ingest import arrival, identity, walk
from havenfs.ingest.scan import scan
from tests.conftest import agree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from havenfs.catalog.files import Seen
    from havenfs.entities import File

JPEG = b"\xff\xd8\xff\xe0"


class Home:
    """Two sources, their catalog, and an observer's eye on it."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "photos"
        self.desk = tmp_path / "desk"
        self.root.mkdir()
        self.desk.mkdir()
        self.catalog = Catalog(tmp_path / "catalog.db")
        self.other = Catalog(tmp_path / "catalog.db")
        self.arrivals = arrival.Arrivals(self.catalog)
        self.source: Source
        self.second: Source
        self.source, self.second = self.catalog.write(
            sources.configure,
            [
                SourceConfig(name="photos", root=self.root, writable=True),
                SourceConfig(name="desk", root=self.desk, writable=True),
            ],
        )

    def write(self, path: str, content: bytes) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    def put(self, path: str, content: bytes) -> bool:
        """Write and close."""
        self.write(path, content)
        return self.arrivals.written(self.source, path.encode())

    def rename(self, old: str, new: str, *, directory: bool = False) -> bool:
        os.rename(self.root / old, self.root / new)
        return self.arrivals.renamed(
            self.source,
            old.encode(),
            self.source,
            new.encode(),
            directory=directory,
        )

    def unlink(self, path: str) -> bool:
        (self.root / path).unlink()
        return self.arrivals.removed(self.source, path.encode(), directory=False)

    def shown(self) -> dict[str, tuple[int, str]]:
        """Path -> asset id and name, as views show them."""
        return self.catalog.read(
            lambda db: {
                os.fsdecode(row[1]): (row[0], row[2])
                for row in db.execute("SELECT id, path, name FROM visible")
            }
        )

    def content(self, path: str) -> bytes | None:
        file = self.file(path)
        return file.hash if file is not None else None

    def file(self, path: str) -> File | None:
        return self.catalog.read(files.by_path, self.source.id, os.fsencode(path))

    def quiet(self) -> bool:
        """Whether a scan of everything finds nothing to do."""
        return not any(scan(self.catalog, source).news for source in (self.source, self.second))

    def commits(self) -> int:
        return self.other.version()

    def age(self, path: str, seconds: float) -> None:
        """Set the file's mtime back, as if it had been written then."""
        when = time.time_ns() - int(seconds * 1e9)
        os.utime(self.root / path, ns=(when, when))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    agree(made.catalog)
    made.catalog.close()
    made.other.close()


def digest(content: bytes) -> bytes:
    return identify.blake3(content).digest()


def test_a_photo_is_shown_when_it_is_closed_and_the_scan_finds_nothing_to_do(home: Home) -> None:
    assert home.put("trip/a.jpg", JPEG + b"A")
    assert set(home.shown()) == {"trip/a.jpg"}
    assert home.content("trip/a.jpg") == digest(JPEG + b"A")
    assert home.quiet()
    queued = home.catalog.read(jobs.queued, Stage.METADATA, [Stage.PREVIEW], limit=9)
    assert [job.path for job in queued] == [b"trip/a.jpg"]


def test_an_old_photo_that_arrives_now_goes_before_the_queue(home: Home) -> None:
    home.put("new.jpg", JPEG + b"new")
    home.catalog.write(
        lambda db: db.execute("UPDATE job SET priority = ?", (int(time.time()) - 60,))
    )
    home.write("old.jpg", JPEG + b"old")
    home.age("old.jpg", 10 * 365 * 86400)
    home.arrivals.written(home.source, b"old.jpg")
    queued = home.catalog.read(jobs.queued, Stage.METADATA, [], limit=9)
    assert [job.path for job in queued] == [b"old.jpg", b"new.jpg"]


@pytest.mark.parametrize(
    "path",
    [".cache/a.jpg", "x/.git/objects/aa", ".a.jpg.Xy12", "@eaDir/a.jpg", "x/#recycle/a.jpg"],
)
def test_hidden_names_cost_no_transaction(home: Home, path: str) -> None:
    before = home.commits()
    assert not home.put(path, JPEG + b"A")
    assert home.commits() == before
    assert home.shown() == {}


@pytest.mark.parametrize(
    "content",
    [
        b"SQLite format 3\0" + bytes(100),
        bytes(4096),
        b"\x7fELF" + bytes(100),
        b'{"a": 1}',
        b"\x1f\x8b\x08" + bytes(50),
        b"",
    ],
    ids=["database", "zeros", "program", "json", "gzip", "empty"],
)
def test_what_is_never_shown_costs_no_transaction(home: Home, content: bytes) -> None:
    before = home.commits()
    assert not home.put("a.json", content)
    assert not home.put("a.json", content + content)
    assert home.commits() == before


def test_a_program_s_file_that_the_scan_has_refused_costs_no_transaction_either(home: Home) -> None:
    home.write("app.db", bytes(4096))
    scan(home.catalog, home.source)
    home.catalog.write(
        lambda db: db.execute("UPDATE file SET state = 'skipped', reason = 'unknown'")
    )
    before = home.commits()
    assert not home.put("app.db", bytes(8192))
    assert home.commits() == before


def test_a_photo_overwritten_is_a_new_version_under_its_name_and_id(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    before = home.shown()
    assert home.put("a.jpg", JPEG + b"edited")
    assert home.shown() == before
    assert home.content("a.jpg") == digest(JPEG + b"edited")
    assert home.quiet()


def test_a_photo_overwritten_with_something_else_is_shown_no_more(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    assert home.put("a.jpg", b"\x1f\x8b" + bytes(5000))
    assert home.shown() == {}
    assert home.quiet()


def test_two_writes_of_one_size_within_one_tick_of_the_clock_are_told_apart(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.stat(home.write("a.jpg", JPEG + b"A"))
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: before.st_mtime_ns + 1_000_000)
        home.arrivals.written(home.source, b"a.jpg")
    home.write("a.jpg", JPEG + b"B")
    os.utime(home.root / "a.jpg", ns=(before.st_mtime_ns, before.st_mtime_ns))
    time.sleep(0.05)  # and however late somebody hears of it
    assert home.arrivals.written(home.source, b"a.jpg")
    assert home.content("a.jpg") == digest(JPEG + b"B")


def test_a_close_without_a_change_costs_no_transaction(home: Home) -> None:
    home.write("a.jpg", JPEG + b"A")
    home.age("a.jpg", 1)
    assert home.arrivals.written(home.source, b"a.jpg")
    before = home.commits()
    assert not home.arrivals.written(home.source, b"a.jpg")
    assert home.commits() == before


def test_a_photo_emptied_for_a_moment_keeps_its_asset(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    before = home.shown()
    home.put("a.jpg", b"")
    home.put("a.jpg", JPEG + b"again")
    assert home.shown() == before


def test_a_large_video_is_recorded_for_the_indexer_and_not_read(home: Home) -> None:
    path = home.write("film.mp4", b"\0\0\0\x18ftypisom" + bytes(50))
    os.truncate(path, arrival.HASHED + 1)
    started = time.monotonic()
    assert home.arrivals.written(home.source, b"film.mp4")
    assert time.monotonic() - started < 1
    file = home.file("film.mp4")
    assert file is not None
    assert (file.state, file.hash) == (FileState.NEW, None)
    assert home.quiet()
    before = home.commits()
    assert not home.arrivals.written(home.source, b"film.mp4")
    assert home.commits() == before


def test_a_zip_is_opened_by_nobody_here(home: Home) -> None:
    assert home.put("letter.docx", b"PK\x03\x04" + os.urandom(200))
    file = home.file("letter.docx")
    assert file is not None
    assert file.state is FileState.NEW


def test_a_file_that_the_scan_saw_first_is_shown_at_close_all_the_same(home: Home) -> None:
    home.write("a.jpg", JPEG + b"A")
    scan(home.catalog, home.source)
    assert home.shown() == {}
    assert home.arrivals.written(home.source, b"a.jpg")
    assert set(home.shown()) == {"a.jpg"}


def test_a_copy_is_no_second_asset(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    before = home.shown()
    assert home.put("b.jpg", JPEG + b"A")
    assert home.shown() == before
    home.unlink("a.jpg")
    assert {path: asset for path, (asset, _) in home.shown().items()} == {
        "b.jpg": before["a.jpg"][0]
    }


def test_a_hard_link_is_known_without_being_read(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.put("a.jpg", JPEG + b"A")
    os.link(home.root / "a.jpg", home.root / "b.jpg")

    def read(_: int) -> tuple[bytes, int, bytes]:
        raise AssertionError("it was read")

    monkeypatch.setattr(identify, "digested", read)
    assert home.arrivals.written(home.source, b"b.jpg")
    assert home.content("b.jpg") == digest(JPEG + b"A")
    assert home.quiet()


# --- names ----------------------------------------------------------------------------------------------------


def test_a_photo_of_zeros_is_left_to_the_indexer_which_says_what_is_wrong(home: Home) -> None:
    assert home.put("a.jpg", bytes(5000))
    file = home.file("a.jpg")
    assert file is not None
    assert (file.state, file.asset_id) == (FileState.NEW, None)
    assert not home.put("a.dat", bytes(5000))


def test_a_photo_that_is_damaged_in_place_keeps_what_was_said_about_it(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    before = home.shown()
    assert home.put("a.jpg", bytes(5000))
    file = home.file("a.jpg")
    assert file is not None
    home.catalog.write(identity.refuse, file, "zeros")
    assert home.shown() == before


def test_a_renamed_photo_keeps_its_asset(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    (asset,) = home.shown().values()
    assert home.rename("a.jpg", "b.jpg")
    assert home.shown() == {"b.jpg": asset}
    assert home.quiet()


def test_a_photo_moved_to_another_source_keeps_its_asset(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    (asset,) = home.shown().values()
    os.rename(home.root / "a.jpg", home.desk / "a.jpg")
    assert home.arrivals.renamed(home.source, b"a.jpg", home.second, b"a.jpg", directory=False)
    assert home.shown() == {"a.jpg": asset}
    assert home.quiet()


def test_a_renamed_folder_takes_everything_along_in_one_transaction(home: Home) -> None:
    for i in range(30):
        home.put(f"trip/day {i % 3}/{i}.jpg", JPEG + b"%d" % i)
    home.put("trip2/other.jpg", JPEG + b"other")
    home.put("trip.jpg", JPEG + b"beside")
    name = os.fsdecode(b"trip/caf\xe9.jpg")
    with open(home.root / name, "wb") as file:
        file.write(JPEG + b"cafe")
    home.arrivals.written(home.source, b"trip/caf\xe9.jpg")
    before = home.shown()
    assert home.rename("trip", "Rome 2019", directory=True)
    after = {
        path.replace("trip/", "Rome 2019/", 1) if path.startswith("trip/") else path: asset
        for path, asset in before.items()
    }
    assert home.shown() == after
    assert home.quiet()


def test_a_folder_renamed_over_an_empty_one_of_which_more_was_known(home: Home) -> None:
    home.put("a/x.jpg", JPEG + b"new")
    home.put("b/x.jpg", JPEG + b"old")
    (home.root / "b/x.jpg").unlink()  # by somebody whom we did not serve
    assert home.rename("a", "b", directory=True)
    assert set(home.shown()) == {"b/x.jpg"}
    assert home.content("b/x.jpg") == digest(JPEG + b"new")
    assert home.quiet()


def test_a_folder_that_is_hidden_takes_its_photos_out_of_the_views(home: Home) -> None:
    home.put("a/x.jpg", JPEG + b"X")
    assert home.rename("a", ".a", directory=True)
    assert home.shown() == {}
    assert home.quiet()


def test_a_temporary_file_that_is_renamed_arrives_under_its_new_name(home: Home) -> None:
    assert not home.put(".a.jpg.AbC123", JPEG + b"A")
    assert home.rename(".a.jpg.AbC123", "a.jpg")
    assert set(home.shown()) == {"a.jpg"}
    assert home.quiet()


@pytest.mark.parametrize("temporary", [".a.jpg.tmp", "sedXy12.jpg"])
def test_saving_through_a_temporary_file_is_a_new_version(home: Home, temporary: str) -> None:
    home.put("a.jpg", JPEG + b"A")
    before = home.shown()
    home.put(temporary, JPEG + b"edited")
    assert home.rename(temporary, "a.jpg")
    assert home.shown() == before
    assert home.content("a.jpg") == digest(JPEG + b"edited")
    assert home.quiet()
    home.put("restored.jpg", JPEG + b"A")  # and the old content is another photo now
    assert set(home.shown()) == {"a.jpg", "restored.jpg"}
    assert home.shown()["a.jpg"] == before["a.jpg"]


def test_an_old_photo_renamed_over_another_is_still_itself(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    home.put("b.jpg", JPEG + b"B")
    home.catalog.write(lambda db: db.execute("UPDATE asset SET added = added - 3600"))
    b = home.shown()["b.jpg"]
    assert home.rename("b.jpg", "a.jpg")
    assert home.shown() == {"a.jpg": b}
    assert home.quiet()


def test_a_photo_renamed_to_a_hidden_name_is_gone_and_comes_back_as_itself(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    before = home.shown()
    assert home.rename("a.jpg", ".a.jpg")
    assert home.shown() == {}
    assert home.rename(".a.jpg", "a.jpg")
    assert home.shown() == before


def exchange(home: Home, one: str, other: str) -> bool:
    a, b, aside = home.root / one, home.root / other, home.root / "aside"
    a.rename(aside)
    b.rename(a)
    aside.rename(b)
    return home.arrivals.exchanged(home.source, one.encode(), home.source, other.encode())


def test_two_names_that_are_exchanged_take_their_assets_along(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    home.put("b.jpg", JPEG + b"B")
    before = home.shown()
    assert exchange(home, "a.jpg", "b.jpg")
    assert home.content("a.jpg") == digest(JPEG + b"B")
    assert home.shown() == {"a.jpg": before["b.jpg"], "b.jpg": before["a.jpg"]}
    assert home.quiet()


def test_two_folders_and_a_file_that_are_exchanged_take_their_assets_along(home: Home) -> None:
    home.put("one/x.jpg", JPEG + b"1x")
    home.put("one/y.jpg", JPEG + b"1y")
    home.put("two/x.jpg", JPEG + b"2x")
    home.put("file.jpg", JPEG + b"F")
    before = home.shown()
    exchange(home, "one", "two")
    exchange(home, "two", "file.jpg")
    assert home.shown() == {
        "one/x.jpg": before["two/x.jpg"],
        "two": before["file.jpg"],
        "file.jpg/x.jpg": before["one/x.jpg"],
        "file.jpg/y.jpg": before["one/y.jpg"],
    }
    assert home.quiet()


def test_who_is_told_twice_that_two_folders_were_exchanged_leaves_it_at_once(home: Home) -> None:
    home.put("one/x.jpg", JPEG + b"1x")
    home.put("two/x.jpg", JPEG + b"2x")
    os.link(home.root / "one/x.jpg", home.root / "one/a.jpg")
    os.link(home.root / "one/x.jpg", home.root / "two/a.jpg")  # says nothing of which is which
    for path in ("one/a.jpg", "two/a.jpg"):
        home.arrivals.written(home.source, path.encode())
    exchange(home, "one", "two")
    assert home.content("one/x.jpg") == digest(JPEG + b"2x")
    (home.root / "one/a.jpg").unlink()
    home.arrivals.removed(home.source, b"one/a.jpg", directory=False)
    home.arrivals.exchanged(home.source, b"one", home.source, b"two")
    assert home.content("one/x.jpg") == digest(JPEG + b"2x")
    assert home.content("two/x.jpg") == digest(JPEG + b"1x")
    assert home.quiet()


def test_a_photo_exchanged_with_a_hidden_one_is_replaced_by_it(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    home.put(".b.jpg", JPEG + b"B")
    exchange(home, ".b.jpg", "a.jpg")
    assert set(home.shown()) == {"a.jpg"}
    assert home.content("a.jpg") == digest(JPEG + b"B")
    assert home.quiet()


def test_a_deleted_photo_is_shown_no_more(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    assert home.unlink("a.jpg")
    assert home.shown() == {}
    assert home.file("a.jpg") is None


def test_a_name_deleted_and_made_anew_before_we_looked_is_shown(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    (home.root / "a.jpg").unlink()
    home.write("a.jpg", JPEG + b"again")
    assert home.arrivals.removed(home.source, b"a.jpg", directory=False)
    assert home.content("a.jpg") == digest(JPEG + b"again")


# --- trouble --------------------------------------------------------------------------------------------------


def test_a_disk_that_has_gone_deletes_nothing(home: Home) -> None:
    home.put("a.jpg", JPEG + b"A")
    home.root.rename(home.root.with_name("unplugged"))
    home.root.mkdir()
    assert not home.arrivals.written(home.source, b"a.jpg")
    assert home.file("a.jpg") is not None


def test_a_link_that_takes_a_folder_s_place_leads_nowhere(home: Home, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.jpg").write_bytes(JPEG + b"secret")
    os.symlink(tmp_path / "secret", home.root / "trip")
    with pytest.raises(SourceGone):
        home.arrivals.written(home.source, b"trip/a.jpg")
    assert home.shown() == {}


def test_a_catalog_that_somebody_holds_is_not_waited_for_long_and_nothing_is_half_recorded(
    home: Home,
) -> None:
    home.other.connection().execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    with home.catalog.waiting(50), pytest.raises(catalogs.TROUBLE):
        home.put("a.jpg", JPEG + b"A")
    assert time.monotonic() - started < 1
    home.other.connection().execute("ROLLBACK")
    assert home.file("a.jpg") is None
    assert home.arrivals.written(home.source, b"a.jpg")


def test_whoever_writes_while_it_is_hashed_is_heard_in_the_end(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = identify.digested
    writes = iter([JPEG + b"second", JPEG + b"third, longer"])

    def slow(descriptor: int) -> tuple[bytes, int, bytes]:
        found = real(descriptor)
        for content in writes:
            home.write("a.jpg", content)
            break
        return found

    monkeypatch.setattr(identify, "digested", slow)
    home.put("a.jpg", JPEG + b"first")
    assert home.content("a.jpg") == digest(JPEG + b"third, longer")
    assert home.quiet()


def test_an_older_look_never_covers_a_newer_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.put("a.jpg", JPEG + b"A")
    real = walk.see
    after: list[int] = []

    def slow(root: bytes, path: bytes) -> Seen | None:
        """Between this look and its commit, somebody else writes and is done."""
        monkeypatch.setattr(walk, "see", real)
        seen = real(root, path)
        home.put("a.jpg", JPEG + b"the newest")
        after.append(home.catalog.read(changes.generation))
        return seen

    home.write("a.jpg", b"")
    monkeypatch.setattr(walk, "see", slow)
    home.arrivals.written(home.source, b"a.jpg")
    assert home.content("a.jpg") == digest(JPEG + b"the newest")
    assert after == [home.catalog.read(changes.generation)]


def test_many_hands_on_few_names_leave_what_is_on_disk(home: Home) -> None:
    names = [f"{letter}.jpg" for letter in "abcd"]
    gate = threading.Barrier(6)

    def work(seed: int) -> None:
        rng = random.Random(seed)
        gate.wait()
        for i in range(40):
            name, other = rng.sample(names, 2)
            try:
                match rng.randrange(4):
                    case 0 | 1:
                        home.put(name, JPEG + b"%d %d" % (seed, i))
                    case 2:
                        home.rename(name, other)
                    case _:
                        home.unlink(name)
            except (FileNotFoundError, SourceGone):
                continue

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    on_disk = {path.name: digest(path.read_bytes()) for path in home.root.iterdir()}
    shown = home.catalog.read(
        lambda db: {row[0].decode(): row[1] for row in db.execute("SELECT path, hash FROM file")}
    )
    assert shown == on_disk
    assert {content for _, content in on_disk.items()} == set(
        home.catalog.read(lambda db: [row[0] for row in db.execute("SELECT hash FROM visible")])
    )


@pytest.mark.parametrize(
    "when",
    [-1, -(10**9) * 86400 * 365 * 60 - 1, 4_102_444_800 * 10**9 + 123, 13_500_000_000 * 10**9],
    ids=["just before 1970", "1910", "2100", "2397"],
)
def test_times_of_any_century_are_kept_and_stable(home: Home, when: int) -> None:
    path = home.write("a.jpg", JPEG + b"A")
    os.utime(path, ns=(when, when))
    if os.stat(path).st_mtime_ns != when:
        pytest.fail("this disk cannot hold the time")
    assert home.arrivals.written(home.source, b"a.jpg")
    assert set(home.shown()) == {"a.jpg"}
    assert home.quiet()
