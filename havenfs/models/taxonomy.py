"""The words that pictures are tagged with: a curated list, read from taxonomy.toml beside this file. Knows no model.

About 390 tags in sets of siblings. A tag is data, in English; what it is called in another language is for whoever shows it.
"""

from __future__ import annotations

import functools
import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("taxonomy.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One tag."""

    name: str
    group: str
    """Heading, for people: "animals"."""
    siblings: str
    """Its set: tags of one set compete."""
    phrases: tuple[str, ...]
    """What a model is asked for, each in the model's own sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxonomy:
    """All tags."""

    tags: tuple[Tag, ...]
    neutral: tuple[str, ...]
    """Sentences that are true of a picture of anything else."""
    digest: str
    """12 hex digits of the file's BLAKE2: other words, other digest."""


@functools.cache
def load() -> Taxonomy:
    """The list that this version ships."""
    raw = FILE.read_bytes()
    found = tomllib.loads(raw.decode())
    neutral = tuple(found.pop("neutral"))
    return Taxonomy(
        tags=tuple(
            Tag(
                name=name,
                group=table["group"],
                siblings=siblings,
                phrases=tuple(phrase.strip() for phrase in phrases.split(";")),
            )
            for siblings, table in found.items()
            for name, phrases in table["tags"].items()
        ),
        neutral=neutral,
        digest=hashlib.blake2b(raw, digest_size=6).hexdigest(),
    )
