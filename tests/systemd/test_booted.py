"""The unit as it is shipped, under a real systemd that was booted for it: in a container over this machine's own files.

What is written in there lies in memory and is gone with it. Needs root and systemd-nspawn (packaging/setup).
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.fuse

UNITS = Path(__file__).parents[2] / "systemd"
PROGRAM = "/usr/lib/havenfs/venv/bin/havenfs"
MOUNT = "/srv/haven"
BOOT_S = 60.0

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


CLICK = """
import json, sys, urllib.request
page, key = sys.argv[1].split("?key=")
with urllib.request.urlopen(page + "api/operations", timeout=30) as answer:
    last = json.load(answer)["operations"][0]
undo = page + "api/operations/" + last["id"] + "/undo"
bearer = {"authorization": "Bearer " + key}
with urllib.request.urlopen(urllib.request.Request(undo, b"", bearer), timeout=60) as answer:
    print(json.load(answer)["words"])
"""


class Machine:
    """A booted container."""

    def __init__(self, init: int) -> None:
        self._enter = ["nsenter", "--target", str(init), "--all", "--"]

    def run(self, *command: str, check: bool = True) -> str:
        """What a command in there printed."""
        done = subprocess.run(
            [*self._enter, *command], capture_output=True, text=True, timeout=60, check=False
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


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    directory = tmp_path_factory.mktemp("machine")
    root, units = directory / "root", directory / "units"
    root.mkdir()
    units.mkdir()
    program = Path(sys.executable).with_name("havenfs")
    for unit in UNITS.iterdir():
        (units / unit.name).write_text(unit.read_text().replace(PROGRAM, str(program)))
    binds = [f"--bind-ro={unit}:/etc/systemd/system/{unit.name}" for unit in units.iterdir()]
    # We may lie below /tmp ourselves, which the container would begin with empty.
    binds += [f"--bind-ro={UNITS.parent}", "--bind-ro=/dev/null:/etc/systemd/system/tmp.mount"]
    subprocess.run(["mount", "--bind", "/", root], check=True)
    with (directory / "console").open("w") as console:
        container = subprocess.Popen(
            [
                "systemd-nspawn", "--quiet", f"--directory={root}", "--volatile=overlay", "--boot",
                "--register=no", "--keep-unit", "--console=pipe", "--link-journal=no", "--bind=/dev/fuse", *binds,
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


def worked(process: subprocess.Popen[str]) -> tuple[list[str], float]:
    """What a client met: its errors, and how long it waited at worst."""
    output, _ = process.communicate("end\n", timeout=60)
    errors, worst = json.loads(output)
    return errors, worst


def test_a_killed_supervisor_is_back_within_five_seconds_and_only_what_was_open_is_lost(
    machine: Machine,
):
    before, mounted = machine.supervisor(), machine.mounts()
    at_work = machine.client("anew")
    machine.run("kill", "-KILL", str(before))
    time.sleep(3)
    errors, worst = worked(at_work)
    print(f"supervisor killed: worst wait {worst:.2f} s")
    assert errors in (
        [],
        ["OSError(116, 'Stale file handle')"],
    )  # the one file that it may have had in hand
    assert worst < 5
    assert machine.supervisor() not in (0, before)
    assert machine.mounts() == mounted
    assert len(mounted) == 1


def test_a_reload_keeps_the_mount_and_every_open_file(machine: Machine):
    before, mounted = machine.supervisor(), machine.mounts()
    at_work = machine.client("open")
    machine.run("systemctl", "reload", "havenfs")
    time.sleep(4)
    errors, worst = worked(at_work)
    print(f"reloaded: worst wait {worst:.2f} s")
    assert errors == []
    assert worst < 5
    assert machine.supervisor() == before
    assert machine.mounts() == mounted


def test_writing_works_under_the_units_restrictions(machine: Machine):
    files = f"{MOUNT}/files/data"
    machine.run("sh", "-c", f"echo new > {files}/new.txt && mv {files}/new.txt {files}/moved.txt")
    machine.run("chown", "nobody:nogroup", f"{files}/moved.txt")
    machine.run("sh", "-c", f"mkdir {files}/shared && chmod 2777 {files}/shared")
    machine.run(
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "touch",
        f"{files}/shared/his",
    )
    assert machine.run("stat", "-c", "%u %a", "/srv/data/moved.txt") == "65534 644"
    assert machine.run("stat", "-c", "%u", "/srv/data/shared/his") == "65534"


def test_what_the_page_takes_back_the_mount_may_do_which_the_page_may_not(machine: Machine):
    with socket.create_server(("127.0.0.1", 0)) as server:  # the container shares our network
        http = f"127.0.0.1:{server.getsockname()[1]}"
    page = "/run/systemd/system/havenfs-web.service.d"
    program = str(Path(sys.executable).with_name("havenfs"))
    begin = f"{program} web --state /var/lib/havenfs --mount {MOUNT} --http {http}"
    machine.run("mkdir", "-p", page)
    machine.run("sh", "-c", f"printf '[Service]\nExecStart=\nExecStart={begin}\n' > {page}/t.conf")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "havenfs-web")
    removed = f"{MOUNT}/files/data/removed.txt"
    machine.run("sh", "-c", f"echo 'a letter about badgers' > {removed} && rm {removed}")
    link = machine.run(program, "web", "--link", "--state", "/var/lib/havenfs", "--http", http)
    assert machine.run("stat", "-c", "%a", "/var/lib/havenfs/owner.key") == "600"
    words = machine.run(sys.executable, "-c", CLICK, link)
    assert words == "took back: moved “removed.txt” to the trash"
    assert machine.run("cat", "/srv/data/removed.txt") == "a letter about badgers"
    assert link.split("=")[1] not in machine.run("journalctl", "--no-pager")


def test_a_stop_leaves_nothing_and_a_start_brings_it_back(machine: Machine):
    machine.run("systemctl", "stop", "havenfs")
    assert machine.mounts() == []
    assert machine.run("systemctl", "show", "--property=Result", "--value", "havenfs") == "success"
    assert machine.run("pgrep", "-f", "havenfs mount", check=False) == ""
    assert machine.run("ls", "-A", MOUNT) == ""
    machine.run("systemctl", "start", "havenfs")
    assert len(machine.mounts()) == 1
    assert "by-date" in machine.run("ls", MOUNT).split()
