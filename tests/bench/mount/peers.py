"""What is mounted: ours over each transport, and its peers, each with the options that serve it best.

A Subject is a name, how to start its server, and where it shows the files. Every measurement mounts afresh, so that
nothing of the last one is in the kernel's FUSE caches.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from havend import transport

from . import build, data

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

# An installed program has its bytecode; a shell that keeps Python from writing it would measure the compiler.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
_MOUNTS = Path("/proc/self/mountinfo")
SETTLED_S = 0.5  # a server that has just begun still starts helpers; how soon it answers is measured for itself
LONG = 300  # seconds that peers may keep attributes and names: as generous as ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all subjects stand on."""

    root: Path
    """The files on the disk."""
    state: Path
    """Of ours: the catalog of these files."""
    point: Path
    """Where to mount."""
    sizes: data.Sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One file system to measure."""

    name: str
    command: Callable[[Ground], list[str | Path]] | None
    """The server, in the foreground; None: the disk itself."""
    places: Callable[[Ground], data.Places]

    @property
    def server(self) -> str:
        """Which program serves it: faces of one mount have it in common."""
        return self.name.partition(" ")[0]


def transports() -> list[str]:
    """The transports that run here."""
    lacking = transport.missing(os.uname(), Path("/proc/self/status").read_text())
    return ["pyfuse3"] if lacking else ["direct", "pyfuse3"]


def ours(way: str) -> list[Subject]:
    """Both faces of our mount: the real folders, live, and a view, whose attributes are the catalog's."""

    def command(ground: Ground) -> list[str | Path]:
        return [
            *(sys.executable, "-m", "havend", "mount", "--transport", way),
            *("--state", ground.state, "--mount", ground.point),
        ]

    return [
        Subject(
            name=f"{way} files/",
            command=command,
            places=lambda ground: data.on_disk(ground.point / "files/photos"),
        ),
        Subject(
            name=f"{way} view",
            command=command,
            places=lambda ground: data.in_view(ground.point, ground.sizes),
        ),
    ]


def _plain(name: str, command: Callable[[Ground], list[str | Path]]) -> Subject:
    return Subject(name=name, command=command, places=lambda ground: data.on_disk(ground.point))


NATIVE = Subject(name="disk", command=None, places=lambda ground: data.on_disk(ground.root))
BINDFS = _plain(
    "bindfs",
    lambda g: [
        *("bindfs", "-f", "-o"),
        f"allow_other,attr_timeout={LONG},entry_timeout={LONG},kernel_cache",
        g.root,
        g.point,
    ],
)
PLAIN = _plain(
    "plain", lambda g: [sys.executable, Path(__file__).with_name("plain.py"), g.root, g.point]
)
MERGERFS = _plain(
    "mergerfs",
    lambda g: [
        *("mergerfs", "-f", "-o"),
        f"allow_other,cache.files=auto-full,cache.attr={LONG},cache.entry={LONG},cache.readdir=true,category.create=ff",
        g.root,
        g.point,
    ],
)
RCLONE = _plain(
    "rclone",
    lambda g: [
        *("rclone", "mount", "--allow-other", "--read-only", "--dir-cache-time", "1h"),
        *("--attr-timeout", f"{LONG}s", "--config", "/dev/null"),
        g.root,
        g.point,
    ],
)
PASSTHROUGH_HP = _plain(
    "passthrough_hp",
    lambda g: [build.examples() / "passthrough_hp", "--foreground", g.root, g.point],
)
PASSTHROUGH_LL = _plain(
    "passthrough_ll",
    lambda g: [
        *(build.examples() / "passthrough_ll", "-f", "-o"),
        f"source={g.root},cache=always,timeout={LONG},allow_other",
        g.point,
    ],
)
PEERS = [PASSTHROUGH_HP, PASSTHROUGH_LL, MERGERFS, BINDFS, RCLONE, PLAIN]


def releases() -> dict[str, str]:
    """Which release of each peer is installed."""
    found = {"passthrough_hp": build.release(), "passthrough_ll": build.release()}
    for name, command in (
        ("mergerfs", ["mergerfs", "-V"]),
        ("bindfs", ["bindfs", "-V"]),
        ("rclone", ["rclone", "version"]),
    ):
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        number = re.search(r"\d+(\.\d+)+", said.stdout + said.stderr)
        found[name] = number.group() if number else "?"
    return found


@contextlib.contextmanager
def mounted(
    subject: Subject, ground: Ground, *, cpu: int | None = None, listed: bool = True
) -> Generator[int]:
    """Serve *subject* at the mount point, pinned to *cpu*; the server's process id (0: no server)."""
    if subject.command is None:
        yield 0
        return
    pinned = ["taskset", "-c", str(cpu)] if cpu is not None else []
    log = ground.point.with_name(f"{ground.point.name}.log")
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*pinned, *subject.command(ground)],
            stdout=said,
            stderr=said,
            process_group=0,
            env=ENVIRONMENT,
        )
    try:
        waiting = time.monotonic()
        while not _is_mounted(ground.point):
            if process.poll() is not None or time.monotonic() - waiting > 60:
                raise RuntimeError(f"{subject.name} did not mount: {log.read_text()[-2000:]}")
            time.sleep(0.001)
        if listed:
            os.listdir(ground.point)
            time.sleep(SETTLED_S)
        yield process.pid
    finally:
        _end(process, ground.point)


def _end(process: subprocess.Popen[bytes], point: Path) -> None:
    """Unmount in the server's own way; whatever comes, nothing stays mounted and no process of the group lives."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
    while _is_mounted(point):
        subprocess.run(["umount", "--lazy", point], check=True)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _is_mounted(point: Path) -> bool:
    """Whether something is mounted there, be it dead."""
    return any(line.split()[4] == str(point) for line in _MOUNTS.read_text().splitlines())


def missing() -> list[str]:
    """Programs that a full run needs and that are not installed."""
    wanted = ("gcc", "meson", "ninja", "bindfs", "mergerfs", "rclone", "taskset", "smbd")
    return [name for name in wanted if shutil.which(name) is None]
