"""types/: what sort of thing an asset is. Sorts overlap: a raw photo is in photos/ and in raw/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from havenfs.catalog.browse import Condition

from .folders import Assets, Fixed

if TYPE_CHECKING:
    from havenfs.catalog.changes import Standing

    from .library import Scope

TYPES = {
    "photos": Condition("photo"),
    "videos": Condition("video"),
    "live": Condition("live"),
    "raw": Condition("raw"),
    "screenshots": Condition("screenshot"),
    "documents": Condition("document"),
}
"""Folder -> what belongs in it. Screenshots are not photos here: that is why they have a folder."""


class Types(Fixed):
    """The six sorts; always all of them, so that a shortcut to one stays good."""

    __slots__ = ()

    def __init__(self, scope: Scope) -> None:
        super().__init__(
            scope,
            {name: Assets(scope.choose(name, condition)) for name, condition in TYPES.items()},
        )


def types_of(standing: Standing) -> list[str]:
    """The folders of types/ in which an asset stands: the same tests as TYPES, on one asset."""
    kinds = {"photo": "photos", "video": "videos", "document": "documents"}
    found = [] if standing.kind == "photo" and standing.screenshot else [kinds[standing.kind]]
    found += (
        ["live"] * standing.live + ["raw"] * standing.raw + ["screenshots"] * standing.screenshot
    )
    return found
