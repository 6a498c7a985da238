"""Search: pictures with their reasons, what to know about the answer, and the folder that holds the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from havenfs.errors import InvalidQuery
from havenweb import folders, pictures
from havenweb.binder import Operation

if TYPE_CHECKING:
    from havenweb.library import Library


class SearchParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to look for."""

    q: Annotated[str, Meta(min_length=1, max_length=1000)]
    """The search language: words, "phrases", key:value."""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One hit."""

    picture: pictures.Picture
    score: float
    """0..1, comparable within one answer only."""
    reasons: list[str]
    """Why it is here, in words."""


class SearchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one search."""

    query: str
    hits: list[Found]
    """Best first."""
    notes: list[str]
    """What to know about this answer, in words."""
    path: str | None
    """The folder in the tree with the same answer; None where the text has no form for a path."""


def _search(library: Library, parameters: SearchParameters) -> SearchAnswer:
    answer = library.searcher.search(parameters.q, limit=parameters.limit)
    known = library.catalog.read(pictures.by_id, [hit.asset_id for hit in answer.hits])
    return SearchAnswer(
        query=parameters.q,
        hits=[
            Found(picture=known[hit.asset_id], score=hit.score, reasons=list(hit.reasons))
            for hit in answer.hits
            if hit.asset_id in known  # it may have gone since the search ran
        ],
        notes=list(answer.notes),
        path=folders.of_search(parameters.q, folders.base(library.mount)),
    )


SEARCH = Operation(
    path="/api/search",
    name="search",
    summary="Search by words, looks, places, dates and fields",
    parameters=SearchParameters,
    response=SearchAnswer,
    handle=_search,
    raises=(InvalidQuery,),
)
