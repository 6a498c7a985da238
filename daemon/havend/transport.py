"""Which of the two ways to the kernel is taken, and why. It looks at what the machine offers and opens nothing.

**pyfuse3** runs on every kernel and without privileges. **direct** speaks the kernel's protocol itself and needs Linux 6.9
(passthrough, and the notice that makes the kernel send again what a dead server had not answered) and CAP_SYS_ADMIN.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from havenfs.errors import ConfigError

Name = Literal["pyfuse3", "direct"]

WANTED: Final = ("auto", "pyfuse3", "direct")
OLDEST: Final = (6, 9)
CAP_SYS_ADMIN: Final = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The transport that is taken and, for people, why."""

    transport: Name
    reason: str


def choose(wanted: str) -> Choice:
    """What *wanted* (one of WANTED) comes to on this machine. Raises ConfigError when it cannot be had."""
    if wanted == "pyfuse3":
        return Choice(transport="pyfuse3", reason="as asked")
    obstacle = missing(os.uname().release, Path("/proc/self/status").read_text())
    if wanted == "direct":
        if obstacle:
            raise ConfigError(
                f"the direct transport does not run here: {obstacle}. Leave --transport at auto."
            )
        return Choice(transport="direct", reason="as asked")
    return Choice(transport="pyfuse3", reason=obstacle or "the direct one is taken when asked for")


def missing(release: str, status: str) -> str | None:
    """What the direct transport lacks on a kernel of this *release* in a process of this /proc *status*; None: nothing."""
    numbers = re.match(r"(\d+)\.(\d+)", release)
    if numbers is None or tuple(map(int, numbers.groups())) < OLDEST:
        return f"Linux {release} is older than {OLDEST[0]}.{OLDEST[1]}"
    effective = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    if effective is None or not int(effective[1], 16) >> CAP_SYS_ADMIN & 1:
        return "only a process with CAP_SYS_ADMIN may mount by itself"
    return None
