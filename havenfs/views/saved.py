"""saved/<name>/: searches that somebody gave a name. `mkdir saved/QUERY` saves that query; moving `search/QUERY` in gives it a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.catalog import collections
from havenfs.catalog.names import legal, original
from havenfs.decisions import values
from havenfs.errors import InvalidName, InvalidQuery, NotFound

from . import readme
from .deciding import decide
from .folders import EXCHANGE, Folder
from .labels import decoded, given
from .results import Results, parse

if TYPE_CHECKING:
    from havenfs.originals.disk import Rights

    from .nodes import Directory, Entries, Node


class Saved(Folder):
    """A folder a saved search. Unlike search/ it holds only what is saved, so that mkdir can work here."""

    __slots__ = ()
    changeable = True  # queries can be saved here
    announced = False  # names of searches are not in the log of changes

    @property
    def guide(self) -> str:
        """While it is empty."""
        return readme.SAVED

    def entries(self) -> Entries:
        """By name."""
        saved = self.scope.library.catalog.read(collections.saved)
        found = [(legal(name).encode(), self._open(query)) for name, query in saved.items()]
        return self.guided(found)

    def child(self, name: str) -> Results:
        """The answers of today to what was saved by this name."""
        _, query = self._find(name)
        return self._open(query)

    def mkdir(self, name: bytes, mode: int, rights: Rights) -> Node:
        """Save the name as a query. Raises InvalidName when it is none, Exists."""
        text = given(name)
        self._save(original(text), original(text), rights)
        return self.child(text)

    def rmdir(self, name: bytes, rights: Rights) -> None:
        """Forget the search; what it finds is not touched."""
        called, _ = self._find(decoded(name))
        decide(self.scope.library, values.ForgetSearch(name=called), rights)

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """Another name for it. Raises Exists."""
        called, _ = self._find(decoded(name))
        if flags & EXCHANGE or not isinstance(to, Saved):
            self._refuse()
        new = original(given(new_name))
        decide(self.scope.library, values.RenameSearch(name=called, new_name=new), rights)

    def save(self, name: bytes, results: Results, rights: Rights) -> None:
        """Give a search a name. Raises Exists."""
        self._save(original(given(name)), results.text, rights)

    def _save(self, name: str, query: str, rights: Rights) -> None:
        try:
            parse(query)
        except InvalidQuery as error:
            self.scope.library.refusals.append(f"saved/{name}: {error.reason}")
            raise InvalidName(str(error)) from error
        decide(self.scope.library, values.SaveSearch(name=name, query=query), rights)

    def _find(self, name: str) -> tuple[str, str]:
        """What people call the search that is shown so, and its query. Raises NotFound."""
        wanted = legal(name)
        for called, query in self.scope.library.catalog.glance(collections.saved).items():
            if called == wanted or legal(called) == wanted:
                return called, query
        raise NotFound(name)

    def _open(self, query: str) -> Results:
        # By its query: a folder whose search is renamed stays the same one, and another query is another folder.
        return Results(self.scope.choose(query), query, remember=False)
