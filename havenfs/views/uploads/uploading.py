"""New bytes in a folder that people fill: written aside, looked at when they are closed, filed among the originals, and put into
the folder, all of it in one step or not at all.

What is filed is whole: its bytes are on the disk before it has its name, and it has its name while the transaction is open that
makes an asset of it and decides what the folder means. What fails takes the name back; what a kill leaves of it, `recover` does.
Bytes that the library has already are not filed again. Slow: reads the whole file. Any thread.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from havenfs.catalog import assets, decided, files, sources
from havenfs.entities import Asset, AssetId, Identity
from havenfs.errors import (
    HavenError,
    InvalidName,
    IsADirectory,
    NotJournaled,
    NotPermitted,
    ReadOnly,
    Unreadable,
)
from havenfs.originals import disk, staging
from havenfs.views import readme
from havenfs.views.nodes import DiskFile, Leaf

from . import companions
from .litter import is_litter, is_passing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator

    from havenfs.catalog.catalog import Connection
    from havenfs.decisions import Decision
    from havenfs.entities import Source
    from havenfs.originals.disk import Rights
    from havenfs.views.library import Library
    from havenfs.views.nodes import Node

    from .loose import Filling, Loose

    Deciding = Callable[[Decision, Rights, Callable[[Connection], object] | None], bool]
    """`deciding.decide`: whether anything is different now."""


def create(
    library: Library, folder: str, fill: Filling, name: bytes, flags: int, mode: int, rights: Rights
) -> tuple[DiskFile, int]:
    """Make a file of a name that is free among assets, or open the loose one of that name; its node and a descriptor.

    Raises ReadOnly where there is nowhere to put new bytes, NotPermitted where nothing can be put.
    """
    loose = library.loose.named(folder, name)
    if loose is not None:
        if flags & os.O_EXCL:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
        ours = flags & (os.O_ACCMODE | os.O_TRUNC)
        descriptor, status = disk.open_for_writing(loose.source, loose.path, ours, rights)
        return DiskFile(loose.source, loose.path, status), descriptor
    if is_litter(name):
        loose = library.loose.litter(folder, name, fill, mode, rights)
    elif fill is None:
        raise NotPermitted("nothing can be put here, only into the folders below")
    else:
        loose = library.loose.staged(folder, name, fill, _source(library, name), mode, rights)
    return loose.node(), os.dup(loose.descriptor)


def _source(library: Library, name: bytes) -> Source:
    found = library.catalog.read(sources.uploads)
    if found is not None and library.recorder is not None and library.keeper is not None:
        return found
    reason = "no source that is there can be written to: give one with --writable"
    library.refusals.append(f"{os.fsdecode(name)} cannot be put into a folder: {reason}")
    raise ReadOnly(reason)


def closed(library: Library, loose: Loose, decide: Deciding) -> None:
    """Whoever wrote to it has closed it: file it, unless it has no bytes or only a passing name yet.

    Raises InvalidName when its content is none of ours, and what deciding and the disk raise; then it is not filed.
    """
    with loose.lock:
        if library.loose.at(loose.source, loose.path) is not loose or not staging.waits(loose.path):
            return  # it was removed meanwhile, or is an original already
        version = _version(loose)
        if loose.in_memory or not version[0] or version == loose.filed:
            return
        if readme.is_copy(loose.name, os.pread(loose.descriptor, readme.LARGEST, 0)):
            loose.refused = True  # `cp -r` of an empty folder brings it along; nobody is to be told off for that
            return
        if loose.failed:
            loose.refused = not is_passing(loose.name)
            raise OSError(loose.failed, os.strerror(loose.failed))
        with suppress(Unreadable):  # somebody else writes on: it is filed when that one closes
            identity = _identified(loose)
            if is_passing(loose.name):
                os.fsync(loose.descriptor)  # while somebody waits anyway: a rename is to be quick
            elif identity.kind is None and loose.accompanies:
                companions.join(library, loose)
            else:
                _file(library, loose, identity, decide)


def rename(
    library: Library,
    loose: Loose,
    to: tuple[str, Filling],
    name: bytes,
    there: Node | None,
    decide: Deciding,
) -> None:
    """Give a loose file that is not filed another name, where *there* stands now. A plain name: it is filed.

    Raises like `closed`, and then it stays what it was; NotPermitted when that would write to an asset.
    """
    folder, fill = to
    if there is not None and not isinstance(there, DiskFile | Leaf):
        raise IsADirectory(os.fsdecode(name))
    before = loose.folder, loose.name, loose.fill
    if not is_passing(name) and (loose.in_memory or fill is None):
        raise NotPermitted("this is no photo, video or document")
    if isinstance(there, Leaf):
        if _identified(loose).hash != there.asset.hash:
            raise NotPermitted("this file is an answer: the original is in files/")
        library.loose.drop(loose)
        return
    library.loose.moved(loose, folder, name, fill)
    if not loose.opens or loose.known is not None:
        try:
            closed(library, loose, decide)
        except (HavenError, OSError):
            loose.refused = False
            library.loose.moved(loose, *before)
            raise
        if loose.refused and not loose.opens:
            library.loose.drop(loose)


def _version(loose: Loose) -> tuple[int, int]:
    status = os.fstat(loose.descriptor)
    return status.st_size, status.st_mtime_ns


def _identified(loose: Loose) -> Identity:
    """What it is. Raises Unreadable while it is being written to."""
    version = _version(loose)
    if loose.known is not None and loose.known[0] == version:
        return loose.known[1]
    from havenfs.extract import identify, magic  # 2 ms of a mount's start

    # A position of its own: the descriptor's is also that of whoever has the file open.
    descriptor = os.open(f"/proc/self/fd/{loose.descriptor}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        digest, size, head = identify.digested(descriptor)
    finally:
        os.close(descriptor)
    extension = identify.extension(loose.name)
    mime = magic.sniff(head, None, extension)
    if mime == magic.ZIP:
        mime = magic.OFFICE.get(extension, mime)
    found = Identity(hash=digest, size=size, mime=mime, kind=magic.kind(mime))
    loose.known = version, found
    return found


def _file(library: Library, loose: Loose, identity: Identity, decide: Deciding) -> None:
    from havenfs.extract import magic

    name = os.fsdecode(loose.name)
    if loose.fill is None:
        raise NotPermitted("nothing can be put here")
    if identity.kind is None or identity.mime == magic.ZIP:
        reason = f"no photo, video or document ({identity.mime})"
        if not loose.refused:
            library.refusals.append(f"{name} cannot be put into a folder: {reason}")
        loose.refused = True
        raise InvalidName(f"{name}: {reason}")
    loose.refused = False
    known = _known(library, identity.hash)
    if known is not None:
        asset, shown = known
        if decide(loose.fill(shown), loose.rights, None):
            loose.came = shown.id
        elif loose.came != shown.id:
            loose.came = None  # it was here before
        loose.asset_id, loose.filed = asset.id, _version(loose)
        return
    try:
        staging.check_room(loose.source, loose.rights)
        os.fsync(loose.descriptor)
    except OSError:
        loose.refused = True
        raise
    decision = loose.fill(_provisional(loose, identity))
    with _placing(library, loose, identity) as first:
        decide(decision, loose.rights, first)


@contextmanager
def _placing(
    library: Library, loose: Loose, identity: Identity
) -> Generator[Callable[[Connection], object]]:
    """Gives what to do in the transaction that decides; a transaction that fails leaves nothing."""
    assert library.recorder is not None, "else nothing is staged"
    recorder = library.recorder
    placed: list[bytes] = []
    found: list[AssetId | None] = []

    def first(db: Connection) -> None:
        path = staging.place(loose.source, loose.path, loose.descriptor, loose.name, loose.rights)
        placed.append(path)
        found.append(recorder.record(db, loose.source, path, identity))

    try:
        yield first
    except NotJournaled:  # it holds all the same
        _filed(library, loose, placed[0], found[0])
        recorder.recorded()
        raise
    except BaseException:
        for path in placed:
            staging.unplace(loose.source, path)
        raise
    _filed(library, loose, placed[0], found[0])
    recorder.recorded()


def _filed(library: Library, loose: Loose, path: bytes, asset_id: AssetId | None) -> None:
    waited = loose.path
    loose.asset_id = loose.came = asset_id
    library.loose.filed(loose, path)
    staging.drop(loose.source, waited)
    companions.follow(library, loose)


def _known(library: Library, content: bytes) -> tuple[Asset, Asset] | None:
    """The asset with these bytes, if they are really there, and the one that shows it: itself or what stands for it."""
    catalog = library.catalog
    try:
        asset = catalog.read(assets.by_hash, content)
        status = disk.status(catalog.read(sources.get, asset.source_id), asset.path)
    except (HavenError, OSError):
        return None
    if (status.st_size, status.st_mtime_ns, status.st_ino) != (
        asset.size,
        asset.mtime_ns,
        asset.inode,
    ):
        return None
    return asset, catalog.read(assets.shown_for, [asset.id]).get(asset.id, asset)


def _provisional(loose: Loose, identity: Identity) -> Asset:
    """The asset that it will be, to decide about by its content."""
    status = os.fstat(loose.descriptor)
    assert identity.kind is not None, "it was looked at"
    return Asset(
        AssetId(0), identity.hash, os.fsdecode(loose.name), identity.kind, identity.mime, loose.source.id,
        loose.path, status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino,
    )  # fmt: skip


def recover(library: Library, used: Collection[tuple[int, int]]) -> int:
    """Remove what kills left of uploads in every writable source; *used* are (st_dev, st_ino) of files that are open.

    Returns how many files that were. What was decided about stays: somebody may have been told so.
    """

    def kept(source: Source, path: bytes) -> bool:
        file = library.catalog.read(files.by_path, source.id, path)
        return (
            file is not None
            and file.hash is not None
            and library.catalog.read(decided.mentions, file.hash)
        )

    def unplaced(source: Source, path: bytes) -> None:
        if library.recorder is not None:  # a scan may have come by meanwhile
            library.recorder.removed(source, path, directory=False)

    gone = 0
    for source in library.catalog.read(sources.present):
        if source.writable:
            with suppress(HavenError, OSError):
                gone += staging.clean(source, used, kept, unplaced)
    return gone
