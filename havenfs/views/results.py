"""The answers to one query as a folder, best first; a search runs when it is listed or something in it is looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from havenfs.catalog import browse, recent
from havenfs.errors import NotFound

from .folders import Folder
from .library import MANY
from .nodes import Leaf
from .probes import is_probe

if TYPE_CHECKING:
    from .library import Scope
    from .nodes import Directory, Entry, Node

SHOWN = 200  # hits in a listing, unless the query says `limit=`
SETTLE_S = 5.0  # a file manager looks up what it has listed; while a library fills, each would be another search


class Results(Folder):
    """The answers to one query, best first."""

    __slots__ = ("_remember", "text")
    costly = True  # a search runs in here
    announced = False  # answers move with every picture that is indexed

    def __init__(self, scope: Scope, text: str, *, remember: bool = True) -> None:
        super().__init__(scope)
        self.text = text
        self._remember = remember

    def entries(self) -> list[Entry]:
        """One leaf a hit. Remembers the query when it was asked of the whole library."""
        leaves = self.leaves()
        library = self.scope.library
        remember = self._remember and not self.scope.facets
        if remember and library.catalog.read(recent.recent, 1) != [self.text]:
            library.catalog.attempt(recent.add, self.text)  # an answer matters more than its memory
        return [(leaf.asset.name.encode(), leaf) for leaf in leaves]

    def child(self, name: str) -> Leaf:
        """The hit of this name. Names that no asset has never run the search."""
        if is_probe(name):
            raise NotFound(name)
        self.scope.library.catalog.read(browse.asset, (), name)
        for leaf in self.leaves(settle_s=SETTLE_S):
            if leaf.asset.name == name:
                return leaf
        raise NotFound(name)

    def facet(self, name: str) -> Directory | None:
        """@ranked numbers the answers; the other facets narrow them."""
        inside = replace(
            self.scope, searches=(*self.scope.searches, (self.text, self.scope.negated))
        )
        if name == "@ranked":
            return Ranked(inside.narrow(name), self)
        open_ = self.scope.library.facets.get(name)
        return open_(inside.narrow(name)) if open_ else None

    def leaves(self, *, settle_s: float = 0.0) -> list[Leaf]:
        """The hits that are visible and pass the conditions around, best first; behind @not, all others."""
        catalog = self.scope.library.catalog
        hits = self.scope.library.answer(
            self.text, MANY if self.scope.facets else SHOWN, settle_s=settle_s
        ).hits
        among = replace(browse.among([hit.asset_id for hit in hits]), negated=self.scope.negated)
        found = catalog.read(browse.assets, (*self.scope.outer(), among))
        if self.scope.negated:
            return [Leaf(asset) for asset in found]
        known = {asset.id: asset for asset in found}
        return [Leaf(known[hit.asset_id], hit) for hit in hits if hit.asset_id in known]


class Ranked(Folder):
    """The answers with their rank before the name, for programs that sort by name: `001 IMG_0042.jpg`."""

    __slots__ = ("_results",)
    costly = True  # a search runs in here

    def __init__(self, scope: Scope, results: Results) -> None:
        super().__init__(scope)
        self._results = results

    def entries(self) -> list[Entry]:
        """The answers, numbered from 1, all numbers of one width."""
        leaves = self._results.leaves()
        width = max(3, len(str(len(leaves))))
        return [
            (f"{rank:0{width}} {leaf.asset.name}".encode(), leaf)
            for rank, leaf in enumerate(leaves, start=1)
        ]

    def child(self, name: str) -> Node:
        """The answer of this rank and name."""
        for entry, leaf in self.entries():
            if entry == name.encode():
                return leaf
        raise NotFound(name)


def parse(text: str) -> None:
    """Whether a text can be read as a query: raises InvalidQuery if not. The language is loaded by the first query: 10 ms that the first `ls` need not wait for."""
    from havenfs import query

    query.parse(text, path=True)
