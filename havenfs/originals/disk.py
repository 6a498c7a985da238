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
import fcntl
import os
import signal
import stat
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from havenfs.errors import NotFound, NotPermitted, ReadOnly
from havenfs.trash import folder

from .at_once import lstat, may_wait, opened
from .walks import Held, named, split, walks

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from contextlib import AbstractContextManager

    from havenfs.entities import Source

    Rights = AbstractContextManager[None]


def path(source: Source, relative: bytes) -> bytes:
    """The absolute path of what is at *relative*: to be shown or watched, never to be opened."""
    return source.root + b"/" + relative if relative else source.root


# --- looking ------------------------------------------------------------------------------------------------


def status(source: Source, path: bytes) -> os.stat_result:
    """The lstat of a path in the source; of the root when *path* is empty."""
    above, name = split(path)
    directory = walks.to(source, above)
    try:
        return lstat(directory, name)
    except OSError as error:
        raise named(error, path) from error


def child(source: Source, path: bytes, name: bytes) -> os.stat_result:
    """The lstat of a name in a directory of the source."""
    directory = walks.to(source, path)
    try:
        return lstat(directory, name)
    except OSError as error:
        raise named(error, name) from error


def held(source: Source, path: bytes) -> Held | None:
    """Hold on to what is at a path: its st_ino is nobody else's meanwhile. None if there is nothing."""
    above, name = split(path)
    try:
        directory = walks.to(source, above)  # by a name, or it is closed before it is used
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory.fd)
    except (OSError, NotFound):
        return None
    return Held(fd, 0.0)


def names(source: Source, path: bytes) -> list[bytes]:
    """The names in a directory, in order."""
    return names_in(source, path)[1]


def names_in(source: Source, path: bytes) -> tuple[Held, list[bytes]]:
    """A directory to ask by name, and the names in it, in order."""
    directory = walks.to(source, path)
    try:
        # By a path in bytes: of a descriptor listdir says strings, and decoding names is as much work as reading them.
        return directory, sorted(os.listdir(b"/proc/self/fd/%d" % directory.fd))
    except OSError as error:
        raise named(error, path) from error


def statuses(directory: Held, names: Sequence[bytes]) -> list[os.stat_result | None]:
    """The lstat of each name in a directory; None for one that is not there any more."""
    found: list[os.stat_result | None] = []
    ask, note, fd = os.stat, found.append, directory.fd
    for name in names:
        try:
            note(ask(name, dir_fd=fd, follow_symlinks=False))
        except FileNotFoundError:
            note(None)
        except OSError as error:
            raise named(error, name) from error
    return found


def readlink(source: Source, path: bytes) -> bytes:
    """The target of a symlink, as it stands on disk."""
    above, name = split(path)
    directory = walks.to(source, above)
    try:
        return os.readlink(name, dir_fd=directory.fd)
    except OSError as error:
        raise named(error, path) from error


def statvfs(source: Source) -> os.statvfs_result:
    """The room on the source's disk."""
    directory = walks.to(source, b"")
    try:
        return os.fstatvfs(directory.fd)
    except OSError as error:
        raise named(error, b"") from error


# --- bytes --------------------------------------------------------------------------------------------------


def open_file(source: Source, path: bytes) -> tuple[int, os.stat_result]:
    """A descriptor that reads a regular file in the source, and its fstat. The caller closes it."""
    above, name = split(path)
    return _open_file(walks.to(source, above), name, path, os.O_RDONLY)


def _open_file(directory: Held, name: bytes, path: bytes, flags: int) -> tuple[int, os.stat_result]:
    try:
        # O_NONBLOCK: opening a FIFO that took the file's place must not wait for its writer.
        descriptor = opened(directory, name, flags | os.O_NONBLOCK)
    except OSError as error:
        raise named(error, path) from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise NotPermitted(f"{os.fsdecode(path)} is not a regular file")
    return descriptor, found


def open_for_writing(
    source: Source, path: bytes, flags: int, rights: Rights
) -> tuple[int, os.stat_result]:
    """A descriptor of a regular file that may be changed through it, and its fstat."""
    writable(source)
    untouched(path)
    may_wait()  # for the disk to write down that it was emptied, for whoever has a lease
    above, name = split(path)
    # Ours to walk: what is above the source need not be open to everybody.
    directory = walks.to(source, above)
    with rights:
        return _open_file(directory, name, path, flags)


def create(source: Source, path: bytes, flags: int, mode: int, rights: Rights) -> int:
    """Make a regular file, or open the one that is there unless *flags* say O_EXCL."""
    above, name = split(path)
    with _changing(source, above, rights) as directory:
        return os.open(
            name,
            flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
            mode,
            dir_fd=directory,
        )


def create_unnamed(source: Source, path: bytes, flags: int, mode: int, rights: Rights) -> int:
    """Make a file without a name (O_TMPFILE) in a directory."""
    with _changing(source, path, rights) as directory:
        return os.open(b".", flags | os.O_TMPFILE | os.O_CLOEXEC, mode, dir_fd=directory)


# --- changing -----------------------------------------------------------------------------------------------


def mkdir(source: Source, path: bytes, mode: int, rights: Rights) -> None:
    """Make a directory."""
    above, name = split(path)
    with _changing(source, above, rights) as directory:
        os.mkdir(name, mode, dir_fd=directory)


def make(source: Source, path: bytes, like: os.stat_result) -> None:
    """Make a directory of our own, with the owner and the mode of another one. Nothing when it is there already."""
    with _changing(source, split(path)[0], nullcontext()) as directory:
        name = split(path)[1]
        try:
            os.mkdir(name, 0o700, dir_fd=directory)
        except FileExistsError:
            return
        if os.geteuid() == 0:
            os.chown(name, like.st_uid, like.st_gid, dir_fd=directory, follow_symlinks=False)
        os.chmod(name, stat.S_IMODE(like.st_mode), dir_fd=directory)


def mknod(source: Source, path: bytes, mode: int, rdev: int, rights: Rights) -> None:
    """Make a file, a FIFO, a socket or a device node."""
    above, name = split(path)
    with _changing(source, above, rights) as directory:
        os.mknod(name, mode, rdev, dir_fd=directory)


def symlink(source: Source, path: bytes, target: bytes, rights: Rights) -> None:
    """Make a symlink. Its target is not looked at: whoever follows it does so in the caller's name."""
    above, name = split(path)
    with _changing(source, above, rights) as directory:
        os.symlink(target, name, dir_fd=directory)


def link(source: Source, path: bytes, to: Source, new_path: bytes, rights: Rights) -> None:
    """Give a file one more name. In another source it would be a second inode, with pages of its own: EXDEV."""
    untouched(path)
    with _between(source, path, to, new_path, rights) as (here, name, there, new_name):
        os.link(name, new_name, src_dir_fd=here, dst_dir_fd=there, follow_symlinks=False)


def link_open(descriptor: int, to: Source, new_path: bytes, rights: Rights) -> None:
    """Give an open file that has lost its names, or never had one, a name."""
    above, name = split(new_path)
    with _changing(to, above, rights) as directory:
        os.link(f"/proc/self/fd/{descriptor}", name, dst_dir_fd=directory, follow_symlinks=True)


def unlink(source: Source, path: bytes, rights: Rights) -> None:
    """Remove a name."""
    above, name = split(path)
    with _changing(source, above, rights) as directory:
        os.unlink(name, dir_fd=directory)


def rmdir(source: Source, path: bytes, rights: Rights) -> None:
    """Remove an empty directory."""
    above, name = split(path)
    with _changing(source, above, rights) as directory:
        os.rmdir(name, dir_fd=directory)
    walks.moved(source, path)


def rename(
    source: Source, path: bytes, to: Source, new_path: bytes, flags: int, rights: Rights
) -> None:
    """renameat2(2), flags and all. Between sources EXDEV, on one disk too, and `mv` copies: whoever has the file open
    would go on with an inode of the old source, beside the new one's size and pages."""
    untouched(path)
    move(source, path, to, new_path, flags, rights)


def move(
    source: Source, path: bytes, to: Source, new_path: bytes, flags: int, rights: Rights
) -> None:
    """The same, out of the trash too."""
    with _between(source, path, to, new_path, rights) as (here, name, there, new_name):
        if _libc.renameat2(here, name, there, new_name, flags):
            raise_errno()
    walks.moved(source, path)
    walks.moved(to, new_path)


def fsync_directory(source: Source, path: bytes) -> None:
    """Bring the names of a directory to the disk."""
    with _readable(source, path) as listing:
        os.fsync(listing)


def emptied(removed: Held) -> bool:
    """Give back the room of a regular file that has lost its last name; its st_ino stays taken by whoever holds it.

    False, and nothing is touched, where anybody else has it open, or where that cannot be known (no leases: a network).
    """
    try:
        file = os.open(b"/proc/self/fd/%d" % removed.fd, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if os.fstat(file).st_nlink:
            return False
        # Who opens it by its NFS handle now waits until we have closed it. We would be told by SIGIO, which kills.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        os.ftruncate(file, 0)
    except OSError:
        return False
    finally:
        os.close(file)
    return True


def fallocate(descriptor: int, mode: int, offset: int, length: int) -> None:
    """fallocate(2): Python knows only the mode that zeroes."""
    if _libc.fallocate64(descriptor, mode, offset, length):
        raise_errno()


# --- how ----------------------------------------------------------------------------------------------------


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
        raise named(error, path) from error


@contextmanager
def _changing(source: Source, path: bytes, rights: Rights) -> Generator[int]:
    """A directory of a writable source, for a change in the name of whoever asked."""
    writable(source)
    directory = walks.to(source, path)
    try:
        with rights:
            yield directory.fd
    except OSError as error:
        raise named(error, path) from error


@contextmanager
def _between(
    source: Source, path: bytes, to: Source, new_path: bytes, rights: Rights
) -> Generator[tuple[int, bytes, int, bytes]]:
    """Directory and name of both paths, for a change. Raises OSError EXDEV for two sources."""
    writable(source)
    writable(to)
    if source.id != to.id:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    above, name = split(path)
    held = walks.to(source, above)
    new_above, new_name = split(new_path)
    with _changing(to, new_above, rights) as directory:
        yield held.fd, name, directory, new_name


def writable(source: Source) -> None:
    """Raises ReadOnly for a source that is not to be written to."""
    if not source.writable:
        raise ReadOnly(f"{source.name} is read-only: it was not given as a folder to write to")


def untouched(path: bytes) -> None:
    """Raises NotPermitted for what lies in the trash: it can be read, restored or purged, and is else as it was."""
    if folder.within(path):
        raise NotPermitted("what is in the trash cannot be changed there")


_libc = ctypes.CDLL(None, use_errno=True)
_libc.renameat2.argtypes = (
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_uint,
)
_libc.fallocate64.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def raise_errno() -> None:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number))
