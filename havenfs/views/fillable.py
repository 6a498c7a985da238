"""Folders that people fill: what putting something in and taking something out decides, whatever sort of folder it is."""

from __future__ import annotations

import errno
import os
from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from havenfs.catalog import assets, browse, corrections, names
from havenfs.catalog.browse import Condition
from havenfs.decisions import values
from havenfs.errors import Conflict, Exists, InvalidName, NotFound, NotPermitted
from havenfs.views.uploads import uploading
from havenfs.views.uploads.loose import Loose

from . import readme
from .deciding import decide, who
from .folders import EXCHANGE, Assets
from .nodes import DiskFile, Leaf

if TYPE_CHECKING:
    from collections.abc import Collection

    from havenfs.catalog.corrections import Found
    from havenfs.decisions import Decision
    from havenfs.entities import Asset, AssetId, Source
    from havenfs.originals.disk import Rights
    from havenfs.views.uploads.loose import Filling

    from .library import Library
    from .nodes import Directory, Entries, Entry, Node


def closed(library: Library, loose: Loose) -> None:
    """A loose file that was written to was closed: file it. Raises like `uploading.closed`."""
    uploading.closed(library, loose, partial(decide, library))


def meant(library: Library, node: Node) -> Asset:
    """The asset that a file stands for: its own, or the one that shows its stack. Raises InvalidName when there is none."""
    if isinstance(node, Leaf):
        return _shown(library, node.asset.id)  # it may have been edited since
    if isinstance(node, DiskFile):
        loose = library.loose.at(node.source, node.path)
        if loose is not None and loose.asset_id is not None:
            return _shown(library, loose.asset_id)
        try:
            return library.catalog.read(assets.shown, node.source.id, node.status.st_ino)
        except NotFound:
            raise InvalidName(
                "no photo, video or document, or one that was not looked at yet"
            ) from None
    raise NotPermitted("only photos, videos and documents can be put here")


def _shown(library: Library, asset_id: AssetId) -> Asset:
    """The asset itself, or the one that shows its stack. Raises NotFound."""
    found = library.catalog.read(assets.shown_for, [asset_id])
    if asset_id not in found:
        raise NotFound(f"asset {asset_id}")
    return found[asset_id]


def as_found(library: Library, asset: Asset) -> Found:
    """What its file says, for who would correct it. Raises Conflict when nobody has looked yet, NotPermitted of what is only
    being put in."""
    if not asset.id:
        raise NotPermitted("a new file may say itself when and where: put it elsewhere first")
    known = library.catalog.read(corrections.found, asset.id)
    if known.waiting:
        raise Conflict("this file has not been looked at yet: what it says itself is not known")
    return known


def _listed(library: Library, here: Collection[Loose]) -> list[Loose]:
    """Those among *here*, which is all that is loose about some assets in a folder, whose names are listed there. Each stack
    stands there once: under its own name, or under that of what shows it, or of what it came by."""
    filed = {loose.asset_id for loose in here if loose.asset_id is not None}
    came = {loose.came for loose in here}
    shown = library.catalog.read(assets.shown_for, list(filed)) if filed else {}
    found: list[Loose] = []
    best: dict[AssetId, tuple[int, Loose]] = {}
    for loose in here:
        top = shown.get(loose.asset_id) if loose.asset_id is not None else None
        if top is None:
            found.append(loose)
            continue
        own = loose.name == top.name.encode()
        rank = 2 if own else 1 if loose.asset_id == top.id else 0
        if (own or top.id in came) and (top.id not in best or rank > best[top.id][0]):
            best[top.id] = rank, loose
    return found + [loose for _, loose in best.values()]


class Fillable(Assets):
    """A folder whose assets people choose. Besides them loose files stand in it: see `loose`.

    What is loose and filed is found by its writer's name. A stack is listed once all the same: under the name of the upload by
    which it came, or under its own, where it was here before or is uploaded itself."""

    __slots__ = ()
    changeable = True
    announced = False  # the log says of no asset which folder of people's it came into or left

    @property
    def slow(self) -> bool:
        """While files are put in here: those are asked of a disk."""
        return super().slow or bool(self.scope.library.loose.within(self.key))

    @property
    def holds(self) -> bool:
        """Whether new files can be put in here, and not only into the folders below."""
        return self.collects

    def entries(self) -> Entries:
        """The assets, and what is loose."""
        return self.guided(self.with_loose(super().entries()))

    def with_loose(self, entries: Entries) -> Entries:
        """Entries that were listed, and what is loose here: a filed upload under its writer's name, as long as that lasts."""
        library = self.scope.library
        here = library.loose.within(self.key).values() if self.fillable else ()
        here = [loose for loose in here if self._stands(loose)]
        if not here:
            return entries
        listed = {loose.name: loose for loose in _listed(library, here)}
        came = {loose.came for loose in here}
        found: list[Entry] = [
            (name, node)
            for name, node in entries
            if name not in listed and not (isinstance(node, Leaf) and node.asset.id in came)
        ]
        for name, loose in listed.items():
            try:
                found.append((name, loose.node()))
            except NotFound:
                continue
        return found

    def lookup(self, name: bytes) -> Node:
        """What is loose, then what is known and not called otherwise for now."""
        loose = self._loose(name)
        if loose is not None:
            return loose.node()
        found = super().lookup(name)
        if isinstance(found, Leaf) and any(
            other.came == found.asset.id for other in self._about(found.asset)
        ):
            raise NotFound(name)
        return found

    def real_name(self, name: bytes) -> bytes:
        """As `lookup`: what is loose first."""
        for other in self.scope.library.loose.within(self.key):
            if names.fold(other) == names.fold(name):
                return other
        try:
            found = super().real_name(name)
            if self.scope.library.loose.within(self.key):
                self.lookup(found)  # it may be called otherwise
            return found
        except NotFound:
            if names.fold(name) == names.fold(readme.NAME.encode()) and self.readme() is not None:
                return readme.NAME.encode()
            raise

    def _loose(self, name: bytes) -> Loose | None:
        loose = self.scope.library.loose.named(self.key, name) if self.fillable else None
        if loose is not None and not self._stands(loose):
            self.scope.library.loose.drop(loose)
            return None
        return loose

    def _stands(self, loose: Loose) -> bool:
        """Whether what was filed is still in here: somebody may have taken it out, or undone that it was put in."""
        if loose.asset_id is None or loose.opens:
            return True
        # It, or what shows it: also where another stands for it in the listing, its writer wants to set its times.
        catalog, ids = self.scope.library.catalog, [loose.asset_id]
        ids += [top.id for top in catalog.glance(assets.shown_for, ids).values()]
        wanted = (Condition(browse.ALL_FILES), *self.scope.conditions(), browse.among(ids))
        return catalog.glance(browse.exists, wanted)

    def _about(self, asset: Asset) -> list[Loose]:
        """What is loose here of an asset, or shows it by another name."""
        here = self.scope.library.loose.within(self.key).values() if self.fillable else ()
        return [
            loose
            for loose in here
            if asset.id in (loose.asset_id, loose.came) and self._stands(loose)
        ]

    @property
    def _fill(self) -> Filling:
        return partial(self.filling, inside=True) if self.holds else None

    @property
    def collects(self) -> bool:
        """Whether people alone say what is in here. What is moved from such a folder to another of its kind leaves the first."""
        return True

    @property
    def sort(self) -> str:
        """What folders of one kind have in common."""
        return self.scope.key.partition("/")[0]

    @abstractmethod
    def filling(self, asset: Asset, *, inside: bool) -> Decision:
        """What puts an asset in here, or takes it out."""

    def create(self, name: bytes, flags: int, mode: int, rights: Rights) -> tuple[DiskFile, int]:
        """Make a file that is filed when it is closed (`uploading`), or open the loose one of that name."""
        if not self.fillable:
            self._refuse()
        if self._loose(name) is None:
            try:
                self.lookup(name)
            except NotFound:
                pass
            else:
                if flags & os.O_EXCL:
                    raise Exists(os.fsdecode(name))
                self._refuse()
        return uploading.create(self.scope.library, self.key, self._fill, name, flags, mode, rights)

    def adopt(
        self, name: bytes, source: Source, path: bytes, descriptor: int, rights: Rights
    ) -> None:
        """Take up a file that a predecessor made here and somebody still writes. *descriptor* is ours from now on."""
        found = Loose(self.key, name, source, path, descriptor, rights, self._fill)
        self.scope.library.loose.adopt(found)

    def receive(self, node: Node, rights: Rights) -> Leaf:
        """Put a file in here; it has one name in all views."""
        if not self.fillable:
            self._refuse()
        asset = meant(self.scope.library, node)
        decide(self.scope.library, self.filling(asset, inside=True), rights)
        return Leaf(asset)

    def link(self, name: bytes, node: Node, rights: Rights) -> Leaf:
        """The same as moving it in."""
        return self.receive(node, rights)

    def unlink(self, name: bytes, rights: Rights) -> None:
        """Take it out. The file stays. Where its stack is listed by another name, this name alone goes."""
        if not self.fillable:
            self._refuse()
        library, loose = self.scope.library, self._loose(name)
        if loose is not None:
            if loose.asset_id is not None:
                asset = _shown(library, loose.asset_id)
                if loose in _listed(library, {loose, *self._about(asset)}):
                    self._take_out(asset, rights)
            library.loose.drop(loose)
            return
        node = self.lookup(name)
        if not isinstance(node, Leaf):
            self._refuse()
        self._take_out(node.asset, rights)

    def _take_out(self, asset: Asset, rights: Rights) -> None:
        library = self.scope.library
        decision = self.filling(asset, inside=False)
        library.bursts.take(library.keeper, self.key, decision, who(rights))

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """An asset: into another folder of the same kind, out of this one; else see `Folder.rename`. What is loose gets that
        name, and is filed if it is a plain one."""
        loose = self._loose(name)
        if loose is None:
            node = self.lookup(name)
            if isinstance(to, Fillable) and isinstance(node, Leaf) and self._left_for(to, flags):
                self._hand_on(meant(self.scope.library, node), to, rights)
            else:
                super().rename(name, to, new_name, flags, rights)
            return
        if flags & EXCHANGE:
            self._refuse()
        if not isinstance(to, Fillable) or not to.fillable:
            if isinstance(to, Assets):
                self._refuse()
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))  # mv copies, and removes it here
        try:
            there = to.lookup(new_name)
        except NotFound:
            there = None
        if there is not None and flags:
            raise Exists(os.fsdecode(new_name))
        library = self.scope.library
        if loose.asset_id is None:
            new = to.key, to._fill
            uploading.rename(library, loose, new, new_name, there, partial(decide, library))
            return
        asset = _shown(library, loose.asset_id)
        if self._left_for(to, flags):
            self._hand_on(asset, to, rights)
        elif to.key != self.key:
            to.receive(Leaf(asset), rights)
        library.loose.moved(loose, to.key, new_name, to._fill)

    def _left_for(self, to: Fillable, flags: int) -> bool:
        """Whether what is moved to that folder leaves this one."""
        alike = self.collects and to.sort == self.sort and to.key != self.key
        return alike and self.fillable and to.fillable and not flags & EXCHANGE

    def _hand_on(self, asset: Asset, to: Fillable, rights: Rights) -> None:
        """In there and out of here, at once: whatever happens, it is in one of the two."""
        moving = to.filling(asset, inside=True), self.filling(asset, inside=False)
        decide(self.scope.library, values.Together(moving), rights)
