"""The shipped share definition on a real smbd, asked by smbclient."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.fuse, pytest.mark.samba]

SHARE = Path(__file__).parents[2] / "packaging/samba/havenfs.conf"
PROGRAM = """
import pathlib, sys, trio
from havend import mount
from havenfs.config import State
trio.run(mount.run, State(root=pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2]))
"""


def until(what: Callable[[], bool], seconds: float) -> None:
    start = time.monotonic()
    while not what():
        assert time.monotonic() - start < seconds, "it never happened"
        time.sleep(0.02)


def end(process: subprocess.Popen[bytes], number: int) -> None:
    process.send_signal(number)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


@pytest.fixture
def mountpoint(household: Any) -> Iterator[Path]:
    for number in range(60):
        household.add(f"many/DSC_{number:04}.jpg", taken=f"2018-01-01T00:00:{number:02}")
    # Not below tmp_path, which is ours alone: smbd looks as nobody.
    point = Path(tempfile.mkdtemp(prefix="haven-"))
    point.chmod(0o755)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, household.state.root, point])
    try:
        until(lambda: point.is_mount() or process.poll() is not None, 20)
        yield point
    finally:
        end(process, signal.SIGTERM)
        point.rmdir()


@pytest.fixture
def smb(mountpoint: Path, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Ask the share something with smbclient, as a guest."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    directory = tmp_path / "smb"
    for part in ("lock", "state", "cache", "private", "pid", "ncalrpc"):
        (directory / part).mkdir(parents=True)
    share = SHARE.read_text().replace(
        "path = /srv/haven", f"path = {mountpoint}\n    guest ok = yes"
    )
    assert str(mountpoint) in share
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
        guest account = nobody
        load printers = no
        disable spoolss = yes
{share}
"""
    )
    process = subprocess.Popen(
        ["smbd", "--foreground", "--no-process-group", "-s", directory / "smb.conf"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # its children die with the group
    )

    def listening() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def ask(commands: str) -> str:
        done = subprocess.run(
            ["smbclient", "//127.0.0.1/havenfs", "-p", str(port), "-N", "-c", commands],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
        return done.stdout + done.stderr

    try:
        until(listening, 15)
        yield ask
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def test_the_share_lists_reads_respells_and_searches(
    smb: Callable[[str], str], household: Any, tmp_path: Path
):
    top = smb("ls")
    for name in ("by-date", "files", "places", "search", "types"):
        assert name in top

    month = smb("cd by-date/2018/01; ls")
    assert month.count("DSC_") == 60

    original = (household.root / "2019/rome/IMG_0001.jpg").read_bytes()
    assert "getting file" in smb("get by-date/2019/07/IMG_0001.jpg exact.jpg")
    assert (tmp_path / "exact.jpg").read_bytes() == original

    assert "getting file" in smb("get BY-DATE/2019/07/img_0001.JPG other.jpg")
    assert (tmp_path / "other.jpg").read_bytes() == original
    assert "getting file" in smb("get FILES/PHOTOS/2019/Rome/Img_0001.jpg third.jpg")
    assert "NOT_FOUND" in smb("get by-date/2019/07/desktop.ini none")

    assert "IMG_0001.jpg" in smb('cd "search/fountain"; ls')
    assert "IMG_0001.jpg" in smb('cd "Search/FOUNTAIN"; ls')
    assert "IMG_0001.jpg" in smb("cd search/fountain/@places/Italy/Rome; ls")

    refused = smb(f"put {tmp_path}/exact.jpg by-date/new.jpg")
    assert "DENIED" in refused or "MEDIA_WRITE_PROTECTED" in refused
