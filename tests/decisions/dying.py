"""A kill at any line of some modules: whoever runs them ends as by kill -9, wherever that is."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
