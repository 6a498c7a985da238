"""The originals on disk by source and path: every call that `files/` makes of the operating system.

Paths are walked from the source's root one component at a time with O_NOFOLLOW, so that neither a symlink nor a rename
that races with us leads out of the source. Every call asks the disk and may therefore wait for it: not for an event
loop. What changes something takes *rights*, a context in which it is done as the person who asked.

Raises NotFound, ReadOnly for a source that is not writable, SourceGone when the disk does not answer, and the kernel's
own OSError about the name, the caller or a limit. Any thread.
"""

# Paths of originals are bytes and go with dir_fd: pathlib knows neither.
# ruff: noqa: PTH208
from __future__ import annotations

import ctypes
import errno
import os
import stat
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from havenfs.errors import NotFound, NotPermitted, ReadOnly, SourceGone

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from havenfs.entities import Source

    Rights = AbstractContextManager[None]

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})
_DISK = frozenset(
    {errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE, errno.ETIMEDOUT}
    | {errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ESHUTDOWN, errno.ENOMEDIUM, errno.EREMOTEIO}
)
"""What a disk says about itself; everything else is about the name, the caller or a limit and passed on as it is."""

_OURS = frozenset({errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""What has nothing to do with the disk, of a root that cannot be opened."""

_PATH = os.O_PATH | os.O_CLOEXEC
_FOLDER = _PATH | os.O_DIRECTORY
_KEPT = 128  # directories; a person's file manager is in one, an `rsync` in as many as it is deep

NOW = -(1 << 100)  # of a time to be set: the moment it happens. Every smaller number is a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What `setattr` is asked to change; None stays as it is."""

    mode: int | None = None
    """Permission bits, without the type."""
    uid: int | None = None
    gid: int | None = None
    size: int | None = None
    atime_ns: int | None = None
    """Since 1970, or NOW."""
    mtime_ns: int | None = None


class Held:
    """A descriptor that closes with its last user."""

    __slots__ = ("fd", "until")

    def __init__(self, fd: int, until: float) -> None:
        self.fd = fd
        self.until = until

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self.fd)  # bound early: at the end of the program modules are empty


class Walks:
    """Directories lately walked to, so that a walk is paid once a second and not once an operation.

    As stale as the attributes that the kernel keeps, never more. Nothing is kept until `keep` says so: a descriptor
    pins its disk against unmounting, and only a program that lets go in time (`let_go`) may do that.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._held: dict[tuple[bytes, bytes], Held] = {}

    def keep(self, seconds: float) -> None:
        """Keep descriptors for so long."""
        self._seconds = seconds

    def moved(self, source: Source, path: bytes) -> None:
        """Close a directory, and what is below it: it has gone, or has moved."""
        for key in list(self._held):
            if key[0] == source.root and (key[1] == path or key[1].startswith(path + b"/")):
                self._held.pop(key, None)

    def let_go(self, *, all_of_them: bool = False) -> None:
        """Close what is too old, or everything."""
        if not self._held:
            return
        now = time.monotonic()
        for key, held in list(self._held.items()):
            if all_of_them or held.until < now:
                self._held.pop(key, None)

    def to(self, source: Source, path: bytes) -> Held:
        """The directory at this path of the source."""
        key = (source.root, path)
        held = self._held.get(key)
        if held is not None and held.until >= time.monotonic():
            return held
        held = Held(_walk(source, path), time.monotonic() + self._seconds)
        if self._seconds:
            self._held.pop(key, None)
            self._held[key] = held
            while len(self._held) > _KEPT:
                self._held.pop(next(iter(self._held)), None)
        return held


walks = Walks()


def _walk(source: Source, path: bytes) -> int:
    try:
        here = os.open(source.root, _FOLDER)
    except OSError as error:
        if error.errno in _OURS:
            raise
        raise SourceGone(f"{os.fsdecode(source.root)}: {error.strerror}") from error
    try:
        for component in filter(None, path.split(b"/")):
            if component == b"..":
                raise NotFound(path)
            there = os.open(component, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = there
    except OSError as error:
        os.close(here)
        raise _named(error, path) from error
    except NotFound:
        os.close(here)
        raise
    return here


def path(source: Source, relative: bytes) -> bytes:
    """The absolute path of what is at *relative*: to be shown or watched, never to be opened."""
    return source.root + b"/" + relative if relative else source.root


# --- looking --------------------------------------------------------------------------------------------------


def status(source: Source, path: bytes) -> os.stat_result:
    """The lstat of a path in the source; of the root when *path* is empty."""
    above, name = os.path.split(path)
    directory = walks.to(source, above)
    try:
        if not name:
            return os.fstat(directory.fd)
        return os.stat(name, dir_fd=directory.fd, follow_symlinks=False)
    except OSError as error:
        raise _named(error, path) from error


def child(source: Source, path: bytes, name: bytes) -> os.stat_result:
    """The lstat of a name in a directory of the source."""
    directory = walks.to(source, path)
    try:
        return os.stat(name, dir_fd=directory.fd, follow_symlinks=False)
    except OSError as error:
        raise _named(error, name) from error


def held(source: Source, path: bytes) -> Held | None:
    """Hold on to the directory at a path: its st_ino is nobody else's meanwhile. None if there is no directory."""
    above, name = os.path.split(path)
    try:
        fd = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=walks.to(source, above).fd)
    except (OSError, NotFound):
        return None
    return Held(fd, 0.0)


def names(source: Source, path: bytes) -> list[bytes]:
    """The names in a directory, in order."""
    with _readable(source, path) as listing:
        return sorted(map(os.fsencode, os.listdir(listing)))


def entries(source: Source, path: bytes) -> list[tuple[bytes, os.stat_result]]:
    """The names in a directory with the lstat of each, in order."""
    found: list[tuple[bytes, os.stat_result]] = []
    with _readable(source, path) as listing:
        for name in sorted(map(os.fsencode, os.listdir(listing))):
            try:
                found.append((name, os.stat(name, dir_fd=listing, follow_symlinks=False)))
            except FileNotFoundError:
                continue  # gone since the listing
    return found


def readlink(source: Source, path: bytes) -> bytes:
    """The target of a symlink, as it stands on disk."""
    above, name = os.path.split(path)
    directory = walks.to(source, above)
    try:
        return os.readlink(name, dir_fd=directory.fd)
    except OSError as error:
        raise _named(error, path) from error


def statvfs(source: Source) -> os.statvfs_result:
    """The room on the source's disk."""
    directory = walks.to(source, b"")
    try:
        return os.fstatvfs(directory.fd)
    except OSError as error:
        raise _named(error, b"") from error


# --- bytes ----------------------------------------------------------------------------------------------------


def open_file(source: Source, path: bytes, flags: int = os.O_RDONLY) -> int:
    """A descriptor of a regular file in the source. The caller closes it."""
    above, _ = os.path.split(path)
    return _open_file(walks.to(source, above), path, flags)


def _open_file(directory: Held, path: bytes, flags: int) -> int:
    _, name = os.path.split(path)
    try:
        # O_NONBLOCK: opening a FIFO that took the file's place must not wait for its writer.
        descriptor = os.open(
            name,
            flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
            dir_fd=directory.fd,
        )
    except OSError as error:
        raise _named(error, path) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotPermitted(f"{os.fsdecode(path)} is not a regular file")
    return descriptor


def open_for_writing(source: Source, path: bytes, flags: int, rights: Rights) -> int:
    """A descriptor of a regular file that may be changed through it."""
    _writable(source)
    above, _ = os.path.split(path)
    directory = walks.to(
        source, above
    )  # ours to walk: what is above the source need not be open to everybody
    with rights:
        return _open_file(directory, path, flags)


def create(source: Source, path: bytes, flags: int, mode: int, rights: Rights) -> int:
    """Make a regular file, or open the one that is there unless *flags* say O_EXCL."""
    above, name = os.path.split(path)
    with _changing(source, above, rights) as directory:
        return os.open(
            name,
            flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
            mode,
            dir_fd=directory,
        )


def create_unnamed(source: Source, path: bytes, flags: int, mode: int, rights: Rights) -> int:
    """Make a file without a name (O_TMPFILE) in a directory."""
    _writable(source)
    with _changing(source, path, rights) as directory:
        return os.open(b".", flags | os.O_TMPFILE | os.O_CLOEXEC, mode, dir_fd=directory)


# --- changing -------------------------------------------------------------------------------------------------


def mkdir(source: Source, path: bytes, mode: int, rights: Rights) -> None:
    """Make a directory."""
    above, name = os.path.split(path)
    with _changing(source, above, rights) as directory:
        os.mkdir(name, mode, dir_fd=directory)


def mknod(source: Source, path: bytes, mode: int, rdev: int, rights: Rights) -> None:
    """Make a file, a FIFO, a socket or a device node."""
    above, name = os.path.split(path)
    with _changing(source, above, rights) as directory:
        os.mknod(name, mode, rdev, dir_fd=directory)


def symlink(source: Source, path: bytes, target: bytes, rights: Rights) -> None:
    """Make a symlink. Its target is not looked at: whoever follows it does so in the caller's name."""
    above, name = os.path.split(path)
    with _changing(source, above, rights) as directory:
        os.symlink(target, name, dir_fd=directory)


def link(source: Source, path: bytes, to: Source, new_path: bytes, rights: Rights) -> None:
    """Give a file one more name. In another source it would be a second inode, with pages of its own: EXDEV."""
    _writable(source)
    _writable(to)
    if source.id != to.id:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    above, name = os.path.split(path)
    held = walks.to(source, above)
    new_above, new_name = os.path.split(new_path)
    with _changing(to, new_above, rights) as directory:
        os.link(name, new_name, src_dir_fd=held.fd, dst_dir_fd=directory, follow_symlinks=False)


def link_open(descriptor: int, to: Source, new_path: bytes, rights: Rights) -> None:
    """Give an open file that has lost its names, or never had one, a name."""
    above, name = os.path.split(new_path)
    with _changing(to, above, rights) as directory:
        os.link(f"/proc/self/fd/{descriptor}", name, dst_dir_fd=directory, follow_symlinks=True)


def unlink(source: Source, path: bytes, rights: Rights) -> None:
    """Remove a name."""
    above, name = os.path.split(path)
    with _changing(source, above, rights) as directory:
        os.unlink(name, dir_fd=directory)


def rmdir(source: Source, path: bytes, rights: Rights) -> None:
    """Remove an empty directory."""
    above, name = os.path.split(path)
    with _changing(source, above, rights) as directory:
        os.rmdir(name, dir_fd=directory)
    walks.moved(source, path)


def rename(
    source: Source, path: bytes, to: Source, new_path: bytes, flags: int, rights: Rights
) -> None:
    """renameat2(2), flags and all. Between sources EXDEV, on one disk too, and `mv` copies: whoever has the file open
    would go on with an inode of the old source, beside the new one's size and pages."""
    _writable(source)
    _writable(to)
    if source.id != to.id:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    above, name = os.path.split(path)
    held = walks.to(source, above)
    new_above, new_name = os.path.split(new_path)
    with _changing(to, new_above, rights) as directory:
        if _libc.renameat2(held.fd, name, directory, new_name, flags):
            _raise_errno()
    walks.moved(source, path)
    walks.moved(to, new_path)


def change(source: Source, path: bytes, inode: int, changes: Changes, rights: Rights) -> None:
    """Set mode, owner, size and times of what is at a path; of a symlink itself, never of what it points to.

    Raises NotFound if another file is there by now.
    """
    _writable(source)
    above, name = os.path.split(path)
    held = walks.to(source, above)
    try:
        target = os.open(name or b".", _PATH | os.O_NOFOLLOW, dir_fd=held.fd)
    except OSError as error:
        raise _named(error, path) from error
    try:
        if os.fstat(target).st_ino != inode:
            raise NotFound(os.fsdecode(path))
        _apply(target, changes, rights)
    except OSError as error:
        raise _named(error, path) from error
    finally:
        os.close(target)


def change_open(
    source: Source, descriptor: int, changes: Changes, rights: Rights, *, writing: bool
) -> None:
    """The same of an open file, which may have no name any more.

    Its size needs no right where *writing* says that the caller has it open for that.
    """
    _writable(source)
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
                _raise_errno()
    if mode is not None and disarming:
        os.chmod(path, mode)  # noqa: PTH101  # bytes


def _disarms(mode: int, wanted: int) -> bool:
    """Whether nothing but set-user-ID and set-group-ID is taken away."""
    lost = stat.S_IMODE(mode) & ~wanted
    return lost != 0 and not lost & ~(stat.S_ISUID | stat.S_ISGID) and not wanted & ~mode


def fsync_directory(source: Source, path: bytes) -> None:
    """Bring the names of a directory to the disk."""
    with _readable(source, path) as listing:
        os.fsync(listing)


def fallocate(descriptor: int, mode: int, offset: int, length: int) -> None:
    """fallocate(2): Python knows only the mode that zeroes."""
    if _libc.fallocate64(descriptor, mode, offset, length):
        _raise_errno()


# --- extended attributes --------------------------------------------------------------------------------------


def xattrs(source: Source, path: bytes) -> list[bytes]:
    """The names of the extended attributes on disk."""
    try:
        with _entry(source, path) as through:
            return [os.fsencode(name) for name in os.listxattr(through, follow_symlinks=False)]
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return []
        raise _named(error, path) from error


def xattr(source: Source, path: bytes, attribute: bytes) -> bytes:
    """The value of an extended attribute on disk. Raises OSError ENODATA when it has none."""
    try:
        with _entry(source, path) as through:
            return os.getxattr(through, attribute, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.ENOTSUP and not attribute.startswith(b"system.posix_acl_"):
            raise OSError(errno.ENODATA, "no extended attributes on this disk") from error
        raise _named(error, path) from error


def set_xattr(
    source: Source, path: bytes, attribute: bytes, value: bytes, flags: int, rights: Rights
) -> None:
    """Set an extended attribute on disk; *flags* are XATTR_CREATE and XATTR_REPLACE."""
    _writable(source)
    try:
        with _entry(source, path) as through, rights:
            os.setxattr(through, attribute, value, flags, follow_symlinks=False)
    except OSError as error:
        raise _named(error, path) from error


def remove_xattr(source: Source, path: bytes, attribute: bytes, rights: Rights) -> None:
    """Remove an extended attribute on disk."""
    _writable(source)
    try:
        with _entry(source, path) as through, rights:
            os.removexattr(through, attribute, follow_symlinks=False)
    except OSError as error:
        raise _named(error, path) from error


# --- how ------------------------------------------------------------------------------------------------------


@contextmanager
def _readable(source: Source, path: bytes) -> Generator[int]:
    """A descriptor that lists a directory."""
    directory = walks.to(source, path)
    try:
        listing = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory.fd)
        try:
            yield listing
        finally:
            os.close(listing)
    except OSError as error:
        raise _named(error, path) from error


@contextmanager
def _changing(source: Source, path: bytes, rights: Rights) -> Generator[int]:
    """A directory of a writable source, for a change in the name of whoever asked."""
    _writable(source)
    directory = walks.to(source, path)
    try:
        with rights:
            yield directory.fd
    except OSError as error:
        raise _named(error, path) from error


@contextmanager
def _entry(source: Source, path: bytes) -> Generator[bytes]:
    """A path to what is there, for calls that know no dir_fd."""
    above, name = os.path.split(path)
    directory = walks.to(source, above)
    yield b"/proc/self/fd/%d/%s" % (directory.fd, name or b".")


def _writable(source: Source) -> None:
    if not source.writable:
        raise ReadOnly(f"{source.name} is read-only: it was not given as a folder to write to")


def _named(error: OSError, path: bytes) -> Exception:
    """What an error of the operating system means here."""
    if error.errno in _ABSENT:
        return NotFound(os.fsdecode(path))
    if error.errno in _DISK:
        return SourceGone(f"{os.fsdecode(path)}: {error.strerror}")
    return error


_AT_FDCWD = -100
_UTIME_NOW = (1 << 30) - 1
_UTIME_OMIT = (1 << 30) - 2


class _Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


_libc = ctypes.CDLL(None, use_errno=True)
_libc.renameat2.argtypes = (
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_uint,
)
_libc.fallocate64.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
_libc.utimensat.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int)


def _timespec(when_ns: int | None) -> _Timespec:
    if when_ns is None:
        return _Timespec(0, _UTIME_OMIT)
    if when_ns == NOW:
        return _Timespec(0, _UTIME_NOW)
    return _Timespec(*divmod(when_ns, 1_000_000_000))


def _raise_errno() -> None:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number))
