"""Several operations become one, as if one decision had been made in place of them.

Those that the journal has already stay in it, and the new one says again what they said: a replay comes to the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.catalog import decided
from havenfs.catalog.given import Change, Draft
from havenfs.errors import Conflict

from . import effects

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.decided import Operation
    from havenfs.catalog.given import Row

    from .values import Decision


def merge(
    db: Connection,
    ids: Sequence[str],
    decision: Decision,
    by: str,
    first: Callable[[Connection], object] | None,
    *,
    unchanged: bool,
) -> Operation | None:
    """Take these operations back, and decide that in their place, see `Keeper.merge`."""
    if first is not None:
        first(db)
    taken_back = decided.reverted(db, ids)
    if taken_back and unchanged:  # *decision* would say again what somebody has just taken back
        raise Conflict("some of it was taken back since")
    operations = [one for one in decided.many(db, ids) if one.id not in taken_back]
    draft = Draft(db)
    changes = _composed(operations)
    if draft.take_back(changes) != len(changes) and unchanged:
        raise Conflict("something was decided about the same since")
    words = effects.apply(draft, decision)
    decided.forget(db, [one.id for one in operations])
    return decided.record(draft, type(decision).__name__, words, by=by)


def _composed(operations: Sequence[Operation]) -> list[Change]:
    """From the first row before to the last row after."""
    found: dict[tuple[str, Row], Change] = {}
    for operation in operations:
        for change in operation.changes:
            before = found.get((change.table, change.key), change).before
            found[change.table, change.key] = change._replace(before=before)
    return list(found.values())
