"""Kills over every kind of decision in one run, and what they lost. `python -m tests.decisions.every_kill 1000 [SEED]` before a release.

Half of them hit programs that decide rows (`kills`), with the database lost too at times; three in ten hit gestures in the tree,
with the files that move along (`tests.e2e.line_kills`); the rest what goes into and comes out of the trash (`trash_kills`).
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from tests.decisions import kills, trash_kills
from tests.e2e import line_kills


def run(count: int, directory: Path, seed: int) -> list[str]:
    """Kill so often, or a few times more; a line for each sort. Raises AssertionError as soon as something is lost."""
    rows, gestures = count // 2, count * 3 // 10
    for name in ("rows", "gestures", "trash"):
        (directory / name).mkdir()
    answered, held = kills.run(rows, directory / "rows", seed)
    said = [
        f"rows: {rows} kills, {answered} decisions answered for, {held} held unanswered, 0 lost"
    ]
    said.append(f"gestures: {line_kills.run(gestures, directory / 'gestures', seed)}")
    rest = count - rows - gestures
    moved = trash_kills.run(rest, directory / "trash", seed)
    said.append(f"trash: {rest} kills, {moved} moves answered for, 0 lost")
    return said


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        start_seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
        print(f"seed {start_seed}", flush=True)
        began = time.monotonic()
        print("\n".join(run(int(sys.argv[1]), Path(temporary), start_seed)))
        print(f"{time.monotonic() - began:.0f} s")
