"""Having decisions carried out by the program that may touch originals: asked for at the mount's socket, one line of JSON each way.

For programs that only read, such as the web page. An answer comes when what was asked for is committed and journaled.
Blocking, with a bounded wait; any thread. `havend.deciding` is the other end.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from havenfs import errors, sockets
from havenfs.errors import HavenError, NotRunning

if TYPE_CHECKING:
    import socket
    from pathlib import Path

CONNECT_S = 2.0
MOMENT_S = 1.0
ANSWER_S = 60.0
"""A disk that was asleep takes 10 s, and a decision about 10,000 pictures some seconds on a slow core."""
LONGEST = 64 << 10  # bytes of a question or of an answer

_KINDS = {kind.__name__: kind for kind in HavenError.__subclasses__()}
_NOBODY = (
    "nothing was changed: the mount, which carries out what is decided, is not running. "
    "“havenfs up” starts it, or “systemctl start havenfs”"
)


class Undo(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Take an operation back, see `Keeper.revert`."""

    operation: str
    rest: bool = False


class Favor(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An asset is a favorite, or is none."""

    asset: int
    favorite: bool


class Rate(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """0 to 5 stars; None: what the file says."""

    asset: int
    stars: int | None


class Caption(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A caption, which may be empty; None: what the file says."""

    asset: int
    body: str | None


class Tag(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Exactly these tags are given by people, `animals/dog`. What the file says stays."""

    asset: int
    tags: tuple[str, ...]


What = Undo | Favor | Rate | Caption | Tag


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done."""

    what: What
    door: str
    """Where it was decided, in words for the log: “web page”."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of it."""

    operation: str | None = None
    """The id of what was recorded; None: nothing was to be done."""
    error: str | None = None
    """The name of a HavenError."""
    message: str = ""


QUESTIONS = msgspec.json.Decoder(Question)
_ANSWERS = msgspec.json.Decoder(Answer)


def ask(path: Path, question: Question) -> str | None:
    """Have it done at the socket *path*; returns the id of the operation, None when nothing was to be done.

    Raises what doing it raises, and NotRunning.
    """
    with _connected(path) as connection:
        try:
            connection.settimeout(ANSWER_S)
            connection.sendall(msgspec.json.encode(question) + b"\n")
            said = sockets.line(connection, LONGEST)
            answer = _ANSWERS.decode(said)
        except TimeoutError as error:
            raise NotRunning(
                "no answer yet: a disk may be slow to wake. The list will say whether it was done"
            ) from error
        except (OSError, msgspec.DecodeError) as error:
            raise NotRunning("the mount broke off; its log says why") from error
    if answer.error is not None:
        raise _KINDS.get(answer.error, errors.Conflict)(answer.message)
    return answer.operation


def _connected(path: Path) -> socket.socket:
    """A connection to the mount. One that has just begun, or whose server has died, listens in a moment. Raises NotRunning."""
    deadline = time.monotonic() + MOMENT_S
    while True:
        try:
            return sockets.connect(path, CONNECT_S)
        except (ConnectionRefusedError, FileNotFoundError) as error:
            if time.monotonic() > deadline:
                raise NotRunning(_NOBODY) from error
            time.sleep(MOMENT_S / 50)
        except OSError as error:
            raise NotRunning(_NOBODY) from error
