"""One key of the file: its place, its help, its default and how it is read. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of the file."""

    table: str
    name: str
    default: str
    """As it would stand in the file."""
    help: str
    read: Callable[[Any], object]
    """The value from what TOML gives. Raises ValueError with what it should have been."""

    @property
    def key(self) -> str:
        """With its table."""
        return f"{self.table}.{self.name}"


def flag(value: Any) -> bool:
    """Yes or no."""
    if isinstance(value, bool):
        return value
    raise ValueError("give true or false")
