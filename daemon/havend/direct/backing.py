"""Which originals the kernel reads and writes by itself (passthrough), inode by inode.

The kernel wants one way for all opens of an inode at a time: an open that is passed through beside one that is not fails
with EIO, and so does one with another backing id. So the way is chosen at an inode's first open and stays until its last
one is closed. A refusal is remembered, in words for the owner, and the copy path serves. Any thread.

An id outlives the last close for a moment, because the next open of the same file then costs 10 us less: IDLE of them,
for a second. It pins the file, so whoever deletes through the mount takes them all back first.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from havend.inodes import ASSET

from . import device

if TYPE_CHECKING:
    from havend.handles import Opened

log = logging.getLogger(__name__)

COPIED: Final = 0
"""In place of a backing id: this inode's reads and writes come to us."""
IDLE: Final = 256
IDLE_S: Final = 1.0

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
        self._inodes: dict[int, int] = {}  # nodeid -> st_ino of the file that its id is of
        self._idle: OrderedDict[int, tuple[int, int, float]] = OrderedDict()  # id, st_ino, since
        self.refusals: dict[int, str] = {}
        """Source id -> why its files are copied."""

    def open(self, opened: Opened) -> int:
        """Count an open; the backing id to answer with, or COPIED."""
        nodeid = opened.nodeid
        with self._lock:
            way, opens = self._ways.get(nodeid, (COPIED, 0))
            if not opens:
                way = self._kept(nodeid, opened.signature[2]) or self._lend(opened)
                self._inodes[nodeid] = opened.signature[2]
            self._ways[nodeid] = way, opens + 1
            return way

    def _kept(self, nodeid: int, inode: int) -> int:
        """The id that an earlier open has left, if it is of the same file."""
        way, same, _ = self._idle.pop(nodeid, (COPIED, inode, 0.0))
        if same == inode or way == COPIED:
            return way
        self._take_back(way)
        return COPIED

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
            inode = self._inodes.pop(nodeid, None)
            if way == COPIED:
                return
            if inode is None:  # a predecessor's: which file it is was not written down
                self._take_back(way)
                return
            self._idle[nodeid] = way, inode, time.monotonic()
            if len(self._idle) > IDLE:
                self._take_back(self._idle.popitem(last=False)[1][0])

    def let_go(self, *, all_of_them: bool = False) -> None:
        """Take back the ids that nobody has wanted for IDLE_S, or all that nobody uses now."""
        if not self._idle:
            return
        with self._lock:
            until = time.monotonic() - IDLE_S
            while self._idle:
                nodeid, (way, _, since) = next(iter(self._idle.items()))
                if since > until and not all_of_them:
                    return
                del self._idle[nodeid]
                self._take_back(way)

    def _take_back(self, way: int) -> None:
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
