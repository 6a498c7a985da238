"""What serving a mount needs besides a transport: the catalog, the tree over it, and the operations on both."""

from __future__ import annotations

import gc
import os
import resource
import sys
import time
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING

from havenfs.catalog import Catalog, sources
from havenfs.decisions import Keeper, note
from havenfs.errors import HavenError
from havenfs.originals import presence, roots
from havenfs.originals.walks import walks
from havenfs.views import open_tree
from havenfs.views.filing import Mover
from havenfs.views.uploads import uploading

from . import credentials, decisions
from .arrivals import Arrivals
from .inodes import InodeTable
from .nodes import Deciders
from .operations import Operations
from .searches import LateSearcher
from .stats import SHORT_S

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from havenfs.config import State

    from .inodes import Ledger

COLLECT_AFTER = (
    20_000  # objects: at 700, the default, looking for circles (there are few) is 8 % of a listing
)
COPIED = 256 << 20
"""Bytes that are copied to another disk while somebody waits for a rename: 2 s on a slow one, where the kernel's patience is 10."""
SWITCH_S = 1e-4  # how long a search thread may hold the interpreter: 5 ms, the default, would be each request's wait


@contextmanager
def opened(
    state: State, mountpoint: Path, *, ledger: Ledger | None = None
) -> Generator[Operations]:
    """The operations of the tree of *state*, to be mounted on *mountpoint*, which `files/` then never enters."""
    _raise_limit()
    with (
        credentials.neutral(),
        _attentive(),
        Catalog(state.catalog) as catalog,
        walks.recognising(lambda source: presence.recognise(catalog, source) is not None),
    ):
        decisions.agree(catalog, state)
        tree = open_tree(
            catalog,
            LateSearcher(catalog, state),
            hidden=(bytes(mountpoint),),
            keeper=Keeper(catalog, state.journal),
        )
        table = InodeTable(tree, now_ns=time.time_ns(), ledger=ledger)
        arrivals = Arrivals(catalog, state)
        try:
            operations = Operations(
                tree, table, uid=os.getuid(), gid=os.getgid(), observer=arrivals
            )
            operations.asked = partial(_deciders, catalog, operations.deciders)
            operations.reconsider()
            tree.scope.library.relocated = operations.relocated
            tree.scope.library.copied = COPIED
            arrivals.told = operations.news  # what it remembers of assets, from before the commit
            operations.library.recorder = arrivals
            uploading.recover(operations.library, _open_files())
            if operations.library.bin is not None:
                operations.library.bin.heard = arrivals.written
                operations.library.bin.recover()
            note.recover(catalog, Mover(catalog, nullcontext(), operations.relocated))
            yield operations
            operations.settle(all_of_them=True)
            operations.library.loose.close()  # not who fails: uploads go on with the next server
        finally:
            arrivals.close()


def _deciders(catalog: Catalog, otherwise: Deciders) -> Deciders | None:
    """Who may write where new files go may also say what they are; without such a place, whoever runs the mount. None: its
    disk does not say."""
    source = catalog.read(sources.uploads)
    if source is None:
        return otherwise
    try:
        status = roots.status(source)
    except (HavenError, OSError):
        return None
    return Deciders(status.st_uid, status.st_gid, status.st_mode & 0o222)


def _open_files() -> set[tuple[int, int]]:
    """Device and inode of what this process has open: a predecessor's clients may still write to it."""
    found: set[tuple[int, int]] = set()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with suppress(OSError):
            status = os.fstat(int(name))
            found.add((status.st_dev, status.st_ino))
    return found


@contextmanager
def _attentive() -> Generator[None]:
    """Let no thread, and seldom the collector, hold up the one that serves, and keep directories open that are walked to
    again and again."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(COLLECT_AFTER, *thresholds[1:])
    walks.keep(SHORT_S)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
        walks.keep(0.0)
        walks.let_go(all_of_them=True)


def _raise_limit() -> None:
    """Open files: each that somebody has open is one of ours. The soft limit, 1024, is for programs that use select(2)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
