"""F16: one large file over SMB, from a share on the mount and from a share on the disk below it, in turn."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import data, peers

if TYPE_CHECKING:
    from collections.abc import Generator

SHARE = Path(__file__).parents[3] / "packaging/samba/havenfs.conf"


def megabytes_per_second(
    subject: peers.Subject, ground: peers.Ground, rounds: int
) -> list[tuple[float, float]]:
    """(through the mount, from the disk) of each round, by smbclient's clock around the whole copy."""
    found: list[tuple[float, float]] = []
    with peers.mounted(subject, ground):
        tops = {"mount": ground.point, "disk": ground.root}
        files = {
            "mount": subject.places(ground).big.relative_to(ground.point),
            "disk": data.on_disk(ground.root).big.relative_to(ground.root),
        }
        with _smbd(ground.point.with_name("smb"), tops) as port:
            for (
                name,
                file,
            ) in files.items():  # once unseen: the first connection reads smbd's own files
                _get(port, name, file, ground.sizes)
            for _ in range(rounds):
                mount = _get(port, "mount", files["mount"], ground.sizes)
                found.append((mount, _get(port, "disk", files["disk"], ground.sizes)))
    return found


def _get(port: int, share: str, file: Path, sizes: data.Sizes) -> float:
    start = time.perf_counter()
    subprocess.run(
        [
            *("smbclient", f"//127.0.0.1/{share}", "--no-pass", "--port", str(port)),
            *(
                "--configfile",
                "/dev/null",
                "--command",
                f'get "{file}" /dev/null'.replace("/", "\\", 0),
            ),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
        timeout=120,
    )
    return sizes.big_mib * 1.048576 / (time.perf_counter() - start)


@contextlib.contextmanager
def _smbd(directory: Path, tops: dict[str, Path]) -> Generator[int]:
    """A private smbd on loopback that shares each of *tops* under its name; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    for part in ("lock", "state", "cache", "private", "pid", "ncalrpc"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    shipped = SHARE.read_text()
    shares = "\n".join(
        shipped.replace("[havenfs]", f"[{name}]")
        .replace("path = /srv/haven", f"path = {top}\n    guest ok = yes")
        # The disk answers no wrong-case question; everything else is the same for both.
        .replace(
            "vfs objects = glusterfs_fuse",
            "vfs objects =" if name == "disk" else "vfs objects = glusterfs_fuse",
        )
        for name, top in tops.items()
    )
    (directory / "smb.conf").write_text(
        f"""[global]
        server role = standalone
        rpc start on demand helpers = no
        smb ports = {port}
        interfaces = 127.0.0.1
        bind interfaces only = yes
        lock directory = {directory}/lock
        state directory = {directory}/state
        cache directory = {directory}/cache
        private dir = {directory}/private
        pid directory = {directory}/pid
        ncalrpc dir = {directory}/ncalrpc
        log file = {directory}/log
        map to guest = bad user
        guest account = {"root" if os.getuid() == 0 else "nobody"}
        load printers = no
        disable spoolss = yes
{shares}
"""
    )
    process = subprocess.Popen(
        ["smbd", "--foreground", "--no-process-group", "-s", directory / "smb.conf"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # its children die with the group
    )
    try:
        waiting = time.monotonic()
        while time.monotonic() - waiting < 20:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
