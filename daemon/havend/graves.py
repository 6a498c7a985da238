"""Removed originals whose inode numbers stay theirs until the kernel has forgotten them.

The kernel knows an original by its st_ino, which a disk gives to the next new one as soon as it is free. Too soon for the
kernel, in two ways: who still stands in a removed directory would stand in the new one; and the answer to an unlink takes a
link off the number, which by then may be a new file's, made by somebody else in the meantime: with no link left, that one
cannot be linked any more (ENOENT). A descriptor keeps the number taken, and answers for a directory in which somebody stands.

Any thread.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from havenfs.bounded import Bounded
from havenfs.originals import disk

if TYPE_CHECKING:
    from havenfs.originals.walks import Held

MOST = 1024  # descriptors; more at once than programs remove between two FORGETs
LARGE = 1 << 20
"""Bytes on the disk from which a file is kept empty: who deletes a film because the disk is full writes the next moment, maybe
before FORGET has been read. Whoever has it open keeps its number as well as we could."""
FILE_S = 1.0  # a file's room on the disk is wanted back, even where the kernel knows of other links to it and is silent


class Graves:
    """Numbers, and what keeps each taken."""

    def __init__(self) -> None:
        self._directories: Bounded[int, Held] = Bounded(MOST)
        self._files: Bounded[int, tuple[Held, float]] = Bounded(MOST)

    def directory(self, nodeid: int, held: Held) -> None:
        """A directory was removed."""
        self._directories[nodeid] = held

    def standing(self, nodeid: int) -> Held | None:
        """A removed directory in which somebody may still stand."""
        return self._directories.get(nodeid)

    def file(self, nodeid: int, held: Held, size: int) -> None:
        """A file that takes *size* bytes on the disk has lost its last name."""
        if size >= LARGE and not disk.emptied(held):
            return
        self._files[nodeid] = held, time.monotonic() + FILE_S

    def forget(self, nodeid: int, *, last: bool) -> None:
        """The kernel has forgotten some lookups of it, or all. It sends one FORGET for a file that is gone."""
        self._files.pop(nodeid, None)
        if last:
            self._directories.pop(nodeid, None)

    def let_go(self) -> None:
        """Give up what has waited for long enough."""
        now = time.monotonic()
        for nodeid, (_, until) in list(self._files.items()):
            if until < now:
                self._files.pop(nodeid, None)
