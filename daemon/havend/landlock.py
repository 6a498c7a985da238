"""Landlock: which files this process may still touch. Linux 5.13 and later; by system calls, without a library.

Source: Documentation/userspace-api/landlock.rst. The kernel says how much of it there is (its ABI version): what is newer
than that is left out. Applies to the calling thread and what it starts, so it is called while there is one thread.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

CREATE_RULESET: Final = 444  # the same numbers on every architecture
ADD_RULE: Final = 445
RESTRICT_SELF: Final = 446
CREATE_RULESET_VERSION: Final = 1
RULE_PATH_BENEATH: Final = 1

EXECUTE: Final = 1 << 0
WRITE_FILE: Final = 1 << 1
READ_FILE: Final = 1 << 2
READ_DIR: Final = 1 << 3
REMOVE: Final = 1 << 4 | 1 << 5  # directories, files
MAKE: Final = 0b111_1111 << 6  # devices, directories, files, sockets, pipes, links
REFER: Final = 1 << 13  # link or rename across directories; ABI 2
TRUNCATE: Final = 1 << 14  # ABI 3
IOCTL_DEV: Final = 1 << 15  # ABI 5
OF_FILES: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
"""Rights that a rule about a file may give; the others are about what is in a directory."""

READ: Final = READ_FILE | READ_DIR
WRITE: Final = READ | WRITE_FILE | REMOVE | 1 << 7 | 1 << 8 | REFER | TRUNCATE
"""Directories and plain files may be made; no devices, sockets, pipes and links."""

TCP: Final = 0b11  # bind and connect; ABI 4
SCOPES: Final = 0b11  # abstract unix sockets and signals stay among those who are as shut in; ABI 6


def version() -> int:
    """The kernel's ABI version; 0 where there is no Landlock."""
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, libc.syscall(CREATE_RULESET, None, 0, CREATE_RULESET_VERSION))


def restrict(rules: Iterable[tuple[bytes, int]]) -> str | None:
    """Allow only *rules* (path, rights there and below) from now on, for good. What is not there is left out.

    Returns what the kernel lacks, in words; None for nothing. PR_SET_NO_NEW_PRIVS must be set. Raises OSError when the
    kernel refuses what it said it could do.
    """
    abi = version()
    if abi < 1:
        return "no Landlock: what they may write is left to the permissions of files (Linux 5.13 has it)"
    libc = ctypes.CDLL(None, use_errno=True)
    handled = EXECUTE | WRITE | MAKE
    handled |= IOCTL_DEV if abi >= 5 else 0
    handled &= ~(0 if abi >= 2 else REFER) & ~(0 if abi >= 3 else TRUNCATE)
    attributes = struct.pack("QQQ", handled, TCP, SCOPES)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    ruleset = _checked(libc.syscall(CREATE_RULESET, attributes, len(attributes), 0))
    try:
        for path, rights in rules:
            _allow(libc, ruleset, path, rights & handled)
        _checked(libc.syscall(RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)
    return None if abi >= 3 else "a Landlock that does not cover truncation (Linux 6.2 does)"


def _allow(libc: ctypes.CDLL, ruleset: int, path: bytes, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= OF_FILES
        rule = struct.pack("=Qi", rights, place)
        _checked(libc.syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, rule, 0))
    finally:
        os.close(place)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number or errno.EINVAL, f"Landlock: {os.strerror(number)}")
    return result
