"""`python -m havenweb`: the web program in the foreground, on loopback, until SIGTERM or SIGINT.

Exit codes: 0 ended by a signal, 1 a state directory that cannot be used, 2 arguments or an address that cannot be
served.
"""

from __future__ import annotations

import argparse
import errno
import ipaddress
import logging
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import uvicorn

from havenfs import service
from havenfs.config import State
from havenfs.errors import ConfigError, HavenError

from .app import create_app

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from types import FrameType

    from starlette.applications import Starlette

log = logging.getLogger("havenweb")

GRACE_S = 5  # for answers under way when asked to end; a video being streamed is cut


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse *arguments*, serve, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m havenweb", description="HavenFS's web page.")
    parser.add_argument("--state", type=Path, metavar="DIR", help="the state directory")
    parser.add_argument(
        "--http", default="127.0.0.1:8440", metavar="HOST:PORT", help="loopback only"
    )
    parser.add_argument("--mount", type=Path, metavar="DIR", help="where the tree is mounted")
    options = parser.parse_args(arguments)
    service.configure_logging("web")
    state = State(root=options.state.absolute()) if options.state else State.default()
    try:
        listener = listen(options.http)
    except ConfigError as error:
        log.error("%s", error)  # noqa: TRY400  the owner's mistake: one line, no traceback
        return 2
    with listener:
        try:
            app = create_app(state, mount=options.mount.absolute() if options.mount else None)
        except HavenError as error:
            log.error("%s", error)  # noqa: TRY400
            return 1
        serve(app, listener)
    return 0


def listen(address: str) -> socket.socket:
    """A listening socket at HOST:PORT (port 0: any free one). Raises ConfigError.

    Bound here and not by uvicorn, so that an address in use is one line and nothing has been opened yet.
    """
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"--http {address}: give HOST:PORT, such as 127.0.0.1:8440")
    try:
        ip = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise ConfigError(
            f"--http {address}: {host!r} is neither an IP address nor localhost"
        ) from None
    if not ip.is_loopback:
        raise ConfigError(
            f"--http {address}: the page has no accounts yet, so it is served on loopback only; "
            f"use 127.0.0.1:{port}"
        )
    family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET
    # The protocol by number: asyncio sets TCP_NODELAY only where it sees it, and every answer took 40 ms without.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((str(ip), int(port)))
        listener.listen(128)
    except OSError as error:
        listener.close()
        what = "is in use: end the program there or choose another port"
        if error.errno != errno.EADDRINUSE:
            what = f"cannot be served: {error.strerror}"
        raise ConfigError(f"--http {address}: {what}") from error
    return listener


def serve(app: Starlette, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT; says when it is ready, in the log and to the service manager."""
    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    opened = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with opened(app):
            log.info("the page is at %s", address)
            service.ready(f"the page is at {address}")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_beat)
                yield
                tasks.cancel_scope.cancel()

    app.router.lifespan_context = lifespan
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=GRACE_S,
            server_header=False,
        )
    )

    def ignore(_signal: int, _frame: FrameType | None) -> None:
        pass  # uvicorn takes the signal while it serves, and raises it again for us when it has ended

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ignore)
    server.run(sockets=[listener])


async def _beat() -> None:
    """Beat the watchdog from the loop that answers: one that hangs stops beating and is started again."""
    interval = service.watchdog_interval()
    while interval is not None:
        service.alive()
        await anyio.sleep(interval)


if __name__ == "__main__":
    sys.exit(main())
