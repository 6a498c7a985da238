"""The indexer's unit as it is shipped, with its walls up, under a real systemd (`conftest`): what the owner writes into
havenfs.toml is opened to it, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.fuse, pytest.mark.timeout(300)]

MOUNT = "/srv/haven"
GENERATOR = Path(__file__).parents[2] / "systemd/system-generators/havenfs-generator"
PYTHON = sys.executable
SETTINGS = """
[sidecars]
write = true

[[files.source]]
path = "/srv/data"
writable = true

[[files.source]]
path = "/srv/ar chive"
"""
DRAW = """
import os, sys
from PIL import Image
picture = Image.frombytes("RGB", (40, 30), os.urandom(3600)).resize((400, 300))
picture.save(sys.argv[1], quality=90)
"""
ON_DAY = "86400000"
AGE = f"""
import apsw
db = apsw.Connection("/var/lib/havenfs/catalog.db")
db.execute("UPDATE trashed SET at_ms = at_ms - 40 * {ON_DAY}")
"""


@pytest.fixture(scope="module")
def until() -> Callable[..., None]:
    def wait(machine: Any, command: str, seconds: float = 90) -> None:
        machine.run(
            "timeout", str(seconds), "sh", "-c", f"until {command}; do sleep 0.3; done",
        )  # fmt: skip

    return wait


@pytest.fixture(scope="module")
def serving(machine: Any) -> Iterator[Any]:
    """The machine with both sources named in the settings, and the indexer at work."""
    machine.run("mkdir", "-p", "/etc/havenfs", "/srv/ar chive", "/srv/elsewhere")
    machine.run("sh", "-c", f"cat > /etc/havenfs/havenfs.toml <<'END'\n{SETTINGS}\nEND")
    machine.run("chown", "-R", "nobody:nogroup", "/srv/data", "/srv/ar chive")
    machine.run("sh", "-c", f"{PYTHON} - /srv/data/own.jpg <<'END'\n{DRAW}\nEND")
    machine.run("sh", "-c", f"{PYTHON} - '/srv/ar chive/old.jpg' <<'END'\n{DRAW}\nEND")
    machine.run("chown", "nobody:nogroup", "/srv/data/own.jpg", "/srv/ar chive/old.jpg")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "havenfs-index", check=False)
    yield machine
    machine.run("systemctl", "stop", "havenfs-index")


def journal(machine: Any) -> str:
    return machine.run("journalctl", "--unit=havenfs-index", "--no-pager", "--lines=60")


def test_the_walls_are_up_and_only_writable_sources_are_open(serving: Any, until: Any) -> None:
    until(serving, f"test -e {MOUNT}/types/photos/old.jpg")
    pid = serving.run("systemctl", "show", "--property=MainPID", "--value", "havenfs-index")
    assert pid != "0", journal(serving)

    def inside(command: str) -> str:
        return serving.run(
            "nsenter", f"--target={pid}", "--mount", "sh", "-c", command, check=False
        )

    assert inside("touch /srv/data/probe && rm /srv/data/probe && echo yes") == "yes"
    for closed in ("/srv/ar chive", "/srv/elsewhere", "/etc", "/usr", "/root"):
        assert inside(f"touch '{closed}/probe' && echo yes") == "", closed
    status = dict(
        line.split(":\t", 1)
        for line in serving.run("cat", f"/proc/{pid}/status").splitlines()
        if ":\t" in line
    )
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    capabilities = int(status["CapEff"], 16)
    assert capabilities == sum(1 << number for number in (0, 1, 2, 3))  # CHOWN, DAC_*, FOWNER


def test_its_workers_give_the_capabilities_away(serving: Any, until: Any) -> None:
    pid = serving.run("systemctl", "show", "--property=MainPID", "--value", "havenfs-index")
    workers = f"$(pgrep --parent {pid} --full havend.worker)"
    # Without a worker, or with one that is still starting, not yet: it begins with what the indexer may.
    until(
        serving,
        f"pids={workers}; test -n \"$pids\" && ! grep CapEff $(printf '/proc/%s/status ' $pids) | grep -v 000000000[04]$",
    )
    assert "no Landlock" not in journal(serving)


def test_the_exposure_is_what_the_documentation_says(serving: Any) -> None:
    said = serving.run(
        "systemd-analyze", "security", "--no-pager", "havenfs-index.service", check=False
    )
    exposure = float(said.splitlines()[-1].split(":")[1].split()[0])
    assert exposure <= 1.4, exposure


def test_an_upload_and_a_decision_stand_beside_the_original_as_its_owners(
    serving: Any, until: Any
) -> None:
    serving.run("sh", "-c", f"{PYTHON} - /tmp/new.jpg <<'END'\n{DRAW}\nEND")
    serving.run("mkdir", f"{MOUNT}/albums/Rome")
    serving.run("cp", "/tmp/new.jpg", f"{MOUNT}/albums/Rome")
    until(serving, f"test -e {MOUNT}/types/photos/own.jpg -a -e {MOUNT}/types/photos/old.jpg")
    serving.run("cp", "-l", f"{MOUNT}/types/photos/own.jpg", f"{MOUNT}/albums/Rome")
    serving.run("cp", "-l", f"{MOUNT}/types/photos/old.jpg", f"{MOUNT}/albums/Rome")
    until(serving, "test -e /srv/data/own.jpg.xmp")
    assert "Rome" in serving.run("exiftool", "-s3", "-CollectionName", "/srv/data/own.jpg.xmp")
    assert serving.run("stat", "-c", "%U %a", "/srv/data/own.jpg.xmp") == "nobody 644"
    until(serving, "ls /srv/data/Uploads/*/*/new.jpg.xmp")
    until(serving, "ls /var/lib/havenfs/sidecars/*/*.xmp")
    assert serving.run("ls", "/srv/ar chive") == "old.jpg"


def test_what_another_program_adds_to_a_sidecar_is_heard(serving: Any, until: Any) -> None:
    serving.run(
        "exiftool", "-q", "-overwrite_original", "-XMP-dc:Subject=beach", "/srv/data/own.jpg.xmp"
    )
    until(serving, f"test -e {MOUNT}/tags/beach/own.jpg")


def test_what_has_lain_in_the_trash_for_long_enough_is_deleted(serving: Any, until: Any) -> None:
    serving.run("rm", f"{MOUNT}/files/data/own.jpg")
    until(serving, f"ls {MOUNT}/trash/*/own.jpg")
    serving.run("sh", "-c", f"{PYTHON} - <<'END'\n{AGE}\nEND")
    serving.run("systemctl", "restart", "havenfs-index")
    until(serving, "! find /srv/data/.haven-trash -name own.jpg | grep -q .")
    assert serving.run("sh", "-c", f"ls {MOUNT}/trash/*/own.jpg", check=False) == ""


def test_without_a_source_it_says_what_to_do_and_is_not_started_again(serving: Any) -> None:
    serving.run("systemctl", "stop", "havenfs-index")
    serving.run("mv", "/etc/havenfs/havenfs.toml", "/etc/havenfs/away")
    serving.run("systemctl", "daemon-reload")
    serving.run("systemctl", "start", "havenfs-index", check=False)
    assert "Name the folder of your files" in journal(serving)
    assert (
        serving.run("systemctl", "show", "--property=NRestarts", "--value", "havenfs-index") == "0"
    )
    serving.run("mv", "/etc/havenfs/away", "/etc/havenfs/havenfs.toml")
    serving.run("systemctl", "daemon-reload")


def test_the_generator_spells_every_path_as_units_want_it(tmp_path: Path) -> None:
    settings = tmp_path / "havenfs.toml"
    source = GENERATOR.read_text().replace("/etc/havenfs/havenfs.toml", str(settings))
    program = tmp_path / "generator"
    program.write_text(source)
    for text, said in (
        ('[[files.source]]\npath = "/a b/50%\\"x"\nwritable = true', 'ReadWritePaths="-/a b/50%%\\"x"'),
        ('[[files.source]]\npath = "/a"', None),
        ("[files", None),
        ('files = "x"', None),
        ('[[files.source]]\nwritable = true', None),
    ):  # fmt: skip
        settings.write_text(text)
        out = tmp_path / "out"
        subprocess.run(["/usr/bin/python3", program, out, out, out], check=True, timeout=30)
        made = out / "havenfs-index.service.d/50-sources.conf"
        assert (said in made.read_text()) if said else not made.exists()
        made.unlink(missing_ok=True)
