"""Running one trio program as a service: until SIGTERM or SIGINT, telling whoever started it when it answers."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Protocol

import trio

from havenfs import service
from havenfs.errors import HavenError

if TYPE_CHECKING:
    from collections.abc import Awaitable


class Service(Protocol):
    """A program's task: says when it answers, then runs until it is done or cancelled."""

    def __call__(self, *, task_status: trio.TaskStatus[None]) -> Awaitable[None]: ...


def until_stopped(run: Service, status: str) -> int:
    """Run it; *status* is one line for `systemctl status`. Returns the exit code, raises what one line can tell."""
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
