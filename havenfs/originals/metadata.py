"""What an original carries besides its bytes and names: mode, owner, size, times, extended attributes. Changing them.

Like `originals.disk`: by source and path, in the name of whoever asks, waiting for the disk. Any thread.
"""

# Paths of originals are bytes: pathlib knows none.
from __future__ import annotations

import ctypes
import errno
import os
import stat
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from havenfs.errors import NotFound

from .disk import raise_errno, untouched, writable
from .walks import named, split, walks

if TYPE_CHECKING:
    from havenfs.entities import Source

    from .at_once import Held
    from .disk import Rights

NOW = -(1 << 100)  # of a time to be set: the moment it happens. Every smaller number is a time


class Changes(Struct, frozen=True, kw_only=True):
    """What `setattr` is asked to change; None stays as it is."""

    mode: int | None = None
    """Permission bits, without the type."""
    uid: int | None = None
    gid: int | None = None
    size: int | None = None
    atime_ns: int | None = None
    """Since 1970, or NOW."""
    mtime_ns: int | None = None

    def differ(self, mode: int, uid: int, gid: int) -> bool:
        """Whether they would change more than times, where those are mode and owner."""
        is_so = stat.S_IMODE(mode), uid, gid
        wanted = self.mode, self.uid, self.gid
        return any(new not in (None, old) for new, old in zip(wanted, is_so, strict=True))


def change(source: Source, path: bytes, inode: int, changes: Changes, rights: Rights) -> None:
    """Set mode, owner, size and times of what is at a path; of a symlink itself, never of what it points to.

    Raises NotFound if another file is there by now.
    """
    writable(source)
    untouched(path)
    above, name = split(path)
    held = walks.to(source, above)
    try:
        target = os.open(name or b".", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=held.fd)
    except OSError as error:
        raise named(error, path) from error
    try:
        if os.fstat(target).st_ino != inode:
            raise NotFound(os.fsdecode(path))
        _apply(target, changes, rights)
    except OSError as error:
        raise named(error, path) from error
    finally:
        os.close(target)


def change_open(
    source: Source, descriptor: int, changes: Changes, rights: Rights, *, writing: bool
) -> None:
    """The same of an open file, which may have no name any more.

    Its size needs no right where *writing* says that the caller has it open for that.
    """
    writable(source)
    if changes.size is not None and writing:
        os.ftruncate(descriptor, changes.size)
        changes = replace(changes, size=None)
    _apply(descriptor, changes, rights)


def _apply(descriptor: int, changes: Changes, rights: Rights) -> None:
    path = b"/proc/self/fd/%d" % descriptor
    mode = changes.mode
    # Whoever changes a file's bytes or owner takes its set-ID bits away, and needs no right to: the kernel asks us to.
    disarming = mode is not None and _disarms(os.fstat(descriptor).st_mode, mode)
    with rights:
        if changes.uid is not None or changes.gid is not None:
            os.chown(
                path,
                -1 if changes.uid is None else changes.uid,
                -1 if changes.gid is None else changes.gid,
            )
        if mode is not None and not disarming:  # after the owner: chown takes set-user-ID away
            os.chmod(path, mode)  # noqa: PTH101  # bytes
        if changes.size is not None:
            os.truncate(path, changes.size)
        if changes.atime_ns is not None or changes.mtime_ns is not None:
            times = (_Timespec * 2)(_timespec(changes.atime_ns), _timespec(changes.mtime_ns))
            if _libc.utimensat(_AT_FDCWD, path, times, 0):
                raise_errno()
    if mode is not None and disarming:
        os.chmod(path, mode)  # noqa: PTH101  # bytes


def _disarms(mode: int, wanted: int) -> bool:
    """Whether nothing but set-user-ID and set-group-ID is taken away."""
    lost = stat.S_IMODE(mode) & ~wanted
    return lost != 0 and not lost & ~(stat.S_ISUID | stat.S_ISGID) and not wanted & ~mode


# --- extended attributes --------------------------------------------------------------------------------------


def xattrs(source: Source, path: bytes) -> list[bytes]:
    """The names of the extended attributes on disk."""
    try:
        _held, through = _entry(source, path)
        return [os.fsencode(name) for name in os.listxattr(through, follow_symlinks=False)]
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return []
        raise named(error, path) from error


def xattr(source: Source, path: bytes, attribute: bytes) -> bytes:
    """The value of an extended attribute on disk. Raises OSError ENODATA when it has none."""
    try:
        _held, through = _entry(source, path)
        return os.getxattr(through, attribute, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            raise OSError(errno.ENODATA, "no extended attributes on this disk") from error
        raise named(error, path) from error


_NO_LIST = frozenset({errno.ENODATA, errno.ENOTSUP})


def access_list(source: Source, path: bytes, attribute: bytes) -> bytes | None:
    """A POSIX access list as the disk keeps it (*attribute* says which); None: there is none, as of nearly everything."""
    try:
        _held, through = _entry(source, path)
        return os.getxattr(through, attribute, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_LIST:
            return None
        raise named(error, path) from error


def access_list_open(descriptor: int | bytes, attribute: bytes) -> bytes | None:
    """The same of an open file, or of one that is reached by such a path."""
    try:
        return os.getxattr(descriptor, attribute)
    except OSError as error:
        if error.errno in _NO_LIST:
            return None
        raise


def set_xattr(
    source: Source, path: bytes, attribute: bytes, value: bytes, flags: int, rights: Rights
) -> None:
    """Set an extended attribute on disk; *flags* are XATTR_CREATE and XATTR_REPLACE."""
    writable(source)
    untouched(path)
    try:
        _held, through = _entry(source, path)
        with rights:
            os.setxattr(through, attribute, value, flags, follow_symlinks=False)
    except OSError as error:
        raise named(error, path) from error


def remove_xattr(source: Source, path: bytes, attribute: bytes, rights: Rights) -> None:
    """Remove an extended attribute on disk."""
    writable(source)
    untouched(path)
    try:
        _held, through = _entry(source, path)
        with rights:
            os.removexattr(through, attribute, follow_symlinks=False)
    except OSError as error:
        raise named(error, path) from error


def _entry(source: Source, path: bytes) -> tuple[Held, bytes]:
    """A path to what is there, for calls that know no dir_fd, and the directory that it leads through: hold on to that."""
    above, name = split(path)
    directory = walks.to(source, above)
    return directory, b"/proc/self/fd/%d/%s" % (directory.fd, name or b".")


# --- utimensat(2), whose UTIME_OMIT Python does not know ------------------------------------------------------

_AT_FDCWD = -100
_UTIME_NOW = (1 << 30) - 1
_UTIME_OMIT = (1 << 30) - 2


class _Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


_libc = ctypes.CDLL(None, use_errno=True)
_libc.utimensat.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int)


def _timespec(when_ns: int | None) -> _Timespec:
    if when_ns is None:
        return _Timespec(0, _UTIME_OMIT)
    if when_ns == NOW:
        return _Timespec(0, _UTIME_NOW)
    return _Timespec(*divmod(when_ns, 1_000_000_000))
