"""A directory on disk as a listing: its names, read at once, and the attributes of each as they are reached.

Whoever lists ten thousand files waits for the first ones only, and pays for a node only where one is needed. An entry's
index is its own for the life of the listing; what has left the directory since is None.

Threading: any thread; two that read one listing at once may ask the disk twice.
"""

# Names of originals are bytes and go with dir_fd: pathlib knows neither.
from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.originals import disk

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterator, Sequence

    from havenfs.entities import Source

    from .nodes import Entry, Node

PAGE = 128  # attributes asked for at a time: a third of a millisecond while the disk has them in memory


class Inventory:
    """What lies in a directory of originals, by name."""

    __slots__ = ("_directory", "_names", "_node", "_page", "source")

    def __init__(
        self,
        source: Source,
        path: bytes,
        node: Callable[[bytes, os.stat_result], Node | None],
        hidden: Collection[bytes],
    ) -> None:
        """*node* makes an entry of a name and its lstat, None for what is not to be shown; *hidden* are names that must
        not even be asked for: our own mount, which would ask us."""
        self.source = source
        self._node = node
        self._directory, names = disk.names_in(source, path)
        self._names = [name for name in names if name not in hidden] if hidden else names
        self._page: tuple[int, Sequence[os.stat_result | None]] = (-1, ())

    def __len__(self) -> int:
        """How many names there were; no more are left."""
        return len(self._names)

    def __getitem__(self, index: int, /) -> Entry | None:
        """The entry at *index*, from 0; None when it has left since. Raises IndexError, SourceGone."""
        name, status = self._names[index], self._fetched(index - index % PAGE)[index % PAGE]
        node = self._node(name, status) if status is not None else None
        return (name, node) if node is not None else None

    def __iter__(self) -> Iterator[Entry]:
        """The entries that are still here."""
        for index in range(len(self)):
            entry = self[index]
            if entry is not None:
                yield entry

    def statuses(self, index: int) -> Iterator[tuple[bytes, os.stat_result | None]]:
        """Name and lstat of the rest of a page from *index* on, without making nodes. Raises SourceGone."""
        start = index - index % PAGE
        page = self._fetched(start)[index - start :]
        return zip(self._names[index : start + PAGE], page, strict=True)

    def _fetched(self, start: int) -> Sequence[os.stat_result | None]:
        begun, page = self._page
        if begun != start:
            page = disk.statuses(self._directory, self._names[start : start + PAGE])
            self._page = start, page
        return page
