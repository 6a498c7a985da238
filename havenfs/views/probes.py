"""Names that desktops and their programs look for in every folder, and that no person ever means.

In `search/`, where any text resolves, each of these would run a search. Finder asks for `._x` beside every x, Explorer
for desktop.ini and folder pictures, GNOME and KDE for .hidden and .directory, git and cargo for their markers in every
parent directory.
"""

from __future__ import annotations

import re

_NAMES = frozenset(
    {
        "$recycle.bin",
        "@eadir",
        "#recycle",
        "_darcs",
        "albumart.jpg",
        "albumartsmall.jpg",
        "autorun.inf",
        "bdmv",
        "cargo.toml",
        "desktop.ini",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "folder.gif",
        "folder.jpg",
        "folder.png",
        "icon\r",
        "lost+found",
        "network trash folder",
        "node_modules",
        "package.json",
        "pyproject.toml",
        "recycler",
        "system volume information",
        "temporary items",
        "thumbs.db",
        "video_ts",
    }
)
_LIKE = re.compile(
    r"\."  # everything hidden: ._x, .DS_Store, .git, .hidden, .directory, .Trash-1000, .localized, .metadata_never_index
    r"|~\$"  # lock files of office programs
    r"|.*\.(?:lnk|pif|tmp|swp|manifest|dll|exe)$",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)


def is_probe(name: str) -> bool:
    """Whether *name* is asked for by a program, not by a person."""
    return name.casefold() in _NAMES or _LIKE.match(name) is not None
