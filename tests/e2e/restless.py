"""A client that never rests, while servers die: DIRECTORY SECONDS KIND. Prints what it met as JSON.

Every operation must succeed and bring what it should; each is timed. Kinds: writes, reads, names, swaps, lists, keeps (files
open from before the first death to after the last).
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import random
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

EXCHANGE = 2  # of renameat2(2)
PAUSE_S = 0.005  # between rounds: who works, not who fights for the processor, is timed


class Diary:
    """What went wrong, and how long things took and when."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.operations = 0
        self.slow: list[tuple[float, float]] = []
        """(when it began, how long it took), of all that took more than 2 ms."""

    @contextmanager
    def entry(self, what: str) -> Generator[None]:
        """One operation."""
        began = time.monotonic()
        try:
            yield
        except (OSError, AssertionError) as error:
            self.errors.append(f"{what}: {error!r}")
        took = time.monotonic() - began
        self.operations += 1
        if took > 0.002:
            self.slow.append((began, took))


def writes(directory: Path, diary: Diary) -> Generator[None]:
    """Files are written in pieces, renamed into place, read back and deleted."""
    draw = random.Random(1)
    for n in range(1 << 30):
        path, final = directory / f"write-{n}.part", directory / f"write-{n % 7}"
        pieces = [draw.randbytes(draw.randrange(1, 70_000)) for _ in range(4)]
        with diary.entry("create"):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
        for piece in pieces:
            with diary.entry("write"):
                assert os.write(descriptor, piece) == len(piece)
        with diary.entry("fsync"):
            os.fsync(descriptor)
        with diary.entry("truncate"):
            os.ftruncate(descriptor, sum(map(len, pieces)) - 1)
        with diary.entry("close"):
            os.close(descriptor)
        with diary.entry("rename"):
            path.rename(final)
        with diary.entry("read back"):
            assert final.read_bytes() == b"".join(pieces)[:-1]
        with diary.entry("chmod"):
            final.chmod(0o600)
        if n % 3 == 0:
            with diary.entry("unlink"):
                final.unlink()
        yield


def reads(directory: Path, diary: Diary) -> Generator[None]:
    """What does not change is opened, read whole and in places."""
    names = [f"steady-{n}" for n in range(8)]
    for name in names:
        (directory / name).write_bytes(hashlib.shake_128(name.encode()).digest(300_000))
    draw = random.Random(2)
    while True:
        name = draw.choice(names)
        expected = hashlib.shake_128(name.encode()).digest(300_000)
        with diary.entry("read"):
            assert (directory / name).read_bytes() == expected
        with diary.entry("open"):
            descriptor = os.open(directory / name, os.O_RDONLY)
        with diary.entry("pread"):
            assert os.pread(descriptor, 5000, 123_456) == expected[123_456:128_456]
        with diary.entry("close"):
            os.close(descriptor)
        yield


def names(directory: Path, diary: Diary) -> Generator[None]:
    """Folders and links come, move and go; what is there once is refused a second time."""
    for n in range(1 << 30):
        folder, moved = directory / f"folder-{n}", directory / f"moved-{n}"
        with diary.entry("mkdir"):
            folder.mkdir()
        with diary.entry("mkdir again"):
            refused = False
            try:
                folder.mkdir()
            except FileExistsError:
                refused = True
            assert refused
        with diary.entry("touch"):
            (folder / "file").touch()
        with diary.entry("link"):
            (folder / "twin").hardlink_to(folder / "file")
        with diary.entry("symlink"):
            (folder / "pointer").symlink_to("file")
        with diary.entry("rename"):
            folder.rename(moved)
        with diary.entry("listing"):
            assert sorted(os.listdir(moved)) == ["file", "pointer", "twin"]
        with diary.entry("stat"):
            assert (moved / "twin").stat().st_nlink == 2
        for name in ("pointer", "twin", "file"):
            with diary.entry("unlink"):
                (moved / name).unlink()
        with diary.entry("rmdir"):
            moved.rmdir()
        with diary.entry("gone"):
            assert not moved.exists()
        yield


def swaps(directory: Path, diary: Diary) -> Generator[None]:
    """Two folders, and two files, change places each time, never not at all and never twice."""
    for name in ("one", "two"):
        (directory / name).mkdir()
        (directory / name / name).touch()
        (directory / f"file-{name}").write_text(name)
    rename = ctypes.CDLL(None, use_errno=True).renameat2
    standing = ["one", "two"]
    while True:
        standing.reverse()
        for kind in ("", "file-"):
            one, two = (os.fsencode(directory / f"{kind}{name}") for name in ("one", "two"))
            with diary.entry("exchange"):
                assert rename(-1, one, -1, two, EXCHANGE) == 0, os.strerror(ctypes.get_errno())
        with diary.entry("listing after an exchange"):
            assert [os.listdir(directory / name) for name in ("one", "two")] == [
                [name] for name in standing
            ]
        with diary.entry("reading after an exchange"):
            found = [(directory / f"file-{name}").read_text() for name in ("one", "two")]
            assert found == standing
        yield


def lists(directory: Path, diary: Diary) -> Generator[None]:
    """Long listings are complete and have nothing twice, in files/ and in the views."""
    (directory / "long").mkdir()
    expected = [f"entry-{n:04}-{'x' * 200}" for n in range(300)]  # many messages for one listing
    for name in expected:
        (directory / "long" / name).touch()
    draw = random.Random(3)
    views = directory.parents[2]
    shown = sorted(os.listdir(views / "by-date/2019/07"))
    while True:
        with diary.entry("long listing"):
            assert sorted(os.listdir(directory / "long")) == expected
        for name in draw.sample(expected, 5):
            with diary.entry("stat"):
                assert not (directory / "long" / name).stat().st_size
        with diary.entry("view"):
            assert sorted(os.listdir(views / "by-date/2019/07")) == shown
        for name in shown:
            with diary.entry("view stat"):
                assert (views / "by-date/2019/07" / name).stat().st_size
        with diary.entry("missing"):
            assert not (views / "by-date/2019/07/none.jpg").exists()
        yield


def keeps(directory: Path, diary: Diary) -> Generator[None]:
    """One file is appended to, one read, one is deleted and still used, one is locked: all by the same descriptors."""
    log = os.open(directory / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    (directory / "kept").write_bytes(bytes(range(256)) * 1000)
    kept = os.open(directory / "kept", os.O_RDONLY)
    nameless = os.open(directory / "nameless", os.O_RDWR | os.O_CREAT, 0o644)
    (directory / "nameless").unlink()
    view = directory.parents[2] / "by-date/2019/07"
    shown = os.open(view / sorted(os.listdir(view))[0], os.O_RDONLY)
    first = os.pread(shown, 1 << 20, 0)
    n = 0
    try:
        for n in range(1 << 30):
            with diary.entry("append"):
                assert os.write(log, b"%06d\n" % n) == 7
            with diary.entry("kept read"):
                assert os.pread(kept, 256, 256 * (n % 1000)) == bytes(range(256))
            with diary.entry("nameless write"):
                assert os.pwrite(nameless, b"%06d\n" % n, 7 * n) == 7
            with diary.entry("nameless size"):
                assert os.fstat(nameless).st_size == 7 * (n + 1)
            with diary.entry("shown"):
                assert os.pread(shown, 1 << 20, 0) == first
            yield
    finally:
        written = n + 1
        expected = b"".join(b"%06d\n" % m for m in range(written))
        with diary.entry("the whole log"):
            assert (directory / "log").read_bytes() == expected
        with diary.entry("the whole nameless"):
            assert os.pread(nameless, 7 * written + 1, 0) == expected
        for descriptor in (log, kept, nameless, shown):
            with diary.entry("close"):
                os.close(descriptor)


KINDS: dict[str, Callable[[Path, Diary], Generator[None]]] = {
    f.__name__: f for f in (writes, reads, names, swaps, lists, keeps)
}


def main() -> None:
    directory, seconds, kind = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    diary = Diary()
    work = KINDS[kind](directory, diary)
    next(work)  # what it takes to begin
    diary.slow.clear()
    print("ready", flush=True)
    sys.stdin.readline()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        next(work)
        time.sleep(PAUSE_S)
    work.close()
    print(json.dumps({"errors": diary.errors, "operations": diary.operations, "slow": diary.slow}))


if __name__ == "__main__":
    main()
