"""The trash: a removed original moves into a hidden folder of its source, and a decision says so.

The bytes are where `havenfs.trash.folder` put them, the rows of `trashed` say who moved what from where. Why no kill loses a
file, or leaves it in two places:

1. A file is moved by a rename within its disk, which is done or not; nothing is copied. It is at its place or in the trash.
2. **Bytes move first, then the decision is committed and journaled, then the caller is answered.** That is so for removing,
   restoring, purging and taking back. All of it is done under a lock of the source, which the kernel lets go of when its
   holder is killed.
3. Under that lock, whoever removes notes first under which uid. A kill in between leaves the note, and whoever comes next moves
   back what has no row: nothing has happened. The row of a file in the catalog goes in the transaction that decides.
4. What else a kill leaves is one of two things, and `reconcile` mends both, under the same lock:
   - *a file in the trash without a row*. Its row was lost with catalog and journal, or it was being taken back that it was
     restored. The row is made again, from the path that it lies below.
   - *a row without a file*. It was being restored, purged or taken back, and is not in the trash any more. The row goes.
     Nobody can be answered for a file that is not there; if its disk was away, it is a file without a row when that comes back.
5. Whoever decides nothing, because the catalog cannot be written, moves the file back before he is refused.

After a power cut the disk may have forgotten the last rename, or the catalog's file the row: it is one of the same two.

`recover` runs when a mount starts and looks only where somebody was killed; `reconcile` when a program first touches the trash
of a source, and in the indexer when it starts and once a day. Neither deletes a file: at worst one stays in the trash a day longer.

Any thread, any number of programs. May wait for the disk, and for who else moves something in or out of that source's trash.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from havenfs.catalog import files, sources, trashed
from havenfs.errors import HavenError, NotFound, NotJournaled, ReadOnly, Unreadable
from havenfs.trash import folder

from . import values
from .follow import Lock, killed_amid, locked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Sequence
    from contextlib import AbstractContextManager

    from havenfs.catalog import Catalog
    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.trashed import Trashed
    from havenfs.entities import Source

    from .keeper import Keeper

    Rights = AbstractContextManager[None]

log = logging.getLogger(__name__)

NOBODY = "havenfs"
"""Who decides what nobody did: a purge after so many days, a row that is made again."""
DAY_S = 86_400
MAKING_ROOM_S = 60.0
MOST = 50  # files purged beside one removal
HASHED = 64 << 20
"""Bytes up to which a file is hashed while somebody waits: 14 ms here, 0.1 s on a slow core."""


class Bin:
    """The trash of every source. Decides through a Keeper."""

    def __init__(self, catalog: Catalog, keeper: Keeper) -> None:
        self._catalog = catalog
        self._keeper = keeper
        self.heard: Callable[[Source, bytes], object] = _nobody
        """Told of each original that was moved back after a kill: a scan may have missed it meanwhile."""
        self._reconciled: set[int] = set()
        self._expired = -MAKING_ROOM_S
        """When it was last looked for what is old, by the monotonic clock."""

    # --- in -------------------------------------------------------------------------------------------------

    def take(
        self, source: Source, path: bytes, content: bytes | None, rights: Rights, *, by: str
    ) -> None:
        """Move a file to the trash. *content*: its hash; None: it is read.

        Raises what unlink(2) raises of *path*, ReadOnly, NotJournaled (and then it is in the trash).
        """
        with self._touching(source) as lock:
            uid = values.new_uid()
            lock.note(uid)
            lies = folder.take(source, path, uid, rights)
            with _or_back(source, [(lies, path)]):
                found = content or _digest(source, lies, HASHED) or bytes(32)
                gone = partial(_forget, originals=[(source, path)])
                self._keeper.decide(_said(uid, found, source, path, by), by=by, first=gone)

    def discard(
        self,
        originals: Sequence[tuple[Source, bytes]],
        content: bytes,
        into: bytes,
        rights: Rights,
        *,
        by: str,
    ) -> None:
        """Move all files of a copy to the trash, and say of *into* what was said of it. Raises as `take`."""
        with ExitStack() as stack:
            locks = {
                source.id: stack.enter_context(self._touching(source))
                for source in sorted(
                    {source.id: source for source, _ in originals}.values(), key=_id
                )
            }
            said: list[values.Trash] = []
            for source, path in originals:
                uid = values.new_uid()
                locks[source.id].note(uid)
                lies = folder.take(source, path, uid, rights)
                stack.enter_context(_or_back(source, [(lies, path)]))
                said.append(_said(uid, content, source, path, by))
            decision = values.DiscardCopy(content=content, into=into, files=tuple(said))
            self._keeper.decide(decision, by=by, first=partial(_forget, originals=originals))

    # --- out ------------------------------------------------------------------------------------------------

    def restore(
        self, source: Source, uid: str, move: Callable[[bytes], object], *, by: str
    ) -> None:
        """Let *move* take the file from where it lies to where somebody wants it. Raises NotFound and what it raises."""
        with self._touching(source):
            row = self._catalog.read(trashed.get, uid)
            lies = folder.find(source, uid, row.path)
            if lies is None:
                raise NotFound(uid)
            move(lies)
            folder.clear(source, lies)
            self._note(source, values.LeaveTrash(uid=uid), by)

    def purge(self, rows: Iterable[Trashed], *, by: str) -> int:
        """Delete these for good, of the sources whose disks are there; returns how many that were."""
        known = {source.name: source for source in self._catalog.read(sources.present)}
        gone = 0
        by_source: dict[str, list[Trashed]] = {}
        for row in rows:
            by_source.setdefault(row.source, []).append(row)
        for name, those in by_source.items():
            source = known.get(name)
            if source is None:
                continue
            with self._touching(source):
                for row in those:
                    lies = folder.find(source, row.uid, row.path)
                    if lies is not None:
                        folder.purge(source, lies)
                uids = tuple(row.uid for row in those)
                self._note(source, values.EmptyTrash(uids=uids), by)
                gone += len(uids)
        return gone

    def expire(self, *, most: int | None = None) -> int:
        """Purge what has lain here for as long as the owner wants, at most so many, the oldest first; returns how many."""
        days = self._catalog.read(trashed.keep_days)
        if not days:
            return 0
        before_ms = int((time.time() - days * DAY_S) * 1000)
        old = self._catalog.read(trashed.between, 0, before_ms)[:most]
        gone = self.purge(old, by=NOBODY) if old else 0
        if gone:
            log.info("deleted %d files for good, after %d days in the trash", gone, days)
        return gone

    def make_room(self) -> None:
        """A little of the same beside a removal, once a minute: where the indexer may not write to originals, as under
        systemd, nobody else does it. Never raises."""
        if time.monotonic() < self._expired + MAKING_ROOM_S:
            return
        self._expired = time.monotonic()
        try:
            self.expire(most=MOST)
        except (HavenError, OSError) as error:
            log.warning("the trash was not emptied of what is old: %s", error)

    def _note(
        self, source: Source, decision: values.LeaveTrash | values.EmptyTrash, by: str
    ) -> None:
        """Say what has happened to bytes already. A catalog that cannot be written now hears of it from `reconcile`."""
        try:
            self._keeper.decide(decision, by=by)
        except ReadOnly as error:
            self._reconciled.discard(source.id)
            log.warning("the trash of %s is behind: %s", source.name, error)

    # --- agreeing -------------------------------------------------------------------------------------------

    def reconcile(self, source: Source, *, largest: int = HASHED) -> tuple[int, int]:
        """Let the rows say what lies in the trash of *source*; returns how many came and how many went.

        A file without a row that has more than *largest* bytes, and so takes long to hash, is left for another time.
        Raises SourceGone, ReadOnly, NotJournaled.
        """
        with locked(self._catalog, source, self._mend):
            return self._reconcile(source, largest)

    def recover(self) -> None:
        """Mend what kills have left, of each source whose disk is there. Never raises."""
        for source in self._catalog.read(sources.present):
            if source.writable and killed_amid(self._catalog, source):
                try:
                    self.reconcile(source)
                except (HavenError, OSError) as error:
                    log.warning("the trash of %s was not looked through: %s", source.name, error)

    def _mend(self, source: Source, uids: Collection[str]) -> None:
        """Move back what was being moved in, and not decided about, when somebody was killed."""
        self._reconciled.discard(source.id)
        rows = {row.uid for row in self._catalog.read(trashed.of_source, source.name)}
        wanted = set(uids) - rows
        for lying in folder.listing(source) if wanted else ():
            if lying.uid in wanted and lying.path is not None:
                self.heard(source, folder.give_back(source, lying.lies, lying.path))

    def _reconcile(self, source: Source, largest: int) -> tuple[int, int]:
        rows = {row.uid: row for row in self._catalog.read(trashed.of_source, source.name)}
        found = [
            lying for top in _tops(source, rows.values()) for lying in folder.listing(source, top)
        ]
        came = 0
        for lying in found:
            if lying.path is None:
                folder.clear(source, lying.lies + b"/-")
            elif lying.uid not in rows and (content := _digest(source, lying.lies, largest)):
                row = _said(lying.uid, content, source, lying.path, NOBODY)
                self._keeper.decide(row, by=NOBODY)
                came += 1
        there = {lying.uid for lying in found if lying.path is not None}
        gone = tuple(
            uid
            for uid, row in rows.items()
            if uid not in there and folder.find(source, uid, row.path) is None
        )
        for uid in gone:
            self._keeper.decide(values.LeaveTrash(uid=uid), by=NOBODY)
        if came or gone:
            log.info("the trash of %s: %d found, %d gone", source.name, came, len(gone))
        return came, len(gone)

    @contextmanager
    def _touching(self, source: Source) -> Generator[Lock]:
        """The source's lock, with its trash in order."""
        with locked(self._catalog, source, self._mend) as lock:
            if source.id not in self._reconciled:
                try:
                    self._reconcile(source, HASHED)
                except (HavenError, OSError) as error:
                    log.warning("the trash of %s was not looked through: %s", source.name, error)
                self._reconciled.add(source.id)
            yield lock


@contextmanager
def _or_back(source: Source, moved: Sequence[tuple[bytes, bytes]]) -> Generator[None]:
    """Move files back to their places if what stands inside fails, unless the decision holds."""
    try:
        yield
    except NotJournaled:
        raise
    except BaseException:
        for lies, path in moved:
            folder.give_back(source, lies, path)
        raise


def _nobody(source: Source, path: bytes) -> None:
    """Nobody remembers where originals lie."""


def _forget(db: Connection, originals: Sequence[tuple[Source, bytes]]) -> None:
    """They are in the trash: no scan need find that out."""
    for source, path in originals:
        file = files.by_path(db, source.id, path)
        if file is not None:
            files.remove(db, [(file.id, path)])


def _said(uid: str, content: bytes, source: Source, path: bytes, owner: str) -> values.Trash:
    at_ms = time.time_ns() // 1_000_000
    return values.Trash(
        uid=uid, content=content, source=source.name, path=path, at_ms=at_ms, owner=owner
    )


def _digest(source: Source, lies: bytes, largest: int) -> bytes | None:
    """The hash of a file in the trash; None when it is empty, gone, unreadable or too large."""
    from havenfs.extract import identify  # what every mount need not load

    try:
        handle = os.open(source.root + b"/" + lies, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return identify.digested(handle)[0] if os.fstat(handle).st_size <= largest else None
    except (Unreadable, OSError):
        return None
    finally:
        os.close(handle)


def _tops(source: Source, rows: Iterable[Trashed]) -> list[bytes]:
    """Where trash folders of a source may be: at its top, and on the way to what is known to be in one."""
    found = {b""}
    for row in rows:
        steps = row.path.split(b"/")
        found.update(b"/".join(steps[:end]) for end in range(1, len(steps)))
    return sorted(top for top in found if not top or _there(source, top))


def _there(source: Source, top: bytes) -> bool:
    return os.path.isdir(source.root + b"/" + top + b"/" + folder.NAME)  # noqa: PTH112 -- bytes


def _id(source: Source) -> int:
    return source.id
