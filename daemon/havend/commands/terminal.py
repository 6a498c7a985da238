"""One line on a terminal that says how far something is, and goes when it is done."""

from __future__ import annotations

import sys
from typing import Self


class Line:
    """Standard error's last line; nothing where that is no terminal."""

    def __enter__(self) -> Self:
        self._terminal = sys.stderr.isatty()
        return self

    def show(self, text: str) -> None:
        """Say this instead of what it said."""
        if self._terminal:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        self.show("")
