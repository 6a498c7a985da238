"""Writing a sidecar: whole or not at all, with the owner and rights of what was there, and never over somebody's work.

Walks from the source's root without following links: the service is root, and the folders are not its own. Blocks on
the disk; any thread, and any number of programs: who comes second starts over with what the first one wrote.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import contextmanager, suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from havenfs import mates
from havenfs.errors import NotPermitted, ReadOnly, Stale
from havenfs.extract.original import descriptor, explain
from havenfs.extract.packet import MAX_BYTES

from .merge import merge

if TYPE_CHECKING:
    from collections.abc import Generator

    from havenfs.config import State
    from havenfs.entities import Source

    from .given import Given, Marks
    from .merge import Merged
    from .regions import Frame

ATTEMPTS = 10
"""How often somebody else may be faster; each time their work is taken in."""
_LEFT_BEHIND_S = (
    60  # a temporary file that is older is of a process that died: writing takes milliseconds
)
_KEPT = ("user.", "system.posix_acl_access")


class Outcome(NamedTuple):
    """What became of it."""

    root: bytes
    path: bytes
    """Where the sidecar is, relative to `root`: the source's, or the state directory's for sources that are read-only."""
    merged: Merged
    status: os.stat_result | None
    """Of the new file, for the catalog to know it by; None: nothing had to be written."""


def write(
    source: Source,
    path: bytes,
    content: bytes,
    ours: Given,
    *,
    state: State,
    frame: Frame | None = None,
    agreed: Marks | None = None,
) -> Outcome:
    """Bring *ours* into the sidecar of the original at *path* of *source*, whose bytes have the hash *content*.

    Raises Unreadable (what is there is damaged, and stays), NotPermitted (its owner could not be kept), ReadOnly (the
    disk takes no writes), SourceGone, and Stale when others keep writing it.
    """
    directory, _, name = path.rpartition(b"/")
    with _folder(source.root, directory) as folder:
        found = mates.sidecars(name, _names(folder))
        beside = found[0] if found else name + b".xmp"
        if source.writable:
            like = os.stat(name, dir_fd=folder, follow_symlinks=False)
            merged, status = _merged(folder, beside, None, ours, frame, agreed, like)
            there = directory + b"/" + beside if directory else beside
            return Outcome(source.root, there, merged, status)
        origin = _load(folder, beside)
    start = origin.data if origin is not None else None
    root, there = mirrored(state, content)
    with _folder(
        os.fsencode(state.root), b"sidecars/" + there.partition(b"/")[0], make=True
    ) as folder:
        name = there.rpartition(b"/")[2]
        merged, status = _merged(folder, name, start, ours, frame, agreed, os.fstat(folder))
    return Outcome(root, there, merged, status)


def there(source: Source, path: bytes, content: bytes, *, state: State) -> bytes | None:
    """The sidecar that `write` would write into, or begin with, as it is now; None without one. Raises SourceGone,
    Unreadable."""
    directory, _, name = path.rpartition(b"/")
    if not source.writable:
        root, mirror = mirrored(state, content)
        with suppress(OSError), open(os.path.join(root, mirror), "rb") as file:  # noqa: PTH118, PTH123 -- bytes
            return file.read(MAX_BYTES + 1)
    with _folder(source.root, directory) as folder:
        for beside in mates.sidecars(name, _names(folder)):
            loaded = _load(folder, beside)
            if loaded is not None:
                return loaded.data
    return None


def _names(folder: int) -> list[bytes]:
    try:
        return [os.fsencode(name) for name in os.listdir(folder)]
    except OSError as error:
        raise explain(error) from error


def mirrored(state: State, content: bytes) -> tuple[bytes, bytes]:
    """Where the sidecar of the content with that hash is, if its source is read-only: directory, and path in it."""
    digest = content.hex().encode()
    return os.fsencode(state.root / "sidecars"), digest[:2] + b"/" + digest + b".xmp"


def _merged(
    folder: int,
    name: bytes,
    start: bytes | None,
    ours: Given,
    frame: Frame | None,
    agreed: Marks | None,
    like: os.stat_result,
) -> tuple[Merged, os.stat_result | None]:
    """Merge into *name* of the open *folder*. A new file begins with *start* and belongs to whom *like* belongs."""
    for _ in range(ATTEMPTS):
        before = _load(folder, name)
        data = before.data if before is not None else start
        merged = merge(data, ours, frame=frame, agreed=agreed)
        if merged.data is None:
            return merged, None
        status = _replace(folder, name, merged.data, before, like)
        if status is not None:
            return merged, status
    raise Stale("somebody else keeps writing its sidecar")


class _Loaded(NamedTuple):
    """A file's bytes, and which file it was."""

    data: bytes
    status: os.stat_result


def _load(folder: int, name: bytes) -> _Loaded | None:
    """What is there; None without it. Raises Unreadable, SourceGone."""
    try:
        file = descriptor(name, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise explain(error) from error
    with open(file, "rb") as opened:  # noqa: PTH123 -- a descriptor
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise explain(OSError(errno.ENXIO, "not a file"))
        try:
            return _Loaded(opened.read(MAX_BYTES + 1), status)
        except OSError as error:
            raise explain(error) from error


def _replace(
    folder: int, name: bytes, data: bytes, before: _Loaded | None, like: os.stat_result
) -> os.stat_result | None:
    """Put *data* in the place of *before*; None where something else stands there by now. Among writers of ours the
    temporary name is the lock."""
    temporary = b".haven-" + blake2b(name, digest_size=6).hexdigest().encode() + b".tmp"
    try:
        file = _exclusive(folder, temporary)
        placed = False
        try:
            with open(file, "wb") as opened:  # noqa: PTH123 -- a descriptor
                opened.write(data)
                opened.flush()
                _own(folder, name, file, before.status if before else None, like)
                os.fsync(file)
                status = os.fstat(file)
            placed = _exchange(folder, temporary, name, before)
        finally:
            # Once it is placed, the temporary name is free: what has it then is another writer's.
            if not placed:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)
        if not placed:
            return None
        os.fsync(folder)
    except OSError as error:
        raise _refusal(error) from error
    return status


def _exclusive(folder: int, temporary: bytes) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    for _ in range(100):
        try:
            return os.open(temporary, flags, 0o600, dir_fd=folder)
        except FileExistsError:
            with suppress(FileNotFoundError):
                there = os.stat(temporary, dir_fd=folder, follow_symlinks=False)
                if time.time() - there.st_mtime > _LEFT_BEHIND_S:
                    os.unlink(temporary, dir_fd=folder)
                else:
                    time.sleep(0.02)  # somebody writes this very sidecar
    raise Stale("somebody else keeps writing its sidecar")


def _own(
    folder: int, name: bytes, file: int, before: os.stat_result | None, like: os.stat_result
) -> None:
    """Owner, mode, attributes: of the file that is replaced; a new one takes after *like*, and is no program."""
    owner = before or like
    os.fchmod(file, stat.S_IMODE(owner.st_mode) & (0o7777 if before is not None else 0o666))
    if before is not None:
        old = descriptor(name, dir_fd=folder)
        try:
            for attribute in os.listxattr(old):
                if attribute.startswith(_KEPT):
                    os.setxattr(file, attribute, os.getxattr(old, attribute))
        except OSError as error:
            if error.errno != errno.ENOTSUP:
                raise
        finally:
            os.close(old)
    now = os.fstat(file)
    if (now.st_uid, now.st_gid) != (owner.st_uid, owner.st_gid):
        try:
            os.fchown(file, owner.st_uid, owner.st_gid)
        except PermissionError as error:
            if before is not None:
                raise NotPermitted("its sidecar belongs to somebody else") from error


def _exchange(folder: int, temporary: bytes, name: bytes, before: _Loaded | None) -> bool:
    """Give the written file its name, if what has the name is still what was read."""
    if before is None:
        try:
            os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
        else:
            os.unlink(temporary, dir_fd=folder)
            return True
        # exFAT and some shares know no links: with a gap of microseconds, then.
    # Its bytes, not its times: two writes within a tick of the clock (4 ms) have the same.
    now = _load(folder, name)
    if (now and now.data) != (before and before.data):
        return False
    os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    return True


@contextmanager
def _folder(root: bytes, directory: bytes, *, make: bool = False) -> Generator[int]:
    """The directory below *root*, open; no component may be a link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        here = os.open(root, flags)
    except OSError as error:
        raise explain(error) from error
    try:
        for part in filter(None, directory.split(b"/")):
            try:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, 0o700, dir_fd=here)
                below = os.open(part, flags | os.O_NOFOLLOW, dir_fd=here)
            except OSError as error:
                raise explain(error) from error
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def _refusal(error: OSError) -> Exception:
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return ReadOnly(f"its sidecar cannot be written: {os.strerror(error.errno)}")
    return error if error.errno in (errno.ENOSPC, errno.EDQUOT) else explain(error)
