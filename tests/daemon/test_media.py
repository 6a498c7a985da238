"""Files as phones, cameras and exports leave them, indexed by the real command and looked at as a person would."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import av
import numpy as np
import pillow_jxl
import pytest
from PIL import Image

from havend import report
from havenfs.catalog import Catalog, browse, stacks
from havenfs.catalog.browse import ALL_FILES, Condition
from havenfs.catalog.thumbnails import Thumbnails
from havenfs.config import State
from havenfs.sample import scenes

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.entities import Asset

assert pillow_jxl  # importing it teaches Pillow to write JPEG XL
DULL = scenes.Scene(settings=("room",), things=(), colours=(), count=1, light="day")
TOLD = scenes.Scene(settings=("beach",), things=("dog",), colours=("brown",), count=1, light="day")


def draw(scene: scenes.Scene, seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    return scenes.draw(scene, *size, np.random.default_rng(seed))


def film(path: Path, pictures: list[Image.Image], seconds: float) -> None:
    """Each picture for an equal part of the time."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = *pictures[0].size, "yuv420p"
        stream.options = {"preset": "ultrafast", "threads": "1"}
        count = round(seconds * 10)
        for index in range(count):
            shown = pictures[index * len(pictures) // count]
            for packet in stream.encode(av.VideoFrame.from_image(shown)):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def fill(root: Path) -> None:
    root.mkdir()
    # nine tenths of it are a room
    film(root / "party.mp4", [draw(DULL, 1)] * 5 + [draw(TOLD, 2)] + [draw(DULL, 1)] * 4, 20)
    for seed in range(12):
        draw(scenes.random_scene(np.random.default_rng(seed + 50)), seed).save(
            root / f"other {seed}.jpg"
        )
    draw(DULL, 3).save(root / "IMG_0007.JPG")
    film(root / "IMG_0007.MOV", [draw(DULL, 3), draw(DULL, 4)], 2)
    draw(DULL, 5).save(root / "trip.jpg")
    draw(DULL, 5).convert("L").save(root / "trip-edited.jpg")
    body = {
        "title": "trip.jpg",
        "photoTakenTime": {"timestamp": "1563092100"},
        "description": "By the tower",
    }
    (root / "trip.jpg.supplemental-metadata.json").write_text(json.dumps(body))
    (root / "notes.txt").write_text("Packing list\nPassports and umbrellas")
    draw(DULL, 6).save(root / "new.jxl", "JXL")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    root = tmp_path_factory.mktemp("media") / "Pictures"
    fill(root)
    state = State(root=tmp_path_factory.mktemp("state"))
    command = [sys.executable, "-m", "havend", "index", "run", "--once", "--source", root]
    subprocess.run([*command, "--state", state.root], check=True, timeout=110)
    return state


def shown(state: State, *conditions: Condition) -> dict[str, Asset]:
    with Catalog(state.catalog) as catalog:
        return {asset.name: asset for asset in catalog.read(browse.assets, conditions)}


def test_nothing_went_wrong(state: State):
    assert report.status(state).finished
    assert not report.status(state).trouble


def test_a_video_is_found_by_what_only_its_middle_shows(state: State):
    found = report.search(state, "a dog on the beach type:video", 5)
    assert [asset.name for _, asset, _ in found.hits][:1] == ["party.mp4"]
    everything = [asset.name for _, asset, _ in report.search(state, "a dog on the beach", 5).hits]
    assert "party.mp4" in everything[:3]


def test_a_video_has_a_strip(state: State):
    with Thumbnails(state.thumbnails) as thumbnails:
        strip = thumbnails.strip(shown(state)["party.mp4"].hash)
    with Image.open(io.BytesIO(strip)) as image:
        assert image.size == (12 * 160, 120)


def test_stacks_show_one_of_their_files(state: State):
    names = set(shown(state))
    assert {"IMG_0007.JPG", "trip-edited.jpg"} <= names
    assert names.isdisjoint({"IMG_0007.MOV", "trip.jpg"})
    assert set(shown(state, Condition("live"))) == {"IMG_0007.JPG"}
    assert {"IMG_0007.MOV", "trip.jpg"} <= set(shown(state, Condition(ALL_FILES)))
    with Catalog(state.catalog) as catalog:
        (mate,) = catalog.read(stacks.of, shown(state)["trip-edited.jpg"].id)
    assert (mate.name, mate.role.value) == ("trip.jpg", "original")


def test_takeouts_record_dates_both_copies(state: State):
    everything = shown(state, Condition(ALL_FILES))
    sources = [everything[name].taken_source for name in ("trip.jpg", "trip-edited.jpg")]
    assert [source and source.value for source in sources] == ["takeout", "takeout"]


def test_documents_and_new_formats_can_be_seen(state: State):
    with Thumbnails(state.thumbnails) as thumbnails:
        for name in ("notes.txt", "new.jxl"):
            assert len(thumbnails.get(shown(state)[name].hash, 256)) > 100
