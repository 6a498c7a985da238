"""What bare words ask for: names of places and people among them, and the phrase that is left to be looked for in pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from havenfs.catalog.words import STOP_WORDS, fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from havenfs.query import Node

from havenfs.query import And, Not, Or, Words

LONGEST_NAME = 5
"""Words in the name of a place: "Saint Pierre and Miquelon"."""
BEFORE_PLACE = frozenset(("in", "at", "from", "near", "of", "around"))
BEFORE_PERSON = frozenset(("with", "of", "and"))
_CODE = re.compile(r"[_\\/]|\d{3}|\d[^\W\d]{2}|[^\W\d]\d|\.\w{1,5}$")
"""Marks of a file name, a number or a code: nothing that a picture could look like."""
_PICTURE_OF = re.compile(
    r"(?:(?:an?|the|my|our|all)\s+)?(?:photo(?:graph)?|picture|image|pic)s?(?:\s+(?:of|with)\b|$)\s*",
    re.I,
)
"""What people say before what they mean; every picture is a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Bare words, understood."""

    words: tuple[str, ...]
    """All of them, for the text index."""
    places: tuple[str, ...]
    """Places of the library among them, as the catalog writes them."""
    people: tuple[str, ...]
    """People who have a name, in the same way."""
    rest: tuple[str, ...]
    """The words beside the names."""
    look: str
    """What is left for the eye; empty when nothing is."""


def understand(
    text: str, places: Mapping[str, str], people: Mapping[str, str] | None = None
) -> Phrase:
    """The Phrase of *text*; *places* and *people* map folded names to written ones. A name of both is a person's."""
    rest = text.split()
    somebody = _take(rest, people or {}, BEFORE_PERSON)
    found = _take(rest, places, BEFORE_PLACE)
    eye = (
        _PICTURE_OF.sub("", " ".join(rest), count=1)
        if _PICTURE_OF.match(" ".join(rest))
        else " ".join(rest)
    )
    told = any(
        word.casefold() not in STOP_WORDS and any(map(str.isalpha, word)) for word in eye.split()
    )
    code = any(_CODE.search(word) for word in rest)
    return Phrase(
        words=tuple(text.split()),
        places=tuple(dict.fromkeys(found)),
        people=tuple(dict.fromkeys(somebody)),
        rest=tuple(rest),
        look=eye if told and not code else "",
    )


def _take(rest: list[str], names: Mapping[str, str], before: frozenset[str]) -> list[str]:
    """Take the names out of the words, and the small word that leads to each; returns them as written."""
    found: list[str] = []
    at = 0
    while names and at < len(rest):
        for length in range(min(LONGEST_NAME, len(rest) - at), 0, -1):
            name = names.get(fold(" ".join(rest[at : at + length])))
            if name is not None:
                found.append(name)
                del rest[at : at + length]
                if at and rest[at - 1].casefold() in before:
                    at -= 1
                    del rest[at]
                break
        else:
            at += 1
    return found


def bare(node: Node | None) -> Iterator[str]:
    """The texts of all unquoted Words below *node*."""
    if isinstance(node, Words) and not node.quoted:
        yield node.text
    elif isinstance(node, Not):
        yield from bare(node.item)
    elif isinstance(node, And | Or):
        for item in node.items:
            yield from bare(item)
