"""What in a sidecar is our own: what people decided here, which HavenFS wrote there. It is no fact that the file brings.

Without that, a correction that is taken back would be found in its own sidecar. The marks of what was written stand in
`haven:Written` (`havenfs.sidecars` writes them); a value that has another mark by now is somebody else's. Pure.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from havenfs.entities import Metadata

WRITTEN = "{urn:havenfs:1.0/}Written"
REPLACED = "{urn:havenfs:1.0/}Replaced"
"""Values of others in whose place ours stand, as JSON by field: they hold again when the correction is taken back."""


def mark(name: str, canonical: object) -> str:
    """A short hash of one value of a field."""
    return hashlib.blake2b(f"{name}:{canonical!r}".encode(), digest_size=6).hexdigest()


def written(text: str) -> dict[str, frozenset[str]]:
    """ "rating=3f2a tags=77ab,90cd caption=": each field with its marks."""
    parts = (part.partition("=") for part in text.split())
    return {name: frozenset(filter(None, listed.split(","))) for name, _, listed in parts}


def note(marks: Mapping[str, frozenset[str]]) -> str:
    """What `written` reads."""
    return " ".join(f"{name}={','.join(sorted(marks[name]))}" for name in marks)


def replaced(text: str) -> dict[str, Any]:
    """{"rating": 3, "caption": "...", "taken": [local, offset], "position": [latitude, longitude]}, as far as there are any."""
    try:
        found: object = json.loads(text or "{}")
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def caption(text: str) -> str:
    """A caption however a program has broken its lines."""
    return " ".join(text.split())


def position(latitude: float, longitude: float) -> tuple[float, float]:
    """A position however a program has rounded it: 1 m."""
    return round(latitude, 5), round(longitude, 5)


def without(
    found: Metadata,
    marks: Mapping[str, frozenset[str]],
    paths: Iterable[tuple[str, ...]],
    before: Mapping[str, Any],
) -> Metadata:
    """*found* without what we wrote, and with what stood in its place (`replaced`). *paths*: its keywords with those above."""

    def ours(name: str, canonical: object) -> bool:
        return mark(name, canonical) in marks.get(name, ())

    if found.rating is not None and ours("rating", found.rating):
        found = replace(found, rating=before.get("rating"))
    if found.caption is not None and ours("caption", caption(found.caption)):
        found = replace(found, caption=before.get("caption"))
    if found.taken is not None and ours("taken", (found.taken.local, found.taken.offset)):
        stood = before.get("taken")
        taken = replace(found.taken, local=stood[0], offset=stood[1]) if stood else None
        found = replace(found, taken=taken)
    here = found.latitude, found.longitude
    if here[0] is not None and here[1] is not None and ours("position", position(here[0], here[1])):
        stood = before.get("position") or (None, None)
        found = replace(found, latitude=stood[0], longitude=stood[1])
    paths = list(paths)
    mine = [path for path in paths if ours("tags", path)]
    theirs = {part for path in paths if path not in mine for part in path}
    gone = {part for path in mine for part in path} - theirs
    gone |= {word for word in found.keywords if word not in theirs and ours("tags", (word,))}
    return replace(found, keywords=tuple(word for word in found.keywords if word not in gone))
