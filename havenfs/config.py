"""Where things are and what the owner chose: one frozen object, made once, handed on in parts."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

from msgspec import Struct


class State(Struct, frozen=True, kw_only=True):
    """The state directory: everything that HavenFS itself writes."""

    root: Path

    @property
    def catalog(self) -> Path:
        """The SQLite file."""
        return self.root / "catalog.db"

    @property
    def journal(self) -> Path:
        """The file of every decision, which outlives the catalog."""
        return self.root / "decisions.jsonl"

    @property
    def thumbnails(self) -> Path:
        """The SQLite file of previews."""
        return self.root / "thumbnails.db"

    @property
    def models(self) -> Path:
        """Installed models, one directory each."""
        return self.root / "models"

    @property
    def encoder(self) -> Path:
        """The unix socket that answers "embed this query text"."""
        return self.root / "encoder.sock"

    @property
    def standing(self) -> Path:
        """The unix socket at which the indexer tells how it stands."""
        return self.root / "indexer.sock"

    @property
    def deciding(self) -> Path:
        """The unix socket at which the mount carries out what is decided outside of it."""
        return self.root / "decide.sock"

    @property
    def owner_key(self) -> Path:
        """What proves to the web page that somebody may decide: who can read this file may (`havenfs.owner`)."""
        return self.root / "owner.key"

    @property
    def bell(self) -> Path:
        """The FIFO through which the mount wakes the indexer: something new is in the queue."""
        return self.root / "bell"

    @classmethod
    def default(cls) -> State:
        """`$XDG_STATE_HOME/havenfs`, or `~/.local/state/havenfs`."""
        base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        return cls(root=Path(base).expanduser() / "havenfs")


class SourceConfig(Struct, frozen=True, kw_only=True):
    """A directory of originals that the owner named."""

    name: str
    root: Path
    writable: bool = False


class Budget(StrEnum):
    """How much of the machine the indexer takes."""

    BACKGROUND = "background"
    """What nobody else wants: one process, and none while others use the disk, the processor or the memory."""
    BALANCED = "balanced"
    """Behind everybody else, on all cores but one; rests while the disk or the memory is short."""
    FULL = "full"
    """All cores, without regard for others."""
