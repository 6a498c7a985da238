"""Watching a source: which of its directories to look at again. Through inotify, in bytes.

Names no files: events get lost when they come in floods, and what happened is for the scan of the directory to find out.
Symbolic links are not followed. (watchfiles was tried: one name that is not UTF-8 ends its watch for good, and it
follows links out of the source.) Trio only; directories are listed in a thread.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import os
import struct
from typing import TYPE_CHECKING, Final

import trio

from havenfs.ingest import walk

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from typing import Self

log = logging.getLogger(__name__)

DEBOUNCE_S = 0.3  # a burst (a camera's upload, an unpacked archive) becomes a few scans
BUFFER = 256 << 10

EVENT: Final = struct.Struct("iIII")  # watch, mask, cookie, length of the name
ATTRIB = 0x4
CLOSE_WRITE = 0x8
MOVED_FROM = 0x40
MOVED_TO = 0x80
CREATE = 0x100
DELETE = 0x200
Q_OVERFLOW = 0x4000
IGNORED = 0x8000
ONLYDIR = 0x1000000
DONT_FOLLOW = 0x2000000
ISDIR = 0x40000000
INTEREST = ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE
# Not MODIFY: a file that is being copied would be looked at again and again; CLOSE_WRITE comes when it is whole.


async def directories(root: bytes) -> AsyncGenerator[frozenset[bytes] | None]:
    """Directories below *root* (relative) in which something happened; None when everything must be looked at: first
    of all, when the watch stands, and whenever the kernel lost events.

    Raises OSError when the root is away or the system has no watches left (`fs.inotify.max_user_watches`).
    """
    with _Watches(root) as watches:
        await trio.to_thread.run_sync(watches.add, b"", abandon_on_cancel=True)
        yield None
        while True:
            await trio.lowlevel.wait_readable(watches.handle)
            await trio.sleep(DEBOUNCE_S)
            yield await trio.to_thread.run_sync(watches.read)


class _Watches:
    """One inotify instance with a watch on every directory. One thread at a time."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._paths: dict[int, bytes] = {}
        self._ids: dict[bytes, int] = {}
        self.handle = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.handle < 0:
            _raise(root)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)

    def add(self, directory: bytes) -> None:
        """Watch *directory* and everything below. What vanishes meanwhile is left out. Raises OSError."""
        stack = [directory]
        while stack:
            here = stack.pop()
            path = walk.joined(self._root, here)
            # The root may be a link; nothing below it is followed.
            mask = INTEREST | ONLYDIR | (DONT_FOLLOW if here else 0)
            number = self._libc.inotify_add_watch(self.handle, path, mask)
            if number < 0:
                if here and ctypes.get_errno() in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
                    continue
                _raise(path)
            self._paths[number] = here
            self._ids[here] = number
            stack += _below(path, here)

    def read(self) -> frozenset[bytes] | None:
        """The directories of all events that are waiting; watches what is new."""
        found: set[bytes] = set()
        lost = False
        for number, mask, name in self._events():
            if mask & Q_OVERFLOW:
                lost = True
            if mask & IGNORED:
                gone = self._paths.pop(number, None)
                if gone is not None and self._ids.get(gone) == number:
                    del self._ids[gone]
            directory = self._paths.get(number)
            if directory is None or (name and walk.ignored(name)):
                continue
            if not name and not directory:
                continue  # attributes of the root itself
            path = directory + b"/" + name if directory else name
            if mask & ISDIR and name:
                if mask & (MOVED_FROM | DELETE):
                    self._remove(path)
                elif mask & (MOVED_TO | CREATE):
                    self._remove(path)
                    self.add(path)
                elif not mask & ATTRIB:
                    continue
            found.add(directory)
        if lost:
            log.info("events were lost below one source; all of it is looked at again")
            self.add(b"")
            return None
        return frozenset(found)

    def _remove(self, directory: bytes) -> None:
        """A directory that moved takes its watches along; they would go on under the old path."""
        prefix = directory + b"/"
        for path in [p for p in self._ids if p == directory or p.startswith(prefix)]:
            number = self._ids.pop(path)
            self._paths.pop(number, None)
            self._libc.inotify_rm_watch(self.handle, number)

    def _events(self) -> Iterator[tuple[int, int, bytes]]:
        while True:
            try:
                data = os.read(self.handle, BUFFER)
            except BlockingIOError:
                return
            position = 0
            while position < len(data):
                number, mask, _, length = EVENT.unpack_from(data, position)
                position += EVENT.size
                name = data[position : position + length].rstrip(b"\0")
                position += length
                yield number, mask, name


def _below(path: bytes, relative: bytes) -> list[bytes]:
    prefix = relative + b"/" if relative else b""
    with contextlib.suppress(OSError), os.scandir(path) as entries:
        found = [
            entry
            for entry in entries
            if not walk.ignored(entry.name) and entry.is_dir(follow_symlinks=False)
        ]
        device = os.stat(path).st_dev if found else 0  # noqa: PTH116 -- bytes
        return [prefix + entry.name for entry in found if not _foreign(entry, device)]
    return []


def _foreign(entry: os.DirEntry[bytes], device: int) -> bool:
    """Whether something is mounted there that is not to be watched: to look into our own mount would be to ask
    ourselves."""
    with contextlib.suppress(OSError):
        there = entry.stat(follow_symlinks=False).st_dev
        return there != device and walk.foreign(there)
    return True


def _raise(path: bytes) -> None:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), os.fsdecode(path))
