"""What is said of a disk without waiting for it, and what is not."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from havenfs import mounts
from havenfs.entities import Source, SourceId
from havenfs.errors import NotFound
from havenfs.originals import disk, roots
from havenfs.originals.at_once import WouldWait, at_once
from havenfs.originals.walks import walks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Source]:
    """Folder `a` with a file `b`, on a disk of this machine."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_bytes(b"here")
    (tmp_path / "a/c").symlink_to("b")
    assert mounts.local(tmp_path.stat().st_dev), "these tests want a disk"
    walks.keep(100)
    yield Source(id=SourceId(1), name="s", root=bytes(tmp_path))
    walks.keep(0.0)
    walks.let_go(all_of_them=True)


def test_a_folder_that_must_be_walked_to_makes_wait(source: Source):
    with pytest.raises(WouldWait), at_once():
        disk.child(source, b"a", b"b")
    walks.to(source, b"a")
    with at_once():
        assert disk.child(source, b"a", b"b").st_size == 4


def test_what_is_in_memory_is_said_at_once_and_as_ever(source: Source):
    asked = [(b"a", name) for name in (b"b", b"c", b"none")]
    for folder, name in asked:
        try:
            wanted = disk.child(source, folder, name)
        except NotFound:
            with pytest.raises(NotFound), at_once():
                disk.child(source, folder, name)
        else:
            with at_once():
                assert disk.child(source, folder, name) == wanted
    with at_once():
        descriptor, found = disk.open_file(source, b"a/b")
    assert os.read(descriptor, 9) == b"here"
    assert found == os.fstat(descriptor)
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)
    with pytest.raises(OSError, match="levels of symbolic links"), at_once():
        disk.open_file(source, b"a/c")


def test_a_root_that_is_held_is_asked_without_a_thread(
    source: Source, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.delattr(roots, "_Question")
        with pytest.raises(NameError):
            roots.status(source)
        walks.to(source, b"")
        assert roots.status(source) == os.stat(source.root)
    walks.let_go(all_of_them=True)
    assert roots.status(source) == os.stat(source.root)


def test_who_asks_at_once_within_who_asks_at_once_leaves_that_as_it_was(source: Source):
    walks.to(source, b"")
    with at_once():
        roots.status(source)
        with pytest.raises(WouldWait):
            disk.child(source, b"a", b"b")


def test_a_name_that_nobody_has_asked_for_makes_wait(source: Source):
    walks.to(source, b"a")
    with pytest.raises(WouldWait), at_once():
        disk.child(source, b"a", b"never asked for")


def test_what_writes_makes_wait(source: Source):
    walks.to(source, b"a")
    writable = Source(id=source.id, name="s", root=source.root, writable=True)
    with pytest.raises(WouldWait), at_once():
        disk.open_for_writing(writable, b"a/b", os.O_WRONLY, at_once())


def test_other_file_systems_make_wait(source: Source):
    proc = Source(id=SourceId(2), name="p", root=b"/proc")
    disk.child(proc, b"sys", b"kernel")
    with pytest.raises(WouldWait), at_once():
        disk.child(proc, b"sys", b"kernel")
    root = Source(id=SourceId(3), name="r", root=b"/")
    disk.child(root, b"", b"proc")
    with pytest.raises(WouldWait), at_once():
        disk.child(root, b"", b"proc")


def test_a_hurry_is_the_threads_own(source: Source):
    with ThreadPoolExecutor(1) as pool, at_once():
        assert pool.submit(disk.child, source, b"a", b"b").result().st_size == 4
