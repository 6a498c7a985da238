"""`.haven-trash`, the folder of a source in which removed originals lie: moved in, moved back, deleted for good.

Each lies in a folder of its own, below the path that it had: `.haven-trash/<uid>/2019/rome/IMG_0001.jpg`. So moving in is
one rename, whatever the size, and what lies there says where it belongs also when everything else is lost. The folder is at
the top of the source; where another disk, or a subvolume, is mounted in the source, at the top of that, because a rename
leads to no other disk. Nobody but the service may enter it; the innermost folder is open to all, so that who removes or
restores does it with his own rights, through a descriptor of ours.

Paths are relative to the source's root. They are walked one component at a time with O_NOFOLLOW. May wait for the disk; any
thread. Raises OSError as the kernel does, NotFound, ReadOnly for a source that is not writable.
"""

# Paths of originals are bytes and go with dir_fd: pathlib knows neither.
# ruff: noqa: PTH208
from __future__ import annotations

import ctypes
import errno
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from havenfs.errors import IsADirectory, NotFound, ReadOnly, SourceGone

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

    from havenfs.entities import Source

    Rights = AbstractContextManager[None]

NAME: Final = b".haven-trash"
_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
_NOREPLACE: Final = 1  # of renameat2(2)
_TRIES: Final = 1000  # names that are tried beside one that is taken


class Lying(Struct, frozen=True):
    """Something in the trash folder."""

    uid: str
    path: bytes | None
    """Where it was; None: nothing lies in the folder of this uid, somebody was killed before the rename."""
    lies: bytes
    """Where it is; without a file, its folder."""


def within(path: bytes) -> bool:
    """Whether a path is that of the trash folder, or of something in it."""
    return NAME in path and NAME in path.split(b"/")


def take(
    source: Source, path: bytes, uid: str, rights: Rights, *, called: bytes | None = None
) -> bytes:
    """Move a regular file to the trash, as whoever may unlink it; returns where it lies: below the path *called*, which is
    its own if that is None."""
    if not source.writable:
        raise ReadOnly(f"{source.name} is read-only: it was not given as a folder to write to")
    above, _, name = path.rpartition(b"/")
    with _walked(source, above) as folders:
        if not stat.S_ISREG(os.stat(name, dir_fd=folders[-1], follow_symlinks=False).st_mode):
            raise IsADirectory(os.fsdecode(path))
        top = _top(folders)
        *steps, new_name = (called or path).split(b"/")
        outer, inner = above.split(b"/")[:top], [NAME, uid.encode(), *steps[top:]]
        lies = b"/".join([*outer, *inner, new_name])
        try:
            with _made(folders[top], inner) as leaf, rights:
                os.rename(name, new_name, src_dir_fd=folders[-1], dst_dir_fd=leaf)
        except BaseException:
            clear(source, lies)
            raise
    return lies


def find(source: Source, uid: str, path: bytes) -> bytes | None:
    """Where in the trash the file lies that was at *path*; None if it does not."""
    steps = path.split(b"/")
    for top in range(len(steps)):  # the top of the source first: there it is, as a rule
        lies = b"/".join([*steps[:top], NAME, uid.encode(), *steps[top:]])
        with suppress(OSError):
            if stat.S_ISREG(os.lstat(source.root + b"/" + lies).st_mode):
                return lies
    return None


def give_back(source: Source, lies: bytes, path: bytes) -> bytes:
    """Move what lies in the trash to *path*, or beside it where that is taken; folders that are gone are made again.

    Returns where it is now.
    """
    above, _, name = path.rpartition(b"/")
    here, _, old = lies.rpartition(b"/")
    with _walked(source, here) as found:
        owner = os.stat(old, dir_fd=found[-1], follow_symlinks=False)
        with _remade(source, above, owner) as folder:
            for free in _names_beside(name):
                if _moved(found[-1], old, folder, free):
                    break
            else:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    clear(source, lies)
    return above + b"/" + free if above else free


def purge(source: Source, lies: bytes) -> None:
    """Delete what lies in the trash, for good."""
    here, _, name = lies.rpartition(b"/")
    with suppress(NotFound), _walked(source, here) as folders, suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folders[-1])
    clear(source, lies)


def clear(source: Source, lies: bytes) -> None:
    """Remove the folders in which something lay, up to that of its uid; those that are empty."""
    steps = lies.split(b"/")
    last = steps.index(NAME) + 2
    for end in range(len(steps) - 1, last - 1, -1):
        with suppress(OSError, NotFound), _walked(source, b"/".join(steps[: end - 1])) as folders:
            os.rmdir(steps[end - 1], dir_fd=folders[-1])


def listing(source: Source, top: bytes = b"") -> list[Lying]:
    """What lies in the trash folder in *top*, a directory of the source. Raises SourceGone."""
    bottom = top + b"/" + NAME if top else NAME
    try:
        uids = _names(source, bottom)
    except NotFound:
        return []
    except OSError as error:
        raise SourceGone(f"{source.name}: {error.strerror}") from error
    return [_lying(source, top, bottom, uid) for uid in sorted(uids)]


def _lying(source: Source, top: bytes, bottom: bytes, uid: bytes) -> Lying:
    here, steps = bottom + b"/" + uid, [top] if top else []
    while True:
        names: list[bytes] = []
        with suppress(OSError, NotFound):
            names = _names(source, here)
        if not names:
            return Lying(os.fsdecode(uid), None, here)
        here += b"/" + names[0]  # there is one
        steps.append(names[0])
        if not stat.S_ISDIR(os.lstat(source.root + b"/" + here).st_mode):
            return Lying(os.fsdecode(uid), b"/".join(steps), here)


def _names(source: Source, path: bytes) -> list[bytes]:
    with _walked(source, path) as folders:
        return os.listdir(b"/proc/self/fd/%d" % folders[-1])


@contextmanager
def _walked(source: Source, path: bytes) -> Generator[list[int]]:
    """Descriptors of the root and of each folder on the way to *path*, itself the last. Raises NotFound, SourceGone."""
    folders: list[int] = []
    try:
        try:
            folders.append(os.open(source.root, _FOLDER & ~os.O_NOFOLLOW))
        except OSError as error:
            raise SourceGone(f"{os.fsdecode(source.root)}: {error.strerror}") from error
        try:
            for step in filter(None, path.split(b"/")):
                folders.append(os.open(step, _FOLDER, dir_fd=folders[-1]))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFound(os.fsdecode(path)) from error
        yield folders
    finally:
        for folder in folders:
            os.close(folder)


def _top(folders: list[int]) -> int:
    """Which of these, each in the one before, is the top of the file system that the last one is on."""
    devices = [os.fstat(folder).st_dev for folder in folders]
    top = len(devices) - 1
    while top and devices[top - 1] == devices[-1]:
        top -= 1
    return top


@contextmanager
def _made(folder: int, steps: list[bytes]) -> Generator[int]:
    """The folder at the end of *steps*, made as far as it is missing: for the service alone, and the last one for all."""
    here = os.dup(folder)
    try:
        for step in steps:
            with suppress(FileExistsError):
                os.mkdir(step, 0o700, dir_fd=here)
            there = os.open(step, _FOLDER, dir_fd=here)
            os.close(here)
            here = there
        os.chmod(b"/proc/self/fd/%d" % here, 0o777)  # noqa: PTH101 -- reached through descriptors alone
        yield here
    finally:
        os.close(here)


@contextmanager
def _remade(source: Source, path: bytes, owner: os.stat_result) -> Generator[int]:
    """The folder at *path*. What is missing of it is made like the last one that is there, and is the *owner*'s."""
    here = os.open(source.root, _FOLDER & ~os.O_NOFOLLOW)
    try:
        for step in filter(None, path.split(b"/")):
            try:
                there = os.open(step, _FOLDER, dir_fd=here)
            except FileNotFoundError:
                mode = stat.S_IMODE(os.fstat(here).st_mode)
                os.mkdir(step, 0o700, dir_fd=here)
                there = os.open(step, _FOLDER, dir_fd=here)
                made = b"/proc/self/fd/%d" % there
                with suppress(PermissionError):
                    os.chown(made, owner.st_uid, owner.st_gid)
                os.chmod(made, mode)  # noqa: PTH101 -- a descriptor
            os.close(here)
            here = there
        yield here
    finally:
        os.close(here)


def _names_beside(name: bytes) -> Generator[bytes]:
    yield name
    stem, dot, extension = name.rpartition(b".")
    if not stem:
        stem, dot, extension = name, b"", b""
    for number in range(1, _TRIES):
        suffix = b" (restored)" if number == 1 else b" (restored %d)" % number
        yield stem[: 255 - len(suffix + dot + extension)] + suffix + dot + extension


def _moved(here: int, name: bytes, there: int, new_name: bytes) -> bool:
    """Rename; False where the new name is taken."""
    if not _libc.renameat2(here, name, there, new_name, _NOREPLACE):
        return True
    number = ctypes.get_errno()
    if number == errno.EINVAL:  # a network disk that knows no flags
        try:
            os.lstat(new_name, dir_fd=there)
        except FileNotFoundError:
            os.rename(name, new_name, src_dir_fd=here, dst_dir_fd=there)
            return True
        return False
    if number == errno.EEXIST:
        return False
    raise OSError(number, os.strerror(number))


_libc = ctypes.CDLL(None, use_errno=True)
_libc.renameat2.argtypes = (
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_uint,
)
