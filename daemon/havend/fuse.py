"""FUSE in, operations out, over pyfuse3. Translates; decides nothing.

Threading: handlers run on the event loop, which must never wait. What may wait for a disk or a search goes through
`_aside`; reads try the page cache first (preadv2 with RWF_NOWAIT), because a thread for each costs four times a read.
"""

from __future__ import annotations

import errno
import os
import select
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar

import pyfuse3
import trio

from havenfs.errors import HavenError, NotFound

from .errno import number as errno_of
from .operations import SHORT_S, Attributes, Operations

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from pyfuse3 import (
        FileHandleT,
        FileNameT,
        FlagT,
        InodeT,
        ModeT,
        PollHandle,
        ReaddirToken,
        RequestContext,
        SetattrFields,
        XAttrNameT,
    )

    from .operations import Listing, Opened

P = ParamSpec("P")
T = TypeVar("T")

THREADS = (
    24  # waiting for disks and searches at once; more than a spun-down disk and a few people need
)


class Handlers(pyfuse3.Operations):
    """The kernel's requests."""

    supports_dot_lookup = False
    enable_writeback_cache = False

    def __init__(self, operations: Operations) -> None:
        super().__init__()
        self._operations = operations
        self._limiter = trio.CapacityLimiter(THREADS)
        self._listings: dict[int, Listing] = {}
        self._files: dict[int, Opened] = {}
        self._handle = 0
        self._buffer = memoryview(bytearray(1 << 20))
        self._absent = (
            pyfuse3.EntryAttributes()
        )  # inode 0: remember for a moment that there is none
        self._absent.st_ino = 0
        self._absent.entry_timeout = SHORT_S

    async def _aside(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run on a thread. A cancelled caller, the end of the mount, does not wait for a disk that hangs."""

        def call() -> T:
            return function(*args, **kwargs)

        return await trio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=self._limiter)

    async def _on(
        self, inode: InodeT, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run here what answers at once, on a thread what may wait."""
        if self._operations.slow(inode):
            return await self._aside(function, *args, **kwargs)
        return function(*args, **kwargs)

    # --- names ----------------------------------------------------------------------------------------------

    async def lookup(
        self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Find a name in a directory."""
        with _told():
            try:
                node = await self._on(parent_inode, self._operations.find, parent_inode, name)
            except NotFound:
                return self._absent
            return _entry(self._operations.admit(node, parent_inode, name))

    async def forget(self, inode_list: Sequence[tuple[InodeT, int]]) -> None:
        """The kernel dropped lookups."""
        for inode, lookups in inode_list:
            self._operations.table.forget(inode, lookups)

    async def getattr(self, inode: InodeT, ctx: RequestContext) -> pyfuse3.EntryAttributes:
        """Attributes of an inode."""
        with _told():
            return _entry(await self._on(inode, self._operations.getattr, inode))

    async def opendir(self, inode: InodeT, ctx: RequestContext) -> FileHandleT:
        """Take the snapshot that this handle lists."""
        with _told():
            listing = await self._on(inode, self._operations.listing, inode)
        self._handle += 1
        self._listings[self._handle] = listing
        return self._handle

    async def readdir(self, fh: FileHandleT, start_id: int, token: ReaddirToken) -> None:
        """List from *start_id*, with full attributes. Each entry taken is a lookup that FORGET will count down."""
        listing = self._listings[fh]
        operations, table = self._operations, self._operations.table
        if start_id == 0 and listing.begun:  # rewinddir: POSIX wants the directory as it is now
            with _told():
                listing = await self._on(listing.number, operations.listing, listing.number)
            self._listings[fh] = listing
        listing.begun = True
        for position in range(start_id, len(listing.entries) + 2):
            if position < 2:
                if not pyfuse3.readdir_reply(
                    token,
                    (b".", b"..")[position],
                    self._dots(listing.number, position),
                    position + 1,
                ):
                    return
                continue
            name, node = listing.entries[position - 2]
            with _told():
                found = operations.attributes(node, table.number(node), listing.directory)
            if not pyfuse3.readdir_reply(token, name, _entry(found), position + 1):
                return
            table.admit(node, listing.number, name)

    async def releasedir(self, fh: FileHandleT) -> None:
        """Let go of the snapshot."""
        del self._listings[fh]

    def _dots(self, number: int, position: int) -> pyfuse3.EntryAttributes:
        """`.` and `..`: the kernel uses their inode number and type only, and counts no lookup."""
        record = self._operations.table.get(number)
        entry = pyfuse3.EntryAttributes()
        entry.st_ino = record.parent if position else number
        entry.st_mode = 0o040555
        return entry

    # --- bytes ----------------------------------------------------------------------------------------------

    async def open(self, inode: InodeT, flags: FlagT, ctx: RequestContext) -> pyfuse3.FileInfo:
        """Open for reading. Pages that the kernel holds stay if the original is as it was at the last open."""
        with _told():
            file = await self._aside(self._operations.open, inode, flags)
        self._handle += 1
        self._files[self._handle] = file
        return pyfuse3.FileInfo(
            fh=self._handle, keep_cache=self._operations.opened(file), direct_io=file.uncached
        )

    async def read(self, fh: FileHandleT, off: int, size: int) -> bytes:
        """Read; what is in memory at once, the rest on a thread."""
        file = self._files[fh]
        if file.descriptor is None:
            return file.text[off : off + size]
        with _told():
            if file.nowait:
                if size > len(self._buffer):
                    self._buffer = memoryview(bytearray(size))
                try:
                    count = os.preadv(file.descriptor, [self._buffer[:size]], off, os.RWF_NOWAIT)
                except BlockingIOError:
                    pass
                except OSError as error:
                    if error.errno != errno.EOPNOTSUPP:
                        raise
                    file.nowait = False
                else:
                    if count == size or off + count >= file.size:
                        # pyfuse3 copies it out before anything else runs, so one buffer serves all reads.
                        return self._buffer[:count]  # pyright: ignore[reportReturnType]  # any buffer will do
            return await self._aside(os.pread, file.descriptor, size, off)

    async def release(self, fh: FileHandleT) -> None:
        """Close the original."""
        file = self._files.pop(fh)
        if file.descriptor is not None:
            os.close(file.descriptor)

    async def readlink(self, inode: InodeT, ctx: RequestContext) -> FileNameT:
        """The target of a symlink."""
        with _told():
            return await self._aside(self._operations.readlink, inode)

    async def flush(self, fh: FileHandleT) -> None:
        """Nothing is ever dirty."""

    async def fsync(self, fh: FileHandleT, datasync: bool) -> None:  # noqa: FBT001  # pyfuse3's signature
        """Nothing is ever dirty."""

    async def fsyncdir(self, fh: FileHandleT, datasync: bool) -> None:  # noqa: FBT001  # pyfuse3's signature
        """Nothing is ever dirty."""

    async def access(self, inode: InodeT, mode: ModeT, ctx: RequestContext) -> bool:
        """The kernel checks modes where others than the mounting user come in; the rest says open."""
        return True

    async def poll(
        self, inode: InodeT, fh: FileHandleT, poll_handle: PollHandle | None, ctx: RequestContext
    ) -> int:
        """A file can always be read."""
        return select.POLLIN | select.POLLRDNORM

    # --- extended attributes, file system -------------------------------------------------------------------

    async def getxattr(self, inode: InodeT, name: XAttrNameT, ctx: RequestContext) -> bytes:
        """The value of an extended attribute."""
        with _told():
            return await self._on(inode, self._operations.getxattr, inode, name)

    async def listxattr(self, inode: InodeT, ctx: RequestContext) -> Sequence[XAttrNameT]:
        """The names of extended attributes."""
        with _told():
            return await self._on(inode, self._operations.listxattr, inode)

    async def statfs(self, ctx: RequestContext) -> pyfuse3.StatvfsData:
        """The first source's disk."""
        with _told():
            found = await self._aside(self._operations.statfs)
        data = pyfuse3.StatvfsData()
        data.f_bsize, data.f_frsize = found.f_bsize, found.f_frsize
        data.f_blocks, data.f_bfree, data.f_bavail = found.f_blocks, found.f_bfree, found.f_bavail
        data.f_files, data.f_ffree, data.f_favail = found.f_files, found.f_ffree, found.f_favail
        data.f_namemax = 255
        return data

    # --- refusals -------------------------------------------------------------------------------------------

    async def setxattr(
        self, inode: InodeT, name: XAttrNameT, value: bytes, ctx: RequestContext
    ) -> None:
        """Refused."""
        with _told():
            self._operations.setxattr(inode, name)

    async def removexattr(self, inode: InodeT, name: XAttrNameT, ctx: RequestContext) -> None:
        """Refused."""
        with _told():
            self._operations.setxattr(inode, name)

    async def setattr(
        self,
        inode: InodeT,
        attr: pyfuse3.EntryAttributes,
        fields: SetattrFields,
        fh: FileHandleT | None,
        ctx: RequestContext,
    ) -> NoReturn:
        """Refused."""
        self._refuse(inode)

    async def mkdir(
        self, parent_inode: InodeT, name: FileNameT, mode: ModeT, ctx: RequestContext
    ) -> NoReturn:
        """Refused."""
        self._refuse(parent_inode, mkdir=True)

    async def mknod(
        self, parent_inode: InodeT, name: FileNameT, mode: ModeT, rdev: int, ctx: RequestContext
    ) -> NoReturn:
        """Refused."""
        self._refuse(parent_inode)

    async def create(
        self, parent_inode: InodeT, name: FileNameT, mode: ModeT, flags: FlagT, ctx: RequestContext
    ) -> NoReturn:
        """Refused."""
        self._refuse(parent_inode)

    async def symlink(
        self, parent_inode: InodeT, name: FileNameT, target: FileNameT, ctx: RequestContext
    ) -> NoReturn:
        """Refused."""
        self._refuse(parent_inode)

    async def link(
        self, inode: InodeT, new_parent_inode: InodeT, new_name: FileNameT, ctx: RequestContext
    ) -> NoReturn:
        """Refused."""
        self._refuse(new_parent_inode)

    async def unlink(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> NoReturn:
        """Refused."""
        self._refuse(parent_inode)

    async def rmdir(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> NoReturn:
        """Refused."""
        self._refuse(parent_inode)

    async def rename(
        self,
        parent_inode_old: InodeT,
        name_old: FileNameT,
        parent_inode_new: InodeT,
        name_new: FileNameT,
        flags: FlagT,
        ctx: RequestContext,
    ) -> NoReturn:
        """Refused by the place that would lose the name."""
        self._refuse(parent_inode_old)

    async def write(self, fh: FileHandleT, off: int, buf: bytes) -> NoReturn:
        """Nothing is ever opened for writing."""
        raise pyfuse3.FUSEError(errno.EBADF)

    def _refuse(self, inode: InodeT, *, mkdir: bool = False) -> NoReturn:
        with _told():
            self._operations.refuse(inode, mkdir=mkdir)
        raise AssertionError("a refusal that did not refuse")


@contextmanager
def _told() -> Generator[None]:
    """Turn an error into what the kernel understands."""
    try:
        yield
    except (HavenError, OSError) as error:
        raise pyfuse3.FUSEError(errno_of(error)) from error


def _entry(found: Attributes) -> pyfuse3.EntryAttributes:
    entry = pyfuse3.EntryAttributes()
    entry.st_ino = found.number
    entry.st_mode = found.mode
    entry.st_nlink = found.nlink
    entry.st_uid = found.uid
    entry.st_gid = found.gid
    entry.st_rdev = found.rdev
    entry.st_size = found.size
    entry.st_blksize = 4096
    entry.st_blocks = found.blocks
    entry.st_mtime_ns = found.mtime_ns
    entry.st_atime_ns = found.atime_ns
    entry.st_ctime_ns = found.ctime_ns
    entry.entry_timeout = found.entry_s
    entry.attr_timeout = found.attributes_s
    return entry
