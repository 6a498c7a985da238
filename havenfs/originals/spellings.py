"""How names are spelt in directories on disk: the answer to a question in the wrong case, without folding all again.

Samba asks it for every name that is not there, before it makes one. A directory's names are listed anew when it has
changed; only names that were not there before are folded, which is the larger part of the work. Any thread.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from msgspec import Struct, field

from havenfs.catalog import names
from havenfs.errors import NotFound

from . import disk

if TYPE_CHECKING:
    from havenfs.entities import Source

KEPT = 200_000  # names in all: 40 MB
SETTLED_NS = 2_000_000_000
"""A directory that changed less than this ago may change again without its time showing it (FAT counts in 2 s)."""

_Version = tuple[int, int, int, int]


class _Names(Struct):
    version: _Version | None
    folds: dict[bytes, str] = field(default_factory=dict[bytes, str])
    by_fold: dict[str, bytes] = field(default_factory=dict[str, bytes])


class Spellings:
    """Names of the directories that were asked last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[bytes, bytes], _Names] = OrderedDict()

    def find(self, source: Source, path: bytes, name: bytes) -> bytes:
        """The name of the directory that equals *name* but for case and Unicode form; itself before others. Raises
        NotFound, SourceGone and OSError."""
        known = self._of(source, path)
        if name in known.folds:
            return name
        try:
            return known.by_fold[names.fold(name)]
        except KeyError:
            raise NotFound(name) from None

    def _of(self, source: Source, path: bytes) -> _Names:
        key = (source.root, path)
        status = disk.status(source, path)
        version = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
        with self._lock:
            known = self._known.get(key)
        if known is not None and known.version == version:
            return known
        before = known.folds if known is not None else {}
        found = _Names(version if time.time_ns() - status.st_mtime_ns > SETTLED_NS else None)
        for name in disk.names(source, path):
            folded = before.get(name)
            if folded is None:
                folded = names.fold(name)
            found.folds[name] = folded
            found.by_fold.setdefault(folded, name)
        with self._lock:
            self._known[key] = found
            self._known.move_to_end(key)
            while (
                len(self._known) > 1 and sum(len(one.folds) for one in self._known.values()) > KEPT
            ):
                self._known.popitem(last=False)
        return found


spellings = Spellings()
