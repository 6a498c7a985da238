"""A child process that shares our descriptors: what it opens stays open here when it is killed.

fork(2) copies the table of descriptors, clone(2) with CLONE_FILES shares it; no library offers that together with a
copied memory, so the system call is made by number. Only a process of one thread may do so: nobody else can then hold a
lock of the C library that its copy would wait for in vain (the C library's own fork would see to that).
"""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import signal
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

CLONE_FILES: Final = 0x400
PR_SET_PDEATHSIG: Final = 1
NUMBERS: Final = {"x86_64": 56, "aarch64": 220, "riscv64": 220}
"""clone(2) per machine of `transport.MACHINES`. The arguments after the flags and the stack, whose order differs, are all 0."""

# PyDLL: the interpreter's lock must not change hands between the calls.
_libc = ctypes.PyDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_python = ctypes.pythonapi


def clone() -> int:
    """Like os.fork(), but parent and child share one table of descriptors. Raises OSError."""
    if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208  # names alone
        raise RuntimeError("a process of several threads cannot be copied")
    flags = CLONE_FILES | signal.SIGCHLD
    arguments = [ctypes.c_long(n) for n in (NUMBERS[platform.machine()], flags, 0, 0, 0, 0)]
    collecting = gc.isenabled()
    gc.disable()  # from here to the end of the copying the interpreter's own locks are held
    _python.PyOS_BeforeFork()
    pid = _libc.syscall(*arguments)
    if pid == 0:
        _python.PyOS_AfterFork_Child()
    else:
        _python.PyOS_AfterFork_Parent()
    if collecting:
        gc.enable()
    if pid < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return pid


def die_with(parent: int) -> None:
    """Have the kernel kill this process when *parent* dies. Ends it if that has happened already.

    It hangs on the thread that calls it, and the kernel drops it when that thread changes its file system user or group.
    """
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def signals(numbers: Iterable[int]) -> int:
    """A descriptor that is readable while one of these signals, which are blocked, waits for us (signalfd(2))."""
    mask = sum(1 << number - 1 for number in numbers).to_bytes(128, sys.byteorder)
    descriptor = _libc.signalfd(-1, mask, os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "signalfd")
    return descriptor


def open_descriptors() -> set[int]:
    """Every descriptor of the table."""
    listed = os.listdir("/proc/self/fd")  # noqa: PTH208  # also that of the listing itself, which is closed by now
    return {int(name) for name in listed if os.path.lexists(f"/proc/self/fd/{name}")}
