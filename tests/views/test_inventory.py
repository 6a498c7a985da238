from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from havenfs.entities import Source, SourceId
from havenfs.errors import NotFound
from havenfs.views import DiskDirectory, DiskFile
from havenfs.views.inventory import PAGE

if TYPE_CHECKING:
    from pathlib import Path


def directory(root: Path, *hidden: Path) -> DiskDirectory:
    source = Source(id=SourceId(1), name="s", root=bytes(root))
    return DiskDirectory(source, b"", root.stat(), tuple(map(bytes, hidden)))


def test_entries_are_in_order_and_keep_their_index(tmp_path: Path):
    for number in reversed(range(PAGE + 10)):
        (tmp_path / f"{number:04}").touch()
    entries = directory(tmp_path).entries()
    assert len(entries) == PAGE + 10
    assert [name for name, _ in entries] == [b"%04d" % number for number in range(PAGE + 10)]
    found = entries[PAGE + 3]
    assert found is not None
    assert found[0] == b"%04d" % (PAGE + 3)
    assert [name for name, _ in entries.statuses(PAGE + 3)] == [
        b"%04d" % number for number in range(PAGE + 3, PAGE + 10)
    ]
    with pytest.raises(IndexError):
        entries[PAGE + 10]


def test_what_has_left_since_is_nothing(tmp_path: Path):
    for number in range(PAGE * 2):
        (tmp_path / f"{number:04}").touch()
    entries = directory(tmp_path).entries()
    assert entries[0] is not None
    (tmp_path / "0001").unlink()  # of the page that is read already
    (tmp_path / f"{PAGE + 1:04}").unlink()
    assert entries[1] is not None
    assert entries[PAGE + 1] is None
    assert len(list(entries)) == 2 * PAGE - 2  # asked again from the beginning


def test_each_entry_is_what_a_lookup_finds(tmp_path: Path):
    (tmp_path / "a file").write_text("text")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / os.fsdecode(b"\xff not UTF-8")).touch()
    here = directory(tmp_path)
    entries = dict(here.entries())
    assert entries == {name: here.lookup(name) for name in entries}
    assert len(entries) == 5
    assert isinstance(entries[b"folder"], DiskDirectory)
    assert isinstance(entries[b"link"], DiskFile)


def test_the_mount_point_is_not_shown_whichever_way_it_is_reached(tmp_path: Path):
    (tmp_path / "mnt").mkdir()
    (tmp_path / "other").mkdir()
    here = directory(tmp_path, tmp_path / "mnt")
    assert [name for name, _ in here.entries()] == [b"other"]
    with pytest.raises(NotFound):
        here.lookup(b"mnt")
