"""What people say of one asset: favorite, stars, caption, tags. The same decisions as by folders and attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from havenfs.decisions import asking
from havenfs.errors import InvalidName
from havenweb import deciding
from havenweb.binder import Operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenweb.library import Library

Id = Annotated[int, Meta(ge=1, le=2**53 - 1)]
UNCHANGED = "that is said already"


class FavoriteParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether it is one."""

    id: Id
    favorite: bool


class RatingParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many stars; null: as many as the file says."""

    id: Id
    stars: Annotated[int, Meta(ge=0, le=5)] | None


class CaptionParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which one; null: what the file says."""

    id: Id
    caption: Annotated[str, Meta(max_length=10_000)] | None


class TagsParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly these, besides what stands in the file."""

    id: Id
    tags: Annotated[list[Annotated[str, Meta(max_length=255)]], Meta(max_length=100)]


def _favorite(parameters: FavoriteParameters) -> asking.What:
    return asking.Favor(asset=parameters.id, favorite=parameters.favorite)


def _rating(parameters: RatingParameters) -> asking.What:
    return asking.Rate(asset=parameters.id, stars=parameters.stars)


def _caption(parameters: CaptionParameters) -> asking.What:
    return asking.Caption(asset=parameters.id, body=parameters.caption)


def _tags(parameters: TagsParameters) -> asking.What:
    return asking.Tag(asset=parameters.id, tags=tuple(parameters.tags))


def _operation(
    name: str, summary: str, parameters: type[Any], what: Callable[[Any], asking.What]
) -> Operation[Any, deciding.Done]:
    def handle(library: Library, given: Any) -> deciding.Done:
        return deciding.ask(library, what(given), otherwise=UNCHANGED)

    return Operation(
        method="POST",
        path=f"/api/assets/{{id}}/{name}",
        name=f"set_{name}",
        summary=summary,
        parameters=parameters,
        response=deciding.Done,
        handle=handle,
        raises=(*deciding.RAISES, InvalidName),
    )


SAYINGS = (
    _operation("favorite", "Make it a favorite, or none", FavoriteParameters, _favorite),
    _operation("rating", "Give it stars", RatingParameters, _rating),
    _operation("caption", "Write a caption", CaptionParameters, _caption),
    _operation("tags", "Tag it", TagsParameters, _tags),
)
