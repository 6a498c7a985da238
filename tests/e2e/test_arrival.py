"""What people do in files/ is in the other folders at once: through the kernel, over each transport."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from havenfs.catalog import Catalog, progress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.fuse

JPEG = b"\xff\xd8\xff\xe0"
TOLD_S = 0.05 + 0.05  # the next look at the catalog, and telling the kernel on a busy machine


class Desk:
    """A mount, its writable source `photos`, and what the views say."""

    def __init__(self, shelf: Any, point: Path) -> None:
        self.shelf = shelf
        self.photos = point / "files/photos"
        self.undated = point / "by-date/_undated"
        self.point = point

    def listed(self) -> set[str]:
        return set(os.listdir(self.undated)) if self.undated.exists() else set()

    def source_is_quiet(self) -> bool:
        """Whether a scan would find nothing to do, asked without writing."""
        from havenfs.catalog import sources
        from havenfs.ingest.scan import scan

        with Catalog(self.shelf.state.catalog) as catalog:
            before = catalog.read(_rows)
            for source in catalog.read(sources.present):
                scan(catalog, source)
            return catalog.read(_rows) == before


def _rows(db: Any) -> list[Any]:
    return list(db.execute("SELECT * FROM file ORDER BY id"))


@pytest.fixture
def desk(workshop: Any, serve: Any, tmp_path: Path) -> Iterator[Desk]:
    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        yield Desk(workshop, mount.point)


def test_a_write_is_visible_in_the_view_at_close(desk: Desk) -> None:
    for i in range(20):
        (desk.photos / f"new{i}.jpg").write_bytes(JPEG + b"%d" % i)
        assert (desk.undated / f"new{i}.jpg").read_bytes() == JPEG + b"%d" % i


def test_a_name_that_was_just_looked_for_in_vain_is_there_a_moment_after_the_close(
    desk: Desk, until: Callable[..., float]
) -> None:
    """The kernel remembers for a second that there is no such name, and the listing for longer; both are told."""
    took: list[float] = []
    for i in range(15):
        name = f"sought{i}.jpg"
        assert not (desk.undated / name).exists()
        assert name not in desk.listed()
        (desk.photos / name).write_bytes(JPEG + b"%d" % i)
        took.append(
            until(lambda name=name: (desk.undated / name).exists() and name in desk.listed())
        )
    took.sort()
    assert took[len(took) // 2] <= TOLD_S
    assert took[-1] <= 1.0


def test_a_renamed_and_a_deleted_photo_leave_their_old_names(
    desk: Desk, until: Callable[..., float]
) -> None:
    (desk.photos / "my-a.jpg").write_bytes(JPEG + b"A")
    number = (desk.undated / "my-a.jpg").stat().st_ino
    os.rename(desk.photos / "my-a.jpg", desk.photos / "2019" / "my-b.jpg")
    # A name in the views is given once: the file has moved, the asset is the same.
    assert (desk.undated / "my-a.jpg").read_bytes() == JPEG + b"A"
    assert (desk.undated / "my-a.jpg").stat().st_ino == number
    (desk.photos / "2019" / "my-b.jpg").unlink()
    assert until(lambda: not (desk.undated / "my-a.jpg").exists()) <= 1.0
    assert "my-a.jpg" not in desk.listed()


def test_a_renamed_folder_takes_its_photos_along(desk: Desk, until: Callable[..., float]) -> None:
    (desk.photos / "trip/day").mkdir(parents=True)
    for i in range(30):
        (desk.photos / f"trip/day/t{i}.jpg").write_bytes(JPEG + b"t%d" % i)
    os.rename(desk.photos / "trip", desk.photos / "Rome")
    for i in range(30):
        assert (desk.undated / f"t{i}.jpg").read_bytes() == JPEG + b"t%d" % i
    shutil.rmtree(desk.photos / "Rome")
    until(lambda: not any((desk.undated / f"t{i}.jpg").exists() for i in range(30)), 1.0)


def test_an_edited_photo_keeps_its_name_and_shows_its_new_bytes(desk: Desk) -> None:
    (desk.photos / "my-a.jpg").write_bytes(JPEG + b"A" * 5000)
    assert (desk.undated / "my-a.jpg").read_bytes() == JPEG + b"A" * 5000
    with (desk.photos / "my-a.jpg").open("r+b") as file:
        file.seek(4)
        file.write(b"B" * 5000)
    assert (desk.undated / "my-a.jpg").read_bytes() == JPEG + b"B" * 5000
    subprocess.run(["sed", "-i", "s/B/C/g", desk.photos / "my-a.jpg"], check=True)
    assert (desk.undated / "my-a.jpg").read_bytes() == JPEG + b"C" * 5000
    os.truncate(desk.photos / "my-a.jpg", 100)
    assert len((desk.undated / "my-a.jpg").read_bytes()) == 100


def test_what_rsync_and_cp_bring_is_there_when_they_end(desk: Desk, tmp_path: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    for i in range(20):
        (album / f"r{i}.jpg").write_bytes(JPEG + b"r%d" % i)
        os.utime(album / f"r{i}.jpg", (1_200_000_000 + i, 1_200_000_000 + i))
    subprocess.run(["rsync", "-a", f"{album}/", desk.photos / "rsync/"], check=True)
    assert {f"r{i}.jpg" for i in range(20)} <= desk.listed()
    (album / "my-c.jpg").write_bytes(JPEG + b"c")
    subprocess.run(["cp", "-p", album / "my-c.jpg", desk.photos / "my-c.jpg"], check=True)
    assert (desk.undated / "my-c.jpg").read_bytes() == JPEG + b"c"
    assert desk.source_is_quiet()


def test_the_last_of_many_quick_writers_is_what_is_shown(desk: Desk, until: Any) -> None:
    def write(i: int) -> None:
        for j in range(10):
            (desk.photos / "busy.jpg").write_bytes(JPEG + b"%d %d" % (i, j))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert desk.source_is_quiet()
    content = (desk.photos / "busy.jpg").read_bytes()
    # While others write, the size that the kernel was told of may be that of a moment ago, until it is told anew.
    until(lambda: (desk.undated / "busy.jpg").read_bytes() == content, 1)


def test_who_stands_in_a_folder_that_he_has_just_made_stands_somewhere(desk: Desk) -> None:
    code = (
        "import os, sys, time\n"
        "os.listdir(sys.argv[1])  # and so it is watched on its disk\n"
        "for n in range(30):\n"
        "    made = os.path.join(sys.argv[1], str(n))\n"
        "    os.mkdir(made)\n"
        "    os.chdir(made)\n"
        "    time.sleep(0.02)\n"
        "    assert os.getcwd() == made\n"
    )
    subprocess.run([sys.executable, "-c", code, desk.photos], check=True)


def test_programs_files_cost_the_catalog_nothing(desk: Desk) -> None:
    with Catalog(desk.shelf.state.catalog) as catalog:
        before = catalog.version()
        code = (
            "import apsw, sys\n"
            "db = apsw.Connection(sys.argv[1])\n"
            "db.execute('CREATE TABLE t (x)')\n"
            "for i in range(20): db.execute('INSERT INTO t VALUES (1)')\n"
        )
        subprocess.run([sys.executable, "-c", code, desk.photos / "app.db"], check=True)
        subprocess.run(["git", "init", "-q", desk.photos / ".repo"], check=True)
        (desk.photos / ".hidden.jpg").write_bytes(JPEG)
        assert catalog.version() == before


def test_a_catalog_that_somebody_holds_makes_no_write_fail(
    desk: Desk, until: Callable[..., float]
) -> None:
    with Catalog(desk.shelf.state.catalog) as catalog:
        catalog.connection().execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        for i in range(10):
            (desk.photos / f"held{i}.jpg").write_bytes(JPEG + b"%d" % i)
        assert time.monotonic() - started < 4
        catalog.connection().execute("ROLLBACK")
    assert (desk.photos / "held9.jpg").read_bytes() == JPEG + b"9"
    (desk.photos / "after.jpg").write_bytes(JPEG + b"after")
    assert (desk.undated / "after.jpg").exists()


# --- with the indexer ---------------------------------------------------------------------------------------


INDEXER = """
import sys, trio
from pathlib import Path
from havend import indexer
from havenfs.config import SourceConfig, State
trio.run(indexer.run, State(root=Path(sys.argv[1])),
         [SourceConfig(name=n, root=Path(r), writable=True) for n, r in zip(sys.argv[2::2], sys.argv[3::2])])
"""


@contextmanager
def indexing(shelf: Any, **sources: Path) -> Generator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", INDEXER, str(shelf.state.root)]
    for name, root in sources.items():
        command += [name, str(root)]
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_a_photo_put_into_files_gets_its_date_moments_later_before_everything_that_waits(
    workshop: Any, serve: Any, tmp_path: Path, until: Callable[..., float]
) -> None:
    root = workshop.root
    for i in range(300):  # what the indexer is busy with
        Image.effect_noise((400, 300), 60).save(root / f"queue{i}.jpg")
    photo = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x9003] = "2011:05:06 07:08:09"
    exif[0x8769] = {0x9003: "2011:05:06 07:08:09"}
    Image.effect_noise((400, 300), 60).save(photo, exif=exif)
    os.utime(photo, (1_000_000_000, 1_000_000_000))
    with (
        indexing(workshop, photos=root),
        serve(workshop.state.root, tmp_path / "mnt") as mount,
        Catalog(workshop.state.catalog) as catalog,
    ):
        until(lambda: catalog.read(progress.progress).files > 250, 30)
        subprocess.run(["cp", "-p", photo, mount.point / "files/photos/mine.jpg"], check=True)
        assert "mine.jpg" in os.listdir(mount.point / "by-date/_undated")
        took = until(lambda: (mount.point / "by-date/2011/05/mine.jpg").exists(), 40)
        waiting = not catalog.read(progress.progress).idle
        assert waiting, "the queue was too short to tell"
        assert took < 20
