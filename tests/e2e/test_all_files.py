"""@all-files over a mount: RAW, JPEG and their sidecars together, with the bytes and times that they have on disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from havenfs.sample import raw, scenes
from havenfs.sample.shots import FEATURED

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.fuse


def packet(caption: str) -> str:
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>
<rdf:li xml:lang="x-default">{caption}</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A RAW, its JPEG, a sidecar of each and one of nobody, indexed by the real command."""
    root = tmp_path / "photos"
    root.mkdir()
    picture = scenes.draw(FEATURED[0], 320, 240, np.random.default_rng(1))
    picture.save(root / "IMG_1.jpg")
    moment = datetime(2020, 5, 1, 12)  # noqa: DTZ001 -- a camera's clock
    (root / "IMG_1.DNG").write_bytes(raw.dng(picture, "Canon", "EOS", moment, 100))
    (root / "IMG_1.xmp").write_text(packet("developed"))
    (root / "IMG_1.jpg.xmp").write_text(packet("as it came"))
    (root / "IMG_2.jpg.xmp").write_text(packet("of nobody"))
    os.utime(root / "IMG_1.xmp", (1_600_000_000, 1_600_000_000))
    command = [sys.executable, "-m", "havend", "index", "run", "--once"]
    command += ["--source", str(root), "--state", str(tmp_path / "state")]
    subprocess.run(command, check=True, timeout=120)
    return root


def test_a_stack_can_be_copied_out_whole(library: Path, tmp_path: Path, serve: Any):
    with serve(tmp_path / "state", tmp_path / "mnt") as mount:
        shown = mount.point / "types/photos"
        assert os.listdir(shown) == ["IMG_1.jpg"]
        everything = shown / "@all-files"
        assert sorted(os.listdir(everything)) == [
            "IMG_1.DNG",
            "IMG_1.DNG.xmp",
            "IMG_1.jpg",
            "IMG_1.jpg.xmp",
        ]
        shutil.copytree(everything, tmp_path / "copy")
        for name, own in (("IMG_1.DNG.xmp", "IMG_1.xmp"), ("IMG_1.jpg.xmp", "IMG_1.jpg.xmp")):
            copy = tmp_path / "copy" / name
            assert copy.read_bytes() == (library / own).read_bytes()
            assert copy.stat().st_mtime_ns == (library / own).stat().st_mtime_ns
        with pytest.raises(PermissionError):
            (everything / "IMG_1.jpg.xmp").open("r+b")
        with pytest.raises(PermissionError):
            (everything / "IMG_1.jpg.xmp").unlink()


def test_a_sidecar_that_changes_on_disk_is_read_as_it_is_now(
    library: Path, tmp_path: Path, serve: Any, until: Any
):
    with serve(tmp_path / "state", tmp_path / "mnt") as mount:
        shown = mount.point / "types/photos/@all-files/IMG_1.jpg.xmp"
        assert "as it came" in shown.read_text()
        longer = packet("a much longer caption than the one before it")
        (library / "IMG_1.jpg.xmp").write_text(longer)
        until(lambda: shown.read_text() == longer)
        (library / "IMG_1.jpg.xmp").unlink()
        until(lambda: not shown.exists())
