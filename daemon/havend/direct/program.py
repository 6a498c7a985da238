"""`havenfs mount` over the direct transport: take over the mount that a predecessor left, or make one, and supervise it.

Imported by that command alone, in the process that becomes the supervisor: with everything that a server needs, so that
a copy of it answers at once.
"""

from __future__ import annotations

import ctypes
import gc
import os

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # read when numpy is loaded; a process of threads cannot be copied

from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from havend import checks, mountpoint as mountpoints, transport
from havenfs import service
from havenfs.catalog import Catalog, browse
from havenfs.errors import ConfigError

from . import device, server
from .capabilities import Capabilities
from .kept import Kept
from .ledger import INIT, Ledger
from .supervisor import Supervisor

if TYPE_CHECKING:
    from pathlib import Path

    from havend.transport import Choice
    from havenfs.config import State


LATER: Final = ("havend.deciding", "havend.helper", "havenfs.ingest.arrival")
"""What the first server loads when it is first needed, so as to answer sooner. Its successors have it from the beginning:
clients wait for them."""

M_ARENA_MAX: Final = -8


def run(state: State, directory: Path, choice: Choice) -> int:
    """Serve the tree of *state* on *directory* until SIGTERM, SIGINT or an unmount. Returns the exit code."""
    _share_memory()
    kept = Kept.inherited(checks.absolute(directory)) or _mounted(state, directory)
    kept.hand_to_manager()

    def ready(ledger: Ledger) -> None:
        note = ledger.noted(INIT)
        missing = Capabilities.unpack(note).missing() if note else ""
        transport.record(state, kept.mountpoint, choice, missing=missing)
        service.ready(f"mounted at {kept.mountpoint}")
        for module in LATER:
            import_module(module)
        gc.freeze()

    serve = partial(server.serve, state, kept.mountpoint)
    try:
        return Supervisor(kept, serve, told_ready=ready).run()
    finally:
        transport.erase(state)


def _share_memory() -> None:
    """Let threads have one arena of malloc instead of up to eight a core, each with what it once freed. They take turns
    anyway. After a look at five views of a million assets: 95 MiB, where it was 115, and 156 once."""
    with suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def _mounted(state: State, directory: Path) -> Kept:
    mountpoint = mountpoints.prepare(checks.mountpoint(directory, (), state))
    with Catalog(state.catalog) as catalog:  # closed again: a server must find no lock of ours
        library_id = catalog.read(browse.library)
    descriptor = device.open_device()
    try:
        device.mount(descriptor, mountpoint, library_id=library_id)
    except OSError as error:
        raise ConfigError(f"cannot mount on {mountpoint}: {error.strerror}") from error
    return Kept.new(descriptor, asked=checks.absolute(directory), mountpoint=mountpoint)
