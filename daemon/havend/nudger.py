"""The hand that `havend.nudge` stretches into the mount: a process that touches names there, so that inotify tells of them.

A file system that changes by itself makes no inotify event, and so no change notification for Samba's clients; a program
that changes it does. This program does as if: mknod of a name that has appeared, unlink of one that has gone, utimens of
one that has changed. The server knows who is asking and changes nothing. It also reports what other programs do to
directories of originals on their disk, which the server has set watches on.

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
import stat
import struct
import sys

MARK = 0x48617665
"""Of root's helper: its group on the file system, which the server sees with each request. A pid would be enough while
the server lives; this is still true when a request is sent again to the server's successor."""

SAY, DONE, SEEN = b"say", b"done", b"seen"
"""Messages, fields apart by NUL: SAY, path in the mount, then fate and name alternating (none: touch the directory itself);
DONE and nothing more; SEEN a watch, then fate and name in turn (none: something)."""
LOST = b"-1"
"""In place of a watch: more happened than the kernel keeps, anywhere."""
NEW, NEW_DIRECTORY, GONE, GONE_DIRECTORY, CHANGED = b"+", b"+/", b"-", b"-/", b"~"

MESSAGE = 192 << 10  # bytes; what a socket takes in one piece by default
MOST = 200  # names told one by one of one directory at a time

WATCHED = 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x1000000
"""ATTRIB, CLOSE_WRITE (MODIFY would come with every write of a long copy), MOVED_FROM, MOVED_TO, CREATE, DELETE; ONLYDIR."""
_EVENT = struct.Struct("iIII")  # watch, mask, cookie, length of the name
_WENT = 0x40 | 0x200
_ALTERED = 0x4 | 0x8
_LOST = 0x4000
_IS_DIRECTORY = 0x40000000


def seen(handle: int) -> dict[bytes, list[bytes]]:
    """What has happened, for each watch of this inotify instance: fate and name in turn; nothing of too much. All of them at
    once: under LOST."""
    try:
        data = os.read(handle, 64 << 10)
    except BlockingIOError:
        return {}
    told: dict[bytes, list[bytes]] = {}
    position = 0
    while position < len(data):
        watch, mask, _, length = _EVENT.unpack_from(data, position)
        position += _EVENT.size
        name = data[position : position + length].rstrip(b"\0")
        position += length
        if mask & _LOST:
            return {LOST: []}
        if name:
            told.setdefault(b"%d" % watch, []).extend((_fate(mask), name))
    return {watch: [] if len(fields) > 2 * MOST else fields for watch, fields in told.items()}


def _fate(mask: int) -> bytes:
    directory = mask & _IS_DIRECTORY
    if mask & _WENT:
        return GONE_DIRECTORY if directory else GONE
    return CHANGED if mask & _ALTERED else NEW_DIRECTORY if directory else NEW


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
    """Serve the socket on standard input for the mount at the first argument; the second one is an inotify instance."""
    import socket  # 3 ms, which a mount that only wants the words above does not have

    ctypes.CDLL(None).setfsgid(MARK)  # refused to anybody but root, whose pid has to be enough
    point, disks = os.fsencode(sys.argv[1]), int(sys.argv[2])
    server = socket.socket(fileno=0)
    ready = select.poll()
    ready.register(server, select.POLLIN)
    if disks >= 0:
        ready.register(disks, select.POLLIN)
    while True:
        for handle, _ in ready.poll():
            if handle == disks:
                for watch, told in seen(disks).items():
                    server.send(b"\0".join((SEEN, watch, *told)))
                continue
            message = server.recv(MESSAGE)
            if not message:
                return
            _, path, *rest = message.split(b"\0")
            nudge(point, path, rest)
            server.send(DONE)


if __name__ == "__main__":
    with contextlib.suppress(OSError):  # the server has gone
        main()
