"""Computed directories: what every one of them shares, and the two plain kinds.

A Folder is a Directory made of conditions (a Scope). Nothing here knows which folders exist: `views.root` says that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from havenfs.catalog import browse, names
from havenfs.errors import NotFound

from . import readme
from .nodes import Leaf, Refusing, Text
from .roll import Roll

if TYPE_CHECKING:
    from collections.abc import Mapping

    from havenfs.entities import Asset
    from havenfs.originals.disk import Rights

    from .library import Scope
    from .nodes import Directory, Entries, Entry, Node


EXCHANGE = 2  # of renameat2(2)


class Folder(Refusing, ABC):
    """A computed directory: facets resolve in it, though they are not listed."""

    __slots__ = ("scope",)
    costly: ClassVar[bool] = False
    """Whether a disk is asked here, or much is counted."""
    announced: ClassVar[bool] = True
    """Whether `views.affected` finds in the log of changes which names came and went here."""
    changeable: ClassVar[bool] = False
    """Whether people may put things in here, or take things out."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    @property
    def key(self) -> str:
        """The path of the folder, with ids in place of names that may change."""
        return self.scope.key

    @property
    def slow(self) -> bool:
        """What is costly, and all behind a search."""
        return self.costly or bool(self.scope.searches)

    @property
    def lasting(self) -> bool:
        """Intersections and searches are too many to announce their changes."""
        return self.announced and not self.scope.facets and not self.scope.searches

    @property
    def fillable(self) -> bool:
        """Whether somebody may ask for changes in here. Behind a facet every folder is an answer."""
        return self.changeable and not self.scope.facets

    @property
    def common(self) -> bool:
        """Whether everybody may ask for changes in here, and it is decided case by case who may make them."""
        return False

    @property
    def guide(self) -> str:
        """How people fill it, for README.txt; empty: they do not."""
        return ""

    @property
    def swallows(self) -> bool:
        """Whether an original that is moved in here leaves its place."""
        return False

    def on_disk(self) -> Directory | None:
        """The directory of originals that is shown here, for the one computed folder that has one."""
        return None

    @abstractmethod
    def entries(self) -> Entries:
        """What stands here at this moment, in order."""

    def guided(self, entries: Entries) -> Entries:
        """What people have put here, or README.txt instead of nothing (`readme`)."""
        library, guide = self.scope.library, self.guide
        if not guide or self.scope.facets or len(entries) or library.stirred.lately(self.key):
            return entries
        text = partial(readme.text, guide)
        return [
            (readme.NAME.encode(), Text.of(f"{self.key}/{readme.NAME}", text, fleeting=True)),
        ]

    def stir(self, name: bytes = b"") -> bool:
        """Something is about to be changed here, by this name: README.txt makes way. Whether the name means that alone."""
        if not self.guide:
            return False
        meant = False
        if name == readme.NAME.encode():
            try:
                meant = isinstance(self.lookup(name), Text)
            except NotFound:
                meant = True  # it has made way already
        self.scope.library.stirred.note(self.key)
        return meant

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
        try:
            return self.child(text)
        except NotFound:
            if text == readme.NAME and (found := self.readme()) is not None:
                return found
            raise

    def readme(self) -> Text | None:
        """README.txt, where it is listed: last, because it stands where nothing of people's does."""
        entries = self.entries() if self.guide else ()
        last = entries[len(entries) - 1] if len(entries) else None
        return last[1] if last is not None and isinstance(last[1], Text) else None

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
    changeable = True


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
