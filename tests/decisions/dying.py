"""A kill at any line of some modules: whoever runs them ends as by kill -9, wherever that is.

And what the programs that do so again and again have in common: `python -m tests.decisions.kills COUNT [SEED]`.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def after(lines: int, traced: tuple[str, ...]) -> Any:
    """A function for `sys.settrace`: this process kills itself after so many lines of files in whose names one of *traced*
    occurs."""
    left = lines

    def step(_: FrameType, event: str, __: object) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return step

    def enter(frame: FrameType, _: str, __: object) -> Any:
        return step if any(part in frame.f_code.co_filename for part in traced) else None

    return enter


def program(run: Callable[[int, Path, int], object]) -> None:
    """*run* as the command line asks for it: so many kills, in a folder that goes afterwards, of a seed; says what comes of it."""
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        print(run(int(sys.argv[1]), Path(temporary), seed))
