"""Carries out in the mount what is decided outside of it: `havenfs.decisions.asking`, answered.

Here, because only the mount has the right to move originals, and remembers where they lie. One thread that sleeps until
somebody asks, one question at a time; only who runs the mount, or root, is heard. A decision is no more work than one that
is made with `mv`.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

import msgspec

from havenfs import sockets
from havenfs.catalog import assets
from havenfs.decisions import Keeper, asking, values
from havenfs.decisions.asking import Answer, Question
from havenfs.entities import AssetId
from havenfs.errors import HavenError, NotPermitted, ReadOnly, SourceGone
from havenfs.views import saying
from havenfs.views.filing import Mover

from . import credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from havenfs.catalog.decided import Operation
    from havenfs.config import State
    from havenfs.decisions import Decision
    from havenfs.views import Library

    from .operations import Operations

    Decide = Callable[[Question, str], Operation | None]

log = logging.getLogger(__name__)

QUESTION_S = 5.0  # for a question that was begun: others wait behind it
PAUSE_S = 1.0  # after an error that is nobody's question, such as too many open files


@contextmanager
def answering(state: State, operations: Operations) -> Generator[None]:
    """Answer at `state.deciding`. Where nobody can be heard, the mount goes on."""
    keeper = Keeper(
        operations.library.catalog,
        state.journal,
        mover=Mover(operations.library.catalog, nullcontext(), operations.relocated),
    )

    def decide(question: Question, by: str) -> Operation | None:
        what = question.what
        if isinstance(what, asking.Undo):
            return keeper.revert(
                what.operation, by=by, rest=what.rest, heard=operations.tell_written
            )
        return keeper.decide(_decision(operations.library, what), by=by)

    with ExitStack() as stack:
        try:
            listener = stack.enter_context(sockets.listening(state.deciding))
        except OSError as error:
            log.warning("nothing can be decided on the web page: %s", error)
        else:
            stack.enter_context(ThreadPoolExecutor(1, "deciding")).submit(_listen, listener, decide)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)  # closing would not wake accept
        yield


def _listen(listener: socket.socket, decide: Decide) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.EBADF):  # shut down
                return
            log.warning("a question was not heard: %s", error)
            time.sleep(PAUSE_S)
            continue
        with connection, suppress(OSError):  # whoever asked has gone
            connection.settimeout(QUESTION_S)
            try:
                answer = _answer(connection, decide)
            except (
                Exception
            ):  # a mistake of ours: it must not leave everybody unheard who comes later
                log.exception("a decision has failed")
                continue
            connection.sendall(msgspec.json.encode(answer) + b"\n")


def _decision(
    library: Library, what: asking.Favor | asking.Rate | asking.Caption | asking.Tag
) -> Decision:
    """What somebody says of an asset. Raises NotFound, InvalidName."""
    asset = library.catalog.read(assets.get, AssetId(what.asset))
    contents = (asset.hash,)
    match what:
        case asking.Favor():
            return values.SetFavorite(contents=contents, favorite=what.favorite)
        case asking.Rate():
            return values.SetRating(contents=contents, stars=what.stars)
        case asking.Caption():
            return values.SetCaption(contents=contents, body=what.body)
        case asking.Tag():
            return saying.tagged(library, asset, what.tags)


def _answer(connection: socket.socket, decide: Decide) -> Answer:
    uid = sockets.peer(connection)
    if uid not in (0, os.geteuid()):
        return _refusal(NotPermitted("only who runs the mount is heard here"))
    try:
        question = asking.QUESTIONS.decode(sockets.line(connection, asking.LONGEST))
    except msgspec.DecodeError as error:
        return _refusal(NotPermitted(f"not a question: {error}"))
    try:
        done = decide(question, f"{credentials.user(uid)} ({question.door})")
    except HavenError as error:
        return _refusal(error)
    except OSError as error:
        return _refusal(_told_by_the_disk(error))
    return Answer(operation=done.id if done is not None else None)


def _refusal(error: HavenError) -> Answer:
    return Answer(error=type(error).__name__, message=str(error))


def _told_by_the_disk(error: OSError) -> HavenError:
    said = f"a file cannot be moved: {error.strerror}"
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return NotPermitted(said)
        case errno.EROFS:
            return ReadOnly(said)
        case _:
            return SourceGone(said)
