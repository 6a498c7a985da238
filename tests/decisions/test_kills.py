from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = 100


@pytest.mark.timeout(120)
def test_no_kill_loses_what_was_answered_for_or_leaves_a_half() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tests.decisions.kills", str(KILLS)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    counted = re.search(rf"{KILLS} kills, (\d+) decisions answered for", result.stdout)
    assert counted is not None
    assert int(counted[1]) > KILLS  # they were killed at work, not before it


@pytest.mark.timeout(180)
def test_no_kill_at_any_line_of_a_gesture_leaves_it_half_done() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tests.e2e.line_kills", "40"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    counted = re.search(r"(\d+) kills, (\d+) gestures answered for", result.stdout)
    assert counted is not None
    assert int(counted[1]) >= 40
    assert int(counted[2]) > 10  # it is no test of gestures that never end


@pytest.mark.timeout(180)
def test_no_kill_loses_what_stands_in_sidecars_or_is_to_stand_there() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tests.decisions.sidecar_kills", "20"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert result.returncode == 0, result.stdout + result.stderr
