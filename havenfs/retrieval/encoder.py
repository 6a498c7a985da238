"""Words to a vector: asks the process that holds the text model, or runs the model here when there is none.

The mount and the web program never load a model; they ask through a unix socket in the state directory, one line of
JSON each way: {"text": "..."} is answered by {"model": "...", "vector": "<base64 of float32, little-endian>"} or
{"error": "..."}. Blocking calls with bounded waits; any number of threads may use one encoder.
"""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np

from havenfs import sockets
from havenfs.entities import ModelId
from havenfs.errors import EncoderUnavailable, ModelError

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from numpy.typing import NDArray

    from havenfs.extract.clip import TextEncoder
    from havenfs.models.registry import Model

CONNECT_S = 1.0
ANSWER_S = 20.0
"""The other side may have to load the model first: seconds from a spinning disk."""
SILENCE_S = 10.0
"""After an answer that did not come, how long nobody waits for another: a folder of searches would wait 20 s each."""
REMEMBERED = 512
"""Queries whose vectors are kept: file managers ask the same one again and again. 2 KiB each at 512 dimensions."""
FRESH_S = 600.0
"""How long a kept vector counts. When the owner changes the model, old vectors go out with the time."""
LONGEST_ANSWER = 1 << 20  # bytes; 65 536 dimensions have 350 kB


class Encoder(Protocol):
    """Whatever turns words into a vector."""

    def encode(self, text: str) -> tuple[ModelId, NDArray[np.float32]]:
        """Return the model and the unit vector, float32 [dimension]. Raises EncoderUnavailable."""
        ...


class _Answer(msgspec.Struct):
    model: str | None = None
    vector: str | None = None
    error: str | None = None


_ANSWERS = msgspec.json.Decoder(_Answer)


class _Kept(msgspec.Struct, frozen=True):
    model: ModelId
    vector: NDArray[np.float32]
    until: float


class SocketEncoder:
    """Asks at the socket *path*, which need not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._silent_until = 0.0

    def encode(self, text: str) -> tuple[ModelId, NDArray[np.float32]]:
        """Return the model and the unit vector of *text*; it must not be changed. Raises EncoderUnavailable."""
        now = time.monotonic()
        with self._lock:
            kept = self._kept.get(text)
            if kept is not None and now < kept.until:
                self._kept.move_to_end(text)
                return kept.model, kept.vector
            if now < self._silent_until:
                reason = "the process that reads queries does not answer"
                raise EncoderUnavailable(reason)
        model, vector = _parse(self._ask(text))
        with self._lock:
            if any(other.model != model for other in self._kept.values()):
                self._kept.clear()  # another model took over
            self._kept[text] = _Kept(model, vector, time.monotonic() + FRESH_S)
            self._kept.move_to_end(text)
            if len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
        return model, vector

    def _ask(self, text: str) -> bytes:
        try:
            with sockets.connect(self._path, CONNECT_S) as connection:
                connection.settimeout(ANSWER_S)
                connection.sendall(msgspec.json.encode({"text": text}) + b"\n")
                return _line(connection)
        except TimeoutError as error:
            with self._lock:
                self._silent_until = time.monotonic() + SILENCE_S
            reason = "the process that reads queries does not answer"
            raise EncoderUnavailable(reason) from error
        except OSError as error:
            reason = f"the process that reads queries is not running ({error.strerror})"
            raise EncoderUnavailable(reason) from error


def _line(connection: socket.socket) -> bytes:
    """The first line that comes. Raises TimeoutError when it is not complete after ANSWER_S, EncoderUnavailable."""
    deadline = time.monotonic() + ANSWER_S
    received = bytearray()
    while b"\n" not in received:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        piece = connection.recv(65536)
        if not piece or len(received) > LONGEST_ANSWER:
            reason = "the process that reads queries broke off"
            raise EncoderUnavailable(reason)
        received += piece
    return bytes(received.split(b"\n", 1)[0])


def _parse(line: bytes) -> tuple[ModelId, NDArray[np.float32]]:
    try:
        answer = _ANSWERS.decode(line)
        if answer.error is not None:
            raise EncoderUnavailable(answer.error)
        if answer.model is None or answer.vector is None:
            reason = "the process that reads queries gave half an answer"
            raise EncoderUnavailable(reason)
        vector = np.frombuffer(base64.b64decode(answer.vector, validate=True), "<f4").astype(
            np.float32, copy=False
        )
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        reason = "the process that reads queries gave an answer that is none"
        raise EncoderUnavailable(reason) from error
    if not vector.size or not np.isfinite(vector).all():
        reason = "the process that reads queries gave an empty vector"
        raise EncoderUnavailable(reason)
    return ModelId(answer.model), vector


class LocalEncoder:
    """Runs the text tower of *model* in this process; for `havenfs search` when no service runs. Loaded at first use."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._encoder: TextEncoder | None = None

    def encode(self, text: str) -> tuple[ModelId, NDArray[np.float32]]:
        """Return the model and the unit vector of *text*. Raises EncoderUnavailable."""
        try:
            with self._lock:
                if self._encoder is None:
                    # Inside, so that the mount and the web program, which import this module, never load onnxruntime.
                    from havenfs.extract.clip import TextEncoder

                    self._encoder = TextEncoder(self._model)
                return self._encoder.model, self._encoder.encode(text)
        except ModelError as error:
            raise EncoderUnavailable(str(error)) from error
