"""@all-files over a mount: RAW, JPEG and their sidecars together, with the bytes and times that they have on disk."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import files
from havenfs.catalog.files import Seen

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.fuse

MONTH = "by-date/2022/05"


@pytest.fixture
def stack(household: Any) -> Path:
    """A RAW, its JPEG, a sidecar of each and one of nobody, as the indexer records them."""
    raw = {"mime": "image/x-canon-cr2", "raw": 1}
    household.add("2022/IMG_7.CR2", taken="2022-05-05T05:05:05", **raw)
    household.add("2022/IMG_7.JPG", taken="2022-05-05T05:05:05")
    folder = household.root / "2022"
    for name in ("IMG_7.xmp", "IMG_7.JPG.xmp", "IMG_70.JPG.xmp"):
        path = folder / name
        path.write_text(f"<x:xmpmeta>{name}</x:xmpmeta>")
        os.utime(path, (1_600_000_000, 1_600_000_000))
        found = path.lstat()
        seen = Seen(
            path=f"2022/{name}".encode(), size=found.st_size, mtime_ns=found.st_mtime_ns, device=found.st_dev, inode=found.st_ino
        )  # fmt: skip
        household.catalog.write(files.add, 1, [seen])
    return folder


def test_a_stack_can_be_copied_out_whole_and_changed_only_where_it_lies(
    stack: Path, household: Any, tmp_path: Path, serve: Any, until: Any
):
    with serve(household.state.root, tmp_path / "mnt") as mount:
        assert os.listdir(mount.point / MONTH) == ["IMG_7.JPG"]
        everything = mount.point / MONTH / "@all-files"
        assert sorted(os.listdir(everything)) == [
            "IMG_7.CR2", "IMG_7.CR2.xmp", "IMG_7.JPG", "IMG_7.JPG.xmp",
        ]  # fmt: skip
        shutil.copytree(everything, tmp_path / "copy")
        for name, own in (("IMG_7.CR2.xmp", "IMG_7.xmp"), ("IMG_7.JPG.xmp", "IMG_7.JPG.xmp")):
            copy = tmp_path / "copy" / name
            assert copy.read_bytes() == (stack / own).read_bytes()
            assert copy.stat().st_mtime_ns == (stack / own).stat().st_mtime_ns

        shown = everything / "IMG_7.JPG.xmp"
        with pytest.raises(PermissionError):
            shown.open("r+b")
        with pytest.raises(PermissionError):
            shown.unlink()

        longer = "<x:xmpmeta>a much longer caption than the one before it</x:xmpmeta>"
        (stack / "IMG_7.JPG.xmp").write_text(longer)
        until(lambda: shown.read_text() == longer)
