"""Clients that stay connected while the mount, or the process that serves it, is replaced."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from smbprotocol.header import NtStatus

pytestmark = [pytest.mark.fuse, pytest.mark.samba]

NETWORK_NAME_DELETED = 0xC00000C9  # smbprotocol does not name it


def server(mount: Any) -> int:
    """The process that answers: the supervisor's first child; another waits to take its place."""
    pid = mount.process.pid
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def test_a_client_goes_on_when_the_mount_has_come_back(
    serve: Any, workshop: Any, room: Path, start_smbd: Any
):
    """smbd stands in the directory that was mounted over when its client came. `close-share` has it and all clients come
    in anew, which Windows, macOS and Linux do by themselves; the unit says it after each start of the mount."""
    workshop.root.chmod(0o777)
    point = room / "mnt"
    point.mkdir()
    with start_smbd(room / "smb", {"havenfs": point}) as shares:
        smb = shares["havenfs"]
        with serve(workshop.state.root, point):
            assert "IMG_0001.jpg" in smb.list("by-date/2019/07")
            smb.write("files/photos/before.txt", b"before")
        with smb.refused(NtStatus.STATUS_ACCESS_DENIED):
            smb.list("by-date/2019/07")
        with serve(workshop.state.root, point):
            subprocess.run(
                ["smbcontrol", "-s", room / "smb/smb.conf", "smbd", "close-share", "havenfs"],
                check=True,
                timeout=10,
            )
            smb.reconnect()
            assert "IMG_0001.jpg" in smb.list("by-date/2019/07")
            assert smb.read("files/photos/before.txt") == b"before"
            smb.write("files/photos/after.txt", b"after")


@pytest.mark.parametrize("transport", ["direct"], indirect=True)
def test_a_client_does_not_notice_that_the_server_was_killed(
    serve: Any, workshop: Any, room: Path, start_smbd: Any
):
    workshop.root.chmod(0o777)
    with (
        serve(workshop.state.root, room / "mnt") as mount,
        start_smbd(room / "smb", {"havenfs": mount.point}) as shares,
    ):
        smb = shares["havenfs"]
        with smb.open("files/photos/log", "ab") as writer:
            for number in range(10):
                os.kill(server(mount), signal.SIGKILL)
                writer.write(b"line\n")
                writer.flush()
                assert smb.list("by-date/2019/07") == ["IMG_0001.jpg", "IMG_0002.jpg"]
                assert len(smb.read("files/photos/log")) == 5 * (number + 1)
        assert (workshop.root / "log").read_bytes() == b"line\n" * 10
