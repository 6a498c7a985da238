"""Folders that people fill: what putting something in and taking something out decides, whatever sort of folder it is."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from havenfs.catalog import assets, corrections
from havenfs.errors import Conflict, InvalidName, NotFound, ReadOnly

from .folders import Assets
from .nodes import DiskFile, Leaf

if TYPE_CHECKING:
    from havenfs.catalog.corrections import Found
    from havenfs.decisions import Decision
    from havenfs.entities import Asset

    from .disk import Rights
    from .library import Library
    from .nodes import Directory, Node


@runtime_checkable
class Somebody(Protocol):
    """Rights that know whose they are."""

    @property
    def who(self) -> str:
        """The user's name."""
        ...


def decide(library: Library, decision: Decision, rights: Rights) -> bool:
    """Carry a decision out for whoever asks; on return it is on the disk. False: all was as decided. Raises what
    `Keeper.decide` raises."""
    if library.keeper is None:
        raise ReadOnly("nothing can be decided here")
    who = rights.who if isinstance(rights, Somebody) else "somebody"
    return library.keeper.decide(decision, by=who) is not None


def meant(library: Library, node: Node) -> Asset:
    """The asset that a file stands for: its own, or the one that shows its stack. Raises InvalidName when there is none."""
    if isinstance(node, Leaf):
        return library.catalog.read(assets.get, node.asset.id)  # it may have been edited since
    if isinstance(node, DiskFile):
        try:
            return library.catalog.read(assets.shown, node.source.id, node.status.st_ino)
        except NotFound:
            raise InvalidName(
                "no photo, video or document, or one that was not looked at yet"
            ) from None
    raise InvalidName("only photos, videos and documents can be put here")


def as_found(library: Library, asset: Asset) -> Found:
    """What its file says, for who would correct it. Raises Conflict when nobody has looked yet."""
    known = library.catalog.read(corrections.found, asset.id)
    if known.waiting:
        raise Conflict("this file has not been looked at yet: what it says itself is not known")
    return known


class Fillable(Assets):
    """A folder whose assets people choose."""

    __slots__ = ()

    @property
    def fillable(self) -> bool:
        """Behind a facet it is an answer like any other."""
        return not self.scope.facets

    @property
    def collects(self) -> bool:
        """Whether people alone say what is in here. What is moved from one such folder to another leaves the first."""
        return True

    @property
    def lasting(self) -> bool:
        """The log of changes does not say which folder of people's an asset came into or left."""
        return False

    @abstractmethod
    def filling(self, asset: Asset, *, inside: bool) -> Decision:
        """What puts an asset in here, or takes it out."""

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
        """Take it out. The file stays."""
        if not self.fillable:
            self._refuse()
        node = self.lookup(name)
        if not isinstance(node, Leaf):
            self._refuse()
        decide(self.scope.library, self.filling(node.asset, inside=False), rights)

    def moved_out(self, name: bytes, to: Directory, rights: Rights) -> None:
        """What was moved on into another folder of people's leaves this one."""
        both = isinstance(to, Fillable) and self.collects and to.collects
        if both and to.key != self.key:
            self.unlink(name, rights)
