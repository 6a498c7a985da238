"""What is mounted where, by /proc/self/mountinfo: found without touching a mount, which may be dead, or our own.

Read anew each time (50 us), but for `ours` and `local`, which listings and walks ask. Any thread.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from msgspec import Struct

OURS: Final = "havenfs"
LOCAL: Final = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "bcachefs", "zfs", "tmpfs"}
)
"""File systems that ask nobody over a network, nor another program."""
REMEMBERED_S: Final = 1.0


class Mount(Struct, frozen=True, kw_only=True):
    """One line of the table."""

    device: int
    """st_dev of what is in it."""
    root: bytes
    """Which directory of the file system is mounted: not "/" for bind mounts."""
    point: bytes
    """Where, absolute."""
    kind: str
    """Type of the file system: "ext4", "fuse.havenfs"."""
    origin: str

    @property
    def ours(self) -> bool:
        """Whether it is a tree of HavenFS, of this or another library."""
        return self.kind == f"fuse.{OURS}" or self.origin.startswith(f"{OURS}-")


def table() -> list[Mount]:
    """Everything that is mounted here, in order: of two on one directory the later one is seen."""
    found: list[Mount] = []
    for line in Path("/proc/self/mountinfo").read_bytes().splitlines():
        fields = line.split(b" ")
        dash = fields.index(b"-", 6)
        major, minor = fields[2].split(b":")
        found.append(
            Mount(
                device=os.makedev(int(major), int(minor)),
                root=_plain(fields[3]),
                point=_plain(fields[4]),
                kind=fields[dash + 1].decode("utf-8", "replace"),
                origin=_plain(fields[dash + 2]).decode("utf-8", "replace"),
            )
        )
    return found


def holding(path: bytes) -> Mount | None:
    """The mount that an absolute path without links lies in."""
    best = None
    for mount in table():
        if below(mount.point, path) and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best


def located(path: bytes) -> tuple[int, bytes]:
    """Device, and path in its file system: the same for all bind mounts through which a directory is reached."""
    mount = holding(path)
    if mount is None:
        return 0, path
    rest = path[len(mount.point.rstrip(b"/")) :]
    return mount.device, mount.root.rstrip(b"/") + rest or b"/"


def below(outer: bytes, inner: bytes) -> bool:
    """Whether *inner* is *outer* or lies in it."""
    return inner == outer or inner.startswith(outer.rstrip(b"/") + b"/")


def kind_of(device: int) -> Mount | None:
    """Some mount of the device; None if it is not mounted as itself (a subvolume of btrfs)."""
    return next((mount for mount in table() if mount.device == device), None)


def ours(device: int) -> bool:
    """Whether st_dev is that of a tree of HavenFS; as it was up to REMEMBERED_S ago."""
    mount = _known(device)
    return mount is not None and mount.ours


def local(device: int) -> bool:
    """Whether st_dev is that of a disk of this machine, or its memory; as it was up to REMEMBERED_S ago. False for what is
    not mounted as itself."""
    mount = _known(device)
    return mount is not None and mount.kind in LOCAL


def _known(device: int) -> Mount | None:
    until, mount = _remembered.get(device, (0.0, None))
    now = time.monotonic()
    if now > until:
        mount = kind_of(device)
        _remembered[device] = now + REMEMBERED_S, mount
    return mount


_remembered: dict[int, tuple[float, Mount | None]] = {}


def _plain(field: bytes) -> bytes:
    """Blanks and the like are octal there."""
    if b"\\" not in field:
        return field
    return field.decode("unicode_escape").encode("latin-1")
