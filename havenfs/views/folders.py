"""Computed directories: what every one of them shares, and the two plain kinds.

A Folder is a Directory made of conditions (a Scope). Nothing here knows which folders exist: `views.root` says that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from havenfs.catalog import browse, names
from havenfs.errors import NotFound

from .nodes import Leaf, Refusing
from .roll import Roll

if TYPE_CHECKING:
    from collections.abc import Mapping

    from havenfs.entities import Asset
    from havenfs.originals.disk import Rights

    from .files import DiskDirectory
    from .library import Scope
    from .nodes import Directory, Entries, Entry, Node


EXCHANGE = 2  # of renameat2(2)


class Folder(Refusing, ABC):
    """A computed directory: facets resolve in it, though they are not listed."""

    __slots__ = ("scope",)

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    @property
    def key(self) -> str:
        """The path of the folder, with ids in place of names that may change."""
        return self.scope.key

    @property
    def slow(self) -> bool:
        """Only searches are slow."""
        return bool(self.scope.searches)

    @property
    def lasting(self) -> bool:
        """Intersections and searches are too many to announce their changes."""
        return not self.scope.facets and not self.scope.searches

    @property
    def fillable(self) -> bool:
        """Whether people may put things in here."""
        return False

    @property
    def common(self) -> bool:
        """Whether everybody may ask for changes in here, and it is decided case by case who may make them."""
        return False

    @property
    def swallows(self) -> bool:
        """Whether an original that is moved in here leaves its place."""
        return False

    def on_disk(self) -> DiskDirectory | None:
        """The directory of originals that is shown here, for the one computed folder that has one."""
        return None

    @abstractmethod
    def entries(self) -> Entries:
        """What stands here at this moment, in order."""

    @abstractmethod
    def child(self, name: str) -> Node:
        """The entry of this name. Raises NotFound."""

    def lookup(self, name: bytes) -> Node:
        """The entry or the facet of this name. Raises NotFound."""
        try:
            text = name.decode()
        except UnicodeDecodeError:
            raise NotFound(name) from None
        if text.startswith("@") and (facet := self.facet(text.lower())):
            return facet
        return self.child(text)

    def facet(self, name: str) -> Directory | None:
        """The hidden folder that narrows this one, if there is one of that name."""
        open_ = self.scope.library.facets.get(name)
        return open_(self.scope.narrow(name)) if open_ else None

    def receive(self, node: Node, rights: Rights) -> Node:
        """Take a file in. Refused by a folder that is an answer."""
        self._refuse()

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """Into a folder that people fill: it is in there too from now on, and here still. Otherwise refused."""
        node = self.lookup(name)
        if flags & EXCHANGE or not isinstance(to, Folder) or not isinstance(node, Leaf):
            self._refuse()
        to.receive(node, rights)

    def real_name(self, name: bytes) -> bytes:
        """Found by listing: right for folders of folders, which are small."""
        return _respelt(name, [entry for entry, _ in self.entries()])


class Assets(Folder):
    """The assets of a scope, flat."""

    __slots__ = ()

    def entries(self) -> Entries:
        """One leaf an asset, by date."""
        return Roll(self.scope.library.catalog, self.scope.conditions(), _entry, plain=True)

    def child(self, name: str) -> Leaf:
        """The asset of this name, if it is here."""
        return Leaf(self.scope.library.catalog.glance(browse.asset, self.scope.conditions(), name))

    def real_name(self, name: bytes) -> bytes:
        """Found by the index over folded names, however many there are."""
        found = self.scope.library.catalog.glance(
            browse.name_of, self.scope.conditions(), names.fold(name)
        )
        if found is None:
            raise NotFound(name)
        return found.encode()


def _entry(asset: Asset) -> Entry:
    return asset.name.encode(), Leaf(asset)


class Yielding(Assets):
    """An answer that things can be moved out of."""

    __slots__ = ()

    @property
    def fillable(self) -> bool:
        """Only in that things can be taken out."""
        return not self.scope.facets


class Fixed(Folder):
    """A folder whose entries are given: ways on, never assets."""

    __slots__ = ("_entries",)

    def __init__(self, scope: Scope, entries: Mapping[str, Node]) -> None:
        super().__init__(scope)
        self._entries = entries

    def entries(self) -> list[Entry]:
        """The entries given."""
        return [(name.encode(), node) for name, node in self._entries.items()]

    def child(self, name: str) -> Node:
        """The entry given under this name."""
        try:
            return self._entries[name]
        except KeyError:
            raise NotFound(name) from None


def _respelt(name: bytes, candidates: list[bytes]) -> bytes:
    """The one of *candidates* that equals *name*; an exact match wins. Raises NotFound."""
    if name in candidates:
        return name
    wanted = names.fold(name)
    for candidate in candidates:
        if names.fold(candidate) == wanted:
            return candidate
    raise NotFound(name)
