"""A person's own folder: the real photographs that ship inside scikit-image and scikit-learn, indexed as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import skimage
import sklearn
from PIL import Image

from havend import report
from havenfs.catalog import Catalog, assets, browse
from havenfs.catalog.thumbnails import Thumbnails
from havenfs.config import State
from havenfs.entities import AssetId, Stage

FOLDERS = {
    "scikit-image": Path(skimage.__file__).parent / "data",
    "scikit-learn": Path(sklearn.__file__).parent / "datasets" / "images",
}
PICTURES = {".png", ".jpg", ".gif", ".tif"}
STACK = b"scikit-image/multipage_rgb.tif"  # floats in colour: Pillow knows no such TIFF


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both folders with everything that lies in them, code and arrays too."""
    root = tmp_path_factory.mktemp("photographs") / "Pictures"
    for name, data in FOLDERS.items():
        shutil.copytree(data, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture(scope="module")
def state(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> State:
    """The folder, indexed by the real command."""
    state = State(root=tmp_path_factory.mktemp("state"))
    subprocess.run(
        [
            sys.executable,
            "-m",
            "havend",
            "index",
            "run",
            "--once",
            "--source",
            folder,
            "--state",
            state.root,
        ],
        check=True,
        timeout=110,
    )
    return state


def pictures(folder: Path) -> set[bytes]:
    return {os.fsencode(p.relative_to(folder)) for p in folder.rglob("*") if p.suffix in PICTURES}


def indexed(state: State) -> dict[bytes, AssetId]:
    with Catalog(state.catalog) as catalog:
        shown = catalog.read(browse.assets, (browse.Condition("photo"),))
    return {asset.path: asset.id for asset in shown}


def test_every_photograph_is_shown(folder: Path, state: State):
    assert len(pictures(folder)) > 30
    assert set(indexed(state)) == pictures(folder)


def test_every_photograph_has_a_preview_of_its_shape(folder: Path, state: State):
    with Catalog(state.catalog) as catalog, Thumbnails(state.thumbnails) as thumbnails:
        for path, asset_id in indexed(state).items():
            if path == STACK:
                continue
            asset = catalog.read(assets.get, asset_id)
            with Image.open(folder / os.fsdecode(path)) as original:
                assert (asset.width, asset.height) == original.size, path
            assert len(thumbnails.get(asset.hash, 256)) > 40, path


def test_every_photograph_can_be_searched(folder: Path, state: State):
    status = report.status(state)
    assert status.finished
    assert status.progress.stages[Stage.EMBED].done == len(pictures(folder))
    assert not status.trouble


def test_the_scanned_page_is_found_by_its_words(state: State):
    found = report.search(state, "'segmentation'", 10)
    assert "page.png" in {asset.name for _, asset, _ in found.hits}


def test_the_picture_of_the_sky_is_found_by_what_it_shows(state: State):
    found = report.search(state, "night sky type:photo", 20)
    assert {"rocket.jpg", "hubble_deep_field.jpg"} & {asset.name for _, asset, _ in found.hits}
