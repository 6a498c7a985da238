"""The scanner: one scan at a time, at the start, every few hours, and of what the watch names. Trio; scans in a thread."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import trio

from havenfs.ingest import walk
from havenfs.ingest.scan import Report, scan

from . import watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from havenfs.catalog import Catalog
    from havenfs.entities import Source, SourceId

log = logging.getLogger(__name__)

GUARD_S = 2.0  # how soon a disk that went or came is noticed
UNWATCHED_S = 600.0  # between scans of a source that the system cannot watch


class Scanner:
    """Keeps the catalog's files true to the disk. *done* is called after each scan, on the loop."""

    def __init__(
        self, catalog: Catalog, sources: Sequence[Source], done: Callable[[Report], None]
    ) -> None:
        self._catalog = catalog
        self._sources = sources
        self._done = done
        self._pending: dict[tuple[SourceId, bytes], tuple[Source, bool]] = {}
        self._wake = trio.Event()
        self._running = False
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
        while True:
            self._wake = trio.Event()
            while self._pending:
                key = next(iter(self._pending))
                source, deep = self._pending.pop(key)
                self._running = True
                try:
                    report = await trio.to_thread.run_sync(self._scan, source, key[1], deep)
                finally:
                    self._running = False
                if report.news:
                    log.info(
                        "source %s: %d new, %d changed, %d moved, %d gone",
                        *(source.name, report.new, report.changed, report.moved, report.gone),
                    )
                (self._absent.discard if report.present else self._absent.add)(source.id)
                self._done(report)
            await self._wake.wait()

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
        """Return when the root is no longer the one of *mark*, or a scan did not find it, or after a time."""
        with trio.move_on_after(at_most_s):
            while True:
                await trio.sleep(GUARD_S)
                now = await _mark(source)
                if now != mark or (now is not None and source.id in self._absent):
                    return

    def _scan(self, source: Source, directory: bytes, deep: bool) -> Report:  # noqa: FBT001
        # check_cancelled returns None, or raises in the middle of the scan: then nothing is taken as deleted.
        return scan(
            self._catalog,
            source,
            directory,
            deep=deep,
            stop=lambda: bool(trio.from_thread.check_cancelled()),
        )


async def _mark(source: Source) -> tuple[int, int] | None:
    """`walk.mark` in a thread that may be left behind: a dead network disk answers after minutes."""
    return await trio.to_thread.run_sync(walk.mark, source.root, abandon_on_cancel=True)
