from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import given, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from havend import inodes
from havend.inodes import ASSET, ROOT, InodeTable
from havenfs.entities import Asset, AssetId, Kind, Source, SourceId
from havenfs.views import DiskDirectory, DiskFile, Leaf, Text

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


@dataclass(frozen=True)
class Folder:
    """Enough of a directory to have a number."""

    key: str


def leaf(asset: int, inode: int, source: int = 1, device: int = 7) -> Leaf:
    return Leaf(
        Asset(
            id=AssetId(asset),
            hash=b"",
            name="a",
            kind=Kind.PHOTO,
            mime="",
            source_id=SourceId(source),
            path=b"a",
            size=1,
            mtime_ns=1,
            device=device,
            inode=inode,
        )
    )


def table() -> InodeTable:
    root: Any = Folder("")
    return InodeTable(root, now_ns=0)


def folder(key: str) -> Any:
    return Folder(key)


@given(st.integers(1, 1 << 20), st.integers(1, (1 << 64) - 1), st.text(min_size=1))
def test_numbers_are_positive_whatever_the_disk_counts(source: int, inode: int, key: str):
    made = table()
    numbers = {made.number(leaf(1, inode, source)), made.number(folder(key))}
    assert len(numbers) == 2
    assert all(ROOT < number < 1 << 63 for number in numbers)


def test_a_file_and_its_asset_have_two_faces_of_one_number(tmp_path: Path):
    (tmp_path / "a").write_text("x")
    status = os.lstat(tmp_path / "a")
    source = Source(id=SourceId(1), name="s", root=bytes(tmp_path))
    made = table()
    file = made.admit(DiskFile(source, b"a", status), ROOT, b"a")
    asset = made.admit(leaf(5, status.st_ino, device=status.st_dev), ROOT, b"a")
    assert asset == file | ASSET != file


def test_numbers_survive_a_restart():
    assert table().number(folder("by-date/2019")) == table().number(folder("by-date/2019"))
    assert table().number(leaf(1, 99)) == table().number(leaf(1, 99))


def test_two_disks_in_one_source_do_not_share_numbers():
    made = table()
    first = made.admit(leaf(1, 99, device=7), ROOT, b"a")
    second = made.admit(leaf(2, 99, device=8), ROOT, b"b")
    assert first != second
    found = made.find(second)
    assert found is not None
    assert found.node == leaf(2, 99, device=8)


def test_assets_cost_nothing():
    made = table()
    for inode in range(1, 1000):
        made.admit(leaf(inode, inode), ROOT, b"a")
    assert len(made) == 1


def test_of_the_files_only_the_last_are_remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(inodes, "FILES", 10)
    source = Source(id=SourceId(1), name="s", root=bytes(tmp_path))
    made = table()
    numbers: list[int] = []
    for index in range(25):
        path = tmp_path / str(index)
        path.touch()
        numbers.append(made.admit(DiskFile(source, path.name.encode(), path.lstat()), ROOT, b"a"))
    assert len(made) == 11
    assert made.find(numbers[0]) is None
    assert made.find(numbers[-1]) is not None
    for number in numbers:
        made.forget(number, 1)
    assert len(made) == 1


def test_what_the_kernel_forgets_is_gone():
    made = table()
    number = made.admit(folder("by-date"), ROOT, b"by-date")
    made.admit(folder("by-date"), ROOT, b"by-date")
    made.forget(number, 1)
    assert made.find(number) is not None
    made.forget(number, 1)
    assert made.find(number) is None
    assert made.folder("by-date") is None
    made.forget(number, 1)  # a number that nobody knows is no reason to fall over


def test_the_folders_can_be_gone_through_while_the_kernel_forgets_some():
    made = table()
    ended, interval = threading.Event(), sys.getswitchinterval()

    def forget() -> None:
        while not ended.is_set():
            for number in [made.admit(folder(f"f{n}"), ROOT, b"f") for n in range(50)]:
                made.forget(number, 1)

    with ThreadPoolExecutor(1) as pool:
        forgetting = pool.submit(forget)
        sys.setswitchinterval(1e-6)
        try:
            assert all(ROOT in {each.nodeid for each in made.folders()} for _ in range(2000))
        finally:
            sys.setswitchinterval(interval)
            ended.set()
        forgetting.result()


def test_a_number_that_goes_from_a_file_to_a_directory_counts_on(tmp_path: Path):
    source = Source(id=SourceId(1), name="s", root=bytes(tmp_path))
    made = table()
    (tmp_path / "a").touch()
    file = DiskFile(source, b"a", (tmp_path / "a").lstat())
    number = made.admit(file, ROOT, b"a")
    found = list(file.status)
    found[0] = 0o040755
    directory = DiskDirectory(source, b"b", os.stat_result(found), ())
    made.admit(directory, ROOT, b"b", number)
    made.forget(number, 1)  # of the file: the kernel sends it when it finds the time
    record = made.find(number)
    assert record is not None
    assert record.node == directory
    made.forget(number, 1)
    assert made.find(number) is None


def test_the_root_is_never_forgotten():
    made = table()
    made.forget(ROOT, 100)
    assert made.find(ROOT) is not None


def test_a_text_has_an_inode_of_its_own():
    made = table()
    number = made.admit(Text.of("search/README.txt", bytes), ROOT, b"README.txt")
    record = made.folder("search/README.txt")
    assert record is not None
    assert record.nodeid == number
    made.forget(number, 1)
    assert made.folder("search/README.txt") is None


class Counting(RuleBasedStateMachine):
    """Lookups and FORGETs against a dict of counts."""

    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.table = table()
        self.model: dict[str, int] = {}

    @rule(target=keys, key=st.sampled_from([f"k{n}" for n in range(6)]))
    def look(self, key: str) -> str:
        self.table.admit(folder(key), ROOT, key.encode())
        self.model[key] = self.model.get(key, 0) + 1
        return key

    @rule(key=keys, count=st.integers(1, 3))
    def forget(self, key: str, count: int) -> None:
        count = min(count, self.model.get(key, 0))
        if count:
            self.table.forget(self.table.number(folder(key)), count)
            self.model[key] -= count

    @invariant()
    def remembers_exactly_what_the_kernel_does(self) -> None:
        live = {key for key, count in self.model.items() if count}
        assert len(self.table) == len(live) + 1
        assert {key for key in self.model if self.table.folder(key)} == live


TestCounting = Counting.TestCase
