"""The kinds of node in the tree, and what every computed folder shares.

A Directory lists entries and looks names up; a Leaf is an asset under its name; a Text is written on demand; a DiskFile
is what `files/` shows that is no directory. A Folder is a Directory made of conditions (a Scope), so that facets can narrow
it further. Nothing here knows which folders exist: `views.root` says that.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from havenfs.catalog import browse, names
from havenfs.errors import NotFound, NotPermitted, TooDeep

from .roll import Roll

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping
    from typing import NoReturn

    from havenfs.catalog import Catalog
    from havenfs.catalog.browse import Condition
    from havenfs.entities import Asset, Hit, Source
    from havenfs.retrieval.search import Answer

    from .disk import Rights

MAX_FACETS = (
    8  # deeper than any question a person asks, shallow enough to end a program that recurses
)
REMEMBERED = 16  # answers kept, for the lookups that follow a listing


@dataclass(frozen=True, slots=True)
class Leaf:
    """An asset under its name. Its attributes are the catalog's; its bytes are the original's."""

    asset: Asset
    hit: Hit | None = None
    """Set where a search listed it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A small file whose bytes are made when they are asked for."""

    key: str
    render: Callable[[], bytes]
    size: int
    """Bytes when it was looked up; the next rendering may have more."""

    @classmethod
    def of(cls, key: str, render: Callable[[], bytes]) -> Text:
        """The text as it is now. Renders it, to know its size."""
        return cls(key, render, len(render()))


@dataclass(frozen=True, slots=True)
class DiskFile:
    """What is no directory: a file, a symlink, a socket."""

    source: Source
    path: bytes
    """Relative to the source's root."""
    status: os.stat_result
    """lstat of the moment it was looked up."""


class Entries(Protocol):
    """A listing as it was when it was asked for: a list, or a Roll where it may be long."""

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


class Searching(Protocol):
    """What answers queries: havenfs.retrieval.search.Searcher, or something that loads it late."""

    def search(self, text: str, /, *, limit: int, path: bool = False) -> Answer:
        """The answer. *path*: the text is the name of a folder. Raises InvalidQuery."""
        ...


class Library:
    """What the folders draw from: the catalog, the searcher and a few remembered answers."""

    def __init__(
        self,
        catalog: Catalog,
        searcher: Searching,
        facets: Mapping[str, Callable[[Scope], Directory]],
        *,
        hidden: tuple[bytes, ...] = (),
    ) -> None:
        self.catalog = catalog
        self.searcher = searcher
        self.facets = facets
        """Facet, with its @, in lower case -> the folder that it opens on a scope."""
        self.hidden = hidden
        """Real paths that `files/` never enters: our own mount point."""
        self.refusals: deque[str] = deque(maxlen=50)
        """Queries that could not be understood, newest last; shown in .haven/errors."""
        self._answers: dict[tuple[str, int], tuple[float, Answer]] = {}

    def answer(self, text: str, limit: int, *, settle_s: float = 0.0) -> Answer:
        """The answer to a query. One that is younger than *settle_s* will do, though the library has changed since.

        Raises InvalidQuery.
        """
        now = time.monotonic()
        asked, known = self._answers.get((text, limit), (-settle_s, None))
        if known is not None and now - asked < settle_s:
            return known
        found = self.searcher.search(text, limit=limit, path=True)
        self._answers.pop((text, limit), None)
        self._answers[text, limit] = now, found
        for oldest in list(self._answers)[:-REMEMBERED]:
            self._answers.pop(oldest, None)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a folder is about: conditions that are settled, and the one that it refines."""

    library: Library
    key: str
    settled: tuple[Condition, ...] = ()
    """Of the facets to the left."""
    choice: Condition | None = None
    """Of this view, so far: a year, then a month."""
    searches: tuple[tuple[str, bool], ...] = ()
    """(query, negated) of the searches to the left: run when the folder is listed, not before."""
    negated: bool = False
    """Whether the view stands behind @not."""
    facets: int = 0

    def choose(self, key: str, choice: Condition | None = None) -> Scope:
        """One level further down in the same view."""
        return replace(self, key=f"{self.key}/{key}", choice=choice or self.choice)

    def narrow(self, facet: str) -> Scope:
        """The start of another view within this one. Raises TooDeep."""
        if self.facets >= MAX_FACETS:
            raise TooDeep(f"{self.key}/{facet}: more than {MAX_FACETS} facets")
        return replace(
            self,
            key=f"{self.key}/{facet}",
            settled=self._with_choice(),
            choice=None,
            negated=False,
            facets=self.facets + 1,
        )

    def outer(self) -> tuple[Condition, ...]:
        """The conditions around this view; runs the searches among them."""
        return (*self.settled, *self._found())

    def conditions(self) -> tuple[Condition, ...]:
        """All conditions of the folder; runs the searches among them."""
        return (*self._with_choice(), *self._found())

    def within(self) -> tuple[Condition, ...]:
        """The conditions under which subfolders are offered: behind @not, what one may still exclude."""
        return (*self.outer(), self.choice) if self.choice else self.outer()

    def _with_choice(self) -> tuple[Condition, ...]:
        if self.choice is None:
            return self.settled
        if self.choice.negated == self.negated:
            return (*self.settled, self.choice)
        return (*self.settled, replace(self.choice, negated=self.negated))

    def _found(self) -> tuple[Condition, ...]:
        return tuple(
            replace(
                browse.among([hit.asset_id for hit in self.library.answer(text, MANY).hits]),
                negated=negated,
            )
            for text, negated in self.searches
        )


MANY = 5000  # hits that a search contributes to an intersection, where its listing shows 200


class Folder(Refusing, ABC):
    """A computed directory: facets resolve in it, though they are not listed."""

    __slots__ = ("scope",)

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    @property
    def key(self) -> str:
        """The path of the folder, with ids in place of names that may change."""
        return self.scope.key

    @property
    def slow(self) -> bool:
        """Only searches are slow."""
        return bool(self.scope.searches)

    @property
    def lasting(self) -> bool:
        """Intersections and searches are too many to announce their changes."""
        return not self.scope.facets and not self.scope.searches

    @abstractmethod
    def entries(self) -> Entries:
        """What stands here at this moment, in order."""

    @abstractmethod
    def child(self, name: str) -> Node:
        """The entry of this name. Raises NotFound."""

    def lookup(self, name: bytes) -> Node:
        """The entry or the facet of this name. Raises NotFound."""
        try:
            text = name.decode()
        except UnicodeDecodeError:
            raise NotFound(name) from None
        if text.startswith("@") and (facet := self.facet(text.lower())):
            return facet
        return self.child(text)

    def facet(self, name: str) -> Directory | None:
        """The hidden folder that narrows this one, if there is one of that name."""
        open_ = self.scope.library.facets.get(name)
        return open_(self.scope.narrow(name)) if open_ else None

    def real_name(self, name: bytes) -> bytes:
        """Found by listing: right for folders of folders, which are small."""
        return respelt(name, [entry for entry, _ in self.entries()])


class Assets(Folder):
    """The assets of a scope, flat."""

    __slots__ = ()

    def entries(self) -> Roll:
        """One leaf an asset, by date."""
        return Roll(self.scope.library.catalog, self.scope.conditions(), _entry, plain=True)

    def child(self, name: str) -> Leaf:
        """The asset of this name, if it is here."""
        return Leaf(self.scope.library.catalog.glance(browse.asset, self.scope.conditions(), name))

    def real_name(self, name: bytes) -> bytes:
        """Found by the index over folded names, however many there are."""
        found = self.scope.library.catalog.glance(
            browse.name_of, self.scope.conditions(), fold(name)
        )
        if found is None:
            raise NotFound(name)
        return found.encode()


def _entry(asset: Asset) -> Entry:
    return asset.name.encode(), Leaf(asset)


class Fixed(Folder):
    """A folder whose entries are given: ways on, never assets."""

    __slots__ = ("_entries",)

    def __init__(self, scope: Scope, entries: Mapping[str, Node]) -> None:
        super().__init__(scope)
        self._entries = entries

    def entries(self) -> list[Entry]:
        """The entries given."""
        return [(name.encode(), node) for name, node in self._entries.items()]

    def child(self, name: str) -> Node:
        """The entry given under this name."""
        try:
            return self._entries[name]
        except KeyError:
            raise NotFound(name) from None


def fold(name: bytes) -> str:
    """The form in which names are equal that differ in case or Unicode form only."""
    return names.key(name.decode(errors="surrogateescape"))


def respelt(name: bytes, candidates: list[bytes]) -> bytes:
    """The one of *candidates* that equals *name*; an exact match wins. Raises NotFound."""
    if name in candidates:
        return name
    wanted = fold(name)
    for candidate in candidates:
        if fold(candidate) == wanted:
            return candidate
    raise NotFound(name)


if TYPE_CHECKING:
    Node = Directory | Leaf | Text | DiskFile
    """Whatever stands in a directory."""
    Entry = tuple[bytes, Node]
    """A name and its node."""
