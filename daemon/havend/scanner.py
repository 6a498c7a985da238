"""The scanner: one scan at a time, at the start, every few hours, and of what the watch names. Trio; scans in a thread.

A disk that hangs holds up nobody else: the next source's scan begins when one has not got on for HANG_S, and the source is
hidden until its disk answers. A thread that waits for such a disk is left behind when the program ends.
"""

from __future__ import annotations

import logging
import math
import time
from functools import partial
from typing import TYPE_CHECKING

import trio

from havenfs.catalog import sources
from havenfs.ingest.scan import Report, scan
from havenfs.originals import presence

from . import watch
from .disks import Disks

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.catalog import Catalog
    from havenfs.entities import Source, SourceId

log = logging.getLogger(__name__)

HANG_S = 10.0  # a disk that spins up takes up to that
GUARD_S = 2.0  # how soon a disk that went or came is noticed
UNWATCHED_S = 600.0  # between scans of a source that the system cannot watch


class Scanner:
    """Keeps the catalog's files true to the disk. *done* is called after each scan, *hung* when a disk stops
    answering; both on the loop."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        done: Callable[[Report], None],
        hung: Callable[[SourceId], None],
    ) -> None:
        self._catalog = catalog
        self._done = done
        self._hung = hung
        self._disks = Disks()
        self.wake_disks = False
        """Whether the full scan that comes round may wake a disk."""
        self._pending: dict[tuple[SourceId, bytes], tuple[Source, bool]] = {}
        self._wake = trio.Event()
        self._running: dict[SourceId, float] = {}
        """When each scan under way last looked at another directory."""
        self._absent: set[SourceId] = set()  # those that the last scan did not find

    @property
    def idle(self) -> bool:
        """Whether every scan that was asked for is done."""
        return not self._pending and not self._running

    def ask(self, source: Source, directory: bytes = b"", *, deep: bool = True) -> None:
        """Scan this directory of the source soon; see `havenfs.ingest.scan`."""
        if (source.id, b"") in self._pending and self._pending[source.id, b""][1]:
            return  # all of it is on the list
        if deep and not directory:
            self._pending = {k: v for k, v in self._pending.items() if k[0] != source.id}
        before = self._pending.get((source.id, directory))
        self._pending[source.id, directory] = (source, deep or (before is not None and before[1]))
        self._wake.set()

    async def run(self) -> None:
        """Do what is asked for, until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                self._wake = trio.Event()
                self._start(nursery)
                with trio.move_on_after(GUARD_S if self._pending else math.inf):
                    await self._wake.wait()

    def _start(self, nursery: trio.Nursery) -> None:
        """Begin the next scan, unless one is getting on."""
        now = time.monotonic()
        if any(now - seen < HANG_S for seen in self._running.values()):
            return
        for key, (source, deep) in self._pending.items():
            if source.id not in self._running:
                del self._pending[key]
                self._running[source.id] = now
                nursery.start_soon(self._carry_out, source, key[1], deep)
                return

    async def _carry_out(self, source: Source, directory: bytes, deep: bool) -> None:  # noqa: FBT001
        try:
            report = await trio.to_thread.run_sync(
                self._scan, source, directory, deep, abandon_on_cancel=True
            )
        finally:
            del self._running[source.id]
        if report.news:
            log.info(
                "source %s: %d new, %d changed, %d moved, %d gone",
                *(source.name, report.new, report.changed, report.moved, report.gone),
            )
        (self._absent.discard if report.present else self._absent.add)(source.id)
        self._done(report)
        self._wake.set()

    async def watch(self, source: Source, *, rescan_s: float) -> None:
        """Ask for scans of *source*: of all of it now, every *rescan_s*, and whenever its disk comes or goes; and of
        the directories in which something happens."""
        while True:
            mark = await _mark(source)
            if mark is not None:
                try:
                    await self._follow(source, mark, rescan_s)
                except OSError as error:
                    log.warning(
                        "source %s cannot be watched (%s): it is scanned every %.0f minutes instead",
                        *(source.name, error, UNWATCHED_S / 60),
                    )
                    self.ask(source)
                    await self._changed(source, mark, UNWATCHED_S)
            self.ask(source)
            if mark is None:
                await self._changed(source, None, rescan_s)

    async def _follow(self, source: Source, mark: tuple[int, int], rescan_s: float) -> None:
        """Until the root is another one, or it is time for a full scan."""
        failed: OSError | None = None
        async with trio.open_nursery() as nursery:

            async def guard() -> None:
                await self._changed(source, mark, rescan_s)
                nursery.cancel_scope.cancel()

            nursery.start_soon(guard)
            try:
                async for directories in watch.directories(source.root):
                    if directories is None:  # only now can nothing be missed between scan and watch
                        self.ask(source)
                    for directory in sorted(directories or ()):
                        self.ask(source, directory, deep=False)
            except OSError as error:
                failed = error
                nursery.cancel_scope.cancel()
        if failed is not None and await _mark(source) == mark:
            raise failed

    async def _changed(
        self, source: Source, mark: tuple[int, int] | None, at_most_s: float
    ) -> None:
        """Return when the root is no longer the one of *mark*, or a scan did not find it, or after a time, unless the
        disk sleeps by then: then when somebody else has woken it; of a disk that hangs, when it answers again."""
        until = trio.current_time() + at_most_s
        while True:
            asleep = self._asleep(
                source, mark
            )  # each time: how long it has been still is known from looking
            if trio.current_time() >= until and not asleep:
                return
            await trio.sleep(GUARD_S)
            with trio.move_on_after(HANG_S) as waiting:
                now = await _mark(source)
                if now != mark or (now is not None and source.id in self._absent):
                    return
            if waiting.cancelled_caught:
                await self._sit_out(source)
                return

    def _asleep(self, source: Source, mark: tuple[int, int] | None) -> bool:
        """Whether to let the disk sleep: what nobody touches has not changed."""
        if mark is None or self.wake_disks:
            return False
        return self._disks.asleep(source.root, mark[0])

    async def _sit_out(self, source: Source) -> None:
        """Hide a source whose disk hangs, so that nothing of it is waited for; return when it answers again."""
        log.warning("source %s does not answer: it is hidden until it does", source.name)
        await trio.to_thread.run_sync(self._hide, source)
        self._absent.add(source.id)
        self._hung(source.id)
        await _mark(source)

    def _hide(self, source: Source) -> None:
        self._catalog.write(sources.set_present, source.id, False)  # noqa: FBT003

    def _scan(self, source: Source, directory: bytes, deep: bool) -> Report:  # noqa: FBT001
        # check_cancelled returns None, or raises in the middle of the scan: then nothing is taken as deleted.
        return scan(
            self._catalog,
            source,
            directory,
            deep=deep,
            stop=partial(self._go_on, source),
        )

    def _go_on(self, source: Source) -> bool:
        trio.from_thread.check_cancelled()
        self._running[source.id] = time.monotonic()
        return False


async def _mark(source: Source) -> tuple[int, int] | None:
    """`presence.look` in a thread that may be left behind: a dead network disk answers after minutes."""
    return await trio.to_thread.run_sync(presence.look, source.root, abandon_on_cancel=True)
