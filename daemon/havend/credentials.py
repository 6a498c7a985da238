"""Doing something in the name of the person who asked: their user, group and supplementary groups, on this thread.

As root, the kernel then applies to us the rules that it would apply to them: who owns what is made, set-group-ID
directories, sticky bits, access lists, quotas. As anybody else there is one person only, and nothing to do.

The raw system calls change one thread; the wrappers of the C library would change the whole process.
"""

from __future__ import annotations

import ctypes
import functools
import os
import pwd
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

    from havenfs.entities import Caller

# (setfsuid, setfsgid, setgroups) of <asm/unistd.h>; the 32-bit machines have a second, wider set.
_NUMBERS: Final = {
    "x86_64": (122, 123, 116),
    "aarch64": (151, 152, 159),
    "riscv64": (151, 152, 159),
    "armv7l": (215, 216, 206),
    "i686": (215, 216, 206),
}
_CAP_SYS_RESOURCE: Final = 24
_libc = ctypes.CDLL(None, use_errno=True)
_at_once = ctypes.PyDLL(None)  # calls that cannot wait, and so need not let other threads run


@functools.cache
def _privileged() -> bool:
    return os.geteuid() == 0 and os.uname().machine in _NUMBERS


def user(uid: int) -> str:
    """The name of a user, for people."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


class Acting:
    """A context in which this thread is the caller, as far as files are concerned. Not within itself."""

    __slots__ = ("_caller", "_switched")

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._switched = False

    @property
    def who(self) -> str:
        """The caller's name, for what is decided in it."""
        return user(self._caller.uid)

    @property
    def owner(self) -> tuple[int, int]:
        """Whom what is made belongs to."""
        return self._caller.uid, self._caller.gid

    def __enter__(self) -> None:
        caller = self._caller
        if (caller.uid == 0 and caller.gid == 0) or not _privileged():
            return
        setfsuid, setfsgid, setgroups = _NUMBERS[os.uname().machine]
        groups = _groups(caller.pid)
        self._switched = True
        _libc.syscall(setgroups, len(groups), (ctypes.c_uint32 * len(groups))(*groups))
        _libc.syscall(setfsgid, caller.gid)
        _libc.syscall(setfsuid, caller.uid)  # last: it gives the capabilities away

    def __exit__(self, *_: object) -> None:
        if not self._switched:
            return
        setfsuid, setfsgid, setgroups = _NUMBERS[os.uname().machine]
        _libc.syscall(setfsuid, 0)
        _libc.syscall(setfsgid, os.getegid())
        _libc.syscall(setgroups, 0, None)


class Spending:
    """A context in which this thread takes room on a disk as a user: not of the blocks that a disk reserves for root (ext4 asks
    for the user, whatever capabilities there are), or lends a file to be written to without root's rights. Access is not asked
    again, so groups stay. Nothing for root. Not within itself or `Acting`, and 5 us where that takes 95."""

    __slots__ = ("_uid",)

    def __init__(self, uid: int) -> None:
        self._uid = uid if uid and _privileged() else 0

    def __enter__(self) -> None:
        if self._uid:
            _at_once.setfsuid(self._uid)

    def __exit__(self, *_: object) -> None:
        if self._uid:
            _at_once.setfsuid(0)


def _groups(pid: int) -> list[int]:
    """The supplementary groups of a process; none when it has gone. FUSE does not send them."""
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return []
    for line in status.splitlines():
        if line.startswith(b"Groups:"):
            return [int(group) for group in line.split()[1:]]
    return []


@contextmanager
def neutral() -> Generator[None]:
    """Make this process a neutral one: no umask of its own, for the caller's was applied by the kernel; and, for good, no
    right to exceed quotas and the blocks that a disk reserves for root."""
    if _privileged():
        _drop(_CAP_SYS_RESOURCE)
    umask = os.umask(0)
    try:
        yield
    finally:
        os.umask(umask)


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def _drop(capability: int) -> None:
    """Take a capability out of the effective set (capset(2), version 3)."""
    header = _Header(0x20080522, 0)
    sets = (
        ctypes.c_uint32 * 6
    )()  # effective, permitted, inheritable; the low 32 bits of each, then the high ones
    if _libc.capget(ctypes.byref(header), sets) == 0:
        sets[0] &= ~(1 << capability)
        _libc.capset(ctypes.byref(header), sets)
