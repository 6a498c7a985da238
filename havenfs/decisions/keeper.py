"""The one door for decisions: carried out, journaled, answered; and brought back when the catalog is lost.

Why nothing that was answered for can be lost, and nothing half done be seen, whatever instruction a kill or a power cut hits:

1. One SQLite transaction (synchronous=FULL) changes the GIVEN rows, logs the operation with its rows before and after, and puts
   it into the outbox. Before its COMMIT nothing has happened; after it everything has, in the catalog.
2. Under the journal's lock, everything in the outbox is appended in the order of commits, and fsynced. So the journal never
   holds what was not committed. A kill in between leaves the outbox, and whoever comes next delivers it; a kill amid the write
   leaves a last line without its end, which the next append cuts off before it writes that line again.
3. Only then do the rows leave the outbox, and the watermark moves. A kill before that leaves operations in both: delivered
   again, their lines stand twice, and a replay passes over ids that it has seen.
4. Only after that is the caller answered: by then the decision is in both files. Somebody else may have delivered it; that one
   held the lock until the lines were on the disk. A decision that changes nothing waits for the outbox too, because it may
   rest on one that is still in it.

If the journal cannot be written, the caller is told so (NotJournaled): the decision holds, and is delivered by the next one.

`recover`, which every program calls when it starts, delivers the outbox and applies whatever the journal has behind the
watermark: nothing, as a rule; all of it when the catalog is new; the rest when the catalog is an older backup. Decisions hang
on contents, so they may be replayed before any file has been scanned.

Writing the journal anew (`compact`) takes one snapshot of the rows and of the newest HORIZON operations under the lock, in a
file that replaces the old one by rename. What is still in the outbox then is in the snapshot too, and appended once more.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, ParamSpec

from havenfs.catalog import decided, given
from havenfs.catalog.catalog import TROUBLE
from havenfs.catalog.given import Change, Draft
from havenfs.errors import Conflict, ReadOnly

from . import effects, filing, follow, merging, note, undo
from .journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Concatenate

    from havenfs.catalog import Catalog
    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.decided import Operation
    from havenfs.entities import Source

    from .filing import Mover
    from .journal import Content
    from .values import Decision

P = ParamSpec("P")

log = logging.getLogger(__name__)

HORIZON = 1000
"""Operations that can be taken back at least."""
ROOMY = 16 << 20
"""Bytes of journal below which writing it anew is not worth a thought; it reads back in about a second."""
ROW = 400
"""Bytes of journal for each row that holds: with those of the first writing, 100 to 250, it has then doubled."""


class Keeper:
    """Decisions into *catalog* and the journal at *path*. Any thread, any number of programs at once."""

    def __init__(self, catalog: Catalog, path: Path, *, mover: Mover | None = None) -> None:
        """Without a *mover*, decisions that moved files cannot be taken back."""
        self._catalog = catalog
        self._mover = mover
        self.journal = Journal(path)

    def decide(
        self,
        decision: Decision,
        *,
        by: str,
        first: Callable[[Connection], object] | None = None,
        lazily: bool = False,
    ) -> Operation | None:
        """Carry a decision out for *by*; None when everything is as decided already. *first* is done before, in the same
        transaction. *lazily*: committed, and left in the outbox, for the next decision or `merge` to bring to the disk.

        On return it is on the disk, in the catalog and in the journal. Raises NotFound, Exists, NotEmpty, InvalidName, and
        then nothing has changed, as with ReadOnly, when the catalog cannot be written; NotJournaled, and then it has.
        """
        if not lazily:
            return self._kept(_decide, decision, by, first)
        try:
            return self._catalog.write(_decide, decision, by, first)
        except TROUBLE as error:
            raise ReadOnly(f"nothing can be decided now: {error}") from error

    def merge(
        self,
        ids: Sequence[str],
        decision: Decision,
        *,
        by: str,
        first: Callable[[Connection], object] | None = None,
        unchanged: bool = False,
    ) -> Operation | None:
        """One operation in place of those: they are taken back, and *decision* is carried out, in one transaction.

        It takes back what they did too, at once. *first* sees everything as it is before. *unchanged*: raises Conflict
        where something was decided about the same rows since, which otherwise stays. Raises like `decide`.
        """
        with self.journal.locked():  # nobody delivers them meanwhile
            try:
                done = self._catalog.write_durably(
                    merging.merge, ids, decision, by, first, unchanged=unchanged
                )
            except TROUBLE as error:
                raise ReadOnly(f"nothing can be decided now: {error}") from error
            self._deliver()
        return done

    def revert(
        self,
        operation_id: str,
        *,
        by: str,
        rest: bool = False,
        heard: Callable[[Source, bytes], object] | None = None,
    ) -> Operation | None:
        """Take an operation back, a taking back included; *operation_id* may be the first digits of it. Files that it had
        moved to the trash come back, and *heard* is told of each.

        Raises NotFound; Conflict when later operations stand in the way, unless *rest* leaves what they decided and takes
        back the others, or when a file was deleted for good. None when nothing is left to take back.

        Files that the decision filed are moved back first (`note`).
        """
        steps = filing.moves(self._catalog.read(undo.wanted, operation_id, rest=rest))
        back: list[tuple[Source, bytes]] = []
        with ExitStack() as stack:
            if steps:
                if self._mover is None:
                    why = "files were moved, and cannot be moved back from here: havenfs undo can"
                    raise Conflict(why)
                stack.enter_context(note.moving(self._catalog, self._mover, steps))
            stack.enter_context(follow.ready(self._catalog, operation_id))
            done = self._kept(_revert, operation_id, by, back, rest=rest)
        if heard is not None:
            for source, path in back:
                heard(source, path)
        return done

    def last(self, limit: int = 20) -> list[undo.Listed]:
        """The newest operations of people, newest first."""
        return self._catalog.read(undo.last, limit)

    def deliver(self) -> None:
        """Bring what is in the outbox to the journal. Raises NotJournaled."""
        with self.journal.locked():
            self._deliver()

    def recover(self) -> int:
        """Let catalog and journal agree; returns how many operations the journal brought back.

        Raises NewerState, NotJournaled.
        """
        with self.journal.locked():
            brought = 0
            if self.journal.size() != self._catalog.read(decided.watermark)[1]:
                brought = self._reconcile()
            self._deliver()
            rows = self._catalog.read(given.count)
            if self.journal.size() > ROOMY + ROW * rows:
                self._compact()
        return brought

    def compact(self) -> None:
        """Write the journal anew: what holds, and the newest HORIZON operations. Raises NotJournaled."""
        with self.journal.locked():
            self._deliver()
            self._compact()

    def _kept(
        self,
        change: Callable[Concatenate[Connection, P], Operation | None],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Operation | None:
        try:
            done = self._catalog.write_durably(change, *args, **kwargs)
        except TROUBLE as error:
            raise ReadOnly(f"nothing can be decided now: {error}") from error
        self.deliver()
        return done

    def _reconcile(self) -> int:
        content = self.journal.read()
        for number in content.damaged:
            log.error("%s: line %d cannot be read; it is passed over", self.journal.path, number)
        if self._catalog.read(_ahead, content):
            log.error("%s lacks decisions; it is written anew from the catalog", self.journal.path)
            self._compact()
            return 0
        brought = self._catalog.write_durably(_replay, content, self.journal.size())
        if brought:
            log.info("brought back %d operations from the journal", brought)
        return brought

    def _deliver(self) -> None:
        waiting = self._catalog.read(decided.outbox)
        if not waiting:
            return
        if not self.journal.size() and self._catalog.read(decided.watermark)[0] is not None:
            log.error("%s is gone; it is written anew from the catalog", self.journal.path)
            self._compact()
        self.journal.append(waiting)
        # If this fails, they are delivered once more: it is no reason to tell anybody that he was not heard.
        self._catalog.attempt(decided.delivered, waiting[-1].id, self.journal.size())

    def _compact(self) -> None:
        rows, operations = self._catalog.read(_snapshot)
        self.journal.rewrite(rows, operations)
        if operations:
            self._catalog.write(decided.mark, operations[-1].id, self.journal.size())
        self._catalog.write(decided.trim, HORIZON)


def _decide(
    db: Connection, decision: Decision, by: str, first: Callable[[Connection], object] | None
) -> Operation | None:
    if first is not None:
        first(db)
    draft = Draft(db)
    words = effects.apply(draft, decision)
    done = decided.record(draft, type(decision).__name__, words, by=by)
    if done is not None:
        follow.regrouped(db, done.changes)
    return done


def _revert(
    db: Connection, operation_id: str, by: str, back: list[tuple[Source, bytes]], *, rest: bool
) -> Operation | None:
    done = undo.revert(db, operation_id, by, rest=rest)
    if done is not None:
        follow.regrouped(db, done.changes)
        back += follow.took_back(db, done)
    return done


def _snapshot(db: Connection) -> tuple[list[Change], list[Operation]]:
    rows = [
        Change(table.name, row[: len(table.key)], None, row[len(table.key) :])
        for table in given.TABLES.values()
        for row in given.rows(db, table.name)
    ]
    return rows, decided.newest(db, HORIZON)


def _ahead(db: Connection, content: Content) -> bool:
    """Whether the journal is an older one than the catalog has seen, or none."""
    mark, _ = decided.watermark(db)
    past = [*content.settled, *content.operations]
    if mark is None or any(operation.id == mark for operation in past):
        return False
    return not past or decided.known(db, past[-1].id)


def _replay(db: Connection, content: Content, size: int) -> int:
    """Apply what the catalog has not seen; returns how many operations that were."""
    past = [*content.settled, *content.operations]
    if not past:
        return 0
    mark, _ = decided.watermark(db)
    places = [place for place, operation in enumerate(past) if operation.id == mark]
    force = bool(content.damaged)
    count = 0
    if places:
        fresh = [o for o in past[places[-1] + 1 :] if not decided.known(db, o.id)]
    else:  # a catalog that is new, or so old that the journal has been written anew since
        waiting = [o for o in decided.outbox(db) if all(o.id != seen.id for seen in past)]
        given.clear(db)
        given.put(db, content.rows, force=force)
        count += sum(_log(db, operation) for operation in content.settled)
        fresh = [*_once(content.operations), *waiting]
    for operation in fresh:
        given.put(db, operation.changes, force=force)
        count += _log(db, operation)
    if force:
        given.prune(db)
    decided.mark(db, past[-1].id, size)
    return count


def _once(operations: list[Operation]) -> list[Operation]:
    """Each of them where it stands first: what was delivered again stands twice."""
    return list({operation.id: operation for operation in reversed(operations)}.values())[::-1]


def _log(db: Connection, operation: Operation) -> bool:
    if decided.known(db, operation.id):
        return False
    decided.add(db, operation)
    return True
