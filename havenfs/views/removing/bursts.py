"""Removals that follow one another in one folder: what they come to is decided by what comes next.

Who deletes an album, with `rm -r`, in Explorer or by SMB, takes every file out of it and then the folder away, depth first.
That is one thing that they did, and is one operation in the list of undo: it gives the folder back with all that was in it.
So is a handful of files that somebody takes out of a folder in one go.

Every removal is a decision of its own, committed before it is answered: nobody is told of anything that the next crash of
ours would forget, and everybody sees the name go at once, without a list of names that are hidden for now. What is put off
is fsync and the journal, and only from the second removal of a burst on: they wait in the outbox, which is a table of the
catalog, for a second (PAUSE_S). A power cut may bring them back; ten thousand fsyncs in a row would have cost minutes. Then,
or when the folder itself goes, `Keeper.merge` makes one operation of them, which is fsynced and journaled like any.

A folder may mean something else by being emptied and removed than by what was taken out one by one: `dissolve` takes the
burst back before it decides, in the same transaction. A person's negatives go that way when the person is un-named.

Any thread.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct, field

from havenfs.errors import HavenError, ReadOnly

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.catalog.catalog import Connection
    from havenfs.catalog.decided import Operation
    from havenfs.decisions import Decision, Keeper

HOLD_S: Final = 10.0
"""A removal of the folder that comes later is another thing."""
PAUSE_S: Final = 1.0
LONGEST_S: Final = 5.0  # even where there is no pause


class _Burst(Struct):
    ids: list[str] = field(default_factory=list[str])
    """Of the operations, oldest first."""
    decisions: list[Decision] = field(default_factory=list["Decision"])
    """What was taken out and is not merged yet."""
    began: float = 0.0
    """When the first of these was decided."""
    last: float = field(default_factory=time.monotonic)


class Bursts:
    """Those of the last seconds, by folder and person."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._open: dict[tuple[str, str], _Burst] = {}

    def take(self, keeper: Keeper | None, folder: str, decision: Decision, by: str) -> None:
        """Something is taken out of a folder. Raises what `Keeper.decide` raises."""
        if keeper is None:
            raise ReadOnly("nothing can be decided here")
        with self._lock:
            burst = self._burst(folder, by)
            done = keeper.decide(decision, by=by, lazily=bool(burst.ids))
            if done is not None:
                if not burst.decisions:
                    burst.began = time.monotonic()
                burst.ids.append(done.id)
                burst.decisions.append(decision)

    def dissolve(
        self,
        keeper: Keeper | None,
        folder: str,
        above: str,
        decision: Decision,
        by: str,
        *,
        first: Callable[[Connection], object],
    ) -> None:
        """A folder that stands in *above* is removed, by a decision that says so of it and of all that is in it.

        What was taken out of it just now is put back before, in the same transaction; *first* sees the folder as it is, and
        raises if that must not be, NotEmpty say. Raises what `Keeper.decide` raises.
        """
        if keeper is None:
            raise ReadOnly("nothing can be decided here")
        with self._lock:
            burst = self._open.get((folder, by))
            done: Operation | None
            if burst is None or not burst.ids or time.monotonic() - burst.last > HOLD_S:
                done = keeper.decide(decision, by=by, first=first)
            else:
                done = keeper.merge(burst.ids, decision, by=by, first=first)
            self._open.pop((folder, by), None)
            if done is not None:  # with the folder above it is gone as one
                self._burst(above, by).ids.append(done.id)

    def due(self) -> bool:
        """Whether `settle` has something to do."""
        now = time.monotonic()
        return any(
            now - burst.last > HOLD_S or _paused(burst, now) for burst in list(self._open.values())
        )

    def settle(self, keeper: Keeper | None, *, all_of_them: bool = False) -> None:
        """Make one operation of each burst that pauses. To be called every moment, where it may wait for the disk."""
        with self._lock:
            now = time.monotonic()
            for (folder, by), burst in list(self._open.items()):
                if keeper is not None and burst.decisions and (all_of_them or _paused(burst, now)):
                    _merge(keeper, burst, by)
                if all_of_them or now - burst.last > HOLD_S:
                    self._open.pop((folder, by), None)

    def _burst(self, folder: str, by: str) -> _Burst:
        burst = self._open.get((folder, by))
        if burst is None or time.monotonic() - burst.last > HOLD_S:
            burst = self._open[folder, by] = _Burst()
        burst.last = time.monotonic()
        return burst


def _paused(burst: _Burst, now: float) -> bool:
    return bool(burst.decisions) and (now - burst.last > PAUSE_S or now - burst.began > LONGEST_S)


def _merge(keeper: Keeper, burst: _Burst, by: str) -> None:
    """One operation of those that say the same of several contents; others stay, and go to the journal as they are."""
    decisions, burst.decisions = burst.decisions, []
    ids = burst.ids[-len(decisions) :]
    whole = _together(decisions)
    try:
        if len(ids) > 1 and whole is not None:
            done = keeper.merge(ids, whole, by=by, unchanged=True)
            if done is not None:
                burst.ids[-len(ids) :] = [done.id]
        else:
            keeper.deliver()
    except HavenError:  # they hold as they are, each for itself
        with suppress(HavenError):  # the next decision tries again
            keeper.deliver()


def _together(decisions: list[Decision]) -> Decision | None:
    """The decision that says of all contents what each of these says of its own; None if they do not say the same."""
    first: Any = decisions[0]
    if not hasattr(first, "contents"):
        return None
    contents = tuple(content for one in decisions for content in getattr(one, "contents", ()))
    whole = msgspec.structs.replace(first, contents=contents)
    same = (
        type(one) is type(first) and msgspec.structs.replace(one, contents=contents) == whole
        for one in decisions
    )
    return whole if all(same) else None
