"""The models that `havenfs models install` knows by name: what each is good for, costs, and may be used for.

A data file (`catalogue.json`) and its reader; knows no network. Accuracy is what others have published, never a
measurement of ours. Hashes: a choice may carry pins (SHA-256 by path), which outrank what a server says. Where it has none,
the first installation takes them from the hub's own listing and writes them into the manifest; the hub is then trusted
once, over TLS, for a commit whose id is recorded too.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec

from havenfs.errors import ModelError

from .manifest import Digest, ModelKind, Positive, decode

FILE = Path(__file__).with_name("catalogue.json")

NAME = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files of one repository of the hub."""

    repository: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")]
    revision: str = "main"
    """A branch, a tag or a commit. A branch moves: the commit it stood for is recorded at installation."""
    folders: tuple[str, ...] = ()
    """Every file directly in these folders is taken, to the same path."""
    files: dict[str, str] = {}
    """Path in the repository to path in the model's directory."""


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model of the catalogue."""

    name: NAME
    kind: ModelKind
    description: str
    licence: str
    free: bool
    """Whether the licence lets anybody use it for anything. The others are shown and must be accepted."""
    languages: str
    accuracy: str
    """As published; says by whom and on what."""
    confirmed: str
    """Where repositories, files and figures were read, other than here; what was not found there. Nobody here has downloaded
    them: none can say that the files are what they are called."""
    megabytes: Positive
    """To download, about."""
    memory: Positive
    """MiB that an indexing process needs with it, about."""
    gigaflops: Annotated[float, msgspec.Meta(gt=0)]
    """Of one picture (for faces: of one picture at 640 px and one face): twice the multiplications of its matrix products
    and convolutions."""
    quality: Annotated[float, msgspec.Meta(ge=0, le=100)]
    """For comparing choices of one kind: CLIP by mean recall on Crossmodal-3600 in English, faces by LFW accuracy."""
    dimension: Positive
    parts: Annotated[tuple[Part, ...], msgspec.Meta(min_length=1)]
    pins: dict[str, Digest] = {}
    """SHA-256 by path in the model's directory. What arrives and differs is refused."""


_CHOICES = msgspec.json.Decoder(tuple[Choice, ...])


@cache
def choices() -> tuple[Choice, ...]:
    """Every choice, those with free licences first, then as the file has them. Raises ModelError when it is damaged."""
    read = decode(FILE, _CHOICES)
    return tuple(sorted(read, key=lambda choice: not choice.free))


def named(name: str) -> Choice:
    """The choice of that name, upper and lower case alike. Raises ModelError that lists what there is."""
    for choice in choices():
        if choice.name.lower() == name.lower():
            return choice
    known = ", ".join(choice.name for choice in choices())
    reason = f"the catalogue has no model {name!r}; it has {known}. Another one can be installed with --from"
    raise ModelError(reason)
