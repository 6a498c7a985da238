"""Requests about open files and directories, turned into operations and back into bytes. Translates; decides nothing.

A file's handle is its descriptor, and is written to the ledger before the kernel hears of it: it outlives the server.
Any thread.
"""

from __future__ import annotations

import errno
import logging
import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from havend.errno import number as errno_of
from havend.handles import Opened
from havenfs.catalog import sources
from havenfs.entities import SourceId
from havenfs.errors import HavenError, Stale

from . import backing as backing_, capabilities, replies, wire
from .directories import uncounted
from .entries import caller, harmless
from .locks import Locks, Wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from havend.operations import Operations

    from .backing import Backing
    from .directories import Directories
    from .entries import Entries, Header
    from .ledger import Ledger

log = logging.getLogger(__name__)

COPY_MOST: Final = (
    1 << 30
)  # bytes a COPY_FILE_RANGE: the answer has 32 bits, and somebody waits for it
_RECORD = struct.Struct("=QQqQQQ")  # flags nodeid backing_id source_id, unique of the request, uid
_RELEASED: Final = 1 << 32
"""Among the flags of a record: the last descriptor of that open is closed, and the kernel was told so, or is about to be."""


class Content:
    """Open files and directories."""

    def __init__(
        self,
        operations: Operations,
        entries: Entries,
        directories: Directories,
        backing: Backing,
        ledger: Ledger,
        answer: Callable[[int, int], None],
    ) -> None:
        """*answer* sends an errno, or 0 with an empty body, for a unique number."""
        self._operations = operations
        self._entries = entries
        self._directories = directories
        self._backing = backing
        self._ledger = ledger
        self._answer = answer
        self.locks = Locks(ledger)
        self._orphans: dict[int, int] = {}  # handle -> inode, of what could not be taken over
        self._untold: dict[int, int] = {}
        """Of a predecessor, request -> handle: who sends one of these again was never told what it had opened."""
        self._adopt()

    def _adopt(self) -> None:
        """Take up the handles of a predecessor, and let go of those that it was letting go of."""
        released: list[int] = []
        for handle, record in self._ledger.held().items():
            flags, nodeid, backing_id, source_id, unique, uid = _RECORD.unpack(record)
            self._backing.adopt(nodeid, backing_id)  # for the kernel it is open, whatever we can do
            try:
                opened = self._inherited(handle, nodeid, flags & ~_RELEASED, SourceId(source_id))
                opened.uid = uid
                self._operations.adopt(opened)
            except (HavenError, OSError) as error:
                log.warning("an open file could not be taken over: %s", error)
                self._ledger.drop(handle)
                self._orphans[handle] = nodeid
            else:
                self._operations.handles.add(opened)
                self._untold[unique] = handle
                if flags & _RELEASED:
                    released.append(handle)
        for handle in released:
            try:
                self.let_go(handle)
            except (HavenError, OSError) as error:
                log.warning("a file could not be closed: %s", error)

    def _inherited(self, handle: int, nodeid: int, flags: int, source_id: SourceId) -> Opened:
        found = os.fstat(handle)
        source = path = None
        if source_id:
            source = self._operations.library.catalog.read(sources.get, source_id)
            path = _path_below(source.root, handle)
        signature = (found.st_size, found.st_mtime_ns, found.st_ino)
        return Opened(
            handle,
            nodeid,
            flags,
            signature,
            source=source,
            path=path,
            # Whether it was written to before is not known: the next close tells the observer.
            fresh=path is not None and flags & os.O_ACCMODE != os.O_RDONLY,
        )

    # --- files ------------------------------------------------------------------------------------------------

    def open(self, header: Header, body: memoryview) -> bytes:
        """Open a file."""
        flags, _ = wire.OPEN_IN.unpack(body)
        return self._held(header, self._operations.open(header[3], flags, caller(header)))

    def create(self, header: Header, body: memoryview) -> bytes:
        """Make a file and open it."""
        flags, mode, umask, _ = wire.CREATE_IN.unpack_from(body)
        parent, name = header[3], wire.name_after(body, wire.CREATE_IN.size)
        mode = self._entries.masked(parent, mode, umask)
        create = self._operations.create
        try:
            found, opened = create(parent, name, mode, flags, caller(header))
        except (HavenError, OSError) as error:
            if not header[2] & wire.RESENT or errno_of(error) != errno.EEXIST:
                raise
            found, opened = create(parent, name, mode, flags & ~os.O_EXCL, caller(header))
        return replies.entry(found) + self._held(header, opened)

    def tmpfile(self, header: Header, body: memoryview) -> bytes:
        """Make a file without a name and open it."""
        flags, mode, umask, _ = wire.CREATE_IN.unpack_from(
            body
        )  # a name follows that means nothing
        mode = self._entries.masked(header[3], mode, umask)
        found, opened = self._operations.tmpfile(header[3], mode, flags, caller(header))
        return replies.entry(found) + self._held(header, opened)

    def _held(self, header: Header, opened: Opened) -> bytes:
        way = self._backing.open(opened)
        if way != backing_.COPIED:
            flags = wire.FOPEN_PASSTHROUGH
        elif opened.uncached:
            flags = wire.FOPEN_DIRECT_IO | wire.FOPEN_PARALLEL_DIRECT_WRITES
        else:
            flags = wire.FOPEN_KEEP_CACHE if opened.keep else 0
        if opened.source is None or not opened.source.writable or uncounted(opened.nodeid):
            # What cannot be written has nothing to flush, and only shared locks, which go when the last descriptor does.
            flags |= wire.FOPEN_NOFLUSH
        source_id = opened.source.id if opened.source is not None else 0
        unique = header[2] & ~wire.RESENT
        self._ledger.hold(
            opened.handle,
            _RECORD.pack(opened.flags, opened.nodeid, way, source_id, unique, opened.uid),
        )
        if header[2] & wire.RESENT and (before := self._untold.pop(unique, None)) is not None:
            with suppress(HavenError, OSError):
                self.let_go(before)  # only now: while an upload is open, it is not filed
        return wire.OPENED.pack(opened.handle, flags, way)

    def read(self, _: Header, body: memoryview) -> bytes:
        """Read."""
        handle, offset, size, _, _, _, _ = wire.READ_IN.unpack(body)
        return self._operations.read(handle, offset, min(size, capabilities.MAX_WRITE))

    def write(self, _: Header, body: memoryview) -> bytes:
        """Write."""
        handle, offset, size, flags, _, _, _ = wire.WRITE_IN.unpack_from(body)
        data = body[wire.WRITE_IN.size :]
        if len(data) != size:
            raise wire.Malformed("another number of bytes than it says")
        if flags & wire.WRITE_KILL_SUIDGID:
            self._disarm(handle)
        return wire.WRITTEN.pack(self._operations.write(handle, offset, data), 0)

    def _disarm(self, handle: int) -> None:
        """Take set-user-ID away from a file whose content is about to be somebody else's."""
        less = harmless(os.fstat(self._operations.handles.get(handle).handle).st_mode)
        if less is not None:
            os.fchmod(handle, less)

    def flush(self, header: Header, body: memoryview) -> bytes:
        """A descriptor of the file was closed: what was written becomes known, and its owner's locks go."""
        handle, _, _, owner = wire.FLUSH_IN.unpack(body)
        try:
            self._operations.flush(handle)
        finally:
            self.locks.closed(header[3], owner)
        return b""

    def release(self, header: Header, body: memoryview) -> None:
        """The last descriptor of an open was closed. Written down, then answered, then done: who dies in between leaves that to
        the next one, who would take a handle that nobody has for a file that somebody is writing."""
        handle, _, _, _ = wire.RELEASE_IN.unpack(body)
        nodeid = header[3]
        self._released(handle, nodeid)
        self._answer(header[2], 0)
        try:
            opened = self._operations.handles.get(handle)
        except Stale:
            if self._orphans.pop(handle, None) == nodeid:
                self.locks.released(nodeid, handle)
                self._backing.close(nodeid)
            return  # or resent, and carried out before
        if opened.nodeid == nodeid:
            self.let_go(handle)

    def _released(self, handle: int, nodeid: int) -> None:
        record = self._ledger.handle(handle)
        if record is not None:
            flags, known, *_ = _RECORD.unpack(record)
            if known == nodeid:
                self._ledger.mark(handle, flags | _RELEASED)

    def let_go(self, handle: int) -> None:
        """Close an open file."""
        nodeid = self._operations.handles.get(handle).nodeid
        self.locks.released(nodeid, handle)  # before its number can be another's
        self._ledger.drop(handle)
        self._backing.close(nodeid)
        self._operations.release(handle)

    def fsync(self, _: Header, body: memoryview) -> bytes:
        """Bring a file to the disk."""
        handle, flags, _ = wire.FSYNC_IN.unpack(body)
        self._operations.fsync(handle, data_only=bool(flags & wire.FSYNC_FDATASYNC))
        return b""

    def fallocate(self, header: Header, body: memoryview) -> bytes:
        """Reserve, punch, shift or zero a range."""
        handle, offset, length, mode, _ = wire.FALLOCATE_IN.unpack(body)
        if header[4]:
            self._disarm(handle)
        self._operations.fallocate(handle, mode, offset, length)
        return b""

    def lseek(self, _: Header, body: memoryview) -> bytes:
        """Where the next data or hole begins."""
        handle, offset, whence, _ = wire.LSEEK_IN.unpack(body)
        return wire.LSEEK_OUT.pack(self._operations.lseek(handle, offset, whence))

    def copy_file_range(self, header: Header, body: memoryview) -> bytes:
        """Copy within the disk."""
        return wire.WRITTEN.pack(self._copied(header, body), 0)

    def copy_file_range_64(self, header: Header, body: memoryview) -> bytes:
        """The same, with a longer answer."""
        return wire.COPIED.pack(self._copied(header, body))

    def _copied(self, header: Header, body: memoryview) -> int:
        handle, offset, _, to, new_offset, length, _ = wire.COPY_IN.unpack(body)
        if header[4]:
            self._disarm(to)
        return self._operations.copy_file_range(
            handle, offset, to, new_offset, min(length, COPY_MOST)
        )

    # --- locks --------------------------------------------------------------------------------------------------

    def getlk(self, header: Header, body: memoryview) -> bytes:
        """Which lock stands in the way."""
        return wire.LOCK.pack(*self.locks.test(self._wish(header, body)))

    def setlk(self, header: Header, body: memoryview) -> bytes:
        """Take or let go of a lock, or fail at once."""
        self.locks.set(self._wish(header, body))
        return b""

    def setlkw(self, header: Header, body: memoryview) -> None:
        """Take a lock as soon as it is free."""
        unique = header[2]
        self.locks.wait(unique, self._wish(header, body), lambda code: self._answer(unique, code))

    def _wish(self, header: Header, body: memoryview) -> Wish:
        handle, owner, start, end, kind, pid, flags, _ = wire.LK_IN.unpack(body)
        self._operations.handles.get(handle)
        if start > end or end >= 1 << 63 or kind > 2:
            raise wire.Malformed("no range")
        return Wish(header[3], handle, owner, kind, start, end, pid, bool(flags & wire.LK_FLOCK))

    # --- directories ----------------------------------------------------------------------------------------------

    def opendir(self, header: Header, body: memoryview) -> bytes:
        """Take a snapshot of a directory."""
        wire.OPEN_IN.unpack(body)
        handle, keep = self._directories.open(header[3])
        return wire.OPENED.pack(
            handle, wire.FOPEN_CACHE_DIR | wire.FOPEN_KEEP_CACHE if keep else 0, 0
        )

    def readdir(self, header: Header, body: memoryview) -> bytes:
        """Names and types."""
        handle, offset, size, _, _, _, _ = wire.READ_IN.unpack(body)
        size = min(size, capabilities.MAX_WRITE)
        return self._directories.read(header[3], handle, offset, size, plus=False)

    def readdirplus(self, header: Header, body: memoryview) -> bytes:
        """Names, with attributes."""
        handle, offset, size, _, _, _, _ = wire.READ_IN.unpack(body)
        size = min(size, capabilities.MAX_WRITE)
        return self._directories.read(header[3], handle, offset, size, plus=True)

    def releasedir(self, _: Header, body: memoryview) -> bytes:
        """Let go of a snapshot."""
        handle, _, _, _ = wire.RELEASE_IN.unpack(body)
        self._directories.close(handle)
        return b""

    def fsyncdir(self, header: Header, body: memoryview) -> bytes:
        """Bring a directory's names to the disk."""
        wire.FSYNC_IN.unpack(body)
        self._operations.fsyncdir(header[3])
        return b""


def _path_below(root: bytes, handle: int) -> bytes | None:
    """Where an open file is in its source now; None if it has no name."""
    real = os.readlink(b"/proc/self/fd/%d" % handle)  # noqa: PTH115  # bytes
    root = os.path.realpath(root).rstrip(b"/") + b"/"
    return real[len(root) :] if real.startswith(root) and os.path.lexists(real) else None
