"""The mount's unit as it is shipped, under a real systemd (`conftest`)."""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.fuse

MOUNT = "/srv/haven"

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


def worked(process: subprocess.Popen[str]) -> tuple[list[str], float]:
    """What a client met: its errors, and how long it waited at worst."""
    output, _ = process.communicate("end\n", timeout=60)
    errors, worst = json.loads(output)
    return errors, worst


def test_a_killed_supervisor_is_back_within_five_seconds_and_only_what_was_open_is_lost(
    machine: Any,
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


def test_a_reload_keeps_the_mount_and_every_open_file(machine: Any):
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


def test_writing_works_under_the_units_restrictions(machine: Any):
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


def test_what_the_page_takes_back_the_mount_may_do_which_the_page_may_not(machine: Any):
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


def test_a_stop_leaves_nothing_and_a_start_brings_it_back(machine: Any):
    machine.run("systemctl", "stop", "havenfs")
    assert machine.mounts() == []
    assert machine.run("systemctl", "show", "--property=Result", "--value", "havenfs") == "success"
    assert machine.run("pgrep", "-f", "havenfs mount", check=False) == ""
    assert machine.run("ls", "-A", MOUNT) == ""
    machine.run("systemctl", "start", "havenfs")
    assert len(machine.mounts()) == 1
    assert "by-date" in machine.run("ls", MOUNT).split()
