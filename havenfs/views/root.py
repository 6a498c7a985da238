"""The top of the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.views.people.persons import People
from havenfs.views.removing.trash import Trash

from .albums import Albums, Favorites
from .by_date import Years
from .duplicates import Duplicates
from .facets import FACETS
from .files import Sources
from .folders import Fixed
from .haven import Haven
from .inbox import Inbox
from .library import Library, Scope
from .places import Countries
from .saved import Saved
from .search import Searches
from .tags import Tags
from .types import Types

if TYPE_CHECKING:
    from havenfs.catalog import Catalog
    from havenfs.decisions import Keeper

    from .library import Searching
    from .nodes import Directory

VIEWS = {
    "files": Sources,
    "inbox": Inbox,
    "by-date": Years,
    "places": Countries,
    "people": People,
    "types": Types,
    "tags": Tags,
    "albums": Albums,
    "favorites": Favorites,
    "search": Searches,
    "saved": Saved,
    "duplicates": Duplicates,
    "trash": Trash,
    ".haven": Haven,
}
"""The folders at the top, in the order in which they are listed. A new view is a module and a line here."""


class Root(Fixed):
    """The top: the folders given."""

    __slots__ = ()
    costly = True  # of inbox/ the attributes are a disk's; seldom asked, because names here are kept long


def open_tree(
    catalog: Catalog,
    searcher: Searching,
    *,
    hidden: tuple[bytes, ...] = (),
    keeper: Keeper | None = None,
) -> Fixed:
    """The root of the tree over a catalog; without a *keeper* nothing can be decided in it.

    *hidden* are real paths that `files/` never enters: the mount point of whoever serves the tree.
    """
    library = Library(catalog, searcher, FACETS, hidden=hidden, keeper=keeper)
    views: dict[str, Directory] = {
        name: view(Scope(library=library, key=name)) for name, view in VIEWS.items()
    }
    return Root(Scope(library=library, key=""), views)
