"""A short run of the fuzzing on seeds that stay, so that what is found can be had again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent / "fuzz.py"


@pytest.mark.timeout(300)
def test_damaged_files_of_every_type_neither_stop_the_indexer_nor_kill_a_worker() -> None:
    done = subprocess.run(
        [sys.executable, FUZZ, "--files", "300", "--batch", "300", "--seed", "1"],
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert (told["files"], told["deaths"], told["undone"], told["crashes"]) == (300, 0, 0, 0)
    assert len(told["outcomes"]) > 5  # the damage was damage
