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
import sys
import time
from typing import TYPE_CHECKING

import pyfuse3
import trio

from havenfs.catalog import Catalog, browse, changes
from havenfs.errors import ConfigError
from havenfs.retrieval.encoder import SocketEncoder
from havenfs.retrieval.search import Searcher
from havenfs.views import open_tree

from . import invalidate, mountpoint as mountpoint_
from .fuse import Handlers
from .inodes import InodeTable
from .operations import Operations

if TYPE_CHECKING:
    from pathlib import Path

    from havenfs.config import State

log = logging.getLogger(__name__)

SWITCH_S = 1e-4  # how long a search thread may hold the interpreter: 5 ms, the default, would be each request's wait


async def run(
    state: State, mountpoint: Path, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Mount the tree of *state* on *mountpoint* and serve it until cancelled, SIGTERM, SIGINT or an unmount.

    Nothing stays mounted afterwards; what a killed predecessor left is detached first. Raises ConfigError when the
    directory cannot be mounted on.
    """
    point = mountpoint_.prepare(mountpoint)
    with Catalog(state.catalog) as catalog:
        library_id = catalog.read(browse.library)
        since = catalog.read(changes.generation)
        tree = open_tree(
            catalog, Searcher(catalog, SocketEncoder(state.encoder)), hidden=(bytes(point),)
        )
        table = InodeTable(tree, now_ns=time.time_ns())
        operations = Operations(tree, table, uid=os.getuid(), gid=os.getgid())
        try:
            pyfuse3.init(Handlers(operations), str(point), _options(library_id))
        except RuntimeError as error:
            raise ConfigError(
                f"cannot mount on {point} ({error}). Is /dev/fuse there, and the directory yours?"
            ) from error
        sys.setswitchinterval(SWITCH_S)
        gc.freeze()  # what is loaded by now lives as long as the mount: the collector need not walk it
        log.info("mounted on %s", point)
        # The session outlives the watching task, also when both are cancelled from outside: what that task tells the
        # kernel may have to wait for an answer from a handler.
        session, watch = trio.CancelScope(shield=True), trio.CancelScope()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_serve, session, watch)
                task_status.started()
                try:
                    with watch:
                        async with trio.open_nursery() as watching:
                            watching.start_soon(invalidate.run, catalog, table, since)
                            await _stopped()
                            watching.cancel_scope.cancel()
                finally:
                    session.cancel()
        finally:
            pyfuse3.close(unmount=True)
            log.info("unmounted %s", point)


async def _serve(session: trio.CancelScope, watch: trio.CancelScope) -> None:
    with session:
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
