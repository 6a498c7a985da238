"""Operations on the workshop, by path and without a kernel: what the tests of them work with."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from havend.errno import number as errno_of
from havend.inodes import ROOT, InodeTable
from havend.operations import Operations
from havenfs.entities import Caller
from havenfs.errors import HavenError
from havenfs.retrieval.search import Searcher
from havenfs.views import open_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from havend.operations import Opened
    from havend.stats import Attributes
    from havenfs.entities import Source

ME = Caller(0, 0, os.getpid())
SOMEBODY = Caller(4711, 4712, 1 << 22)  # a process that has gone: no supplementary groups
NOREPLACE, EXCHANGE = 1, 2
PUNCH_HOLE, KEEP_SIZE = 2, 1
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may act in another's name")


class Heard:
    """An observer that writes down what it hears."""

    def __init__(self) -> None:
        self.news: list[tuple[Any, ...]] = []

    def written(self, source: Source, path: bytes) -> None:
        self.news.append(("written", source.name, path))

    def renamed(
        self, source: Source, path: bytes, to: Source, new_path: bytes, *, directory: bool
    ) -> None:
        self.news.append(("renamed", source.name, path, to.name, new_path, directory))

    def exchanged(self, source: Source, path: bytes, to: Source, new_path: bytes) -> None:
        self.news.append(("exchanged", source.name, path, to.name, new_path))

    def removed(self, source: Source, path: bytes, *, directory: bool) -> None:
        self.news.append(("removed", source.name, path, directory))

    def since(self) -> list[tuple[Any, ...]]:
        """What was heard since the last call."""
        news, self.news = self.news, []
        return news


class Pages:
    """A ledger in a dict: what outlives a server."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[int, bytes, int]] = {}

    def admit(self, nodeid: int, parent: int, name: bytes, lookups: int) -> None:
        self._kept[nodeid] = parent, name, lookups

    def sight(self, nodeid: int, parent: int, name: bytes) -> None:
        self._kept[nodeid] = parent, name, 0

    def forget(self, nodeid: int) -> None:
        self._kept.pop(nodeid, None)

    def address(self, nodeid: int) -> tuple[int, bytes] | None:
        kept = self._kept.get(nodeid)
        return kept[:2] if kept else None

    def lookups(self, nodeid: int) -> int:
        return self._kept.get(nodeid, (0, b"", 0))[2]


class Desk:
    """Operations on the workshop, by path."""

    def __init__(self, shelf: Any, ledger: Pages | None = None) -> None:
        tree = open_tree(
            shelf.catalog,
            Searcher(shelf.catalog, None),
            hidden=(bytes(shelf.root / "mountpoint"),),
        )
        self.heard = Heard()
        self.operations = Operations(
            tree, InodeTable(tree, now_ns=1, ledger=ledger), uid=0, gid=0, observer=self.heard
        )

    def walk(self, path: str) -> Attributes:
        found = self.operations.getattr(ROOT)
        for step in filter(None, path.split("/")):
            found = self.operations.lookup(found.nodeid, step.encode())
        return found

    def at(self, path: str) -> tuple[int, bytes]:
        above, _, name = path.rpartition("/")
        return self.walk(above).nodeid, name.encode()

    def make(self, path: str, data: bytes = b"", caller: Caller = ME, mode: int = 0o644) -> int:
        """Create, write, close; the inode."""
        found, opened = self.operations.create(*self.at(path), mode, os.O_RDWR, caller)
        if data:
            self.operations.write(opened.handle, 0, data)
        self.close(opened)
        return found.nodeid

    def close(self, opened: Opened) -> None:
        self.operations.flush(opened.handle)
        self.operations.release(opened.handle)

    def read(self, path: str) -> bytes:
        opened = self.operations.open(self.walk(path).nodeid, os.O_RDONLY, ME)
        try:
            return self.operations.read(opened.handle, 0, 1 << 20)
        finally:
            self.operations.release(opened.handle)

    def rename(self, old: str, new: str, flags: int = 0, caller: Caller = ME) -> None:
        self.operations.rename(*self.at(old), *self.at(new), flags, caller)

    def names(self, path: str) -> list[str]:
        return [
            name.decode() for name, _ in self.operations.listing(self.walk(path).nodeid).entries
        ]


def refused(call: Callable[[], object]) -> str:
    """The name of the number that the kernel would be answered."""
    with pytest.raises((HavenError, OSError)) as caught:
        call()
    return errno.errorcode[errno_of(caught.value)]
