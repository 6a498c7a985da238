"""Which disks sleep, told without waking them and without being root: one whose counters stand still may have spun down.

Source: Documentation/ABI/stable/sysfs-block (stat, queue/rotational) and runtime power management's runtime_status. Whether
a disk has spun down by its own timer only the disk knows, and asking it (ATA CHECK POWER MODE) takes root; but nothing
was read from or written to one that sleeps. Follows device mapper, md and bcache to the disks below. One thread at a time.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Final

DEVICES: Final = Path("/sys/dev/block")
STILL_S: Final = 300.0
"""Common spin-down timers are 10 minutes and more; five leave room for those who set less."""


class Disks:
    """Remembers when each disk was last seen at work. Ask often: what is not seen counts as stillness."""

    def __init__(self, devices: Path = DEVICES) -> None:
        self._devices = devices
        self._seen: dict[str, tuple[str, float]] = {}

    def asleep(self, root: bytes, device: int) -> bool:
        """Whether every spinning disk below the file system with number *device*, mounted over *root*, may sleep.

        False where there is none: flash, network disks, and what the kernel does not tell of.
        """
        spinning = [disk for disk in self._below(root, device) if _rotates(disk)]
        still = [self._still(disk) for disk in spinning]  # each is looked at each time
        return bool(still) and all(still)

    def _still(self, disk: Path) -> bool:
        with contextlib.suppress(OSError):
            if (disk / "device/power/runtime_status").read_text().strip() == "suspended":
                return True
        try:
            counted = " ".join(
                (disk / "stat").read_text().split()[:7]
            )  # reads and writes that came to an end
        except OSError:
            return False
        now = time.monotonic()
        before = self._seen.get(disk.name)
        if before is None or before[0] != counted:
            self._seen[disk.name] = counted, now
            return False
        return now - before[1] >= STILL_S

    def _below(self, root: bytes, device: int) -> list[Path]:
        """The whole disks that hold a file system."""
        number = f"{os.major(device)}:{os.minor(device)}"
        if (
            os.major(device) == 0
        ):  # btrfs and others number themselves: by what the table of mounts says
            number = _mounted_from(root) or number
        return _whole(self._devices / number)


def _whole(entry: Path) -> list[Path]:
    """The disks that a block device lies on."""
    try:
        here = entry.resolve(strict=True)
        lower = sorted((here / "slaves").iterdir()) if (here / "slaves").is_dir() else []
    except OSError:
        return []
    if lower:
        return [disk for one in lower for disk in _whole(one)]
    return [here.parent if (here / "partition").exists() else here]


def _rotates(disk: Path) -> bool:
    with contextlib.suppress(OSError):
        return (disk / "queue/rotational").read_text().strip() == "1"
    return False


def _mounted_from(root: bytes) -> str | None:
    """The number of the device that the file system over *root* was mounted from."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        best, source = b"", b""
        for line in Path("/proc/self/mountinfo").read_bytes().splitlines():
            left, _, right = line.partition(b" - ")
            point = left.split()[4]
            if (root + b"/").startswith(point.rstrip(b"/") + b"/") and len(point) >= len(best):
                best, source = point, right.split()[1]
        if source.startswith(b"/dev/"):
            number = os.stat(source).st_rdev  # noqa: PTH116 -- bytes
            return f"{os.major(number)}:{os.minor(number)}"
    return None
