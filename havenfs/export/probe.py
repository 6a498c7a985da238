"""A model loaded and run in a process of its own, because a bad graph can end onnxruntime by a signal.

`python -m havenfs.export.probe DIR` prints what `havenfs.extract.trial` measured, as JSON.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from havenfs.errors import ModelError
from havenfs.extract import trial
from havenfs.models import registry
from havenfs.models.measured import Trial

PROBE_S = 600
_TRIALS = msgspec.json.Decoder(Trial)


def probe(directory: Path) -> Trial:
    """Load and run the model in *directory* elsewhere. Raises ModelError that says how it failed."""
    done = subprocess.run(
        [sys.executable, "-m", "havenfs.export.probe", str(directory)],
        capture_output=True,
        timeout=PROBE_S,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        code = done.returncode
        how = signal.Signals(-code).name if code < 0 else said[-1] if said else f"status {code}"
        raise ModelError(f"the model in {directory} does not run: {how}")
    return _TRIALS.decode(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    found = trial.run(registry.load(Path(sys.argv[1])), threads=2)
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
