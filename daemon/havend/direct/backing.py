"""Which originals the kernel reads and writes by itself (passthrough), inode by inode.

The kernel wants one way for all opens of an inode at a time: an open that is passed through beside one that is not fails
with EIO, and so does one with another backing id. So the way is chosen at an inode's first open and stays until its last
one is closed. A refusal is remembered, in words for the owner, and the copy path serves. Any thread.

An id is taken back with the last close: it would pin the disk space of a deleted file. (Keeping it for the next open
would save 2 us of some 25.)
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from havend.inodes import ASSET

from . import device

if TYPE_CHECKING:
    from havend.handles import Opened

log = logging.getLogger(__name__)

COPIED: Final = 0
"""In place of a backing id: this inode's reads and writes come to us."""

_REASONS: Final = {
    errno.ELOOP: "the source lies on a stacked file system (overlayfs, mergerfs, another FUSE)",
    errno.EPERM: "the server lacks CAP_SYS_ADMIN",
    errno.EOPNOTSUPP: "the source's file system cannot be passed through",
    errno.EINVAL: "the kernel does not know backing files",
}


class Backing:
    """The inodes that are open, and the way in which each is."""

    def __init__(self, descriptor: int, *, offered: bool) -> None:
        self._device = descriptor
        self._offered = offered
        self._lock = threading.Lock()
        self._ways: dict[int, tuple[int, int]] = {}  # nodeid -> (backing id or COPIED, opens)
        self.refusals: dict[int, str] = {}
        """Source id -> why its files are copied."""

    def open(self, opened: Opened) -> int:
        """Count an open; the backing id to answer with, or COPIED."""
        with self._lock:
            way, opens = self._ways.get(opened.nodeid, (COPIED, 0))
            if not opens:
                way = self._lend(opened)
            self._ways[opened.nodeid] = way, opens + 1
            return way

    def adopt(self, nodeid: int, backing_id: int) -> None:
        """Count an open that a predecessor answered."""
        with self._lock:
            _, opens = self._ways.get(nodeid, (backing_id, 0))
            self._ways[nodeid] = backing_id, opens + 1

    def close(self, nodeid: int) -> None:
        """Count a close."""
        with self._lock:
            way, opens = self._ways.get(nodeid, (COPIED, 1))
            if opens > 1:
                self._ways[nodeid] = way, opens - 1
                return
            self._ways.pop(nodeid, None)
            if way != COPIED:
                with suppress(OSError):  # the connection has ended, and the id with it
                    device.take_back(self._device, way)

    def _lend(self, opened: Opened) -> int:
        source = opened.source
        if not self._offered or source is None or not opened.shareable:
            return COPIED
        try:
            to_write = source.writable and not opened.nodeid & ASSET
            return device.lend(self._device, opened.handle, to_write=to_write)
        except OSError as error:
            if source.id not in self.refusals:
                code = error.errno or errno.EIO
                reason = _REASONS.get(code, os.strerror(code))
                self.refusals[source.id] = reason
                log.warning("files of %s are read by copying: %s", source.name, reason)
            return COPIED
