"""Which of the two ways to the kernel is taken, and why; and what a running mount has told of it. Knows neither of them.

**pyfuse3** runs on every kernel and without privileges. **direct** speaks the kernel's protocol itself and needs Linux 6.9
(passthrough, and the notice that makes the kernel send again what a dead server had not answered), CAP_SYS_ADMIN, and a
machine whose system calls it knows by number.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from msgspec import Struct

from havenfs.errors import ConfigError

from . import mountpoint as mountpoints

if TYPE_CHECKING:
    from havenfs.config import State

log = logging.getLogger(__name__)

Name = Literal["pyfuse3", "direct"]

WANTED: Final = ("auto", "pyfuse3", "direct")
OLDEST: Final = (6, 9)
MACHINES: Final = ("x86_64", "aarch64", "riscv64")
CAP_SYS_ADMIN: Final = 21


class Choice(Struct, frozen=True, kw_only=True):
    """The transport that is taken and, for people, why."""

    transport: Name
    reason: str


def choose(wanted: str) -> Choice:
    """What *wanted* (one of WANTED) comes to on this machine. Raises ConfigError when it cannot be had."""
    if wanted == "pyfuse3":
        return Choice(transport="pyfuse3", reason="as asked")
    obstacle = missing(os.uname(), Path("/proc/self/status").read_text())
    if wanted == "direct":
        if obstacle:
            raise ConfigError(
                f"the direct transport does not run here: {obstacle}. Leave --transport at auto."
            )
        return Choice(transport="direct", reason="as asked")
    if obstacle:
        return Choice(transport="pyfuse3", reason=obstacle)
    return Choice(transport="direct", reason="this kernel and our rights allow it")


def missing(system: os.uname_result, status: str) -> str | None:
    """What the direct transport lacks on this *system* in a process of this /proc *status*; None: nothing."""
    numbers = re.match(r"(\d+)\.(\d+)", system.release)
    if numbers is None or tuple(map(int, numbers.groups())) < OLDEST:
        return f"Linux {system.release} is older than {OLDEST[0]}.{OLDEST[1]}"
    if system.machine not in MACHINES:
        return f"it was never tried on {system.machine}"
    effective = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    if effective is None or not int(effective[1], 16) >> CAP_SYS_ADMIN & 1:
        return "only a process with CAP_SYS_ADMIN may mount by itself"
    return None


class Running(Struct, frozen=True, kw_only=True):
    """A mount that is there now."""

    mountpoint: Path
    transport: Name
    reason: str
    missing: str
    """What it has to do without on this kernel, in words for the owner; empty for nothing."""

    def as_text(self) -> str:
        """One line, or two."""
        line = f"{self.mountpoint} ({self.transport}: {self.reason})"
        return f"{line}\n           {self.missing}" if self.missing else line

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            "mountpoint": str(self.mountpoint),
            "transport": self.transport,
            "reason": self.reason,
            "missing": self.missing or None,
        }


class _Told(Struct, frozen=True, kw_only=True):
    """What a mount writes down of itself."""

    mountpoint: str
    transport: Name
    reason: str
    missing: str | None
    pid: int


_TOLD: Final = msgspec.json.Decoder(_Told)


def record(state: State, mountpoint: Path, choice: Choice, *, missing: str = "") -> None:
    """Tell of the mount that is being served, for :func:`running` in other programs."""
    told = _Told(
        mountpoint=str(mountpoint),
        transport=choice.transport,
        reason=choice.reason,
        missing=missing or None,
        pid=os.getpid(),
    )
    new = _file(state).with_suffix(".new")
    new.write_bytes(msgspec.json.encode(told))
    new.replace(_file(state))


def erase(state: State) -> None:
    """Tell that it is served no more."""
    _file(state).unlink(missing_ok=True)


def bury_killed(state: State) -> None:
    """Detach the mount over *state* whose program was killed, without asking it: a thread of the killed that waits in the kernel
    for a client, who waits for an answer, would keep everybody waiting who asks."""
    told = _told(state)
    if told is None or _alive(told.pid):
        return
    point = Path(told.mountpoint)
    if mountpoints.mounted(point) == mountpoints.OURS:
        log.warning(
            "detaching what process %d left mounted on %s when it was killed", told.pid, point
        )
        mountpoints.detach(point)
        erase(state)


def running(state: State) -> Running | None:
    """The mount over *state* that is there now; None without one. Never touches the mount itself."""
    told = _told(state)
    if told is None or not _alive(told.pid):  # it was killed
        return None
    point = Path(told.mountpoint)
    if mountpoints.mounted(point) != mountpoints.OURS:
        return None
    return Running(
        mountpoint=point, transport=told.transport, reason=told.reason, missing=told.missing or ""
    )


def _told(state: State) -> _Told | None:
    try:
        return _TOLD.decode(_file(state).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def _alive(pid: int) -> bool:
    """Whether the process runs. One that was killed stays, as a zombie, for as long as a thread of it waits in the kernel."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def _file(state: State) -> Path:
    return state.root / "mount.json"
