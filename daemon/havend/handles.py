"""Open files of the mount. A handle is a descriptor: whoever keeps the descriptors keeps the handles. Any thread.

A request that names a handle is answered before the kernel lets go of it. One that names an inode is not: the file that
happens to be open may be closed while somebody works with its descriptor, whose number would be another file's the next
moment. So that is lent (`Handles.lend`), and closed when it is back.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from msgspec import Struct

from havenfs.errors import Stale
from havenfs.views.uploads.loose import MEMORY

if TYPE_CHECKING:
    from havenfs.entities import Source
    from havenfs.views.uploads.loose import Loose

    from .inodes import Paths

Signature = tuple[int, int, int]
"""(size, mtime_ns, st_ino): another one, another content."""


def signature_of(found: os.stat_result) -> Signature:
    """The signature of a file as fstat shows it."""
    return found.st_size, found.st_mtime_ns, found.st_ino


class Opened(Struct):
    """An open file."""

    handle: int
    """Its descriptor."""
    nodeid: int
    flags: int
    """Those of open(2)."""
    signature: Signature
    """As it was when it was opened, and last announced."""
    source: Source | None = None
    """None: no original; the bytes are ours."""
    path: bytes | None = None
    """In the source; None once the name is gone."""
    keep: bool = False
    """The pages that the kernel holds are still good."""
    uncached: bool = False
    """The kernel believes another size: it must ask for every read instead of trusting that size."""
    local: bool = False
    """On a disk of this machine: neither fstat nor close waits."""
    fresh: bool = False
    """Made by this very open, or written to through us: to be announced though it looks the same."""
    uid: int = 0
    """Who opened it: whose room on the disk it takes."""
    loans: int = 0
    """Who works with the descriptor without having opened it."""
    loose: Loose | None = None
    """What it is, if it stands in a folder that people fill and is not filed, or not long."""
    over: bool = False
    """To be closed with the last loan."""

    @property
    def shareable(self) -> bool:
        """Whether the kernel may read and write the descriptor itself (passthrough)."""
        # What lies in memory is bounded, so we must see what is written to it.
        return self.source is not None and not self.uncached and self.source.id != MEMORY

    @property
    def nameless(self) -> bool:
        """Whether it is an original that has lost its name, or never had one."""
        return self.source is not None and self.path is None

    @property
    def writable(self) -> bool:
        """Whether bytes may be changed through it."""
        return self.flags & os.O_ACCMODE != os.O_RDONLY


class Loan:
    """An open file for as long as the context lasts; None where there is none."""

    __slots__ = ("_handles", "_opened")

    def __init__(self, handles: Handles, opened: Opened | None) -> None:
        self._handles = handles
        self._opened = opened

    def __enter__(self) -> Opened | None:
        return self._opened

    def __exit__(self, *_: object) -> None:
        if self._opened is not None:
            self._handles.returned(self._opened)


class Handles:
    """Every open file, by handle and by inode."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_handle: dict[int, Opened] = {}
        self._by_node: dict[int, list[Opened]] = {}

    def __len__(self) -> int:
        return len(self._by_handle)

    def add(self, opened: Opened) -> None:
        """Note an open file."""
        with self._lock:
            self._by_handle[opened.handle] = opened
            self._by_node.setdefault(opened.nodeid, []).append(opened)

    def get(self, handle: int) -> Opened:
        """The open file. Raises Stale."""
        try:
            return self._by_handle[handle]
        except KeyError:
            raise Stale(f"handle {handle}") from None

    def lend(self, nodeid: int) -> Loan:
        """Any open file of an inode: what fstat needs once its names are gone."""
        if nodeid not in self._by_node:
            return Loan(self, None)
        with self._lock:
            found = self._by_node.get(nodeid)
            if not found:
                return Loan(self, None)
            found[-1].loans += 1
            return Loan(self, found[-1])

    def returned(self, opened: Opened) -> None:
        """A loan is back."""
        with self._lock:
            opened.loans -= 1
            last = opened.over and not opened.loans
        if last:
            os.close(opened.handle)

    def close(self, opened: Opened) -> None:
        """Close the descriptor of an open file that was removed, as soon as nobody works with it."""
        with self._lock:
            opened.over = True
            if opened.loans:
                return
        os.close(opened.handle)

    def has(self, nodeid: int) -> bool:
        """Whether an inode is open."""
        return nodeid in self._by_node

    def remove(self, handle: int) -> Opened:
        """Forget an open file, which the caller closes (`close`). Raises Stale."""
        with self._lock:
            opened = self.get(handle)
            del self._by_handle[handle]
            others = self._by_node[opened.nodeid]
            others.remove(opened)
            if not others:
                del self._by_node[opened.nodeid]
            return opened

    def all(self) -> list[Opened]:
        """Every open file."""
        return list(self._by_handle.values())

    def moved(self, paths: Paths) -> None:
        """Names changed on disk, of files or of directories above them."""
        for opened in self.all():
            if opened.source is not None and opened.path is not None:
                found = paths(opened.source, opened.path)
                if found is not None:
                    opened.source, opened.path = found

    def removed(self, source: Source, path: bytes, *, other_than: int = 0) -> None:
        """A name is gone, or is *other_than*'s now; what was open under it has none any more."""
        for opened in self.all():
            if (
                opened.path == path
                and opened.nodeid != other_than
                and opened.source is not None
                and opened.source.id == source.id
            ):
                opened.path = None
