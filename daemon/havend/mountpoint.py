"""The directory that is mounted on: checked, and freed of what a killed predecessor left behind.

Synchronous, and run before anything is served. It must not be asked about a mount whose server has stopped answering
without dying: such a stat never returns.
"""

from __future__ import annotations

import errno
import logging
import os
import subprocess
from pathlib import Path

from havenfs.errors import ConfigError

log = logging.getLogger(__name__)

LAYERS = 16  # dead mounts on top of each other, from a service that was killed again and again
DETACH_S = 10


def prepare(directory: Path) -> Path:
    """The real path of *directory*, free to be mounted on. Raises ConfigError."""
    for _ in range(LAYERS):
        try:
            os.statvfs(directory)  # never answered from the kernel's cache, unlike stat
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                raise ConfigError(
                    f"cannot mount on {directory}: {error.strerror}. Make the directory first, or choose another."
                ) from error
            log.warning("detaching what a killed process left mounted on %s", directory)
            _detach(directory)
        else:
            break
    else:
        raise ConfigError(
            f"{directory} is a dead mount that cannot be detached. Try: umount -l {directory}"
        )
    if not directory.is_dir():
        raise ConfigError(f"cannot mount on {directory}: it is not a directory")
    real = directory.resolve()
    if _is_ours(real):
        raise ConfigError(f"{directory} is served by another HavenFS already. Stop that one first.")
    return real


def _detach(directory: Path) -> None:
    if os.getuid() == 0:
        command = ["umount", "--lazy", str(directory)]
    else:
        command = ["fusermount3", "-u", "-z", str(directory)]
    subprocess.run(command, check=False, capture_output=True, timeout=DETACH_S)


def _is_ours(real: Path) -> bool:
    """Whether a HavenFS is mounted there, by /proc/self/mountinfo: the fifth field, and the type after the dash."""
    for line in Path("/proc/self/mountinfo").read_bytes().splitlines():
        fields = line.split()
        path = fields[4].decode("unicode_escape").encode("latin-1")
        if path == bytes(real) and fields[fields.index(b"-") + 1] == b"fuse.havenfs":
            return True
    return False
