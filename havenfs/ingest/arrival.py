"""Arrivals: what was just written, renamed or deleted by somebody whom we served, in the catalog before they are told.

Not a scan: one path each, so that what is closed stands in the views the next moment. Looks at the first bytes and hashes;
decodes nothing, parses nothing (an office document is a zip, so the indexer opens it). What is never shown costs no
transaction: hidden names, unknown types. Files larger than HASHED are handed to the indexer, durably.

Threading: any thread, each with its own connection; blocks on the disk and on other writers of the catalog. Two at once
about one path may commit in the wrong order, so each looks at the disk again after its commit: the last one sees what
is there. Raises SourceGone when the disk does not answer, and what the catalog raises: then nothing is half recorded, and
the scan that follows finds out.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from havenfs.catalog import contents, files, jobs
from havenfs.entities import FileState, Identity
from havenfs.errors import Unreadable
from havenfs.extract import identify, magic
from havenfs.ingest import identity as identities, walk
from havenfs.ingest.scan import equal

if TYPE_CHECKING:
    from havenfs.catalog import Catalog
    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.files import Seen
    from havenfs.entities import AssetId, File, FileId, Source

HASHED: Final = 64 << 20
"""Bytes: every photo. Hashing them takes 14 ms here (4.6 GB/s), 0.1 s on the slow core of a NAS; writing them took
longer."""
RACY_NS: Final = 20_000_000
"""A file's clock ticks every 1 to 10 ms: two writes of one size within a tick leave the same times behind."""
LOOKS: Final = 4
"""How often to look again while somebody keeps writing; the next close is another arrival."""


def written(catalog: Catalog, source: Source, path: bytes) -> bool:
    """The file at *path* (relative) is new, was written to, or got another name. Whether the catalog was changed."""
    if walk.passed_over(path):
        return False
    changed = False
    for _ in range(LOOKS):
        seen = walk.see(source.root, path)
        if seen is None:
            # Whoever deleted it says so, and a disk that went away deletes nothing; but what was recorded just now may
            # have been too late for them.
            if changed and not walk.empty(source.root):
                _forget(catalog, source, path, directory=False)
            break
        if not _learn(catalog, source, seen, again=changed):
            break
        changed = True
    return changed


def removed(catalog: Catalog, source: Source, path: bytes, *, directory: bool) -> bool:
    """The name *path* was deleted. Whether the catalog was changed."""
    if walk.passed_over(path):
        return False
    return _left(catalog, source, path, directory=directory)


def renamed(
    catalog: Catalog,
    source: Source,
    path: bytes,
    new_source: Source,
    new_path: bytes,
    *,
    directory: bool,
) -> bool:
    """What stood at *path* stands at *new_path* now, in place of whatever was there. Whether the catalog was changed.

    Out of a hidden directory, a directory is new: the indexer, who watches, walks it.
    """
    hidden = walk.passed_over(path)
    if walk.passed_over(new_path):
        return False if hidden else _left(catalog, source, path, directory=directory)
    if directory:
        return not hidden and _move_directory(catalog, source, path, new_source, new_path)
    moved = not hidden and _move_file(catalog, source, path, new_source, new_path)
    return written(catalog, new_source, new_path) or moved


def exchanged(
    catalog: Catalog, source: Source, path: bytes, new_source: Source, new_path: bytes
) -> bool:
    """The two names have swapped what they stand for. Files are read again, for each is now another content at a known
    path; of directories the indexer finds out."""
    first = written(catalog, source, path)
    return written(catalog, new_source, new_path) or first


# --- one file -------------------------------------------------------------------------------------------------


def _learn(catalog: Catalog, source: Source, seen: Seen, *, again: bool) -> bool:
    """Make the row of a path say what was seen there. Whether anything had to be written."""
    file = catalog.read(files.by_path, source.id, seen.path)
    same = file is not None and equal(file, seen)
    if file is not None and same and file.state is not FileState.NEW:
        if again or file.hash is None or abs(time.time_ns() - seen.mtime_ns) > RACY_NS:
            return False
    elif seen.state is not FileState.NEW:  # empty, or no regular file
        return file is not None and not same and catalog.write(_change, source, seen)
    elif twin := catalog.read(_twin, seen):
        return catalog.write(_link, source, seen, twin)
    found = _identified(source, seen)
    if isinstance(found, Identity):
        if found.kind is None and (file is None or file.asset_id is None):
            return False  # not shown before, not shown now: databases, caches, what programs keep
        return catalog.write(_settle, source, seen, found)
    return not same and catalog.write(_change, source, seen)


def _identified(source: Source, seen: Seen) -> Identity | None:
    """What the file is; without a hash if it is none of ours. None: it is for the indexer to say, because it is large,
    a zip, or still being written."""
    with walk.opened(source.root, seen.path) as (descriptor, now):
        if not _one(now, seen):
            return None
        extension = identify.extension(seen.path)
        mime = magic.sniff(os.pread(descriptor, magic.HEAD, 0), None, extension)
        kind = magic.kind(mime)
        if mime == magic.ZIP or (kind is not None and seen.size > HASHED):
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


# --- names ----------------------------------------------------------------------------------------------------


def _twin(db: Connection, seen: Seen) -> tuple[bytes, AssetId] | None:
    """Hash and asset of another name of the same file: a hard link need not be read."""
    for file in files.twins(db, seen):
        if file.path != seen.path and file.hash is not None and file.asset_id is not None:
            return file.hash, file.asset_id
    return None


def _link(db: Connection, source: Source, seen: Seen, twin: tuple[bytes, AssetId]) -> bool:
    content, asset_id = twin
    if _twin(db, seen) != twin:
        return True  # it changed meanwhile: look again
    _change(db, source, seen)
    file = files.by_path(db, source.id, seen.path)
    assert file is not None, "it was inserted in this transaction"
    if file.asset_id != asset_id:
        files.part(db, file.id)
    contents.attach(db, asset_id, file, content)
    return True


def _left(catalog: Catalog, source: Source, path: bytes, *, directory: bool) -> bool:
    """Nothing stands at *path* any more, unless somebody has put another thing there already."""
    gone = walk.see(source.root, path) is None
    gone = gone and _forget(catalog, source, path, directory=directory)
    return written(catalog, source, path) or gone


def _forget(catalog: Catalog, source: Source, path: bytes, *, directory: bool) -> bool:
    gone = catalog.read(_rows, source, path, directory=directory)
    return bool(gone) and catalog.write(files.remove, gone) > 0


def _rows(
    db: Connection, source: Source, path: bytes, *, directory: bool
) -> list[tuple[FileId, bytes]]:
    """Ids and paths of what is known at *path*, and below it."""
    file = files.by_path(db, source.id, path)
    found = [(file.id, file.path)] if file is not None else []
    return found + files.below(db, source.id, path) if directory else found


def _move_file(
    catalog: Catalog, source: Source, path: bytes, new_source: Source, new_path: bytes
) -> bool:
    file = catalog.read(files.by_path, source.id, path)
    if file is None:
        return False
    seen = walk.see(new_source.root, new_path)
    same = seen is not None and (seen.device, seen.inode) == (file.device, file.inode)
    moved = same and catalog.write(_move, file, new_source, new_path)
    # If it was not the file that was known, the new name is read as any other, and the old one is gone.
    return _left(catalog, source, path, directory=False) or moved


def _move(db: Connection, asked: File, new_source: Source, new_path: bytes) -> bool:
    file = files.get(db, asked.id)
    if file is None or not identities.same(file, asked):
        return False
    target = files.by_path(db, new_source.id, new_path)
    if target is not None:
        saved = file.state is FileState.KNOWN and contents.supersede(db, target, file)
        files.remove(db, [(target.id, target.path)])
        if saved and target.asset_id is not None:
            files.move(db, file.id, new_source.id, new_path)
            jobs.hasten(db, target.asset_id)
            return True
    files.move(db, file.id, new_source.id, new_path)
    contents.reread_dates(db, file, moved=True)
    if file.asset_id is not None:
        jobs.hasten(db, file.asset_id)
    return True


def _move_directory(
    catalog: Catalog, source: Source, path: bytes, new_source: Source, new_path: bytes
) -> bool:
    if not catalog.read(files.anything, source.id, path) and not catalog.read(
        files.anything, new_source.id, new_path
    ):
        return False
    return catalog.write(_move_below, source, path, new_source, new_path)


def _move_below(
    db: Connection, source: Source, path: bytes, new_source: Source, new_path: bytes
) -> bool:
    # A directory can only take the place of an empty one: rows below it are of what was deleted unseen.
    files.remove(db, _rows(db, new_source, new_path, directory=True))
    own = files.by_path(db, source.id, path)  # it could not be listed once
    if own is not None:
        files.move(db, own.id, new_source.id, new_path)
    files.move_below(db, source.id, path, new_source.id, new_path)
    contents.reread_dates_below(db, new_source.id, new_path)
    return True
