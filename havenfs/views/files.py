"""files/<source>/…: the originals as they lie on disk, live.

Paths are walked from the source's root one component at a time with O_NOFOLLOW, so that neither a symlink nor a rename
that races with us leads out of the source. Every call asks the disk and may therefore wait for it: not for an event
loop. Raises SourceGone when the disk does not answer, NotFound, and the kernel's own PermissionError.
"""

# Paths of originals are bytes and go with dir_fd: pathlib knows neither.
# ruff: noqa: PTH118, PTH119, PTH120, PTH208
from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from havenfs.catalog import sources
from havenfs.errors import NotFound, NotPermitted, SourceGone

from .tree import DiskFile, Folder, respelt

if TYPE_CHECKING:
    from collections.abc import Generator

    from havenfs.entities import Source

    from .tree import Entry

_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
_OWN = {errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.EMFILE, errno.ENFILE, errno.ENODATA}
"""What the kernel says about the name, the caller or us rather than about the disk; it is passed on as it is."""


@dataclass(frozen=True, slots=True)
class DiskDirectory:
    """A directory of originals."""

    source: Source
    path: bytes
    status: os.stat_result
    hidden: tuple[bytes, ...] = ()
    """Real paths that are not shown: the mount point, lest we ask ourselves."""

    @property
    def key(self) -> str:
        """The path; renamed directories are others."""
        return f"files/{self.source.id}/{os.fsdecode(self.path)}"

    @property
    def slow(self) -> bool:
        """A disk may have to spin up."""
        return True

    @property
    def lasting(self) -> bool:
        """Nobody announces what happens on a disk."""
        return False

    def entries(self) -> list[Entry]:
        """Everything, dot-files too, by name, each with its lstat."""
        found: list[Entry] = []
        with reached(self.source, self.path) as directory, _translated(self.path):
            listing = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
            try:
                names = sorted(map(os.fsencode, os.listdir(listing)))
            finally:
                os.close(listing)
            for name in names:
                if self._is_hidden(name):
                    continue
                try:
                    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
                except FileNotFoundError:
                    continue  # gone since the listing
                found.append((name, self._node(name, status)))
        return found

    def lookup(self, name: bytes) -> DiskDirectory | DiskFile:
        """The entry of exactly this name."""
        if self._is_hidden(name):
            raise NotFound(name)
        with reached(self.source, self.path) as directory, _translated(name):
            return self._node(name, os.stat(name, dir_fd=directory, follow_symlinks=False))

    def real_name(self, name: bytes) -> bytes:
        """Found by listing the directory's names, without asking for their attributes."""
        with reached(self.source, self.path) as directory, _translated(self.path):
            listing = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
            try:
                return respelt(name, list(map(os.fsencode, os.listdir(listing))))
            finally:
                os.close(listing)

    def _node(self, name: bytes, status: os.stat_result) -> DiskDirectory | DiskFile:
        path = os.path.join(self.path, name)
        if stat.S_ISDIR(status.st_mode):
            return DiskDirectory(self.source, path, status, self.hidden)
        return DiskFile(self.source, path, status)

    def _is_hidden(self, name: bytes) -> bool:
        return any(
            name == os.path.basename(path)
            and os.path.realpath(os.path.join(self.source.root, self.path)) == os.path.dirname(path)
            for path in self.hidden
        )


class Sources(Folder):
    """files/: one directory a source."""

    __slots__ = ()

    @property
    def slow(self) -> bool:
        """The root of each source is asked for its attributes."""
        return True

    @property
    def lasting(self) -> bool:
        """Disks come and go unannounced."""
        return False

    def entries(self) -> list[Entry]:
        """The sources whose disks answer."""
        found: list[Entry] = []
        for source in self._sources():
            try:
                found.append((os.fsencode(source.name), self._root(source)))
            except (SourceGone, PermissionError):
                continue  # one dead disk must not hide the others
        return found

    def child(self, name: str) -> DiskDirectory:
        """The root of the source of this name. Raises SourceGone when its disk does not answer."""
        for source in self._sources():
            if source.name == name:
                return self._root(source)
        raise NotFound(name)

    def _sources(self) -> list[Source]:
        library = self.scope.library
        return [
            source
            for source in library.catalog.read(sources.present)
            if not any((source.root + b"/").startswith(path + b"/") for path in library.hidden)
        ]

    def _root(self, source: Source) -> DiskDirectory:
        return DiskDirectory(source, b"", status(source, b""), self.scope.library.hidden)


@contextmanager
def reached(source: Source, path: bytes) -> Generator[int]:
    """A descriptor (O_PATH) of a directory in the source, for use with dir_fd."""
    flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        here = os.open(source.root, flags)
    except PermissionError:
        raise
    except OSError as error:
        raise SourceGone(f"{os.fsdecode(source.root)}: {error.strerror}") from error
    try:
        for component in filter(None, path.split(b"/")):
            if component == b"..":
                raise NotFound(path)
            with _translated(path):
                there = os.open(component, flags | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = there
        yield here
    finally:
        os.close(here)


def status(source: Source, path: bytes) -> os.stat_result:
    """The lstat of a path in the source; of the root when *path* is empty."""
    above, name = os.path.split(path)
    with reached(source, above) as directory, _translated(path):
        return (
            os.stat(name, dir_fd=directory, follow_symlinks=False) if name else os.fstat(directory)
        )


def open_file(source: Source, path: bytes) -> int:
    """A descriptor for reading a regular file in the source. The caller closes it."""
    above, name = os.path.split(path)
    with reached(source, above) as directory, _translated(path):
        # O_NONBLOCK: opening a FIFO that took the file's place must not wait for its writer.
        descriptor = os.open(
            name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory
        )
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotPermitted(f"{os.fsdecode(path)} is not a regular file")
    return descriptor


def readlink(source: Source, path: bytes) -> bytes:
    """The target of a symlink, as it stands on disk."""
    above, name = os.path.split(path)
    with reached(source, above) as directory, _translated(path):
        return os.readlink(name, dir_fd=directory)


def xattrs(source: Source, path: bytes) -> list[bytes]:
    """The names of the extended attributes on disk."""
    above, name = os.path.split(path)
    with reached(source, above) as directory, _translated(path):
        try:
            return [
                os.fsencode(attribute)
                for attribute in os.listxattr(_through(directory, name), follow_symlinks=False)
            ]
        except OSError as error:
            if error.errno == errno.ENOTSUP:
                return []
            raise


def xattr(source: Source, path: bytes, attribute: bytes) -> bytes:
    """The value of an extended attribute on disk. Raises OSError ENODATA when it has none."""
    above, name = os.path.split(path)
    with reached(source, above) as directory, _translated(path):
        try:
            return os.getxattr(_through(directory, name), attribute, follow_symlinks=False)
        except OSError as error:
            if error.errno == errno.ENOTSUP:
                raise OSError(errno.ENODATA, "no extended attributes on this disk") from error
            raise


def _through(directory: int, name: bytes) -> bytes:
    """A path to an entry of an open directory, for calls that know no dir_fd."""
    return b"/proc/self/fd/%d/%s" % (directory, name or b".")


@contextmanager
def _translated(path: bytes) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _ABSENT:
            raise NotFound(os.fsdecode(path)) from error
        if error.errno in _OWN:
            raise
        raise SourceGone(f"{os.fsdecode(path)}: {error.strerror}") from error
