"""FUSE in, operations out, over pyfuse3. Translates; decides nothing.

The reference transport: any kernel, no privileges. Threading: handlers run on the event loop, which must never wait. What
changes something, or may wait for a disk or a search, goes through `_aside`; reads try the page cache first (preadv2 with
RWF_NOWAIT), because a thread for each costs four times a read.
"""

from __future__ import annotations

import errno
import logging
import math
import os
import select
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import pyfuse3
import trio
from msgspec.structs import replace

from havenfs.entities import Caller
from havenfs.errors import HavenError, NotFound, SourceGone
from havenfs.originals.at_once import WouldWait, at_once
from havenfs.originals.metadata import NOW, Changes

from .errno import number as errno_of
from .naming import backing
from .patience import LONG_PATIENCE_S, PATIENCE_S, Patience, source_of
from .stats import SHORT_S, Attributes

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

    from .handles import Opened
    from .listing import Listing
    from .operations import Operations

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 24  # waiting at once for one disk, or for searches; more than a spun-down disk and a few people need
_ACL = b"system.posix_acl_"


class Handlers(pyfuse3.Operations):
    """The kernel's requests."""

    supports_dot_lookup = True  # NFS asks for "." and ".." of a file handle that it kept
    enable_writeback_cache = False

    def __init__(self, operations: Operations) -> None:
        super().__init__()
        # As root the kernel checks modes for us, and must then know the disk's access lists as well: their mask stands
        # where the group's rights stood.
        self.enable_acl = os.getuid() == 0
        self._operations = operations
        self._limiters: dict[int, trio.CapacityLimiter] = {}
        self._patience = Patience()
        self._closing = trio.CapacityLimiter(math.inf)
        self._directories: dict[int, int] = {}  # handle -> inode
        self._opened = 0
        self._listings: dict[int, Listing] = {}
        self._slow_disks: set[int] = set()  # handles whose disk cannot say "not in memory"
        self._buffer = memoryview(bytearray(1 << 20))
        self._absent = (
            pyfuse3.EntryAttributes()
        )  # inode 0: remember for a moment that there is none
        self._absent.st_ino = 0
        self._absent.entry_timeout = SHORT_S

    async def _aside(
        self, inode: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run on a thread. Neither a cancelled caller, the end of the mount, nor anybody else waits for ever for a disk
        that hangs: after PATIENCE_S it is an error, and the thread is left behind. Each source has threads of its own."""
        if self._patience.hopeless(inode):
            raise SourceGone("its disk has stopped answering")
        source = source_of(inode)
        limiter = self._limiters.get(source)
        if limiter is None:
            limiter = self._limiters[source] = trio.CapacityLimiter(THREADS)
        token = object()

        def call() -> T:
            self._patience.begun(token, inode)
            try:
                return function(*args, **kwargs)
            finally:
                self._patience.ended(token)

        with trio.move_on_after(PATIENCE_S):
            return await trio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=limiter)
        raise SourceGone(f"no answer within {PATIENCE_S:.0f} s")

    async def _at_length(
        self, function: Callable[P, None], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Run on a thread what may bring gigabytes to a slow disk, and is no sign that it hangs."""
        with trio.move_on_after(LONG_PATIENCE_S):
            await trio.to_thread.run_sync(
                partial(function, *args, **kwargs), abandon_on_cancel=True, limiter=self._closing
            )
            return
        raise SourceGone(f"no answer within {LONG_PATIENCE_S:.0f} s")

    async def _soon(
        self, inode: InodeT, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run here as far as the answer is in memory, else on a thread, from the start. For what changes nothing before it
        asks the disk."""
        if not self._operations.on_disk(inode):
            return await self._on(inode, function, *args, **kwargs)
        with suppress(WouldWait), at_once():
            return function(*args, **kwargs)
        return await self._aside(inode, function, *args, **kwargs)

    async def _on(
        self, inode: InodeT, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run here what answers at once, on a thread what may wait."""
        if self._operations.slow(inode):
            return await self._aside(inode, function, *args, **kwargs)
        return function(*args, **kwargs)

    def _of(self, fh: int) -> int:
        """The inode of an open file."""
        return self._operations.handles.get(fh).nodeid

    # --- names ----------------------------------------------------------------------------------------------

    async def lookup(
        self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Find a name in a directory."""
        with _told():
            try:
                found = await self._soon(
                    parent_inode, self._operations.lookup, parent_inode, name, _caller(ctx)
                )
            except NotFound:
                return self._absent
            return _entry(found)

    async def forget(self, inode_list: Sequence[tuple[InodeT, int]]) -> None:
        """The kernel dropped lookups."""
        for inode, lookups in inode_list:
            self._operations.forget(inode, lookups)

    async def getattr(self, inode: InodeT, ctx: RequestContext) -> pyfuse3.EntryAttributes:
        """Attributes of an inode."""
        with _told():
            return _entry(await self._soon(inode, self._operations.getattr, inode))

    async def opendir(self, inode: InodeT, ctx: RequestContext) -> FileHandleT:
        """A handle to list a directory by: the snapshot is taken when it is first read."""
        with _told():
            await self._on(inode, self._operations.directory, inode)
        self._opened += 1
        self._directories[self._opened] = inode
        return self._opened

    def _listing(self, inode: int) -> Listing:
        """A snapshot that can be read without waiting for a disk."""
        listing = self._operations.listing(inode)
        if backing(listing.directory) is not None:
            try:
                listing.entries = list(listing.entries)
            except BaseException:
                self._operations.nudges.closed(inode)
                raise
        return listing

    async def readdir(self, fh: FileHandleT, start_id: int, token: ReaddirToken) -> None:
        """List from *start_id*, with full attributes. Each entry taken is a lookup that FORGET will count down."""
        operations, listing = self._operations, self._listings.get(fh)
        if (
            listing is None or start_id == 0
        ):  # rewinddir, too: POSIX wants the directory as it is now
            before, inode = listing, self._directories[fh]
            with _told():
                listing = self._listings[fh] = await self._on(inode, self._listing, inode)
            if before is not None:
                operations.nudges.closed(inode)
        for position in range(start_id, len(listing.entries) + 2):
            if position < 2:
                if not pyfuse3.readdir_reply(
                    token,
                    (b".", b"..")[position],
                    self._dots(listing.nodeid, position),
                    position + 1,
                ):
                    return
                continue
            entry = listing.entries[position - 2]
            if entry is None:
                continue
            name, node = entry
            with _told():
                found = operations.listed(listing, node)
            if not pyfuse3.readdir_reply(token, name, _entry(found), position + 1):
                return
            operations.table.admit(node, listing.nodeid, name)

    async def releasedir(self, fh: FileHandleT) -> None:
        """Let go of the snapshot."""
        inode = self._directories.pop(fh)
        if self._listings.pop(fh, None) is not None:
            self._operations.nudges.closed(inode)

    def _dots(self, nodeid: int, position: int) -> pyfuse3.EntryAttributes:
        """`.` and `..`: the kernel uses their inode number and type only, and counts no lookup."""
        record = self._operations.table.find(nodeid)
        entry = pyfuse3.EntryAttributes()
        entry.st_ino = record.parent if position and record is not None else nodeid
        entry.st_mode = 0o040555
        return entry

    async def fsyncdir(self, fh: FileHandleT, datasync: bool) -> None:  # noqa: FBT001  # pyfuse3's signature
        """Bring a directory's names to the disk."""
        with _told():
            nodeid = self._directories[fh]
            await self._at_length(self._operations.fsyncdir, nodeid)

    # --- bytes ----------------------------------------------------------------------------------------------

    async def open(self, inode: InodeT, flags: FlagT, ctx: RequestContext) -> pyfuse3.FileInfo:
        """Open. Pages that the kernel holds stay if the original is as it was at the last open."""
        with _told():
            return _info(await self._soon(inode, self._operations.open, inode, flags, _caller(ctx)))

    async def create(
        self, parent_inode: InodeT, name: FileNameT, mode: ModeT, flags: FlagT, ctx: RequestContext
    ) -> tuple[pyfuse3.FileInfo, pyfuse3.EntryAttributes]:
        """Make a file and open it."""
        with _told():
            found, opened = await self._aside(
                parent_inode, self._operations.create, parent_inode, name, mode, flags, _caller(ctx)
            )
            return _info(opened), _entry(found)

    async def read(self, fh: FileHandleT, off: int, size: int) -> bytes:
        """Read; what is in memory at once, the rest on a thread."""
        with _told():
            if fh not in self._slow_disks:
                if size > len(self._buffer):
                    self._buffer = memoryview(bytearray(size))
                try:
                    count = os.preadv(fh, [self._buffer[:size]], off, os.RWF_NOWAIT)
                except BlockingIOError:
                    pass
                except OSError as error:
                    if error.errno != errno.EOPNOTSUPP:
                        raise
                    self._slow_disks.add(fh)
                else:
                    if count == size or off + count >= os.fstat(fh).st_size:
                        # pyfuse3 copies it out before anything else runs, so one buffer serves all reads.
                        return self._buffer[:count]  # pyright: ignore[reportReturnType]  # any buffer will do
            return await self._aside(self._of(fh), self._operations.read, fh, off, size)

    async def write(self, fh: FileHandleT, off: int, buf: bytes) -> int:
        """Write."""
        with _told():
            return await self._aside(self._of(fh), self._operations.write, fh, off, buf)

    async def flush(self, fh: FileHandleT) -> None:
        """A descriptor was closed: what was written becomes known."""
        with _told():
            opened = self._operations.handles.get(fh)
            if opened.loose is not None:  # to be filed, perhaps on another disk
                await self._at_length(self._operations.flush, fh)
            elif opened.writable:
                await self._aside(opened.nodeid, self._operations.flush, fh)

    async def release(self, fh: FileHandleT) -> None:
        """Close the original."""
        self._slow_disks.discard(fh)
        with _told():
            opened = self._operations.handles.get(fh)
            # A disk that is a program or a network wants to hear of each close, and may make us wait for that.
            if not opened.writable and (opened.local or opened.source is None):
                self._operations.release(fh)
                return
            # Nobody waits for this; but it must begin, however many hang, or the descriptor would stay for ever.
            with trio.move_on_after(PATIENCE_S):
                await trio.to_thread.run_sync(
                    self._operations.release, fh, abandon_on_cancel=True, limiter=self._closing
                )

    async def fsync(self, fh: FileHandleT, datasync: bool) -> None:  # noqa: FBT001  # pyfuse3's signature
        """Bring a file to the disk."""
        with _told():
            await self._at_length(self._operations.fsync, fh, data_only=datasync)

    async def readlink(self, inode: InodeT, ctx: RequestContext) -> FileNameT:
        """The target of a symlink."""
        with _told():
            return await self._aside(inode, self._operations.readlink, inode)

    async def access(self, inode: InodeT, mode: ModeT, ctx: RequestContext) -> bool:
        """The kernel checks modes where others than the mounting user come in; the rest says open."""
        return True

    async def poll(
        self, inode: InodeT, fh: FileHandleT, poll_handle: PollHandle | None, ctx: RequestContext
    ) -> int:
        """A file can always be read and written."""
        return select.POLLIN | select.POLLRDNORM | select.POLLOUT | select.POLLWRNORM

    # --- extended attributes, file system -------------------------------------------------------------------

    async def getxattr(self, inode: InodeT, name: XAttrNameT, ctx: RequestContext) -> bytes:
        """The value of an extended attribute."""
        with _told():
            if not name.startswith(_ACL):
                return await self._on(inode, self._operations.getxattr, inode, name)
            found = await self._on(inode, self._operations.access_list, inode, name)
            if found is None:
                raise pyfuse3.FUSEError(errno.ENODATA)
            return found

    async def listxattr(self, inode: InodeT, ctx: RequestContext) -> Sequence[XAttrNameT]:
        """The names of extended attributes."""
        with _told():
            return await self._on(inode, self._operations.listxattr, inode)

    async def setxattr(
        self, inode: InodeT, name: XAttrNameT, value: bytes, ctx: RequestContext
    ) -> None:
        """Set an extended attribute. pyfuse3 has dealt with XATTR_CREATE and XATTR_REPLACE by asking first."""
        with _told():
            await self._aside(inode, self._operations.setxattr, inode, name, value, 0, _caller(ctx))

    async def removexattr(self, inode: InodeT, name: XAttrNameT, ctx: RequestContext) -> None:
        """Remove an extended attribute."""
        with _told():
            await self._aside(inode, self._operations.removexattr, inode, name, _caller(ctx))

    async def statfs(self, ctx: RequestContext) -> pyfuse3.StatvfsData:
        """The first source's disk: pyfuse3 does not say which inode is asked about."""
        with _told():
            found = await self._aside(
                pyfuse3.ROOT_INODE, self._operations.statfs, pyfuse3.ROOT_INODE
            )
        data = pyfuse3.StatvfsData()
        data.f_bsize, data.f_frsize = found.f_bsize, found.f_frsize
        data.f_blocks, data.f_bfree, data.f_bavail = found.f_blocks, found.f_bfree, found.f_bavail
        data.f_files, data.f_ffree, data.f_favail = found.f_files, found.f_ffree, found.f_favail
        data.f_namemax = 255
        return data

    # --- changes --------------------------------------------------------------------------------------------

    async def setattr(
        self,
        inode: InodeT,
        attr: pyfuse3.EntryAttributes,
        fields: SetattrFields,
        fh: FileHandleT | None,
        ctx: RequestContext,
    ) -> pyfuse3.EntryAttributes:
        """Change attributes."""
        changes = Changes(
            mode=attr.st_mode & 0o7777 if fields.update_mode else None,
            uid=attr.st_uid if fields.update_uid else None,
            gid=attr.st_gid if fields.update_gid else None,
            size=attr.st_size if fields.update_size else None,
            atime_ns=attr.st_atime_ns if fields.update_atime else None,
            mtime_ns=attr.st_mtime_ns if fields.update_mtime else None,
        )
        with _told():
            try:
                found = await self._aside(
                    inode, self._operations.setattr, inode, changes, _caller(ctx), fh
                )
            except PermissionError:
                if not (self.enable_acl and fields.update_atime and fields.update_mtime):
                    raise
                # The kernel has checked: who is not the owner can only have meant "now", which pyfuse3 does not say.
                changes = replace(changes, atime_ns=NOW, mtime_ns=NOW)
                found = await self._aside(
                    inode, self._operations.setattr, inode, changes, _caller(ctx), fh
                )
            return _entry(found)

    async def mkdir(
        self, parent_inode: InodeT, name: FileNameT, mode: ModeT, ctx: RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Make a directory."""
        with _told():
            return _entry(
                await self._aside(
                    parent_inode,
                    self._operations.mkdir,
                    parent_inode,
                    name,
                    mode & 0o7777,
                    _caller(ctx),
                )
            )

    async def mknod(
        self, parent_inode: InodeT, name: FileNameT, mode: ModeT, rdev: int, ctx: RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Make a file, a FIFO, a socket or a device node."""
        with _told():
            return _entry(
                await self._aside(
                    parent_inode,
                    self._operations.mknod,
                    parent_inode,
                    name,
                    mode,
                    rdev,
                    _caller(ctx),
                )
            )

    async def symlink(
        self, parent_inode: InodeT, name: FileNameT, target: FileNameT, ctx: RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Make a symlink."""
        with _told():
            return _entry(
                await self._aside(
                    parent_inode,
                    self._operations.symlink,
                    parent_inode,
                    name,
                    target,
                    _caller(ctx),
                )
            )

    async def link(
        self, inode: InodeT, new_parent_inode: InodeT, new_name: FileNameT, ctx: RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Give a file one more name."""
        with _told():
            return _entry(
                await self._aside(
                    new_parent_inode,
                    self._operations.link,
                    inode,
                    new_parent_inode,
                    new_name,
                    _caller(ctx),
                )
            )

    async def unlink(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> None:
        """Remove a name."""
        with _told():
            await self._aside(
                parent_inode, self._operations.unlink, parent_inode, name, _caller(ctx)
            )

    async def rmdir(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> None:
        """Remove an empty directory."""
        with _told():
            await self._aside(
                parent_inode, self._operations.rmdir, parent_inode, name, _caller(ctx)
            )

    async def rename(
        self,
        parent_inode_old: InodeT,
        name_old: FileNameT,
        parent_inode_new: InodeT,
        name_new: FileNameT,
        flags: FlagT,
        ctx: RequestContext,
    ) -> None:
        """Move a name."""
        with _told():
            await self._aside(
                parent_inode_old,
                self._operations.rename,
                parent_inode_old,
                name_old,
                parent_inode_new,
                name_new,
                flags,
                _caller(ctx),
            )


class Notifications:
    """How pyfuse3 makes the kernel forget. Blocks: never on the event loop."""

    def entry(self, parent: int, name: bytes) -> None:
        """Drop a name."""
        with _unknown_is_fine():
            pyfuse3.invalidate_entry(parent, name)

    def inode(self, nodeid: int, *, attributes_only: bool) -> None:
        """Drop attributes, and pages unless *attributes_only*."""
        with _unknown_is_fine():
            pyfuse3.invalidate_inode(nodeid, attr_only=attributes_only)

    def everything(self) -> bool:
        """Libfuse cannot ask for that."""
        return False


@contextmanager
def _unknown_is_fine() -> Generator[None]:
    try:
        yield
    except OSError as error:
        # ENOENT: the kernel did not remember it. ENOTDIR, ENODEV, EBADF: it is being unmounted.
        if error.errno not in _UNKNOWN:
            log.warning("the kernel could not be told of a change: %s", error)


_UNKNOWN = {errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.EBADF, errno.ENOTCONN}


@contextmanager
def _told() -> Generator[None]:
    """Turn an error into what the kernel understands."""
    try:
        yield
    except (HavenError, OSError) as error:
        raise pyfuse3.FUSEError(errno_of(error)) from error


def _caller(ctx: RequestContext) -> Caller:
    return Caller(ctx.uid, ctx.gid, ctx.pid)


def _info(opened: Opened) -> pyfuse3.FileInfo:
    return pyfuse3.FileInfo(fh=opened.handle, keep_cache=opened.keep, direct_io=opened.uncached)


def _entry(found: Attributes) -> pyfuse3.EntryAttributes:
    entry = pyfuse3.EntryAttributes()
    entry.st_ino = found.nodeid
    entry.generation = found.generation
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
