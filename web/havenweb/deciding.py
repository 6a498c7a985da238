"""Having something decided: asked of the mount, which alone may, and told in the words of what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from havenfs.catalog import decided
from havenfs.decisions import asking
from havenfs.errors import NotFound, NotJournaled, NotRunning, ReadOnly

if TYPE_CHECKING:
    from havenfs.catalog.catalog import Connection
    from havenweb.library import Library

DOOR = "web page"
RAISES = (NotFound, ReadOnly, NotJournaled, NotRunning)


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided."""

    id: str | None
    """The operation that was recorded, to be taken back; None: there was nothing to be done."""
    words: str
    """What was done, in words."""


def ask(library: Library, what: asking.What, *, otherwise: str) -> Done:
    """Have it done; *otherwise* are the words where there was nothing to be done. Raises RAISES, and what doing it raises."""
    done = asking.ask(library.state.deciding, asking.Question(what=what, door=DOOR))
    if done is None:
        return Done(id=None, words=otherwise)
    return Done(id=done, words=library.catalog.read(_words, done))


def _words(db: Connection, operation_id: str) -> str:
    return next((found.words for found in decided.many(db, [operation_id])), "")
