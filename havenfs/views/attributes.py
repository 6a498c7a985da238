"""Extended attributes: what is known of an asset, under names that desktops already use and `user.haven.*`.

In `files/` the disk's own attributes pass through, these names aside. Directories answer `glusterfs.get_real_filename:`
with the spelling of a name whose case or Unicode form is wrong: Samba's vfs_glusterfs_fuse asks that instead of listing
the folder for every name that it cannot find.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from havenfs.catalog import assets, browse, neighbours, persons, readings, sorting, stacks, tags
from havenfs.errors import (
    Exists,
    InvalidName,
    NoAttribute,
    NotFound,
    NotPermitted,
    Unsupported,
)
from havenfs.originals import metadata

from . import saying
from .files import Original
from .nodes import DiskFile, Leaf, Text
from .results import Results

if TYPE_CHECKING:
    from havenfs.catalog.catalog import Connection
    from havenfs.entities import Asset, AssetId, Hit, Region, Source
    from havenfs.originals.disk import Rights

    from .library import Library
    from .nodes import Node

KNOWN = frozenset(
    {
        "user.haven.id",
        "user.haven.hash",
        "user.haven.date",
        "user.haven.gps",
        "user.haven.camera",
        "user.haven.place",
        "user.haven.mates",
        "user.haven.gps.suggested",
        "user.haven.text",
        "user.haven.language",
        "user.haven.keywords",
        "user.haven.tags.suggested",
        "user.haven.score",
        "user.haven.why",
        "user.haven.caption",
        "user.haven.query",
        "user.haven.people",
        "user.haven.faces",
        "user.haven.share",
        "user.xdg.tags",
        "user.xdg.comment",
        "user.baloo.rating",
    }
)
"""Every attribute that HavenFS gives a meaning to; most nodes have a few of them."""

LARGEST = 65_536  # XATTR_SIZE_MAX of Linux, bytes
_REAL_NAME = b"glusterfs.get_real_filename:"
_LABEL = b"security.selinux"
"""`ls -l` asks it of every name, at half its price, unless it hears that a file system has none."""
_SELINUX = Path("/sys/fs/selinux/enforce")


def names(library: Library, node: Node) -> list[bytes]:
    """The attributes that have a value. In `files/` those on the disk: who copies an original, or copies over one, takes
    what is known of it for the original's own otherwise, and wants to set or to remove it."""
    if isinstance(node, Original):
        return [
            name
            for name in metadata.xattrs(node.source, node.path)
            if not name.startswith(b"user.haven.") and (name != _LABEL or _SELINUX.exists())
        ]
    return [name.encode() for name in _values(library, node)]


def value(library: Library, node: Node, name: bytes) -> bytes:
    """The value of an attribute. Raises NoAttribute, Unsupported."""
    if name.startswith(_REAL_NAME):
        if isinstance(node, Leaf | Text | DiskFile):
            raise NoAttribute(name)
        try:
            return node.real_name(name.removeprefix(_REAL_NAME)) + b"\0"
        except NotFound:
            raise NoAttribute(name) from None
    text = name.decode(errors="surrogateescape")
    if text in KNOWN:
        try:
            return _values(library, node)[text]
        except KeyError:
            if text.startswith("user.haven.") or not isinstance(node, Original):
                raise NoAttribute(text) from None
            return metadata.xattr(node.source, node.path, name)
    if text.startswith("user.haven."):
        raise Unsupported(text)
    if isinstance(node, Original):
        if name == _LABEL and not _SELINUX.exists():
            raise Unsupported("nobody reads labels here")
        return metadata.xattr(node.source, node.path, name)
    raise NoAttribute(text)


def set_value(
    library: Library, node: Node, name: bytes, value: bytes, flags: int, rights: Rights
) -> None:
    """Set an attribute: in `files/` on disk; one that says something of an asset, or of a saved search, decides that.

    Raises Unsupported and NotPermitted for those that are answers; InvalidName for a value that cannot be; Exists and
    NoAttribute as XATTR_CREATE and XATTR_REPLACE ask.
    """
    about = _about(library, node, name)
    if about is None:
        metadata.set_xattr(*_on_disk(node, name), name, value, flags, rights)
        return
    if flags:
        there = os.fsdecode(name) in _values(library, node)
        if there and flags & os.XATTR_CREATE:
            raise Exists(name)
        if not there and flags & os.XATTR_REPLACE:
            raise NoAttribute(name)
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise InvalidName("a value that is no UTF-8") from None
    saying.say(library, about, os.fsdecode(name), text, rights)


def remove(library: Library, node: Node, name: bytes, rights: Rights) -> None:
    """Remove an attribute: in `files/` from disk; what somebody said is taken back. Raises like `set_value`, NoAttribute,
    and NotPermitted where the file itself says so."""
    about = _about(library, node, name)
    if about is None:
        metadata.remove_xattr(*_on_disk(node, name), name, rights)
    elif isinstance(about, Results):
        raise NotPermitted("a saved search without a query is none: remove the folder")
    elif not saying.take_back(library, about, os.fsdecode(name), rights):
        if os.fsdecode(name) in _values(library, node):
            raise NotPermitted("its file says so")
        raise NoAttribute(name)


def plain(name: bytes) -> bytes:
    """The name of an attribute of a file that has no path, and of which nothing is known. Raises Unsupported."""
    if name.startswith(b"user.haven."):
        raise Unsupported(os.fsdecode(name))
    return name


def _about(library: Library, node: Node, name: bytes) -> Asset | Results | None:
    """What the attribute would say something of; None: it is the disk's, or nobody may set it."""
    text = os.fsdecode(name)
    if isinstance(node, Results):
        return node if text == "user.haven.query" and node.key.startswith("saved/") else None
    if text not in saying.SAYINGS:
        return None
    if isinstance(node, Leaf):
        return library.catalog.read(assets.get, node.asset.id)
    if isinstance(node, DiskFile) and stat.S_ISREG(node.status.st_mode):
        with suppress(NotFound):
            return library.catalog.read(assets.get, _asset_of(library, node))
    return None


def _asset_of(library: Library, node: DiskFile) -> AssetId:
    """The asset whose file this is, or of which it was just copied into a folder. Raises NotFound."""
    loose = library.loose.at(node.source, node.path)
    if loose is not None and loose.asset_id is not None:
        return loose.asset_id
    return library.catalog.read(browse.asset_at, node.source.id, node.path)


def _on_disk(node: Node, name: bytes) -> tuple[Source, bytes]:
    text = os.fsdecode(name)
    if text.startswith("user.haven.") and text not in KNOWN:
        raise Unsupported(text)
    if text in KNOWN or not isinstance(node, Original):
        if text.startswith("system.posix_acl_"):  # `cp -a` sets the mode then, and has no complaint
            raise Unsupported("an answer has no access lists")
        raise NotPermitted(text)
    return node.source, node.path


def _values(library: Library, node: Node) -> dict[str, bytes]:
    if isinstance(node, Leaf):
        return _of_asset(library, node.asset, node.hit)
    if isinstance(node, Results):
        return {"user.haven.query": node.text.encode()}
    if isinstance(node, DiskFile) and stat.S_ISREG(node.status.st_mode):
        try:
            asset_id = _asset_of(library, node)
            return _of_asset(library, library.catalog.read(assets.get, asset_id), None)
        except NotFound:
            return {}
    return {}


def _of_asset(library: Library, asset: Asset, hit: Hit | None) -> dict[str, bytes]:
    known = library.catalog.read(browse.details, asset.id)
    asset = library.catalog.read(
        assets.get, asset.id
    )  # its date may have been corrected since it was looked up
    mates = library.catalog.read(stacks.of, asset.id)
    gps = None
    if known.latitude is not None and known.longitude is not None:
        gps = f"{known.latitude:.6f},{known.longitude:.6f}"
    found = library.catalog.read(_suggested, asset.id)
    values = {
        "user.haven.id": str(asset.id),
        "user.haven.hash": known.hash.hex(),
        "user.haven.date": asset.taken.isoformat() if asset.taken else None,
        "user.haven.gps": gps,
        "user.haven.camera": known.camera,
        "user.haven.place": known.place,
        "user.haven.text": known.text,
        "user.haven.mates": "\n".join(mate.name for mate in mates),
        "user.haven.people": ",".join(
            person.name or "" for person in library.catalog.read(persons.of_asset, asset.id)
        ),
        "user.haven.faces": "\n".join(_box(region) for region in known.faces),
        "user.haven.caption": known.caption,
        **found,
        "user.haven.score": f"{hit.score:.4f}" if hit else None,
        "user.haven.why": "; ".join(
            (*(hit.reasons if hit else ()), *library.catalog.read(_proposals, asset.id))
        ),
        "user.xdg.tags": ",".join(
            dict.fromkeys([*saying.tags(library, asset).values(), *known.keywords])
        ),
        "user.xdg.comment": known.caption,
        # Dolphin counts half stars.
        "user.baloo.rating": str(known.rating * 2) if known.rating is not None else None,
    }
    return {name: _cut(text) for name, text in values.items() if text}


def _box(region: Region) -> str:
    """Left, top, right, bottom as shares of the upright picture, and when, in a video."""
    box = ",".join(f"{share:.4f}" for share in region[1:])
    return f"{box} at {region.frame_ms / 1000:.1f} s" if region.frame_ms else box


def _suggested(db: Connection, asset_id: AssetId) -> dict[str, str | None]:
    """What is guessed, each with how sure it is, and what its text is like."""
    position = neighbours.suggestion(db, asset_id)
    reading = readings.of_asset(db, asset_id)
    return {
        "user.haven.gps.suggested": position
        and f"{position.latitude:.6f},{position.longitude:.6f} ({position.confidence:.2f}: {position.reason})",
        "user.haven.tags.suggested": ",".join(
            f"{tag} ({score:.2f})" for tag, score in tags.of_asset(db, asset_id)
        ),
        "user.haven.language": reading and reading.language,
        "user.haven.keywords": ",".join(reading.keywords) if reading else None,
    }


def _proposals(db: Connection, asset_id: AssetId) -> list[str]:
    """Where it may belong and why, for what stands in the inbox."""
    return [
        f"{os.fsdecode(b'/'.join((each.source.encode(), each.proposal.folder.path)))}"
        f" ({each.proposal.confidence:.2f}): {', '.join(each.proposal.reasons)}"
        for each in sorting.of_asset(db, asset_id)
    ]


def _cut(text: str) -> bytes:
    """At most LARGEST bytes of it, no character cut in half."""
    return text.encode(errors="replace")[:LARGEST].decode(errors="ignore").encode()
