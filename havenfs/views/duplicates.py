"""duplicates/<group>/: copies of one picture, the best first, and in `_copies.txt` where each lies and why it stands there.

A group has the name of its oldest member: names of assets are unique, so these are. Copies of equal bytes are one asset with
several files: one name here, each path in the text.

Removing a copy moves all its files to the trash, and what people said of it is said of the best one that stays. Removing the
folder says that these are no copies.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from havenfs.catalog import assets, browse, duplicates, files, sources
from havenfs.decisions import values
from havenfs.entities import Hit
from havenfs.errors import NotFound, NotPermitted, ReadOnly
from havenfs.originals import disk

from . import deciding
from .folders import Folder
from .nodes import Leaf, Text

if TYPE_CHECKING:
    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.duplicates import Copy
    from havenfs.entities import Asset, AssetId, Source
    from havenfs.originals.disk import Rights

    from .library import Scope
    from .nodes import Directory, Entry, Node

REPORT = "_copies.txt"


class Duplicates(Folder):
    """A folder a group."""

    __slots__ = ()
    costly = True  # files of equal bytes are counted: half a second for a million
    announced = False  # groups form while pictures are looked at
    changeable = True  # only in that groups can be removed

    def entries(self) -> list[Entry]:
        """The groups, by name."""
        catalog = self.scope.library.catalog
        found = catalog.read(lambda db: assets.many(db, duplicates.groups(db)))
        named = sorted((asset.name, asset.id) for asset in found)
        return [(name.encode(), self._group(id_)) for name, id_ in named]

    def child(self, name: str) -> Node:
        """The group of this name."""
        catalog = self.scope.library.catalog
        asset = catalog.read(browse.asset, (), name)
        if not catalog.read(duplicates.names_group, asset.id):
            raise NotFound(name)
        return self._group(asset.id)

    def rmdir(self, name: bytes, rights: Rights) -> None:
        """Say that these are no copies of each other. Raises NotPermitted for files of equal bytes, which are."""
        group = self.lookup(name)
        if not isinstance(group, Group) or not self.fillable:
            self._refuse()
        contents = tuple(asset.hash for asset in group.members())
        if len(contents) < 2:
            raise NotPermitted("files of equal bytes are copies, whatever anybody says")
        deciding.decide(self.scope.library, values.Distinguish(contents=contents), rights)

    def _group(self, asset_id: AssetId) -> Group:
        return Group(self.scope.choose(str(asset_id)), asset_id)


class Group(Folder):
    """The copies of one picture."""

    __slots__ = ("_asset_id",)
    announced = False  # another copy may be better tomorrow
    changeable = True  # only in that copies can be removed

    def __init__(self, scope: Scope, asset_id: AssetId) -> None:
        super().__init__(scope)
        self._asset_id = asset_id

    def facet(self, name: str) -> Directory | None:
        """The facets narrow the copies."""
        open_ = self.scope.library.facets.get(name)
        if open_ is None:
            return None
        ids = self.scope.library.catalog.read(duplicates.group_of, self._asset_id)
        return open_(replace(self.scope, choice=browse.among(ids)).narrow(name))

    def entries(self) -> list[Entry]:
        """The report, then the copies, best first."""
        catalog = self.scope.library.catalog
        copies, found = catalog.read(_members, self._asset_id)
        report: Entry = (REPORT.encode(), self._report())
        return [
            report,
            *(_entry(copy, found[copy.asset_id], rank) for rank, copy in enumerate(copies)),
        ]

    def child(self, name: str) -> Node:
        """The report or a copy."""
        for entry, node in self.entries():
            if entry == name.encode():
                return node
        raise NotFound(name)

    def members(self) -> list[Asset]:
        """The copies, best first."""
        copies, found = self.scope.library.catalog.read(_members, self._asset_id)
        return [found[copy.asset_id] for copy in copies]

    def unlink(self, name: bytes, rights: Rights) -> None:
        """Move a copy to the trash; what was said of it is said of the best other one. Raises NotPermitted for the last."""
        node, library = self.lookup(name), self.scope.library
        if not isinstance(node, Leaf) or not self.fillable:
            self._refuse()
        others = [asset for asset in self.members() if asset.id != node.asset.id]
        if not others:
            raise NotPermitted("the last copy stays: remove it in files/")
        if library.bin is None:
            raise ReadOnly("nothing can be moved to the trash here")
        originals = library.catalog.read(_files, node.asset.id)
        for source, _ in originals:
            disk.writable(source)
        who, began = deciding.who(rights), time.time()
        library.guard.check(who)
        library.bin.discard(originals, node.asset.hash, others[0].hash, rights, by=who)
        for _ in originals:
            library.guard.count(who, began)

    def _report(self) -> Text:
        catalog = self.scope.library.catalog

        def render() -> bytes:
            copies, _ = catalog.read(_members, self._asset_id)
            lines = [
                f"{copy.reason}\n" + "".join(f"    files/{path}\n" for path in copy.paths)
                for copy in copies
            ]
            return "".join(lines).encode()

        return Text.of(f"{self.key}/{REPORT}", render)


def _members(db: Connection, asset_id: AssetId) -> tuple[list[Copy], dict[AssetId, Asset]]:
    ids = duplicates.group_of(db, asset_id)
    return duplicates.ranked(db, ids), {asset.id: asset for asset in assets.many(db, ids)}


def _files(db: Connection, asset_id: AssetId) -> list[tuple[Source, bytes]]:
    """Source and path of each file of an asset whose disk is there."""
    found = [(sources.get(db, file.source_id), file.path) for file in files.of_asset(db, asset_id)]
    return [(source, path) for source, path in found if sources.is_present(db, source.id)]


def _entry(copy: Copy, asset: Asset, rank: int) -> Entry:
    hit = Hit(asset_id=asset.id, score=1 / (1 + rank), reasons=(copy.reason,))
    return asset.name.encode(), Leaf(asset, hit)
