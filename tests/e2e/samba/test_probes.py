"""What a name that is not there, or is there in another case, costs: one question, and never a listing (bar F17)."""

from __future__ import annotations

import collections
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.fuse, pytest.mark.samba, pytest.mark.timeout(180)]

ENTRIES = 100_000
PROBES = (
    "desktop.ini",
    "Thumbs.db",
    ".DS_Store",
    "._missing.jpg",
    "folder.jpg",
    "Missing name.JPG",
)

# The mount, writing down each request of these kinds as it comes from the kernel.
COUNTING = """
import os, sys
from havend import cli, fuse, operations
from havend.direct import directories

log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def counted(owner, name, label):
    function = getattr(owner, name)
    def wrapped(*args, **kwargs):
        os.write(log, label + b"\\n")
        return function(*args, **kwargs)
    setattr(owner, name, wrapped)

counted(fuse.Handlers, "readdir", b"readdir")
counted(directories.Directories, "read", b"readdir")
counted(operations.Operations, "getxattr", b"getxattr")
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.fixture
def counting(workshop: Any, room: Path, transport: str, until: Callable[..., float]) -> Any:
    """A mount over 100,000 files, and a function that says what was asked since it was last called."""
    many = workshop.root / "many"
    many.mkdir()
    for number in range(ENTRIES):
        os.mknod(many / f"DSC_{number:06}.jpg", 0o644)
    point = room / "mnt"
    point.mkdir()
    log = room / "asked"
    process = subprocess.Popen(
        [
            sys.executable, "-c", COUNTING, log, "mount", "--transport", transport,
            "--state", workshop.state.root, "--mount", point,
        ]
    )  # fmt: skip
    until(lambda: point.is_mount() or process.poll() is not None, 30)

    def asked() -> collections.Counter[str]:
        counts = collections.Counter(log.read_text().split())
        os.truncate(log, 0)
        return counts

    try:
        yield point, asked
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def test_probes_and_wrong_cases_list_nothing(counting: Any, room: Path, start_smbd: Any):
    point, asked = counting
    with start_smbd(room / "smb", {"havenfs": point}) as shares:
        smb = shares["havenfs"]
        assert smb.read("files/photos/many/DSC_000007.jpg") == b""
        asked()
        for name in PROBES:
            with smb.refused(0xC0000034):
                smb.stat(f"files/photos/many/{name}")
        missing = asked()
        assert missing["readdir"] == 0
        # One for the name, the others for access lists.
        assert len(PROBES) <= missing["getxattr"] <= 8 * len(PROBES)
        for number in range(5):
            assert smb.read(f"FILES/Photos/MANY/dsc_{number:06}.JPG") == b""
        assert asked()["readdir"] == 0
        for name in PROBES:
            with smb.refused(0xC0000034):
                smb.stat(f"by-date/2019/07/{name}")
        for name in PROBES[:-1]:  # the last is a search like any other
            with smb.refused(0xC0000034):
                smb.stat(f"search/{name}")
        assert smb.read("By-Date/2019/07/img_0001.JPG")
        assert asked()["readdir"] == 0
        assert len(smb.list("files/photos/many")) == ENTRIES
        assert asked()["readdir"] > 0  # so the counter counts
