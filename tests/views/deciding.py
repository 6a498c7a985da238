"""A tree in which things can be decided, asked by path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from havenfs.decisions import Keeper
from havenfs.retrieval.search import Searcher
from havenfs.views import open_tree

if TYPE_CHECKING:
    from havenfs.views.nodes import Node


class Somebody:
    """Rights of a user."""

    who = "tester"


class Deciding:
    """The tree of a library, without a kernel."""

    def __init__(self, shelf: Any) -> None:
        self.catalog = shelf.catalog
        self.keeper = Keeper(shelf.catalog, shelf.state.journal)
        self.tree = open_tree(shelf.catalog, Searcher(shelf.catalog, None), keeper=self.keeper)
        self.rights: Any = Somebody()

    def at(self, path: str) -> Any:
        """What stands at a path. Raises NotFound."""
        node: Node = self.tree
        for step in path.split("/"):
            node = node.lookup(step.encode())  # type: ignore[union-attr]
        return node
