"""Decisions for the programs: agreeing with the journal at the start, and `havenfs undo`. Synchronous."""

from __future__ import annotations

import logging
import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from havenfs.catalog import Catalog
from havenfs.decisions import Keeper, undo as undoing
from havenfs.errors import NotFound, NotJournaled

if TYPE_CHECKING:
    from havenfs.catalog.decided import Operation
    from havenfs.config import State
    from havenfs.decisions.undo import Listed

log = logging.getLogger(__name__)


def agree(catalog: Catalog, state: State) -> None:
    """Bring back what the journal knows and the catalog does not, and the other way round.

    A journal that cannot be written is said, and stops nobody from looking at pictures. Raises NewerState.
    """
    try:
        Keeper(catalog, state.journal).recover()
    except NotJournaled as error:
        log.error("%s; what is decided is in the catalog alone", error)  # noqa: TRY400 -- for the owner


def deliver(catalog: Catalog, state: State) -> None:
    """Bring to the journal what followed edited files; who decided something has waited for that himself."""
    try:
        Keeper(catalog, state.journal).deliver()
    except NotJournaled as error:
        log.warning("%s; the next decision tries again", error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What was decided last, newest first."""

    listed: list[Listed]

    def as_text(self) -> str:
        """A line each."""
        return "\n".join(undoing.as_lines(self.listed)) or "Nothing was decided yet."

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {"operations": [_plain(operation, undone) for operation, undone in self.listed]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What was taken back."""

    operation: Operation | None
    """None: nothing of it held any more."""

    def as_text(self) -> str:
        """One line, with what takes it back in turn."""
        if self.operation is None:
            return "Nothing of that holds any more."
        words = self.operation.words[0].upper() + self.operation.words[1:]
        return f"{words}. To have it again: havenfs undo {self.operation.id[: undoing.SHOWN]}"

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {"operation": _plain(self.operation, undone=False) if self.operation else None}


def last(state: State, limit: int) -> Listing:
    """The newest *limit* operations in *state*."""
    with Catalog(state.catalog) as catalog:
        keeper = Keeper(catalog, state.journal)
        keeper.recover()
        return Listing(listed=keeper.last(limit))


def undo(state: State, operation_id: str | None, *, rest: bool) -> Undone:
    """Take an operation back; without an id the newest that holds and took nothing back itself.

    Files that it moved are moved back. Raises NotFound, Conflict, NotJournaled, and what the disk says.
    """
    from .moves import moving  # originals are touched by this command alone

    with Catalog(state.catalog) as catalog, moving(catalog, state) as mover:
        keeper = Keeper(catalog, state.journal, mover=mover)
        keeper.recover()
        if operation_id is None:
            found = (
                operation.id
                for operation, undone in keeper.last(1000)
                if not undone and operation.kind != undoing.REVERT
            )
            operation_id = next(found, None)
            if operation_id is None:
                raise NotFound("nothing is left to take back")
        by = who(os.getuid())
        return Undone(operation=keeper.revert(operation_id, by=by, rest=rest))


def who(uid: int) -> str:
    """The name of a user."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _plain(operation: Operation, undone: bool) -> dict[str, Any]:  # noqa: FBT001 -- of a pair
    return {
        "id": operation.id,
        "at_ms": operation.at_ms,
        "by": operation.by,
        "kind": operation.kind,
        "words": operation.words,
        "assets": operation.assets,
        "reverts": operation.reverts,
        "undone": undone,
    }
