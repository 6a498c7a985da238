"""What happens to real disks while they are mounted: gone, dead, hanging, full, with a clock of its own. Needs root."""

from __future__ import annotations

import errno
import os
import resource
import signal
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from havend import checks, watch
from havenfs.catalog import Catalog, sources
from havenfs.errors import ConfigError
from havenfs.ingest import walk
from havenfs.ingest.scan import scan

from .sick_disks import Disk, disk, hanging, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.fuse

JPEG = b"\xff\xd8\xff\xe0"
FAST_S = 0.05  # what is not on the sick disk answers within, half of the time, on a busy machine
SLOW_S = 2.0  # and always: who waits for the sick disk waits 10
PATIENCE_S = 10.0


def timed(action: Callable[[], object]) -> tuple[int, float]:
    """The errno (0: it worked) and the seconds."""
    began = time.monotonic()
    try:
        action()
    except OSError as error:
        return error.errno or -1, time.monotonic() - began
    return 0, time.monotonic() - began


class House:
    """A mount with a healthy source `photos` and a sick one, `disk`."""

    def __init__(self, shelf: Any, point: Path) -> None:
        self.shelf = shelf
        self.point = point
        self.photos = point / "files/photos"
        self.disk = point / "files/disk"

    def others_are_fast(self) -> float:
        """The median, once the slowest has passed, of ordinary things that do not touch the sick disk; seconds."""
        took: list[float] = []
        for i in range(10):
            for action in (
                lambda: os.listdir(self.point),
                lambda: os.listdir(self.point / "by-date/_undated"),
                lambda: os.listdir(self.point / "types/photos"),
                lambda: os.listdir(self.photos),
                lambda: (self.photos / "usa/a.jpg").read_bytes(),
                lambda: (self.point / "by-date/_undated/b.jpg").read_bytes(),
                lambda i=i: (self.photos / f"new{i}.bin").write_bytes(bytes(1000)),
            ):
                began = time.monotonic()
                action()
                took.append(time.monotonic() - began)
        assert max(took) < SLOW_S
        return statistics.median(took)

    def scan(self) -> None:
        """What the indexer does every now and then."""
        with Catalog(self.shelf.state.catalog) as catalog:
            for source in catalog.read(sources.configured):
                scan(catalog, source)

    def files(self) -> int:
        """How many are known on the sick disk."""
        with Catalog(self.shelf.state.catalog) as catalog:
            return catalog.read(
                lambda db: next(
                    iter(
                        db.execute(
                            "SELECT count(*) FROM file f JOIN source s ON s.id = f.source_id WHERE s.name = 'disk'"
                        )
                    )
                )[0]
            )


@pytest.fixture
def sick(workshop: Any, tmp_path: Path) -> Iterator[Disk]:
    root = workshop.source("disk", tmp_path / "disk", writable=True)
    with disk(root) as made:
        for i in range(5):
            workshop.add(f"d{i}.jpg", JPEG + b"d%d" % i, source="disk")
        run("sync", "-f", root)
        yield made


@pytest.fixture
def house(workshop: Any, serve: Any, sick: Disk, tmp_path: Path) -> Iterator[House]:
    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        yield House(workshop, mount.point)


# --- gone -----------------------------------------------------------------------------------------------------


def test_a_disk_that_dies_is_an_error_at_once_and_only_its_own(house: House, sick: Disk) -> None:
    with (house.disk / "d0.jpg").open("rb", buffering=0) as open_file:
        sick.die()
        began = time.monotonic()
        for action in (
            lambda: (house.disk / "d1.jpg").read_bytes(),
            lambda: (house.disk / "new.jpg").write_bytes(JPEG),
            lambda: os.mkdir(house.disk / "folder"),
            lambda: os.unlink(house.disk / "d2.jpg"),
            lambda: os.rename(house.disk / "d3.jpg", house.disk / "d4.jpg"),
        ):
            code, _ = timed(action)
            assert code in (errno.EIO, errno.EROFS)
        assert time.monotonic() - began < 2
        with suppress(OSError):  # what was in memory may still be read
            open_file.read()
    assert house.others_are_fast() < FAST_S
    assert house.files() >= 4


def test_a_disk_that_was_pulled_deletes_nothing_and_comes_back_by_itself(
    house: House, sick: Disk, until: Callable[..., float]
) -> None:
    assert (house.point / "by-date/_undated/d0.jpg").read_bytes() == JPEG + b"d0"
    before = house.files()
    sick.pull()
    house.scan()
    assert house.files() == before
    until(lambda: not (house.point / "by-date/_undated/d0.jpg").exists())
    assert "disk" not in os.listdir(house.point / "files")
    assert house.others_are_fast() < FAST_S
    until(sick.released)  # nothing of ours holds on to a disk that is gone
    sick.repair()
    sick.mount()
    house.scan()
    until(lambda: timed((house.point / "by-date/_undated/d0.jpg").read_bytes)[0] == 0)
    assert (house.point / "by-date/_undated/d0.jpg").read_bytes() == JPEG + b"d0"
    assert sorted(os.listdir(house.disk)) == [f"d{i}.jpg" for i in range(5)] + ["lost+found"]
    assert house.files() == before


def test_nothing_is_written_under_a_disk_that_is_away_and_what_lies_there_is_not_the_source(
    house: House, sick: Disk, until: Callable[..., float]
) -> None:
    house.scan()
    before = house.files()
    sick.pull()
    sick.at.joinpath("left.jpg").write_bytes(JPEG)  # by somebody else, who did not know

    def refused() -> bool:
        code, _ = timed(lambda: (house.disk / "new.jpg").write_bytes(JPEG))
        return code in (errno.EIO, errno.ENOENT)

    until(refused)
    for _ in range(20):
        assert refused()
        house.scan()
    assert house.files() == before
    assert os.listdir(sick.at) == ["left.jpg"]
    until(sick.released)
    sick.repair()
    sick.mount()
    house.scan()
    until(lambda: timed((house.point / "by-date/_undated/d0.jpg").read_bytes)[0] == 0)
    until(lambda: timed(lambda: (house.disk / "new.jpg").write_bytes(JPEG + b"new"))[0] == 0)
    assert house.files() == before + 1


def test_a_write_to_a_disk_that_is_pulled_meanwhile_records_no_deletion(
    house: House, sick: Disk
) -> None:
    before = house.files()
    with (house.disk / "d0.jpg").open("r+b", buffering=0) as file:
        file.write(JPEG + b"half")
        sick.pull()
        with suppress(OSError):
            file.write(b"more")
    assert house.files() == before


# --- hanging --------------------------------------------------------------------------------------------------


@pytest.fixture
def hung(
    workshop: Any, serve: Any, tmp_path: Path
) -> Iterator[tuple[House, subprocess.Popen[bytes]]]:
    original = tmp_path / "behind"
    original.mkdir()
    root = workshop.source("disk", tmp_path / "disk", writable=True)
    with hanging(original, root) as server:
        for i in range(5):
            workshop.add(f"d{i}.jpg", JPEG + b"d%d" % i, source="disk")
        with serve(workshop.state.root, tmp_path / "mnt") as mount:
            try:
                yield House(workshop, mount.point), server
            finally:
                server.send_signal(signal.SIGCONT)


def test_a_disk_that_hangs_is_borne_with_for_ten_seconds_then_given_up_until_it_answers(
    hung: tuple[House, subprocess.Popen[bytes]], until: Callable[..., float]
) -> None:
    house, server = hung
    assert (house.disk / "d0.jpg").read_bytes() == JPEG + b"d0"
    before = house.files()
    written = os.open(house.disk / "d0.jpg", os.O_RDWR)
    server.send_signal(signal.SIGSTOP)
    code, seconds = timed(lambda: os.statvfs(house.point))  # the other disk says it
    assert code == 0
    assert seconds < SLOW_S
    with ThreadPoolExecutor(12) as pool:
        waiting = [
            pool.submit(timed, lambda i=i: (house.disk / f"d{i % 5}.jpg").read_bytes())
            for i in range(5)
        ] + [
            pool.submit(
                timed, lambda i=i: (house.point / f"by-date/_undated/d{i}.jpg").read_bytes()
            )
            for i in range(5)
        ]
        time.sleep(0.5)
        assert house.others_are_fast() < FAST_S
        began = time.monotonic()
        os.listdir(house.point / "files")
        assert time.monotonic() - began < 2.5
        began = time.monotonic()
        os.listdir(house.point / "files")
        assert time.monotonic() - began < 1 + FAST_S
        for waited in waiting:
            code, seconds = waited.result(30)
            assert code == errno.EIO
            assert seconds <= PATIENCE_S + 2
    code, seconds = timed(lambda: (house.point / "by-date/_undated/d3.jpg").read_bytes())
    assert code == errno.EIO
    assert seconds < 1
    code, seconds = timed(lambda: os.close(written))
    assert code == errno.EIO
    assert seconds < 1
    assert house.others_are_fast() < FAST_S
    assert house.files() == before
    server.send_signal(signal.SIGCONT)
    shown = house.point / "by-date/_undated/d3.jpg"
    for path in (house.disk / "d1.jpg", shown):  # each is given up until who waits for it has it
        until(lambda path=path: timed(path.read_bytes)[0] == 0, 10)
    assert shown.read_bytes() == JPEG + b"d3"
    assert house.files() == before


def test_a_mount_whose_disk_hangs_ends_when_it_is_asked_to(
    workshop: Any, serve: Any, tmp_path: Path
) -> None:
    (tmp_path / "behind").mkdir()
    root = workshop.source("disk", tmp_path / "disk", writable=True)
    with hanging(tmp_path / "behind", root) as server:
        workshop.add("d0.jpg", JPEG + b"d0", source="disk")
        with (
            serve(workshop.state.root, tmp_path / "mnt") as mount,
            ThreadPoolExecutor(2) as pool,
        ):
            server.send_signal(signal.SIGSTOP)
            asked = pool.submit(timed, lambda: os.stat(mount.point / "files/disk/d0.jpg"))
            time.sleep(0.5)
            assert mount.stop() == 0
            assert asked.result(15)[0] != 0


# --- full -----------------------------------------------------------------------------------------------------


def fill(path: Path) -> int:
    """Write until nothing fits any more; the errno."""
    code = 0
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 16, 1 << 12):  # the disk reserves more than it needs in the end
            while not (code := timed(lambda size=size: file.write(bytes(size)))[0]):
                pass
            os.fsync(file.fileno())
    return code


def test_a_full_disk_says_so_and_goes_on_when_there_is_room(house: House, sick: Disk) -> None:
    big = house.disk / "big.bin"
    assert fill(big) == errno.ENOSPC
    assert big.stat().st_size == (sick.at / "big.bin").stat().st_size
    with pytest.raises(OSError, match="No space left"):
        (house.disk / "photo.jpg").write_bytes(JPEG + os.urandom(200_000))
    assert (
        not any("photo" in name for name in os.listdir(house.point / "by-date/_undated"))
        or (house.point / "by-date/_undated/photo.jpg").read_bytes()
        == (sick.at / "photo.jpg").read_bytes()
    )
    big.unlink()
    content = JPEG + os.urandom(200_000)
    (house.disk / "photo.jpg").write_bytes(content)
    assert (house.point / "by-date/_undated/photo.jpg").read_bytes() == content
    assert house.others_are_fast() < FAST_S


# --- many -----------------------------------------------------------------------------------------------------


def test_a_thousand_files_are_open_at_once_and_a_limit_is_told_as_one(
    workshop: Any, serve: Any, tmp_path: Path
) -> None:
    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        photos = mount.point / "files/photos"
        (photos / "many").mkdir()
        opened = []
        try:
            for i in range(1100):
                file = (photos / "many" / f"{i}.bin").open("w+b", buffering=0)
                opened.append(file)
                file.write(b"%d" % i)
            for i, file in enumerate(opened):
                file.seek(0)
                assert file.read() == b"%d" % i
        finally:
            for file in opened:
                file.close()
        assert len(os.listdir(photos / "many")) == 1100


def processes(mount: Any) -> list[int]:
    """The program and what it has started."""
    found = [mount.process.pid]
    for pid in found:
        with suppress(FileNotFoundError), open(f"/proc/{pid}/task/{pid}/children") as children:
            found += map(int, children.read().split())
    return found


def test_a_mount_without_a_descriptor_left_says_so_and_goes_on_when_there_is_one(
    workshop: Any, serve: Any, tmp_path: Path
) -> None:
    with serve(workshop.state.root, tmp_path / "mnt") as mount:
        photos = mount.point / "files/photos"
        names = [f"{i}.bin" for i in range(120)]
        for name in names:
            (photos / name).write_bytes(name.encode())
        for pid in processes(mount):
            used = max(map(int, os.listdir(f"/proc/{pid}/fd")))
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 60, used + 60))
        opened: list[int] = []
        try:
            codes = {
                timed(lambda name=name: opened.append(os.open(photos / name, os.O_RDONLY)))[0]
                for name in names
            }
        finally:
            for handle in opened:
                os.close(handle)
        assert codes == {0, errno.EMFILE}
        assert len(opened) >= 30
        assert (photos / "119.bin").read_bytes() == b"119.bin"
        (photos / "late.jpg").write_bytes(JPEG + b"late")
        assert (mount.point / "by-date/_undated/late.jpg").read_bytes() == JPEG + b"late"


# --- times ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "when",
    [-1, -86400 * 365 * 40 * 10**9 + 5, 0, 1_234_567_890_123_456_789, 9_000_000_000 * 10**9 + 7],
    ids=["one nanosecond before 1970", "1930", "1970", "2009, to the nanosecond", "2255"],
)
def test_times_of_any_century_go_through_to_the_nanosecond(
    house: House, sick: Disk, when: int
) -> None:
    path = house.disk / "d0.jpg"
    os.utime(path, ns=(when, when))
    assert (sick.at / "d0.jpg").stat().st_mtime_ns == when
    assert path.stat().st_mtime_ns == when
    house.scan()
    assert (house.point / "by-date/_undated/d0.jpg").read_bytes() == JPEG + b"d0"


# --- in circles -----------------------------------------------------------------------------------------------


@contextmanager
def bound(origin: Path, at: Path) -> Generator[Path]:
    at.mkdir()
    run("mount", "--bind", origin, at)
    try:
        yield at
    finally:
        run("umount", at)


def test_a_source_in_a_mount_is_refused_by_whatever_way_it_is_named(
    house: House, tmp_path: Path
) -> None:
    state = checks.state(tmp_path / "second")
    (tmp_path / "link").symlink_to(house.point / "files/photos")
    with bound(house.point, tmp_path / "bound") as elsewhere:
        for path in (
            house.point,
            house.photos,
            house.photos / "usa",
            tmp_path / "link",
            elsewhere,
            elsewhere / "files/photos",
        ):
            with pytest.raises(ConfigError, match="lies in the tree that a HavenFS shows"):
                checks.sources([path], state)


def test_a_mount_point_in_a_source_or_in_a_mount_is_refused_by_whatever_way_it_is_named(
    house: House, tmp_path: Path
) -> None:
    state = checks.state(tmp_path / "second")
    root = tmp_path / "pictures"
    (root / "inner/deep").mkdir(parents=True)
    source = checks.sources([root], state)
    (tmp_path / "link").symlink_to(root / "inner")
    with bound(root / "inner", tmp_path / "bound") as elsewhere:
        for path in (root / "inner", tmp_path / "link", tmp_path / "link/deep", elsewhere / "deep"):
            with pytest.raises(ConfigError, match="overlap"):
                checks.mountpoint(path, source, state)
    (house.photos / "place").mkdir()
    with pytest.raises(ConfigError, match="lies in the tree that a HavenFS shows"):
        checks.mountpoint(house.photos / "place", (), state)


def test_a_mount_alone_knows_the_sources_that_it_must_not_lie_in(house: House) -> None:
    inner = house.shelf.root / "inner"
    inner.mkdir()
    with pytest.raises(ConfigError, match="overlap"):
        checks.mountpoint(inner, checks.configured(house.shelf.state), house.shelf.state)


def test_a_mount_that_appears_in_a_source_later_is_passed_over(
    house: House, serve: Any, tmp_path: Path, until: Callable[..., float]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with Catalog(other / "catalog.db") as catalog:
        catalog.write(sources.configure, [])
    inner = house.shelf.root / "usa/inner"
    before = sorted(os.listdir(house.photos / "usa"))
    with serve(other, inner):
        assert "by-date" in os.listdir(inner)
        # The kernel may have seen the empty folder in the second before.
        until(lambda: not (house.photos / "usa/inner").exists())
        assert sorted(os.listdir(house.photos / "usa")) == before
        house.scan()
        with Catalog(house.shelf.state.catalog) as catalog:
            assert not catalog.read(
                lambda db: list(db.execute("SELECT 1 FROM file WHERE path GLOB 'usa/inner*'"))
            )
        assert walk.listing(bytes(house.shelf.root), b"usa").directories == ()
        assert watch._below(bytes(house.shelf.root / "usa"), b"usa") == []
    until(lambda: timed(lambda: os.listdir(house.photos / "usa/inner"))[0] == 0)
