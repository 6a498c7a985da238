"""Names that people give to folders, on their way into the tree and back."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Protocol, TypeVar

from havenfs.catalog.names import LIMIT, fits, legal, original
from havenfs.errors import InvalidName, NameTooLong, NotFound, NotPermitted
from havenfs.views.uploads.litter import is_passing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TWINS = {"_": "\uff3f", "@": "\uff20"}
"""A leading one is the system's: people's are shown full-width."""
_PLAIN = {twin: plain for plain, twin in _TWINS.items()}
_GRAPHEME = 64
"""Bytes by which a name that was cut may be shorter than the limit: more than what anybody writes as one character."""


class Named(Protocol):
    """What people call something."""

    @property
    def name(self) -> str | None: ...


N = TypeVar("N", bound=Named)


def decoded(name: bytes) -> str:
    """The text of a name that somebody gives. Raises InvalidName."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise InvalidName("a name that is no UTF-8") from None


def given(name: bytes) -> str:
    """The same for a folder that somebody makes or renames. Raises NotPermitted for what programs call their own: `.Trash-1000`,
    `@eaDir` and rsync's `.~tmp~` are no album, no person and no search. Raises NameTooLong."""
    if is_passing(name):
        raise NotPermitted("programs call so what they need for themselves: that has no place here")
    return kept(decoded(name))


def kept(name: str) -> str:
    """A name that somebody gives, by whichever door, as it is kept: composed, as it is shown. Raises NameTooLong."""
    if not fits(name):
        raise NameTooLong(f"a name of more than {LIMIT} bytes, as the tree would show it")
    return composed(name)


def composed(name: str) -> str:
    """The same name in the one form in which all are kept and shown (NFC)."""
    return unicodedata.normalize("NFC", name)


def shown(name: str) -> str:
    """How a folder of this name is called in the tree."""
    return legal(_TWINS.get(name[:1], name[:1]) + name[1:])


def written(name: str) -> str:
    """What is meant by this name of a folder. Raises InvalidName for those that are the system's."""
    if name[:1] in _TWINS:
        raise InvalidName("a name that begins so is the system's")
    return original(_PLAIN.get(name[:1], name[:1]) + name[1:])


def found(name: str, called: Callable[[str], N], everything: Callable[[], Iterable[N]]) -> N:
    """Which of the folders in one place is meant by *name*: the one that is shown so, be it asked for as it is listed or as it
    was made. Raises NotFound.

    *called* finds one by what people call it, capitals aside; *everything* lists them all."""
    wanted = legal(name)
    try:
        one = called(written(wanted))
        if one.name is not None and shown(one.name) == wanted:
            return one
    except (InvalidName, NotFound):
        pass
    # By other doors than the tree's came names that hold a twin themselves, or are too long and shown cut.
    if (
        original(wanted) != wanted
        or wanted[0] in _PLAIN
        or len(wanted.encode()) > LIMIT - _GRAPHEME
    ):
        for one in everything():
            if one.name is not None and shown(one.name) == wanted:
                return one
    raise NotFound(name)
