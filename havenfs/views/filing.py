"""Filing: moving originals out of the inbox to where they belong, recorded as a decision, and back when that is taken back.

The order, and what a kill leaves. Files are moved first, each by a rename (between disks: copy, fsync, rename, fsync, then the old
name goes), and the decision is recorded behind them; the caller is answered last. Taking back moves them first as well. Before the
first of them is moved it is noted which they are (`decisions.note`): after a kill they go where the decision that holds says, a
picture, its RAW and its sidecar together. At no moment is there no name for the bytes. If one of several files cannot be moved,
those before it go back.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from havenfs.catalog import files, inbox, sources
from havenfs.decisions import new_uid, note, values
from havenfs.decisions.filing import steps
from havenfs.decisions.values import Moved
from havenfs.errors import Conflict, Exists, HavenError, NotFound, NotJournaled, NotPermitted
from havenfs.originals import disk
from havenfs.originals.moving import move

from .deciding import decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from havenfs.catalog import Catalog
    from havenfs.catalog.sorting import Folder
    from havenfs.entities import Asset, Source
    from havenfs.originals.disk import Rights

    from .library import Library, Relocated


def accept(library: Library, asset: Asset, folder: Folder, name: bytes, rights: Rights) -> None:
    """Move an asset of the inbox, with what belongs to it, into a folder, which is made if it is not there; the asset's own
    file gets *name*. Raises Exists when the name is taken, NotPermitted, and what the disk says."""
    to = library.catalog.read(sources.get, folder.source_id)
    source = library.catalog.read(sources.get, asset.source_id)
    disk.writable(to)
    disk.writable(source)
    with_it = library.catalog.read(inbox.companions, asset)
    planned = [Moved(asset.hash, source.name, asset.path, to.name, _below(folder.path, name))]
    planned += [
        Moved(
            each.content,
            source.name,
            each.path,
            to.name,
            _below(folder.path, each.path.rpartition(b"/")[2]),
        )
        for each in with_it
    ]
    for moved in planned:
        if _there(to, moved.to_path) and not _arrived(library, source, to, moved):
            raise Exists(os.fsdecode(moved.to_path))
    made = make(to, folder.path, rights)
    decision = values.FileAway(uid=new_uid(), files=tuple(planned))
    mover = Mover(library.catalog, rights, library.relocated, most=library.copied)
    try:
        with note.moving(library.catalog, mover, steps(decision)):
            decide(library, decision, rights)
    except NotJournaled:  # it holds all the same
        raise
    except BaseException:
        _unmake(to, made, rights)
        raise


class Mover:
    """Moves originals with the *rights* of whoever asks, and tells *relocated* of each."""

    def __init__(
        self, catalog: Catalog, rights: Rights, relocated: Relocated, *, most: int | None = None
    ) -> None:
        """*most*: bytes of a file that may be copied to another source; None: any."""
        self._most = most
        self._catalog = catalog
        self._rights = rights
        self._relocated = relocated

    def __call__(self, moves: Sequence[Moved]) -> None:
        """Move all or none, see `havenfs.decisions.filing.Mover`."""
        done: list[Moved] = []
        try:
            for moved in moves:
                if self._move(moved):
                    done.append(moved)  # noqa: PERF401 -- those before the one that fails must be known
        except BaseException:
            for moved in reversed(done):
                with suppress(HavenError, OSError):
                    self._move(moved.back())
            raise

    def _move(self, moved: Moved) -> bool:
        """Whether it had to be moved."""
        try:
            source = self._catalog.read(sources.by_name, moved.source)
            to = self._catalog.read(sources.by_name, moved.to_source)
        except NotFound as error:
            raise Conflict(f"the source {error} is not there") from None
        here, there = _there(source, moved.path), _there(to, moved.to_path)
        if not here and there:
            self._relocated(
                source, moved.path, to, moved.to_path
            )  # whoever moved it may not have come to that
            return False
        if not here:
            raise Conflict(f"{_text(moved.source, moved.path)} is not there any more")
        if there:
            raise Conflict(f"{_text(moved.to_source, moved.to_path)} is there already")
        known = self._catalog.read(files.by_path, source.id, moved.path)
        if (
            known is not None
            and known.asset_id is not None
            and known.hash not in (None, moved.content)
        ):
            raise Conflict(f"another file is at {_text(moved.source, moved.path)} by now")
        make(to, moved.to_path.rpartition(b"/")[0], self._rights)
        move(source, moved.path, to, moved.to_path, self._rights, most=self._most)
        self._relocated(source, moved.path, to, moved.to_path)
        return True


def make(source: Source, path: bytes, rights: Rights) -> list[bytes]:
    """Make a folder and those above it where they are not there; those that were made, the outermost first."""
    made: list[bytes] = []
    at = b""
    for part in filter(None, path.split(b"/")):
        at = _below(at, part)
        if not _there(source, at):
            with suppress(FileExistsError):  # somebody else was quicker
                disk.mkdir(
                    source, at, 0o777 & disk.status(source, at.rpartition(b"/")[0]).st_mode, rights
                )
                made.append(at)
    return made


def _unmake(source: Source, made: Sequence[bytes], rights: Rights) -> None:
    for path in reversed(made):
        with suppress(HavenError, OSError):
            disk.rmdir(source, path, rights)


def plain(
    library: Library, asset: Asset, to: Source, path: bytes, flags: int, rights: Rights
) -> None:
    """Move an asset's file to a path of `files/`, as `mv` does there. Not recorded: it can be moved back the same way."""
    source = library.catalog.read(sources.get, asset.source_id)
    if flags & 2:  # RENAME_EXCHANGE
        raise NotPermitted("a proposal is no file to exchange")
    disk.rename(source, asset.path, to, path, flags, rights)
    library.relocated(source, asset.path, to, path)


def _arrived(library: Library, source: Source, to: Source, moved: Moved) -> bool:
    """Whether the very file has been moved already: a kill came before that was recorded."""
    known = library.catalog.read(files.by_path, source.id, moved.path)
    found = disk.status(to, moved.to_path)
    same = known is not None and (known.device, known.inode) == (found.st_dev, found.st_ino)
    return same and not _there(source, moved.path)


def _there(source: Source, path: bytes) -> bool:
    try:
        disk.status(source, path)
    except NotFound:
        return False
    return True


def _below(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name


def _text(source: str, path: bytes) -> str:
    return f"files/{source}/{os.fsdecode(path)}".encode(errors="replace").decode()
