"""The mount as a service: the tree on a directory, from the first moment until the task is cancelled.

It answers before anything is indexed and never scans: folders are read from the catalog when they are asked for.
Threading: one trio task tree on the main thread (signals); nothing else should run in this process, because whatever
holds the interpreter holds the kernel up.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
from typing import TYPE_CHECKING

import pyfuse3
import trio

from havenfs.catalog import browse
from havenfs.errors import ConfigError

from . import deciding, mountpoint as mountpoint_, session
from .fuse import Handlers, Notifications
from .invalidate import PERIOD_S, Watcher

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.config import State

    from .operations import Operations

log = logging.getLogger(__name__)


async def run(
    state: State, mountpoint: Path, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Mount the tree of *state* on *mountpoint* and serve it until cancelled, SIGTERM, SIGINT or an unmount.

    Nothing stays mounted afterwards; what a killed predecessor left is detached first. Raises ConfigError when the
    directory cannot be mounted on.
    """
    point = mountpoint_.prepare(mountpoint)
    with session.opened(state, point) as operations:
        try:
            library_id = operations.library.catalog.read(browse.library)
            pyfuse3.init(Handlers(operations), str(point), _options(library_id))
        except RuntimeError as error:
            raise ConfigError(
                f"cannot mount on {point} ({error}). Is /dev/fuse there, and the directory yours?"
            ) from error
        gc.freeze()  # what is loaded by now lives as long as the mount: the collector need not walk it
        log.info("mounted on %s", point)
        kernel = Notifications()
        # The session outlives the watching task, also when both are cancelled from outside: what that task tells the
        # kernel may have to wait for an answer from a handler.
        serving, watching = trio.CancelScope(shield=True), trio.CancelScope()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_serve, serving, watching)
                operations.nudges.start(point, operations.table.path, kernel)
                task_status.started()
                try:
                    with watching, deciding.answering(state, operations):
                        async with trio.open_nursery() as others:
                            others.start_soon(_watch, operations, Watcher(operations, kernel))
                            others.start_soon(_read_far_ahead, point)
                            await _stopped()
                            others.cancel_scope.cancel()
                finally:
                    operations.nudges.close()
                    serving.cancel()
        finally:
            pyfuse3.close(unmount=True)
            log.info("unmounted %s", point)


async def _watch(operations: Operations, watcher: Watcher) -> None:
    """Tell the kernel of changes; a cheap question while there are none."""
    while True:
        if watcher.due():
            await trio.to_thread.run_sync(watcher.tell)
        operations.let_go()
        if operations.library.bursts.due():
            await trio.to_thread.run_sync(operations.settle)
        await trio.sleep(PERIOD_S)


async def _read_far_ahead(point: Path) -> None:
    await trio.sleep(
        PERIOD_S
    )  # the kernel sets it back when it is told what we speak, the first thing that is answered
    mountpoint_.read_far_ahead(point)


async def _serve(serving: trio.CancelScope, watch: trio.CancelScope) -> None:
    with serving:
        await pyfuse3.main()
    watch.cancel()  # it ended by itself: somebody unmounted it


async def _stopped() -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            return


def _options(library_id: str) -> set[str]:
    # fsname: Samba's vfs_glusterfs_fuse makes file ids of it, so it must be unique and outlive restarts.
    options = {f"fsname=havenfs-{library_id}", "subtype=havenfs", "nosuid", "nodev", "noatime"}
    if os.getuid() == 0:
        # Everybody may look, as far as the modes say; user_allow_other is not needed by root.
        options |= {"allow_other", "default_permissions"}
    return options
