"""What of a disk can be said at once: names that the kernel has in memory, on file systems of this machine's own disks.

An event loop must not wait for a disk, and handing a question to a thread costs it 100 us and more. In the context `at_once`
everything that `disk` would have to wait for raises WouldWait instead, upon which the same question is asked on a thread.

openat2(2) with RESOLVE_CACHED (Linux 5.12) answers EAGAIN for what is not in the cache of names; neither opening a regular
file nor fstat waits for a disk then. RESOLVE_NO_XDEV: below a mount point there may be a network. Where the call is
missing, everything would wait. Any thread; the context is the thread's own.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_OPENAT2: Final = 437  # on every architecture
_RESOLVE: Final = 0x20 | 0x01  # RESOLVE_CACHED | RESOLVE_NO_XDEV
_WAITING = frozenset({errno.EAGAIN, errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EPERM})
"""EPERM, ENOSYS: a filter of system calls that does not know this one. EINVAL: a kernel that does not know the flag."""


class WouldWait(Exception):  # noqa: N818 -- no error: the answer is only not at hand
    """The disk would have to be asked."""


class _State(threading.local):
    on = False


_state = _State()


@contextmanager
def at_once() -> Generator[None]:
    """Do inside what either is done at once or raises WouldWait. Only what changes nothing before it asks the disk."""
    before, _state.on = _state.on, True
    try:
        yield
    finally:
        _state.on = before


def may_wait() -> None:
    """Raise WouldWait where this thread must not wait."""
    if _state.on:
        raise WouldWait


class Held:
    """A descriptor that closes with its last user."""

    __slots__ = ("fd", "local", "until")

    def __init__(self, fd: int, until: float, *, local: bool = False) -> None:
        self.fd = fd
        self.until = until
        self.local = local
        """It is on a disk of this machine."""

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self.fd)  # bound early: at the end of the program modules are empty


def lstat(directory: Held, name: bytes) -> os.stat_result:
    """The lstat of a name in a directory, of itself when *name* is empty. Raises OSError, WouldWait."""
    if not name:
        if _state.on and not directory.local:
            raise WouldWait
        return os.fstat(directory.fd)
    if not _state.on:
        return os.stat(name, dir_fd=directory.fd, follow_symlinks=False)
    descriptor = opened(directory, name, os.O_PATH)
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def opened(directory: Held, name: bytes, flags: int) -> int:
    """A descriptor of a name in a directory, which is followed by no link. Raises OSError, WouldWait."""
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC
    if not _state.on:
        return os.open(name, flags, dir_fd=directory.fd)
    if not directory.local:
        raise WouldWait
    how = struct.pack("QQQ", flags, 0, _RESOLVE)
    descriptor = _syscall(_OPENAT2, directory.fd, name, how, len(how))
    if descriptor < 0:
        number = ctypes.get_errno()
        if number in _WAITING:
            raise WouldWait
        raise OSError(number, os.strerror(number))
    return descriptor


_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)
_syscall.restype = ctypes.c_long
