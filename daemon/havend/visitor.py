"""The visitor: takes one piece of work to a worker and what comes back to the recorder. Blames the right one.

A file that cannot be read is recorded so. A disk or file that is not as it was puts the work off. A worker that dies
counts against the content it was looking at, and only against that: each worker has one thing in hand. Trio only.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import trio

from havenfs.catalog import findings as catalog_findings, jobs
from havenfs.entities import Findings, Stage
from havenfs.errors import NotFound, Unreadable
from havenfs.ingest import identity, trust, walk

from .pool import Settings, Worker, WorkerDiedError
from .protocol import Bad, Found, Gone, Identified, Identify, Look, NoModel
from .recorder import Entry, Recorder
from .scanner import HANG_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from havenfs.catalog.files import Seen
    from havenfs.catalog.jobs import Job
    from havenfs.catalog.thumbnails import Images, Thumbnails
    from havenfs.entities import File, FileId, ModelId, Source, SourceId
    from havenfs.models.registry import Model

    from .scanner import Scanner

log = logging.getLogger(__name__)

IDLE_S = 60.0  # how long a worker without work is kept: with a full model it holds half a gigabyte
WAITING = {Stage.EMBED: "searching by looks", Stage.FACES: "finding faces"}
"""What waits when the stage has no model, in words for the owner."""
SLOWEST = 2_000_000  # bytes a second that a disk must give: an old USB stick on a busy NAS


@dataclass(frozen=True, slots=True)
class Identification:
    """A file to be hashed."""

    file: File
    root: bytes


@dataclass(frozen=True, slots=True)
class Visitation:
    """An asset to be looked at."""

    job: Job


class Released(Protocol):
    """What to call when a piece of work is over."""

    def __call__(self, work: Identification | Visitation, *, later: bool) -> None:
        """*later*: not done, put off until the next scan."""


async def _look(root: bytes, path: bytes) -> Seen | None:
    """What is there; None also when the disk hangs: that thread is left behind, and the work put off."""
    with trio.move_on_after(HANG_S):
        return await trio.to_thread.run_sync(walk.look, root, path, abandon_on_cancel=True)
    return None


class Visitor:
    """Runs workers. One object for all of them; each `run` has a worker of its own."""

    def __init__(
        self,
        *,
        settings: Settings,
        scanner: Scanner,
        recorder: Recorder,
        thumbnails: Thumbnails,
        sources: Mapping[SourceId, Source],
        visit_s: float,
        released: Released,
    ) -> None:
        self.settings = settings
        """How workers are started."""
        self.walls: tuple[str, ...] = ()
        """What the kernel lacks for shutting workers in, as the last one that came up says."""
        self._staff = 0
        self._breath = 0.0
        self._scanner = scanner
        self._recorder = recorder
        self._thumbnails = thumbnails
        self._sources = sources
        self._visit_s = visit_s
        self._released = released
        self._crashes: dict[FileId, int] = {}
        self.models: dict[Stage, Model] = {}
        """What does the stages that need a model; a stage that is missing is not done for now."""
        self.asked_models: dict[Stage, ModelId] = {}
        """The last ones that were to be used, whether they work or not."""
        self._generation = 0
        self._scopes: dict[trio.CancelScope, SourceId] = {}

    def use(self, models: Mapping[Stage, Model]) -> None:
        """Do these stages with these models from now on. Workers start anew before their next visit."""
        self.models = dict(models)
        self.asked_models = {stage: model.id for stage, model in models.items()}
        self._generation += 1

    def renew(self, settings: Settings) -> None:
        """Start workers anew before their next piece, like this."""
        self.settings = settings
        self._generation += 1

    def staff(self, count: int, *, breath: float) -> None:
        """Let the first *count* of those that `run` work, each resting after a piece for *breath* times as long as it took."""
        self._staff, self._breath = count, breath

    async def run(
        self, number: int, work: trio.MemoryReceiveChannel[Identification | Visitation]
    ) -> None:
        """Do pieces of work, one at a time, until there are no more, or `staff` says that *number* is too many."""
        async with work, Worker(self.settings) as worker:
            generation = self._generation
            while number < self._staff:
                piece = None
                with trio.move_on_after(IDLE_S if worker.pid else math.inf):
                    try:
                        piece = await work.receive()
                    except trio.EndOfChannel:
                        return
                if piece is None:  # for so long that others may need the memory
                    await worker.stop()
                    continue
                if generation != self._generation:
                    generation = self._generation
                    await worker.stop(self.settings)
                began = trio.current_time()
                await self._do(worker, piece)
                self._note(worker.walls)
                await trio.sleep((trio.current_time() - began) * self._breath)

    def _note(self, walls: tuple[str, ...]) -> None:
        if walls != self.walls:
            self.walls = walls
            for lacking in walls:
                log.warning("workers are shut in less than they could be: %s", lacking)

    async def _do(self, worker: Worker, piece: Identification | Visitation) -> None:
        source_id = (piece.file if isinstance(piece, Identification) else piece.job).source_id
        with trio.CancelScope() as scope:
            self._scopes[scope] = source_id
            try:
                if isinstance(piece, Identification):
                    await self._identify(worker, piece)
                else:
                    await self._visit(worker, piece)
            finally:
                del self._scopes[scope]
        if scope.cancelled_caught:
            self._released(piece, later=True)

    def hung(self, source_id: SourceId) -> None:
        """The disk of this source has stopped answering: let go of what is under way on it, and blame no file."""
        for scope in [scope for scope, of in self._scopes.items() if of == source_id]:
            scope.cancel()

    async def _identify(self, worker: Worker, work: Identification) -> None:
        file = work.file
        path = walk.joined(work.root, file.path)
        try:
            answer = await worker.ask(Identify(path), timeout_s=30 + file.size / SLOWEST)
            if isinstance(answer, Identified):
                found = trust.identity(answer.identity)
                await self._record(work, partial(identity.settle, asked=file, identity=found))
                return
        except WorkerDiedError as error:
            count = self._crashes[file.id] = self._crashes.get(file.id, 0) + 1
            log.warning("a worker %s while it read file %d", error, file.id)
            if count < jobs.CRASHES:
                self._released(work, later=False)
                return
            answer = Bad(f"reading it {error}, twice")
            del self._crashes[file.id]
        except Unreadable as error:
            answer = Bad(str(error))
        if isinstance(answer, Gone) and answer.anew:
            await worker.stop()
        now = await _look(work.root, file.path)
        if (
            isinstance(answer, Bad)
            and now is not None
            and (now.size, now.mtime_ns, now.inode) == (file.size, file.mtime_ns, file.inode)
        ):
            await self._record(work, partial(identity.refuse, asked=file, reason=answer.reason))
        else:
            self._put_off(work, file.source_id, file.path)

    async def _visit(self, worker: Worker, work: Visitation) -> None:
        job = work.job
        now = await _look(job.root, job.path)
        if now is None or (now.size, now.mtime_ns) != (job.size, job.mtime_ns):
            self._put_off(
                work, job.source_id, job.path
            )  # other bytes than those that have this hash
            return
        request = Look(
            path=walk.joined(job.root, job.path),
            relative=job.path,
            kind=job.kind,
            mime=job.mime,
            mtime_ns=job.mtime_ns,
            stages=job.stages,
            large=await trio.to_thread.run_sync(self._large, job),
        )
        try:
            answer = await worker.ask(request, timeout_s=self._visit_s)
            if isinstance(answer, Found):
                dimensions = {stage: model.dimension for stage, model in self.models.items()}
                found = trust.findings(
                    answer.findings,
                    job.stages,
                    dimension=dimensions.get(Stage.EMBED),
                    face_dimension=dimensions.get(Stage.FACES),
                )
                await self._record_findings(work, found)
                return
        except WorkerDiedError as error:
            log.warning(
                "a worker %s at %s of asset %d", error, ", ".join(sorted(job.stages)), job.asset_id
            )
            reason = f"crashed the decoder twice ({error})"
            await self._record(
                work,
                partial(jobs.crashed, asset_id=job.asset_id, stages=job.stages, reason=reason),
            )
            return
        except Unreadable as error:
            answer = Bad(str(error))
        match answer:
            case Bad():
                failed = dict.fromkeys(job.stages, answer.reason)
                await self._record_findings(work, Findings(failed=failed))
            case NoModel():
                for stage in job.stages & self.models.keys():
                    log.error("%s waits for a working model: %s", WAITING[stage], answer.reason)
                    del self.models[stage]
                self._released(work, later=False)
            case Gone():
                if answer.anew:
                    await worker.stop()
                self._put_off(work, job.source_id, job.path)
            case _:
                failed = dict.fromkeys(job.stages, "the decoder's answer makes no sense")
                await self._record_findings(work, Findings(failed=failed))

    async def _record_findings(self, work: Visitation, found: Findings) -> None:
        job = work.job
        preview = None
        if found.preview is not None:
            made = found.preview
            preview = (job.hash, made.small, made.large, made.strip)
        write = partial(
            catalog_findings.record,
            asset_id=job.asset_id,
            content=job.hash,
            stages=job.stages,
            findings=found,
        )
        await self._record(work, write, preview)

    async def _record(
        self,
        work: Identification | Visitation,
        write: Callable[..., object],
        preview: Images | None = None,
    ) -> None:
        done = partial(self._released, work, later=False)
        await self._recorder.put(Entry(write=write, done=done, preview=preview))

    def _put_off(self, work: Identification | Visitation, source_id: SourceId, path: bytes) -> None:
        self._released(work, later=True)
        self._scanner.ask(self._sources[source_id], path.rpartition(b"/")[0], deep=False)

    def _large(self, job: Job) -> bytes | None:
        """The stored picture, for stages that can do with it."""
        if Stage.PREVIEW in job.stages or not job.stages & {Stage.EMBED, Stage.FACES, Stage.TEXT}:
            return None
        try:
            return self._thumbnails.get(job.hash, 1440)
        except NotFound:
            return None
