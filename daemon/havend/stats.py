"""What stat shows of a node, and how long the kernel may believe it. Values and pure functions."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import os

LONG_S = 300.0  # names and attributes whose changes are announced to the kernel
SHORT_S = 1.0  # everything else: long enough for `ls -l`, short enough for people
LINKS = 5  # an asset stands in files/, by-date/, places/, types/ and .haven/by-id/; du and rsync -H count it once


class Attributes(Struct):
    """Of one inode."""

    nodeid: int
    """What the kernel calls the inode."""
    number: int
    """st_ino: what programs see."""
    mode: int
    nlink: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    atime_ns: int
    ctime_ns: int
    rdev: int = 0
    blocks: int = 0
    """Of 512 bytes."""
    entry_s: float = SHORT_S
    attributes_s: float = SHORT_S
    generation: int = 0
    """Another one: another file under a number that was used before."""


def of_asset(
    size: int, mtime: int, nodeid: int, number: int, uid: int, gid: int, *, lasting: bool
) -> Attributes:
    """An asset in a view, of so many bytes, changed at *mtime* (ns): readable by everybody, written by nobody."""
    return Attributes(
        nodeid,
        number,
        stat.S_IFREG | 0o444,
        LINKS,
        uid,
        gid,
        size,
        mtime,
        mtime,
        mtime,
        0,
        (size + 511) // 512,
        LONG_S if lasting else SHORT_S,
        LONG_S,
    )


def of_original(found: os.stat_result, nodeid: int) -> Attributes:
    """What `files/` shows: the disk's own attributes."""
    directory = stat.S_ISDIR(found.st_mode)
    return Attributes(
        nodeid,
        nodeid,
        found.st_mode,
        # Samba shows nonsense below 2 for directories (btrfs counts 1); a file without a name has none.
        max(found.st_nlink, 2) if directory else found.st_nlink,
        found.st_uid,
        found.st_gid,
        found.st_size,
        found.st_mtime_ns,
        found.st_atime_ns,
        found.st_ctime_ns,
        found.st_rdev,
        found.st_blocks,
    )


def of_folder(
    nodeid: int,
    uid: int,
    gid: int,
    touched_ns: int,
    *,
    entry_s: float,
    attributes_s: float,
    writers: int = 0,
) -> Attributes:
    """A computed directory; *writers*: the bits of 0o222 of those who may put things into it."""
    return Attributes(
        nodeid,
        nodeid,
        stat.S_IFDIR | 0o555 | writers,
        2,
        uid,
        gid,
        0,
        touched_ns,
        touched_ns,
        touched_ns,
        entry_s=entry_s,
        attributes_s=attributes_s,
    )


def of_phantom(nodeid: int, mode: int) -> Attributes:
    """What stands for a name that has gone, while the helper of `nudge` removes it."""
    return Attributes(nodeid, nodeid, mode, 1, 0, 0, 0, 0, 0, 0, entry_s=0.0, attributes_s=0.0)


def of_text(
    nodeid: int, uid: int, gid: int, touched_ns: int, size: int, *, writers: int = 0
) -> Attributes:
    """A file whose bytes are made when they are asked for; *writers*: as for a folder."""
    return Attributes(
        nodeid,
        nodeid,
        stat.S_IFREG | 0o444 | writers,
        1,
        uid,
        gid,
        size,
        touched_ns,
        touched_ns,
        touched_ns,
    )
