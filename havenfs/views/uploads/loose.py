"""Names in folders that people fill which stand for no asset, or not yet: uploads until they are filed, names that programs
use in passing, and the litter of systems. They are files on a disk like those of `files/`, and are shown as such.

Litter lies in memory (a folder of its own in /dev/shm), bounded, the oldest going first; everything else in `staging`, on the
disk of the source that takes uploads. All of it is gone with the mount. Any thread.
"""

# The folder in memory is handled by bytes, like a source.
# ruff: noqa: PTH101
from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from havenfs import mates
from havenfs.bounded import Bounded
from havenfs.entities import Source, SourceId
from havenfs.errors import NotPermitted
from havenfs.originals import disk, staging
from havenfs.views.nodes import DiskFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.decisions import Decision
    from havenfs.entities import Asset, AssetId, Identity
    from havenfs.mates import Span
    from havenfs.originals.disk import Rights

    Filling = Callable[[Asset], Decision] | None
    Version = tuple[int, int]
    """Size and mtime (ns)."""

MEMORY: Final = SourceId(4095)
"""Of what lies in memory; the catalog counts sources from 1, and an inode number has room for this one."""
SHM: Final = Path("/dev/shm")
PREFIX: Final = "havenfs-litter-"
LARGEST: Final = 16 << 20
"""Bytes of one piece of litter. A resource fork of Finder's takes kilobytes; of a font of the nineties, megabytes."""
ROOM: Final = 64 << 20  # bytes of all litter
MOST: Final = 4096  # pieces of litter, and as many other names
WAITS_S: Final = 600.0
"""For so long a sidecar waits for its picture: who copies a folder brings its files in any order."""
SETTLED_S: Final = 10.0
"""For so long after its last close a filed upload is still its writer's: programs set times and rights afterwards, rename it,
or open it once more. Then it is an asset like any other, under the asset's name."""


class Loose(Struct, eq=False):
    """One such name."""

    folder: str
    """Key of the folder that it stands in."""
    name: bytes
    source: Source
    path: bytes
    """Where it is; among the originals once it is filed there."""
    descriptor: int
    """Ours, for reading and writing. With it the number of the file is nobody else's."""
    rights: Rights
    """Of whoever made it."""
    fill: Filling
    """What putting an asset into the folder decides; None where nothing can be put."""
    asset_id: AssetId | None = None
    """What it was filed as."""
    came: AssetId | None = None
    """What came to be shown in the folder by that: itself, or the primary of its stack. Until this has settled, that stands
    there under this name and not under its own, which another file of the same copying may want."""
    known: tuple[Version, Identity] | None = None
    """What it was when it was looked at last."""
    filed: Version | None = None
    """What of it was filed, if the library had that already."""
    refused: bool = False
    """Its content is none of ours: it stands nowhere, unless it is written to once more."""
    failed: int = 0
    """errno of a write that the disk refused: it is not whole, until somebody begins it anew."""
    opens: int = 0
    since: float = field(default_factory=time.monotonic)
    """When it was last let go of."""
    size: int = 0
    """Of litter: how far it was written."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def accompanies(self) -> bool:
        """Whether it is a sidecar, which goes where its picture goes (`companions`)."""
        return not self.in_memory and self.asset_id is None and mates.is_sidecar(self.name)

    @property
    def pending(self) -> bool:
        """Whether nobody knows yet what becomes of it."""
        return not self.in_memory and self.asset_id is None and staging.waits(self.path)

    @property
    def in_memory(self) -> bool:
        """Whether it is litter."""
        return self.source.id == MEMORY

    def node(self) -> DiskFile:
        """It as it is now. Raises NotFound if somebody took it away on the disk."""
        return DiskFile(self.source, self.path, disk.status(self.source, self.path))


class Looseness:
    """All of them."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._folders: dict[str, dict[bytes, Loose]] = {}
        self._paths: dict[tuple[SourceId, bytes], Loose] = {}
        self._dropped: list[tuple[float, int]] = []
        self._memory: tuple[Source, int] | None = None
        self._locks: dict[SourceId, int] = {}
        self._pictures: Bounded[tuple[str, bytes], tuple[Source, bytes]] = Bounded(MOST)
        """Where the assets lie that were filed lately, by the folder and the name under which they came."""
        self.told: Callable[[Loose, bytes], None] = _nobody
        """Called when one became an original, with its path before."""

    def within(self, folder: str) -> dict[bytes, Loose]:
        """What is to be seen in a folder, by name."""
        found = self._folders.get(folder)
        if not found:
            return {}
        with self._lock:
            return {name: loose for name, loose in found.items() if not loose.refused}

    def named(self, folder: str, name: bytes) -> Loose | None:
        """What is to be seen of that name in a folder."""
        found = self._folders.get(folder, {}).get(name)
        return None if found is None or found.refused else found

    def at(self, source: Source, path: bytes) -> Loose | None:
        """The one whose file is at a path."""
        return self._paths.get((source.id, path))

    def litter(self, folder: str, name: bytes, fill: Filling, mode: int, rights: Rights) -> Loose:
        """A new one in memory. Raises NotPermitted where there is none to be had."""
        try:
            path, descriptor = staging.make(self._in_memory(), mode, rights)
        except OSError as error:
            raise NotPermitted(
                f"no room in {SHM} for what systems note: {error.strerror}"
            ) from error
        return self._add(Loose(folder, name, self._in_memory(), path, descriptor, rights, fill))

    def staged(
        self, folder: str, name: bytes, fill: Filling, source: Source, mode: int, rights: Rights
    ) -> Loose:
        """A new one on the disk of *source*."""
        path, descriptor = staging.make(source, mode, rights)
        if source.id not in self._locks and (lock := staging.lock(source, alone=False)) is not None:
            self._locks[source.id] = lock
        return self._add(Loose(folder, name, source, path, descriptor, rights, fill))

    def adopt(self, loose: Loose) -> None:
        """One that a predecessor made."""
        self._add(loose)

    def _add(self, loose: Loose) -> Loose:
        with self._lock:
            taken = self._folders.get(loose.folder, {}).get(loose.name)
            if taken is not None:
                self.drop(taken)
            self._folders.setdefault(loose.folder, {})[loose.name] = loose
            self._paths[loose.source.id, loose.path] = loose
            self._shorten()
        return loose

    def moved(self, loose: Loose, folder: str, name: bytes, fill: Filling) -> None:
        """It stands elsewhere from now on, in place of what stood there."""
        with self._lock:
            taken = self._folders.get(folder, {}).get(name)
            if taken is not None and taken is not loose:
                self.drop(taken)
            self._leave(loose)
            loose.folder, loose.name, loose.fill = folder, name, fill
            self._folders.setdefault(folder, {})[name] = loose

    def pictures(self, folder: str, span: Span) -> dict[bytes, tuple[Source, bytes]]:
        """Source and path of what has lately been filed into a folder under names within *span*."""
        with self._lock:
            return {
                name: lies
                for (key, name), lies in self._pictures.items()
                if key == folder and span[0] <= name < span[1]
            }

    def filed(self, loose: Loose, path: bytes) -> None:
        """It is an original at *path* now."""
        with self._lock:
            if loose.asset_id is not None:
                self._pictures[loose.folder, loose.name] = loose.source, path
            del self._paths[loose.source.id, loose.path]
            before, loose.path = loose.path, path
            self._paths[loose.source.id, path] = loose
        self.told(loose, before)

    def drop(self, loose: Loose) -> None:
        """It stands nowhere any more; its file goes, unless that is an original."""
        with self._lock:
            if self._paths.pop((loose.source.id, loose.path), None) is None:
                return
            self._leave(loose)
            # Not at once: the kernel may remember its number for a moment, and the next file would have it.
            self._dropped.append((time.monotonic(), loose.descriptor))
        if not staging.waits(loose.path):
            return
        # Its room is free at once, though it is open for that moment; but not under whoever files it just now.
        if not loose.opens and loose.lock.acquire(blocking=False):
            try:
                if staging.waits(loose.path) and os.fstat(loose.descriptor).st_nlink <= 1:
                    os.ftruncate(loose.descriptor, 0)
            except OSError:
                pass
            finally:
                loose.lock.release()
        if staging.waits(loose.path):
            staging.drop(loose.source, loose.path)

    def _leave(self, loose: Loose) -> None:
        names = self._folders[loose.folder]
        names.pop(loose.name, None)
        if not names:
            del self._folders[loose.folder]

    def opened(self, loose: Loose) -> None:
        """One more has it open."""
        with self._lock:
            loose.opens += 1

    def released(self, loose: Loose) -> None:
        """One less has it open: the last one lets go of what is refused."""
        with self._lock:
            loose.opens -= 1
            loose.since = time.monotonic()
            if loose.refused and not loose.opens:
                self.drop(loose)

    def grow(self, source: Source, path: bytes | None, end: int) -> None:
        """Litter is about to be written up to *end*. Raises OSError EFBIG or ENOSPC where that is too much."""
        if end > LARGEST:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        loose = self.at(source, path) if path is not None else None
        if loose is None or end <= loose.size:
            return
        with self._lock:
            before, loose.size = loose.size, end
            self._shorten()
            if sum(one.size for one in self._paths.values()) > ROOM:
                loose.size = before
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _shorten(self) -> None:
        """Let the oldest go of what nobody has open, as far as there is too much of it."""
        for in_memory in (True, False):
            those = [
                one
                for one in self._paths.values()
                if one.in_memory == in_memory and (in_memory or one.asset_id is None)
            ]
            room = ROOM if in_memory else 1 << 62
            closed = sorted((one for one in those if not one.opens), key=lambda one: one.since)
            count, size = len(those), sum(one.size for one in those)
            for one in closed[:-1]:
                if count <= MOST and size <= room:
                    break
                count, size = count - 1, size - one.size
                self.drop(one)

    def let_go(self) -> None:
        """Let uploads be assets like others once they have settled. To be called every moment."""
        if not self._paths and not self._dropped:
            return
        now = time.monotonic()
        with self._lock:
            for loose in list(self._paths.values()):
                if not loose.opens and now - loose.since > _lasts_s(loose):
                    self.drop(loose)
            while self._dropped and now - self._dropped[0][0] > 1.0:
                os.close(self._dropped.pop(0)[1])

    def close(self) -> None:
        """Let go of everything."""
        for loose in list(self._paths.values()):
            self.drop(loose)
        for _, descriptor in self._dropped:
            os.close(descriptor)
        self._dropped.clear()
        for lock in self._locks.values():
            os.close(lock)
        self._locks.clear()
        if self._memory is not None:
            source, lock = self._memory
            self._memory = None
            _remove(os.fsdecode(source.root))
            os.close(lock)

    def _in_memory(self) -> Source:
        with self._lock:
            if self._memory is None:
                import tempfile  # litter is rare: 2 ms of every start

                _sweep()
                root = tempfile.mkdtemp(prefix=PREFIX, dir=SHM)
                os.chmod(root, 0o711)
                lock = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._memory = (
                    Source(id=MEMORY, name="memory", root=os.fsencode(root), writable=True),
                    lock,
                )
            return self._memory[0]


def _lasts_s(loose: Loose) -> float:
    """How long it stays after its last close."""
    if loose.accompanies and staging.waits(loose.path):
        return WAITS_S
    return SETTLED_S if loose.asset_id is not None or loose.refused or loose.accompanies else inf


def _nobody(loose: Loose, before: bytes) -> None:
    pass


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Remove what killed mounts have left in memory."""
    for folder in SHM.glob(f"{PREFIX}*"):
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(str(folder))
            finally:
                os.close(lock)
