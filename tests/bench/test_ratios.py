"""The mount is not half as fast as it was, measured beside the plainest passthrough in Python, and the disk, in the same minute."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.fuse
@pytest.mark.alone
@pytest.mark.timeout(240)
def test_no_ratio_has_fallen_by_half(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, HERE / "bench_mount.py", "--short"),
            *("--against", HERE / "mount/recorded.json"),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
