"""The mount's side of arrivals, with real catalogs in real trouble, and the bell that wakes the indexer."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
import trio

from havend import arrivals, bell
from havend.arrivals import Arrivals
from havend.bell import Bell
from havenfs.catalog import Catalog, sources
from havenfs.config import SourceConfig, State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JPEG = b"\xff\xd8\xff\xe0"


class Home:
    """A writable source, and the observer of a mount."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "photos"
        self.root.mkdir()
        self.state = State(root=tmp_path / "state")
        self.catalog = Catalog(self.state.catalog)
        (self.source,) = self.catalog.write(
            sources.configure, [SourceConfig(name="photos", root=self.root, writable=True)]
        )
        self.told = 0
        self.arrivals = Arrivals(self.catalog, self.state)
        self.arrivals.told = self.tell

    def tell(self) -> None:
        self.told += 1

    def put(self, path: str, content: bytes = JPEG + b"A") -> None:
        (self.root / path).write_bytes(content)
        self.arrivals.written(self.source, path.encode())

    def shown(self) -> set[str]:
        return set(
            self.catalog.read(
                lambda db: [os.fsdecode(path) for (path,) in db.execute("SELECT path FROM visible")]
            )
        )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    made.arrivals.close()
    made.catalog.close()


def test_who_remembers_the_library_is_told_of_changes_and_of_nothing_else(home: Home) -> None:
    home.put("a.jpg")
    assert home.told == 1
    home.put("b.bin", bytes(100))
    assert home.told == 1
    (home.root / "a.jpg").rename(home.root / "c.jpg")
    home.arrivals.renamed(home.source, b"a.jpg", home.source, b"c.jpg", directory=False)
    assert (home.told, home.shown()) == (2, {"c.jpg"})
    (home.root / "c.jpg").unlink()
    home.arrivals.removed(home.source, b"c.jpg", directory=False)
    assert (home.told, home.shown()) == (3, set())


def test_a_catalog_held_by_somebody_makes_nothing_fail_waits_once_and_complains_once(
    home: Home, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "PATIENCE_MS", 300)
    with Catalog(home.state.catalog) as other:
        other.connection().execute("BEGIN IMMEDIATE")
        with caplog.at_level(logging.WARNING):
            started = time.monotonic()
            for i in range(50):
                home.put(f"{i}.jpg", JPEG + b"%d" % i)
            assert 0.3 <= time.monotonic() - started < 0.9
        other.connection().execute("ROLLBACK")
    assert len(caplog.records) == 1
    assert "cannot be written" in caplog.text
    assert home.shown() == set()
    home.put("50.jpg", JPEG + b"50")
    assert home.shown() == {"50.jpg"}


@pytest.mark.skipif(os.getuid() != 0, reason="mounting a small disk is for root")
def test_a_catalog_on_a_full_disk_makes_nothing_fail(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "small", tmp_path / "state"], check=True
    )
    try:
        home = Home(tmp_path)
        try:
            with pytest.raises(OSError, match="No space"):
                (home.state.root / "ballast").write_bytes(bytes(2 << 20))
            for i in range(20):
                home.put(f"{i}.jpg", JPEG + b"%d" % i)
            assert len(caplog.records) == 1
            (home.state.root / "ballast").unlink()
            home.put("late.jpg", JPEG + b"late")
            assert "late.jpg" in home.shown()
        finally:
            home.arrivals.close()
            home.catalog.close()
    finally:
        subprocess.run(["umount", tmp_path / "state"], check=True)


def test_a_disk_that_is_away_makes_nothing_fail(home: Home) -> None:
    home.put("a.jpg")
    home.root.rename(home.root.with_name("unplugged"))
    home.arrivals.written(home.source, b"a.jpg")
    home.arrivals.written(home.source, b"x/b.jpg")
    assert home.shown() == {"a.jpg"}


async def test_the_bell_wakes_who_listens(home: Home) -> None:
    with bell.listening(home.state.bell) as ringing, trio.fail_after(5):
        for name in ("a.jpg", "b.jpg"):
            home.put(name, JPEG + name.encode())
            await trio.lowlevel.wait_readable(ringing)
            bell.heard(ringing)
            with trio.move_on_after(0.05) as silence:
                await trio.lowlevel.wait_readable(ringing)
            assert silence.cancelled_caught


async def test_ringing_waits_for_nobody_and_reaches_the_next_listener(tmp_path: Path) -> None:
    rope = Bell(tmp_path / "bell")
    rope.ring()  # nobody has ever listened
    (tmp_path / "bell").write_text("a plain file is in the way")
    rope.ring()
    assert (tmp_path / "bell").read_text() == "a plain file is in the way"
    with bell.listening(tmp_path / "bell"):
        assert stat.S_IMODE((tmp_path / "bell").stat().st_mode) == 0o600
        started = time.monotonic()
        for _ in range(70_000):  # more than a pipe holds
            rope.ring()
        assert time.monotonic() - started < 5
    rope.ring()  # nobody listens any more
    with bell.listening(tmp_path / "bell") as ringing, trio.fail_after(5):
        rope.ring()
        await trio.lowlevel.wait_readable(ringing)
    rope.close()
