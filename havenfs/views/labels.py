"""Names that people give to folders, on their way into the tree and back."""

from __future__ import annotations

from havenfs.catalog.names import legal, original
from havenfs.errors import InvalidName, NotPermitted
from havenfs.views.uploads.litter import is_passing

_TWINS = {"_": "\uff3f", "@": "\uff20"}
"""A leading one is the system's: people's are shown full-width."""
_PLAIN = {twin: plain for plain, twin in _TWINS.items()}


def decoded(name: bytes) -> str:
    """The text of a name that somebody gives. Raises InvalidName."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise InvalidName("a name that is no UTF-8") from None


def given(name: bytes) -> str:
    """The same for a folder that somebody makes or renames. Raises NotPermitted for what programs call their own: `.Trash-1000`,
    `@eaDir` and rsync's `.~tmp~` are no album, no person and no search."""
    if is_passing(name):
        raise NotPermitted("programs call so what they need for themselves: that has no place here")
    return decoded(name)


def shown(name: str) -> str:
    """How a folder of this name is called in the tree."""
    name = legal(name)
    return _TWINS.get(name[0], name[0]) + name[1:]


def written(name: str) -> str:
    """What is meant by this name of a folder. Raises InvalidName for those that are the system's."""
    if name[:1] in _TWINS:
        raise InvalidName("a name that begins so is the system's")
    return original(_PLAIN.get(name[:1], name[:1]) + name[1:])
