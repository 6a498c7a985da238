"""What one file shows: the observations by which it may be like the files of a folder. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from havenfs.catalog import names, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from havenfs.catalog.sorting import Row
    from havenfs.entities import AssetId, Place, PlaceId

WORDS = 60
"""Different words of a text: those of a letterhead, a subject and a first paragraph."""
_WORD = re.compile(r"[^\W\d_]{3,24}")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Traits:
    """Of one file."""

    asset_id: AssetId
    kind: str
    """"photo", "video", "document" or "screenshot"."""
    taken: int | None
    """Wall-clock seconds."""
    seen: frozenset[str]
    """Observations, each `family:value`: the families of `clues.WEIGHTS`."""
    place: tuple[str, ...] = ()
    """City, region, country; as far as known."""
    vector: NDArray[np.float32] | None = None
    """Of length 1."""
    spelt: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    """Words as the text spells them."""
    shape: str = ""
    """The file's name with # for each number."""


def of(row: Row, gazetteer: Mapping[PlaceId, Place], *, spelling: bool = False) -> Traits:
    """The traits of a file; *spelling*: for reasons, which need it."""
    name = names.text(row.path.rpartition(b"/")[2])
    stem, extension = names.split(name)
    shape = _DIGITS.sub("#", stem)[:40] + extension.lower()
    seen = {f"kind:{row.kind}", f"type:{extension.lower()}"}
    if "#" in shape:
        seen.add(f"shape:{shape}")
    seen.update(f"name:{_fold(word)}" for word in _WORD.findall(stem))
    if row.camera:
        seen.add(f"camera:{row.camera}")
    lineage = _lineage(row.place_id, gazetteer)
    if lineage:
        seen.add(f"city:{lineage[0]}")
        seen.add(f"country:{lineage[-1]}")
    seen.update(f"face:{cluster}" for cluster in row.clusters)
    spelt: dict[str, str] = {}
    for word in _WORD.findall(row.text):
        spelt.setdefault(_fold(word), word)
        if len(spelt) >= WORDS:
            break
    seen.update(f"word:{word}" for word in spelt)
    return Traits(
        asset_id=row.asset_id,
        kind=row.kind,
        taken=row.taken,
        seen=frozenset(seen),
        place=lineage,
        vector=_unit(row.vector) if row.vector else None,
        spelt=spelt if spelling else {},
        shape=shape if "#" in shape else "",
    )


def _fold(word: str) -> str:
    """As `words.fold`, which takes 15 us: most words are plain."""
    return word.lower() if word.isascii() else words.fold(word)


def _lineage(place_id: int | None, gazetteer: Mapping[PlaceId, Place]) -> tuple[str, ...]:
    found: list[str] = []
    place = gazetteer.get(place_id) if place_id is not None else None  # pyright: ignore[reportArgumentType]
    while place is not None:
        if place.name:
            found.append(place.name)
        place = gazetteer.get(place.parent_id) if place.parent_id is not None else None
    return tuple(found)


def _unit(vector: bytes) -> NDArray[np.float32]:
    row = np.frombuffer(vector, np.int8).astype(np.float32)
    return row / max(float(np.linalg.norm(row)), 1e-9)
