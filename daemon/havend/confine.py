"""How a worker makes itself small before it touches a file: priority, limits, no network, no privileges, no writing.

Called once, early, in the worker's own process and while it has one thread. The unit's sandbox comes on top; this is
what holds on a laptop and in a container too.
"""

from __future__ import annotations

import ctypes
import os
import re
import resource
import shutil
import signal
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import havenfs
from havenfs.config import Budget

from . import landlock, seccomp

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

MEMORY: Final = 1536 << 20
"""Bytes of RLIMIT_DATA (private writable memory; RLIMIT_AS would count mapped models and reserved arenas as well).
Measured: 117 MB with every decoder loaded, 145 MB with the miniature model, 240 MB more while a PNG of 45 megapixels is
decoded, 25 MB more for a JPEG of 200 (it scales while it decodes). The rest is for full models and large videos."""
WRITES: Final = (
    64 << 20
)  # bytes a file: tesseract wants the picture in a temporary file, nothing else is written
FILES: Final = 256

SYSTEM: Final = (
    "/usr",
    "/bin",
    "/lib",
    "/lib64",
    "/opt",
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/timezone", "/etc/fonts", "/etc/alternatives"),
    *("/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/locale.alias", "/etc/mime.types"),
    "/proc",
    *(
        "/sys/devices",
        "/sys/bus/pci",
    ),  # processors and caches; ONNX Runtime looks for accelerators, and complains otherwise
)
"""What libraries read besides the file in hand. Not the rest of /etc, not homes, not the state directory: a decoder that
was taken over finds nothing there to hide in a picture's description."""

PR_SET_PDEATHSIG: Final = 1
PR_CAPBSET_DROP: Final = 24
CAP_DAC_READ_SEARCH: Final = 2
CAPABILITY_VERSION_3: Final = 0x20080522
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
    readable: Sequence[bytes] = (),
    scratch: Path | None = None,
) -> tuple[str, ...]:
    """Lower this process for good. Exits if *parent* (a pid) is already gone.

    *budget* None: somebody waits for the answers. Files may be read below *readable* and where programs and libraries are,
    and written below *scratch* alone; the one program that may be started is tesseract. Returns what the kernel lacks
    for this, in words.
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
    open_ = _leave_network(libc)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    rights = _drop_capabilities(libc)
    files = landlock.restrict(_rules(readable, scratch))
    calls = seccomp.restrict()
    # Without sockets it does not matter in which network they would be.
    lacking = (rights, files, calls, open_ if calls else None)
    return tuple(one for one in lacking if one is not None)


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


def _leave_network(libc: ctypes.CDLL) -> str | None:
    """An empty network name space where the kernel lets us: as root, else through a user name space."""
    if libc.unshare(CLONE_NEWNET) == 0:
        return None
    # File permissions go on being those of our user: only names of users change in there, and nothing is written.
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
        return None
    return f"no network name space of their own ({os.strerror(ctypes.get_errno())})"


def _drop_capabilities(libc: ctypes.CDLL) -> str | None:
    """Keep the right to read everybody's originals, where there is one, and no other. What is lacking, in words."""
    for number in range(64):
        if number != CAP_DAC_READ_SEARCH:
            libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    held = ctypes.create_string_buffer(
        24
    )  # effective, permitted, inheritable; then their upper halves
    if libc.capget(header, held) == 0:
        had = struct.unpack("6I", held.raw)
        kept = had[1] & 1 << CAP_DAC_READ_SEARCH
        # A sandbox around us may refuse it: where there is nothing to give away, that does no harm.
        if libc.capset(header, struct.pack("6I", kept, kept, 0, 0, 0, 0)) != 0 and (
            had[1] != kept or had[4]
        ):
            return f"more rights than to read originals ({os.strerror(ctypes.get_errno())})"
    return None


def _rules(readable: Sequence[bytes], scratch: Path | None) -> Generator[tuple[bytes, int]]:
    """What `landlock.restrict` allows."""
    code = {*SYSTEM, sys.prefix, sys.base_prefix, *filter(None, sys.path)}
    # Checkouts are on the path by a finder of their own, not by sys.path.
    code |= {str(Path(name).parent) for name in (havenfs.__file__, __file__) if name}
    if data := os.environ.get("TESSDATA_PREFIX"):
        code.add(data)
    for path in code:
        yield os.fsencode(path), landlock.READ
    for root in readable:
        yield root, landlock.READ
    for device in ("/dev/null", "/dev/zero", "/dev/urandom"):
        yield os.fsencode(device), landlock.READ | landlock.WRITE_FILE
    if scratch is not None:
        yield bytes(scratch), landlock.WRITE
    reader = shutil.which("tesseract")
    for program in (reader, _loader(reader)) if reader else ():
        if program is not None:
            yield os.fsencode(program), landlock.READ | landlock.EXECUTE


def _loader(program: str) -> str | None:
    """The dynamic loader that *program*, an ELF file, names: to start one is to start the other."""
    head = Path(program).read_bytes()[:4096]
    found = re.search(rb"/lib[^\0]{1,80}/ld-[^\0]{1,80}", head)
    return os.fsdecode(found[0]) if found else None
