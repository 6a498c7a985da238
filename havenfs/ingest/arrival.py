"""Arrivals: what was just written, renamed or deleted by somebody whom we served, in the catalog before they are told.

Not a scan: one path each, so that what is closed stands in the views the next moment. Looks at the first bytes and hashes;
decodes nothing, parses nothing (an office document is a zip, so the indexer opens it). What is never shown costs no
transaction: hidden names, unknown types. Files larger than HASHED are handed to the indexer, durably.

Threading: any thread, each with its own connection; blocks on the disk and on other writers of the catalog. Of two at
once about one path, the one that looked at the disk first does not commit over the other, and each looks again after its
commit: the last one sees what is there. Raises SourceGone when the disk does not answer, and what the catalog raises: then
nothing is half recorded, and the scan that follows finds out.
"""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from havenfs.bounded import Bounded
from havenfs.catalog import contents, files, jobs
from havenfs.entities import FileState, Identity
from havenfs.errors import Unreadable
from havenfs.extract import identify, magic, promised
from havenfs.ingest import identity as identities, walk
from havenfs.ingest.scan import equal
from havenfs.originals import presence

if TYPE_CHECKING:
    from havenfs.catalog import Catalog
    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.files import Seen
    from havenfs.entities import AssetId, File, Source, SourceId

HASHED: Final = 64 << 20
"""Bytes: every photo. Hashing them takes 14 ms here (4.6 GB/s), 0.1 s on the slow core of a NAS; writing them took
longer."""
RACY_NS: Final = 20_000_000
"""A file's clock ticks every 1 to 10 ms: two writes of one size within a tick leave the same times behind."""
LOOKS: Final = 4
"""How often to look again while somebody keeps writing; the next close is another arrival."""
REMEMBERED: Final = 1024  # paths, to keep the order of what is done to one of them at once


class Arrivals:
    """What to call after each change, before whoever made it is told. Each answers whether the catalog was changed.
    Paths are relative to their sources."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._order = _Order()

    def written(self, source: Source, path: bytes) -> bool:
        """The file at *path* is new, was written to, or has got this name."""
        if walk.passed_over(path):
            return False
        changed = False
        for _ in range(LOOKS):
            look = self._order.look()
            seen = walk.see(source.root, path)
            if seen is None:
                # Whoever deleted it says so, and a disk that went away deletes nothing; but what was recorded just
                # now may have been too late for them.
                if changed and not presence.empty(source.root):
                    self._forget(source, path, look, directory=False)
                break
            if not self._learn(source, seen, look, again=changed):
                break
            changed = True
        return changed

    def placed(
        self, db: Connection, source: Source, path: bytes, found: Identity
    ) -> AssetId | None:
        """A file of this identity has just got the name *path*; in the caller's transaction. Its asset; None when something
        else stands there by now."""
        look = self._order.look()
        seen = walk.see(source.root, path)
        if seen is None or not self._order.newest((source.id, path), look):
            return None
        _settle(db, source, seen, found)
        file = files.by_path(db, source.id, path)
        return file.asset_id if file is not None else None

    def removed(self, source: Source, path: bytes, *, directory: bool) -> bool:
        """The name *path* was deleted."""
        return not walk.passed_over(path) and self._left(source, path, directory=directory)

    def renamed(
        self, source: Source, path: bytes, to: Source, new_path: bytes, *, directory: bool
    ) -> bool:
        """What stood at *path* stands at *new_path* now, in place of whatever was there.

        Out of a hidden directory, a directory is new: the indexer, who watches, walks it.
        """
        hidden = walk.passed_over(path)
        if walk.passed_over(new_path):
            return not hidden and self._left(source, path, directory=directory)
        if directory:
            return not hidden and self._move_directory(source, path, to, new_path)
        moved = not hidden and self._move_file(source, path, to, new_path)
        return self.written(to, new_path) or moved

    def exchanged(self, source: Source, path: bytes, to: Source, new_path: bytes) -> bool:
        """The two names, of files or directories, have swapped what they stand for."""
        hidden = walk.passed_over(path), walk.passed_over(new_path)
        if hidden == (False, False):
            known = self._stands(source, path, to, new_path)
            if not known and not self._stands(to, new_path, source, path):
                self._catalog.write(_swap, source, path, to, new_path)
        elif hidden != (True, True):
            self._catalog.write(_remove, *((to, new_path) if hidden[0] else (source, path)))
        first = self.written(source, path)
        return self.written(to, new_path) or first or hidden != (True, True)

    def _stands(self, source: Source, path: bytes, to: Source, new_path: bytes) -> bool:
        """Whether what is known at a path, or below it, is there, and not at the other one: a scan has been quicker, or somebody
        who was killed while he told of it, and is followed by one who tells again."""
        file = self._catalog.read(files.first, source.id, path)
        if file is None:
            return False
        here = walk.see(source.root, file.path)
        there = walk.see(to.root, new_path + file.path[len(path) :])
        return _is(file, here) and not _is(file, there)

    # --- one file -------------------------------------------------------------------------------------------

    def _learn(self, source: Source, seen: Seen, look: _Look, *, again: bool) -> bool:
        """Make the row of a path say what was seen there. Whether anything had to be written."""
        file = self._catalog.read(files.by_path, source.id, seen.path)
        same = file is not None and equal(file, seen)
        found: Identity | _Twin | None = None
        if file is not None and same and file.state is not FileState.NEW:
            racy = self._order.racy((source.id, seen.path), seen.mtime_ns)
            if again or file.hash is None or not racy:
                return False
        elif seen.state is not FileState.NEW:  # empty, or no regular file
            return file is not None and not same and self._write(source, seen, look, None)
        else:
            found = self._catalog.read(_twin, seen)
        found = found or _identified(source, seen)
        if found is None and same:
            return False
        shown = file is not None and file.asset_id is not None
        if isinstance(found, Identity) and found.kind is None and not shown:
            return False  # neither before nor now: databases, caches, what programs keep
        return self._write(source, seen, look, found)

    def _write(
        self, source: Source, seen: Seen, look: _Look, found: Identity | _Twin | None
    ) -> bool:
        return self._catalog.write(self._record, source, seen, look, found)

    def _record(
        self,
        db: Connection,
        source: Source,
        seen: Seen,
        look: _Look,
        found: Identity | _Twin | None,
    ) -> bool:
        """In one transaction. True also when another look was later: then this path must be looked at again."""
        if not self._order.newest((source.id, seen.path), look):
            return True
        match found:
            case Identity():
                return _settle(db, source, seen, found)
            case _Twin():
                return _link(db, source, seen, found)
            case None:
                return _change(db, source, seen)

    # --- names ----------------------------------------------------------------------------------------------

    def _left(self, source: Source, path: bytes, *, directory: bool) -> bool:
        """Nothing stands at *path* any more, unless somebody has put another thing there already."""
        look = self._order.look()
        gone = walk.see(source.root, path) is None
        gone = gone and self._forget(source, path, look, directory=directory)
        return self.written(source, path) or gone

    def _forget(self, source: Source, path: bytes, look: _Look, *, directory: bool) -> bool:
        known = files.anything if directory else files.by_path
        if not self._catalog.read(known, source.id, path):
            return False

        def forget(db: Connection) -> bool:
            return self._order.newest((source.id, path), look) and _remove(
                db, source, path, directory=directory
            )

        return self._catalog.write(forget)

    def _move_file(self, source: Source, path: bytes, to: Source, new_path: bytes) -> bool:
        file = self._catalog.read(files.by_path, source.id, path)
        if file is None:
            return False
        seen = walk.see(to.root, new_path)
        same = seen is not None and (seen.device, seen.inode) == (file.device, file.inode)
        moved = same and self._catalog.write(_move, file, to, new_path)
        # If it was not the file that was known, the new name is read as any other, and the old one is gone.
        return self._left(source, path, directory=False) or moved

    def _move_directory(self, source: Source, path: bytes, to: Source, new_path: bytes) -> bool:
        if not self._catalog.read(files.anything, source.id, path) and not self._catalog.read(
            files.anything, to.id, new_path
        ):
            return False
        return self._catalog.write(_move_below, source, path, to, new_path)


class _Order:
    """Which look at the disk was the last that got into the catalog, of each path lately written."""

    def __init__(self) -> None:
        self._count = itertools.count(1)
        self._last: Bounded[_Path, _Look] = Bounded(REMEMBERED)

    def look(self) -> _Look:
        """A look that begins now: its number, and when that is by the clock of files."""
        return next(self._count), time.time_ns()

    def racy(self, path: _Path, mtime_ns: int) -> bool:
        """Whether it was looked at so soon after that time that another write may have left the same."""
        _, when = self._last.get(path, (0, mtime_ns + 2 * RACY_NS))
        return abs(when - mtime_ns) <= RACY_NS

    def newest(self, path: _Path, look: _Look) -> bool:
        """Whether no later look has been recorded; then this one is. Within a write transaction, so one at a time."""
        last = self._last.get(path, (0, 0))
        self._last[path] = max(last, look)
        return look >= last


_Look = tuple[int, int]
_Path = tuple["SourceId", bytes]


@dataclass(frozen=True, slots=True)
class _Twin:
    """Another name of the same file, which is known: a hard link need not be read."""

    hash: bytes
    asset_id: AssetId


def _identified(source: Source, seen: Seen) -> Identity | None:
    """What the file is; without a hash if it is none of ours. None: it is for the indexer to say, because it is large,
    a zip, damaged, or still being written."""
    with walk.opened(source.root, seen.path) as (descriptor, now):
        if not _one(now, seen):
            return None
        extension = identify.extension(seen.path)
        mime = magic.sniff(os.pread(descriptor, magic.HEAD, 0), None, extension)
        kind = magic.kind(mime)
        if mime == magic.ZIP or promised.broken(seen.path, mime) is not None:
            return None
        if kind is not None and seen.size > HASHED:
            return None
        if kind is None:
            return Identity(hash=b"", size=seen.size, mime=mime, kind=None)
        try:
            digest, size, head = identify.digested(descriptor)
        except Unreadable:
            return None
    mime = magic.sniff(head, None, extension)
    return Identity(hash=digest, size=size, mime=mime, kind=magic.kind(mime))


def _one(a: Seen, b: Seen) -> bool:
    return (a.device, a.inode, a.size, a.mtime_ns) == (b.device, b.inode, b.size, b.mtime_ns)


def _change(db: Connection, source: Source, seen: Seen) -> bool:
    """Another file, or another state of it, stands there; the asset stays shown until that is known."""
    file = files.by_path(db, source.id, seen.path)
    if file is None:
        files.add(db, source.id, [seen])
    elif not equal(file, seen):
        files.change(db, file.id, seen)
    else:
        return False
    return True


def _settle(db: Connection, source: Source, seen: Seen, found: Identity) -> bool:
    file = files.by_path(db, source.id, seen.path)
    if file is not None and equal(file, seen) and file.hash == found.hash:
        return False  # written once more, the same
    if file is None:
        files.add(db, source.id, [seen])
    elif not equal(file, seen) or file.state is not FileState.NEW:
        files.change(db, file.id, seen)
    file = files.by_path(db, source.id, seen.path)
    assert file is not None, "it was inserted in this transaction"
    asset_id = identities.settle(db, file, found)
    if asset_id is not None:
        jobs.hasten(db, asset_id)
    return True


def _twin(db: Connection, seen: Seen) -> _Twin | None:
    for file in files.twins(db, seen):
        if file.path != seen.path and file.hash is not None and file.asset_id is not None:
            return _Twin(file.hash, file.asset_id)
    return None


def _link(db: Connection, source: Source, seen: Seen, twin: _Twin) -> bool:
    if _twin(db, seen) != twin:
        return True  # it changed meanwhile: look again
    _change(db, source, seen)
    file = files.by_path(db, source.id, seen.path)
    assert file is not None, "it was inserted in this transaction"
    if file.asset_id != twin.asset_id:
        files.part(db, file.id)
    contents.attach(db, twin.asset_id, file, twin.hash)
    return True


def _is(file: File, seen: Seen | None) -> bool:
    return seen is not None and (file.device, file.inode) == (seen.device, seen.inode)


def _remove(db: Connection, source: Source, path: bytes, *, directory: bool = True) -> bool:
    """Forget what is known at *path*, and below it."""
    file = files.by_path(db, source.id, path)
    gone = [(file.id, file.path)] if file is not None else []
    if directory:
        gone += files.below(db, source.id, path)
    return files.remove(db, gone) > 0


def _move(db: Connection, asked: File, to: Source, new_path: bytes) -> bool:
    file = files.get(db, asked.id)
    if file is None or not identities.same(file, asked):
        return False
    target = files.by_path(db, to.id, new_path)
    saved = (
        target is not None
        and file.state is FileState.KNOWN
        and contents.supersede(db, target, file)
    )
    if target is not None:
        files.remove(db, [(target.id, target.path)])
    files.move(db, file.id, to.id, new_path)
    if not saved:
        contents.reread_dates(db, file, moved=True)
    asset_id = target.asset_id if target is not None and saved else file.asset_id
    if asset_id is not None:
        jobs.hasten(db, asset_id)
    return True


def _move_below(db: Connection, source: Source, path: bytes, to: Source, new_path: bytes) -> bool:
    # A directory can only take the place of an empty one: rows below it are of what was deleted unseen.
    _remove(db, to, new_path)
    own = files.by_path(db, source.id, path)  # it could not be listed once
    if own is not None:
        files.move(db, own.id, to.id, new_path)
    files.move_below(db, source.id, path, to.id, new_path)
    contents.reread_dates_below(db, to.id, new_path)
    return True


def _swap(db: Connection, source: Source, path: bytes, to: Source, new_path: bytes) -> None:
    aside = path + b"\0aside"  # no path on disk has a NUL
    for here, old, there, new in (
        (source, path, source, aside),
        (to, new_path, source, path),
        (source, aside, to, new_path),
    ):
        own = files.by_path(db, here.id, old)
        if own is not None:
            files.move(db, own.id, there.id, new)
            contents.reread_dates(db, own, moved=True)
        files.move_below(db, here.id, old, there.id, new)
        contents.reread_dates_below(db, there.id, new)
