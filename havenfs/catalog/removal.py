"""Deleting the catalog's file, when nobody else has it open."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import apsw

from havenfs.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

DAMAGE = (apsw.CorruptError, apsw.NotADBError)
"""What SQLite says of a file that is damaged or none of its own."""


def remove(path: Path) -> None:
    """Delete the file with what SQLite keeps beside it. Raises ConfigError when another program has it open."""
    if path.exists() and _shared(path):
        raise ConfigError(
            f"{path} is in use. Stop the mount, the indexer and the web page of this state directory first."
        )
    for suffix in ("-wal", "-shm", "-journal", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _shared(path: Path) -> bool:
    """Whether others are connected: only the last connection may leave the WAL mode."""
    db = apsw.Connection(str(path))
    try:
        return db.pragma("journal_mode", "delete") != "delete"
    except apsw.BusyError:
        return True
    except DAMAGE:
        return False
    finally:
        db.close()
