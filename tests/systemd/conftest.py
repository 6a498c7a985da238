"""A real systemd, booted for the tests with the units as they are shipped: in a container over this machine's own files.

What is written in there lies in memory and is gone with it. Needs root and systemd-nspawn (packaging/setup).
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

UNITS = Path(__file__).parents[2] / "systemd"
GENERATORS = list((UNITS / "system-generators").iterdir())
PROGRAM = "/usr/lib/havenfs/venv/bin/havenfs"
MOUNT = "/srv/haven"
BOOT_S = 60.0
LANDLOCK = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"
"""What nspawn keeps from its containers and a real machine does not: workers shut themselves in with it."""

CLIENT = """
import json, os, select, sys, time
kept = open("/srv/haven/files/data/kept.txt", "rb", buffering=0)
print("open", flush=True)
errors, worst = [], 0.0
while not select.select([0], [], [], 0)[0]:
    began = time.monotonic()
    try:
        os.listdir("/srv/haven/by-date")
        assert open("/srv/haven/files/data/kept.txt").read() == "kept"
        if sys.argv[1] == "open":
            assert os.pread(kept.fileno(), 9, 0) == b"kept"
    except (OSError, AssertionError) as error:
        errors.append(repr(error))
    worst = max(worst, time.monotonic() - began)
    time.sleep(0.01)
print(json.dumps([errors, worst]))
"""


class Machine:
    """A booted container."""

    def __init__(self, init: int) -> None:
        self._enter = ["nsenter", "--target", str(init), "--all", "--"]

    def run(self, *command: str, check: bool = True) -> str:
        """What a command in there printed."""
        done = subprocess.run(
            [*self._enter, *command], capture_output=True, text=True, timeout=180, check=False
        )
        assert not check or done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout.strip()

    def client(self, how: str) -> subprocess.Popen[str]:
        """Somebody at work in the mount; a line on its input ends it."""
        process = subprocess.Popen(
            [*self._enter, sys.executable, "-c", CLIENT, how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        return process

    def supervisor(self) -> int:
        return int(self.run("systemctl", "show", "--property=MainPID", "--value", "havenfs"))

    def mounts(self) -> list[str]:
        """The devices of what is mounted at the mount point."""
        lines = self.run("cat", "/proc/self/mountinfo").splitlines()
        return [line.split()[2] for line in lines if line.split()[4] == MOUNT]


@pytest.fixture(scope="package")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    directory = tmp_path_factory.mktemp("machine")
    root, units = directory / "root", directory / "units"
    root.mkdir()
    units.mkdir()
    program = Path(sys.executable).with_name("havenfs")
    for unit in filter(Path.is_file, UNITS.iterdir()):
        (units / unit.name).write_text(unit.read_text().replace(PROGRAM, str(program)))
    binds = [f"--bind-ro={unit}:/etc/systemd/system/{unit.name}" for unit in units.iterdir()]
    binds += [f"--bind-ro={each}:/etc/systemd/system-generators/{each.name}" for each in GENERATORS]
    # We may lie below /tmp ourselves, which the container would begin with empty.
    binds += [f"--bind-ro={UNITS.parent}", "--bind-ro=/dev/null:/etc/systemd/system/tmp.mount"]
    subprocess.run(["mount", "--bind", "/", root], check=True)
    with (directory / "console").open("w") as console:
        container = subprocess.Popen(
            [
                "systemd-nspawn", "--quiet", f"--directory={root}", "--volatile=overlay", "--boot",
                "--register=no", "--keep-unit", f"--system-call-filter={LANDLOCK}", "--console=pipe", "--link-journal=no", "--bind=/dev/fuse", *binds,
                "systemd.unit=basic.target",
            ],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        children = Path(f"/proc/{container.pid}/task/{container.pid}/children")
        deadline = time.monotonic() + BOOT_S
        while True:
            assert container.poll() is None, (directory / "console").read_text()
            assert time.monotonic() < deadline, (directory / "console").read_text()
            found = children.read_text().split()
            if found:
                booted = Machine(int(found[0]))
                if booted.run("systemctl", "is-system-running", check=False) in (
                    "running",
                    "degraded",
                ):
                    break
            time.sleep(0.2)
        booted.run("mkdir", "-p", "/srv/data", "/var/lib/havenfs")
        booted.run("sh", "-c", "printf kept > /srv/data/kept.txt")
        booted.run(
            str(program), "index", "run", "--once", "--state", "/var/lib/havenfs", "--writable", "/srv/data"
        )  # fmt: skip
        booted.run("mkdir", "-p", "/run/systemd/system/havenfs.service.d")
        booted.run(
            "sh", "-c",
            "printf '[Service]\\nEnvironment=HAVENFS_TRANSPORT=direct\\n' > /run/systemd/system/havenfs.service.d/t.conf",
        )  # fmt: skip
        booted.run("systemctl", "daemon-reload")
        booted.run("systemctl", "start", "havenfs", check=False)
        assert booted.supervisor(), booted.run("journalctl", "--unit=havenfs", "--no-pager")
        yield booted
    finally:
        container.terminate()  # the container's power button
        try:
            container.wait(30)
        except subprocess.TimeoutExpired:
            container.kill()
            container.wait()
        subprocess.run(["umount", "--lazy", root], check=True)
