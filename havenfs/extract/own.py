"""What in a sidecar is our own: what people decided here, which HavenFS wrote there. It is no fact that the file brings.

Without that, a correction that is taken back would be found in its own sidecar. The marks of what was written stand in
`haven:Written` (`havenfs.sidecars` writes them); a value that has another mark by now is somebody else's. Pure.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from havenfs.entities import Metadata

WRITTEN = "{urn:havenfs:1.0/}Written"


def mark(name: str, canonical: object) -> str:
    """A short hash of one value of a field."""
    return hashlib.blake2b(f"{name}:{canonical!r}".encode(), digest_size=6).hexdigest()


def written(text: str) -> dict[str, frozenset[str]]:
    """ "rating=3f2a tags=77ab,90cd caption=": each field with its marks."""
    parts = (part.partition("=") for part in text.split())
    return {name: frozenset(filter(None, listed.split(","))) for name, _, listed in parts}


def caption(text: str) -> str:
    """A caption however a program has broken its lines."""
    return " ".join(text.split())


def position(latitude: float, longitude: float) -> tuple[float, float]:
    """A position however a program has rounded it: 1 m."""
    return round(latitude, 5), round(longitude, 5)


def without(
    found: Metadata, marks: Mapping[str, frozenset[str]], paths: Iterable[tuple[str, ...]]
) -> Metadata:
    """*found* without what we wrote. *paths*: its keywords with those above them."""

    def ours(name: str, canonical: object) -> bool:
        return mark(name, canonical) in marks.get(name, ())

    if found.rating is not None and ours("rating", found.rating):
        found = replace(found, rating=None)
    if found.caption is not None and ours("caption", caption(found.caption)):
        found = replace(found, caption=None)
    if found.taken is not None and ours("taken", (found.taken.local, found.taken.offset)):
        found = replace(found, taken=None)
    here = found.latitude, found.longitude
    if here[0] is not None and here[1] is not None and ours("position", position(here[0], here[1])):
        found = replace(found, latitude=None, longitude=None)
    paths = list(paths)
    mine = [path for path in paths if ours("tags", path)]
    theirs = {part for path in paths if path not in mine for part in path}
    gone = {part for path in mine for part in path} - theirs
    gone |= {word for word in found.keywords if word not in theirs and ours("tags", (word,))}
    return replace(found, keywords=tuple(word for word in found.keywords if word not in gone))
