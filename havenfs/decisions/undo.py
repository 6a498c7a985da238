"""Taking decisions back. An operation is taken back by putting its rows back as they were; that is a decision too, and can be
taken back itself.

Only where nothing was decided about the same rows since: where something was, that is a conflict, which is reported with the
operations that stand in the way, and nothing is overwritten. Where a file was edited meanwhile, what followed it to the new
content is taken back with the rest.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from havenfs.catalog import decided, given
from havenfs.catalog.given import Change, Draft
from havenfs.errors import Conflict, NotFound

from . import values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.decided import Operation
    from havenfs.catalog.given import Cell, Row

REVERT = "Revert"
"""The kind of operation that takes another one back."""
SHOWN = 8  # digits of an id: among 1,000 operations two share them once in 10,000 libraries
NAMED = 3  # operations that a conflict names
MANY = 500  # rows, of which it takes 30 ms to see whether they are free


class Listed(NamedTuple):
    """An operation as undo lists it."""

    operation: Operation
    undone: bool
    """It is taken back at present."""


def last(db: Connection, limit: int) -> list[Listed]:
    """The newest operations of people, newest first."""
    found = decided.last(db, limit)
    undone = decided.reverted(db, [operation.id for operation in found])
    return [Listed(operation, operation.id in undone) for operation in found]


class Told(Struct, frozen=True):
    """An operation as the web page tells of it."""

    operation: Operation
    taken_back: Operation | None
    """By what it is taken back at present."""
    free: bool
    """Whether nothing stands in the way of taking it back, or of taking *that* back. Of more than MANY rows: True, not looked."""


def history(db: Connection, limit: int, *, before: str | None = None) -> list[Told]:
    """What people decided before that operation, newest first. What takes something back stands with what it took back."""
    return [tell(db, found) for found in decided.last(db, limit, before=before, besides=REVERT)]


def tell(db: Connection, operation: Operation) -> Told:
    """How an operation stands."""
    by = decided.taken_back(db, operation.id)
    back = next(iter(decided.many(db, [by])), None) if by is not None else None
    return Told(operation, back, _free(db, back or operation))


def _free(db: Connection, operation: Operation) -> bool:
    if operation.kind == values.EmptyTrash.__name__:
        return False
    return len(operation.changes) > MANY or not _split(db, operation)[1]


def as_lines(listed: Sequence[Listed]) -> list[str]:
    """A line each for people: its id as far as it is needed, when in local time, who, and what."""
    lines: list[str] = []
    for operation, undone in listed:
        when = datetime.fromtimestamp(operation.at_ms / 1000).astimezone()
        line = f"{operation.id[:SHOWN]}  {when:%Y-%m-%d %H:%M}  {operation.by}: {operation.words}"
        lines.append(line + (" (taken back)" if undone else ""))
    return lines


def revert(db: Connection, operation_id: str, by: str, *, rest: bool) -> Operation | None:
    """Take an operation back, see `Keeper.revert`."""
    operation = _find(db, operation_id)
    changes = wanted(db, operation_id, rest=rest)
    draft = Draft(db)
    for change in changes:  # rows go before others come: names may be swapped
        draft.set(change.table, change.key, None)
    for change in changes:
        if change.after is not None:
            draft.set(change.table, change.key, change.after)
    undoing = operation.kind == REVERT
    words = f"{'did again' if undoing else 'took back'}: {_plain(db, operation)}"
    return decided.record(draft, REVERT, words, by=by, reverts=operation.id)


def wanted(db: Connection, operation_id: str, *, rest: bool) -> list[Change]:
    """The changes that would take an operation back. Raises as `Keeper.revert`."""
    operation = _find(db, operation_id)
    if operation.kind == decided.FOLLOW:
        raise NotFound(f"{operation.id} went along with an edited file; take back what it followed")
    free, blocked = _split(db, operation)
    if blocked and not rest:
        raise Conflict(_reason(db, operation, blocked))
    return free


def _find(db: Connection, prefix: str) -> Operation:
    found = decided.starting(db, prefix) if prefix else []
    if not found:
        raise NotFound(f"no operation {prefix!r}; it may be too old to be taken back")
    if len(found) > 1:
        raise NotFound(f"several operations begin with {prefix!r}; give more of its digits")
    return found[0]


def _split(db: Connection, operation: Operation) -> tuple[list[Change], list[Change]]:
    """What takes the operation back: what can be done, and what something later stands in the way of."""
    wanted: list[Change] = []
    blocked: list[Change] = []
    for change in operation.changes:
        for now in _wherever(db, change):
            free = given.get(db, now.table, now.key) == now.after
            (wanted if free else blocked).append(now.reversed())
    while True:
        loose = _dangling(db, wanted)
        if not loose:
            return wanted, blocked
        wanted = [change for change in wanted if change not in loose]
        blocked += loose


def _wherever(db: Connection, change: Change) -> list[Change]:
    """The change itself, and the same of the contents that its own became since."""
    spec = given.TABLES[change.table]
    found = [change]
    if change.table in ("succession", "not_duplicate"):
        return found
    for index, column in enumerate(spec.key):
        if column in given.HASHES:
            for new in decided.successors(db, str(change.key[index])):
                key = (*change.key[:index], new, *change.key[index + 1 :])
                if given.get(db, change.table, key) == change.after:
                    found.append(Change(change.table, key, change.before, change.after))
    return found


def _dangling(db: Connection, wanted: list[Change]) -> list[Change]:
    """Those that would leave a row without what it belongs to, or two of one name in one place."""
    after = {(change.table, change.key): change.after for change in wanted}
    kept = [change for change in wanted if change.after is not None]
    belonged_to = {parent for change in kept for parent in _parents(change)}
    loose: list[Change] = []
    for change in wanted:
        if change.after is None:
            still = (
                (table, row)
                for table, column, parent in given.REFERENCES
                if parent == change.table
                for row in given.rows(db, table, **{column: change.key[0]})
            )
            # a row that refers to it stays, unless it goes as well or comes to belong elsewhere
            if any(_refers(table, row, after, change.key[0]) for table, row in still):
                loose.append(change)
            if (change.table, change.key[0]) in belonged_to:
                loose.append(change)
        else:
            if any(
                given.get(db, parent, (uid,)) is None and (parent, (uid,)) not in after
                for parent, uid in _parents(change)
            ) or (_taken(db, change, after) or _circular(db, change, after)):
                loose.append(change)
    return loose


def _refers(table: str, row: Row, after: dict[tuple[str, Row], Row | None], uid: object) -> bool:
    spec = given.TABLES[table]
    key = row[: len(spec.key)]
    if (table, key) not in after:
        return True
    values = after[table, key]
    return values is not None and uid in (*key, *values)


def _parents(change: Change) -> list[tuple[str, Cell]]:
    """Table and uid of each row that the change's row, as it would be, belongs to."""
    spec = given.TABLES[change.table]
    cells = dict(zip(spec.columns, (*change.key, *(change.after or ())), strict=False))
    return [
        (parent, cells[column])
        for table, column, parent in given.REFERENCES
        if table == change.table and cells.get(column) is not None
    ]


_NAMES = {
    "person": ("name_key",),
    "collection": ("kind", "parent", "name_key"),
    "face_said": ("hash", "frame_ms", "x0", "y0", "x1", "y1", "is_it"),
}
"""What no two rows may have in common; of faces, only those who are said to be it."""


def _taken(db: Connection, change: Change, after: dict[tuple[str, Row], Row | None]) -> bool:
    columns = _NAMES.get(change.table)
    if columns is None or change.after is None:
        return False
    spec = given.TABLES[change.table]
    cells = dict(zip(spec.columns, (*change.key, *change.after), strict=True))
    if cells.get("is_it") == 0 or cells.get("name_key", "") is None:
        return False
    for row in given.rows(db, change.table, **{column: cells[column] for column in columns}):
        key = row[: len(spec.key)]
        if key != change.key and (change.table, key) not in after:
            return True
    return False


def _circular(db: Connection, change: Change, after: dict[tuple[str, Row], Row | None]) -> bool:
    """Whether a folder would stand in itself."""
    if change.table != "collection":
        return False
    seen: set[Cell] = set()
    uid: Cell = change.key[0]
    while uid is not None and uid not in seen:
        seen.add(uid)
        key = ("collection", (uid,))
        row = after[key] if key in after else given.get(db, *key)
        uid = row[1] if row is not None else None
    return uid is not None


def _reason(db: Connection, operation: Operation, blocked: list[Change]) -> str:
    """Which later operations stand in the way, in words."""
    rows = {(change.table, change.key) for change in blocked}
    uids = {change.key[0] for change in blocked if given.TABLES[change.table].key == ("uid",)}
    later = [
        other
        for other in decided.after(db, operation.id)
        if any(
            (change.table, change.key) in rows
            or uids.intersection((*change.key, *(change.after or ())))
            for change in other.changes
        )
    ]
    named = "; ".join(f"{other.id[:SHOWN]} {other.words}" for other in later[-1 : -NAMED - 1 : -1])
    more = f" and {len(later) - NAMED} more" if len(later) > NAMED else ""
    why = f"since then: {named}{more}" if named else "it is taken back already"
    return f"cannot take back “{operation.words}”: {why}"


def _plain(db: Connection, operation: Operation) -> str:
    """The words of what was decided first, however often it was taken back and done again."""
    while operation.reverts is not None:
        found = decided.starting(db, operation.reverts)
        if not found:
            break
        operation = found[0]
    return operation.words.removeprefix("took back: ").removeprefix("did again: ")
