"""How decisions are told to people."""

from __future__ import annotations


def files(count: int) -> str:
    """So many files."""
    return "1 file" if count == 1 else f"{count:,} files"
