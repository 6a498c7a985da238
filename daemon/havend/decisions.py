"""Decisions for the programs: agreeing with the journal at the start, and `havenfs undo`. Synchronous."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from havenfs.catalog import Catalog, guarded
from havenfs.decisions import Keeper, undo as undoing, values
from havenfs.errors import NotFound, NotJournaled

from . import credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.catalog.decided import Operation
    from havenfs.config import State
    from havenfs.decisions.undo import Listed
    from havenfs.entities import Source

log = logging.getLogger(__name__)

MANY = 100_000
"""Operations that are looked through for those of a burst: more than the log keeps."""
REMOVALS = (values.Trash.__name__, values.DiscardCopy.__name__)


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


class Listing(Struct, frozen=True, kw_only=True):
    """What was decided last, newest first."""

    listed: list[Listed]

    def as_text(self) -> str:
        """A line each."""
        return "\n".join(undoing.as_lines(self.listed)) or "Nothing was decided yet."

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {"operations": [_plain(operation, undone) for operation, undone in self.listed]}


class Undone(Struct, frozen=True, kw_only=True):
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


class BroughtBack(Struct, frozen=True, kw_only=True):
    """What the guard had stopped, taken back."""

    who: str
    operations: int

    def as_text(self) -> str:
        """One line."""
        return f"Took back {self.operations} operations of {self.who}: what was removed is at its place again."

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {"who": self.who, "operations": self.operations}


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
        by = credentials.user(os.getuid())
        done = keeper.revert(operation_id, by=by, rest=rest, heard=_told(catalog))
        return Undone(operation=done)


def undo_burst(state: State, user: str | None) -> BroughtBack:
    """Take back every removal that led the guard to stop a user; without a name, the one who was stopped last.

    Raises NotFound, Conflict, NotJournaled.
    """
    with Catalog(state.catalog) as catalog:
        keeper = Keeper(catalog, state.journal)
        keeper.recover()
        alarm = _alarm(catalog, user)
        removals = [
            operation.id
            for operation, undone in keeper.last(MANY)
            if operation.by == alarm.who
            and operation.kind in REMOVALS
            and alarm.since_ms <= operation.at_ms <= alarm.at_ms
            and not undone
        ]
        by, told = credentials.user(os.getuid()), _told(catalog)
        for operation_id in removals:
            keeper.revert(operation_id, by=by, heard=told)
        return BroughtBack(who=alarm.who, operations=len(removals))


def lift(state: State, who: str | None) -> str:
    """Let a user whom the guard has stopped remove again; without a name, the one who was stopped last. Returns who that
    is. Raises NotFound."""
    with Catalog(state.catalog) as catalog:
        alarm = _alarm(catalog, who)
        lifted = replace(alarm, lifted_ms=time.time_ns() // 1_000_000)
        catalog.write(guarded.put, lifted)
        return alarm.who


def _alarm(catalog: Catalog, who: str | None) -> guarded.Alarm:
    found = [alarm for alarm in catalog.read(guarded.alarms) if who in (None, alarm.who)]
    if not found:
        raise NotFound(f"nobody was stopped{f' by the name of {who}' if who else ''}")
    return max(found, key=lambda alarm: alarm.at_ms)


def _told(catalog: Catalog) -> Callable[[Source, bytes], object]:
    """Who records files that are back, so that views show them at once."""
    from havenfs.ingest.arrival import Arrivals  # 30 ms, which every mount would pay

    return Arrivals(catalog).written


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
