"""albums/<a>/<b>/ and tags/<a>/<b>/, which people make and fill, and favorites/."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from havenfs.catalog import browse, collections
from havenfs.catalog.browse import Condition
from havenfs.decisions import new_uid, values
from havenfs.errors import Exists, NotEmpty, NotFound

from . import readme
from .deciding import decide, who
from .fillable import Fillable
from .folders import EXCHANGE, Folder
from .labels import found, given, shown, written
from .nodes import Leaf

if TYPE_CHECKING:
    from havenfs.catalog.collections import Collection
    from havenfs.entities import Asset
    from havenfs.originals.disk import Rights

    from .library import Scope
    from .nodes import Directory, Entries, Entry, Node


class Favorites(Fillable):
    """favorites: flat."""

    __slots__ = ()

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope.choose("", Condition("favorite")))

    @property
    def guide(self) -> str:
        """While it is empty."""
        return readme.FAVORITES

    def filling(self, asset: Asset, *, inside: bool) -> values.SetFavorite:
        """A favorite, or none any more."""
        return values.SetFavorite(contents=(asset.hash,), favorite=inside)


class Tree(Fillable):
    """An album or a tag, with those that stand in it; or the top, which holds no assets itself."""

    __slots__ = ("_collection", "_kind", "_top")

    def __init__(self, top: Scope, kind: values.Folder, collection: Collection | None) -> None:
        chosen = Condition("nothing")
        if collection is not None:
            chosen = Condition("collected", collection.uid)
        # By its uid alone: a folder that is moved stays the same one.
        super().__init__(top.choose(collection.uid if collection else "", chosen))
        self._top, self._kind, self._collection = top, kind, collection

    @property
    def holds(self) -> bool:
        """Not the top."""
        return self._uid is not None

    @property
    def guide(self) -> str:
        """While it is empty."""
        if self._kind is values.Folder.TAG:
            return readme.TAG if self.holds else readme.TAGS
        return readme.ALBUM if self.holds else readme.ALBUMS

    def entries(self) -> Entries:
        """Folders by name, then assets by date."""
        catalog = self.scope.library.catalog
        folders: list[Entry] = [
            (shown(collection.name).encode(), self._open(collection))
            for collection in catalog.read(collections.below, self._kind, self._uid)
        ]
        taken = {name for name, _ in folders}
        leaves = (
            (asset.name.encode(), Leaf(asset))
            for asset in catalog.read(browse.assets, self.scope.conditions())
        )
        own = [*folders, *(entry for entry in leaves if entry[0] not in taken)]
        return self.guided(self.with_loose(own))

    def child(self, name: str) -> Node:  # type: ignore[override]  # as above
        """A folder in here, else an asset."""
        glance, here = self.scope.library.catalog.glance, (self._kind, self._uid)
        try:
            folder = found(
                name,
                lambda called: glance(collections.named, *here, called),
                lambda: glance(collections.below, *here),
            )
        except NotFound:
            return super().child(name)
        return self._open(folder)

    def real_name(self, name: bytes) -> bytes:
        """Found by listing, because folders stand here too, and what is loose."""
        return Folder.real_name(self, name)

    def filling(self, asset: Asset, *, inside: bool) -> values.Fill:
        """In, or out."""
        if self._uid is None:
            self._refuse()
        return values.Fill(uid=self._uid, contents=(asset.hash,), inside=inside)

    def mkdir(self, name: bytes, mode: int, rights: Rights) -> Node:
        """A new album or tag in here."""
        if not self.fillable:
            self._refuse()
        uid, text = new_uid(), given(name)
        decide(
            self.scope.library,
            values.MakeFolder(uid=uid, folder=self._kind, name=written(text), parent=self._uid),
            rights,
        )
        return self.child(text)

    def rmdir(self, name: bytes, rights: Rights) -> None:
        """Remove one that shows nothing, or not any more: with what was taken out of it just now. Raises NotEmpty."""
        library, uid = self.scope.library, self._folder(name)
        below = self._open(library.catalog.read(collections.get, uid))
        loose = library.loose.within(below.key)
        # Of what is filed the catalog says whether it is in there.
        if any(one.pending for one in loose.values()):
            raise NotEmpty(os.fsdecode(name))
        library.bursts.dissolve(
            library.keeper,
            below.key,
            self.key,
            values.RemoveFolder(uid=uid, filled=True),
            who(rights),
            first=partial(collections.removable, uid=uid),
        )
        for one in loose.values():
            library.loose.drop(one)

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """A folder: another name or place; a tag onto a tag: one. An asset: out of here and into the other one."""
        node = self.lookup(name)
        if not isinstance(node, Tree):
            super().rename(name, to, new_name, flags, rights)
            return
        if flags & EXCHANGE or not isinstance(to, Tree) or to._kind is not self._kind:
            self._refuse()
        uid = self._folder(name)
        new = written(given(new_name))
        try:
            there = to.lookup(new_name)
        except NotFound:
            there = None
        decision: values.MergeFolders | values.MoveFolder
        if isinstance(there, Tree) and there._uid not in (None, uid):
            if flags or self._kind is not values.Folder.TAG:
                raise Exists(new)
            decision = values.MergeFolders(uid=uid, into=there._uid or "")
        else:
            decision = values.MoveFolder(uid=uid, name=new, parent=to._uid)
        decide(self.scope.library, decision, rights)

    @property
    def _uid(self) -> str | None:
        return self._collection.uid if self._collection else None

    def _open(self, collection: Collection) -> Tree:
        return Tree(self._top, self._kind, collection)

    def _folder(self, name: bytes) -> str:
        node = self.lookup(name)
        if not self.fillable or not isinstance(node, Tree) or node._uid is None:
            self._refuse()
        return node._uid


class Albums(Tree):
    """albums."""

    __slots__ = ()

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope, values.Folder.ALBUM, None)
