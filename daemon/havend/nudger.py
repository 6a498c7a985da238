"""The hand that `havend.nudge` stretches into the mount: a process that touches names there, so that inotify tells of them.

A file system that changes by itself makes no inotify event, and so no change notification for Samba's clients; a program
that changes it does. This program does as if: mknod of a name that has appeared, unlink of one that has gone, utimens of
one that has changed. The server knows who is asking and changes nothing. It also watches directories of originals on
their disk and reports what other programs do there.

Not the process that serves the mount, which would wait for itself. Decides nothing, imports nothing of HavenFS and only
the standard library: run as a script with -IS it starts in 20 ms and takes 11 MB. One thread; ends with its socket.
"""

# Names and paths are bytes and go with dir_fd: pathlib knows neither.
# ruff: noqa: PTH118
from __future__ import annotations

import contextlib
import ctypes
import os
import select
import socket
import stat
import struct
import sys

MARK = 0x48617665
"""Of root's helper: its group on the file system, which the server sees with each request. A pid would be enough while
the server lives; this is still true when a request is sent again to the server's successor."""

SAY, DONE, WATCH, UNWATCH, SEEN = b"say", b"done", b"watch", b"unwatch", b"seen"
"""Messages, fields apart by NUL: SAY, nothing, path in the mount, then fate and name alternating (none: touch the
directory itself); DONE and nothing more; WATCH number of a directory, its path on disk; UNWATCH number; SEEN number of a directory,
then fate, st_ino and name in turn (none: something)."""
NEW, NEW_DIRECTORY, GONE, GONE_DIRECTORY, CHANGED = b"+", b"+/", b"-", b"-/", b"~"

MESSAGE = 192 << 10  # bytes; what a socket takes in one piece by default
MOST = 200  # names told one by one of one directory at a time

_EVENT = struct.Struct("iIII")  # watch, mask, cookie, length of the name
_APPEARED = 0x80 | 0x100  # MOVED_TO, CREATE
_WENT = 0x40 | 0x200  # MOVED_FROM, DELETE
_ALTERED = 0x4 | 0x8  # ATTRIB, CLOSE_WRITE; MODIFY would come with every write of a long copy
_LOST = 0x4000
_IGNORED = 0x8000
_ONLY_DIRECTORY = 0x1000000
_IS_DIRECTORY = 0x40000000


class Watches:
    """Directories of originals, by the number that the server knows them by."""

    def __init__(self, libc: ctypes.CDLL) -> None:
        self._libc = libc
        self._watches: dict[int, tuple[bytes, bytes]] = {}
        self._numbers: dict[bytes, int] = {}
        self.handle: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)

    def add(self, number: bytes, path: bytes) -> None:
        """Watch. A directory that has gone, and one too many for the system, are left out."""
        mask = _APPEARED | _WENT | _ALTERED | _ONLY_DIRECTORY
        watch = self._libc.inotify_add_watch(self.handle, path, mask)
        if watch >= 0:
            self._watches[watch] = (number, path)
            self._numbers[number] = watch

    def remove(self, number: bytes) -> None:
        """Watch no more."""
        watch = self._numbers.pop(number, None)
        if watch is not None:
            self._watches.pop(watch, None)
            self._libc.inotify_rm_watch(self.handle, watch)

    def read(self) -> dict[bytes, list[bytes]]:
        """What has happened, for each directory: fate, st_ino and name in turn; nothing of too much."""
        seen: dict[bytes, list[bytes]] = {}
        try:
            data = os.read(self.handle, 64 << 10)
        except BlockingIOError:
            return seen
        position = 0
        while position < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, position)
            position += _EVENT.size
            name = data[position : position + length].rstrip(b"\0")
            position += length
            if mask & _LOST:
                seen |= {number: [] for number in self._numbers}
            elif watch in self._watches:
                number, path = self._watches[watch]
                if mask & _IGNORED:
                    del self._watches[watch]
                    self._numbers.pop(number, None)
                elif name:
                    seen.setdefault(number, []).extend(_told(mask, path, name))
        return {number: [] if len(told) > 3 * MOST else told for number, told in seen.items()}


def _told(mask: int, path: bytes, name: bytes) -> tuple[bytes, bytes, bytes]:
    directory = mask & _IS_DIRECTORY
    if mask & _WENT:
        return (GONE_DIRECTORY if directory else GONE, b"0", name)
    fate = CHANGED if mask & _ALTERED else NEW_DIRECTORY if directory else NEW
    try:
        return (fate, b"%d" % os.lstat(os.path.join(path, name)).st_ino, name)
    except OSError:
        return (fate, b"0", name)


def nudge(point: bytes, path: bytes, told: list[bytes]) -> None:
    """Touch names of one directory of the mount. What the server does not confirm makes no event, and that is right."""
    with contextlib.suppress(OSError):
        here = os.open(
            os.path.join(point, path), os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        )
        try:
            if not told:
                os.utime(b"/proc/self/fd/%d" % here)
            for fate, name in zip(told[::2], told[1::2], strict=True):
                with contextlib.suppress(OSError):
                    _touch(here, fate, name)
        finally:
            os.close(here)


def _touch(here: int, fate: bytes, name: bytes) -> None:
    if fate == NEW:
        os.mknod(name, stat.S_IFREG | 0o444, dir_fd=here)
    elif fate == NEW_DIRECTORY:
        os.mkdir(name, 0o555, dir_fd=here)
    elif fate == GONE:
        os.unlink(name, dir_fd=here)
    elif fate == GONE_DIRECTORY:
        os.rmdir(name, dir_fd=here)
    elif fate == CHANGED:
        os.utime(name, dir_fd=here, follow_symlinks=False)


def main() -> None:
    """Serve the socket on standard input for the mount at the first argument."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.setfsgid(MARK)  # refused to anybody but root, whose pid has to be enough
    point = os.fsencode(sys.argv[1])
    server = socket.socket(fileno=0)
    watches = Watches(libc)
    ready = select.poll()
    ready.register(server, select.POLLIN)
    ready.register(watches.handle, select.POLLIN)
    while True:
        for handle, _ in ready.poll():
            if handle == watches.handle:
                for number, told in watches.read().items():
                    server.send(b"\0".join((SEEN, number, *told)))
                continue
            message = server.recv(MESSAGE)
            if not message:
                return
            kind, number, *rest = message.split(b"\0")
            if kind == SAY:
                nudge(point, rest[0], rest[1:])
                server.send(DONE + b"\0")
            elif kind == WATCH:
                watches.add(number, rest[0])
            elif kind == UNWATCH:
                watches.remove(number)


if __name__ == "__main__":
    with contextlib.suppress(OSError):  # the server has gone
        main()
