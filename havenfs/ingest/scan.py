"""A scan: what is on disk against what the catalog knows. New, changed, moved, gone; nothing is opened or hashed.

Blocks on the disk, so a service runs it in a thread. Writes in batches, and nothing at all when nothing changed.
Deletions come last, and only when the whole of what was asked for could be looked at and the root is really there.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from havenfs.catalog import contents, files, sources
from havenfs.entities import FileState
from havenfs.ingest import walk
from havenfs.originals import presence

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.catalog import Catalog
    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.files import Children, Seen
    from havenfs.entities import File, FileId, Source

log = logging.getLogger(__name__)

BATCH = 500  # changes a transaction: 20-40 ms, so that people's writes never wait noticeably


@dataclass(slots=True, kw_only=True)
class Report:
    """What a scan found."""

    present: bool = True
    """False: the disk is away, or another one is in its place; everything known stays as it was, hidden."""
    seen: int = 0
    new: int = 0
    changed: int = 0
    moved: int = 0
    gone: int = 0
    unlisted: int = 0
    """Directories that could not be read; what is known below them stays."""

    @property
    def news(self) -> bool:
        """Whether the catalog was changed."""
        return bool(self.new or self.changed or self.moved or self.gone)


@dataclass(slots=True)
class _Scan:
    """One scan under way."""

    catalog: Catalog
    source: Source
    report: Report = field(default_factory=Report)
    fresh: list[Seen] = field(default_factory=list["Seen"])
    """Entries whose path has no row."""
    other: list[tuple[File, Seen]] = field(default_factory=list["tuple[File, Seen]"])
    """Entries that differ from their row."""
    gone: list[tuple[FileId, bytes]] = field(default_factory=list["tuple[FileId, bytes]"])


def scan(
    catalog: Catalog,
    source: Source,
    directory: bytes = b"",
    *,
    deep: bool = True,
    stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Bring the catalog up to date with *directory* of *source* (relative; b"" is all of it).

    Not *deep*: only the directory itself, and subdirectories of which nothing is known yet. *stop* is asked before
    each directory; a stopped scan records no deletions.
    """
    run = _Scan(catalog, source)
    mark = presence.look(source.root)
    if not _present(run):
        return run.report
    stack = [directory]
    while stack:
        if stop():
            _flush(run)
            return run.report
        here = stack.pop()
        known = catalog.read(files.children, source.id, here)
        try:
            found = walk.listing(source.root, here)
        except (FileNotFoundError, NotADirectoryError):
            run.gone += catalog.read(files.below, source.id, here)
            continue
        except OSError as error:
            if here:
                _unlisted(run, here, walk.unlisted(here, error))
                continue
            log.warning("source %s cannot be listed: %s", source.name, error.strerror)
            catalog.write(sources.set_present, source.id, False)  # noqa: FBT003
            run.report.present = False
            return run.report
        _compare(run, known, found)
        stack += reversed(
            [d for d in found.directories if deep or d not in known.directories]
        )  # reversed: in order, so that a log of a long scan tells how far it is
        if len(run.fresh) + len(run.other) >= BATCH:
            _flush(run)
    _flush(run)
    if presence.look(source.root) != mark or not _present(run):
        log.warning("source %s went away during the scan; nothing is taken as deleted", source.name)
        return run.report
    _delete(run)
    if deep and not directory:
        catalog.write(sources.scanned, source.id)
    return run.report


def _present(run: _Scan) -> bool:
    """Whether the disk is there, recorded, and what it is known by."""
    source = run.source
    found = presence.recognise(run.catalog, source)
    there = found is not None
    if found is not None and found != run.catalog.read(sources.mark, source.id):
        run.catalog.write(sources.set_mark, source.id, found)
    if run.catalog.read(sources.is_present, source.id) != there:
        if there:
            log.info("source %s is there", source.name)
        else:
            log.warning(
                "source %s is away: %s is not there, or nothing of what was known is in it",
                *(source.name, os.fsdecode(source.root)),
            )
        run.catalog.write(sources.set_present, source.id, there)
    run.report.present = there
    return there


def _compare(run: _Scan, known: Children, found: walk.Listing) -> None:
    run.report.seen += len(found.entries)
    present = {seen.path for seen in found.entries}
    for seen in found.entries:
        file = known.files.get(seen.path)
        if file is None:
            run.fresh.append(seen)
        elif not equal(file, seen):
            run.other.append((file, seen))
    # A directory has no row unless it could not be listed once; then its row goes with the others here.
    run.gone += [(file.id, path) for path, file in known.files.items() if path not in present]
    for directory in known.directories - set(found.directories):
        run.gone += run.catalog.read(files.below, run.source.id, directory)


def equal(file: File, seen: Seen) -> bool:
    """Whether the row says what is on disk, as far as the file system tells."""
    return (file.size, file.mtime_ns, file.device, file.inode) == (
        seen.size,
        seen.mtime_ns,
        seen.device,
        seen.inode,
    )


def _unlisted(run: _Scan, directory: bytes, trouble: Seen) -> None:
    """Remember for the owner that this directory could not be read. What is known below it stays."""
    run.report.unlisted += 1
    run.gone = [
        (i, path) for i, path in run.gone if path != directory
    ]  # the same trouble as before
    if run.catalog.read(files.by_path, run.source.id, directory) is None:
        run.catalog.write(files.add, run.source.id, [trouble])


def _flush(run: _Scan) -> None:
    if run.fresh or run.other:
        run.catalog.write(_apply, run)
        run.fresh.clear()
        run.other.clear()


def _apply(db: Connection, run: _Scan) -> None:
    """One batch in one transaction."""
    for file, seen in run.other:
        _change(db, run, file, seen)
    fresh: list[Seen] = []
    for seen in run.fresh:
        origin = _origin(db, run, seen) if seen.state is FileState.NEW else None
        if origin is None or files.by_path(db, run.source.id, seen.path) is not None:
            fresh.append(seen)
            continue
        files.move(db, origin.id, run.source.id, seen.path)
        contents.reread_dates(db, origin, moved=True)
        run.report.moved += 1
    files.add(db, run.source.id, fresh)
    run.report.new += len(fresh)


def _change(db: Connection, run: _Scan, file: File, seen: Seen) -> None:
    now = files.get(db, file.id)
    if now is None or now.path != file.path or equal(now, seen):
        return  # somebody was faster: what happens through the mount is recorded at once
    alike = (file.size, file.mtime_ns) == (seen.size, seen.mtime_ns)
    # A remount renumbers devices, and inodes too where a file system has none of its own (exFAT): that alone is
    # no reason to read a whole disk again. The same device with another inode is another file.
    if alike and file.device != seen.device and file.state is not FileState.SKIPPED:
        files.touch(db, file.id, seen)
        return
    files.change(db, file.id, seen)
    run.report.changed += 1


def _origin(db: Connection, run: _Scan, seen: Seen) -> File | None:
    """The known file that was moved to where *seen* is: same inode, and no longer at its old path."""
    for file in files.twins(db, seen):
        source = run.source if file.source_id == run.source.id else sources.get(db, file.source_id)
        there = walk.look(source.root, file.path)
        if there is None or (there.device, there.inode) != (file.device, file.inode):
            return file
    return None


def _delete(run: _Scan) -> None:
    """Forget what is not there, each looked at once more: much may have happened since it was listed."""
    root = run.source.root
    gone = [(i, path) for i, path in run.gone if walk.look(root, path) is None]
    for start in range(0, len(gone), BATCH):
        run.report.gone += run.catalog.write(files.remove, gone[start : start + BATCH])
