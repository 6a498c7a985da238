"""tags/: those that people give, in tags/_untagged/ what has none, and in tags/_suggested/<tag>/ what the model in use takes
pictures for. Suggestions, so nothing can be put there, only refused or taken on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.catalog import browse, tags
from havenfs.catalog.browse import Condition
from havenfs.catalog.names import legal, original
from havenfs.decisions import values
from havenfs.errors import NotFound

from .albums import Tree
from .deciding import who
from .folders import Folder, Yielding
from .nodes import Leaf

if TYPE_CHECKING:
    from havenfs.originals.disk import Rights

    from .library import Scope
    from .nodes import Directory, Entries, Entry, Node

SUGGESTED, UNTAGGED = "_suggested", "_untagged"


class Tags(Tree):
    """Those that people give, after the suggested ones."""

    __slots__ = ()

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope, values.Folder.TAG, None)

    def entries(self) -> Entries:
        """The suggested ones and what has none first."""
        own = [(name.encode(), folder) for name, folder in self._own().items()]
        return [*own, *super().entries()]

    def child(self, name: str) -> Node:
        """A tag that people gave, or one of our own folders."""
        return self._own().get(name) or super().child(name)

    def _own(self) -> dict[str, Directory]:
        untagged = self._top.choose(UNTAGGED, Condition("untagged"))
        return {SUGGESTED: Suggested(self._top.choose(SUGGESTED)), UNTAGGED: Untagged(untagged)}


class Untagged(Yielding):
    """What people gave no tag. Moving something to a tag takes it out of here."""

    __slots__ = ()
    announced = False  # the log of changes does not say what has a tag


class Suggested(Folder):
    """A folder a tag that is suggested for anything here."""

    __slots__ = ()
    announced = False  # the log of changes does not say which tags

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
        return Pictures(self.scope.choose(tag, Condition("suggested", tag)), tag)


class Pictures(Yielding):
    """What one tag is suggested for. Removing a file says no to that; moving it to a tag says yes."""

    __slots__ = ("_tag",)
    announced = False  # as in the folder above

    def __init__(self, scope: Scope, tag: str) -> None:
        super().__init__(scope)
        self._tag = tag

    def unlink(self, name: bytes, rights: Rights) -> None:
        """Say no to the suggestion. The file stays."""
        node = self.lookup(name)
        if not self.fillable or not isinstance(node, Leaf):
            self._refuse()
        refusal = values.RefuseTag(contents=(node.asset.hash,), tag=self._tag)
        library = self.scope.library
        library.bursts.take(library.keeper, self.key, refusal, who(rights))
