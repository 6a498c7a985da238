"""How the indexer stands right now: what it waits for, and what this machine cannot give its workers.

Asked of the running indexer through a unix socket in the state directory, which answers one line of JSON to whoever connects:
nothing is written to a disk for it. Blocking, with a bounded wait; any thread. Imports nothing that asks or answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from . import sockets

if TYPE_CHECKING:
    from pathlib import Path

ANSWER_S = 0.5
LONGEST = 64 << 10  # bytes


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the indexer says of itself."""

    budget: str
    waits: str | None = None
    """Why it does nothing although there is work, in words; None: it works, or has nothing to do."""
    walls: tuple[str, ...] = ()
    """What the kernel lacks for shutting workers in, in words."""


_STANDING = msgspec.json.Decoder(Standing)


def ask(path: Path) -> Standing | None:
    """What the indexer at the socket *path* says; None when none is running."""
    try:
        with sockets.connect(path, ANSWER_S) as connection:
            said = sockets.line(connection, LONGEST)
        return _STANDING.decode(said)
    except (OSError, msgspec.DecodeError):
        return None


def waits(standing: Standing | None) -> str | None:
    """Why nothing moves, in words; None when that is not for a reason of the indexer's."""
    return standing.waits if standing is not None else "the indexer is not running"
