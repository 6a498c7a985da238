"""Locks on files, kept where everybody sees them: on the originals themselves.

A POSIX lock of the mount is an open-file-description lock on a descriptor that stands for (inode, owner), a flock is a
flock on another such descriptor; so programs that use the originals directly, and those that use the mount, keep each
other out. Such a descriptor outlives the server, and with it the lock. Deadlocks between waiting programs are not
detected: the disk does not detect them between its open-file-description locks either.

Any thread. A program that waits for a lock holds no thread: what it waits for is tried again whenever the mount lets go
of a lock, and every RETRY_S, because a lock of the disk's own clients ends without a word.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from .ledger import LOCK

if TYPE_CHECKING:
    from collections.abc import Callable

RETRY_S: Final = 0.02
FOREVER: Final = (1 << 63) - 1  # OFFSET_MAX: to the end of the file, wherever that will be

_GETLK, _SETLK = 36, 37  # F_OFD_*: only Python 3.12 and later name them, and not everywhere
_FLOCK = struct.Struct("@hhqqi4x")  # l_type l_whence l_start l_len l_pid
_NOTE = struct.Struct("<QQQQ")  # nodeid, owner, pid and whether it is a flock, handle
_MODES: Final = {
    fcntl.F_RDLCK: fcntl.LOCK_SH,
    fcntl.F_WRLCK: fcntl.LOCK_EX,
    fcntl.F_UNLCK: fcntl.LOCK_UN,
}
_TAKEN: Final = frozenset({errno.EAGAIN, errno.EACCES})


class Notes(Protocol):
    """Of a ledger, what is needed here."""

    def note(self, key: int, value: bytes) -> None:
        """Remember."""
        ...

    def erase(self, key: int) -> None:
        """Forget."""
        ...

    def notes(self) -> dict[int, bytes]:
        """What is remembered."""
        ...


class Wish(Struct, frozen=True):
    """What a program wants of a lock."""

    nodeid: int
    handle: int
    owner: int
    kind: int
    """F_RDLCK, F_WRLCK or F_UNLCK."""
    start: int
    end: int
    """The last byte."""
    pid: int
    whole: bool = False
    """flock: the file, not bytes of it."""


class _Owner(Struct):
    descriptor: int
    pid: int
    handle: int
    """The open file through which it came. A flock and an open-file-description lock have no other, and end with it; the
    locks of a process end when it closes any."""
    held: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """(start, end) of what may be locked, to know when nothing is."""


class Locks:
    """Who holds locks through the mount, and who waits."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._owners: dict[tuple[int, int, bool], _Owner] = {}
        self._waiting: dict[int, tuple[Wish, Callable[[int], None]]] = {}
        for key, note in notes.notes().items():
            if key & LOCK:
                nodeid, owner, more, handle = _NOTE.unpack(note)
                self._owners[nodeid, owner, bool(more & 1)] = _Owner(
                    key - LOCK, more >> 1, handle, [(0, FOREVER)]
                )

    @property
    def waiting(self) -> bool:
        """Whether anybody waits, so that `retry` is to be called."""
        return bool(self._waiting)

    # --- asking -----------------------------------------------------------------------------------------------

    def test(self, wish: Wish) -> tuple[int, int, int, int]:
        """(start, end, type, pid) of a lock that stands in the way; of type F_UNLCK when there is none."""
        with self._lock:
            owner, fresh = self._descriptor(wish)
            try:
                answer = _FLOCK.unpack(fcntl.fcntl(owner.descriptor, _GETLK, _packed(wish)))
            finally:
                if fresh:
                    self._let_go(wish)
            kind, _, start, length, pid = answer
            end = start + length - 1 if length else FOREVER
            if (
                pid < 0
            ):  # a lock of ours, or of somebody else's open file description: these have no process
                pid = self._holder(wish, start, end)
            return start, end, kind, pid

    def set(self, wish: Wish) -> None:
        """Take or let go of a lock. Raises OSError EAGAIN when somebody else has it."""
        self._set(wish)
        if wish.kind != fcntl.F_WRLCK:
            self.retry()

    def _set(self, wish: Wish) -> None:
        with self._lock:
            owner, fresh = self._descriptor(wish)
            try:
                if wish.whole:
                    fcntl.flock(owner.descriptor, _MODES[wish.kind] | fcntl.LOCK_NB)
                else:
                    fcntl.fcntl(owner.descriptor, _SETLK, _packed(wish))
            except OSError as error:
                if fresh:
                    self._let_go(wish)
                if error.errno in _TAKEN:
                    raise OSError(errno.EAGAIN, "locked") from error
                raise
            owner.pid = wish.pid
            owner.held = _without(owner.held, wish.start, wish.end)
            if wish.kind != fcntl.F_UNLCK:
                owner.held.append((wish.start, wish.end))
            elif not owner.held:
                self._let_go(wish)

    def wait(self, unique: int, wish: Wish, answer: Callable[[int], None]) -> None:
        """Take a lock as soon as it is free, then answer the request (with 0, or an errno)."""
        try:
            self.set(wish)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            self._waiting[unique] = wish, answer
        else:
            answer(0)

    def retry(self) -> None:
        """Try again for those who wait, the longest waiting first."""
        if not self._waiting:
            return
        with self._turn:
            for unique, (wish, answer) in list(self._waiting.items()):
                code = 0
                try:
                    self._set(wish)
                except OSError as error:
                    if error.errno == errno.EAGAIN:
                        continue
                    code = error.errno or errno.EIO
                if self._waiting.pop(unique, None) is not None:
                    answer(code)
                elif not code:  # interrupted in this very moment
                    self._set(replace(wish, kind=fcntl.F_UNLCK))

    def interrupt(self, unique: int) -> bool:
        """Whoever waits under this number waits no more; False if nobody does."""
        found = self._waiting.pop(unique, None)
        if found is None:
            return False
        found[1](errno.EINTR)
        return True

    # --- letting go ---------------------------------------------------------------------------------------------

    def closed(self, nodeid: int, owner: int, *, whole: bool = False) -> None:
        """This owner closed a descriptor of the file: POSIX takes all its locks there away; *whole*: its flock."""
        if not self._owners:
            return
        with self._lock:
            found = self._owners.pop((nodeid, owner, whole), None)
            if found is None:
                return
            self._close(found)
        self.retry()

    def released(self, nodeid: int, handle: int) -> None:
        """The last descriptor of this open file is closed. The kernel says nothing else of its open-file-description locks."""
        if not self._owners:
            return
        for key, owner in list(self._owners.items()):
            if owner.handle == handle and key[0] == nodeid:
                self.closed(key[0], key[1], whole=key[2])

    # --- descriptors, under the lock ----------------------------------------------------------------------------

    def _descriptor(self, wish: Wish) -> tuple[_Owner, bool]:
        """What stands for an owner, and whether it was made just now."""
        key = (wish.nodeid, wish.owner, wish.whole)
        owner = self._owners.get(key)
        if owner is not None:
            return owner, False
        path = f"/proc/self/fd/{wish.handle}"  # the file itself, whatever became of its name
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:  # a read-only disk: nobody can have it open for writing, and so want more
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._notes.note(
            LOCK + descriptor,
            _NOTE.pack(wish.nodeid, wish.owner, wish.pid << 1 | wish.whole, wish.handle),
        )
        owner = self._owners[key] = _Owner(descriptor, wish.pid, wish.handle)
        return owner, True

    def _let_go(self, wish: Wish) -> None:
        found = self._owners.pop((wish.nodeid, wish.owner, wish.whole), None)
        if found is not None:
            self._close(found)

    def _close(self, owner: _Owner) -> None:
        self._notes.erase(LOCK + owner.descriptor)
        with suppress(OSError):
            os.close(owner.descriptor)

    def _holder(self, wish: Wish, start: int, end: int) -> int:
        for (nodeid, number, whole), owner in self._owners.items():
            if nodeid == wish.nodeid and number != wish.owner and not whole:
                for first, last in owner.held:
                    if first <= end and start <= last:
                        return owner.pid
        return 0


def _packed(wish: Wish) -> bytes:
    length = 0 if wish.end >= FOREVER else wish.end - wish.start + 1
    return _FLOCK.pack(wish.kind, os.SEEK_SET, wish.start, length, 0)


def _without(held: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """The ranges less one."""
    rest: list[tuple[int, int]] = []
    for first, last in held:
        if last < start or end < first:
            rest.append((first, last))
            continue
        if first < start:
            rest.append((first, start - 1))
        if last > end:
            rest.append((end + 1, last))
    return rest
