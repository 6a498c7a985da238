"""Real disks that die, hang and fill, for tests: ext4 in a file on a loop device, and a FUSE file system whose server is stopped.

Need root.
"""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN: from now on every access is an I/O error, as when a cable is pulled
NOLOGFLUSH = 2


def run(*command: object) -> str:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


class Disk:
    """A small disk of its own."""

    def __init__(self, image: Path, at: Path) -> None:
        self.image = image
        self.at = at

    def mount(self) -> None:
        run("mount", "-o", "loop", self.image, self.at)

    def pull(self) -> None:
        """The cable: whoever has something open is told EIO, and the directory is empty for the others."""
        self.die()
        run("umount", "-l", self.at)

    def die(self) -> None:
        """Every access is an I/O error from now on."""
        handle = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, SHUTDOWN, struct.pack("I", NOLOGFLUSH))
        finally:
            os.close(handle)

    def released(self) -> bool:
        """Whether nobody has anything of it open any more."""
        return not run("losetup", "-j", self.image)

    def repair(self) -> None:
        done = subprocess.run(["e2fsck", "-fy", self.image], capture_output=True, check=False)
        assert done.returncode in (0, 1), done  # 1: something was mended


@contextmanager
def disk(at: Path, size: str = "32M") -> Generator[Disk]:
    image = at.with_suffix(".img")
    run("truncate", "-s", size, image)
    run("mkfs.ext4", "-q", "-E", "root_owner=0:0", image)
    made = Disk(image, at)
    made.mount()
    try:
        yield made
    finally:
        subprocess.run(["umount", "-l", at], check=False, capture_output=True)


@contextmanager
def hanging(original: Path, at: Path) -> Generator[subprocess.Popen[bytes]]:
    """A disk that can be stopped (SIGSTOP) and goes on (SIGCONT)."""
    process = subprocess.Popen(
        ["bindfs", "-f", "-o", "attr_timeout=0,entry_timeout=0,negative_timeout=0", original, at],
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        while not os.path.ismount(at):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        subprocess.run(["umount", "-l", at], check=False)
        process.terminate()
        process.wait(10)
