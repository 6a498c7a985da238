"""A directory as it was when it was opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from havenfs.views.nodes import Directory, Entries


class Listing(Struct):
    """A snapshot. An entry's place in it is its cookie, good for the life of the handle whatever changes meanwhile."""

    nodeid: int
    directory: Directory
    entries: Entries
    generation: int
    """Of the library (`Operations.generation`) when it was taken."""

    @property
    def keep(self) -> bool:
        """Whether the kernel may keep the listing: every change of it is announced."""
        return self.directory.lasting
