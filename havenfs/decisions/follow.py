"""What has to follow when rows are decided or taken back: files into and out of the trash, and groups of copies.

Rows are taken back by `undo`, which knows nothing of files. In the same transaction, before it commits, files are moved to
where the rows say (`bin` argues for that order); if one of them cannot be, it is a Conflict and nothing has happened. Only
taking back does that: who removes, restores or purges moves the file himself, with his own rights.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from havenfs.catalog import contents, decided, duplicates, files, sources, trashed
from havenfs.errors import Conflict, NotFound
from havenfs.trash import folder

from . import values

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable
    from pathlib import Path

    from havenfs.catalog import Catalog
    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.decided import Operation
    from havenfs.catalog.given import Change
    from havenfs.entities import Source


class _Move(Struct, frozen=True):
    source: Source
    uid: str
    path: bytes
    """The file's own, out of the trash."""
    lies: bytes | None
    """Where it is in the trash, to be moved out; None: it is in the library, to be moved in."""
    held: bytes = b""
    """Where it is in the library."""


class Lock:
    """Held by whoever moves something into or out of the trash of a source. While it is, its file is not empty: so a kill amid
    that can be told from an end."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def note(self, uid: str) -> None:
        """Something is about to be moved in under this uid."""
        os.write(self._handle, uid.encode() + b"\n")

    def begin(self) -> list[str]:
        """The uids that the holder before was killed with, perhaps before it could decide about them; empty strings too."""
        left = os.pread(self._handle, 1 << 20, 0).decode(errors="replace").splitlines()
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        self.note("")
        return left

    def end(self) -> None:
        """Everything is as decided."""
        os.ftruncate(self._handle, 0)


def killed_amid(catalog: Catalog, source: Source) -> bool:
    """Whether somebody moves something into or out of the trash of *source*, or was killed while he did."""
    try:
        return _lock(catalog, source).stat().st_size > 0
    except FileNotFoundError:
        return False


@contextmanager
def locked(
    catalog: Catalog,
    source: Source,
    mend: Callable[[Source, Collection[str]], object] | None = None,
) -> Generator[Lock]:
    """Be the only one, of all threads and programs, who moves something into or out of the trash of *source*. Where a holder
    was killed, *mend* is called first, with the uids that it was about to move in; without it, that is left to the next."""
    handle = os.open(_lock(catalog, source), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        lock = Lock(handle)
        left = lock.begin()
        if left and mend is not None:
            mend(source, [uid for uid in left if uid])
            left = []
        for uid in left:
            lock.note(uid)
        try:
            yield lock
        finally:
            if not left:
                lock.end()
    finally:
        os.close(handle)


def _lock(catalog: Catalog, source: Source) -> Path:
    return catalog.path.with_name(f"trash-{source.id}.lock")


@contextmanager
def ready(catalog: Catalog, operation_id: str) -> Generator[None]:
    """Hold the trash of each source that taking an operation back will touch, its disk awake: before the transaction, or
    everybody who writes would wait for the disk. Raises Conflict when one is away."""
    with ExitStack() as stack:
        for source in catalog.read(_touched, operation_id):
            stack.enter_context(locked(catalog, source))
            folder.listing(source)
        yield


def took_back(db: Connection, done: Operation) -> list[tuple[Source, bytes]]:
    """Let files be where the rows say that *done*, an operation that took another one back, has left. Returns those that
    are in the library again. Raises Conflict, and then none has moved."""
    moves = [_move(db, done, change) for change in done.changes if change.table == "trashed"]
    back: list[tuple[Source, bytes]] = []
    for move in moves:
        if move.lies is not None:
            back.append((move.source, folder.give_back(move.source, move.lies, move.path)))
            continue
        folder.take(move.source, move.held, move.uid, nullcontext(), called=move.path)
        file = files.by_path(db, move.source.id, move.held)
        if file is not None:
            files.remove(db, [(file.id, file.path)])
    return back


def regrouped(db: Connection, changes: Iterable[Change]) -> None:
    """Let groups of copies be as people have said."""
    hashes = {cell for change in changes if change.table == "not_duplicate" for cell in change.key}
    found = (contents.find(db, bytes.fromhex(str(cell))) for cell in sorted(hashes, key=str))
    mates = {
        mate
        for asset_id in found
        if asset_id is not None
        for mate in (asset_id, *duplicates.group_of(db, asset_id))
    }
    for asset_id in sorted(mates):
        duplicates.leave(db, asset_id)
    for asset_id in sorted(mates):
        duplicates.settle(db, asset_id)


def _touched(db: Connection, operation_id: str) -> list[Source]:
    found = decided.starting(db, operation_id) if operation_id else []
    if len(found) != 1:
        return []  # whoever takes it back says so
    names = {
        str(row[1])
        for change in found[0].changes
        if change.table == "trashed"
        for row in (change.before, change.after)
        if row is not None
    }
    return sorted((_source(db, name) for name in names), key=lambda source: source.id)


def _source(db: Connection, name: str) -> Source:
    try:
        return sources.by_name(db, name)
    except NotFound:
        raise Conflict(f"the disk of {name} is not there") from None


def _move(db: Connection, done: Operation, change: Change) -> _Move:
    row = change.before or change.after
    assert row is not None, "a change has a row before or after it"
    content, source_name, quoted = (str(cell) for cell in row[:3])
    source, path, uid = _source(db, source_name), unquote_to_bytes(quoted), str(change.key[0])
    lies = folder.find(source, uid, path)
    if change.after is None:
        if lies is None:
            raise Conflict(f"cannot bring back {os.fsdecode(path)}: it was deleted for good")
        return _Move(source, uid, path, lies)
    if _purged(db, done):
        raise Conflict("what was deleted for good cannot be brought back")
    held = _held(db, source, content, path)
    if held is None:
        raise Conflict(f"cannot move {os.fsdecode(path)} to the trash again: it is not there")
    return _Move(source, uid, path, None, held)


def _held(db: Connection, source: Source, content: str, path: bytes) -> bytes | None:
    """Where the file is now that was restored from the trash: at its old place, else at the only one with its content."""
    paths = trashed.holding(db, source.id, content)
    if path in paths:
        return path
    return paths[0] if len(paths) == 1 else None


def _purged(db: Connection, done: Operation) -> bool:
    found = decided.starting(db, done.reverts) if done.reverts else []
    return bool(found) and found[0].kind == values.EmptyTrash.__name__
