"""Worker processes seen from the indexer: started, asked, timed, killed and replaced.

A `Worker` is used by one task at a time. Trio only; a worker is started from the loop's own thread, because it dies
with the thread that started it (`PR_SET_PDEATHSIG`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import trio

from havenfs.config import Budget
from havenfs.errors import ModelError
from havenfs.models import registry
from havenfs.settings import LANGUAGES_ENV

from . import confine, starved
from .protocol import ANSWERS, LARGEST, LENGTH, Answer, Ready, Request, frame

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from havenfs.config import State

log = logging.getLogger(__name__)

KILL_S = (
    10.0  # SIGKILL works at once, unless the process waits in the kernel for a disk that is gone
)
FINISH_S = 60.0  # for the rest of an answer that has begun: megabytes through a pipe
START_S = 60.0  # importing decoders from a spinning disk that is busy
MEMORY = "/dev/shm"
REQUESTS = (
    2000  # answers after which a worker makes room for a fresh one: C libraries leak a little
)


LOADING = 3  # times its file: ViT-B/32 in fp32 loads with 1.2 times its picture tower's, and needs up to 2.2 times its text tower's


class WorkerDiedError(Exception):
    """The worker ended, hung or talked nonsense while it was asked. Says how; never leaves the indexer."""


class WorkerUnfitError(Exception):
    """No worker comes up: the installation or the machine is at fault, no file. Ends the indexer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How workers are started."""

    state: State
    readable: tuple[bytes, ...] = ()
    """Directories of originals, which it may read and nothing else."""
    memory: int = confine.MEMORY
    """Bytes of private memory that one may have."""
    threads: int = 1
    """Of one run of a model."""
    languages: tuple[str, ...] = ()
    """In which printed text is read; none: all that are installed."""
    budget: Budget | None = Budget.BALANCED
    """How low its priority is; None: somebody waits for its answers."""


class Worker:
    """One worker process, started when first asked. An async context manager: the process ends with it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: trio.lowlevel.FdStream | None = None
        self._answers: trio.lowlevel.FdStream | None = None
        self._asked = 0
        self.scratch = Path()
        """The directory of its own; gone with the process."""
        self.walls: tuple[str, ...] = ()
        """What the kernel lacks for shutting it in, in words."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int | None:
        """The process while it runs."""
        return self._process.pid if self._process is not None else None

    async def ask(self, request: Request, *, timeout_s: float) -> Answer:
        """Its answer. Raises WorkerDiedError when the process ends, says what is no answer, or takes longer than
        *timeout_s*, not counting what it waits for a processor; the next call starts another. Raises WorkerUnfitError when none can be started. Cancelling kills
        the process too: it may be in the middle."""
        if self._asked >= REQUESTS:
            await self.stop()
        if self._process is None:
            await self._start()
        self._asked += 1
        try:
            await self._send(request)
            return await self._receive(timeout_s)
        except trio.Cancelled:
            await self.stop()
            raise

    async def stop(self, settings: Settings | None = None) -> int | None:
        """End the process, if there is one; returns its exit status. The next one is started as *settings* say."""
        self._settings = settings or self._settings
        process, self._process = self._process, None
        if process is None:
            return None
        self._asked = 0
        with trio.CancelScope(shield=True):
            for stream in (self._requests, self._answers):
                if stream is not None:
                    await stream.aclose()
            # Its children (tesseract) are in its group. It has nothing to save, so there is no gentle way first.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            with trio.move_on_after(KILL_S) as waiting:
                await _ended(process)
            if waiting.cancelled_caught:
                log.error("worker %d waits for a dead disk and cannot be ended", process.pid)
                trio.lowlevel.spawn_system_task(_ended, process)  # buried when the disk answers
            shutil.rmtree(self.scratch, ignore_errors=True)
        return process.returncode

    async def _start(self) -> None:
        for pause in (1.0, 5.0, None):  # memory may be short for a moment
            self._spawn()
            try:
                answer = await self._receive(START_S)
                if isinstance(answer, Ready):
                    self.walls = answer.walls
                    return
            except WorkerDiedError as error:
                reason = str(error)
            else:
                reason = "talked nonsense"
            log.error("a worker %s before it was ready", reason)
            await self.stop()
            if pause is None:
                raise WorkerUnfitError(reason)
            await trio.sleep(pause)

    def _spawn(self) -> None:
        settings = self._settings
        # In memory where that can be: what tesseract is handed over is no reason to wake a disk.
        place = MEMORY if os.access(MEMORY, os.W_OK) else None
        self.scratch = Path(tempfile.mkdtemp(prefix="havenfs-worker-", dir=place))
        command = [
            # -P: never from the directory that we happen to be in
            *(sys.executable, "-P", "-m", "havend.worker"),
            *("--scratch", str(self.scratch)),
            *("--state", str(settings.state.root)),
            *("--parent", str(os.getpid())),
            *("--memory", str(settings.memory + _room(settings))),
            *("--threads", str(settings.threads)),
            *(["--budget", settings.budget] if settings.budget else []),
            *(part for root in settings.readable for part in ("--readable", os.fsdecode(root))),
        ]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # tesseract's threads fight each other: one makes it 8 times as fast
            env={
                **os.environ,
                "OMP_THREAD_LIMIT": "1",
                LANGUAGES_ENV: "+".join(settings.languages),
                "PYTHONUNBUFFERED": "1",
                "TMPDIR": str(self.scratch),
            },
            process_group=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = trio.lowlevel.FdStream(os.dup(self._process.stdin.fileno()))
        self._answers = trio.lowlevel.FdStream(os.dup(self._process.stdout.fileno()))
        self._process.stdin.close()
        self._process.stdout.close()
        log.debug("worker %d started", self._process.pid)

    async def _send(self, request: Request) -> None:
        assert self._requests is not None
        try:
            await self._requests.send_all(frame(request))
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise WorkerDiedError(await self._epitaph()) from error

    async def _receive(self, timeout_s: float) -> Answer:
        try:
            await self._come(timeout_s)
            with trio.fail_after(FINISH_S):
                (length,) = LENGTH.unpack(await self._read(LENGTH.size))
                if length > LARGEST:
                    raise EOFError
                return ANSWERS.decode(await self._read(length))
        except trio.TooSlowError:
            await self.stop()
            raise WorkerDiedError(f"took longer than {timeout_s:.0f} s") from None
        except (OSError, EOFError, msgspec.DecodeError, trio.BrokenResourceError) as error:
            raise WorkerDiedError(await self._epitaph()) from error

    async def _come(self, timeout_s: float) -> None:
        """Wait for the beginning of an answer. Raises TooSlowError."""
        assert self._answers is not None
        assert self._process is not None
        began = starved.turns(self._process.pid)
        until, given = trio.current_time() + timeout_s, 0.0
        while True:
            with trio.move_on_at(until + given):
                await trio.lowlevel.wait_readable(self._answers.fileno())
                return
            more = starved.credit(began, starved.turns(self._process.pid), given, timeout_s)
            if more == given:
                raise trio.TooSlowError
            given = more

    async def _read(self, size: int) -> bytes:
        assert self._answers is not None
        data = bytearray()
        while len(data) < size:
            chunk = await self._answers.receive_some(min(size - len(data), 1 << 20))
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)

    async def _epitaph(self) -> str:
        process = self._process
        if (
            process is not None
        ):  # it may be on its way out by itself: its own status says more than our SIGKILL
            with trio.move_on_after(1):
                await _ended(process)
        status = await self.stop()
        if status is not None and status < 0:
            return f"ended by {signal.Signals(-status).name}"
        return f"ended with status {status}"


def _room(settings: Settings) -> int:
    """Bytes beyond a worker's own that the tower needs which it will load: its file, its weights, and those again in the
    order in which the processor wants them, at the moment when loading ends."""
    part, look = (
        ("textual", registry.answering) if settings.budget is None else ("visual", registry.active)
    )
    try:
        return LOADING * registry.weight(look(settings.state), part)
    except (ModelError, OSError):
        return 0  # the worker says so


async def _ended(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process has ended, and collect its status. Popen.wait would block the loop."""
    if process.poll() is not None:
        return
    handle = os.pidfd_open(process.pid)
    try:
        await trio.lowlevel.wait_readable(handle)
    finally:
        os.close(handle)
    process.wait()
