"""Open files of the mount. A handle is a descriptor: whoever keeps the descriptors keeps the handles. Any thread."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from havenfs.errors import Stale

if TYPE_CHECKING:
    from havenfs.entities import Source

    from .inodes import Paths

Signature = tuple[int, int, int]
"""(size, mtime_ns, st_ino): another one, another content."""


def signature_of(found: os.stat_result) -> Signature:
    """The signature of a file as fstat shows it."""
    return found.st_size, found.st_mtime_ns, found.st_ino


@dataclass(slots=True)
class Opened:
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

    @property
    def shareable(self) -> bool:
        """Whether the kernel may read and write the descriptor itself (passthrough)."""
        return self.source is not None and not self.uncached

    @property
    def writable(self) -> bool:
        """Whether bytes may be changed through it."""
        return self.flags & os.O_ACCMODE != os.O_RDONLY


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

    def of(self, nodeid: int) -> Opened | None:
        """Any open file of an inode: what fstat needs once its names are gone."""
        found = self._by_node.get(nodeid)
        return found[-1] if found else None

    def remove(self, handle: int) -> Opened:
        """Forget an open file, which the caller closes. Raises Stale."""
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
