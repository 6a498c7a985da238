"""From a message to the bytes of its answer: which handler, what an error becomes, and what an unwanted answer leaves behind.

Nothing that comes in ends the server: what is no message is answered EINVAL, what nobody foresaw EIO with a traceback in
the log. Otherwise a message that trips over a mistake of ours would kill each server that it is resent to. Any thread.
"""

from __future__ import annotations

import errno
import logging
import struct
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from havend.errno import number as errno_of
from havend.inodes import COMPUTED
from havenfs.errors import HavenError

from . import wire
from .backing import Backing
from .content import Content
from .directories import Directories
from .entries import Entries

if TYPE_CHECKING:
    from collections.abc import Callable

    from havend.operations import Operations

    from .capabilities import Capabilities
    from .entries import Header
    from .ledger import Ledger
    from .replies import Replies

    Handler = Callable[[Header, memoryview], bytes | int | None]

log = logging.getLogger(__name__)

ABSENT: Final = frozenset({wire.BMAP, wire.POLL, wire.STATX, wire.SYNCFS})
"""What the kernel may remember that we do not know: it does the right thing by itself then (no block numbers, always
ready, no times of birth). Never for anything that a program would see as "Function not implemented"."""


class Dispatch:
    """The handlers of one session."""

    def __init__(
        self,
        descriptor: int,
        operations: Operations,
        agreed: Capabilities,
        kept: Replies,
        ledger: Ledger,
        answer: Callable[[int, int], None],
    ) -> None:
        self._operations = operations
        self._kept = kept
        self._directories = Directories(operations, kept)
        self.backing = Backing(descriptor, offered=agreed.passthrough)
        self._entries = entries = Entries(
            operations, agreed, kept, self._directories, self.backing, ledger, answer
        )
        self._content = content = Content(
            operations, entries, self._directories, self.backing, ledger, answer
        )
        self.locks = content.locks
        self._handlers: dict[int, Handler] = {
            wire.LOOKUP: entries.lookup,
            wire.FORGET: entries.forget,
            wire.GETATTR: entries.getattr,
            wire.SETATTR: entries.setattr,
            wire.READLINK: entries.readlink,
            wire.SYMLINK: entries.symlink,
            wire.MKNOD: entries.mknod,
            wire.MKDIR: entries.mkdir,
            wire.UNLINK: entries.unlink,
            wire.RMDIR: entries.rmdir,
            wire.RENAME: entries.rename,
            wire.LINK: entries.link,
            wire.OPEN: content.open,
            wire.READ: content.read,
            wire.WRITE: content.write,
            wire.STATFS: entries.statfs,
            wire.RELEASE: content.release,
            wire.FSYNC: content.fsync,
            wire.SETXATTR: entries.setxattr,
            wire.GETXATTR: entries.getxattr,
            wire.LISTXATTR: entries.listxattr,
            wire.REMOVEXATTR: entries.removexattr,
            wire.FLUSH: content.flush,
            wire.OPENDIR: content.opendir,
            wire.READDIR: content.readdir,
            wire.RELEASEDIR: content.releasedir,
            wire.FSYNCDIR: content.fsyncdir,
            wire.GETLK: content.getlk,
            wire.SETLK: content.setlk,
            wire.SETLKW: content.setlkw,
            wire.ACCESS: entries.access,
            wire.CREATE: content.create,
            wire.BATCH_FORGET: entries.forget_many,
            wire.FALLOCATE: content.fallocate,
            wire.READDIRPLUS: content.readdirplus,
            wire.RENAME2: entries.rename2,
            wire.LSEEK: content.lseek,
            wire.COPY_FILE_RANGE: content.copy_file_range,
            wire.TMPFILE: content.tmpfile,
            wire.COPY_FILE_RANGE_64: content.copy_file_range_64,
        }
        for opcode in _NAMING:
            self._handlers[opcode] = partial(self._naming, self._handlers[opcode])

    def carry_out(self, header: Header, body: memoryview) -> bytes | int | None:
        """Do what a message asks. The body of the answer, or an errno, or None when there is nothing to answer (yet)."""
        handler = self._handlers.get(header[1])
        try:
            if handler is not None:
                return handler(header, body)
        except (HavenError, OSError) as error:
            code = errno_of(error)
        except (wire.Malformed, struct.error, OverflowError) as error:
            log.warning("request %d is malformed: %s", header[1], error)
            code = errno.EINVAL
        except Exception:  # a mistake of ours; see the module
            log.exception("request %d failed", header[1])
            code = errno.EIO
        else:
            code = _unknown(header[1])
        return None if header[1] in wire.SILENT else code

    def _naming(self, handler: Handler, header: Header, body: memoryview) -> bytes | int | None:
        """What changes names: who lists a folder of answers now sees that, though it is told in a moment only, or is told to
        nobody (what is loose)."""
        try:
            return handler(header, body)
        finally:
            if header[3] & COMPUTED:
                self._kept.forget_directory(header[3])

    def undo(self, opcode: int, body: bytes) -> None:
        """The kernel did not take an answer: whoever asked has gone. What it would have been told of is let go."""
        with suppress(HavenError, OSError):
            if opcode in _ENTRIES:
                self._forget(body)
            elif opcode in (wire.CREATE, wire.TMPFILE):
                self._content.let_go(wire.OPENED.unpack_from(body, wire.ENTRY.size)[0])
                self._forget(body)
            elif opcode == wire.OPEN:
                self._content.let_go(wire.OPENED.unpack(body)[0])
            elif opcode == wire.OPENDIR:
                self._directories.close(wire.OPENED.unpack(body)[0])
            elif opcode == wire.READDIRPLUS:
                for entry in _listed(body):
                    self._forget(entry)

    def _forget(self, entry: bytes) -> None:
        nodeid = int.from_bytes(entry[:8], "little")
        if nodeid:
            self._entries.forgotten(nodeid, 1)


_NAMING: Final = frozenset(
    {wire.CREATE, wire.MKNOD, wire.MKDIR, wire.SYMLINK, wire.LINK}
    | {wire.UNLINK, wire.RMDIR, wire.RENAME, wire.RENAME2}
)
_ENTRIES: Final = frozenset({wire.LOOKUP, wire.MKNOD, wire.MKDIR, wire.SYMLINK, wire.LINK})


def _unknown(opcode: int) -> int:
    if opcode == wire.IOCTL:
        return errno.ENOTTY
    if opcode in ABSENT or opcode > wire.COPY_FILE_RANGE_64:
        return errno.ENOSYS  # a later kernel asks whether we know it
    log.warning("request %d is unknown", opcode)
    return errno.ENOTSUP


def _listed(body: bytes) -> list[bytes]:
    """The entries of a READDIRPLUS answer."""
    found: list[bytes] = []
    place = 0
    while place < len(body):
        _, _, size, _ = wire.DIRENT.unpack_from(body, place + wire.ENTRY.size)
        found.append(body[place : place + 8])
        place += wire.ENTRY.size + wire.DIRENT.size + (size + 7 & ~7)
    return found
