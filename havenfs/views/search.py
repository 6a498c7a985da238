"""search/<any text>: a folder of the best answers, best first. Also `@search/<any text>` inside any folder.

A lookup of a query parses it, no more: see `results`. The listing of `search/` shows the last queries that somebody opened.
"""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING

from havenfs.catalog import recent
from havenfs.catalog.names import legal, original
from havenfs.errors import Exists, InvalidQuery, NotFound

from .folders import EXCHANGE, Folder
from .nodes import Text
from .probes import is_probe
from .results import Results, parse
from .saved import Saved

if TYPE_CHECKING:
    from havenfs.originals.disk import Rights

    from .nodes import Directory, Entry, Node

README = "README.txt"
RECENT = 20


class Searches(Folder):
    """Where any text is a folder."""

    __slots__ = ()

    def entries(self) -> list[Entry]:
        """The help, then the last queries, newest first."""
        found: list[Entry] = [(README.encode(), self._readme())]
        if self.scope.facets:
            return found  # what was asked of the whole library is no answer here
        seen: set[str] = {README}
        for text in self.scope.library.catalog.read(recent.recent, RECENT):
            name = legal(text)
            if name not in seen and self._understood(name):
                seen.add(name)
                found.append((name.encode(), self._results(name)))
        return found

    def child(self, name: str) -> Node:
        """The answers to *name*. Raises NotFound for what only programs ask, InvalidQuery for what cannot be read."""
        if name.casefold() == README.casefold():
            return self._readme()
        if is_probe(name):
            raise NotFound(name)
        try:
            parse(_meant(name))
        except InvalidQuery as error:
            self.scope.library.refusals.append(f"search/{name}: {error.reason}")
            raise
        return self._results(name)

    def mkdir(self, name: bytes, mode: int, rights: Rights) -> Node:
        """Refused otherwise than elsewhere: every search is there already."""
        raise Exists(os.fsdecode(name))

    def rename(
        self, name: bytes, to: Directory, new_name: bytes, flags: int, rights: Rights
    ) -> None:
        """Into saved/: keeps the query under that name. It stays here too."""
        node = self.lookup(name)
        if not isinstance(to, Saved) or not isinstance(node, Results) or flags & EXCHANGE:
            self._refuse()
        to.save(new_name, node, rights)

    def real_name(self, name: bytes) -> bytes:
        """Any spelling is the name, except that of a probe."""
        self.lookup(name)
        return README.encode() if name.lower() == README.lower().encode() else name

    def _understood(self, name: str) -> bool:
        try:
            parse(_meant(name))
        except InvalidQuery:
            return False
        return not is_probe(name)

    def _results(self, name: str) -> Results:
        return Results(self.scope.choose(name), _meant(name))

    def _readme(self) -> Text:
        return Text.of(f"{self.scope.key}/{README}", _help)


def _help() -> bytes:
    from havenfs import query  # see parse

    return query.help_text().encode()


def _meant(name: str) -> str:
    """The text that a name in the listing stands for: a file name cannot hold ? or :."""
    return original(unicodedata.normalize("NFC", name))
