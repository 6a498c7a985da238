"""The indexer: scans, watches, and has workers look at what is new, in the order of `havenfs.ingest.queue`.

Decides nothing about contents (that is `havenfs.ingest`) and opens no original (that is `havend.worker`). Trio; the
catalog is read and written in threads. Killing it at any moment loses only what was under way, which is still queued.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import trio

from havenfs.catalog import Catalog, changes, sources as catalog_sources
from havenfs.catalog.thumbnails import Thumbnails
from havenfs.decisions import Keeper
from havenfs.entities import Stage
from havenfs.errors import ConfigError, ModelError
from havenfs.ingest import queue
from havenfs.models import registry
from havenfs.models.manifest import ModelKind
from havenfs.settings import Config, Guard, Indexing, People, Sidecars, Trash
from havenfs.standing import Standing

from . import bell, decisions, encoder, telling, trial
from .clustering import Clustering, Surroundings
from .locator import Locating
from .neighbour import Neighbour
from .pool import Settings
from .recorder import Recorder
from .requeue import requeue
from .scanner import Scanner
from .sidecars import Writing
from .sorting import Filing
from .succession import Succession
from .tagger import Tagging
from .tidying import Tidying
from .visitor import WAITING, Identification, Visitation, Visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from havenfs.config import SourceConfig, State
    from havenfs.entities import AssetId, FileId, Source, SourceId
    from havenfs.ingest.scan import Report
    from havenfs.models.registry import Model

log = logging.getLogger(__name__)

AHEAD = 16  # pieces of work chosen at a time: what a newer photo may have to wait for
POLL_S = 5.0  # how soon work is found that another program queued
CHANGES_KEPT = 20_000  # the log of changes; who is further behind asks everything again
MODELS = {Stage.EMBED: ModelKind.CLIP, Stage.FACES: ModelKind.FACES}
OWNER_S = 10.0  # how soon a change of the models or of the settings is noticed
REST_NS = 2 * 10**9
"""A file that was written to less than this ago is probably still being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the owner may set."""

    indexing: Indexing = field(default_factory=Indexing)
    again: Callable[[], Indexing] | None = None
    """What the settings say by now; followed while it runs. Raises ConfigError."""
    people: Callable[[], People] = People
    """The same for people. Raises ConfigError."""
    sidecars: Callable[[], Sidecars] = Sidecars
    """The same for sidecars. Raises ConfigError."""
    trash: Callable[[], Trash] = Trash
    """The same for the trash. Raises ConfigError."""
    guard: Callable[[], Guard] = Guard
    """The same for the guard against mass deletion. Raises ConfigError."""
    settings: Callable[[], Config] = Config
    """All of it, for what is sorted. Raises ConfigError."""
    rescan_s: float = 6 * 3600.0
    """Between full scans, for what no watch reports (network disks, lost events)."""
    visit_s: float = 120.0
    """Most that one visit to a file may take."""


async def run(
    state: State,
    sources: Sequence[SourceConfig],
    *,
    once: bool = False,
    options: Options | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Index *sources* into *state* until cancelled; with *once*, until nothing is left to do.

    Started when the sources are known and questions of text are answered. Raises ConfigError when another indexer
    runs on this state directory.
    """
    state.root.mkdir(parents=True, exist_ok=True)
    with (
        locked(state),
        bell.listening(state.bell) as ringing,
        Catalog(state.catalog) as catalog,
        Thumbnails(state.thumbnails) as thumbnails,
    ):
        decisions.agree(catalog, state)
        known = catalog.write(catalog_sources.configure, sources)
        indexer = _Indexer(state, catalog, options or Options(), once=once)
        scanner = indexer.scanner = Scanner(catalog, done=indexer.scanned, hung=indexer.hung)
        recorder = Recorder(catalog, thumbnails)
        indexer.visitor = Visitor(
            settings=indexer.settings(known),
            scanner=scanner,
            recorder=recorder,
            thumbnails=thumbnails,
            sources={source.id: source for source in known},
            visit_s=indexer.options.visit_s,
            released=indexer.release,
        )
        await indexer.choose_models()
        async with trio.open_nursery() as nursery:
            await nursery.start(telling.serve, state.standing, indexer.standing)
            if not once:
                await nursery.start(
                    partial(encoder.serve, state, asked=indexer.neighbour.searching)
                )
                nursery.start_soon(indexer.neighbour.run)
            nursery.start_soon(recorder.run)
            nursery.start_soon(indexer.listen, ringing)
            nursery.start_soon(scanner.run)
            for source in known:
                if once:
                    scanner.ask(source)
                else:
                    nursery.start_soon(
                        partial(scanner.watch, source, rescan_s=indexer.options.rescan_s)
                    )
            task_status.started()
            tagging = Tagging(
                catalog, indexer.settings, lambda: indexer.visitor.models.get(Stage.EMBED)
            )
            clustering = Clustering(catalog, indexer.surroundings())
            locating = Locating(catalog, indexer.settings)
            writing = Writing(catalog, state, indexer.options.sidecars, indexer.waits)
            filing = Filing(catalog, state, indexer.options.settings)
            if not once:
                nursery.start_soon(locating.follow)
                nursery.start_soon(writing.follow)
                nursery.start_soon(indexer.tidying(Keeper(catalog, state.journal)).follow)
                nursery.start_soon(clustering.follow)
                nursery.start_soon(indexer.follow_owner)
                nursery.start_soon(indexer.measure)
                nursery.start_soon(tagging.follow)
                nursery.start_soon(filing.follow)
            await indexer.work()
            await tagging.catch_up()
            await clustering.catch_up(last=True)
            await locating.catch_up()
            await writing.catch_up()
            await filing.catch_up()
            decisions.deliver(catalog, state)
            nursery.cancel_scope.cancel()


@contextlib.contextmanager
def locked(state: State) -> Generator[None]:
    """Be the only indexer of this state directory. Raises ConfigError. The kernel lets go when the process ends."""
    path = state.root / "indexer.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"another indexer is running on {state.root}") from None
        yield
    finally:
        os.close(handle)


@dataclass(slots=True)
class _Busy:
    """What is under way, and what is put off until the next scan because its disk or file is not as it was."""

    files: set[FileId] = field(default_factory=set["FileId"])
    assets: set[AssetId] = field(default_factory=set["AssetId"])
    late_files: set[FileId] = field(default_factory=set["FileId"])
    late_assets: set[AssetId] = field(default_factory=set["AssetId"])


class _Indexer:
    """Chooses work and hands it to workers."""

    visitor: Visitor
    scanner: Scanner
    _nursery: trio.Nursery
    _receive: trio.MemoryReceiveChannel[Identification | Visitation]

    def __init__(self, state: State, catalog: Catalog, options: Options, *, once: bool) -> None:
        self._state = state
        self._catalog = catalog
        self.options = options
        self._once = once
        self._busy = _Busy()
        self._wake = trio.Event()
        self._said_idle = True
        self._idle = False
        """Nothing was left to do when last looked, and no model was chosen since."""
        self._succession = Succession(state, catalog)
        self._hurried = False
        self._waiting = False
        self._employed: set[int] = set()
        self._indexing = options.indexing
        self.neighbour = Neighbour(
            options.indexing,
            busy=lambda: bool(self._busy.files or self._busy.assets),
            wanted=lambda: self._waiting,
            changed=lambda: self._wake.set(),
        )

    def settings(self, sources: Sequence[Source] | None = None) -> Settings:
        """How workers are started by now."""
        readable = (
            tuple(source.root for source in sources)
            if sources is not None
            else self.visitor.settings.readable
        )
        return Settings(
            state=self._state,
            readable=readable,
            memory=self._indexing.memory,
            languages=self._indexing.languages,
            threads=1 if self._count() > 1 else min(2, _cores()),
            budget=self._indexing.budget,
        )

    def _count(self) -> int:
        manners = self.neighbour.manners
        count = min(max(1, _cores() - manners.cores), manners.most)
        return self._indexing.workers or count

    def staff(self) -> None:
        """Have as many workers as the budget says, with its manners."""
        self.scanner.wake_disks = self._indexing.wake_disks
        count = self._count()
        self.visitor.staff(count, breath=self.neighbour.manners.breath)
        for number in set(range(count)) - self._employed:
            self._employed.add(number)
            self._nursery.start_soon(self._employ, number)

    async def _employ(self, number: int) -> None:
        try:
            await self.visitor.run(number, self._receive.clone())
        finally:
            self._employed.discard(number)

    def standing(self) -> Standing:
        """What those who ask are told."""
        return Standing(
            budget=self._indexing.budget,
            waits=self.neighbour.waits if self._waiting else None,
            walls=self.visitor.walls,
        )

    def surroundings(self) -> Surroundings:
        """What clustering is told."""
        return Surroundings(
            model=lambda: self.visitor.models.get(Stage.FACES),
            people=self.options.people,
            idle=lambda: self._idle,
            waits=self.waits,
        )

    def waits(self) -> bool:
        """Whether this is no time for work: quiet hours, or others need the machine."""
        return not self._once and self.neighbour.waits is not None

    def tidying(self, keeper: Keeper) -> Tidying:
        """Who keeps the trash."""
        return Tidying(
            self._catalog,
            keeper,
            trash=self.options.trash,
            guard=self.options.guard,
            idle=lambda: self._idle and self.neighbour.waits is None,
        )

    def scanned(self, report: Report) -> None:
        """After each scan: what was put off may be tried again."""
        if report.present:
            self._busy.late_files.clear()
            self._busy.late_assets.clear()
        self._wake.set()

    def hung(self, source_id: SourceId) -> None:
        """A disk has stopped answering, and is hidden."""
        self.visitor.hung(source_id)

    def release(self, work: Identification | Visitation, *, later: bool) -> None:
        """The piece of work is written, or (*later*) put off until the next scan."""
        if isinstance(work, Identification):
            self._busy.files.discard(work.file.id)
            if later:
                self._busy.late_files.add(work.file.id)
        else:
            self._busy.assets.discard(work.job.asset_id)
            if later:
                self._busy.late_assets.add(work.job.asset_id)
        self._wake.set()

    async def listen(self, ringing: int) -> None:
        """Do at once what the mount has put into the queue, until cancelled."""
        while True:
            await trio.lowlevel.wait_readable(ringing)
            bell.heard(ringing)
            self._hurried = True
            self._wake.set()

    async def choose_models(self) -> None:
        """Take the models in use from the registry, and queue what others did."""
        chosen: dict[Stage, Model] = {}
        for stage, kind in MODELS.items():
            try:
                model = await trio.to_thread.run_sync(registry.active, self._state, kind)
            except ModelError as error:
                log.error("%s waits for a model: %s", WAITING[stage], error)  # noqa: TRY400 -- for the owner
                continue
            chosen[stage] = model
            count = await trio.to_thread.run_sync(requeue, self._catalog, stage, model.id)
            if count:
                log.info("%d assets are looked at again (%s), by %s", count, stage, model.id)
        self._idle = False  # what was queued just now has not been looked at
        self.visitor.use(chosen)
        self._wake.set()

    async def measure(self) -> None:
        """See once what this machine can do."""
        await trio.to_thread.run_sync(trial.measure_once, self._state, abandon_on_cancel=True)

    async def follow_owner(self) -> None:
        """Notice when the owner chooses other models or changes the settings, until cancelled."""
        mistake = ""
        while True:
            await trio.sleep(OWNER_S)
            await trio.to_thread.run_sync(decisions.deliver, self._catalog, self._state)
            await self._succession.settle(self.visitor.models.get(Stage.EMBED))
            await self._follow_models()
            if self.options.again is None:
                continue
            try:
                found = await trio.to_thread.run_sync(self.options.again)
            except ConfigError as error:
                if str(error) != mistake:
                    mistake = str(error)
                    log.error("%s; what was set before goes on", mistake)  # noqa: TRY400 -- for the owner
                continue
            mistake = ""
            if found != self._indexing:
                log.info("the settings have changed: budget %s", found.budget)
                self._indexing = found
                self.neighbour.use(found)
                self.visitor.renew(self.settings())
                self.staff()

    async def _follow_models(self) -> None:
        for stage, kind in MODELS.items():
            try:
                model = await trio.to_thread.run_sync(registry.active, self._state, kind)
            except ModelError:
                continue  # said when it was chosen
            if model.id != self.visitor.asked_models.get(stage):
                await self.choose_models()
                return

    async def work(self) -> None:
        """Have everything done that is queued, until cancelled or (once) until there is nothing."""
        send, self._receive = trio.open_memory_channel[Identification | Visitation](0)
        async with trio.open_nursery() as self._nursery:
            self.staff()
            async with self._receive, send:
                while True:
                    self._wake = trio.Event()  # before looking, so that nothing after is missed
                    self._hurried = False
                    scanned = self.scanner.idle
                    waits = None if self._once else self.neighbour.waits
                    work, resting, urgent = await trio.to_thread.run_sync(self._choose)
                    self._waiting = bool(work or self._busy.files or self._busy.assets)
                    if waits and not urgent:
                        work = []
                    for piece in work:
                        if self._hurried:
                            break  # what was chosen is no longer the newest
                        if not (urgent or self._once) and self.neighbour.waits:
                            break
                        if isinstance(piece, Identification):
                            self._busy.files.add(piece.file.id)
                        else:
                            self._busy.assets.add(piece.job.asset_id)
                        await send.send(piece)
                    self._idle = not self._waiting and scanned and self.scanner.idle
                    if work:
                        self._said_idle = False
                        continue
                    if (
                        not self._busy.files
                        and not self._busy.assets
                        and scanned
                        and self.scanner.idle
                    ):
                        if self._once:
                            await self._succession.settle(self.visitor.models.get(Stage.EMBED))
                            return
                        if not self._waiting and not self._said_idle:
                            log.info("everything is indexed")
                            self._said_idle = True
                            await trio.to_thread.run_sync(self._trim)
                    with trio.move_on_after(1.0 if resting else POLL_S):
                        await self._wake.wait()

    def _trim(self) -> None:
        self._catalog.write(changes.trim, CHANGES_KEPT)

    def _choose(self) -> tuple[list[Identification | Visitation], bool, bool]:
        """What to do next, of one pass; whether files are waiting to come to rest; and whether somebody has just put
        here what is to be done, so that it is done also while everything else waits."""
        if arrived := self._visits(arrived=True):
            return arrived, False, True
        now = time.time_ns()
        found = self._catalog.read(
            queue.unidentified, besides=self._busy.files | self._busy.late_files, limit=AHEAD
        )
        calm = [
            Identification(file, root)
            for file, root in found
            if self._once or abs(now - file.mtime_ns) >= REST_NS
        ]
        resting = len(calm) < len(found)
        if calm:
            return list(calm), resting, False
        return self._visits(arrived=False), resting, False

    def _visits(self, *, arrived: bool) -> list[Identification | Visitation]:
        stages = set(Stage) - (MODELS.keys() - self.visitor.models.keys())
        found = self._catalog.read(
            queue.visits,
            besides=self._busy.assets | self._busy.late_assets,
            stages=stages,
            limit=AHEAD,
            arrived=arrived,
        )
        return [Visitation(job) for job in found]


def _cores() -> int:
    return len(os.sched_getaffinity(0))
