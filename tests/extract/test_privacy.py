"""Nothing leaves the house: what the libraries that we use would like to report."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
from havenfs.extract.clip import TextEncoder
from havenfs.models import registry
print(TextEncoder(registry.builtin()).encode("snow").shape)
"""


def test_running_a_model_leaves_no_trace_of_telemetry(tmp_path: Path):
    # ONNX Runtime holds back where CI is set: here it is a person's machine. Where it reports, it first keeps a device
    # id and a database of events below the home directory.
    environment = {
        k: v
        for k, v in os.environ.items()
        if k not in {"CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    }
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**environment, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == "(128,)\n"
    assert list(tmp_path.rglob("*")) == []
