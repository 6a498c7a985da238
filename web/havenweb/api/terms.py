"""The words of the search language, as they document themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from havenfs.query import TERMS
from havenweb.binder import NoParameters, Operation

if TYPE_CHECKING:
    from havenweb.library import Library


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One word of the language."""

    keys: list[str]
    """The canonical key first, then other spellings; empty for a form of bare words."""
    group: str
    """Its heading."""
    help: str
    example: str


class Help(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    terms: list[Term]


def _help(_library: Library, _parameters: NoParameters) -> Help:
    return Help(
        terms=[
            Term(keys=list(t.keys), group=t.group, help=t.help, example=t.example) for t in TERMS
        ]
    )


HELP = Operation(
    path="/api/help",
    name="help",
    summary="The words of the search language",
    parameters=NoParameters,
    response=Help,
    handle=_help,
)
