"""The indexer, whole: real files, real workers, real kills."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import trio
from PIL import Image, ImageDraw

from havend import indexer, scanner
from havend.requeue import requeue
from havenfs import standing
from havenfs.catalog import Catalog, jobs, progress
from havenfs.catalog.thumbnails import Thumbnails
from havenfs.config import Budget, SourceConfig, State
from havenfs.decisions import Keeper, values
from havenfs.entities import ModelId, Stage
from havenfs.errors import ConfigError
from havenfs.settings import Indexing, Quiet, Span
from tests.conftest import agree

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from pathlib import Path


class Home:
    """A folder of originals and a state directory."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "photos"
        self.root.mkdir()
        self.state = State(root=tmp_path / "state")
        self.sources = [SourceConfig(name="photos", root=self.root)]

    def photo(self, path: str, seed: int = 0, size: int = 320) -> Path:
        rng = random.Random(seed)
        image = Image.new("RGB", (size, size * 3 // 4), tuple(rng.randrange(256) for _ in range(3)))
        draw = ImageDraw.Draw(image)
        for _ in range(6):
            x, y = rng.randrange(size // 2), rng.randrange(size // 2)
            draw.ellipse(
                (x, y, x + size // 3, y + size // 3),
                fill=tuple(rng.randrange(256) for _ in range(3)),
            )
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        image.save(target)
        os.utime(target, (1_500_000_000 + seed, 1_500_000_000 + seed))
        return target

    async def once(self, **options: Any) -> None:
        with trio.fail_after(90):
            await indexer.run(
                self.state, self.sources, once=True, options=indexer.Options(**options)
            )

    def rows(self, statement: str) -> list[Any]:
        catalog = Catalog(self.state.catalog)
        try:
            return catalog.read(lambda db: list(db.execute(statement)))
        finally:
            catalog.close()

    def shown(self) -> dict[str, str]:
        """Path -> name of every asset that views show."""
        return {row[0].decode(): row[1] for row in self.rows("SELECT path, name FROM visible")}

    def jobs(self) -> dict[tuple[str, str], tuple[str, str | None]]:
        """(name, stage) -> (state, reason)."""
        return {
            (row[0], row[1]): (row[2], row[3])
            for row in self.rows(
                "SELECT a.name, j.stage, j.state, j.reason FROM job j JOIN asset a ON a.id = j.asset_id"
            )
        }

    def idle(self) -> bool:
        with Catalog(self.state.catalog) as catalog:
            return catalog.read(progress.progress).idle

    def everything(self) -> list[Any]:
        """What an indexed library comes to, without ids and times of day."""
        return (
            self.rows("SELECT path, size, state, reason, hex(hash) FROM file ORDER BY path")
            + self.rows(
                "SELECT hex(hash), kind, mime, taken_local, taken_source, width, height, hex(thumbhash), phash"
                " FROM asset ORDER BY hash"
            )
            + self.rows(
                "SELECT hex(a.hash), j.stage, j.state, j.reason, j.model FROM job j"
                " JOIN asset a ON a.id = j.asset_id ORDER BY a.hash, j.stage"
            )
            + self.rows(
                "SELECT hex(a.hash), e.frame_ms, hex(e.vector) FROM embedding e"
                " JOIN asset a ON a.id = e.asset_id ORDER BY a.hash, e.frame_ms"
            )
            + self.rows("SELECT document FROM words ORDER BY document")
        )

    @asynccontextmanager
    async def running(self, **options: Any) -> AsyncGenerator[None]:
        """The indexer, watching."""
        async with trio.open_nursery() as nursery:
            await nursery.start(
                partial(indexer.run, self.state, self.sources, options=indexer.Options(**options))
            )
            yield
            nursery.cancel_scope.cancel()

    async def until(self, holds: Callable[[], bool], within_s: float = 30) -> None:
        with trio.fail_after(within_s):
            while not holds():
                await trio.sleep(0.1)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    if made.state.catalog.exists():
        with Catalog(made.state.catalog) as catalog:
            agree(catalog)


async def test_a_folder_is_indexed_from_end_to_end(home: Home) -> None:
    for i in range(4):
        home.photo(f"2017/p{i}.jpg", i)
    home.photo("other/p0.jpg", 99)
    (home.root / "copy.jpg").write_bytes((home.root / "2017/p1.jpg").read_bytes())
    (home.root / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(3000))
    (home.root / "notes.txt").write_text("the quarterly report about badgers\n")
    (home.root / "program.bin").write_bytes(bytes(range(256)))
    (home.root / "empty.jpg").touch()
    await home.once()
    shown = home.shown()
    assert {
        "2017/p0.jpg",
        "2017/p2.jpg",
        "2017/p3.jpg",
        "other/p0.jpg",
        "notes.txt",
        "broken.jpg",
    } <= set(shown)
    assert len(shown) == 7  # the copy is no asset of its own
    assert {name.partition("~")[0] for name in (shown["2017/p0.jpg"], shown["other/p0.jpg"])} <= {
        "p0.jpg",
        "p0",
    }
    done = home.jobs()
    assert done["p3.jpg", "preview"] == ("done", None)
    assert done["p3.jpg", "embed"] == ("done", None)
    assert done["p3.jpg", "text"][0] == "skipped"
    assert done["notes.txt", "text"] == ("done", None)
    assert done["broken.jpg", "preview"][0] == "failed"
    assert not [key for key, (state, _) in done.items() if state == "queued"]
    assert home.rows("SELECT rowid FROM words WHERE words MATCH 'document : badgers'")
    (content,) = home.rows("SELECT hash FROM asset WHERE name = 'p3.jpg'")[0]
    with Thumbnails(home.state.thumbnails) as thumbnails:
        assert thumbnails.get(content, 256)[:4] == b"RIFF"
        assert thumbnails.get(content, 1440)[8:12] == b"WEBP"
    with Catalog(home.state.catalog) as catalog:
        now = catalog.read(progress.progress)
        assert (now.files, now.assets, now.failed, now.idle, now.eta_s) == (9, 7, 1, True, 0.0)
        assert now.stages[Stage.EMBED].done == 5
        trouble = {t.path: t.reason for t in catalog.read(progress.trouble)}
    assert set(trouble) == {b"broken.jpg", b"empty.jpg"}
    assert trouble[b"empty.jpg"] == "the file is empty"


async def test_two_indexers_do_not_share_a_state_directory(home: Home) -> None:
    home.state.root.mkdir()
    with (
        indexer.locked(home.state),
        pytest.raises(ConfigError, match="another indexer is running"),
    ):
        await indexer.run(home.state, home.sources, once=True)
    await home.once()


PROGRAM = """
import sys, trio
from functools import partial
from pathlib import Path
from havend import indexer, scanner
from havenfs.config import SourceConfig, State
trio.run(partial(indexer.run, State(root=Path(sys.argv[1])), [SourceConfig(name="photos", root=Path(sys.argv[2]))],
                 once=True))
"""


async def test_an_indexer_that_is_killed_again_and_again_ends_with_the_same_library(
    home: Home, tmp_path: Path
) -> None:
    for i in range(10):
        home.photo(f"d{i % 3}/p{i}.jpg", i)
    (home.root / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(3000))
    (home.root / "notes.txt").write_text("badgers")
    rng = random.Random(5)
    command = [sys.executable, "-c", PROGRAM, str(home.state.root), str(home.root)]
    for _ in range(3):
        process = subprocess.Popen(command, start_new_session=True)
        try:
            process.wait(rng.uniform(0.6, 2.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    await home.once()
    calm = Home(tmp_path.joinpath("calm").mkdir() or tmp_path / "calm")
    calm.root.rmdir()
    home.root.rename(calm.root)
    await calm.once()
    assert home.everything() == calm.everything()


async def test_a_file_that_kills_its_worker_twice_is_left_alone_and_the_others_are_not(
    home: Home,
) -> None:
    for i in range(4):
        home.photo(f"p{i}.jpg", i)
    huge = home.root / "huge.png"
    Image.new("RGB", (7800, 6000)).save(huge, compress_level=1)  # takes most of a second to decode
    os.utime(huge, (1_600_000_000, 1_600_000_000))
    killed = 0

    async def assassin() -> None:
        """Kill whichever process has this very file open for decoding."""
        nonlocal killed
        while killed < 2:
            await trio.sleep(0.01)
            if not home.state.catalog.exists():
                continue
            for pid in _workers():
                if _reads(pid, huge) and home.rows(
                    "SELECT 1 FROM job j JOIN asset a ON a.id = j.asset_id WHERE a.name = 'huge.png'"
                    " AND j.stage = 'metadata' AND j.state = 'done'"
                ):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                    await trio.sleep(0.3)
                    break

    async with trio.open_nursery() as nursery:
        nursery.start_soon(assassin)
        await home.once()
        nursery.cancel_scope.cancel()
    assert killed == 2
    done = home.jobs()
    state, reason = done["huge.png", "preview"]
    assert state == "failed"
    assert reason == "crashed the decoder twice (ended by SIGKILL)"
    assert {done[f"p{i}.jpg", "preview"] for i in range(4)} == {("done", None)}


def _workers() -> list[int]:
    me = str(os.getpid())
    found: list[int] = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parent = file.read().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if parent == me:
                found.append(int(name))
    return found


def _reads(pid: int, path: Path) -> bool:
    try:
        return any(
            os.readlink(f"/proc/{pid}/fd/{number}") == str(path)
            for number in os.listdir(f"/proc/{pid}/fd")
        )
    except OSError:
        return False


async def test_what_happens_to_files_is_noticed_while_it_runs(home: Home) -> None:
    home.photo("a.jpg", 1)
    home.photo("b.jpg", 2)
    async with home.running():
        await home.until(lambda: set(home.shown()) == {"a.jpg", "b.jpg"})
        before = dict(home.rows("SELECT path, id FROM visible"))
        home.photo("new/deep/c.jpg", 3)
        os.rename(home.root / "a.jpg", home.root / "new" / "moved.jpg")
        (home.root / "b.jpg").unlink()
        with open(os.path.join(os.fsencode(home.root), b"caf\xe9.txt"), "wb") as file:
            file.write(b"badgers drink coffee")
        paths = {b"new/deep/c.jpg", b"new/moved.jpg", b"caf\xe9.txt"}
        await home.until(lambda: set(dict(home.rows("SELECT path, id FROM visible"))) == paths)
        after = dict(home.rows("SELECT path, id FROM visible"))
        assert after[b"new/moved.jpg"] == before[b"a.jpg"]
        content = home.rows("SELECT hash FROM visible WHERE path = x'6e65772f646565702f632e6a7067'")
        home.photo("new/deep/c.jpg", 4)
        await home.until(
            lambda: (
                home.rows("SELECT hash FROM visible WHERE path = x'6e65772f646565702f632e6a7067'")
                != content
            )
        )
        assert dict(home.rows("SELECT path, id FROM visible")) == after
        await home.until(home.idle)


async def test_an_unplugged_disk_hides_its_photos_and_brings_them_back(home: Home) -> None:
    home.photo("x/a.jpg", 1)
    async with home.running():
        await home.until(lambda: bool(home.shown()))
        before = home.rows("SELECT id, name, path FROM visible")
        home.root.rename(home.root.with_name("unplugged"))
        await home.until(lambda: not home.shown())
        assert home.rows("SELECT count(*) FROM file") == [(1,)]
        home.root.with_name("unplugged").rename(home.root)
        await home.until(lambda: home.rows("SELECT id, name, path FROM visible") == before)
        home.photo("x/b.jpg", 2)  # and is watched again
        await home.until(lambda: set(home.shown()) == {"x/a.jpg", "x/b.jpg"})


async def test_pictures_are_embedded_again_when_another_model_did_it(home: Home) -> None:
    home.photo("a.jpg", 1)
    await home.once()
    with Catalog(home.state.catalog) as catalog:
        ((model,),) = home.rows("SELECT model FROM job WHERE stage = 'embed'")
        catalog.write(lambda db: db.execute("UPDATE job SET model = 'old@1' WHERE stage = 'embed'"))
        assert requeue(catalog, Stage.EMBED, model) == 1
        assert requeue(catalog, Stage.EMBED, model) == 0
    await home.once()
    assert home.rows("SELECT state, model FROM job WHERE stage = 'embed'") == [("done", model)]


async def test_a_stage_is_queued_again_a_few_assets_at_a_time_and_for_all_of_them(
    home: Home,
) -> None:
    for number in range(5):
        home.photo(f"{number}.jpg", number)
    await home.once()
    with Catalog(home.state.catalog) as catalog:
        assert requeue(catalog, Stage.EMBED, ModelId("new@1"), step=2) == 5
        assert requeue(catalog, Stage.EMBED, ModelId("new@1"), step=2) == 0
    assert home.rows("SELECT count(*) FROM job WHERE stage = 'embed' AND state = 'queued'") == [
        (5,)
    ]


async def test_a_question_of_text_is_answered_at_the_socket_of_the_owner(home: Home) -> None:
    home.state.root.mkdir()
    home.state.encoder.touch()  # what a dead process left
    async with home.running():
        assert oct(home.state.encoder.stat().st_mode)[-3:] == "600"
        lines = [b'{"text": "a dog on a beach"}\n', b'{"text": "snow"}\n', b"nonsense\n"]
        answer = await trio.to_thread.run_sync(_ask, home.state.encoder, lines)
        first, second, third = map(json.loads, answer)
        assert first["model"] == second["model"]
        vector = np.frombuffer(base64.b64decode(first["vector"]), "<f4")
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-3)
        assert first["vector"] != second["vector"]
        assert "not a question" in third["error"]
    assert not home.state.encoder.exists()


def _ask(path: Path, lines: list[bytes]) -> list[bytes]:
    directory = os.open(path.parent, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(f"/proc/self/fd/{directory}/{path.name}")
            answers = client.makefile("rb")
            found = []
            for line in lines:
                client.sendall(line)
                found.append(answers.readline())
            answers.close()
            return found
    finally:
        os.close(directory)


ALWAYS = Indexing(quiet=Quiet((Span(0, 0),)))


async def test_in_quiet_hours_only_what_somebody_has_just_put_here_is_looked_at(home: Home) -> None:
    home.photo("a.jpg", 1)
    await home.once()
    home.photo("b.jpg", 2)
    async with home.running(indexing=ALWAYS):
        await home.until(lambda: home.rows("SELECT count(*) FROM file") == [(2,)])
        await trio.sleep(1)
        assert set(home.shown()) == {"a.jpg"}  # the other waits, even to be hashed
        found = await trio.to_thread.run_sync(standing.ask, home.state.standing)
        assert found is not None
        assert (found.budget, found.waits and found.waits[:18]) == (
            "balanced",
            "quiet hours until ",
        )
        with Catalog(home.state.catalog) as catalog:

            def put_here(db: Any) -> None:
                ((asset,),) = db.execute("SELECT id FROM asset WHERE name = 'a.jpg'")
                jobs.enqueue(db, asset, [Stage.METADATA, Stage.PREVIEW], priority=0)
                jobs.hasten(db, asset)

            catalog.write(put_here)
        await home.until(lambda: home.jobs()["a.jpg", "preview"][0] == "done")
    assert standing.ask(home.state.standing) is None


async def test_settings_that_change_count_without_a_restart(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(indexer, "OWNER_S", 0.1)
    said: list[Indexing | ConfigError] = [ALWAYS]

    def again() -> Indexing:
        if isinstance(said[-1], ConfigError):
            raise said[-1]
        return said[-1]

    home.photo("a.jpg", 1)
    async with home.running(indexing=ALWAYS, again=again):
        await trio.sleep(1)
        assert not home.shown()
        said.append(ConfigError("havenfs.toml, line 3: nonsense"))
        await home.until(lambda: "line 3: nonsense; what was set before goes on" in caplog.text)
        said.append(Indexing(budget=Budget.FULL))
        await home.until(lambda: bool(home.shown()) and home.idle())
        found = await trio.to_thread.run_sync(standing.ask, home.state.standing)
        assert found is not None
        assert (found.budget, found.waits) == ("full", None)


async def test_the_scan_that_comes_round_lets_a_sleeping_disk_sleep(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep = True
    scans = 0
    real = scanner.scan

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal scans
        scans += 1
        return real(*arguments, **options)

    monkeypatch.setattr(scanner, "GUARD_S", 0.1)
    monkeypatch.setattr(scanner, "scan", counted)

    def told(_self: scanner.Disks, _root: bytes, _device: int) -> bool:
        return asleep

    monkeypatch.setattr(scanner.Disks, "asleep", told)
    home.photo("a.jpg", 1)
    async with home.running(rescan_s=0.5):
        await home.until(lambda: bool(home.shown()) and home.idle())
        before = scans
        await trio.sleep(2)
        assert scans == before
        asleep = False  # somebody looks at a photo
        await home.until(lambda: scans > before)


def test_the_indexer_leaves_no_process_behind_when_it_is_killed(home: Home) -> None:
    for i in range(30):
        home.photo(f"p{i}.jpg", i, size=1600)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home.state.root), str(home.root)]
    )
    deadline = time.monotonic() + 30
    children: list[int] = []
    while not children and time.monotonic() < deadline:
        time.sleep(0.05)
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
            children = [int(pid) for pid in file.read().split()]
    time.sleep(0.3)
    process.kill()
    process.wait()
    assert children
    while any(_alive(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in children if _alive(pid)]


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_what_is_decided_is_placed_and_written_and_is_no_fact_of_the_file(home: Home) -> None:
    home.sources = [SourceConfig(name="photos", root=home.root, writable=True)]
    beside = home.photo("a.png").with_name("a.png.xmp")
    await home.once()
    (content,) = home.rows("SELECT hash FROM asset")[0]
    every = (content,)
    with Catalog(home.state.catalog) as catalog:
        keeper = Keeper(catalog, home.state.journal)
        keeper.decide(values.SetRating(contents=every, stars=4), by="me")
        keeper.decide(values.SetCaption(contents=every, body="Nelly"), by="me")
        keeper.decide(values.SetDate(contents=every, local=549_000_000), by="me")
        keeper.decide(values.SetPosition(contents=every, position=(50.73, 7.1)), by="me")
    await home.once()
    assert home.rows("SELECT p.name FROM visible v JOIN place p ON p.id = v.place_id") == [
        ("Bonn",)
    ]
    assert b"Nelly" in beside.read_bytes()
    inode = beside.stat().st_ino
    for _ in range(2):  # the sidecar is seen, and read with the picture
        await home.once()
    assert home.rows("SELECT rating, caption, latitude, taken_source FROM as_found") == [
        (None, None, None, "mtime")
    ]
    assert beside.stat().st_ino == inode
    with Catalog(home.state.catalog) as catalog:
        keeper = Keeper(catalog, home.state.journal)
        for operation, _ in keeper.last():
            keeper.revert(operation.id, by="me")
    await home.once()
    assert b"Nelly" not in beside.read_bytes()
    await home.once()
    assert home.rows("SELECT rating, caption, latitude, taken_source FROM asset") == [
        (None, None, None, "mtime")
    ]
    assert home.rows("SELECT count(*) FROM unsaid") == [(0,)]
