"""Kills over every kind of decision in one run, and what they lost. `python -m tests.decisions.every_kill 1000 [SEED]` before a release.

Half of them hit programs that decide rows (`kills`), with the database lost too at times; three in ten hit gestures in the tree,
with the files that move along (`tests.e2e.line_kills`); one in ten what goes into and comes out of the trash (`trash_kills`), and the
rest who writes sidecars and hears what others say there (`sidecar_kills`). All four run at once, and each ends with the first thing
that is lost or half done.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time


def run(count: int, seed: int) -> int:
    """Kill so often, or a few times more; the number of programs that lost something."""
    rows, gestures, trash = count // 2, count * 3 // 10, count // 10
    shares = {
        "tests.decisions.kills": rows,
        "tests.e2e.line_kills": gestures,
        "tests.decisions.trash_kills": trash,
        "tests.decisions.sidecar_kills": count - rows - gestures - trash,
    }
    programs = {
        name: subprocess.Popen(
            [sys.executable, "-m", name, str(kills), str(seed)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, kills in shares.items()
    }
    failed = 0
    for name, program in programs.items():
        said, _ = program.communicate()
        failed += program.returncode != 0
        lost = "nothing lost, nothing half done" if program.returncode == 0 else "LOST"
        print(f"{name}: {said.strip() if program.returncode else said.splitlines()[-1]}: {lost}")
    return failed


if __name__ == "__main__":
    start_seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
    print(f"seed {start_seed}", flush=True)
    began = time.monotonic()
    losses = run(int(sys.argv[1]), start_seed)
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(losses)
