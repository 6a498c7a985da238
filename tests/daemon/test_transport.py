from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from havend import transport
from havend.direct import clone
from havenfs.config import State
from havenfs.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

ROOT = "Name:\thavenfs\nCapEff:\t000001ffffffffff\n"
NOBODY = "Name:\thavenfs\nCapEff:\t0000000000000000\n"


def linux(release: str, machine: str = "x86_64") -> os.uname_result:
    return os.uname_result(("Linux", "nas", release, "#1", machine))


@pytest.mark.parametrize("release", ["6.9.0", "6.12.41+deb13-amd64", "6.18.44-fc-v669", "7.0-rc1"])
def test_a_kernel_from_6_9_on_and_the_right_to_mount_are_all_that_is_needed(release: str):
    assert transport.missing(linux(release), ROOT) is None


@pytest.mark.parametrize("release", ["6.1.0-37-amd64", "6.8.12", "5.19.0", "weird"])
def test_an_older_kernel_is_named_as_the_obstacle(release: str):
    reason = transport.missing(linux(release), ROOT)
    assert reason is not None
    assert release in reason


def test_a_machine_whose_system_calls_are_not_known_is_the_obstacle():
    assert tuple(clone.NUMBERS) == transport.MACHINES
    assert "armv7l" in (transport.missing(linux("6.18.0", "armv7l"), ROOT) or "")


def test_a_process_that_may_not_mount_is_told_so():
    assert "CAP_SYS_ADMIN" in (transport.missing(linux("6.18.0"), NOBODY) or "")
    assert "CAP_SYS_ADMIN" in (transport.missing(linux("6.18.0"), "nothing readable") or "")


def test_what_is_asked_for_and_cannot_be_had_is_an_error_and_auto_says_why_it_fell_back(
    monkeypatch: pytest.MonkeyPatch,
):
    old = os.uname_result(("Linux", "box", "6.1.0-37-amd64", "#1", "x86_64"))
    monkeypatch.setattr(os, "uname", lambda: old)
    with pytest.raises(ConfigError, match=r"6\.1\.0-37-amd64"):
        transport.choose("direct")
    choice = transport.choose("auto")
    assert choice.transport == "pyfuse3"
    assert "6.1.0-37-amd64" in choice.reason
    assert transport.choose("pyfuse3").transport == "pyfuse3"


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(root=tmp_path)


def test_without_a_mount_none_is_running(state: State):
    assert transport.running(state) is None


def test_what_was_recorded_counts_only_while_it_is_mounted_there(state: State, tmp_path: Path):
    """Nothing is mounted there; that a real mount is told of is for the tests that mount."""
    choice = transport.Choice(transport="direct", reason="as asked")
    transport.record(state, tmp_path / "mnt", choice, missing="no passthrough")
    assert transport.running(state) is None
    transport.erase(state)
    transport.erase(state)
    assert list(tmp_path.iterdir()) == []


def test_a_record_that_is_no_record_is_none(state: State, tmp_path: Path):
    (tmp_path / "mount.json").write_text("{")
    assert transport.running(state) is None


def test_a_running_mount_is_told_with_its_reason_and_what_is_missing(tmp_path: Path):
    running = transport.Running(
        mountpoint=tmp_path, transport="pyfuse3", reason="as asked", missing="no passthrough"
    )
    assert running.as_text().splitlines() == [
        f"{tmp_path} (pyfuse3: as asked)",
        "           no passthrough",
    ]
    assert running.as_json()["missing"] == "no passthrough"


STARTED = """
import sys
import havend.cli, havend.programs
from havend.direct import program
late = {"trio", "tomllib", "csv", "shutil", "tempfile", "havenfs.settings", *program.LATER}
late |= {"argparse", "base64", "blake3", "gzip", "hashlib", "inspect", "socket", "subprocess", "systemd"}
late |= {"typing_extensions"}
print(*sorted(late & set(sys.modules)))
for name in program.LATER:
    program.import_module(name)
"""


def test_the_direct_transport_loads_only_what_it_answers_with() -> None:
    """Its start is loading: 100 ms are the bar. What is loaded later is there to be loaded."""
    done = subprocess.run(
        [sys.executable, "-c", STARTED], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
