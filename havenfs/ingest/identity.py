"""From bytes to assets: what a hashed file means for the library. One transaction a file; runs on the writer's thread.

Identity is the content. A path whose content changed is a new version of its asset; a known content at a new path is a
copy, a move or a return; only content never seen before makes an asset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs import mates
from havenfs.catalog import contents, files
from havenfs.entities import FileState

if TYPE_CHECKING:
    from havenfs.catalog.catalog import Connection
    from havenfs.entities import AssetId, File, Identity


def settle(db: Connection, asked: File, identity: Identity) -> AssetId | None:
    """Record that *asked*, as it was when it was sent to be hashed, has this identity; returns its asset.

    None when the file is not ours to show, or has changed or gone meanwhile (then it stays to be hashed).
    """
    file = files.get(db, asked.id)
    if file is None or not same(file, asked) or file.state is not FileState.NEW:
        return None
    if identity.size != file.size:
        return None  # written to meanwhile; the scan that follows will say so
    if identity.kind is None:
        files.refuse(
            db,
            file.id,
            FileState.SKIPPED,
            "a sidecar: it is read with the picture that it is about"
            if mates.is_sidecar(file.path)
            else f"not a photo, video or document ({identity.mime})",
        )
        return None
    holder = contents.find(db, identity.hash)
    if holder is not None:
        if file.asset_id == holder:
            files.known(db, file.id, identity.hash, holder)
            contents.reread_dates(db, file, moved=False)
        else:
            files.part(db, file.id)
            contents.attach(db, holder, file, identity.hash)
        return holder
    own = file.asset_id
    if own is not None and not contents.copies(db, own, besides=file):
        contents.renew(db, own, file, identity, identity.kind)
        return own
    # Either never seen, or one of several copies was edited: then the others keep the asset.
    files.part(db, file.id)
    return contents.add(db, file, identity, identity.kind)


def refuse(db: Connection, asked: File, reason: str) -> None:
    """Record that *asked* cannot be read, for a reason that the owner sees; unless it changed meanwhile."""
    file = files.get(db, asked.id)
    if file is not None and same(file, asked):
        files.refuse(db, file.id, FileState.FAILED, reason)


def same(file: File, other: File) -> bool:
    """Whether both are the same state of one path, as far as the file system tells."""
    return (file.path, file.size, file.mtime_ns, file.inode) == (
        other.path,
        other.size,
        other.mtime_ns,
        other.inode,
    )
