"""The kinds of node in the tree.

A Directory lists entries and looks names up; a Leaf is an asset under its name; a Text is written on demand; a DiskFile
is what `files/` shows that is no directory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from havenfs.errors import NotPermitted

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from typing import NoReturn

    from havenfs.entities import Asset, Hit, Source
    from havenfs.originals.disk import Rights


class Leaf(Struct, frozen=True):
    """An asset under its name. Its attributes are the catalog's; its bytes are the original's."""

    asset: Asset
    hit: Hit | None = None
    """Set where a search listed it."""


class Text(Struct, frozen=True):
    """A small file whose bytes are made when they are asked for."""

    key: str
    render: Callable[[], bytes]
    size: int
    """Bytes when it was looked up; the next rendering may have more."""
    fleeting: bool = False
    """It stands in for what is not there yet, and makes way for whatever people put in its place (`readme`)."""
    mtime_ns: int | None = None
    """Of what it is made of, where that has a time of its own."""

    @classmethod
    def of(
        cls,
        key: str,
        render: Callable[[], bytes],
        *,
        fleeting: bool = False,
    ) -> Text:
        """The text as it is now. Renders it, to know its size."""
        return cls(key, render, len(render()), fleeting)


class DiskFile(Struct, frozen=True):
    """What is no directory: a file, a symlink, a socket."""

    source: Source
    path: bytes
    """Relative to the source's root."""
    status: os.stat_result
    """lstat of the moment it was looked up."""


class Entries(Protocol):
    """A listing as it was when it was asked for: a list, a Roll where it may be long, an Inventory of a directory on disk."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Entry]:
        """The entries, without those that have left since."""
        ...

    def __getitem__(self, index: int, /) -> Entry | None:
        """The entry at an index, which is its own for the life of the listing; None when it has left since."""
        ...


class Directory(Protocol):
    """A folder of the tree."""

    @property
    def key(self) -> str:
        """Names this folder, and no other, for as long as it means the same."""
        ...

    @property
    def slow(self) -> bool:
        """Whether listing or looking up may take longer than a point read: a search, a disk that sleeps."""
        ...

    @property
    def lasting(self) -> bool:
        """Whether every change of its names is announced (`views.affected`), so that they may be kept long."""
        ...

    def entries(self) -> Entries:
        """What stands here at this moment, in order."""
        ...

    def lookup(self, name: bytes) -> Node:
        """The node of exactly this name. Raises NotFound and what opening it raises."""
        ...

    def real_name(self, name: bytes) -> bytes:
        """How the entry is spelt whose name equals *name* but for case and Unicode form. Raises NotFound."""
        ...

    # Changes, each done with the *rights* of whoever asks. A place where one has no meaning refuses it (`Refusing`).

    def create(self, name: bytes, flags: int, mode: int, rights: Rights) -> tuple[DiskFile, int]:
        """Make or open a regular file; the node and a descriptor, which the caller closes."""
        ...

    def create_unnamed(self, flags: int, mode: int, rights: Rights) -> tuple[DiskFile, int]:
        """Make a file without a name (O_TMPFILE)."""
        ...

    def mkdir(self, name: bytes, mode: int, rights: Rights) -> Node:
        """Make a directory."""
        ...

    def mknod(self, name: bytes, mode: int, rdev: int, rights: Rights) -> Node:
        """Make a file, a FIFO, a socket or a device node."""
        ...

    def symlink(self, name: bytes, target: bytes, rights: Rights) -> Node:
        """Make a symlink."""
        ...

    def link(self, name: bytes, node: Node, rights: Rights) -> Node:
        """Give a file one more name, in here."""
        ...

    def unlink(self, name: bytes, rights: Rights) -> None:
        """Remove what is no directory."""
        ...

    def rmdir(self, name: bytes, rights: Rights) -> None:
        """Remove a directory."""
        ...

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """Move an entry to another directory, as renameat2(2) does."""
        ...


class Refusing:
    """Changes in a place that is an answer: nobody may, by its nature (TREE.md, operations and errno)."""

    __slots__ = ()

    def _refuse(self) -> NoReturn:
        raise NotPermitted("this folder is an answer, not a place to keep things")

    def create(self, name: bytes, flags: int, mode: int, rights: Rights) -> tuple[DiskFile, int]:
        """Refused."""
        self._refuse()

    def create_unnamed(self, flags: int, mode: int, rights: Rights) -> tuple[DiskFile, int]:
        """Refused."""
        self._refuse()

    def mkdir(self, name: bytes, mode: int, rights: Rights) -> Node:
        """Refused."""
        self._refuse()

    def mknod(self, name: bytes, mode: int, rdev: int, rights: Rights) -> Node:
        """Refused."""
        self._refuse()

    def symlink(self, name: bytes, target: bytes, rights: Rights) -> Node:
        """Refused."""
        self._refuse()

    def link(self, name: bytes, node: Node, rights: Rights) -> Node:
        """Refused."""
        self._refuse()

    def unlink(self, name: bytes, rights: Rights) -> None:
        """Refused."""
        self._refuse()

    def rmdir(self, name: bytes, rights: Rights) -> None:
        """Refused."""
        self._refuse()

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """Refused by the place that would lose the name."""
        self._refuse()


if TYPE_CHECKING:
    Node = Directory | Leaf | Text | DiskFile
    """Whatever stands in a directory."""
    Entry = tuple[bytes, Node]
    """A name and its node."""
