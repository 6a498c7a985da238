"""Requests about names and attributes, turned into operations and back into bytes. Translates; decides nothing.

A handler takes the header's fields and the body, and returns the body of the answer; what it raises becomes an errno.
A request that is resent, because the server that read it died, may have been carried out already: what it wanted is then
there, and that is a success. Any thread.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from havend.errno import number as errno_of
from havend.inodes import ASSET, COMPUTED
from havend.naming import EXCHANGE
from havend.stats import LONG_S
from havenfs.entities import Caller
from havenfs.errors import HavenError, NotFound
from havenfs.originals.metadata import NOW, Changes

from . import replies, wire
from .directories import uncounted
from .ledger import EXCHANGE as EXCHANGING, LOCK

if TYPE_CHECKING:
    from collections.abc import Callable

    from havend.operations import Operations

    from .backing import Backing
    from .capabilities import Capabilities
    from .directories import Directories
    from .ledger import Ledger
    from .replies import Replies

Header = tuple[int, int, int, int, int, int, int, int, int]
"""Length, opcode, unique, nodeid, uid, gid, pid, length of extensions, padding."""

_BILLION: Final = 1_000_000_000
_ACL: Final = b"system.posix_acl_"
_DEFAULT_ACL: Final = b"system.posix_acl_default"
_NOBODY_IN_PARTICULAR = Caller(0, 0, 0)
_STOOD = struct.Struct("=QQQ")  # unique of the request, what stood at its first name, at its second


class Entries:
    """Lookups, attributes, changes of names, extended attributes."""

    def __init__(
        self,
        operations: Operations,
        agreed: Capabilities,
        kept: Replies,
        directories: Directories,
        backing: Backing,
        ledger: Ledger,
        answer: Callable[[int, int], None],
    ) -> None:
        """*answer* sends an errno, or 0 with an empty body, for a unique number."""
        self._operations = operations
        self._is_helper = operations.nudges.is_helper
        self._agreed = agreed
        self._kept = kept
        self._directories = directories
        self._backing = backing
        self._ledger = ledger
        self._answer = answer

    # --- looking --------------------------------------------------------------------------------------------

    def lookup(self, header: Header, body: memoryview) -> bytes:
        """A name in a directory."""
        parent, name = header[3], wire.name(body)
        helper = self._is_helper(header[4], header[5], header[6])
        kept = None if helper else self._kept.lookup(parent, name)
        if kept is not None:
            return kept
        try:
            found = self._operations.lookup(parent, name, caller(header) if helper else None)
        except NotFound:
            return replies.ABSENT
        if found.entry_s >= LONG_S and uncounted(found.nodeid):
            self._directories.missed(parent)
        return replies.entry(found)

    def forget(self, header: Header, body: memoryview) -> None:
        """The kernel dropped lookups of an inode."""
        (lookups,) = wire.FORGET_IN.unpack(body)
        self.forgotten(header[3], lookups)

    def forget_many(self, _: Header, body: memoryview) -> None:
        """The kernel dropped lookups of inodes."""
        for nodeid, lookups in wire.forgotten(body):
            self.forgotten(nodeid, lookups)

    def forgotten(self, nodeid: int, lookups: int) -> None:
        """So many lookups of an inode count no more."""
        self._operations.forget(nodeid, lookups)
        # What happens in a directory that the kernel does not know is told to nobody, and so not to us.
        if self._kept.folder(nodeid) is not None and self._operations.table.find(nodeid) is None:
            self._kept.forget_directory(nodeid)

    def getattr(self, header: Header, body: memoryview) -> bytes:
        """Attributes of an inode."""
        flags, _, handle = wire.GETATTR_IN.unpack(body)
        return replies.attributes(
            self._operations.getattr(header[3], handle if flags & wire.GETATTR_FH else None)
        )

    def readlink(self, header: Header, body: memoryview) -> bytes:
        """The target of a symlink."""
        _empty(body)
        return self._operations.readlink(header[3])

    def statfs(self, header: Header, body: memoryview) -> bytes:
        """The disk that an inode lies on."""
        _empty(body)
        found = self._operations.statfs(header[3])
        return wire.STATFS_OUT.pack(
            found.f_blocks,
            found.f_bfree,
            found.f_bavail,
            found.f_files,
            found.f_ffree,
            found.f_bsize,
            min(found.f_namemax, 255),
            found.f_frsize,
            0,
        )

    def access(self, _: Header, body: memoryview) -> bytes:
        """Never asked where the kernel checks modes, which it does on each mount of ours."""
        wire.ACCESS_IN.unpack(body)
        return b""

    # --- attributes -------------------------------------------------------------------------------------------

    def setattr(self, header: Header, body: memoryview) -> bytes:
        """Change attributes."""
        (
            valid,
            _,
            handle,
            size,
            _,
            atime,
            mtime,
            _,
            atime_ns,
            mtime_ns,
            _,
            mode,
            _,
            uid,
            gid,
            _,
        ) = wire.SETATTR_IN.unpack(body)
        changes = Changes(
            mode=mode & 0o7777 if valid & wire.FATTR_MODE else None,
            uid=uid if valid & wire.FATTR_UID else None,
            gid=gid if valid & wire.FATTR_GID else None,
            size=size if valid & wire.FATTR_SIZE else None,
            atime_ns=_time(valid, wire.FATTR_ATIME, wire.FATTR_ATIME_NOW, atime, atime_ns),
            mtime_ns=_time(valid, wire.FATTR_MTIME, wire.FATTR_MTIME_NOW, mtime, mtime_ns),
        )
        operations, nodeid = self._operations, header[3]
        found = operations.setattr(
            nodeid, changes, caller(header), handle if valid & wire.FATTR_FH else None
        )
        if valid & wire.FATTR_KILL_SUIDGID and (less := harmless(found.mode)) is not None:
            found = operations.setattr(nodeid, Changes(mode=less), _NOBODY_IN_PARTICULAR)
        return replies.attributes(found)

    # --- changes of names -------------------------------------------------------------------------------------

    def mknod(self, header: Header, body: memoryview) -> bytes:
        """Make a file, a FIFO, a socket or a device node."""
        mode, rdev, umask, _ = wire.MKNOD_IN.unpack_from(body)
        parent, name = header[3], wire.name_after(body, wire.MKNOD_IN.size)
        mode = self.masked(parent, mode, umask)
        try:
            found = self._operations.mknod(parent, name, mode, rdev, caller(header))
        except (HavenError, OSError) as error:
            return self._made_before(header, name, error)
        return replies.entry(found)

    def mkdir(self, header: Header, body: memoryview) -> bytes:
        """Make a directory."""
        mode, umask = wire.MKDIR_IN.unpack_from(body)
        parent, name = header[3], wire.name_after(body, wire.MKDIR_IN.size)
        mode = self.masked(parent, mode & 0o7777, umask)
        try:
            found = self._operations.mkdir(parent, name, mode, caller(header))
        except (HavenError, OSError) as error:
            return self._made_before(header, name, error)
        return replies.entry(found)

    def symlink(self, header: Header, body: memoryview) -> bytes:
        """Make a symlink."""
        name, target = wire.names_after(body, 0)
        try:
            found = self._operations.symlink(header[3], name, target, caller(header))
        except (HavenError, OSError) as error:
            return self._made_before(header, name, error)
        return replies.entry(found)

    def link(self, header: Header, body: memoryview) -> bytes:
        """Give a file one more name."""
        (nodeid,) = wire.LINK_IN.unpack_from(body)
        name = wire.name_after(body, wire.LINK_IN.size)
        try:
            found = self._operations.link(nodeid, header[3], name, caller(header))
        except (HavenError, OSError) as error:
            return self._made_before(header, name, error)
        return replies.entry(found)

    def unlink(self, header: Header, body: memoryview) -> bytes:
        """Remove a name that is no directory's."""
        name = wire.name(body)
        self._backing.let_go(all_of_them=True)  # or the disk would not get its room back at once
        try:
            self._operations.unlink(header[3], name, caller(header))
        except (HavenError, OSError) as error:
            _done_before(header, error)
            self._operations.removed_before(header[3], name, is_directory=False)
        return b""

    def rmdir(self, header: Header, body: memoryview) -> bytes:
        """Remove an empty directory."""
        name = wire.name(body)
        try:
            self._operations.rmdir(header[3], name, caller(header))
        except (HavenError, OSError) as error:
            _done_before(header, error)
            self._operations.removed_before(header[3], name, is_directory=True)
        return b""

    def rename(self, header: Header, body: memoryview) -> bytes | None:
        """Move a name."""
        (target,) = wire.RENAME_IN.unpack_from(body)
        return self._rename(header, target, 0, *wire.names_of_rename(body, wire.RENAME_IN.size))

    def rename2(self, header: Header, body: memoryview) -> bytes | None:
        """Move a name, with flags."""
        target, flags, _ = wire.RENAME2_IN.unpack_from(body)
        return self._rename(
            header, target, flags, *wire.names_of_rename(body, wire.RENAME2_IN.size)
        )

    def _rename(
        self, header: Header, target: int, flags: int, old: bytes, new: bytes
    ) -> bytes | None:
        if flags == EXCHANGE:
            return self._exchange(header, (header[3], old, target, new))
        self._backing.let_go(all_of_them=True)
        try:
            self._operations.rename(header[3], old, target, new, flags, caller(header))
        except (HavenError, OSError) as error:
            _done_before(header, error)
            self._operations.renamed_before(header[3], old, target, new)
        if target & COMPUTED:
            self._kept.forget_directory(target)
        return b""

    def _exchange(self, header: Header, names: tuple[int, bytes, int, bytes]) -> None:
        """Two names change places. Done twice it is undone, and no error says so: what stands where is written down before,
        and erased after the answer. One note is left by who dies in between, until its number comes again."""
        unique = header[2] & ~wire.RESENT
        key = EXCHANGING | unique & LOCK - 1
        if not (header[2] & wire.RESENT and self._exchanged_before(key, unique, names)):
            standing = self._operations.standing(*names)
            if standing is not None:
                self._ledger.note(key, _STOOD.pack(unique, *standing))
            try:
                self._operations.rename(*names, EXCHANGE, caller(header))
            except BaseException:
                self._ledger.erase(key)
                raise
        for each in (names[0], names[2]):
            if each & COMPUTED:
                self._kept.forget_directory(each)
        self._answer(header[2], 0)
        self._ledger.erase(key)

    def _exchanged_before(
        self, key: int, unique: int, names: tuple[int, bytes, int, bytes]
    ) -> bool:
        """Whether a predecessor has done what a resent request asks for; then what it may not have told of is told."""
        note = self._ledger.noted(key)
        standing = self._operations.standing(*names) if note is not None else None
        if note is None or standing is None:
            return False
        same, here, there = _STOOD.unpack(note)
        if same != unique or (standing[0] != there and standing[1] != here):
            return False
        self._operations.exchanged_before(*names)
        return True

    def masked(self, parent: int, mode: int, umask: int) -> int:
        """The mode less the caller's umask, unless the directory has a default access list, which stands in its place."""
        if not self._agreed.acl or not mode & umask & 0o777:
            return mode
        with suppress(HavenError, OSError):
            if self._operations.access_list(parent, _DEFAULT_ACL) is not None:
                return mode
        return mode & ~umask

    def _made_before(self, header: Header, name: bytes, error: HavenError | OSError) -> bytes:
        """What a resent request was to make, if it is there; else the error."""
        if not header[2] & wire.RESENT or errno_of(error) != errno.EEXIST:
            raise error
        try:
            return replies.entry(self._operations.lookup(header[3], name))
        except NotFound:  # the name is taken, by somebody who is hidden
            raise error from None

    # --- extended attributes --------------------------------------------------------------------------------

    def getxattr(self, header: Header, body: memoryview) -> bytes | int:
        """The value of an extended attribute, or its size."""
        size, _ = wire.GETXATTR_IN.unpack_from(body)
        nodeid, name = header[3], wire.name_after(body, wire.GETXATTR_IN.size)
        if name.startswith(_ACL):
            found = self._operations.access_list(nodeid, name)
            return errno.ENODATA if found is None else _fitting(found, size)
        if nodeid & (COMPUTED | ASSET) and name.startswith(b"security."):
            # `ls -l` asks it of every name, but of no other on a file system that says this once.
            raise OSError(errno.ENOTSUP, "no such attributes of answers")
        return _fitting(self._operations.getxattr(nodeid, name), size)

    def listxattr(self, header: Header, body: memoryview) -> bytes:
        """The names of extended attributes, or their size."""
        size, _ = wire.GETXATTR_IN.unpack(body)
        names = self._operations.listxattr(header[3])
        return _fitting(b"".join(name + b"\0" for name in names), size)

    def setxattr(self, header: Header, body: memoryview) -> bytes:
        """Set an extended attribute."""
        flags, more, name, value = wire.attribute_set(body, extended=self._agreed.extended_setxattr)
        if header[2] & wire.RESENT:
            flags &= ~(os.XATTR_CREATE | os.XATTR_REPLACE)
        operations, nodeid = self._operations, header[3]
        operations.setxattr(nodeid, name, bytes(value), flags, caller(header))
        if more & wire.SETXATTR_ACL_KILL_SGID:
            mode = operations.getattr(nodeid).mode
            if mode & stat.S_ISGID:
                less = Changes(mode=mode & 0o7777 & ~stat.S_ISGID)
                operations.setattr(nodeid, less, _NOBODY_IN_PARTICULAR)
        return b""

    def removexattr(self, header: Header, body: memoryview) -> bytes:
        """Remove an extended attribute."""
        name = wire.name(body)
        try:
            self._operations.removexattr(header[3], name, caller(header))
        except (HavenError, OSError) as error:
            _done_before(header, error, gone=errno.ENODATA)
        return b""


def caller(header: Header) -> Caller:
    """Who asks."""
    return Caller(header[4], header[5], header[6])


def harmless(mode: int) -> int | None:
    """Permissions without what would lend a file's new content its owner's rights; None if they do not."""
    less = mode & 0o7777 & ~stat.S_ISUID
    if mode & stat.S_IXGRP:  # without it the bit means something else
        less &= ~stat.S_ISGID
    return less if less != mode & 0o7777 else None


def _time(valid: int, given: int, now: int, seconds: int, nanoseconds: int) -> int | None:
    if not valid & given:
        return None
    if valid & now:
        return NOW
    if seconds >= 1 << 63:  # before 1970
        seconds -= 1 << 64
    return seconds * _BILLION + nanoseconds


def _fitting(value: bytes, size: int) -> bytes:
    if not size:
        return wire.XATTR_SIZE.pack(len(value), 0)
    if len(value) > size:
        raise OSError(errno.ERANGE, "the buffer is too small")
    return value


def _done_before(header: Header, error: HavenError | OSError, gone: int = errno.ENOENT) -> None:
    """A resent request to take something away is a success if it is away, perhaps with the folder that it was in; else the
    error."""
    if not header[2] & wire.RESENT or errno_of(error) not in (gone, errno.ESTALE):
        raise error


def _empty(body: memoryview) -> None:
    if body:
        raise wire.Malformed("more than a header")
