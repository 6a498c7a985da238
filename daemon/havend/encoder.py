"""The socket that answers "embed this query text" for the mount and the web page, in front of one worker process.

One JSON line {"text": ...} in, one {"model": ..., "vector": base64 of float32 LE} or {"error": ...} out, as often as
the caller likes. The worker starts with the first question and goes when nobody has asked for a while: a text model
takes up to 250 MB. Trio only; one question at a time reaches the model, which takes milliseconds.
"""

from __future__ import annotations

import base64
import contextlib
import logging
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import trio

from havenfs.errors import ModelError
from havenfs.models import registry

from . import sockets
from .pool import Settings, Worker, WorkerDiedError, WorkerUnfitError
from .protocol import Bad, Encoded, EncodeText, NoModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from havenfs.config import State

log = logging.getLogger(__name__)

LINE = 64 << 10  # bytes of a question
ANSWER_S = 20.0
IDLE_S = 300.0


class _Question(msgspec.Struct, frozen=True):
    text: str


_QUESTIONS = msgspec.json.Decoder(_Question)


class _Encoder:
    """Texts to vectors, by the model in use at that moment."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._worker = Worker(Settings(state=state, threads=2, budget=None))
        self._turn = trio.Lock()
        self._model: str | None = None
        self._used = trio.current_time()

    async def encode(self, text: str) -> Encoded | str:
        """The vector, or why there is none."""
        async with self._turn:
            try:
                model = await trio.to_thread.run_sync(registry.answering, self._state)
            except ModelError as error:
                return str(error)
            if model.id != self._model:
                await self._worker.stop()
                self._model = model.id
            try:
                answer = await self._worker.ask(EncodeText(text, model.id), timeout_s=ANSWER_S)
            except (WorkerDiedError, WorkerUnfitError) as error:
                log.warning("the text model's worker %s", error)
                return f"the text model {error}"
            finally:
                self._used = trio.current_time()
        match answer:
            case Encoded() if len(answer.vector) == 4 * model.dimension:
                return answer
            case Bad() | NoModel():
                return answer.reason
            case _:
                return "the text model's answer makes no sense"

    async def rest(self) -> None:
        """Let the worker go whenever nobody has asked for IDLE_S, until cancelled; then for good."""
        try:
            while True:
                await trio.sleep_until(max(self._used + IDLE_S, trio.current_time() + 1))
                if trio.current_time() >= self._used + IDLE_S:
                    async with self._turn:
                        await self._worker.stop()
        finally:
            await self._worker.stop()


async def serve(
    state: State,
    *,
    asked: Callable[[], None] = lambda: None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer at `state.encoder` until cancelled; *asked* is called before each answer."""
    encoder = _Encoder(state)

    async def handle(stream: trio.SocketStream) -> None:
        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await _converse(encoder, stream, asked)

    with sockets.bound(state.encoder) as listener:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(encoder.rest)
            await nursery.start(partial(trio.serve_listeners, handle, [listener]))
            task_status.started()


async def _converse(
    encoder: _Encoder, stream: trio.SocketStream, asked: Callable[[], None]
) -> None:
    waiting = b""
    while True:
        while b"\n" not in waiting:
            chunk = await stream.receive_some(LINE)
            if not chunk or len(waiting) > LINE:
                return
            waiting += chunk
        line, waiting = waiting.split(b"\n", 1)
        try:
            question = _QUESTIONS.decode(line)
        except msgspec.DecodeError as error:
            answer: dict[str, str] = {"error": f"not a question: {error}"}
        else:
            asked()
            found = await encoder.encode(question.text)
            if isinstance(found, str):
                answer = {"error": found}
            else:
                vector = base64.b64encode(found.vector).decode()
                answer = {"model": found.model, "vector": vector}
        await stream.send_all(msgspec.json.encode(answer) + b"\n")
