"""Folders of answers in which people may make a folder, to put the first thing into it: years, months, countries, cities.

Removing one is refused, as it is of any answer: one that nothing is put into goes with the mount.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.errors import Exists, NotFound

from .fillable import Fillable
from .folders import Folder
from .labels import decoded

if TYPE_CHECKING:
    from havenfs.originals.disk import Rights

    from .nodes import Directory, Leaf, Node


class Awaiting(Folder):
    """Such a folder of folders. What may be made, and what it is called in keys, those who extend this know."""

    __slots__ = ()
    changeable = True

    @property
    def awaited(self) -> list[str]:
        """The last steps of the keys of the folders in here that somebody has made, and on the way to those."""
        return self.scope.library.awaited.below(self.key) if self.fillable else []

    def make(self, name: bytes, key: str) -> str:
        """Let there be a folder of this key; its name. Raises Exists."""
        text = decoded(name)
        try:
            self.child(text)
        except NotFound:
            self.scope.library.awaited.add(key)
            return text
        raise Exists(text)


class Correcting(Fillable):
    """A folder in there, in which what belongs is told by a date or a position: putting a file in sets that."""

    __slots__ = ()
    announced = True

    @property
    def collects(self) -> bool:
        """What is here was taken then or there, whatever else it is in."""
        return False

    @property
    def holds(self) -> bool:
        """Copies of what is known: of a new file nobody knows yet what it says itself, and that is refused at its close."""
        return True

    @property
    def lasting(self) -> bool:
        """The log of changes says what came and left; not that README.txt does, nor what is loose."""
        library = self.scope.library
        return (
            super().lasting
            and self.key not in library.awaited
            and not library.loose.within(self.key)
        )

    def receive(self, node: Node, rights: Rights) -> Leaf:
        """Date or place a file; from now on it is here."""
        received = super().receive(node, rights)
        self.scope.library.awaited.arrived(self.key)
        return received

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """To another such folder, or into one of people's; its name stays."""
        if to.key == self.key:
            self._refuse()
        super().rename(name, to, new_name, flags, rights)
