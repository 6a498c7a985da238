"""How a worker makes itself small before it touches a file: priority, limits, no network, no new privileges.

Called once, early, in the worker's own process and while it has one thread. The unit's sandbox comes on top; this is
what holds on a laptop and in a container too.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from typing import TYPE_CHECKING, Final

from havenfs.settings import Budget

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MEMORY: Final = 1536 << 20
"""Bytes of RLIMIT_DATA (private writable memory; RLIMIT_AS would count mapped models and reserved arenas as well).
Measured: 117 MB with every decoder loaded, 145 MB with the miniature model, 240 MB more while a PNG of 45 megapixels is
decoded, 25 MB more for a JPEG of 200 (it scales while it decodes). The rest is for full models and large videos."""
WRITES: Final = (
    64 << 20
)  # bytes a file: tesseract wants the picture in a temporary file, nothing else is written
FILES: Final = 256

PR_SET_PDEATHSIG: Final = 1
PR_SET_NO_NEW_PRIVS: Final = 38
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNET: Final = 0x40000000


IOPRIO: Final = {
    Budget.BACKGROUND: 3 << 13,  # idle: only what no other process wants
    Budget.BALANCED: 2 << 13 | 7,  # best effort, the last in line
}
"""Class and level, as ioprio_set(2) counts."""
IOPRIO_SET: Final = {"x86_64": 251, "aarch64": 30}


def confine(
    parent: int,
    *,
    memory: int = MEMORY,
    budget: Budget | None = Budget.BALANCED,
    readable: Sequence[Path] = (),
) -> tuple[str, ...]:
    """Lower this process for good. Exits if *parent* (a pid) is already gone.

    *budget* None: somebody waits for the answers. Below *readable*, and where programs and libraries are, files may be
    read; nothing may be written outside of a private temporary directory. Returns what the kernel lacks for this, in words.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    # Not after the parent's exit but after that of the thread that started us: the indexer starts workers from the
    # thread that lives as long as it does.
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(0)
    if budget is not None:
        _step_back(libc, budget)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_DATA, memory)
    _limit(resource.RLIMIT_FSIZE, WRITES)
    _limit(resource.RLIMIT_NOFILE, FILES)
    signal.signal(
        signal.SIGXFSZ, signal.SIG_IGN
    )  # EFBIG is an error of ours to report; the signal kills
    lacking = _leave_network(libc)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return tuple(lacking)


def _step_back(libc: ctypes.CDLL, budget: Budget) -> None:
    """Let others go first."""
    if budget is Budget.BACKGROUND:
        os.nice(19)
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(10 if budget is Budget.BALANCED else 5)
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    if budget in IOPRIO and (call := IOPRIO_SET.get(os.uname().machine)):
        libc.syscall(call, 1, 0, IOPRIO[budget])


def _limit(which: int, most: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(which, (most, most))


def _leave_network(libc: ctypes.CDLL) -> list[str]:
    """An empty network name space where the kernel lets us: as root, else through a user name space."""
    if libc.unshare(CLONE_NEWNET) == 0:
        return []
    # File permissions go on being those of our user: only names of users change in there, and nothing is written.
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
        return []
    return [f"no network name space of their own ({os.strerror(ctypes.get_errno())})"]
