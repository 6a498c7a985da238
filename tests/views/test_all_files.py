"""@all-files: sidecars stand beside what they are about, under its name, and can be read but not written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from havenfs.catalog import files
from havenfs.catalog.files import Seen
from havenfs.errors import NotFound, NotPermitted
from havenfs.views import Text, all_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.views import Directory, Folder

RAW = {"mime": "image/x-canon-cr2", "raw": 1}
XMP = b"<x:xmpmeta/>"


@pytest.fixture
def put(household: Any) -> Callable[..., None]:
    """Write a sidecar and have it scanned."""

    def write(path: str, data: bytes = XMP) -> None:
        place = household.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        found = place.lstat()
        seen = Seen(
            path=path.encode(), size=found.st_size, mtime_ns=found.st_mtime_ns, device=found.st_dev, inode=found.st_ino
        )  # fmt: skip
        household.catalog.write(files.add, 1, [seen])

    return write


@pytest.fixture
def names(tree: Folder) -> Callable[[str], list[str]]:
    return lambda path: [name.decode() for name, _ in opened(tree, path).entries()]


def opened(tree: Folder, path: str) -> Directory:
    node: Any = tree
    for step in path.split("/"):
        node = node.lookup(step.encode())
    return node


def test_sidecars_are_shown_with_the_other_members_of_the_stack(
    household: Any, put: Any, names: Any
):
    household.add("2022/IMG_7.CR2", taken="2022-05-05T05:05:05", **RAW)
    household.add("2022/IMG_7.JPG", taken="2022-05-05T05:05:05")
    for path in ("2022/IMG_7.CR2.xmp", "2022/IMG_7.AAE", "2022/IMG_7.JPG.json", "2022/IMG_70.xmp"):
        put(path)
    assert names("by-date/2022/05") == ["IMG_7.JPG"]
    assert sorted(names("by-date/2022/05/@all-files")) == [
        "IMG_7.CR2", "IMG_7.CR2.aae", "IMG_7.CR2.xmp", "IMG_7.JPG", "IMG_7.JPG.aae", "IMG_7.JPG.json",
    ]  # fmt: skip


def test_a_sidecar_of_the_stem_is_the_raws_where_there_is_one(household: Any, put: Any, names: Any):
    household.add("2022/IMG_7.CR2", taken="2022-05-05T05:05:05", **RAW)
    household.add("2022/IMG_7.JPG", taken="2022-05-05T05:05:05")
    put("2022/IMG_7.xmp", b"of the stem")
    put("2022/IMG_7.CR2.xmp", b"of the whole name")
    assert sorted(names("by-date/2022/05/@all-files")) == [
        "IMG_7.CR2", "IMG_7.CR2.2.xmp", "IMG_7.CR2.xmp", "IMG_7.JPG",
    ]  # fmt: skip


def test_pictures_of_one_name_keep_their_sidecars_apart(
    household: Any, put: Any, tree: Folder, names: Any
):
    put("2019/rome/IMG_0001.xmp", b"in Rome")
    put("2019/IMG_0001.xmp", b"in Munich")
    assert names("places/Italy/Rome/@all-files") == [
        "IMG_0001.jpg",
        "IMG_0002.jpg",
        "IMG_0001.jpg.xmp",
    ]
    other = next(name for name in names("places/Germany/Munich") if "~" in name)
    assert names("places/Germany/Munich/@all-files") == [other, f"{other}.xmp"]
    munich = opened(tree, "places/Germany/Munich/@all-files")
    assert read(munich, f"{other}.xmp") == b"in Munich"
    assert read(opened(tree, "@all-files"), "IMG_0001.jpg.xmp") == b"in Rome"
    with pytest.raises(NotFound):
        munich.lookup(b"IMG_0001.jpg.xmp")


def read(folder: Directory, name: str) -> bytes:
    found = folder.lookup(name.encode())
    assert isinstance(found, Text)
    return found.render()


def test_a_listing_and_a_lookup_mean_the_same(put: Any, tree: Folder):
    for path in ("2019/rome/IMG_0001.jpg.xmp", "2019/rome/IMG_0001.xmp", "2020/clip.XMP"):
        put(path)
    folder = opened(tree, "@all-files")
    listed = folder.entries()
    texts = {name: node for name, node in listed if isinstance(node, Text)}
    assert sorted(texts) == [b"IMG_0001.jpg.2.xmp", b"IMG_0001.jpg.xmp", b"clip.mp4.xmp"]
    for name, node in texts.items():
        found = folder.lookup(name)
        assert isinstance(found, Text)
        assert (found.key, found.size, found.mtime_ns) == (node.key, node.size, node.mtime_ns)
        assert folder.real_name(name.swapcase()) == name
    assert [listed[index] is not None for index in range(len(listed))] == [True] * len(listed)
    for name in (b"IMG_0001.jpg.3.xmp", b"IMG_0001.jpg.json", b"IMG_0002.jpg.xmp", b"no.such.xmp", b".xmp", b"\xff.xmp"):  # fmt: skip
        with pytest.raises(NotFound):
            folder.lookup(name)


def test_a_sidecar_that_left_meanwhile_leaves_a_gap_and_no_other_in_its_place(
    household: Any, put: Any, tree: Folder
):
    put("2019/rome/IMG_0001.jpg.xmp")
    put("2019/rome/IMG_0002.jpg.xmp")
    listed = opened(tree, "places/Italy/Rome/@all-files").entries()
    assert len(listed) == 4
    gone = household.catalog.read(files.by_path, 1, b"2019/rome/IMG_0001.jpg.xmp")
    household.catalog.write(files.remove, [(gone.id, gone.path)])
    assert listed[2] is None
    found = listed[3]
    assert found is not None
    assert found[0] == b"IMG_0002.jpg.xmp"


def test_sidecars_of_a_huge_folder_are_found_though_they_are_not_listed(
    put: Any, tree: Folder, monkeypatch: pytest.MonkeyPatch
):
    put("2019/rome/IMG_0001.jpg.xmp")
    monkeypatch.setattr(all_files, "MOST", 1)
    folder = opened(tree, "places/Italy/Rome/@all-files")
    assert [name for name, _ in folder.entries()] == [b"IMG_0001.jpg", b"IMG_0002.jpg"]
    assert read(folder, "IMG_0001.jpg.xmp") == XMP


def test_a_link_that_is_called_like_a_sidecar_is_none(household: Any, names: Any):
    (household.root / "2019/rome/IMG_0001.jpg.xmp").symlink_to("/etc/hostname")
    seen = Seen(
        path=b"2019/rome/IMG_0001.jpg.xmp", size=13, mtime_ns=1, device=1, inode=999, reason=files.LINK
    )  # fmt: skip
    household.catalog.write(files.add, 1, [seen])
    assert names("places/Italy/Rome/@all-files") == ["IMG_0001.jpg", "IMG_0002.jpg"]


def test_nobody_can_change_a_sidecar_through_an_answer(put: Any, tree: Folder):
    put("2019/rome/IMG_0001.jpg.xmp")
    folder = opened(tree, "places/Italy/Rome/@all-files")
    rights: Any = None
    with pytest.raises(NotPermitted):
        folder.unlink(b"IMG_0001.jpg.xmp", rights)
    with pytest.raises(NotPermitted):
        folder.create(b"IMG_0001.jpg.xmp", os.O_RDWR, 0o644, rights)
    with pytest.raises(NotPermitted):
        folder.rename(b"IMG_0001.jpg.xmp", opened(tree, "favorites"), b"a.xmp", 0, rights)
