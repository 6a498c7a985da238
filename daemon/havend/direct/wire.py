"""The messages of the kernel's FUSE protocol (ABI 7.31 to 7.45): opcodes, flags, and the structs as bytes.

Knows the protocol and nothing else: no files, no answers, no state. The numbers are those of <linux/fuse.h>; what they
mean is in Documentation/filesystems/fuse*.rst of the kernel. Structs are little-endian because every machine that we run
on is; the kernel speaks its own byte order. A message that is no message raises Malformed, never anything else.
"""

from __future__ import annotations

import struct
from typing import Final

MAJOR: Final = 7
OLDEST: Final = 31
NEWEST: Final = 45
ROOT: Final = 1
RESENT: Final = 1 << 63
"""Set in the unique number of a request that a predecessor may have carried out already."""

# --- opcodes -------------------------------------------------------------------------------------------------

LOOKUP: Final = 1
FORGET: Final = 2
GETATTR: Final = 3
SETATTR: Final = 4
READLINK: Final = 5
SYMLINK: Final = 6
MKNOD: Final = 8
MKDIR: Final = 9
UNLINK: Final = 10
RMDIR: Final = 11
RENAME: Final = 12
LINK: Final = 13
OPEN: Final = 14
READ: Final = 15
WRITE: Final = 16
STATFS: Final = 17
RELEASE: Final = 18
FSYNC: Final = 20
SETXATTR: Final = 21
GETXATTR: Final = 22
LISTXATTR: Final = 23
REMOVEXATTR: Final = 24
FLUSH: Final = 25
INIT: Final = 26
OPENDIR: Final = 27
READDIR: Final = 28
RELEASEDIR: Final = 29
FSYNCDIR: Final = 30
GETLK: Final = 31
SETLK: Final = 32
SETLKW: Final = 33
ACCESS: Final = 34
CREATE: Final = 35
INTERRUPT: Final = 36
BMAP: Final = 37
DESTROY: Final = 38
IOCTL: Final = 39
POLL: Final = 40
NOTIFY_REPLY: Final = 41
BATCH_FORGET: Final = 42
FALLOCATE: Final = 43
READDIRPLUS: Final = 44
RENAME2: Final = 45
LSEEK: Final = 46
COPY_FILE_RANGE: Final = 47
SYNCFS: Final = 50
TMPFILE: Final = 51
STATX: Final = 52
COPY_FILE_RANGE_64: Final = 53

SILENT: Final = frozenset({FORGET, BATCH_FORGET, INTERRUPT, NOTIFY_REPLY})
"""The kernel waits for no answer to these, and takes none."""
HARMLESS: Final = frozenset(
    {
        LOOKUP, GETATTR, READLINK, OPEN, READ, STATFS, GETXATTR, LISTXATTR, OPENDIR, READDIR, READDIRPLUS,
        ACCESS, LSEEK, GETLK,
    }
)  # fmt: skip
"""Change nothing on disk, so that whoever asked may go away without an answer; but for an open that truncates, of which who
is killed does not learn whether it did."""

# --- what INIT agrees on (flags, then flags2 from bit 32) -----------------------------------------------------------

ASYNC_READ: Final = 1 << 0
POSIX_LOCKS: Final = 1 << 1
ATOMIC_O_TRUNC: Final = 1 << 3
EXPORT_SUPPORT: Final = 1 << 4
BIG_WRITES: Final = 1 << 5
DONT_MASK: Final = 1 << 6
FLOCK_LOCKS: Final = 1 << 10
AUTO_INVAL_DATA: Final = 1 << 12
DO_READDIRPLUS: Final = 1 << 13
ASYNC_DIO: Final = 1 << 15
PARALLEL_DIROPS: Final = 1 << 18
POSIX_ACL: Final = 1 << 20
MAX_PAGES: Final = 1 << 22
CACHE_SYMLINKS: Final = 1 << 23
HANDLE_KILLPRIV_V2: Final = 1 << 28
SETXATTR_EXT: Final = 1 << 29
INIT_EXT: Final = 1 << 30
HAS_EXPIRE_ONLY: Final = 1 << 35
DIRECT_IO_ALLOW_MMAP: Final = 1 << 36
PASSTHROUGH: Final = 1 << 37
HAS_RESEND: Final = 1 << 39
EPOCH_MINOR: Final = 44  # INC_EPOCH is offered by the version alone

# --- flags in messages -----------------------------------------------------------------------------------------------

FATTR_MODE: Final = 1 << 0
FATTR_UID: Final = 1 << 1
FATTR_GID: Final = 1 << 2
FATTR_SIZE: Final = 1 << 3
FATTR_ATIME: Final = 1 << 4
FATTR_MTIME: Final = 1 << 5
FATTR_FH: Final = 1 << 6
FATTR_ATIME_NOW: Final = 1 << 7
FATTR_MTIME_NOW: Final = 1 << 8
FATTR_KILL_SUIDGID: Final = 1 << 11
GETATTR_FH: Final = 1 << 0
FOPEN_DIRECT_IO: Final = 1 << 0
FOPEN_KEEP_CACHE: Final = 1 << 1
FOPEN_CACHE_DIR: Final = 1 << 3
FOPEN_NOFLUSH: Final = 1 << 5
FOPEN_PARALLEL_DIRECT_WRITES: Final = 1 << 6
FOPEN_PASSTHROUGH: Final = 1 << 7
WRITE_KILL_SUIDGID: Final = 1 << 2
FSYNC_FDATASYNC: Final = 1 << 0
SETXATTR_ACL_KILL_SGID: Final = 1 << 0
LK_FLOCK: Final = 1 << 0
EXPIRE_ONLY: Final = 1 << 0

NOTIFY_INVAL_INODE: Final = 2
NOTIFY_INVAL_ENTRY: Final = 3
NOTIFY_RESEND: Final = 7
NOTIFY_INC_EPOCH: Final = 8

# --- structs ---------------------------------------------------------------------------------------------------------

HEADER = struct.Struct("<IIQQIIIHH")  # len opcode unique nodeid uid gid pid total_extlen padding
ANSWER = struct.Struct("<IiQ")  # len error unique
HEAD: Final = HEADER.size
ANSWER_HEAD: Final = ANSWER.size

# nodeid generation entry_valid attr_valid entry_nsec attr_nsec + ATTR
ENTRY = struct.Struct("<QQQQII QQQqqqIIIIIIIIII")
# attr_valid attr_nsec dummy + ATTR: ino size blocks atime mtime ctime (nsec of each) mode nlink uid gid rdev blksize flags
ATTR = struct.Struct("<QII QQQqqqIIIIIIIIII")
DIRENT = struct.Struct("<QQII")  # ino off namelen type, then the name, padded to 8
OPENED = struct.Struct("<QIi")  # fh open_flags backing_id
WRITTEN = struct.Struct("<II")  # size padding
COPIED = struct.Struct("<Q")
STATFS_OUT = struct.Struct("<QQQQQIIII24x")
XATTR_SIZE = struct.Struct("<II")
LSEEK_OUT = struct.Struct("<Q")
LOCK = struct.Struct("<QQII")  # start end type pid
INIT_OUT = struct.Struct("<IIIIHHIIHHIIH22x")

INIT_IN = struct.Struct(
    "<IIII"
)  # major minor max_readahead flags; from 7.36 flags2 and 11 unused words
INIT_IN_EXT = struct.Struct("<IIIII44x")
FORGET_IN = struct.Struct("<Q")
FORGET_ONE = struct.Struct("<QQ")
BATCH_IN = struct.Struct("<II")
GETATTR_IN = struct.Struct("<IIQ")
SETATTR_IN = struct.Struct("<IIQQQQQQIIIIIIII")
MKNOD_IN = struct.Struct("<IIII")  # mode rdev umask padding
MKDIR_IN = struct.Struct("<II")  # mode umask
RENAME_IN = struct.Struct("<Q")
RENAME2_IN = struct.Struct("<QII")
LINK_IN = struct.Struct("<Q")
OPEN_IN = struct.Struct("<II")
CREATE_IN = struct.Struct("<IIII")  # flags mode umask open_flags
READ_IN = struct.Struct("<QQIIQII")  # fh offset size read_flags lock_owner flags padding
WRITE_IN = struct.Struct("<QQIIQII")
RELEASE_IN = struct.Struct("<QIIQ")  # fh flags release_flags lock_owner
FLUSH_IN = struct.Struct("<QIIQ")  # fh unused padding lock_owner
FSYNC_IN = struct.Struct("<QII")
SETXATTR_IN = struct.Struct("<II")
SETXATTR_IN_EXT = struct.Struct("<IIII")  # size flags setxattr_flags padding
GETXATTR_IN = struct.Struct("<II")
LK_IN = struct.Struct("<QQQQIIII")  # fh owner start end type pid lk_flags padding
ACCESS_IN = struct.Struct("<II")
INTERRUPT_IN = struct.Struct("<Q")
FALLOCATE_IN = struct.Struct("<QQQII")  # fh offset length mode padding
LSEEK_IN = struct.Struct("<QQII")  # fh offset whence padding
COPY_IN = struct.Struct("<QQQQQQQ")  # fh_in off_in nodeid_out fh_out off_out len flags

INVAL_INODE = struct.Struct("<Qqq")
INVAL_ENTRY = struct.Struct("<QII")

PATH_MAX: Final = 4096


class Malformed(Exception):  # noqa: N818  # a message, not a failure
    """Bytes that are no message of this protocol."""


def name(body: memoryview) -> bytes:
    """The one name that fills *body*, without its NUL."""
    found, end, more = bytes(body).partition(b"\0")
    if more or not end or not found or 0x2F in found:
        raise Malformed("not one name")
    return found


def name_after(body: memoryview, start: int) -> bytes:
    """The one name that fills *body* from *start* on, without its NUL."""
    return name(body[start:])


def names_after(body: memoryview, start: int) -> tuple[bytes, bytes]:
    """The two strings that fill *body* from *start* on. Only the first is surely a name: a symlink's target has slashes."""
    parts = bytes(body[start:]).split(b"\0")
    if len(parts) != 3 or parts[2] or not parts[0] or not parts[1] or 0x2F in parts[0]:
        raise Malformed("not two names")
    return parts[0], parts[1]


def names_of_rename(body: memoryview, start: int) -> tuple[bytes, bytes]:
    """The two names that fill *body* from *start* on."""
    old, new = names_after(body, start)
    if 0x2F in new:
        raise Malformed("not two names")
    return old, new


def forgotten(body: memoryview) -> list[tuple[int, int]]:
    """(nodeid, lookups) of a BATCH_FORGET."""
    if len(body) < BATCH_IN.size:
        raise Malformed("short")
    count, _ = BATCH_IN.unpack_from(body)
    if len(body) != BATCH_IN.size + count * FORGET_ONE.size:
        raise Malformed("another number of inodes than it says")
    return list(FORGET_ONE.iter_unpack(body[BATCH_IN.size :]))


def attribute_set(body: memoryview, *, extended: bool) -> tuple[int, int, bytes, memoryview]:
    """(flags, setxattr_flags, name, value) of a SETXATTR."""
    shape = SETXATTR_IN_EXT if extended else SETXATTR_IN
    if len(body) < shape.size:
        raise Malformed("short")
    size, flags, *rest = shape.unpack_from(body)
    end = len(body) - size
    if end <= shape.size:
        raise Malformed("the value is longer than the message")
    return flags, rest[0] if rest else 0, name_after(body[:end], shape.size), body[end:]


def offered(body: memoryview) -> tuple[int, int, int, int]:
    """(major, minor, max_readahead, flags of both words) of an INIT."""
    if len(body) == INIT_IN_EXT.size:
        major, minor, readahead, flags, more = INIT_IN_EXT.unpack(body)
        return major, minor, readahead, flags | (more << 32 if flags & INIT_EXT else 0)
    if len(body) < INIT_IN.size:
        raise Malformed("short")
    major, minor, readahead, flags = INIT_IN.unpack_from(body)
    return major, minor, readahead, flags & (1 << 32) - 1


def notice(code: int, *parts: bytes) -> bytes:
    """A message that nobody asked for."""
    body = b"".join(parts)
    return ANSWER.pack(ANSWER_HEAD + len(body), code, 0) + body


def dirent(number: int, cookie: int, kind: int, name: bytes) -> bytes:
    """One entry of a listing; *kind* is the type bits of the mode."""
    size = len(name)
    return DIRENT.pack(number, cookie, size, kind >> 12) + name + b"\0" * (-size & 7)
