"""The plainest passthrough that pyfuse3 allows, read-only: what an interpreter between kernel and disk costs on this machine.

    python plain.py DIRECTORY MOUNT_POINT

A peer in C moves with the speed of memory and system calls, ours also with that of the interpreter: from one machine to
the next their ratio has been seen to change by 1.8. Ours beside this one stays where it is.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

import pyfuse3
import trio

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

LONG_S = 300


class Plain(pyfuse3.Operations):
    """One path for each inode, one descriptor for each open file, everything on the event loop."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self._paths = {pyfuse3.ROOT_INODE: root}
        self._lookups: dict[int, int] = {}

    def _entry(self, path: str) -> pyfuse3.EntryAttributes:
        try:
            status = os.lstat(path)
        except OSError as error:
            raise pyfuse3.FUSEError(error.errno or errno.EIO) from None
        entry = pyfuse3.EntryAttributes()
        for name in ("mode", "nlink", "uid", "gid", "size", "atime_ns", "mtime_ns", "ctime_ns"):
            setattr(entry, f"st_{name}", getattr(status, f"st_{name}"))
        entry.st_ino = pyfuse3.ROOT_INODE if path == self._paths[1] else status.st_ino
        entry.attr_timeout = entry.entry_timeout = LONG_S
        return entry

    def _known(self, entry: pyfuse3.EntryAttributes, path: str) -> pyfuse3.EntryAttributes:
        self._paths[entry.st_ino] = path
        self._lookups[entry.st_ino] = self._lookups.get(entry.st_ino, 0) + 1
        return entry

    async def lookup(self, parent_inode: Any, name: bytes, ctx: Any) -> pyfuse3.EntryAttributes:
        path = os.path.join(self._paths[parent_inode], os.fsdecode(name))
        return self._known(self._entry(path), path)

    async def forget(self, inode_list: Sequence[tuple[Any, int]]) -> None:
        for inode, count in inode_list:
            self._lookups[inode] -= count
            if not self._lookups[inode]:
                del self._lookups[inode], self._paths[inode]

    async def getattr(self, inode: Any, ctx: Any = None) -> pyfuse3.EntryAttributes:
        return self._entry(self._paths[inode])

    async def opendir(self, inode: Any, ctx: Any) -> Any:
        return inode

    async def readdir(self, fh: Any, start_id: int, token: Any) -> None:
        directory = self._paths[fh]
        names = sorted(os.listdir(directory))
        for number in range(start_id, len(names)):
            path = os.path.join(directory, names[number])
            entry = self._entry(path)
            if not pyfuse3.readdir_reply(token, os.fsencode(names[number]), entry, number + 1):
                break
            self._known(entry, path)

    async def open(self, inode: Any, flags: Any, ctx: Any) -> pyfuse3.FileInfo:
        fd = os.open(self._paths[inode], os.O_RDONLY)
        return pyfuse3.FileInfo(fh=pyfuse3.FileHandleT(fd), keep_cache=True)

    async def read(self, fh: Any, off: int, size: int) -> bytes:
        return os.pread(fh, size, off)

    async def release(self, fh: Any) -> None:
        os.close(fh)


def main(root: str, point: str) -> None:
    """Serve until a signal."""
    options = {*pyfuse3.default_options, "fsname=plain", "allow_other", "ro"}
    pyfuse3.init(Plain(root), point, options)
    try:
        trio.run(pyfuse3.main)
    finally:
        pyfuse3.close(unmount=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
