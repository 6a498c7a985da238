"""A small household library on a real disk, indexed for real: photographs that ship with scikit-image, a document."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
import skimage
import sklearn
from PIL import Image
from playwright.sync_api import sync_playwright

from havenfs import owner
from havenfs.catalog import Catalog, findings, sources, words
from havenfs.catalog.thumbnails import Thumbnails
from havenfs.config import SourceConfig, State
from havenfs.entities import Stage
from havenfs.extract.identify import identify
from havenfs.extract.visit import Visit, visit
from havenfs.ingest import identity, queue
from havenfs.ingest.scan import scan
from havenweb.app import create_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator

    from playwright.sync_api import Browser, Page
    from starlette.applications import Starlette

SKIMAGE = Path(skimage.__file__).parent / "data"
SKLEARN = Path(sklearn.__file__).parent / "datasets" / "images"
PHOTOS = {
    "2021-06 Garden/cat on the sofa.jpg": SKIMAGE / "chelsea.png",
    "2021-06 Garden/flower.jpg": SKLEARN / "flower.jpg",
    "2019 China/temple.jpg": SKLEARN / "china.jpg",
    "2019 China/coffee at the temple.jpg": SKIMAGE / "coffee.png",
    "Space/rocket.jpg": SKIMAGE / "rocket.jpg",
    "Space/astronaut.jpg": SKIMAGE / "astronaut.png",
    "horse.png": SKIMAGE / "horse.png",
}
NOTE = "Shopping list: oranges, lamp oil, a new temple guide.\n"


SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def write_originals(directory: Path) -> None:
    """The files of the household."""
    for name, picture in PHOTOS.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == picture.suffix:
            shutil.copyfile(picture, path)
        else:
            with Image.open(picture) as image:
                image.convert("RGB").save(path, "JPEG", quality=88)
    (directory / "shopping.txt").write_text(NOTE)
    (directory / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture any more")


def index(state: State, directory: Path) -> None:
    """What the indexer does, in this process and without the models."""
    stages = frozenset([Stage.METADATA, Stage.PREVIEW])
    with Catalog(state.catalog) as catalog, Thumbnails(state.thumbnails) as thumbnails:
        (source,) = catalog.write(sources.configure, [SourceConfig(name="family", root=directory)])
        scan(catalog, source)
        for file, root in catalog.read(queue.unidentified, besides=(), limit=100):
            found = identify(os.path.join(root, file.path))
            catalog.write(identity.settle, file, found)
        while jobs := catalog.read(queue.visits, besides=(), stages=stages, limit=10):
            for job in jobs:
                request = Visit(
                    path=os.path.join(job.root, job.path),
                    relative=job.path,
                    kind=job.kind,
                    mime=job.mime,
                    mtime_ns=job.mtime_ns,
                    stages=job.stages,
                )
                seen = visit(request, None)
                if seen.preview:
                    thumbnails.put(job.hash, seen.preview.small, seen.preview.large)
                catalog.write(findings.record, job.asset_id, job.hash, job.stages, seen)
                catalog.write(words.put, job.asset_id, name=words.name_words(os.fsdecode(job.path)))


def make(directory: Path) -> State:
    """A household of its own below *directory*: `originals` and `state`."""
    write_originals(directory / "originals")
    found = State(root=directory / "state")
    index(found, directory / "originals")
    return found


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    """An indexed library that all tests share: they only read it."""
    return make(tmp_path_factory.mktemp("household"))


@pytest.fixture
def own_state(tmp_path: Path) -> State:
    """An indexed library whose files in `originals` this test may change."""
    return make(tmp_path)


@pytest.fixture
async def app(state: State) -> AsyncIterator[Starlette]:
    """The program over that library, as it would be beside a mount."""
    found = create_app(state, mount=Path("/srv/haven"))
    async with found.router.lifespan_context(found):
        yield found


@pytest.fixture
def key(state: State) -> str:
    """The owner's key of that library."""
    return owner.key(state.owner_key)


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A client on the same machine."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8440") as found:
        yield found


@contextmanager
def serving(state: State, *options: str) -> Generator[str]:
    """The program over *state*, running on a free port: its address."""
    command = [sys.executable, "-X", "faulthandler", "-m", "havenweb", "--state", str(state.root)]
    with subprocess.Popen(
        [*command, "--http", "127.0.0.1:0", *options], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        yield process.stderr.readline().split()[-1]
        process.terminate()
        assert process.wait(20) == 0, process.stderr.read()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium of the system."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=SWITCHES)
        yield found
        found.close()


@pytest.fixture
def scheme() -> str:
    """The colour scheme that the browser prefers."""
    return "light"


@pytest.fixture
def page(browser: Browser, address: str, scheme: str) -> Iterator[Page]:
    """A fresh tab of the program at `address`, a fixture of whoever asks. Afterwards: nothing was asked of another machine and nothing was complained about."""
    context = browser.new_context(
        base_url=address, color_scheme="dark" if scheme == "dark" else "light", locale="en-GB"
    )
    found = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    found.on("request", lambda r: asked.append(r.url))
    found.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    found.on("pageerror", lambda e: complaints.append(str(e)))
    yield found
    context.close()
    assert asked
    assert {urlsplit(url).netloc for url in asked if not url.startswith("data:")} == {
        urlsplit(address).netloc
    }
    refused = tuple(
        f"status of {code}" for code in (400, 401, 409, 422)
    )  # Chromium logs each of them
    assert [text for text in complaints if not any(code in text for code in refused)] == []
