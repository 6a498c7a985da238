"""Nothing is written while nothing happens, so that disks may sleep: the short form of bench_idle.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent / "bench_idle.py"


@pytest.mark.fuse
@pytest.mark.timeout(300)
def test_half_a_minute_in_which_nothing_happens_writes_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        # Settled only when the workers have ended: all that one ever wrote is charged to the indexer when it is waited for.
        [sys.executable, BENCH, "--minutes", "0.5", "--photos", "8", "--settle", "80"],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "files of the state directory that changed: none" in done.stdout
