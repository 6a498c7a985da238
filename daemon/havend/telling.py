"""Tells whoever asks how the indexer stands: `havenfs.standing`, answered. Trio; one line of JSON for each connection."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import trio

from . import sockets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from havenfs.standing import Standing

SEND_S = 5.0


async def serve(
    path: Path,
    standing: Callable[[], Standing],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer at the socket *path* until cancelled."""

    async def answer(stream: trio.SocketStream) -> None:
        async with stream:
            with contextlib.suppress(trio.BrokenResourceError), trio.move_on_after(SEND_S):
                await stream.send_all(msgspec.json.encode(standing()))

    with sockets.bound(path) as listener:
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(trio.serve_listeners, answer, [listener]))
            task_status.started()
