"""All tables together: what the owner chose, and everything that he might. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from . import files, guard, index, people, sidecars, sort, trash
from .files import Files
from .guard import Guard
from .index import Indexing
from .people import People
from .sidecars import Sidecars
from .sort import Sorting
from .trash import Trash

if TYPE_CHECKING:
    from pathlib import Path

    from .setting import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that the owner chose."""

    files: Files = field(default_factory=Files)
    index: Indexing = field(default_factory=Indexing)
    people: People = field(default_factory=People)
    sidecars: Sidecars = field(default_factory=Sidecars)
    trash: Trash = field(default_factory=Trash)
    guard: Guard = field(default_factory=Guard)
    sort: Sorting = field(default_factory=Sorting)
    file: Path | None = None
    """Where it was read from; None: nowhere, all is as it comes."""


SETTINGS: Final[tuple[Setting, ...]] = (
    *files.SETTINGS,
    *index.SETTINGS,
    *people.SETTINGS,
    *sidecars.SETTINGS,
    *trash.SETTINGS,
    *guard.SETTINGS,
    *sort.SETTINGS,
)
"""In the order in which the file shows them."""
