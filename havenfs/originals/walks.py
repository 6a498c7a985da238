"""Walking to a directory of a source, one component at a time with O_NOFOLLOW, so that neither a symlink nor a rename that
races with us leads out of the source; and what errors on the way mean. Any thread; may wait for the disk.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from havenfs import mounts
from havenfs.errors import NotFound, SourceGone

from .at_once import Held, may_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from havenfs.entities import Source

    Rights = AbstractContextManager[None]

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})
_DISK = frozenset(
    {errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE, errno.ETIMEDOUT}
    | {
        errno.ECONNABORTED,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ESHUTDOWN,
        errno.ENOMEDIUM,
        errno.EREMOTEIO,
    }
)
"""What a disk says about itself; everything else is about the name, the caller or a limit and passed on as it is."""

_OURS = frozenset({errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""What has nothing to do with the disk, of a root that cannot be opened."""

FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_KEPT = 128  # directories; a person's file manager is in one, an `rsync` in as many as it is deep


def split(path: bytes) -> tuple[bytes, bytes]:
    """The directory of a path, and the name in it: 0.1 us, where os.path.split takes 0.8 of every operation."""
    above, _, name = path.rpartition(b"/")
    return above, name


class Walks:
    """Directories lately walked to, so that a walk is paid once a second and not once an operation.

    As stale as the attributes that the kernel keeps, never more. Nothing is kept until `keep` says so: a descriptor
    pins its disk against unmounting, and only a program that lets go in time (`let_go`) may do that.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._recognise: Callable[[Source], bool] = _unasked
        self._roots: dict[bytes, tuple[int, int]] = {}  # what was recognised
        self._held: dict[tuple[bytes, bytes], Held] = {}
        self._lock = threading.Lock()

    def keep(self, seconds: float) -> None:
        """Keep descriptors for so long."""
        self._seconds = seconds

    @contextmanager
    def recognising(self, recognise: Callable[[Source], bool]) -> Generator[None]:
        """Ask that meanwhile of a root that is not what it was when its disk was last known to be there: whether it is that
        disk, mounted again (`presence`). Otherwise it is away. For who writes where people say."""
        before, self._recognise = self._recognise, recognise
        try:
            yield
        finally:
            self._recognise = before
            self._roots.clear()

    def moved(self, source: Source, path: bytes) -> None:
        """Close a directory, and what is below it: it has gone, or has moved."""
        below = path + b"/"
        self._close(
            lambda key, _: key[0] == source.root and (key[1] == path or key[1].startswith(below))
        )

    def let_go(self, *, all_of_them: bool = False) -> None:
        """Close what is too old, or everything."""
        if self._held:
            now = time.monotonic()
            self._close(lambda _, held: all_of_them or held.until < now)

    def _close(self, which: Callable[[tuple[bytes, bytes], Held], bool]) -> None:
        with self._lock:
            going = {key: held for key, held in self._held.items() if which(key, held)}
            for key in going:
                del self._held[key]
        del going  # without the lock: closing may wait for a disk

    def to(self, source: Source, path: bytes) -> Held:
        """The directory at this path of the source. Raises NotFound, SourceGone, WouldWait."""
        key = (source.root, path)
        held = self._held.get(key)
        if held is not None and held.until >= time.monotonic():
            return held
        may_wait()
        fd = self._walk(source, path)
        if not self._seconds:
            return Held(fd, 0.0)
        held = Held(fd, time.monotonic() + self._seconds, local=mounts.local(os.fstat(fd).st_dev))
        with self._lock:
            old = [self._held.pop(key, None)]
            self._held[key] = held
            while len(self._held) > _KEPT:
                old.append(self._held.pop(next(iter(self._held))))
        del old
        return held

    def _walk(self, source: Source, path: bytes) -> int:
        try:
            here = os.open(source.root, FOLDER)
        except OSError as error:
            if error.errno in _OURS:
                raise
            raise SourceGone(f"{os.fsdecode(source.root)}: {error.strerror}") from error
        if source.mark is not None:
            found = os.fstat(here)
            mark = found.st_dev, found.st_ino
            if mark not in (source.mark, self._roots.get(source.root)):
                if not self._recognise(source):
                    os.close(here)
                    raise SourceGone(f"{os.fsdecode(source.root)}: its disk is not mounted there")
                self._roots[source.root] = mark
        return _down(here, path)


def _unasked(source: Source) -> bool:
    return True


walks = Walks()
"""Of this process."""


def _down(here: int, path: bytes) -> int:
    try:
        for component in filter(None, path.split(b"/")):
            if component == b"..":
                raise NotFound(path)
            there = os.open(component, FOLDER | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = there
    except OSError as error:
        os.close(here)
        raise named(error, path) from error
    except NotFound:
        os.close(here)
        raise
    return here


def named(error: OSError, path: bytes) -> Exception:
    """What an error of the operating system means here."""
    if error.errno in _ABSENT:
        return NotFound(os.fsdecode(path))
    if error.errno in _DISK:
        return SourceGone(f"{os.fsdecode(path)}: {error.strerror}")
    return error
