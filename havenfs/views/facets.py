"""The hidden folders @… that narrow any folder: `by-date/2019/@places/Italy/@search/on a boat`, left to right.

They resolve in any case and are never listed, so that a program that recurses does not walk the product of all views.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from havenfs.catalog.browse import ALL_FILES, Condition
from havenfs.errors import NotFound
from havenfs.views.people.persons import People

from .all_files import AllFiles
from .by_date import Years
from .folders import Folder
from .places import Countries
from .search import Searches
from .tags import Tags
from .types import Types

if TYPE_CHECKING:
    from collections.abc import Callable

    from .library import Scope
    from .nodes import Directory, Entry, Node


class Not(Folder):
    """@not: the facet that follows excludes what it otherwise selects. `@not/@types/videos`."""

    __slots__ = ()

    def entries(self) -> list[Entry]:
        """Nothing: the facets in here are hidden like everywhere."""
        return []

    def child(self, name: str) -> Node:
        """There is none."""
        raise NotFound(name)

    def facet(self, name: str) -> Directory | None:
        """The facet, behind @not. Excluding everything, or nothing twice over, is no question."""
        open_ = self.scope.library.facets.get(name)
        if open_ is None or name in ("@not", "@all-files"):
            return None
        return open_(replace(self.scope.narrow(name), negated=True))


def _all_files(scope: Scope) -> Directory:
    """Every member of the stacks that stand here, and what lies beside them."""
    return AllFiles(replace(scope, choice=Condition(ALL_FILES)))


FACETS: dict[str, Callable[[Scope], Directory]] = {
    "@people": People,
    "@places": Countries,
    "@tags": Tags,
    "@by-date": Years,
    "@types": Types,
    "@search": Searches,
    "@not": Not,
    "@all-files": _all_files,
}
"""The facets of every folder; `@ranked` is one of search results alone."""
