"""The long-running programs, as systemd and `havenfs up` start them: run until stopped, say when ready."""

from __future__ import annotations

import logging
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Protocol

import trio

from havenfs import service
from havenfs.errors import HavenError

from . import checks, transport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from pathlib import Path

    from havenfs.config import SourceConfig, State

    from .transport import Choice

log = logging.getLogger(__name__)


def mount(state: State, directory: Path, choice: Choice) -> int:
    """Serve the tree on *directory* until SIGTERM or SIGINT."""
    log.info("transport %s: %s", choice.transport, choice.reason)
    if choice.transport == "direct":  # each transport is loaded by the mount alone
        from .direct import program

        return program.run(state, directory, choice)
    from . import mount as mounting

    mountpoint = checks.mountpoint(directory, (), state)
    transport.record(state, mountpoint, choice)
    try:
        return _serve(partial(mounting.run, state, mountpoint), f"mounted at {mountpoint}")
    finally:
        transport.erase(state)


def index(state: State, sources: Sequence[SourceConfig], *, once: bool) -> int:
    """Index *sources* until SIGTERM or SIGINT; with *once*, until everything is done."""
    from . import indexer

    return _serve(partial(indexer.run, state, sources, once=once), "indexing")


def web(state: State, http: str, mountpoint: Path | None) -> int:
    """Become the web program: it runs on uvicorn, so nothing of this process is of use to it."""
    command = [sys.executable, "-m", "havenweb", "--state", str(state.root), "--http", http]
    if mountpoint:
        command += ["--mount", str(mountpoint)]
    os.execv(sys.executable, command)


class Service(Protocol):
    """A program's task: says when it answers, then runs until it is done or cancelled."""

    def __call__(self, *, task_status: trio.TaskStatus[None]) -> Awaitable[None]: ...


def _serve(run: Service, status: str) -> int:
    try:
        trio.run(_until_stopped, run, status)
    except ExceptionGroup as group:
        mistakes, bugs = group.split(HavenError)
        if mistakes is None or bugs is not None:
            raise
        raise _first(mistakes) from None
    return 0


def _first(group: ExceptionGroup[HavenError]) -> HavenError:
    """What one line can tell of errors that nurseries have wrapped."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error


async def _until_stopped(run: Service, status: str) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_on_signal, nursery.cancel_scope)

        async def program(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
            await run(task_status=task_status)
            nursery.cancel_scope.cancel()

        await nursery.start(program)
        service.ready(status)
        interval = service.watchdog_interval()
        if interval is not None:
            nursery.start_soon(_beat, interval)
    service.stopping()


async def stop_on_signal(scope: trio.CancelScope) -> None:
    """Cancel *scope* at the first SIGTERM or SIGINT."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()
            return


async def _beat(interval: float) -> None:
    """Beat from the loop that does the work: a loop that hangs stops beating and is restarted."""
    while True:
        service.alive()
        await trio.sleep(interval)
