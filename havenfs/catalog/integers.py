"""SQLite's integers are signed; devices, inodes of some network file systems and identities of file systems use all 64 bits."""

from __future__ import annotations


def signed(number: int) -> int:
    """An unsigned number of 64 bits as SQLite keeps it."""
    return number - (1 << 64) if number >> 63 else number


def unsigned(number: int) -> int:
    """And back."""
    return number & (1 << 64) - 1
