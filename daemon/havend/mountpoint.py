"""The directory that is mounted on: checked, and freed of what a killed predecessor left behind.

Synchronous, and run before anything is served. It must not be asked about a mount whose server has stopped answering
without dying: such a stat never returns.
"""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path
from typing import Final

from havenfs import mounts
from havenfs.errors import ConfigError

log = logging.getLogger(__name__)

LAYERS = 16  # dead mounts on top of each other, from a service that was killed again and again
DETACH_S = 10
READ_AHEAD_KIB: Final = 1024  # the most that one request may ask for
OURS = b"fuse.havenfs"
_LOST = frozenset({errno.ENOTCONN, errno.ECONNABORTED})
"""The second is told to who was waiting for an answer when the last descriptor of the mount was closed."""


def prepare(directory: Path) -> Path:
    """The real path of *directory*, free to be mounted on. Raises ConfigError."""
    if not bury(directory):
        raise ConfigError(
            f"{directory} is a dead mount that cannot be detached. Try: umount -l {directory}"
        )
    if not directory.is_dir():
        raise ConfigError(
            f"cannot mount on {directory}: it is not a directory. Make it first, or choose another."
        )
    real = directory.resolve()
    if mounted(real) == OURS:
        raise ConfigError(f"{directory} is served by another HavenFS already. Stop that one first.")
    return real


def bury(directory: Path) -> bool:
    """Detach what killed processes left mounted on *directory*. False if that cannot be done."""
    for _ in range(LAYERS):
        if not dead(directory):
            return True
        log.warning("detaching what a killed process left mounted on %s", directory)
        detach(directory)
    return False


def detach(directory: Path) -> None:
    """Take away what is mounted on *directory*; whoever waits there for an answer gets an error."""
    import subprocess  # seldom needed: 4 ms of every start

    if os.getuid() == 0:
        command = ["umount", "--force", "--lazy", str(directory)]
    else:
        command = ["fusermount3", "-u", "-z", str(directory)]
    subprocess.run(command, check=False, capture_output=True, timeout=DETACH_S)


def mounted(path: Path) -> bytes | None:
    """The type of what is mounted at this absolute path, without touching it; None: nothing."""
    there = [mount.kind for mount in mounts.table() if mount.point == bytes(path)]
    return there[-1].encode() if there else None  # the last one lies on top


def read_far_ahead(path: Path) -> None:
    """Have the kernel read on in requests of a MiB below this mount, instead of 128 KiB: what reads through a program pays for
    each. Only root may say so, where /sys can be written to."""
    mount = mounts.holding(bytes(path))
    if mount is None:
        return
    name = f"{os.major(mount.device)}:{os.minor(mount.device)}"
    try:
        Path(f"/sys/class/bdi/{name}/read_ahead_kb").write_text(str(READ_AHEAD_KIB))
    except OSError as error:
        log.info("reads are asked for in small pieces: %s", error)


def dead(path: Path) -> bool:
    """Whether a mount there has lost its server. statvfs, unlike stat, is never answered from the kernel's cache."""
    try:
        os.statvfs(path)
    except OSError as error:
        return error.errno in _LOST
    return False
