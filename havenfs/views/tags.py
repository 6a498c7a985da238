"""tags/: those that people give, and in tags/_suggested/<tag>/ what the model in use takes pictures for. Suggestions, so
nothing can be put there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.catalog import browse, tags
from havenfs.catalog.browse import Condition
from havenfs.catalog.names import legal, original
from havenfs.decisions import values
from havenfs.errors import NotFound

from .albums import Tree
from .folders import Assets, Folder

if TYPE_CHECKING:
    from .library import Scope
    from .nodes import Entry, Node

SUGGESTED = "_suggested"


class Tags(Tree):
    """Those that people give, after the suggested ones."""

    __slots__ = ()

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope, values.Folder.TAG, None)

    def entries(self) -> list[Entry]:
        """The suggested ones first."""
        return [(SUGGESTED.encode(), self._suggested()), *super().entries()]

    def child(self, name: str) -> Node:
        """A tag that people gave, or the folder of the suggested ones."""
        return self._suggested() if name == SUGGESTED else super().child(name)

    def _suggested(self) -> Suggested:
        return Suggested(self._top.choose(SUGGESTED))


class Suggested(Folder):
    """A folder a tag that is suggested for anything here."""

    __slots__ = ()

    @property
    def lasting(self) -> bool:
        """The log of changes does not say which tags."""
        return False

    def entries(self) -> list[Entry]:
        """The tags, by name."""
        catalog = self.scope.library.catalog
        found = [(legal(tag), self._pictures(tag)) for tag in catalog.read(tags.suggested)]
        within = self.scope.outer()
        if within:
            found = [
                (name, pictures)
                for name, pictures in found
                if catalog.read(browse.exists, pictures.scope.conditions())
            ]
        return [(name.encode(), pictures) for name, pictures in found]

    def child(self, name: str) -> Pictures:
        """A tag that is not empty."""
        pictures = self._pictures(original(name))
        if not self.scope.library.catalog.read(browse.exists, pictures.scope.conditions()):
            raise NotFound(name)
        return pictures

    def _pictures(self, tag: str) -> Pictures:
        return Pictures(self.scope.choose(tag, Condition("suggested", tag)))


class Pictures(Assets):
    """What one tag is suggested for."""

    __slots__ = ()

    @property
    def lasting(self) -> bool:
        """As in the folder above."""
        return False
