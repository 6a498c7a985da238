"""Deciding for whoever asks, by what folders do: the one way from the tree to the keeper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from havenfs.errors import ReadOnly

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.catalog.catalog import Connection
    from havenfs.decisions import Decision
    from havenfs.originals.disk import Rights

    from .library import Library


@runtime_checkable
class Somebody(Protocol):
    """Rights that know whose they are."""

    @property
    def who(self) -> str:
        """The user's name."""
        ...


def decide(
    library: Library,
    decision: Decision,
    rights: Rights,
    first: Callable[[Connection], object] | None = None,
) -> bool:
    """Carry a decision out for whoever asks; on return it is on the disk. False: all was as decided. Raises what
    `Keeper.decide` raises."""
    if library.keeper is None:
        raise ReadOnly("nothing can be decided here")
    return library.keeper.decide(decision, by=who(rights), first=first) is not None


def who(rights: Rights) -> str:
    """Whose rights they are."""
    return rights.who if isinstance(rights, Somebody) else "somebody"
