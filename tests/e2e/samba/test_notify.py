"""What changes by itself is told within a second: to inotify, and through it to clients that have a folder open."""

from __future__ import annotations

import ctypes
import os
import select
import struct
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import smbclient
from smbprotocol.change_notify import CompletionFilter, FileAction, FileSystemWatcher

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

pytestmark = [pytest.mark.fuse, pytest.mark.samba]

ADDED, REMOVED = FileAction.FILE_ACTION_ADDED, FileAction.FILE_ACTION_REMOVED
MODIFIED = FileAction.FILE_ACTION_MODIFIED
# What Explorer asks for.
FILTER = (
    CompletionFilter.FILE_NOTIFY_CHANGE_FILE_NAME
    | CompletionFilter.FILE_NOTIFY_CHANGE_DIR_NAME
    | CompletionFilter.FILE_NOTIFY_CHANGE_ATTRIBUTES
    | CompletionFilter.FILE_NOTIFY_CHANGE_SIZE
    | CompletionFilter.FILE_NOTIFY_CHANGE_LAST_WRITE
)
MODIFY, ATTRIB, CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE, DELETE = (
    2,
    4,
    8,
    0x40,
    0x80,
    0x100,
    0x200,
)
DIRECTORY = 0x40000000
BAR_S = 5.0  # patience: how soon it is (F11) `tests/bench` measures
LOCAL_S = 5.0

_EVENT = struct.Struct("iIII")
_libc = ctypes.CDLL(None, use_errno=True)


class Window:
    """A folder that a client has open and follows."""

    def __init__(self, directory: Any) -> None:
        self._directory = directory
        self._ask()

    def _ask(self) -> None:
        self._watcher = FileSystemWatcher(self._directory.fd)
        self._watcher.start(FILTER)

    def sees(self, *wanted: tuple[int, str], seconds: float = BAR_S) -> float:
        """Wait for all of these (action, name); the seconds that it took."""
        start = time.monotonic()
        missing = set(wanted)
        while missing:
            left = seconds - (time.monotonic() - start)
            assert self._watcher.response_event.wait(max(left, 0)), f"never told of {missing}"
            told = self._watcher.result
            assert told is not None
            self._ask()
            missing -= {
                (change["action"].get_value(), change["file_name"].get_value()) for change in told
            }
        return time.monotonic() - start

    def sees_nothing(self, seconds: float = 0.5) -> None:
        """Nothing is told."""
        assert not self._watcher.response_event.wait(seconds), self._watcher.result

    def close(self) -> None:
        """Close it."""
        self._watcher.cancel()
        self._directory.close()


class Watch:
    """A directory that a local program watches through inotify."""

    def __init__(self, path: Path) -> None:
        self._handle = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        mask = MODIFY | ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE
        assert _libc.inotify_add_watch(self._handle, bytes(path), mask) > 0

    def read(self, seconds: float) -> list[tuple[int, str]]:
        """What has happened, waiting at most so long for anything."""
        if not select.select([self._handle], [], [], seconds)[0]:
            return []
        data, position = os.read(self._handle, 1 << 16), 0
        found: list[tuple[int, str]] = []
        while position < len(data):
            _, mask, _, length = _EVENT.unpack_from(data, position)
            position += _EVENT.size
            found.append((mask, data[position : position + length].rstrip(b"\0").decode()))
            position += length
        return found

    def sees(self, *wanted: tuple[int, str]) -> list[tuple[int, str]]:
        """Wait for all of these; everything that came until then."""
        found: list[tuple[int, str]] = []
        end = time.monotonic() + LOCAL_S
        while not set(wanted) <= set(found):
            assert time.monotonic() < end, (wanted, found)
            found += self.read(LOCAL_S)
        return found

    def close(self) -> None:
        """End."""
        os.close(self._handle)


@pytest.fixture
def window(smb: Any) -> Generator[Callable[[str], Window]]:
    """Open a folder of the share as Explorer does."""
    opened: list[Window] = []

    def window(folder: str) -> Window:
        directory = smbclient.open_file(
            smb.path(folder),
            mode="rb",
            buffering=0,
            share_access="rwd",
            file_type="dir",
            **smb.options,
        )
        opened.append(Window(directory))
        smb.stat(
            folder
        )  # requests of a connection are taken in turn: once this is answered, the folder is followed
        return opened[-1]

    yield window
    for one in opened:
        one.close()


@contextmanager
def watched(path: Path) -> Generator[Watch]:
    os.listdir(path)  # as a file manager does
    watch = Watch(path)
    try:
        yield watch
    finally:
        watch.close()


def test_a_picture_that_is_indexed_appears_in_open_windows(
    window: Callable[[str], Window], workshop: Any, point: Path
):
    month, years, types = window("by-date/2019/07"), window("by-date"), window("types/photos")
    with watched(point / "by-date/2019/07") as watch:
        added = workshop.add("new.jpg", taken="2019-07-20T10:00:00")
        watch.sees((CREATE, "new.jpg"))
        month.sees((ADDED, "new.jpg"))
        types.sees((ADDED, "new.jpg"))
        workshop.put(added, rating=5, live=1)
        month.sees((MODIFIED, "new.jpg"))
        watch.sees((ATTRIB, "new.jpg"))
        workshop.remove(added)
        watch.sees((DELETE, "new.jpg"))
        month.sees((REMOVED, "new.jpg"))
        types.sees((REMOVED, "new.jpg"))
    years.sees_nothing()


def test_a_folder_appears_and_goes_with_its_pictures(
    window: Callable[[str], Window], workshop: Any, point: Path
):
    years, countries = window("by-date"), window("places")
    with watched(point / "by-date") as watch:
        added = workshop.add(
            "far.jpg", taken="2031-01-01T00:00:00", place=("Japan", "Kanto", "Tokyo")
        )
        watch.sees((CREATE | DIRECTORY, "2031"))
        years.sees((ADDED, "2031"))
        countries.sees((ADDED, "Japan"))
        workshop.remove(added)
        watch.sees((DELETE | DIRECTORY, "2031"))
        years.sees((REMOVED, "2031"))
        countries.sees((REMOVED, "Japan"))


def test_what_a_picture_moves_from_and_to_is_told(window: Callable[[str], Window], workshop: Any):
    july, december = window("by-date/2019/07"), window("by-date/2019/12")
    workshop.put(1, taken_local=1_577_000_000)
    december.sees((ADDED, "IMG_0001.jpg"))
    july.sees((REMOVED, "IMG_0001.jpg"))


def test_a_program_on_the_server_is_seen_in_files(
    window: Callable[[str], Window], workshop: Any, point: Path
):
    """On the disk itself, behind the mount's back."""
    album = window("files/photos/2019")
    disk = workshop.root / "2019"
    with watched(point / "files/photos/2019") as watch:
        (disk / "made.txt").write_bytes(b"x")
        watch.sees((CREATE, "made.txt"))
        album.sees((ADDED, "made.txt"))
        assert (point / "files/photos/2019/made.txt").read_bytes() == b"x"
        with (disk / "made.txt").open("ab") as file:
            file.write(b"yz")
        watch.sees((ATTRIB, "made.txt"))
        album.sees((MODIFIED, "made.txt"))
        assert (point / "files/photos/2019/made.txt").stat().st_size == 3
        (disk / "made.txt").rename(disk / "moved.txt")
        album.sees((REMOVED, "made.txt"), (ADDED, "moved.txt"))
        (disk / "moved.txt").unlink()
        album.sees((REMOVED, "moved.txt"))
        (disk / "inner").mkdir()
        album.sees((ADDED, "inner"))
        (disk / "inner").rmdir()
        album.sees((REMOVED, "inner"))
        watch.sees((DELETE | DIRECTORY, "inner"))


def test_a_program_that_works_through_the_mount_is_seen_once(
    window: Callable[[str], Window], workshop: Any, point: Path
):
    album = window("files/photos/2019")
    folder = point / "files/photos/2019"
    with watched(folder) as watch:
        (folder / "made.txt").write_bytes(b"x")
        (folder / "made.txt").rename(folder / "moved.txt")
        (folder / "moved.txt").unlink()
        (folder / "inner").mkdir()
        (folder / "inner").rmdir()
        album.sees((ADDED, "made.txt"), (REMOVED, "moved.txt"), (REMOVED, "inner"))
        found: list[tuple[int, str]] = []
        while more := watch.read(0.5):
            found += more
    assert found == [
        (CREATE, "made.txt"),
        (MODIFY, "made.txt"),
        (CLOSE_WRITE, "made.txt"),
        (MOVED_FROM, "made.txt"),
        (MOVED_TO, "moved.txt"),
        (DELETE, "moved.txt"),
        (CREATE | DIRECTORY, "inner"),
        (DELETE | DIRECTORY, "inner"),
    ]


def test_smbclient_is_told_too(smb: Any, workshop: Any, until: Callable[..., float]):
    with smb.asking("notify by-date/2019/07") as output:
        time.sleep(1.0)  # it does not say when it has begun to listen
        workshop.add("new.jpg", taken="2019-07-20T10:00:00")
        until(lambda: "0001 new.jpg" in output.read_text(), BAR_S)


def test_a_flood_is_told_as_one_change_of_the_folder(
    window: Callable[[str], Window], workshop: Any, point: Path
):
    def flood(db: Any) -> None:
        db.execute("UPDATE asset SET file_id = NULL WHERE name LIKE 'F%'")

    for number in range(300):
        workshop.add(f"many/F{number:03}.jpg", taken="2019-07-21T00:00:00")
    time.sleep(0.5)
    with watched(point / "by-date/2019/07") as watch:
        workshop.catalog.write(flood)
        watch.sees((ATTRIB | DIRECTORY, ""))
        assert os.listdir(point / "by-date/2019/07") == ["IMG_0001.jpg", "IMG_0002.jpg"]


def test_only_the_helper_makes_names_that_are_not_there(point: Path):
    for command in (
        ["touch", "by-date/x.jpg"],
        ["mkdir", "by-date/soon"],
        ["rm", "by-date/2019/07/IMG_0001.jpg"],
    ):
        done = subprocess.run(command, cwd=point, capture_output=True, check=False)
        assert done.returncode != 0
    assert os.path.exists(point / "by-date/2019/07/IMG_0001.jpg")
