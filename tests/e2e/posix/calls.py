"""Calls that Python does not offer, and people to make them."""

from __future__ import annotations

import ctypes
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ALICE, BOB, FAMILY, GUESTS = 4001, 4002, 5001, 5002
GB = 1 << 30
NOREPLACE, EXCHANGE, WHITEOUT = 1, 2, 4
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16
libc = ctypes.CDLL(None, use_errno=True)

# libfuse's Python binding knows neither: what its programs meet is EOPNOTSUPP, or no holes.
only_direct = pytest.mark.parametrize("transport", ["direct"], indirect=True)


def as_person(
    code: str, *arguments: object, uid: int, gid: int, groups: tuple[int, ...] = ()
) -> str:
    """Run lines of Python as somebody else; "ok", or the name of the error that ended them."""
    program = f"""
import errno, os, sys
a = sys.argv[1:]
try:
    {code}
except OSError as error:
    print(errno.errorcode[error.errno])
else:
    print("ok")
"""
    return subprocess.run(
        ["/usr/bin/python3", "-I", "-c", program, *map(str, arguments)],
        user=uid,
        group=gid,
        extra_groups=groups,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        umask=0o022,
    ).stdout.strip()


def renameat2(old: Path, new: Path, flags: int) -> int:
    """0 or an errno."""
    done = libc.renameat2(-100, bytes(old), -100, bytes(new), flags)
    return ctypes.get_errno() if done else 0


def fallocate(descriptor: int, mode: int, offset: int, length: int) -> int:
    done = libc.fallocate(descriptor, mode, ctypes.c_longlong(offset), ctypes.c_longlong(length))
    return ctypes.get_errno() if done else 0
