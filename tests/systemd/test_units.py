from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
PROGRAM = "/usr/lib/havenfs/venv/bin/havenfs"
PROGRAMS = sorted(p.name for p in UNITS.glob("*.service"))


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as they lie on a machine where the program is this checkout's."""
    program = Path(sys.executable).with_name("havenfs")
    assert program.exists()
    for unit in filter(Path.is_file, UNITS.iterdir()):
        (tmp_path / unit.name).write_text(unit.read_text().replace(PROGRAM, str(program)))
    return tmp_path


def test_systemd_finds_nothing_wrong_with_any_unit(installed: Path):
    units = [str(u) for u in sorted(installed.iterdir())]
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        timeout=60,
    )
    ours = [line for line in result.stderr.splitlines() if "havenfs" in line]
    assert (result.returncode, ours) == (0, [])


# systemd's own score of exposure, 0 (none) to 10, times ten. The mount is the one that cannot be sandboxed by name
# spaces (its mount would be invisible); nothing set at all scores 96.
BARS = {"havenfs.service": 45, "havenfs-index.service": 11, "havenfs-web.service": 17}


@pytest.mark.parametrize("unit", PROGRAMS)
def test_a_unit_is_no_more_exposed_than_its_bar(installed: Path, unit: str):
    result = subprocess.run(
        [
            "systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={BARS[unit]}",
            str(installed / unit),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-400:]


@pytest.mark.parametrize("unit", PROGRAMS)
def test_a_program_says_when_it_is_ready_and_is_watched(unit: str):
    text = (UNITS / unit).read_text()
    assert "Type=notify" in text
    assert "WatchdogSec=" in text


def test_the_target_starts_every_program():
    wants = (UNITS / "havenfs.target").read_text().split("Wants=")[1].splitlines()[0].split()
    assert sorted(wants) == PROGRAMS


def test_units_call_commands_that_exist():
    for unit in PROGRAMS:
        command = next(
            line
            for line in (UNITS / unit).read_text().splitlines()
            if line.startswith("ExecStart=")
        ).split()
        words = [w for w in command[1:] if not w.startswith(("-", "/", "$")) and ":" not in w]
        result = subprocess.run(
            [sys.executable, "-m", "havend", *words, "--help"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert result.returncode == 0, json.dumps(words)
