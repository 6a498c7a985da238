"""What a computed folder is about: conditions added up from left to right, so that facets can narrow any folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from havenfs.catalog import browse
from havenfs.errors import TooDeep

if TYPE_CHECKING:
    from havenfs.catalog.browse import Condition

    from .library import Library

MAX_FACETS = (
    8  # deeper than any question a person asks, shallow enough to end a program that recurses
)
MANY = 5000  # hits that a search contributes to an intersection, where its listing shows 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a folder is about: conditions that are settled, and the one that it refines."""

    library: Library
    key: str
    settled: tuple[Condition, ...] = ()
    """Of the facets to the left."""
    choice: Condition | None = None
    """Of this view, so far: a year, then a month."""
    searches: tuple[tuple[str, bool], ...] = ()
    """(query, negated) of the searches to the left: run when the folder is listed, not before."""
    negated: bool = False
    """Whether the view stands behind @not."""
    facets: int = 0

    def choose(self, key: str, choice: Condition | None = None) -> Scope:
        """One level further down in the same view."""
        return replace(self, key=f"{self.key}/{key}", choice=choice or self.choice)

    def narrow(self, facet: str) -> Scope:
        """The start of another view within this one. Raises TooDeep."""
        if self.facets >= MAX_FACETS:
            raise TooDeep(f"{self.key}/{facet}: more than {MAX_FACETS} facets")
        return replace(
            self,
            key=f"{self.key}/{facet}",
            settled=self._with_choice(),
            choice=None,
            negated=False,
            facets=self.facets + 1,
        )

    def outer(self) -> tuple[Condition, ...]:
        """The conditions around this view; runs the searches among them."""
        return (*self.settled, *self._found())

    def conditions(self) -> tuple[Condition, ...]:
        """All conditions of the folder; runs the searches among them."""
        return (*self._with_choice(), *self._found())

    def within(self) -> tuple[Condition, ...]:
        """The conditions under which subfolders are offered: behind @not, what one may still exclude."""
        return (*self.outer(), self.choice) if self.choice else self.outer()

    def _with_choice(self) -> tuple[Condition, ...]:
        if self.choice is None:
            return self.settled
        if self.choice.negated == self.negated:
            return (*self.settled, self.choice)
        return (*self.settled, replace(self.choice, negated=self.negated))

    def _found(self) -> tuple[Condition, ...]:
        return tuple(
            replace(
                browse.among([hit.asset_id for hit in self.library.answer(text, MANY).hits]),
                negated=negated,
            )
            for text, negated in self.searches
        )
