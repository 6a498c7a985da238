"""/dev/fuse: opening it, putting a mount on it and taking it off, and the calls about backing files.

Needs CAP_SYS_ADMIN throughout. Knows nothing of messages. Any thread.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import stat
import struct
from typing import TYPE_CHECKING, Final

from havend.credentials import Spending

if TYPE_CHECKING:
    from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_NOBODY: Final = 65534

_NOSUID, _NODEV, _NOATIME = 2, 4, 1024
_FORCE, _DETACH = 1, 2
# _IOW(229, 1, struct fuse_backing_map) and _IOW(229, 2, uint32_t) of <linux/fuse.h>
_BACKING_OPEN: Final = 0x4010E501
_BACKING_CLOSE: Final = 0x4004E502
_BACKING_MAP = struct.Struct("<iIQ")


def open_device() -> int:
    """A descriptor to mount with. It never waits: the server spins a little and then polls."""
    return os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)


def mount(descriptor: int, directory: Path, *, library_id: str) -> None:
    """Put a file system on *directory* whose server will speak through *descriptor*. Raises OSError."""
    # The name: Samba's vfs_glusterfs_fuse makes file ids of it, so it must be unique and outlive restarts.
    # Everybody may look, as far as modes and access lists say, and it is the kernel that checks them. No max_read:
    # a read is bounded by max_pages anyway.
    options = (
        f"fd={descriptor},rootmode={stat.S_IFDIR:o},user_id=0,group_id=0,"
        "allow_other,default_permissions"
    )
    if _libc.mount(
        f"havenfs-{library_id}".encode(),
        bytes(directory),
        b"fuse.havenfs",
        ctypes.c_ulong(_NOSUID | _NODEV | _NOATIME),
        options.encode(),
    ):
        _raise_errno(directory)


def unmount(directory: Path, *, lazily: bool = False) -> None:
    """Take the file system off *directory*; *lazily* although it is in use: who waits for an answer, or asks for one
    from then on, is told that there is none. Raises OSError.
    """
    if _libc.umount2(bytes(directory), _DETACH | _FORCE if lazily else 0):
        _raise_errno(directory)


def lend(device: int, descriptor: int, *, to_write: bool) -> int:
    """Let the kernel read and write this file by itself; the id to say so with. Raises OSError.

    The id pins the file, deleted or not, until it is taken back.

    *to_write*: the kernel will write with the rights of this moment. With those of root it would leave set-user-ID bits
    on what anybody writes to; with nobody's it clears them, also when root writes.
    """
    if to_write:
        with Spending(_NOBODY):
            return lend(device, descriptor, to_write=False)
    request = bytearray(_BACKING_MAP.pack(descriptor, 0, 0))  # not bytes: the id would be lost
    return fcntl.ioctl(device, _BACKING_OPEN, request, True)  # noqa: FBT003  # fcntl's signature


def take_back(device: int, backing_id: int) -> None:
    """Let go of a backing file. What the kernel still has open through it stays so. Raises OSError."""
    fcntl.ioctl(device, _BACKING_CLOSE, struct.pack("<I", backing_id))


def _raise_errno(directory: Path) -> None:
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code), os.fspath(directory))
